//! Google's `usageMetadata`, read and written. Its `candidatesTokenCount` leaves out what was thought; our output never does.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::openai_chat::{object, text};
use crate::reply::{Tier, Usage};

#[cfg(test)]
#[path = "usage_tests.rs"]
mod tests;

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
struct Wire<'a> {
    prompt_token_count: Option<&'a RawValue>,
    tool_use_prompt_token_count: Option<&'a RawValue>,
    candidates_token_count: Option<&'a RawValue>,
    response_token_count: Option<&'a RawValue>,
    thoughts_token_count: Option<&'a RawValue>,
    cached_content_token_count: Option<&'a RawValue>,
    total_token_count: Option<&'a RawValue>,
    prompt_tokens_details: Option<&'a RawValue>,
    candidates_tokens_details: Option<&'a RawValue>,
    traffic_type: Option<&'a RawValue>,
    service_tier: Option<&'a RawValue>,
}

/// What a `usageMetadata` object says, or `None` when it counts nothing. `grounded` says that the reply was grounded
/// in a search: what the search put into the prompt is then paid for by the search, not by the token.
#[must_use]
pub fn read(usage: &RawValue, grounded: bool) -> Option<Usage> {
    let wire: Wire<'_> = object(usage)?;
    let prompt = count(wire.prompt_token_count);
    let answer = count(wire.candidates_token_count).or(count(wire.response_token_count));
    let total = count(wire.total_token_count);
    prompt.or(answer).or(total)?;
    let (prompt, answer) = (prompt.unwrap_or(0), answer.unwrap_or(0));
    let thoughts = count(wire.thoughts_token_count).unwrap_or(0);
    let tools = count(wire.tool_use_prompt_token_count).filter(|_| !grounded).unwrap_or(0);
    // Some hosts count thoughts among the candidates' tokens; then the total has no room for them.
    let inside = total == Some(prompt.saturating_add(answer));
    let input = prompt.saturating_add(tools);
    let output = if inside { answer } else { answer.saturating_add(thoughts) };
    Some(Usage {
        input,
        output,
        cache_read: count(wire.cached_content_token_count).unwrap_or(0).min(input),
        reasoning: thoughts.min(output),
        audio_input: audio(wire.prompt_tokens_details).min(input),
        audio_output: audio(wire.candidates_tokens_details).min(output),
        tier: tier(wire.traffic_type.or(wire.service_tier)),
        ..Usage::default()
    })
}

fn count(raw: Option<&RawValue>) -> Option<u64> {
    serde_json::from_str(raw?.get()).ok()
}

/// The tokens of sound in a list of counts by modality.
fn audio(details: Option<&RawValue>) -> u64 {
    #[derive(Default, Deserialize)]
    #[serde(default, rename_all = "camelCase")]
    struct Detail {
        modality: String,
        token_count: u64,
    }
    let details: Option<Vec<Detail>> = details.and_then(|raw| serde_json::from_str(raw.get()).ok());
    let audio = details.unwrap_or_default().into_iter().filter(|detail| detail.modality == "AUDIO");
    audio.fold(0, |sum, detail| sum.saturating_add(detail.token_count))
}

fn tier(raw: Option<&RawValue>) -> Tier {
    let word = raw.map(text).unwrap_or_default().to_ascii_uppercase();
    match word.as_str() {
        "ON_DEMAND_PRIORITY" | "PRIORITY" => Tier::Priority,
        "ON_DEMAND_FLEX" | "FLEX" | "BATCH" => Tier::Flex,
        _ => Tier::Standard,
    }
}

/// A reply's `usageMetadata`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WrittenUsage {
    prompt_token_count: u64,
    candidates_token_count: u64,
    total_token_count: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    thoughts_token_count: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cached_content_token_count: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    prompt_tokens_details: Option<[WrittenDetail; 2]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    candidates_tokens_details: Option<[WrittenDetail; 2]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    traffic_type: Option<&'static str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WrittenDetail {
    modality: &'static str,
    token_count: u64,
}

impl From<&Usage> for WrittenUsage {
    fn from(usage: &Usage) -> Self {
        let some = |count: u64| (count > 0).then_some(count);
        let answer = usage.output.saturating_sub(usage.reasoning);
        let split = |all: u64, audio: u64| {
            let detail = |modality, token_count| WrittenDetail { modality, token_count };
            some(audio).map(|audio| [detail("TEXT", all.saturating_sub(audio)), detail("AUDIO", audio)])
        };
        Self {
            prompt_token_count: usage.input,
            candidates_token_count: answer,
            total_token_count: usage.input.saturating_add(usage.output),
            thoughts_token_count: some(usage.reasoning),
            cached_content_token_count: some(usage.cache_read),
            prompt_tokens_details: split(usage.input, usage.audio_input),
            candidates_tokens_details: split(answer, usage.audio_output),
            traffic_type: match usage.tier {
                Tier::Standard => None,
                Tier::Flex => Some("ON_DEMAND_FLEX"),
                Tier::Priority => Some("ON_DEMAND_PRIORITY"),
            },
        }
    }
}
