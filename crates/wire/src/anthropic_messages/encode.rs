//! A [`ChatRequest`] written as a Messages request: its settings. The conversation is `turns`', tools and the
//! answer's shape are `tools`', thinking is `thinking`'s.
//!
//! The API wants `max_tokens` in every request. Where the caller gives none, it is the most that the named Claude
//! can answer with, and 4096 for a model that is not known; whoever knows better sets it in the request.

use bytes::Bytes;
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use std::borrow::Cow;

use super::block::WireBlock;
use super::claude::Claude;
use super::has_no_effect;
use super::reader::{Memory, MessagesReader};
use super::thinking::Plan;
use super::tools::Toolbox;
use super::turns::{self, Script};
use crate::chat::{ChatRequest, Shape};
use crate::codec::{Outbound, ReplyReader, Target, UpstreamCodec};
use crate::fault::{Loss, TranslateError};
use crate::format::Format;
use crate::gemini;
use crate::openai_chat::malformed;
use crate::openai_chat::renames::Renames;
use crate::openai_responses;
use crate::raw::Raw;

/// We speak the Messages API to a provider.
#[derive(Clone, Copy, Debug, Default)]
pub struct MessagesUpstream;

/// Anthropic takes names of tools up to this length.
const LONGEST_NAME: usize = 128;

/// Fields of OpenAI's API that keep books about a call and have no effect on its answer.
pub(crate) const BOOKKEEPING: [&str; 6] = [
    "metadata",
    "prompt_cache_key",
    "prompt_cache_retention",
    "safety_identifier",
    "store",
    "stream_options",
];

/// Fields of OpenAI's API that Anthropic's has no words for, or not in this form; nor has Converse, wherever Claude is.
pub(crate) const UNSAYABLE: [&str; 8] = [
    "audio",
    "logit_bias",
    "modalities",
    "prediction",
    "reasoning_effort",
    "response_format",
    "tool_choice",
    "verbosity",
];

pub(crate) const JSON_ONLY: &str = "Respond with a single JSON object and nothing else.";

impl UpstreamCodec for MessagesUpstream {
    fn format(&self) -> Format {
        Format::AnthropicMessages
    }

    fn encode(&self, request: &ChatRequest, target: &Target<'_>) -> Result<Outbound, TranslateError> {
        let head =
            Head { model: Some(target.model), stream: request.stream.then_some(true), ..Head::default() };
        let (outbound, memory) = write(request, target, Claude::of(target.model), head)?;
        Ok(outbound.read_by(Box::new(MessagesReader { memory })))
    }
}

/// What each host says in its own way.
#[derive(Default)]
pub(super) struct Head<'a> {
    pub(super) model: Option<&'a str>,
    pub(super) anthropic_version: Option<&'static str>,
    pub(super) anthropic_beta: Vec<String>,
    pub(super) stream: Option<bool>,
    /// Top-level fields that the host does not take.
    pub(super) refused: &'static [&'static str],
}

/// A request without the reader of its reply.
pub(super) struct Written {
    body: Bytes,
    losses: Vec<Loss>,
}

impl Written {
    pub(super) fn read_by(self, reader: Box<dyn ReplyReader>) -> Outbound {
        Outbound { body: self.body, reader, losses: self.losses }
    }
}

/// The request, for whichever host.
pub(super) fn write(
    request: &ChatRequest,
    target: &Target<'_>,
    claude: Claude,
    head: Head<'_>,
) -> Result<(Written, Memory), TranslateError> {
    let names = Renames::of(request.tool_names(), LONGEST_NAME);
    let ids = turns::call_ids(request);
    let mut script = turns::write(request, claude, &names, &ids)?;
    if request.shape == Shape::Json {
        script.system.push(WireBlock::text(JSON_ONLY).piece());
    }
    let mut losses = std::mem::take(&mut script.losses);
    let plan = Plan::of(request, claude, script.ends_in_bare_call(), &mut losses)?;
    let toolbox = Toolbox::of(request, claude, &names, plan.thinks(), &mut losses)?;
    let sampling = Sampled::of(request, claude, plan.thinks(), &mut losses);
    let mut extras = extras(request, plan.thinks() || !claude.takes_sampling(), &mut losses)?;
    for (name, raw) in extras.extract_if(.., |(name, _)| head.refused.contains(name)) {
        let usual = ["\"auto\"", "\"standard_only\""].contains(&raw.text());
        if !has_no_effect(name) && !usual {
            losses.push(Loss { field: name.to_owned(), why: "this host of Claude does not take it" });
        }
    }
    let answers = toolbox.answers;
    let held = answers && !toolbox.forced;
    let body = Body { request, head, script, plan, toolbox, sampling, extras };
    let body = serde_json::to_vec(&body).map_err(|error| malformed("body", &error.to_string()))?;
    let memory = Memory { names, call_id: target.call_id.to_owned(), answers, held };
    Ok((Written { body: Bytes::from(body), losses }, memory))
}

