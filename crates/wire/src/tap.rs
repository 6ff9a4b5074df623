//! Same-format replies, metered while they pass: where the model's name stands, what was used, how the
//! stream stands. One borrowed parse of the outside of a reply or chunk; the content is never looked at.

#[cfg(test)]
#[path = "tap_tests.rs"]
mod tests;

use std::ops::Range;

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::openai_chat::{fault, usage};
use crate::fault::Fault;
use crate::reply::{Tier, Usage};

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
    /// How many choices end in this chunk; only counted by [`look_at_chunk`].
    pub finished: usize,
}

#[derive(Deserialize)]
struct Outside<'a> {
    #[serde(borrow, default, deserialize_with = "present")]
    model: Option<&'a RawValue>,
    #[serde(borrow, default)]
    usage: Option<&'a RawValue>,
    #[serde(borrow, default)]
    choices: Option<&'a RawValue>,
    #[serde(borrow, default)]
    error: Option<&'a RawValue>,
    #[serde(borrow, default)]
    service_tier: Option<&'a RawValue>,
    /// Groq reports usage of a stream here.
    #[serde(borrow, default)]
    x_groq: Option<&'a RawValue>,
}

/// Looks at `text`, the JSON of a reply.
///
/// # Errors
/// The parser's message when it is not a JSON object.
pub fn look(text: &str) -> Result<Seen, serde_json::Error> {
    serde_json::from_str(text).map(|outside| seen(text, &outside))
}

/// Looks at `text`, the JSON of a chunk, and also counts the choices that end in it.
///
/// # Errors
/// The parser's message when it is not a JSON object.
pub fn look_at_chunk(text: &str) -> Result<Seen, serde_json::Error> {
    let outside: Outside<'_> = serde_json::from_str(text)?;
    let finished = outside.choices.map_or(0, |choices| count_finished(choices.get().as_bytes()));
    Ok(Seen { finished, ..seen(text, &outside) })
}

fn seen(text: &str, outside: &Outside<'_>) -> Seen {
    let choices = outside.choices.map(|raw| raw.get().as_bytes());
    Seen {
        model: outside.model.filter(|raw| raw.get().starts_with('"')).map(|raw| place(text, raw.get())),
        usage: outside.usage.or_else(|| outside.x_groq.and_then(groq_usage)).and_then(usage::read).map(|used| {
            Usage { tier: outside.service_tier.map_or(Tier::Standard, |raw| usage::tier(raw_text(raw))), ..used }
        }),
        fault: outside.error.map(fault::of_frame),
        no_choices: choices.is_some_and(|raw| raw.iter().all(|byte| b"[] \n\r\t".contains(byte))),
        finished: 0,
    }
}

fn groq_usage(x_groq: &RawValue) -> Option<&RawValue> {
    #[derive(Deserialize)]
    struct XGroq<'a> {
        #[serde(borrow, default)]
        usage: Option<&'a RawValue>,
    }
    serde_json::from_str::<XGroq<'_>>(x_groq.get()).ok()?.usage
}

/// The inside of a JSON string that needs no unescaping.
fn raw_text(raw: &RawValue) -> Option<&str> {
    raw.get().strip_prefix('"')?.strip_suffix('"')
}

/// How often `finish_reason` has a value. Inside strings the quotes are escaped and do not match.
fn count_finished(choices: &[u8]) -> usize {
    const NAME: &[u8] = b"\"finish_reason\"";
    memchr::memmem::find_iter(choices, NAME)
        .filter(|at| {
            let value = choices[at + NAME.len()..].trim_ascii_start();
            value.strip_prefix(b":").is_some_and(|value| value.trim_ascii_start().starts_with(b"\""))
        })
        .count()
}

fn place(text: &str, part: &str) -> Range<usize> {
    let start = part.as_ptr() as usize - text.as_ptr() as usize;
    start..start + part.len()
}

/// Like `Option`, but an explicit `null` is a value with a place.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}
