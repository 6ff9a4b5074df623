//! What the requests of Ollama's chat and generate share: the head, the options, the losses.
//!
//! | of the request | in Ollama |
//! | --- | --- |
//! | sampling, `top_k`, `num_ctx`, `mirostat`, … | `options.*`; what the caller says in Ollama's words wins |
//! | `max_tokens` | `options.num_predict` |
//! | `response_format` | `format`: `"json"` or the schema |
//! | `reasoning_effort` | `think`: a boolean, or the word for gpt-oss |
//! | `keep_alive`, `think`, `format`, `options` | the same, top level |
//! | `user`, `metadata` and other bookkeeping | not sent, and no loss: it changes nothing in the answer |
//! | anything else | a loss |

use crate::chat::{ChatRequest, Shape, Source, ToolChoice};
use crate::extras::{BOOKKEEPING, telling};
use crate::fault::{Loss, TranslateError};
use crate::members::Members;
use crate::openai_chat::malformed;

/// Ollama's model options, as its API documentation and Modelfile reference list them.
const OPTIONS: [&str; 24] = [
    "f16_kv",
    "logits_all",
    "low_vram",
    "main_gpu",
    "min_p",
    "mirostat",
    "mirostat_eta",
    "mirostat_tau",
    "num_batch",
    "num_ctx",
    "num_gpu",
    "num_keep",
    "num_predict",
    "num_thread",
    "numa",
    "penalize_newline",
    "repeat_last_n",
    "repeat_penalty",
    "tfs_z",
    "top_k",
    "typical_p",
    "use_mlock",
    "use_mmap",
    "vocab_only",
];

/// Sets `format`, `think`, `keep_alive` and `options` of `request` in `body`. `more` names further fields
/// that this operation takes at the top level.
pub(super) fn settings(
    request: &ChatRequest,
    model: &str,
    more: &[&str],
    body: &mut Members,
    losses: &mut Vec<Loss>,
) -> Result<(), TranslateError> {
    let mut options = sampled(request)?;
    match &request.shape {
        Shape::Text => {}
        Shape::Json => body.set("format", "json")?,
        Shape::Schema { schema, .. } => body.set("format", schema)?,
    }
    if let Some(effort) = request.effort() {
        think(effort, model, body)?;
    }
    for (name, raw) in telling(request, losses) {
        match name.as_str() {
            "options" => options.merge(raw, name)?,
            "keep_alive" | "think" | "format" => body.set(name, raw)?,
            name if more.contains(&name) => body.set(name, raw)?,
            name if OPTIONS.contains(&name) => options.set(name, raw)?,
            name if BOOKKEEPING.contains(&name) => {}
            _ => losses.push(Loss { field: name.clone(), why: "Ollama has no such setting" }),
        }
    }
    if !options.is_empty() {
        body.set("options", &options)?;
    }
    unsaid(request, losses);
    Ok(())
}

fn sampled(request: &ChatRequest) -> Result<Members, TranslateError> {
    let sampling = &request.sampling;
    let mut options = Members::default();
    options.set_some("temperature", sampling.temperature)?;
    options.set_some("top_p", sampling.top_p)?;
    options.set_some("seed", sampling.seed)?;
    options.set_some("stop", (!sampling.stop.is_empty()).then_some(&sampling.stop))?;
    options.set_some("presence_penalty", sampling.presence_penalty)?;
    options.set_some("frequency_penalty", sampling.frequency_penalty)?;
    options.set_some("num_predict", sampling.max_tokens)?;
    Ok(options)
}

/// gpt-oss is the one model that takes a level; the others think or do not.
fn think(effort: &str, model: &str, body: &mut Members) -> Result<(), TranslateError> {
    match effort {
        "none" => body.set("think", &false),
        "minimal" | "low" if model.contains("gpt-oss") => body.set("think", "low"),
        "medium" if model.contains("gpt-oss") => body.set("think", "medium"),
        _ if model.contains("gpt-oss") => body.set("think", "high"),
        _ => body.set("think", &true),
    }
}

/// Reports the modelled fields that neither operation can say.
fn unsaid(request: &ChatRequest, losses: &mut Vec<Loss>) {
    let sampling = &request.sampling;
    let forced = matches!(request.tool_choice, Some(ToolChoice::Required | ToolChoice::Named(_)));
    for (lost, field, why) in [
        (sampling.choices.is_some_and(|n| n > 1), "n", "Ollama gives one answer a request"),
        (sampling.logprobs == Some(true), "logprobs", "Ollama gives no log-probabilities"),
        (sampling.top_logprobs.is_some_and(|n| n > 0), "top_logprobs", "Ollama gives no log-probabilities"),
        (forced, "tool_choice", "Ollama cannot be made to call a tool"),
        (
            request.parallel_tool_calls == Some(false),
            "parallel_tool_calls",
            "Ollama may call several tools at once",
        ),
    ] {
        if lost {
            losses.push(Loss { field: field.to_owned(), why });
        }
    }
}

/// The base64 of a picture, without a `data:` prefix.
pub(super) fn picture<'a>(source: &'a Source, path: &str) -> Result<&'a str, TranslateError> {
    match source {
        Source::Inline { data, .. } => Ok(data),
        Source::Url(_) | Source::Id(_) | Source::Text(_) => Err(malformed(
            format_args!("{path}.image_url"),
            "Ollama takes pictures only inline: send a data: URI in base64",
        )),
    }
}
