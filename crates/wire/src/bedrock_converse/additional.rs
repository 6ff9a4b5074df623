//! Top-level fields of the caller's that are not modelled: those that Converse has too, those that only the model
//! understands (they go to `additionalModelRequestFields`, where what the caller wrote wins), those that change
//! nothing, and those that nobody can say.

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use super::family::{Family, Kind};
use crate::anthropic_messages::betas::{self, Host};
use crate::anthropic_messages::{BOOKKEEPING, UNSAYABLE, has_no_effect};
use crate::chat::ChatRequest;
use crate::fault::{Loss, TranslateError};
use crate::format::Format;
use crate::gemini;
use crate::openai_chat::{Fields, malformed, text};
use crate::openai_responses;
use crate::raw::Raw;

/// Fields of Converse itself that callers write beside OpenAI's.
const OWN: [&str; 7] = [
    "additionalModelResponseFieldPaths",
    "guardrailConfig",
    "outputConfig",
    "performanceConfig",
    "promptVariables",
    "requestMetadata",
    "serviceTier",
];

/// Fields of Anthropic's API that Claude understands wherever it is served.
const CLAUDE: [&str; 2] = ["context_management", "output_config"];

/// `additionalModelRequestFields` under construction. A member that is set keeps its first value.
#[derive(Default)]
pub(super) struct Additional(Vec<(String, Raw)>);

impl Additional {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn set<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> Result<(), TranslateError> {
        if self.0.iter().any(|(known, _)| known == name) {
            return Ok(());
        }
        let raw = Raw::of(value).map_err(|error| malformed(name, &error.to_string()))?;
        self.0.push((name.to_owned(), raw));
        Ok(())
    }

    /// What the caller wrote into `additionalModelRequestFields`.
    pub(super) fn of(request: &ChatRequest) -> Result<Self, TranslateError> {
        let path = "additionalModelRequestFields";
        let Some((_, raw)) = request.extras.iter().find(|(name, _)| name == path) else {
            return Ok(Self::default());
        };
        Ok(Self(Fields::read(raw.value(), path)?.others(&[])))
    }
}

impl Serialize for Additional {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, raw) in &self.0 {
            map.serialize_entry(name, raw)?;
        }
        map.end()
    }
}

/// Sorts the fields of `request`: returns what goes to the top level. `fixed` says that the model's sampling is.
pub(super) fn write(
    request: &ChatRequest,
    family: Family,
    fixed: bool,
    more_betas: &[&str],
    additional: &mut Additional,
    losses: &mut Vec<Loss>,
) -> Result<Vec<(String, Raw)>, TranslateError> {
    let mut own: Vec<(String, Raw)> = Vec::new();
    let native = request.format == Format::AnthropicMessages;
    let responses = request.format == Format::OpenAiResponses;
    let said = match request.format {
        Format::Gemini => gemini::in_openai_words(request, losses),
        _ => request.extras.iter().collect(),
    };
    for (name, raw) in said.into_iter().filter(|(_, raw)| raw.text() != "null") {
        let mut lose = |why| losses.push(Loss { field: name.clone(), why });
        match name.as_str() {
            // Said elsewhere in the request.
            "additionalModelRequestFields" | "tools" | "web_search_options" | "anthropic_beta" | "betas" => {}
            name if OWN.contains(&name) => own.push((name.to_owned(), raw.clone())),
            // Said in Converse's own words.
            "service_tier" if request.extras.iter().any(|(name, _)| name == "serviceTier") => {}
            "service_tier" => match tier(&text(raw.value())) {
                Some(tier) => own.push(("serviceTier".to_owned(), tier_raw(tier)?)),
                None => lose("Bedrock knows no such tier"),
            },
            "top_k" if fixed => lose("this model's sampling is fixed, or fixed while it thinks"),
            "top_k" if matches!(family.kind(), Kind::Nova | Kind::Nova2) => {
                additional.set("inferenceConfig", &TopK { top_k: raw })?;
            }
            "top_k" => additional.set("top_k", raw)?,
            name if native && family.is_claude() && CLAUDE.contains(&name) => {
                set_claude(name, raw, additional)?
            }
            name if native && has_no_effect(name) => {}
            _ if native && !family.is_claude() => lose("only Claude understands it"),
            name if responses && openai_responses::has_no_effect(name) => {}
            name if responses && openai_responses::is_only_ours(name) => {
                lose("only the Responses API knows it, or this kind of it");
            }
            name if !native && BOOKKEEPING.contains(&name) => {}
            name if !native && UNSAYABLE.contains(&name) => lose("Converse has no words for it"),
            name => additional.set(name, raw)?,
        }
    }
    if family.is_claude() {
        let mut flags = betas::of(request, Host::Converse);
        let more = more_betas.iter().map(|flag| (*flag).to_owned()).filter(|flag| !flags.contains(flag));
        let more: Vec<String> = more.collect();
        flags.extend(more);
        if !flags.is_empty() {
            additional.set("anthropic_beta", &flags)?;
        }
    }
    Ok(own)
}

/// `output_config` has been written by now if there is an effort; whatever else is in it joins that.
fn set_claude(name: &str, raw: &Raw, additional: &mut Additional) -> Result<(), TranslateError> {
    if name != "output_config" {
        return additional.set(name, raw);
    }
    let mut kept: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(raw.text()).map_err(|error| malformed(name, &error.to_string()))?;
    kept.shift_remove("effort");
    kept.shift_remove("format");
    if let Some(at) = additional.0.iter().position(|(known, _)| known == name) {
        let written: serde_json::Map<String, serde_json::Value> =
            serde_json::from_str(additional.0[at].1.text()).unwrap_or_default();
        kept.extend(written);
        additional.0.remove(at);
    }
    additional.set(name, &kept)
}

/// The tier that OpenAI's or Anthropic's `word` means.
fn tier(word: &str) -> Option<&'static str> {
    Some(match word {
        "auto" | "default" | "standard_only" => "default",
        "priority" => "priority",
        "flex" => "flex",
        "reserved" => "reserved",
        _ => return None,
    })
}

fn tier_raw(tier: &'static str) -> Result<Raw, TranslateError> {
    #[derive(Serialize)]
    struct ServiceTier {
        r#type: &'static str,
    }
    Raw::of(&ServiceTier { r#type: tier }).map_err(|error| malformed("service_tier", &error.to_string()))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TopK<'a> {
    top_k: &'a Raw,
}
