//! Everything of a request but its conversation and its tools, written as `generationConfig` and the fields beside it.

use serde::Serialize;
use serde_json::value::RawValue;

use super::encode::GeminiUpstream;
use super::members::{self, Members};
use super::model::Gemini;
use super::{schema, thinking};
use crate::anthropic_messages::has_no_effect;
use crate::chat::{ChatRequest, Shape};
use crate::fault::{Loss, TranslateError};
use crate::format::Format;
use crate::openai_chat::{Fields, malformed, text, typed};
use crate::openai_responses;
use crate::raw::Raw;

/// Gemini takes so many stop texts.
const MOST_STOPS: usize = 5;

/// Fields of other formats that keep books about a call, or are said elsewhere in the request.
const NOT_SAID_HERE: [&str; 9] = [
    "generationConfig",
    "generation_config",
    "prompt_cache_key",
    "prompt_cache_retention",
    "safety_identifier",
    "store",
    "stream_options",
    "tools",
    "web_search_options",
];

/// Members of `generationConfig` that callers of other formats write among their own fields.
const CONFIG: [&str; 8] = [
    "audioTimestamp",
    "enableAffectiveDialog",
    "enableEnhancedCivicAnswers",
    "imageConfig",
    "mediaResolution",
    "responseModalities",
    "speechConfig",
    "thinkingConfig",
];

/// Fields of OpenAI's API that Google's has no words for, or not in this form.
const UNSAYABLE: [&str; 7] = [
    "logit_bias",
    "prediction",
    "reasoning_effort",
    "response_format",
    "thinking",
    "tool_choice",
    "verbosity",
];

/// What is written.
#[derive(Default)]
pub(super) struct Settings {
    pub(super) config: Members,
    /// Members of `toolConfig` that the caller wrote in Google's words.
    pub(super) tool_config: Members,
    /// Fields beside these.
    pub(super) beside: Members,
    losses: Vec<Loss>,
}

impl Settings {
    /// The settings of `request`; what they cannot say is added to `losses`.
    pub(super) fn of(
        request: &ChatRequest,
        model: Gemini,
        upstream: GeminiUpstream,
        resolution: Option<&'static str>,
        losses: &mut Vec<Loss>,
    ) -> Result<Self, TranslateError> {
        let mut settings = Self::default();
        settings.sampling(request, model, upstream)?;
        settings.shape(&request.shape, model)?;
        for (name, raw) in request.extras.iter().filter(|(_, raw)| raw.text() != "null") {
            settings.extra(name, raw, request.format, upstream)?;
        }
        let kept = request
            .extras
            .iter()
            .find(|(name, _)| matches!(name.as_str(), "generationConfig" | "generation_config"));
        if let Some((name, raw)) = kept {
            for (name, raw) in &members::read(raw.value(), name)?.0 {
                settings.config.set(name, raw)?;
            }
        }
        if !settings.config.has("thinkingConfig") {
            let config = thinking::plan(request, model, &mut settings.losses)?;
            settings.config.some("thinkingConfig", config)?;
        }
        settings.config.some("mediaResolution", resolution)?;
        losses.append(&mut settings.losses);
        Ok(settings)
    }

    fn lose(&mut self, lost: bool, field: &str, why: &'static str) {
        if lost {
            self.losses.push(Loss { field: field.to_owned(), why });
        }
    }

    fn sampling(
        &mut self,
        request: &ChatRequest,
        model: Gemini,
        upstream: GeminiUpstream,
    ) -> Result<(), TranslateError> {
        let sampling = &request.sampling;
        self.config.some("temperature", sampling.temperature)?;
        self.config.some("topP", sampling.top_p)?;
        self.config.some("maxOutputTokens", sampling.max_tokens)?;
        self.config.some("candidateCount", sampling.choices.filter(|count| *count != 1))?;
        let stop: Vec<&String> = sampling.stop.iter().filter(|text| !text.is_empty()).collect();
        self.lose(stop.len() > MOST_STOPS, "stop", "Gemini takes at most 5 stop texts");
        let stop = &stop[..stop.len().min(MOST_STOPS)];
        self.config.some("stopSequences", (!stop.is_empty()).then_some(stop))?;
        let seed = sampling.seed.map(i32::try_from).transpose();
        self.lose(seed.is_err(), "seed", "Gemini's seeds are 32-bit numbers");
        self.config.some("seed", seed.unwrap_or_default())?;
        let why = "this model knows no penalties";
        for (name, field, penalty) in [
            ("presencePenalty", "presence_penalty", sampling.presence_penalty),
            ("frequencyPenalty", "frequency_penalty", sampling.frequency_penalty),
        ] {
            self.lose(model.is_third() && penalty.is_some_and(|it| it != 0.0), field, why);
            self.config.some(name, penalty.filter(|_| !model.is_third()))?;
        }
        if upstream == GeminiUpstream::Vertex {
            self.config.some("responseLogprobs", sampling.logprobs)?;
            self.config.some("logprobs", sampling.top_logprobs)?;
        } else {
            let why = "only Vertex AI gives log-probabilities";
            self.lose(sampling.logprobs == Some(true), "logprobs", why);
            self.lose(sampling.top_logprobs.is_some_and(|count| count > 0), "top_logprobs", why);
        }
        Ok(())
    }

