//! A [`ChatRequest`] written as a Cohere chat request: its settings. The conversation is `message`'s.
//!
//! | of the request | at Cohere |
//! | --- | --- |
//! | `top_p`, `top_k`, `stop` | `p` (within Cohere's bounds), `k`, `stop_sequences` |
//! | `tool_choice` | `REQUIRED`, `NONE`; one tool by name: `REQUIRED` with only that tool; auto is the default |
//! | `strict` of every tool | `strict_tools` |
//! | `response_format` | `json_object`, with the schema as `json_schema` |
//! | `thinking`, `reasoning_effort` | `thinking` with a `token_budget` |
//! | `documents`, `citation_options`, `safety_mode`, `priority`, `raw_prompting`, … | the same |
//! | `user`, `metadata` and other bookkeeping | not sent, and no loss: it changes nothing in the answer |
//! | anything else | a loss |

use serde::Serialize;

use super::message;
use super::reader::{CohereReader, Memory};
use crate::chat::{ChatRequest, Shape, Tool, ToolChoice};
use crate::codec::{Outbound, Target, UpstreamCodec};
use crate::extras::{BOOKKEEPING, telling};
use crate::fault::{Loss, TranslateError};
use crate::format::Format;
use crate::members::Members;
use crate::openai_chat::renames::Renames;
use crate::raw::Raw;

#[cfg(test)]
#[path = "encode_tests.rs"]
mod tests;

/// We speak Cohere's chat API to a provider.
#[derive(Clone, Copy, Debug, Default)]
pub struct CohereUpstream;

/// As long as a name of a tool may be at OpenAI, whose callers choose them.
const LONGEST_NAME: usize = 64;

/// Fields of Cohere's API that callers name in its own words.
const OWN: [&str; 8] =
    ["citation_options", "documents", "k", "p", "priority", "raw_prompting", "safety_mode", "strict_tools"];

impl UpstreamCodec for CohereUpstream {
    fn format(&self) -> Format {
        Format::CohereChat
    }

    fn encode(&self, request: &ChatRequest, target: &Target<'_>) -> Result<Outbound, TranslateError> {
        let names = Renames::identifiers(request.tool_names(), LONGEST_NAME);
        let mut losses = Vec::new();
        let mut body = Members::default();
        body.set("model", target.model)?;
        body.set("messages", &message::messages(request, reasons(target.model), &names, &mut losses))?;
        body.set_some("stream", request.stream.then_some(true))?;
        tools(request, &names, &mut body, &mut losses)?;
        sampling(request, &mut body, &mut losses)?;
        think(request, target.model, &mut body)?;
        body.set_some("response_format", ResponseFormat::of(&request.shape))?;
        extras(request, &mut body, &mut losses)?;
        let memory = Memory { names, call_id: target.call_id.to_owned() };
        Ok(Outbound { body: body.body()?, reader: Box::new(CohereReader { memory }), losses })
    }
}

#[derive(Serialize)]
struct WireTool<'a> {
    r#type: &'static str,
    function: Declaration<'a>,
}

#[derive(Serialize)]
struct Declaration<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    parameters: Parameters<'a>,
}

