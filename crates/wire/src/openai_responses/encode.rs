//! A [`ChatRequest`] written as a Responses request: its settings. The conversation is `input`'s, tools are `tools`'.
//!
//! Nothing is stored at the provider unless the caller asks for it, so reasoning is asked for in the form that can
//! be sent again, of the models that reason. System turns stay in their place in the input, where JSON mode looks for
//! the word "json"; only what the caller called `instructions` is sent as such.

use std::borrow::Cow;

use bytes::Bytes;
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use super::input::{self, Script};
use super::reader::{Memory, ResponsesReader};
use super::tools::Toolbox;
use crate::anthropic_messages;
use crate::chat::{ChatRequest, Shape, ThinkingMode};
use crate::codec::{Outbound, Target, UpstreamCodec};
use crate::fault::{Loss, TranslateError};
use crate::format::Format;
use crate::gemini;
use crate::openai_chat::malformed;
use crate::openai_chat::renames::Renames;
use crate::raw::Raw;

/// We speak the Responses API to a provider.
#[derive(Clone, Copy, Debug, Default)]
pub struct ResponsesUpstream;

/// OpenAI takes names of tools, and ids of calls, up to this length.
const LONGEST_NAME: usize = 64;
/// OpenAI refuses a smaller bound.
const LEAST_TOKENS: u64 = 16;

const ENCRYPTED: &str = "reasoning.encrypted_content";
const LOGPROBS: &str = "message.output_text.logprobs";

impl UpstreamCodec for ResponsesUpstream {
    fn format(&self) -> Format {
        Format::OpenAiResponses
    }

    fn encode(&self, request: &ChatRequest, target: &Target<'_>) -> Result<Outbound, TranslateError> {
        let names = Renames::of(request.tool_names(), LONGEST_NAME);
        let ids = input::call_ids(request, LONGEST_NAME);
        let stored = extra(request, "store").is_some_and(|raw| raw.text() == "true");
        let mut script = input::write(request, &names, &ids, stored);
        let mut losses = std::mem::take(&mut script.losses);
        let toolbox = Toolbox::of(request, &names, &mut losses)?;
        unsayable(request, &mut losses);
        let extras = extras(request, &mut losses);
        let body = Body { request, model: target.model, script, toolbox, extras, stored };
        let body = serde_json::to_vec(&body).map_err(|error| malformed("body", &error.to_string()))?;
        let memory = Memory { names, call_id: target.call_id.to_owned(), stored };
        Ok(Outbound { body: Bytes::from(body), reader: Box::new(ResponsesReader { memory }), losses })
    }
}

fn extra<'a>(request: &'a ChatRequest, name: &str) -> Option<&'a Raw> {
    request.extras.iter().find(|(at, _)| at == name).map(|(_, raw)| raw).filter(|raw| raw.text() != "null")
}

/// What this API has no words for in how tokens are drawn.
fn unsayable(request: &ChatRequest, losses: &mut Vec<Loss>) {
    let sampling = &request.sampling;
    let mut lose = |lost: bool, field: &str, why| {
        if lost {
            losses.push(Loss { field: field.to_owned(), why });
        }
    };
    let stop = if request.format == Format::AnthropicMessages { "stop_sequences" } else { "stop" };
    lose(!sampling.stop.is_empty(), stop, "the Responses API knows no stop texts");
    lose(sampling.choices.is_some_and(|n| n > 1), "n", "the Responses API gives one answer a request");
    lose(sampling.seed.is_some(), "seed", "the Responses API's draws cannot be repeated");
    let penalty = |value: Option<f64>| value.is_some_and(|value| value != 0.0);
    let why = "the Responses API knows no penalties";
    lose(penalty(sampling.presence_penalty), "presence_penalty", why);
    lose(penalty(sampling.frequency_penalty), "frequency_penalty", why);
}

/// The fields that are not modelled, as far as this API may be told them.
fn extras<'a>(request: &'a ChatRequest, losses: &mut Vec<Loss>) -> Vec<(&'a str, Cow<'a, Raw>)> {
    /// Said elsewhere in the request.
    const SAID: [&str; 8] =
        ["include", "reasoning", "store", "text", "tool_choice", "tools", "verbosity", "web_search_options"];
    const UNSAYABLE: [&str; 6] =
        ["audio", "logit_bias", "modalities", "prediction", "response_format", "top_k"];
    let mut extras = Vec::new();
    let said = match request.format {
        Format::Gemini => gemini::in_openai_words(request, losses),
        _ => request.extras.iter().collect(),
    };
    for (name, raw) in said.into_iter().filter(|(_, raw)| raw.text() != "null") {
        let why = match (request.format, name.as_str(), raw.text()) {
            (Format::OpenAiResponses, name, _) if SAID.contains(&name) => continue,
            (Format::AnthropicMessages, "tools" | "output_config", _) => continue,
            (Format::AnthropicMessages, name, _) if anthropic_messages::has_no_effect(name) => continue,
            (Format::AnthropicMessages, "service_tier", text) => {
                let tier = if text == "\"auto\"" { "auto" } else { "default" };
                extras.extend(Raw::of(tier).ok().map(|raw| ("service_tier", Cow::Owned(raw))));
                continue;
            }
            (Format::AnthropicMessages, ..) => "only Anthropic's models know it",
            (Format::Gemini, "tools" | "web_search_options", _) => continue,
            (Format::Gemini, ..) => "the Responses API has no words for it",
            (Format::OpenAiChat, "modalities", text) if !text.contains("audio") => continue,
            (Format::OpenAiChat, name, _) if UNSAYABLE.contains(&name) => {
                "the Responses API has no words for it"
            }
            (Format::OpenAiChat, "reasoning_effort", _) => continue,
            (Format::OpenAiChat, "tool_choice", _) => "the Responses API chooses in other words",
            (Format::OpenAiChat, name, _) if SAID.contains(&name) => continue,
            _ => {
                extras.push((name.as_str(), Cow::Borrowed(raw)));
                continue;
            }
        };
        losses.push(Loss { field: name.clone(), why });
    }
    extras
}