/// The sampling that the model takes.
struct Sampled {
    temperature: Option<f64>,
    top_p: Option<f64>,
}

impl Sampled {
    fn of(request: &ChatRequest, claude: Claude, thinks: bool, losses: &mut Vec<Loss>) -> Self {
        let sampling = &request.sampling;
        let fixed = thinks || !claude.takes_sampling();
        let mut lose = |lost: bool, field: &str, why| {
            if lost {
                losses.push(Loss { field: field.to_owned(), why });
            }
            lost
        };
        let why = "this model's sampling is fixed, or fixed while it thinks";
        // While a model thinks it takes the upper end of top_p, says the documentation of extended thinking.
        let refused = |top_p: f64| (thinks && top_p < 0.95) || (!claude.takes_sampling() && top_p < 1.0);
        let no_temperature =
            lose(fixed && sampling.temperature.is_some_and(|it| it != 1.0), "temperature", why);
        let no_top_p = lose(sampling.top_p.is_some_and(refused), "top_p", why);
        lose(sampling.choices.is_some_and(|n| n > 1), "n", "Anthropic gives one answer a request");
        lose(sampling.seed.is_some(), "seed", "Anthropic's draws cannot be repeated");
        lose(sampling.logprobs == Some(true), "logprobs", "Anthropic gives no log-probabilities");
        let why = "Anthropic gives no log-probabilities";
        lose(sampling.top_logprobs.is_some_and(|n| n > 0), "top_logprobs", why);
        let penalty = |value: Option<f64>| value.is_some_and(|value| value != 0.0);
        lose(penalty(sampling.presence_penalty), "presence_penalty", "Anthropic knows no penalties");
        lose(penalty(sampling.frequency_penalty), "frequency_penalty", "Anthropic knows no penalties");
        // OpenAI's scale goes to 2, Anthropic's ends at 1. Where it is fixed, 1 is what it is fixed at.
        let temperature = sampling.temperature.filter(|_| !fixed && !no_temperature).map(|it| it.min(1.0));
        let top_p = sampling.top_p.filter(|_| !no_top_p && claude.takes_sampling());
        let (temperature, top_p, lost) = claude.draws(temperature, top_p);
        lose(lost, "top_p", "this model takes temperature or top_p, not both");
        Self { temperature, top_p }
    }
}

/// The top-level fields that are not modelled, as far as Anthropic can be told them.
fn extras<'a>(
    request: &'a ChatRequest,
    fixed: bool,
    losses: &mut Vec<Loss>,
) -> Result<Vec<(&'a str, Cow<'a, Raw>)>, TranslateError> {
    let mut extras = Vec::new();
    let native = request.format == Format::AnthropicMessages;
    let responses = request.format == Format::OpenAiResponses;
    let said = match request.format {
        Format::Gemini => gemini::in_openai_words(request, losses),
        _ => request.extras.iter().collect(),
    };
    for (name, raw) in said.into_iter().filter(|(_, raw)| raw.text() != "null") {
        let why = match (name.as_str(), raw.text()) {
            // Said elsewhere in the request.
            ("tools" | "web_search_options" | "output_config", _) => continue,
            (name, _) if responses && openai_responses::has_no_effect(name) => continue,
            (name, _) if responses && openai_responses::is_only_ours(name) => {
                "only the Responses API knows it"
            }
            ("top_k", _) if fixed => "this model's sampling is fixed, or fixed while it thinks",
            ("service_tier", text) if !native => {
                let tier = match text {
                    "\"auto\"" => "auto",
                    "\"default\"" => "standard_only",
                    _ => {
                        losses.push(Loss { field: name.clone(), why: "Anthropic knows no such tier" });
                        continue;
                    }
                };
                let raw = Raw::of(tier).map_err(|error| malformed(name, &error.to_string()))?;
                extras.push((name.as_str(), Cow::Owned(raw)));
                continue;
            }
            (name, _) if !native && BOOKKEEPING.contains(&name) => continue,
            (name, _) if !native && UNSAYABLE.contains(&name) => "Anthropic has no words for it",
            _ => {
                extras.push((name.as_str(), Cow::Borrowed(raw)));
                continue;
            }
        };
        losses.push(Loss { field: name.clone(), why });
    }
    Ok(extras)
}

