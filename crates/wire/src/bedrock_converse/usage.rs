//! Converse's `usage`, read. Its `inputTokens` leaves out what the cache gave and took; ours never does, see
//! [`Usage`].

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::openai_chat::{object, text};
use crate::reply::{Tier, Usage};

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
struct Wire<'a> {
    input_tokens: Option<&'a RawValue>,
    output_tokens: Option<&'a RawValue>,
    cache_read_input_tokens: Option<&'a RawValue>,
    cache_write_input_tokens: Option<&'a RawValue>,
    cache_details: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
struct Written<'a> {
    ttl: Option<&'a RawValue>,
    input_tokens: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
struct ServiceTier<'a> {
    r#type: Option<&'a RawValue>,
}

/// The count in a reply's `usage` and `serviceTier`, or `None` when nothing was counted.
pub(super) fn read(usage: &RawValue, tier: Option<&RawValue>) -> Option<Usage> {
    let wire: Wire<'_> = object(usage)?;
    let count = |raw: Option<&RawValue>| raw.and_then(|raw| serde_json::from_str::<u64>(raw.get()).ok());
    let (input, output) = (count(wire.input_tokens), count(wire.output_tokens));
    input.or(output)?;
    let cache_read = count(wire.cache_read_input_tokens).unwrap_or_default();
    let written = count(wire.cache_write_input_tokens).unwrap_or_default();
    let details: Vec<&RawValue> =
        wire.cache_details.and_then(|raw| serde_json::from_str(raw.get()).ok()).unwrap_or_default();
    let hour = details
        .into_iter()
        .filter_map(object::<Written<'_>>)
        .filter(|part| part.ttl.is_some_and(|ttl| text(ttl) == "1h"))
        .fold(0_u64, |sum, part| sum.saturating_add(count(part.input_tokens).unwrap_or_default()));
    let tier: ServiceTier<'_> = tier.and_then(object).unwrap_or_default();
    Some(Usage {
        input: input.unwrap_or_default().saturating_add(cache_read).saturating_add(written.max(hour)),
        output: output.unwrap_or_default(),
        cache_read,
        cache_write: written.saturating_sub(hour),
        cache_write_1h: hour,
        tier: match tier.r#type.map(text).as_deref() {
            Some("priority") => Tier::Priority,
            Some("flex") => Tier::Flex,
            _ => Tier::Standard,
        },
        ..Usage::default()
    })
}