struct Body<'a> {
    request: &'a ChatRequest,
    model: &'a str,
    script: Script<'a>,
    toolbox: Toolbox<'a>,
    extras: Vec<(&'a str, Cow<'a, Raw>)>,
    stored: bool,
}

impl Serialize for Body<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { request, toolbox, .. } = self;
        let sampling = &request.sampling;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("model", self.model)?;
        some(&mut map, "instructions", self.script.instructions.as_ref())?;
        if !toolbox.tools.is_empty() {
            map.serialize_entry("tools", &toolbox.tools)?;
            some(&mut map, "tool_choice", toolbox.choice.as_ref())?;
            some(&mut map, "parallel_tool_calls", request.parallel_tool_calls)?;
        }
        map.serialize_entry("input", &self.script.items)?;
        some(&mut map, "max_output_tokens", sampling.max_tokens.map(|bound| bound.max(LEAST_TOKENS)))?;
        some(&mut map, "temperature", sampling.temperature)?;
        some(&mut map, "top_p", sampling.top_p)?;
        some(&mut map, "top_logprobs", sampling.top_logprobs)?;
        some(&mut map, "reasoning", self.reasoning())?;
        some(&mut map, "text", Text::of(request))?;
        map.serialize_entry("store", &self.stored)?;
        let include = self.include();
        some(&mut map, "include", (!include.is_empty()).then_some(include))?;
        some(&mut map, "stream", request.stream.then_some(true))?;
        some(&mut map, "user", request.user.as_deref())?;
        for (name, raw) in &self.extras {
            map.serialize_entry(name, &**raw)?;
        }
        map.end()
    }
}

fn some<M: SerializeMap, T: Serialize>(map: &mut M, name: &str, value: Option<T>) -> Result<(), M::Error> {
    value.map_or(Ok(()), |value| map.serialize_entry(name, &value))
}

impl Body<'_> {
    /// How much to think, with whatever else the caller said about reasoning in OpenAI's words.
    fn reasoning(&self) -> Option<serde_json::Map<String, serde_json::Value>> {
        let request = self.request;
        let said = extra(request, "reasoning").or_else(|| extra(request, "reasoning_effort"));
        let mut reasoning: serde_json::Map<_, _> =
            said.and_then(|raw| serde_json::from_str(raw.text()).ok()).unwrap_or_default();
        let off = request.thinking.as_ref().is_some_and(|thinking| thinking.mode == ThinkingMode::Off);
        // Not to think is no word that every model knows, and those that do not think know none at all.
        let effort = if off { request.reasoning_effort.as_deref() } else { request.effort() };
        if let Some(effort) = effort {
            reasoning.insert("effort".to_owned(), effort.into());
        }
        (!reasoning.is_empty()).then_some(reasoning)
    }

    fn include(&self) -> Vec<String> {
        let said = extra(self.request, "include").filter(|_| self.request.format == Format::OpenAiResponses);
        let mut include: Vec<String> =
            said.and_then(|raw| serde_json::from_str(raw.text()).ok()).unwrap_or_default();
        let mut want = |wanted: bool, what: &str| {
            if wanted && !include.iter().any(|said| said == what) {
                include.push(what.to_owned());
            }
        };
        let sampling = &self.request.sampling;
        want(sampling.logprobs == Some(true), LOGPROBS);
        // Models that do not reason refuse to be asked for it.
        want(
            !self.stored && (reasons(self.model) || self.request.effort().is_some_and(|it| it != "none")),
            ENCRYPTED,
        );
        include
    }
}

/// Whether OpenAI's model of this name reasons.
fn reasons(model: &str) -> bool {
    let o_series = ["o1", "o3", "o4"].iter().any(|family| {
        model.strip_prefix(family).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
    });
    let five = model.starts_with("gpt-5") && !model.contains("-chat");
    o_series || five || model.starts_with("codex-")
}

/// The shape of the answer's text, and how long it likes to be.
#[derive(Serialize)]
struct Text<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    format: Option<TextFormat<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    verbosity: Option<&'a Raw>,
    #[serde(flatten)]
    kept: serde_json::Map<String, serde_json::Value>,
}

#[derive(Serialize)]
struct TextFormat<'a> {
    r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    schema: Option<&'a Raw>,
    #[serde(skip_serializing_if = "Option::is_none")]
    strict: Option<bool>,
}

impl<'a> Text<'a> {
    fn of(request: &'a ChatRequest) -> Option<Self> {
        let format = match &request.shape {
            Shape::Text => None,
            Shape::Json => Some(TextFormat { r#type: "json_object", name: None, schema: None, strict: None }),
            Shape::Schema { name, schema, strict } => Some(TextFormat {
                r#type: "json_schema",
                // OpenAI requires a name; other formats have none.
                name: Some(name.as_deref().unwrap_or("response")),
                schema: Some(schema),
                strict: *strict,
            }),
        };
        let mut kept: serde_json::Map<String, serde_json::Value> = extra(request, "text")
            .filter(|_| request.format == Format::OpenAiResponses)
            .and_then(|raw| serde_json::from_str(raw.text()).ok())
            .unwrap_or_default();
        if format.is_some() {
            kept.remove("format");
        }
        kept.remove("verbosity");
        let verbosity = extra(request, "verbosity");
        let said = format.is_some() || verbosity.is_some() || !kept.is_empty();
        said.then_some(Self { format, verbosity, kept })
    }
}
