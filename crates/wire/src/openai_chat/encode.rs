//! A [`ChatRequest`] written as an OpenAI chat completion request.
//!
//! The messages are `encode_message`'s. Quirks of single vendors are the provider table's, not ours.

use std::borrow::Cow;

use bytes::Bytes;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::encode_message::{self, Message, keeps_developer};
use super::fields::malformed;
use super::reader::ChatReader;
use super::renames::Renames;
use crate::anthropic_messages;
use crate::chat::{ChatRequest, Shape, Thinking, ThinkingMode, Tool, ToolChoice};
use crate::codec::{Outbound, Target, UpstreamCodec};
use crate::fault::{Loss, TranslateError};
use crate::format::Format;
use crate::gemini;
use crate::openai_responses;
use crate::raw::Raw;

/// We speak OpenAI chat completions to a provider.
#[derive(Clone, Copy, Debug, Default)]
pub struct ChatUpstream;

impl UpstreamCodec for ChatUpstream {
    fn format(&self) -> Format {
        Format::OpenAiChat
    }

    fn encode(&self, request: &ChatRequest, target: &Target<'_>) -> Result<Outbound, TranslateError> {
        let names = Renames::of(request.tool_names(), LONGEST_NAME);
        let (messages, mut losses) = encode_message::messages(request, target.model, &names);
        let extras = extras(request, &mut losses);
        let body = Body { request, model: target.model, messages, names: &names, extras };
        let body = serde_json::to_vec(&body).map_err(|error| malformed("body", &error.to_string()))?;
        let reader = Box::new(ChatReader { call_id: target.call_id.to_owned(), names });
        Ok(Outbound { body: Bytes::from(body), reader, losses })
    }
}

/// OpenAI takes names of tools up to this length.
const LONGEST_NAME: usize = 64;

/// The fields that are not modelled, as far as OpenAI may be told them.
fn extras<'a>(request: &'a ChatRequest, losses: &mut Vec<Loss>) -> Vec<(&'a str, Cow<'a, Raw>)> {
    let verbatim = |(name, raw): &'a (String, Raw)| (name.as_str(), Cow::Borrowed(raw));
    if request.format == Format::OpenAiResponses {
        return responses_extras(request, losses);
    }
    if request.format == Format::Gemini {
        let mut said = gemini::in_openai_words(request, losses);
        if said.iter().any(|(name, _)| name == "tools") {
            losses.push(Loss { field: "tools".to_owned(), why: "OpenAI knows functions and its own tools" });
            said.retain(|(name, _)| name != "tools");
        }
        return said.into_iter().map(verbatim).collect();
    }
    if request.format != Format::AnthropicMessages {
        return request.extras.iter().map(verbatim).collect();
    }
    let mut extras = Vec::new();
    for extra in request.extras.iter().filter(|(name, _)| !anthropic_messages::has_no_effect(name)) {
        match (extra.0.as_str(), extra.1.text()) {
            ("top_k", _) | ("service_tier", "\"auto\"") => extras.push(verbatim(extra)),
            ("service_tier", _) => {
                extras.extend(Raw::of("default").ok().map(|raw| ("service_tier", Cow::Owned(raw))));
            }
            (name, _) => {
                losses.push(Loss { field: name.to_owned(), why: "only Anthropic's models know it" });
            }
        }
    }
    extras
}

/// The same, of a caller of the Responses API.
fn responses_extras<'a>(request: &'a ChatRequest, losses: &mut Vec<Loss>) -> Vec<(&'a str, Cow<'a, Raw>)> {
    let mut extras = Vec::new();
    for (name, raw) in request.extras.iter().filter(|(name, _)| !openai_responses::has_no_effect(name)) {
        if openai_responses::is_only_ours(name) {
            losses.push(Loss {
                field: name.clone(),
                why: "only the Responses API knows it, or this kind of it",
            });
        } else {
            extras.push((name.as_str(), Cow::Borrowed(raw)));
        }
    }
    extras
}

struct Body<'a> {
    request: &'a ChatRequest,
    model: &'a str,
    messages: Vec<Message<'a>>,
    names: &'a Renames,
    extras: Vec<(&'a str, Cow<'a, Raw>)>,
}

