//! A content block as Anthropic writes it, in requests and replies alike.

use std::borrow::Cow;

use serde::{Serialize, Serializer};

use crate::raw::Raw;

/// A block of ours, or one that is passed on as it came.
pub(super) enum Piece<'a> {
    Block(Box<WireBlock<'a>>),
    Verbatim(&'a Raw),
}

/// Any kind of block: members that a kind does not have are left out.
#[derive(Default, Serialize)]
pub(super) struct WireBlock<'a> {
    pub(super) r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) text: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) thinking: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) signature: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) data: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) input: Option<Raw>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tool_use_id: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) content: Option<Content<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) is_error: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) source: Option<WireSource<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) title: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) context: Option<&'a Raw>,
    /// Of a document: whether to cite it.
    #[serde(rename = "citations", skip_serializing_if = "Option::is_none")]
    pub(super) citing: Option<&'a Raw>,
    /// Of a text: its sources.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) citations: Vec<Cow<'a, Raw>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cache_control: Option<&'a Raw>,
}

/// The content of a tool's result.
pub(super) enum Content<'a> {
    Text(&'a str),
    Pieces(Vec<Piece<'a>>),
}

/// Where the bytes of a picture or document are.
#[derive(Default, Serialize)]
pub(super) struct WireSource<'a> {
    pub(super) r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) media_type: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) data: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) url: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) file_id: Option<&'a str>,
}

impl<'a> WireBlock<'a> {
    pub(super) fn text(text: impl Into<Cow<'a, str>>) -> Self {
        Self { r#type: "text", text: Some(text.into()), ..Self::default() }
    }

    pub(super) fn thinking(thinking: &'a str, signature: &'a str) -> Self {
        Self { r#type: "thinking", thinking: Some(thinking), signature: Some(signature), ..Self::default() }
    }

    pub(super) fn redacted(data: &'a str) -> Self {
        Self { r#type: "redacted_thinking", data: Some(data), ..Self::default() }
    }

    pub(super) fn tool_use(id: impl Into<Cow<'a, str>>, name: &'a str, input: Option<Raw>) -> Self {
        Self { r#type: "tool_use", id: Some(id.into()), name: Some(name), input, ..Self::default() }
    }

    pub(super) fn piece(self) -> Piece<'a> {
        Piece::Block(Box::new(self))
    }
}

impl Serialize for Piece<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Piece::Block(block) => block.serialize(serializer),
            Piece::Verbatim(raw) => raw.serialize(serializer),
        }
    }
}

impl Serialize for Content<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Content::Text(text) => serializer.serialize_str(text),
            Content::Pieces(pieces) => pieces.serialize(serializer),
        }
    }
}

/// The arguments of a call as the object that Anthropic takes. Text that is no object (a call that was cut)
/// is kept, as the one member of an object.
pub(crate) fn input(arguments: &str) -> Option<Raw> {
    let arguments = arguments.trim();
    if arguments.is_empty() {
        return Raw::parse("{}".to_owned()).ok();
    }
    if arguments.starts_with('{')
        && let Ok(raw) = Raw::parse(arguments.to_owned())
    {
        return Some(raw);
    }
    #[derive(Serialize)]
    struct Invalid<'a> {
        invalid_arguments: &'a str,
    }
    Raw::of(&Invalid { invalid_arguments: arguments }).ok()
}
