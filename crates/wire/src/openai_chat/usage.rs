//! The `usage` object of OpenAI-compatible replies, as any of its imitators writes it, read into [`Usage`].
//! No JSON tree is built: this runs once a reply, for tapped streams as well.
//!
//! | oddity | reading |
//! | --- | --- |
//! | DeepSeek `prompt_cache_hit_tokens`, Moonshot `cached_tokens`, Claude hosts `cache_read_input_tokens` | `cache_read` |
//! | xAI leaves reasoning out of `completion_tokens` but not out of `total_tokens` | added to `output` |
//! | embeddings name only `prompt_tokens` or only `total_tokens` | `input` |
//! | cache tokens beyond `prompt_tokens` | the prompt was counted without them; added to `input` |
//! | OpenRouter `cost`, Perplexity `cost.total_cost`, xAI `cost_in_usd_ticks` (10^-10 USD) | `reported_cost_nano` |

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::chunk::object;
use crate::reply::{Tier, Usage};

#[cfg(test)]
#[path = "usage_tests.rs"]
mod tests;

/// What a `usage` object says, or `None` when it counts no tokens at all. The tier is a sibling of `usage`
/// and is left at its default, see [`tier`].
#[must_use]
pub fn read(usage: &RawValue) -> Option<Usage> {
    read_text(usage.get())
}

/// The same for JSON text that nobody has looked at yet.
pub(crate) fn read_text(usage: &str) -> Option<Usage> {
    let wire: Wire<'_> = usage.starts_with('{').then(|| serde_json::from_str(usage).ok()).flatten()?;
    if wire.prompt_tokens.0.is_none() && wire.completion_tokens.0.is_none() && wire.total_tokens.0.is_none() {
        return None;
    }
    let prompt: PromptDetails = nested(wire.prompt_tokens_details);
    let completion: CompletionDetails = nested(wire.completion_tokens_details);
    let reasoning = completion.reasoning_tokens.or_zero();
    let cache_read = first(&[
        prompt.cached_tokens,
        wire.prompt_cache_hit_tokens,
        wire.cached_tokens,
        wire.cache_read_input_tokens,
    ]);
    let cache_write =
        first(&[prompt.cache_creation_tokens, prompt.cache_write_tokens, wire.cache_creation_input_tokens]);
    let cached = cache_read.saturating_add(cache_write);
    let total = wire.total_tokens.or_zero();
    let named_output = wire.completion_tokens.or_zero();
    let mut input = wire.prompt_tokens.0.unwrap_or_else(|| total.saturating_sub(named_output));
    let mut output = named_output;
    if reasoning > 0 && total == input.saturating_add(output).saturating_add(reasoning) {
        output = output.saturating_add(reasoning);
    }
    if cached > input {
        input = input.saturating_add(cached);
    }
    Some(Usage {
        input,
        output,
        cache_read,
        cache_write,
        reasoning,
        audio_input: prompt.audio_tokens.or_zero(),
        audio_output: completion.audio_tokens.or_zero(),
        reported_cost_nano: cost_nano(&wire),
        ..Usage::default()
    })
}

/// The tier that the reply's `service_tier` names.
#[must_use]
pub fn tier(text: Option<&str>) -> Tier {
    match text {
        Some("flex") => Tier::Flex,
        Some("priority" | "fast") => Tier::Priority,
        Some(_) | None => Tier::Standard,
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Wire<'a> {
    prompt_tokens: Count,
    completion_tokens: Count,
    total_tokens: Count,
    #[serde(borrow)]
    prompt_tokens_details: Option<&'a RawValue>,
    #[serde(borrow)]
    completion_tokens_details: Option<&'a RawValue>,
    prompt_cache_hit_tokens: Count,
    cached_tokens: Count,
    cache_read_input_tokens: Count,
    cache_creation_input_tokens: Count,
    #[serde(borrow)]
    cost: Option<&'a RawValue>,
    cost_in_usd_ticks: Count,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct PromptDetails {
    cached_tokens: Count,
    audio_tokens: Count,
    cache_creation_tokens: Count,
    cache_write_tokens: Count,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct CompletionDetails {
    reasoning_tokens: Count,
    audio_tokens: Count,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct CostDetails {
    total_cost: Option<f64>,
}

/// A number of tokens; whatever is not one reads as absent.
#[derive(Clone, Copy, Default)]
struct Count(Option<u64>);

impl Count {
    fn or_zero(self) -> u64 {
        self.0.unwrap_or(0)
    }
}

fn first(counts: &[Count]) -> u64 {
    counts.iter().map(|count| count.or_zero()).find(|count| *count > 0).unwrap_or(0)
}

fn nested<'a, T: Default + Deserialize<'a>>(raw: Option<&'a RawValue>) -> T {
    raw.and_then(object).unwrap_or_default()
}

fn cost_nano(wire: &Wire<'_>) -> Option<u64> {
    if let Some(ticks) = wire.cost_in_usd_ticks.0 {
        return Some(ticks.saturating_add(5) / 10);
    }
    let text = wire.cost?.get();
    let usd = match serde_json::from_str::<f64>(text) {
        Ok(usd) => usd,
        Err(_) => serde_json::from_str::<CostDetails>(text).ok()?.total_cost?,
    };
    let nano = (usd * 1e9).round();
    // The bound is 2^64; a cost beyond it is nonsense, not money.
    (nano.is_finite() && (0.0..18_446_744_073_709_551_616.0).contains(&nano)).then_some(nano as u64)
}

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyCount).map(Self)
    }
}

struct AnyCount;

impl<'de> Visitor<'de> for AnyCount {
    type Value = Option<u64>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number of tokens")
    }

    fn visit_u64<E>(self, count: u64) -> Result<Option<u64>, E> {
        Ok(Some(count))
    }

    fn visit_i64<E>(self, count: i64) -> Result<Option<u64>, E> {
        Ok(u64::try_from(count).ok())
    }

    fn visit_f64<E>(self, count: f64) -> Result<Option<u64>, E> {
        // A float casts to an integer by saturation, so a huge count stays a huge count.
        Ok((count >= 0.0).then_some(count as u64))
    }

    fn visit_unit<E>(self) -> Result<Option<u64>, E> {
        Ok(None)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Option<u64>, E> {
        Ok(None)
    }

    fn visit_str<E>(self, text: &str) -> Result<Option<u64>, E> {
        Ok(text.trim().parse().ok())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Option<u64>, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(None)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Option<u64>, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(None)
    }
}