struct Body<'a> {
    request: &'a ChatRequest,
    head: Head<'a>,
    script: Script<'a>,
    plan: Plan,
    toolbox: Toolbox<'a>,
    sampling: Sampled,
    extras: Vec<(&'a str, Cow<'a, Raw>)>,
}

impl Serialize for Body<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { request, head, script, plan, toolbox, sampling, .. } = self;
        let mut map = serializer.serialize_map(None)?;
        some(&mut map, "anthropic_version", head.anthropic_version)?;
        some(&mut map, "anthropic_beta", (!head.anthropic_beta.is_empty()).then_some(&head.anthropic_beta))?;
        some(&mut map, "model", head.model)?;
        map.serialize_entry("max_tokens", &plan.max_tokens)?;
        some(&mut map, "tools", (!toolbox.tools.is_empty()).then_some(&toolbox.tools))?;
        some(&mut map, "system", (!script.system.is_empty()).then_some(&script.system))?;
        map.serialize_entry("messages", &script.messages)?;
        some(&mut map, "tool_choice", toolbox.choice.as_ref())?;
        some(&mut map, "thinking", plan.thinking.as_ref())?;
        some(&mut map, "output_config", self.output_config())?;
        some(&mut map, "temperature", sampling.temperature)?;
        some(&mut map, "top_p", sampling.top_p)?;
        // The API refuses a stop text of white space.
        let stop: Vec<&String> =
            request.sampling.stop.iter().filter(|text| !text.trim().is_empty()).collect();
        some(&mut map, "stop_sequences", (!stop.is_empty()).then_some(stop))?;
        some(&mut map, "stream", head.stream)?;
        let user_id = request.user.as_deref().filter(|user| !identifies_a_person(user));
        some(&mut map, "metadata", user_id.map(|user_id| Metadata { user_id }))?;
        for (name, raw) in &self.extras {
            map.serialize_entry(name, &**raw)?;
        }
        map.end()
    }
}

fn some<M: SerializeMap, T: Serialize>(map: &mut M, name: &str, value: Option<T>) -> Result<(), M::Error> {
    value.map_or(Ok(()), |value| map.serialize_entry(name, &value))
}

/// Anthropic forbids names that identify a person: an address, a telephone number.
fn identifies_a_person(user: &str) -> bool {
    let digits = user.bytes().filter(u8::is_ascii_digit).count();
    let phone = user.bytes().all(|byte| byte.is_ascii_digit() || b"+-(). ".contains(&byte));
    user.contains('@') || (phone && digits >= 7)
}

#[derive(Serialize)]
struct Metadata<'a> {
    user_id: &'a str,
}

impl Body<'_> {
    /// `output_config` with what the caller put there that is not modelled.
    fn output_config(&self) -> Option<OutputConfig<'_>> {
        let kept = self.request.extras.iter().find(|(name, _)| name == "output_config");
        let kept = kept.and_then(|(_, raw)| serde_json::from_str(raw.text()).ok()).unwrap_or_default();
        let config = OutputConfig { effort: self.plan.effort, format: self.toolbox.format.as_ref(), kept };
        let said = config.effort.is_some() || config.format.is_some() || !config.kept.is_empty();
        said.then_some(config)
    }
}

struct OutputConfig<'a> {
    effort: Option<&'static str>,
    format: Option<&'a Raw>,
    kept: serde_json::Map<String, serde_json::Value>,
}

#[derive(Serialize)]
struct OutputFormat<'a> {
    r#type: &'static str,
    schema: &'a Raw,
}

impl Serialize for OutputConfig<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        some(&mut map, "effort", self.effort)?;
        some(&mut map, "format", self.format.map(|schema| OutputFormat { r#type: "json_schema", schema }))?;
        for (name, value) in
            self.kept.iter().filter(|(name, _)| !matches!(name.as_str(), "effort" | "format"))
        {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}
