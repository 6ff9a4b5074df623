//! What is picked out of a reply or an event, forgiving about types: each value is kept raw and read by whoever
//! wants it, so one odd member never spoils the rest.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::chat::Citation;
use crate::format::Format;
use crate::openai_chat::{list, object, text};
use crate::raw::Raw;
use crate::reply::Usage;

/// An event of any kind, or its delta, or a whole reply.
#[derive(Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(super) struct Reply<'a> {
    pub(super) r#type: Option<&'a RawValue>,
    pub(super) id: Option<&'a RawValue>,
    pub(super) index: Option<u64>,
    pub(super) delta: Option<&'a RawValue>,
    pub(super) message: Option<&'a RawValue>,
    pub(super) finish_reason: Option<&'a RawValue>,
    pub(super) error: Option<&'a RawValue>,
    pub(super) usage: Option<&'a RawValue>,
    pub(super) logprobs: Option<&'a RawValue>,
}

/// A message, whole or in part. Where a whole one has a list, a delta has one element.
#[derive(Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(super) struct Message<'a> {
    pub(super) content: Option<&'a RawValue>,
    pub(super) tool_plan: Option<&'a RawValue>,
    pub(super) tool_calls: Option<&'a RawValue>,
    pub(super) citations: Option<&'a RawValue>,
}

/// A piece of content.
#[derive(Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(super) struct Content<'a> {
    pub(super) text: Option<&'a RawValue>,
    pub(super) thinking: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(super) struct ToolCall<'a> {
    pub(super) id: Option<&'a RawValue>,
    pub(super) function: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(super) struct Function<'a> {
    pub(super) name: Option<&'a RawValue>,
    pub(super) arguments: Option<&'a RawValue>,
}

/// The elements of a list, or the one value that stands in its place.
pub(super) fn elements(raw: Option<&RawValue>) -> Vec<&RawValue> {
    match raw.filter(|raw| raw.get() != "null") {
        Some(raw) if raw.get().starts_with('[') => list(raw, "").unwrap_or_default(),
        other => other.into_iter().collect(),
    }
}

/// The string in `raw`, unless it is empty.
pub(super) fn said(raw: Option<&RawValue>) -> Option<String> {
    raw.map(|raw| text(raw).into_owned()).filter(|text| !text.is_empty())
}

/// What the `usage` object says. What is billed leaves out what Cohere adds to a prompt, so the tokens that were
/// counted go first.
pub(super) fn usage(raw: &RawValue) -> Option<Usage> {
    #[derive(Default, Deserialize)]
    #[serde(default, bound(deserialize = "'de: 'a"))]
    struct Wire<'a> {
        tokens: Option<&'a RawValue>,
        billed_units: Option<&'a RawValue>,
        cached_tokens: Option<f64>,
    }
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Counts {
        input_tokens: Option<f64>,
        output_tokens: Option<f64>,
    }
    let wire: Wire<'_> = object(raw)?;
    let tokens: Counts = wire.tokens.and_then(object).unwrap_or_default();
    let billed: Counts = wire.billed_units.and_then(object).unwrap_or_default();
    let (input, output) =
        (tokens.input_tokens.or(billed.input_tokens), tokens.output_tokens.or(billed.output_tokens));
    input.or(output)?;
    // Cohere writes counts as floating-point numbers; a cast saturates.
    let count = |number: Option<f64>| number.unwrap_or_default() as u64;
    let cache_read = count(wire.cached_tokens).min(count(input));
    Some(Usage { input: count(input), output: count(output), cache_read, ..Usage::default() })
}

/// A source of the answer's text; `None` for one of a plan or of reasoning.
pub(super) fn citation(raw: &RawValue) -> Option<Citation> {
    #[derive(Default, Deserialize)]
    #[serde(default, bound(deserialize = "'de: 'a"))]
    struct Wire<'a> {
        r#type: Option<&'a RawValue>,
        sources: Option<&'a RawValue>,
    }
    #[derive(Default, Deserialize)]
    #[serde(default, bound(deserialize = "'de: 'a"))]
    struct Place<'a> {
        document: Option<&'a RawValue>,
        tool_output: Option<&'a RawValue>,
        url: Option<&'a RawValue>,
        title: Option<&'a RawValue>,
    }
    let wire: Wire<'_> = object(raw)?;
    if wire.r#type.map(text).is_some_and(|kind| matches!(kind.as_ref(), "PLAN" | "THINKING_CONTENT")) {
        return None;
    }
    let mut citation = Citation { url: None, title: None, from: Format::CohereChat, raw: Raw::from(raw) };
    for source in elements(wire.sources) {
        let source: Place<'_> = object(source).unwrap_or_default();
        let place: Place<'_> = source.document.or(source.tool_output).and_then(object).unwrap_or_default();
        citation.url = citation.url.or_else(|| said(place.url));
        citation.title = citation.title.or_else(|| said(place.title));
    }
    Some(citation)
}
