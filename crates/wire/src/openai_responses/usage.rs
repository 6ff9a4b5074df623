//! The `usage` of a response, read and written. Searches are items of its output, not part of it.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::openai_chat::object;
use crate::reply::{Tier, Usage};

#[cfg(test)]
#[path = "usage_tests.rs"]
mod tests;

#[derive(Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
struct Wire<'a> {
    input_tokens: Option<&'a RawValue>,
    output_tokens: Option<&'a RawValue>,
    input_tokens_details: Option<&'a RawValue>,
    output_tokens_details: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
struct Details<'a> {
    cached_tokens: Option<&'a RawValue>,
    cache_write_tokens: Option<&'a RawValue>,
    reasoning_tokens: Option<&'a RawValue>,
    audio_tokens: Option<&'a RawValue>,
}

/// What a `usage` object says, or `None` when it counts no tokens at all. The tier is its sibling
/// `service_tier`'s: [`tier`].
#[must_use]
pub fn read(usage: &RawValue) -> Option<Usage> {
    let wire: Wire<'_> = object(usage)?;
    if wire.input_tokens.or(wire.output_tokens).is_none_or(|raw| raw.get() == "null") {
        return None;
    }
    let count = |raw: Option<&RawValue>| raw.and_then(|raw| serde_json::from_str(raw.get()).ok());
    let of = |raw| count(raw).unwrap_or_default();
    let given: Details<'_> = wire.input_tokens_details.and_then(object).unwrap_or_default();
    let made: Details<'_> = wire.output_tokens_details.and_then(object).unwrap_or_default();
    Some(Usage {
        input: of(wire.input_tokens),
        output: of(wire.output_tokens),
        cache_read: of(given.cached_tokens),
        cache_write: of(given.cache_write_tokens),
        reasoning: of(made.reasoning_tokens),
        audio_input: of(given.audio_tokens),
        audio_output: of(made.audio_tokens),
        ..Usage::default()
    })
}

/// The tier that a response's `service_tier` names.
#[must_use]
pub fn tier(word: Option<&str>) -> Tier {
    crate::openai_chat::usage::tier(word)
}

/// A response's `usage`. Both details are always there: the vendor's own clients insist.
#[derive(Serialize)]
pub(super) struct WrittenUsage {
    input_tokens: u64,
    input_tokens_details: InputDetails,
    output_tokens: u64,
    output_tokens_details: OutputDetails,
    total_tokens: u64,
}

#[derive(Serialize)]
struct InputDetails {
    cached_tokens: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    cache_write_tokens: Option<u64>,
}

#[derive(Serialize)]
struct OutputDetails {
    reasoning_tokens: u64,
}

impl From<&Usage> for WrittenUsage {
    fn from(usage: &Usage) -> Self {
        let written = usage.cache_write.saturating_add(usage.cache_write_1h);
        Self {
            input_tokens: usage.input,
            input_tokens_details: InputDetails {
                cached_tokens: usage.cache_read,
                cache_write_tokens: (written > 0).then_some(written),
            },
            output_tokens: usage.output,
            output_tokens_details: OutputDetails { reasoning_tokens: usage.reasoning },
            total_tokens: usage.input.saturating_add(usage.output),
        }
    }
}
