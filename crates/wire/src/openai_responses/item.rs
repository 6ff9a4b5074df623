//! Items and their parts as the Responses API writes them, in requests and replies alike.

use std::borrow::Cow;

use serde::{Serialize, Serializer};

use crate::chat::Citation;
use crate::format::Format;
use crate::openai_chat::{object, text};
use crate::raw::Raw;

/// An item of ours, or one that is passed on as it came.
pub(super) enum OneItem<'a> {
    Item(Box<Item<'a>>),
    Verbatim(&'a Raw),
}

/// Any kind of item: members that a kind does not have are left out.
#[derive(Default, Serialize)]
pub(super) struct Item<'a> {
    pub(super) r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) status: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) role: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) phase: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) content: Option<Vec<OnePart<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) call_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) namespace: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) arguments: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) input: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) output: Option<Output<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) summary: Option<Vec<Part<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) encrypted_content: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) result: Option<&'a str>,
}

/// What a tool gave: a string where that says all.
pub(super) enum Output<'a> {
    Text(Cow<'a, str>),
    Parts(Vec<OnePart<'a>>),
}

/// A part of ours, or one that is passed on as it came.
pub(super) enum OnePart<'a> {
    Part(Box<Part<'a>>),
    Verbatim(Cow<'a, Raw>),
}

/// Any kind of part.
#[derive(Default, Serialize)]
pub(super) struct Part<'a> {
    pub(super) r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) text: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) annotations: Option<&'a [Raw]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) logprobs: Option<&'a [Raw]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) refusal: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) image_url: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) file_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) file_url: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) filename: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) file_data: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) detail: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) input_audio: Option<Audio<'a>>,
}

#[derive(Serialize)]
pub(super) struct Audio<'a> {
    pub(super) data: &'a str,
    pub(super) format: &'a str,
}

impl<'a> Part<'a> {
    pub(super) fn text(r#type: &'static str, text: impl Into<Cow<'a, str>>) -> Self {
        Self { r#type, text: Some(text.into()), ..Self::default() }
    }

    pub(super) fn one(self) -> OnePart<'a> {
        OnePart::Part(Box::new(self))
    }
}

impl<'a> Item<'a> {
    pub(super) fn one(self) -> OneItem<'a> {
        OneItem::Item(Box::new(self))
    }
}

impl Serialize for OneItem<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            OneItem::Item(item) => item.serialize(serializer),
            OneItem::Verbatim(raw) => raw.serialize(serializer),
        }
    }
}

impl Serialize for OnePart<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            OnePart::Part(part) => part.serialize(serializer),
            OnePart::Verbatim(raw) => raw.serialize(serializer),
        }
    }
}

impl Serialize for Output<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Output::Text(text) => serializer.serialize_str(text),
            Output::Parts(parts) => parts.serialize(serializer),
        }
    }
}

/// A source as this API writes it. `length` is that of the text it supports, in characters. A source that is no
/// page of the web is only said in its own format.
pub(super) fn annotation(citation: &Citation, length: usize) -> Option<Raw> {
    #[derive(Serialize)]
    struct Page<'a> {
        r#type: &'static str,
        start_index: u64,
        end_index: u64,
        url: &'a str,
        title: &'a str,
    }
    #[derive(Default, serde::Deserialize)]
    #[serde(default, bound(deserialize = "'de: 'b"))]
    struct Nested<'b> {
        url_citation: Option<&'b serde_json::value::RawValue>,
    }
    #[derive(Default, serde::Deserialize)]
    #[serde(default)]
    struct Span {
        start_index: Option<u64>,
        end_index: Option<u64>,
    }
    if citation.from == Format::OpenAiResponses {
        return Some(citation.raw.clone());
    }
    let span: Span = match citation.from {
        Format::OpenAiChat => object::<Nested<'_>>(citation.raw.value())
            .and_then(|nested| object(nested.url_citation?))
            .unwrap_or_default(),
        _ => Span::default(),
    };
    Raw::of(&Page {
        r#type: "url_citation",
        start_index: span.start_index.unwrap_or_default(),
        end_index: span.end_index.unwrap_or(length as u64),
        url: citation.url.as_deref()?,
        title: citation.title.as_deref().unwrap_or_default(),
    })
    .ok()
}

/// A source as this API writes it, read.
pub(super) fn citation(raw: &serde_json::value::RawValue) -> Citation {
    #[derive(Default, serde::Deserialize)]
    #[serde(default, bound(deserialize = "'de: 'a"))]
    struct Wire<'a> {
        url: Option<&'a serde_json::value::RawValue>,
        title: Option<&'a serde_json::value::RawValue>,
        filename: Option<&'a serde_json::value::RawValue>,
    }
    let wire: Wire<'_> = object(raw).unwrap_or_default();
    let said = |raw: Option<&serde_json::value::RawValue>| {
        raw.map(|raw| text(raw).into_owned()).filter(|text| !text.is_empty())
    };
    Citation {
        url: said(wire.url),
        title: said(wire.title).or_else(|| said(wire.filename)),
        from: Format::OpenAiResponses,
        raw: Raw::from(raw),
    }
}