impl Serialize for Body<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let ChatRequest { stream, sampling, tools, tool_choice, shape, .. } = self.request;
        let (names, extras) = (self.names, &self.extras);
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("model", self.model)?;
        map.serialize_entry("messages", &self.messages)?;
        if *stream {
            map.serialize_entry("stream", &true)?;
            // Asked for even when the client did not: the charge is computed from it.
            map.serialize_entry("stream_options", &StreamOptions { include_usage: true })?;
        }
        // Tools of kinds that are not modelled wait in the extras under the same name.
        let unmodeled = extras.iter().find(|(name, _)| *name == "tools");
        if !tools.is_empty() || unmodeled.is_some() {
            map.serialize_entry(
                "tools",
                &Tools { tools, names, unmodeled: unmodeled.map(|(_, raw)| &**raw) },
            )?;
        }
        entry(&mut map, "tool_choice", tool_choice.as_ref().map(|choice| WireChoice { choice, names }))?;
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
        self.reasoning(&mut map)?;
        entry(&mut map, "response_format", ResponseFormat::of(shape))?;
        entry(&mut map, "user", self.request.user.as_deref().map(user))?;
        for (name, raw) in extras.iter().filter(|(name, _)| *name != "tools") {
            map.serialize_entry(name, &**raw)?;
        }
        map.end()
    }
}

impl Body<'_> {
    fn reasoning<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        let ChatRequest { format, thinking, reasoning_effort, .. } = self.request;
        match thinking {
            // Hosts of other models take the object under OpenAI's roof too.
            Some(thinking) if *format == Format::OpenAiChat => {
                map.serialize_entry("thinking", &thinking.raw)?;
                entry(map, "reasoning_effort", reasoning_effort.as_ref())
            }
            // Not to think is the default, and models that cannot think do not know the field.
            Some(Thinking { mode: ThinkingMode::Off, .. }) => {
                entry(map, "reasoning_effort", reasoning_effort.as_ref())
            }
            _ => entry(map, "reasoning_effort", self.request.effort()),
        }
    }
}

/// OpenAI refuses a `user` of more than 64 characters; the same long name always gets the same short one.
fn user(user: &str) -> Cow<'_, str> {
    if user.chars().count() <= 64 {
        return Cow::Borrowed(user);
    }
    let hash = |seed: u64| {
        user.bytes().fold(seed, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
    };
    // FNV-1a, twice: a name for OpenAI's abuse desk, not a secret.
    Cow::Owned(format!("user_{:016x}{:016x}", hash(0xcbf2_9ce4_8422_2325), hash(0x6c62_272e_07bb_0142)))
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
    names: &'a Renames,
    unmodeled: Option<&'a Raw>,
}

impl Serialize for Tools<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let more: Vec<Raw> =
            self.unmodeled.and_then(|raw| serde_json::from_str(raw.text()).ok()).unwrap_or_default();
        let tools = self
            .tools
            .iter()
            .map(|tool| OneTool::Function(tool, self.names))
            .chain(more.iter().map(OneTool::Verbatim));
        serializer.collect_seq(tools)
    }
}

enum OneTool<'a> {
    Function(&'a Tool, &'a Renames),
    Verbatim(&'a Raw),
}

impl Serialize for OneTool<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            OneTool::Function(tool, names) => {
                function_tool(tool, names.sent(&tool.name)).serialize(serializer)
            }
            OneTool::Verbatim(raw) => raw.serialize(serializer),
        }
    }
}

/// A tool as OpenAI and Ollama both write it.
pub(crate) fn function_tool<'a>(tool: &'a Tool, name: &'a str) -> impl Serialize + 'a {
    WireTool {
        r#type: "function",
        function: Declaration {
            name,
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

struct WireChoice<'a> {
    choice: &'a ToolChoice,
    names: &'a Renames,
}

impl Serialize for WireChoice<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.choice {
            ToolChoice::Auto => serializer.serialize_str("auto"),
            ToolChoice::Never => serializer.serialize_str("none"),
            ToolChoice::Required => serializer.serialize_str("required"),
            ToolChoice::Named(name) => {
                let name = self.names.sent(name);
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
