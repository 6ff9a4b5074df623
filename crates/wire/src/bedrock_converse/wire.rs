//! What is picked out of a Converse reply or of an event of its stream, forgiving about types: each value is kept
//! raw and read by whoever wants it, so one odd member never spoils the rest.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::chat::Citation;
use crate::format::Format;
use crate::openai_chat::{object, text};
use crate::raw::Raw;

/// The payload of an event of any type.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub(super) struct Event<'a> {
    pub(super) content_block_index: Option<u64>,
    pub(super) start: Option<&'a RawValue>,
    pub(super) delta: Option<&'a RawValue>,
    pub(super) stop_reason: Option<&'a RawValue>,
    pub(super) additional_model_response_fields: Option<&'a RawValue>,
    pub(super) usage: Option<&'a RawValue>,
    pub(super) service_tier: Option<&'a RawValue>,
    pub(super) trace: Option<&'a RawValue>,
}

/// A block, as it begins, as it grows, or whole.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub(super) struct WireBlock<'a> {
    pub(super) text: Option<&'a RawValue>,
    pub(super) tool_use: Option<&'a RawValue>,
    pub(super) reasoning_content: Option<&'a RawValue>,
    pub(super) citation: Option<&'a RawValue>,
    pub(super) citations_content: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub(super) struct WireCall<'a> {
    pub(super) r#type: Option<&'a RawValue>,
    pub(super) tool_use_id: Option<&'a RawValue>,
    pub(super) name: Option<&'a RawValue>,
    pub(super) input: Option<&'a RawValue>,
}

impl WireCall<'_> {
    /// Whether the host runs the tool itself: then the call is none of the caller's.
    pub(super) fn is_hosted(&self) -> bool {
        self.r#type.is_some_and(|kind| text(kind) == "server_tool_use")
    }
}

/// Reasoning: the two members of a delta, or the one of a whole block.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub(super) struct WireReasoning<'a> {
    pub(super) text: Option<&'a RawValue>,
    pub(super) signature: Option<&'a RawValue>,
    pub(super) redacted_content: Option<&'a RawValue>,
    pub(super) reasoning_text: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(super) struct WireCited<'a> {
    pub(super) content: Option<&'a RawValue>,
    pub(super) citations: Option<&'a RawValue>,
}

/// A source of a text.
pub(super) fn citation(raw: &RawValue) -> Citation {
    #[derive(Default, Deserialize)]
    #[serde(default, bound(deserialize = "'de: 'a"))]
    struct Wire<'a> {
        title: Option<&'a RawValue>,
        location: Option<&'a RawValue>,
    }
    #[derive(Default, Deserialize)]
    #[serde(default, bound(deserialize = "'de: 'a"))]
    struct Location<'a> {
        web: Option<&'a RawValue>,
    }
    #[derive(Default, Deserialize)]
    #[serde(default, bound(deserialize = "'de: 'a"))]
    struct Web<'a> {
        url: Option<&'a RawValue>,
    }
    let wire: Wire<'_> = object(raw).unwrap_or_default();
    let location: Location<'_> = wire.location.and_then(object).unwrap_or_default();
    let web: Web<'_> = location.web.and_then(object).unwrap_or_default();
    let said = |raw: Option<&RawValue>| raw.map(|raw| text(raw).into_owned()).filter(|text| !text.is_empty());
    Citation {
        url: said(web.url),
        title: said(wire.title),
        from: Format::BedrockConverse,
        raw: Raw::from(raw),
    }
}

/// The stop text that was met, where the caller asked the model's host for it.
pub(super) fn met(fields: &RawValue) -> Option<String> {
    #[derive(Default, Deserialize)]
    #[serde(default, bound(deserialize = "'de: 'a"))]
    struct Wire<'a> {
        stop_sequence: Option<&'a RawValue>,
    }
    let wire: Wire<'_> = object(fields)?;
    wire.stop_sequence.map(|raw| text(raw).into_owned()).filter(|text| !text.is_empty())
}
