//! A [`ChatRequest`] in Oracle's generic format: OpenAI's messages with roles and types in capitals.
//!
//! | of the configuration | in the body |
//! | --- | --- |
//! | `oci_compartment_id` or `compartmentId` | `compartmentId`, which a call needs |
//! | a model that is an OCID of an endpoint | `servingMode` `DEDICATED`, else `ON_DEMAND` |

use serde::Serialize;

use super::reader::OracleReader;
use crate::chat::{Block, ChatRequest, Role, Shape, Source, Tool, ToolChoice, Turn};
use crate::codec::{Outbound, Target, UpstreamCodec};
use crate::dialect::Dialect;
use crate::extras::{strict_tools, telling};
use crate::fault::{Loss, TranslateError};
use crate::format::Format;
use crate::openai_chat::renames::Renames;
use crate::openai_chat::{ChatUpstream, malformed};
use crate::prompted::prompt::Object;
use crate::raw::Raw;

/// We speak it to Oracle.
#[derive(Clone, Copy, Debug, Default)]
pub struct OracleChat;

const COMPARTMENT: [&str; 2] = ["oci_compartment_id", "compartmentId"];
const LONGEST_NAME: usize = 64;

impl UpstreamCodec for OracleChat {
    fn format(&self) -> Format {
        Format::Own(Dialect::Oracle)
    }

    fn encode(&self, request: &ChatRequest, target: &Target<'_>) -> Result<Outbound, TranslateError> {
        if target.model.starts_with("cohere.") {
            let problem =
                "Cohere's models at Oracle have a format of their own, which is not spoken; use cohere/";
            return Err(malformed("model", problem));
        }
        let mut losses = Vec::new();
        let names = Renames::of(request.tool_names(), LONGEST_NAME);
        let dedicated = target.model.starts_with("ocid1.generativeaiendpoint.");
        let serving = Object::default()
            .with("servingType", if dedicated { "DEDICATED" } else { "ON_DEMAND" })?
            .with(if dedicated { "endpointId" } else { "modelId" }, target.model)?;
        let body = Object::default()
            .with("compartmentId", compartment(request)?)?
            .with("servingMode", &serving)?
            .with("chatRequest", &chat(request, target, &names, &mut losses)?)?
            .body()?;
        unsaid(request, &mut losses);
        // OpenAI's reader knows the names and ids of tools; its request is not used.
        let inner = ChatUpstream.encode(request, target)?.reader;
        Ok(Outbound { body, reader: Box::new(OracleReader { inner }), losses })
    }
}

fn compartment(request: &ChatRequest) -> Result<&Raw, TranslateError> {
    let given = request.extras.iter().find(|(name, _)| COMPARTMENT.contains(&name.as_str()));
    given.map(|(_, raw)| raw).ok_or_else(|| {
        malformed("oci_compartment_id", "Oracle needs a compartment: set it in litellm_params")
    })
}

fn chat(
    request: &ChatRequest,
    target: &Target<'_>,
    names: &Renames,
    losses: &mut Vec<Loss>,
) -> Result<Object, TranslateError> {
    let sampling = &request.sampling;
    let mut messages = Vec::new();
    for (path, turn) in request.placed() {
        messages.extend(of_turn(turn, &path.to_string(), names, losses)?);
    }
    let tools = request.tools.iter().map(|tool| declared(tool, names)).collect::<Result<Vec<_>, _>>()?;
    let bound = if target.model.starts_with("openai.") { "maxCompletionTokens" } else { "maxTokens" };
    let effort = request.effort().filter(|effort| *effort != "none").map(str::to_ascii_uppercase);
    Object::default()
        .with("apiFormat", "GENERIC")?
        .with("messages", &messages)?
        .some("isStream", request.stream.then_some(true))?
        .some(
            "streamOptions",
            request.stream.then(|| Object::default().with("isIncludeUsage", &true)).transpose()?,
        )?
        .some(bound, sampling.max_tokens)?
        .some("temperature", sampling.temperature)?
        .some("topP", sampling.top_p)?
        .some("topK", extra(request, "top_k"))?
        .some("stop", (!sampling.stop.is_empty()).then_some(&sampling.stop))?
        .some("seed", sampling.seed)?
        .some("presencePenalty", sampling.presence_penalty)?
        .some("frequencyPenalty", sampling.frequency_penalty)?
        .some("numGenerations", sampling.choices)?
        .some("logitBias", extra(request, "logit_bias"))?
        .some("reasoningEffort", effort)?
        .some("tools", (!tools.is_empty()).then_some(&tools))?
        .some("toolChoice", request.tool_choice.as_ref().map(|choice| chosen(choice, names)).transpose()?)?
        .some("isParallelToolCalls", request.parallel_tool_calls)?
        .some("responseFormat", shape(&request.shape)?)
}

fn extra<'a>(request: &'a ChatRequest, name: &str) -> Option<&'a Raw> {
    request.extras.iter().find(|(at, raw)| at == name && raw.text() != "null").map(|(_, raw)| raw)
}