    fn shape(&mut self, shape: &Shape, model: Gemini) -> Result<(), TranslateError> {
        let path = "response_format.json_schema.schema";
        match shape {
            Shape::Text => return Ok(()),
            Shape::Json => {}
            Shape::Schema { schema, .. } if model.takes_json_schema() => {
                self.config.set("responseJsonSchema", schema)?;
            }
            Shape::Schema { schema, .. } => {
                self.config.set("responseSchema", &schema::cleaned(schema, path)?)?
            }
        }
        self.config.set("responseMimeType", "application/json")
    }

    fn extra(
        &mut self,
        name: &str,
        raw: &Raw,
        format: Format,
        upstream: GeminiUpstream,
    ) -> Result<(), TranslateError> {
        match name {
            "top_k" => self.config.set("topK", raw),
            "modalities" => self.modalities(raw.value()),
            "audio" if format == Format::OpenAiChat => self.speech(raw.value()),
            "service_tier" if matches!(format, Format::OpenAiChat | Format::OpenAiResponses) => {
                self.tier(raw.value())
            }
            "safety_settings" | "safetySettings" => self.beside.set("safetySettings", raw),
            "cached_content" | "cachedContent" => self.beside.set("cachedContent", raw),
            // Bookkeeping that only Vertex AI takes.
            "labels" if upstream == GeminiUpstream::Vertex => self.beside.set("labels", raw),
            "metadata" if upstream == GeminiUpstream::Vertex && format != Format::Gemini => self.labels(raw),
            "labels" | "metadata" => Ok(()),
            _ if NOT_SAID_HERE.contains(&name) => Ok(()),
            "toolConfig" if format == Format::Gemini => {
                let members = members::read(raw.value(), name)?;
                members.0.iter().try_for_each(|(name, raw)| self.tool_config.set(name, raw))
            }
            _ if format == Format::Gemini => self.beside.set(name, raw),
            _ if format == Format::OpenAiResponses && openai_responses::has_no_effect(name) => Ok(()),
            _ if format == Format::OpenAiResponses && openai_responses::is_only_ours(name) => {
                self.lose(true, name, "only the Responses API knows it");
                Ok(())
            }
            _ if format == Format::AnthropicMessages => {
                self.lose(!has_no_effect(name), name, "only Anthropic's models know it");
                Ok(())
            }
            _ if UNSAYABLE.contains(&name) => {
                self.lose(true, name, "Gemini has no words for it");
                Ok(())
            }
            _ => match members::camel_name(name) {
                name if CONFIG.contains(&name.as_str()) => self.config.set(&name, raw),
                _ => self.beside.set(name, raw),
            },
        }
    }

    fn modalities(&mut self, raw: &RawValue) -> Result<(), TranslateError> {
        let words: Option<Vec<String>> = typed(raw, "modalities", "a list of strings")?;
        let words = words.map(|words| words.iter().map(|word| word.to_ascii_uppercase()).collect::<Vec<_>>());
        self.config.some("responseModalities", words)
    }

    fn speech(&mut self, raw: &RawValue) -> Result<(), TranslateError> {
        let audio = Fields::read(raw, "audio")?;
        let format: Option<String> = audio.typed("format", "audio", "a string")?;
        self.lose(format.is_some_and(|format| format != "pcm16"), "audio.format", "Gemini's speech is pcm16");
        let voice: Option<String> = audio.typed("voice", "audio", "a string")?;
        self.config.some("speechConfig", voice.as_deref().map(SpeechConfig::of))
    }

    fn tier(&mut self, raw: &RawValue) -> Result<(), TranslateError> {
        let tier = match text(raw).as_ref() {
            "auto" | "priority" => "priority",
            "default" => "standard",
            "flex" => "flex",
            _ => {
                self.lose(true, "service_tier", "Gemini knows no such tier");
                return Ok(());
            }
        };
        self.beside.set("serviceTier", tier)
    }

    /// What the caller noted about the call, in the letters that Vertex AI takes for labels.
    fn labels(&mut self, metadata: &Raw) -> Result<(), TranslateError> {
        let noted = Fields::read(metadata.value(), "metadata")?;
        let Some(noted) = noted.get("requester_metadata") else { return Ok(()) };
        let mut labels = Members::default();
        for (name, raw) in &Fields::read(noted, "metadata.requester_metadata")?.0 {
            let value = text(raw);
            if !value.is_empty() {
                labels.set(&name.to_lowercase(), &value.to_lowercase())?;
            }
        }
        self.beside.some("labels", (!labels.is_empty()).then_some(labels))
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SpeechConfig<'a> {
    voice_config: VoiceConfig<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct VoiceConfig<'a> {
    prebuilt_voice_config: PrebuiltVoice<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PrebuiltVoice<'a> {
    voice_name: &'a str,
}

impl<'a> SpeechConfig<'a> {
    fn of(voice_name: &'a str) -> Self {
        Self { voice_config: VoiceConfig { prebuilt_voice_config: PrebuiltVoice { voice_name } } }
    }
}

/// A field of a body that cannot be written as JSON; none of ours is one.
pub(super) fn unwritable(error: &serde_json::Error) -> TranslateError {
    malformed("body", &error.to_string())
}