/// A tool without arguments still wants a schema.
#[derive(Serialize)]
#[serde(untagged)]
enum Parameters<'a> {
    Given(&'a Raw),
    Nothing { r#type: &'static str, properties: Empty },
}

#[derive(Serialize)]
struct Empty {}

fn wire_tool<'a>(tool: &'a Tool, names: &'a Renames) -> WireTool<'a> {
    let parameters = match &tool.parameters {
        Some(raw) => Parameters::Given(raw),
        None => Parameters::Nothing { r#type: "object", properties: Empty {} },
    };
    let description = tool.description.as_deref();
    let function = Declaration { name: names.sent(&tool.name), description, parameters };
    WireTool { r#type: "function", function }
}

fn tools(
    request: &ChatRequest,
    names: &Renames,
    body: &mut Members,
    losses: &mut Vec<Loss>,
) -> Result<(), TranslateError> {
    let chosen = match &request.tool_choice {
        Some(ToolChoice::Named(name)) => request.tools.iter().find(|tool| tool.name == *name),
        _ => None,
    };
    let tools = chosen.map_or(&*request.tools, std::slice::from_ref);
    if !tools.is_empty() {
        let wire: Vec<_> = tools.iter().map(|tool| wire_tool(tool, names)).collect();
        body.set("tools", &wire)?;
        let choice = match request.tool_choice {
            None | Some(ToolChoice::Auto) => None,
            Some(ToolChoice::Never) => Some("NONE"),
            Some(ToolChoice::Required | ToolChoice::Named(_)) => Some("REQUIRED"),
        };
        body.set_some("tool_choice", choice)?;
    }
    let strict = |tool: &Tool| tool.strict == Some(true);
    if tools.iter().any(strict) {
        if tools.iter().all(strict) {
            body.set("strict_tools", &true)?;
        } else if let Some(at) = tools.iter().position(strict) {
            let why = "Cohere is strict about all tools or none";
            losses.push(Loss { field: format!("tools[{at}].function.strict"), why });
        }
    }
    if request.parallel_tool_calls == Some(false) {
        let why = "Cohere may call several tools at once";
        losses.push(Loss { field: "parallel_tool_calls".to_owned(), why });
    }
    Ok(())
}

fn sampling(request: &ChatRequest, body: &mut Members, losses: &mut Vec<Loss>) -> Result<(), TranslateError> {
    let sampling = &request.sampling;
    // The bounds that Cohere documents for `p`; 1, OpenAI's default, is out of them.
    body.set_some("p", sampling.top_p.map(|p| p.clamp(0.01, 0.99)))?;
    body.set_some("temperature", sampling.temperature)?;
    body.set_some("max_tokens", sampling.max_tokens)?;
    body.set_some("stop_sequences", (!sampling.stop.is_empty()).then_some(&sampling.stop))?;
    body.set_some("seed", sampling.seed.filter(|seed| *seed >= 0))?;
    body.set_some("logprobs", sampling.logprobs)?;
    for (name, penalty) in
        [("presence_penalty", sampling.presence_penalty), ("frequency_penalty", sampling.frequency_penalty)]
    {
        if penalty.is_some_and(|penalty| !(0.0..=1.0).contains(&penalty)) {
            losses.push(Loss { field: name.to_owned(), why: "Cohere takes penalties from 0 to 1" });
        } else {
            body.set_some(name, penalty)?;
        }
    }
    for (lost, field, why) in [
        (sampling.seed.is_some_and(|seed| seed < 0), "seed", "Cohere takes no negative seeds"),
        (sampling.choices.is_some_and(|n| n > 1), "n", "Cohere gives one answer a request"),
        (
            sampling.top_logprobs.is_some_and(|n| n > 0),
            "top_logprobs",
            "Cohere gives log-probabilities only of what it says",
        ),
    ] {
        if lost {
            losses.push(Loss { field: field.to_owned(), why });
        }
    }
    Ok(())
}

/// Whether `model` thinks by itself, as `command-a-reasoning-08-2025`.
fn reasons(model: &str) -> bool {
    model.contains("reasoning")
}

#[derive(Serialize)]
struct WireThinking {
    r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    token_budget: Option<u64>,
}

/// Not to think is said only to models that think by themselves: the others do not know the field.
fn think(request: &ChatRequest, model: &str, body: &mut Members) -> Result<(), TranslateError> {
    use crate::chat::ThinkingMode::{Adaptive, Budget, Off};
    let enabled = |token_budget| Some(WireThinking { r#type: "enabled", token_budget });
    let disabled = || reasons(model).then_some(WireThinking { r#type: "disabled", token_budget: None });
    let said = match (request.thinking.as_ref().map(|thinking| thinking.mode), &request.reasoning_effort) {
        (Some(Budget(tokens)), _) => enabled(Some(tokens)),
        (Some(Off), _) => disabled(),
        (_, Some(effort)) => match effort.as_str() {
            "none" => disabled(),
            "minimal" | "low" => enabled(Some(1024)),
            "medium" => enabled(Some(2048)),
            _ => enabled(None),
        },
        (Some(Adaptive), None) => enabled(None),
        (None, None) => None,
    };
    body.set_some("thinking", said)
}

#[derive(Serialize)]
struct ResponseFormat<'a> {
    r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    json_schema: Option<&'a Raw>,
}

impl<'a> ResponseFormat<'a> {
    fn of(shape: &'a Shape) -> Option<Self> {
        let json_schema = match shape {
            Shape::Text => return None,
            Shape::Json => None,
            Shape::Schema { schema, .. } => Some(schema),
        };
        Some(Self { r#type: "json_object", json_schema })
    }
}

fn extras(request: &ChatRequest, body: &mut Members, losses: &mut Vec<Loss>) -> Result<(), TranslateError> {
    for (name, raw) in telling(request, losses) {
        match name.as_str() {
            "top_k" => body.set("k", raw)?,
            name if OWN.contains(&name) => body.set(name, raw)?,
            "prompt_cache_retention" => {}
            name if BOOKKEEPING.contains(&name) => {}
            _ => losses.push(Loss { field: name.clone(), why: "Cohere has no such setting" }),
        }
    }
    Ok(())
}
