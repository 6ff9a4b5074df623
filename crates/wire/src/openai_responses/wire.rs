//! What is picked out of a response and the events of its stream, forgiving about types: each value is kept raw and
//! read by whoever wants it, so one odd member never spoils the rest.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::anthropic_messages::block_type;
use crate::openai_chat::{list, object, text};
use crate::raw::Raw;

/// An event of any kind.
#[derive(Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(super) struct Event<'a> {
    pub(super) r#type: Option<&'a RawValue>,
    pub(super) response: Option<&'a RawValue>,
    pub(super) output_index: Option<u64>,
    pub(super) content_index: Option<u64>,
    pub(super) summary_index: Option<u64>,
    pub(super) item: Option<&'a RawValue>,
    pub(super) part: Option<&'a RawValue>,
    pub(super) delta: Option<&'a RawValue>,
    pub(super) annotation: Option<&'a RawValue>,
    pub(super) logprobs: Option<&'a RawValue>,
}

/// A response, whole or as far as it has come.
#[derive(Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(super) struct Response<'a> {
    pub(super) id: Option<&'a RawValue>,
    pub(super) model: Option<&'a RawValue>,
    pub(super) status: Option<&'a RawValue>,
    pub(super) output: Option<&'a RawValue>,
    pub(super) usage: Option<&'a RawValue>,
    pub(super) service_tier: Option<&'a RawValue>,
    pub(super) error: Option<&'a RawValue>,
    pub(super) incomplete_details: Option<&'a RawValue>,
}

/// An item of the output.
#[derive(Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(super) struct Item<'a> {
    pub(super) r#type: Option<&'a RawValue>,
    pub(super) id: Option<&'a RawValue>,
    pub(super) call_id: Option<&'a RawValue>,
    pub(super) name: Option<&'a RawValue>,
    pub(super) arguments: Option<&'a RawValue>,
    pub(super) input: Option<&'a RawValue>,
    pub(super) content: Option<&'a RawValue>,
    pub(super) summary: Option<&'a RawValue>,
    pub(super) encrypted_content: Option<&'a RawValue>,
    pub(super) status: Option<&'a RawValue>,
    pub(super) action: Option<&'a RawValue>,
}

/// A part of a message or of reasoning.
#[derive(Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(super) struct Part<'a> {
    pub(super) r#type: Option<&'a RawValue>,
    pub(super) text: Option<&'a RawValue>,
    pub(super) refusal: Option<&'a RawValue>,
    pub(super) annotations: Option<&'a RawValue>,
    pub(super) logprobs: Option<&'a RawValue>,
}

/// The elements of a list, or none.
pub(super) fn rows(raw: Option<&RawValue>) -> Vec<&RawValue> {
    raw.and_then(|raw| list(raw, "").ok()).unwrap_or_default()
}

/// The text of `raw`, if it is one and not empty.
pub(super) fn said(raw: Option<&RawValue>) -> Option<String> {
    raw.map(|raw| text(raw).into_owned()).filter(|text| !text.is_empty())
}

/// The text of a reasoning item: its summary, or the reasoning itself where that is shown.
pub(super) fn reasoning_text(summary: Option<&RawValue>, content: Option<&RawValue>) -> String {
    let texts = |raw| {
        let parts = rows(raw).into_iter().filter_map(object::<Part<'_>>);
        parts.filter_map(|part| said(part.text)).collect::<Vec<String>>().join("\n\n")
    };
    let summary = texts(summary);
    if summary.is_empty() { texts(content) } else { summary }
}

/// Whether a call of the hosted search is one that is paid for: it searched, and did not only open a page.
pub(super) fn is_search(item: &Item<'_>) -> bool {
    #[derive(Default, Deserialize)]
    #[serde(default, bound(deserialize = "'de: 'a"))]
    struct Action<'a> {
        r#type: Option<&'a RawValue>,
    }
    let action = item.action.and_then(object::<Action<'_>>).and_then(|action| said(action.r#type));
    item.r#type.is_some_and(|raw| text(raw) == "web_search_call")
        && item.status.is_none_or(|raw| text(raw) != "failed")
        && action.is_none_or(|action| action == "search")
}

/// Whether `raw` is a part of a message, not an item.
pub(super) fn is_part(raw: &Raw) -> bool {
    is_part_type(&block_type(raw))
}

pub(super) fn is_part_type(kind: &str) -> bool {
    kind.starts_with("input_") || kind.starts_with("output_") || kind == "computer_screenshot"
}
