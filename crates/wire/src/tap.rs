//! Same-format replies, metered while they pass: where the model's name stands, what was used, how the
//! stream stands. The outside of a reply or chunk is located, the content is never looked at.

#[cfg(test)]
#[path = "tap_tests.rs"]
mod tests;

use std::ops::Range;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::fault::Fault;
use crate::openai_chat::{fault, usage};
use crate::reply::{Tier, Usage};
use crate::scan;

/// What is seen of a whole OpenAI-format reply, or of one chunk of its stream.
#[derive(Debug, Default)]
pub struct Seen {
    /// Where the JSON text of `model` lies in the tapped text.
    pub model: Option<Range<usize>>,
    /// What was used, if said here.
    pub usage: Option<Usage>,
    /// A failure reported inside a success.
    pub fault: Option<Fault>,
    /// `choices` is there and empty: a chunk that only carries usage or filter results.
    pub no_choices: bool,
    choices: Option<Range<usize>>,
}

impl Seen {
    /// How many choices end in this chunk: how often `finish_reason` has a value. Inside strings the quotes
    /// are escaped and do not match. `text` is what was looked at.
    #[must_use]
    pub fn finished(&self, text: &str) -> usize {
        const NAME: &[u8] = b"\"finish_reason\"";
        let choices = self.choices.clone().and_then(|place| text.as_bytes().get(place)).unwrap_or_default();
        memchr::memmem::find_iter(choices, NAME)
            .filter(|at| {
                let value = choices[at + NAME.len()..].trim_ascii_start();
                value.strip_prefix(b":").is_some_and(|value| value.trim_ascii_start().starts_with(b"\""))
            })
            .count()
    }
}

/// Looks at `text`, the JSON of a reply or of a chunk.
///
/// # Errors
/// What is wrong with it, when it is not a JSON object.
pub fn look(text: &str) -> Result<Seen, &'static str> {
    let mut seen = Seen::default();
    let mut tier = Tier::Standard;
    scan::object(text, |name, place| {
        let value = &text[place.clone()];
        match name {
            "model" if value.starts_with('"') => seen.model = Some(place),
            "usage" => seen.usage = used(value).or(seen.usage),
            // Groq reports the usage of a stream here.
            "x_groq" if seen.usage.is_none() => seen.usage = groq(value),
            "error" if value != "null" => seen.fault = raw(value).map(fault::of_frame),
            "service_tier" => {
                tier = usage::tier(value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')))
            }
            "choices" => {
                seen.no_choices = value.bytes().all(|byte| b"[] \n\r\t".contains(&byte));
                seen.choices = Some(place);
            }
            _ => {}
        }
    })?;
    if let Some(usage) = &mut seen.usage {
        usage.tier = tier;
    }
    Ok(seen)
}

fn raw(json: &str) -> Option<&RawValue> {
    serde_json::from_str(json).ok()
}

fn used(json: &str) -> Option<Usage> {
    if json == "null" { None } else { usage::read_text(json) }
}

fn groq(json: &str) -> Option<Usage> {
    #[derive(Deserialize)]
    struct XGroq<'a> {
        #[serde(borrow, default)]
        usage: Option<&'a RawValue>,
    }
    usage::read(serde_json::from_str::<XGroq<'_>>(json).ok()?.usage?)
}
