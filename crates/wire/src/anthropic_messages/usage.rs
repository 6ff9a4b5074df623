//! Anthropic's `usage`, read and written. Its `input_tokens` leaves out what the cache gave and took; ours never
//! does, see [`Usage`].

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::openai_chat::{object, text};
use crate::reply::{Tier, Usage};

#[cfg(test)]
#[path = "usage_tests.rs"]
mod tests;

/// What has been counted so far. A stream counts twice: at its start, and at its end in cumulative numbers that
/// win where they are given.
#[derive(Clone, Debug, Default)]
pub struct Counted {
    input: Option<u64>,
    output: Option<u64>,
    cache_read: Option<u64>,
    cache_write: Option<u64>,
    cache_write_5m: Option<u64>,
    cache_write_1h: Option<u64>,
    reasoning: Option<u64>,
    tier: Option<Tier>,
}

#[derive(Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
struct Wire<'a> {
    input_tokens: Option<&'a RawValue>,
    output_tokens: Option<&'a RawValue>,
    cache_read_input_tokens: Option<&'a RawValue>,
    cache_creation_input_tokens: Option<&'a RawValue>,
    cache_creation: Option<&'a RawValue>,
    output_tokens_details: Option<&'a RawValue>,
    service_tier: Option<&'a RawValue>,
    speed: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
struct Creation<'a> {
    ephemeral_5m_input_tokens: Option<&'a RawValue>,
    ephemeral_1h_input_tokens: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
struct OutputDetails<'a> {
    thinking_tokens: Option<&'a RawValue>,
}

impl Counted {
    /// Takes over what the `usage` object says; what it does not say stays.
    pub fn merge(&mut self, usage: &RawValue) {
        let wire: Wire<'_> = object(usage).unwrap_or_default();
        let creation: Creation<'_> = wire.cache_creation.and_then(object).unwrap_or_default();
        let details: OutputDetails<'_> = wire.output_tokens_details.and_then(object).unwrap_or_default();
        for (count, said) in [
            (&mut self.input, wire.input_tokens),
            (&mut self.output, wire.output_tokens),
            (&mut self.cache_read, wire.cache_read_input_tokens),
            (&mut self.cache_write, wire.cache_creation_input_tokens),
            (&mut self.cache_write_5m, creation.ephemeral_5m_input_tokens),
            (&mut self.cache_write_1h, creation.ephemeral_1h_input_tokens),
            (&mut self.reasoning, details.thinking_tokens),
        ] {
            *count = said.and_then(|raw| serde_json::from_str(raw.get()).ok()).or(*count);
        }
        let fast = wire.speed.is_some_and(|raw| text(raw) == "fast");
        let tier = wire.service_tier.map(text).filter(|tier| !tier.is_empty());
        self.tier = match tier.as_deref() {
            _ if fast => Some(Tier::Priority),
            Some("priority") => Some(Tier::Priority),
            Some(_) => Some(Tier::Standard),
            None => self.tier,
        };
    }

    /// The sum, or `None` when nothing was counted.
    #[must_use]
    pub fn usage(&self) -> Option<Usage> {
        self.input.or(self.output)?;
        let of = Option::unwrap_or_default;
        let one_hour: u64 = of(self.cache_write_1h);
        let split = of(self.cache_write_5m).saturating_add(one_hour);
        // The total is the older member; hosts give one of the two or both.
        let written = of(self.cache_write).max(split);
        let cached = of(self.cache_read).saturating_add(written);
        Some(Usage {
            input: of(self.input).saturating_add(cached),
            output: of(self.output),
            cache_read: of(self.cache_read),
            cache_write: written.saturating_sub(one_hour),
            cache_write_1h: one_hour,
            reasoning: of(self.reasoning).min(of(self.output)),
            tier: self.tier.unwrap_or_default(),
            ..Usage::default()
        })
    }
}

/// A reply's `usage`.
#[derive(Serialize)]
pub(super) struct WrittenUsage {
    input_tokens: u64,
    cache_creation_input_tokens: u64,
    cache_read_input_tokens: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    cache_creation: Option<WrittenCreation>,
    output_tokens: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    output_tokens_details: Option<WrittenDetails>,
    #[serde(skip_serializing_if = "Option::is_none")]
    service_tier: Option<&'static str>,
}

#[derive(Serialize)]
struct WrittenCreation {
    ephemeral_5m_input_tokens: u64,
    ephemeral_1h_input_tokens: u64,
}

#[derive(Serialize)]
struct WrittenDetails {
    thinking_tokens: u64,
}

impl From<&Usage> for WrittenUsage {
    fn from(usage: &Usage) -> Self {
        let written = usage.cache_write.saturating_add(usage.cache_write_1h);
        let creation = WrittenCreation {
            ephemeral_5m_input_tokens: usage.cache_write,
            ephemeral_1h_input_tokens: usage.cache_write_1h,
        };
        Self {
            input_tokens: usage.input.saturating_sub(written).saturating_sub(usage.cache_read),
            cache_creation_input_tokens: written,
            cache_read_input_tokens: usage.cache_read,
            cache_creation: (written > 0).then_some(creation),
            output_tokens: usage.output,
            output_tokens_details: (usage.reasoning > 0)
                .then_some(WrittenDetails { thinking_tokens: usage.reasoning }),
            service_tier: (usage.tier == Tier::Priority).then_some("priority"),
        }
    }
}
