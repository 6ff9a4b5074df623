//! What is picked out of an event of a Messages stream, forgiving about types: each value is kept raw and read by
//! whoever wants it, so one odd member never spoils the rest.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::chat::Citation;
use crate::format::Format;
use crate::openai_chat::{Fields, object, text};
use crate::raw::Raw;

/// An event of any kind.
#[derive(Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(super) struct Event<'a> {
    pub(super) r#type: Option<&'a RawValue>,
    pub(super) index: Option<u64>,
    pub(super) message: Option<&'a RawValue>,
    pub(super) content_block: Option<&'a RawValue>,
    pub(super) delta: Option<&'a RawValue>,
    pub(super) usage: Option<&'a RawValue>,
}

/// A block as it begins, or a delta of one, or the delta of the message.
#[derive(Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(super) struct WireBlock<'a> {
    pub(super) r#type: Option<&'a RawValue>,
    pub(super) text: Option<&'a RawValue>,
    pub(super) thinking: Option<&'a RawValue>,
    pub(super) signature: Option<&'a RawValue>,
    pub(super) data: Option<&'a RawValue>,
    pub(super) id: Option<&'a RawValue>,
    pub(super) name: Option<&'a RawValue>,
    pub(super) input: Option<&'a RawValue>,
    pub(super) citations: Option<&'a RawValue>,
    pub(super) partial_json: Option<&'a RawValue>,
    pub(super) citation: Option<&'a RawValue>,
    pub(super) stop_reason: Option<&'a RawValue>,
    pub(super) stop_sequence: Option<&'a RawValue>,
}

/// Whether `input`, as a block begins with it, holds anything: a streamed call begins with an empty object.
pub(super) fn is_said(input: &str) -> bool {
    input.starts_with('{') && input.bytes().any(|byte| byte == b'"')
}

/// A source of a text.
pub(super) fn citation(raw: &RawValue) -> Citation {
    #[derive(Default, Deserialize)]
    #[serde(default, bound(deserialize = "'de: 'a"))]
    struct Wire<'a> {
        url: Option<&'a RawValue>,
        title: Option<&'a RawValue>,
        document_title: Option<&'a RawValue>,
    }
    let wire: Wire<'_> = object(raw).unwrap_or_default();
    let said = |raw: Option<&RawValue>| raw.map(|raw| text(raw).into_owned()).filter(|text| !text.is_empty());
    Citation {
        url: said(wire.url),
        title: said(wire.title).or_else(|| said(wire.document_title)),
        from: Format::AnthropicMessages,
        raw: Raw::from(raw),
    }
}

/// `raw` with the input that was streamed for it, if that is JSON.
pub(super) fn with_input(raw: Raw, input: String) -> Raw {
    let Ok(input) = Raw::parse(input) else { return raw };
    let Ok(fields) = Fields::read(raw.value(), "content_block") else { return raw };
    let members = fields.0.iter().map(|(name, value)| {
        let value = if name == "input" { input.text() } else { value.get() };
        format!("{}:{value}", serde_json::Value::from(name.as_ref()))
    });
    let text = format!("{{{}}}", members.collect::<Vec<_>>().join(","));
    Raw::parse(text).unwrap_or(raw)
}
