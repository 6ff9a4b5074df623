//! A content block as Converse writes it: a union, an object whose one member names its kind.

use std::borrow::Cow;

use serde::Serialize;

use crate::raw::Raw;

/// A block of a message, of the system prompt, or of a tool's result.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Piece<'a> {
    Text(Cow<'a, str>),
    Image(Media<'a>),
    Video(Media<'a>),
    Audio(Media<'a>),
    Document(Document<'a>),
    #[serde(rename_all = "camelCase")]
    ToolUse {
        tool_use_id: String,
        name: &'a str,
        input: Option<Raw>,
    },
    #[serde(rename_all = "camelCase")]
    ToolResult {
        tool_use_id: String,
        content: Vec<Piece<'a>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        status: Option<&'static str>,
    },
    ReasoningContent(Reasoning<'a>),
    CachePoint(CachePoint),
    GuardContent(Guarded<'a>),
    #[serde(untagged)]
    Verbatim(&'a Raw),
}

#[derive(Serialize)]
pub(super) struct Media<'a> {
    pub(super) format: Cow<'a, str>,
    pub(super) source: Location<'a>,
}

#[derive(Serialize)]
pub(super) struct Document<'a> {
    pub(super) format: &'static str,
    pub(super) name: String,
    pub(super) source: Location<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) context: Option<&'a Raw>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) citations: Option<&'a Raw>,
}

/// Where bytes are: here, in base64, or in S3.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Location<'a> {
    Bytes(Cow<'a, str>),
    S3Location { uri: Cow<'a, str> },
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Reasoning<'a> {
    ReasoningText { text: &'a str, signature: &'a str },
    RedactedContent(&'a str),
}

#[derive(Clone, Copy, Serialize)]
pub(super) struct CachePoint {
    r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    ttl: Option<&'static str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Guarded<'a> {
    Text { text: Cow<'a, str> },
}

impl CachePoint {
    /// A mark for an Anthropic `cache_control`. Five minutes are the default, and not said.
    pub(super) fn of(control: &Raw, hour: bool) -> Self {
        #[derive(serde::Deserialize)]
        struct Control {
            ttl: Option<String>,
        }
        let control: Option<Control> = crate::openai_chat::object(control.value());
        let wanted = control.and_then(|control| control.ttl).is_some_and(|ttl| ttl == "1h");
        Self { r#type: "default", ttl: (wanted && hour).then_some("1h") }
    }
}

impl<'a> Piece<'a> {
    pub(super) fn text(text: impl Into<Cow<'a, str>>) -> Self {
        Self::Text(text.into())
    }

    pub(super) fn is_text(&self) -> bool {
        matches!(self, Self::Text(_) | Self::GuardContent(_))
    }
}