/// One turn as messages: what tools gave stands in messages of its own, before the rest.
fn of_turn(
    turn: &Turn,
    path: &str,
    names: &Renames,
    losses: &mut Vec<Loss>,
) -> Result<Vec<Object>, TranslateError> {
    let role = match turn.role {
        Role::System => "SYSTEM",
        Role::Developer => "DEVELOPER",
        Role::User | Role::Tool => "USER",
        Role::Assistant => "ASSISTANT",
    };
    let (mut messages, mut content, mut calls) = (Vec::new(), Vec::new(), Vec::new());
    for (at, block) in turn.blocks.iter().enumerate() {
        let path = format!("{path}.content[{at}]");
        match block {
            Block::ToolResult { id, content, failed } => {
                let mut given = Vec::new();
                if *failed {
                    given.push(said("Error: ")?);
                }
                for block in content {
                    given.extend(part(block, &path, losses)?);
                }
                let message = Object::default().with("role", "TOOL")?.with("toolCallId", id)?;
                messages.push(message.with("content", &given)?);
            }
            Block::ToolCall { id, name, input } => {
                let arguments = if input.is_empty() { "{}" } else { input };
                let call = Object::default().with("id", id)?.with("type", "FUNCTION")?;
                calls.push(call.with("name", names.sent(name))?.with("arguments", arguments)?);
            }
            block => content.extend(part(block, &path, losses)?),
        }
    }
    if content.is_empty() && calls.is_empty() && !messages.is_empty() {
        return Ok(messages);
    }
    let message = Object::default()
        .with("role", role)?
        .some("content", (!content.is_empty() || calls.is_empty()).then_some(&content))?
        .some("toolCalls", (!calls.is_empty()).then_some(&calls))?;
    messages.push(message);
    Ok(messages)
}

fn said(text: &str) -> Result<Object, TranslateError> {
    Object::default().with("type", "TEXT")?.with("text", text)
}

fn part(block: &Block, path: &str, losses: &mut Vec<Loss>) -> Result<Option<Object>, TranslateError> {
    #[derive(Serialize)]
    struct Picture<'a> {
        url: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        detail: Option<String>,
    }
    let picture = |url: &str, detail: &Option<String>| {
        let detail = detail.as_deref().map(str::to_ascii_uppercase);
        Object::default().with("type", "IMAGE")?.with("imageUrl", &Picture { url, detail })
    };
    match block {
        Block::Text(text) | Block::Refusal(text) => said(text).map(Some),
        Block::Image { source: Source::Url(url), detail } => picture(url, detail).map(Some),
        Block::Image { source: Source::Inline { media_type, data }, detail } => {
            picture(&format!("data:{media_type};base64,{data}"), detail).map(Some)
        }
        // Hints, and reasoning that Oracle's format has no place for in a request.
        Block::CachePoint(_) | Block::Citation(_) | Block::Thinking { .. } | Block::RedactedThinking(_) => {
            Ok(None)
        }
        _ => {
            losses.push(Loss { field: path.to_owned(), why: "Oracle takes only texts and pictures" });
            Ok(None)
        }
    }
}

fn declared(tool: &Tool, names: &Renames) -> Result<Object, TranslateError> {
    Object::default()
        .with("type", "FUNCTION")?
        .with("name", names.sent(&tool.name))?
        .some("description", tool.description.as_ref())?
        .some("parameters", tool.parameters.as_ref())
}

fn chosen(choice: &ToolChoice, names: &Renames) -> Result<Object, TranslateError> {
    let word = match choice {
        ToolChoice::Auto => "AUTO",
        ToolChoice::Never => "NONE",
        ToolChoice::Required => "REQUIRED",
        ToolChoice::Named(_) => "FUNCTION",
    };
    let name = match choice {
        ToolChoice::Named(name) => Some(names.sent(name)),
        ToolChoice::Auto | ToolChoice::Never | ToolChoice::Required => None,
    };
    Object::default().with("type", word)?.some("name", name)
}

fn shape(shape: &Shape) -> Result<Option<Object>, TranslateError> {
    match shape {
        Shape::Text => Ok(None),
        Shape::Json => Object::default().with("type", "JSON_OBJECT").map(Some),
        Shape::Schema { name, schema, strict } => {
            let schema = Object::default()
                .with("name", name.as_deref().unwrap_or("response"))?
                .with("schema", schema)?
                .some("isStrict", *strict)?;
            Object::default().with("type", "JSON_SCHEMA")?.with("jsonSchema", &schema).map(Some)
        }
    }
}

/// What Oracle has no place for.
fn unsaid(request: &ChatRequest, losses: &mut Vec<Loss>) {
    const KNOWN: [&str; 7] =
        ["logit_bias", "metadata", "prompt_cache_key", "safety_identifier", "service_tier", "store", "top_k"];
    if request.sampling.logprobs == Some(true) {
        let why = "Oracle's log-probabilities have a shape of their own";
        losses.push(Loss { field: "logprobs".to_owned(), why });
    }
    strict_tools(request, "Oracle does not hold calls to a schema", losses);
    for (name, _) in telling(request, losses) {
        if !KNOWN.contains(&name.as_str()) {
            losses.push(Loss { field: name.clone(), why: "Oracle has no such setting" });
        }
    }
    // The operator's, whatever format the caller speaks.
    losses.retain(|loss| !COMPARTMENT.contains(&loss.field.as_str()));
}
