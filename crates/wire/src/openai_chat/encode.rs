//! A [`ChatRequest`] written as an OpenAI chat completion request.
//!
//! The messages are `encode_message`'s. Quirks of single vendors are the provider table's, not ours.

use bytes::Bytes;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::encode_message::{self, Message, keeps_developer};
use super::fields::malformed;
use super::reader::ChatReader;
use crate::chat::{ChatRequest, Shape, Tool, ToolChoice};
use crate::codec::{Outbound, Target, UpstreamCodec};
use crate::fault::TranslateError;
use crate::format::Format;
use crate::raw::Raw;

/// We speak OpenAI chat completions to a provider.
#[derive(Clone, Copy, Debug, Default)]
pub struct ChatUpstream;

impl UpstreamCodec for ChatUpstream {
    fn format(&self) -> Format {
        Format::OpenAiChat
    }

    fn encode(&self, request: &ChatRequest, target: &Target<'_>) -> Result<Outbound, TranslateError> {
        let mut losses = Vec::new();
        let mut messages = Vec::with_capacity(request.turns.len());
        for (at, turn) in request.turns.iter().enumerate() {
            let path = format!("messages[{at}]");
            encode_message::turn(turn, target.model, &path, &mut messages, &mut losses);
        }
        let body = Body { request, model: target.model, messages };
        let body = serde_json::to_vec(&body).map_err(|error| malformed("body", &error.to_string()))?;
        let reader = Box::new(ChatReader { call_id: target.call_id.to_owned() });
        Ok(Outbound { body: Bytes::from(body), reader, losses })
    }
}

struct Body<'a> {
    request: &'a ChatRequest,
    model: &'a str,
    messages: Vec<Message<'a>>,
}

impl Serialize for Body<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let ChatRequest { stream, sampling, tools, tool_choice, shape, extras, .. } = self.request;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("model", self.model)?;
        map.serialize_entry("messages", &self.messages)?;
        if *stream {
            map.serialize_entry("stream", &true)?;
            // Asked for even when the client did not: the charge is computed from it.
            map.serialize_entry("stream_options", &StreamOptions { include_usage: true })?;
        }
        // Tools of kinds that are not modelled wait in the extras under the same name.
        let unmodeled = extras.iter().find(|(name, _)| name == "tools");
        if !tools.is_empty() || unmodeled.is_some() {
            map.serialize_entry("tools", &Tools { tools, unmodeled: unmodeled.map(|(_, raw)| raw) })?;
        }
        entry(&mut map, "tool_choice", tool_choice.as_ref().map(WireChoice))?;
        entry(&mut map, "parallel_tool_calls", self.request.parallel_tool_calls)?;
        entry(&mut map, "temperature", sampling.temperature)?;
        entry(&mut map, "top_p", sampling.top_p)?;
        let bound = if reasons(self.model) { "max_completion_tokens" } else { "max_tokens" };
        entry(&mut map, bound, sampling.max_tokens)?;
        entry(&mut map, "n", sampling.choices)?;
        entry(&mut map, "stop", (!sampling.stop.is_empty()).then_some(&sampling.stop))?;
        entry(&mut map, "seed", sampling.seed)?;
        entry(&mut map, "presence_penalty", sampling.presence_penalty)?;
        entry(&mut map, "frequency_penalty", sampling.frequency_penalty)?;
        entry(&mut map, "logprobs", sampling.logprobs)?;
        entry(&mut map, "top_logprobs", sampling.top_logprobs)?;
        entry(&mut map, "reasoning_effort", self.request.reasoning_effort.as_ref())?;
        entry(&mut map, "response_format", ResponseFormat::of(shape))?;
        entry(&mut map, "user", self.request.user.as_ref())?;
        for (name, raw) in extras.iter().filter(|(name, _)| name != "tools") {
            map.serialize_entry(name, raw)?;
        }
        map.end()
    }
}

fn entry<M: SerializeMap, T: Serialize>(map: &mut M, name: &str, value: Option<T>) -> Result<(), M::Error> {
    value.map_or(Ok(()), |value| map.serialize_entry(name, &value))
}

/// OpenAI's reasoning models know only `max_completion_tokens`; imitators mostly know only `max_tokens`.
fn reasons(model: &str) -> bool {
    keeps_developer(model) || model.starts_with("gpt-5")
}

#[derive(Serialize)]
struct StreamOptions {
    include_usage: bool,
}

struct Tools<'a> {
    tools: &'a [Tool],
    unmodeled: Option<&'a Raw>,
}

impl Serialize for Tools<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let more: Vec<Raw> =
            self.unmodeled.and_then(|raw| serde_json::from_str(raw.text()).ok()).unwrap_or_default();
        let tools = self.tools.iter().map(OneTool::Function).chain(more.iter().map(OneTool::Verbatim));
        serializer.collect_seq(tools)
    }
}

enum OneTool<'a> {
    Function(&'a Tool),
    Verbatim(&'a Raw),
}

impl Serialize for OneTool<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            OneTool::Function(tool) => function_tool(tool).serialize(serializer),
            OneTool::Verbatim(raw) => raw.serialize(serializer),
        }
    }
}

/// A tool as OpenAI and Ollama both write it.
pub(crate) fn function_tool(tool: &Tool) -> impl Serialize + '_ {
    WireTool {
        r#type: "function",
        function: Declaration {
            name: &tool.name,
            description: tool.description.as_deref(),
            parameters: tool.parameters.as_ref(),
            strict: tool.strict,
        },
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
    #[serde(skip_serializing_if = "Option::is_none")]
    parameters: Option<&'a Raw>,
    #[serde(skip_serializing_if = "Option::is_none")]
    strict: Option<bool>,
}

struct WireChoice<'a>(&'a ToolChoice);

impl Serialize for WireChoice<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            ToolChoice::Auto => serializer.serialize_str("auto"),
            ToolChoice::Never => serializer.serialize_str("none"),
            ToolChoice::Required => serializer.serialize_str("required"),
            ToolChoice::Named(name) => {
                NamedChoice { r#type: "function", function: Named { name } }.serialize(serializer)
            }
        }
    }
}

#[derive(Serialize)]
struct NamedChoice<'a> {
    r#type: &'static str,
    function: Named<'a>,
}

#[derive(Serialize)]
struct Named<'a> {
    name: &'a str,
}

#[derive(Serialize)]
struct ResponseFormat<'a> {
    r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    json_schema: Option<JsonSchema<'a>>,
}

#[derive(Serialize)]
struct JsonSchema<'a> {
    name: &'a str,
    schema: &'a Raw,
    #[serde(skip_serializing_if = "Option::is_none")]
    strict: Option<bool>,
}

impl<'a> ResponseFormat<'a> {
    fn of(shape: &'a Shape) -> Option<Self> {
        match shape {
            Shape::Text => None,
            Shape::Json => Some(Self { r#type: "json_object", json_schema: None }),
            Shape::Schema { name, schema, strict } => {
                // OpenAI requires a name; other formats have none.
                let name = name.as_deref().unwrap_or("response");
                Some(Self {
                    r#type: "json_schema",
                    json_schema: Some(JsonSchema { name, schema, strict: *strict }),
                })
            }
        }
    }
}
