//! A part of a content as Google writes it, in requests and replies alike.

use std::borrow::Cow;

use serde::{Deserialize, Serialize, Serializer};
use serde_json::value::RawValue;

use crate::chat::Source;
use crate::openai_chat::{object, text};
use crate::raw::Raw;

/// A part of ours, or one that is passed on as it came.
pub(super) enum Piece<'a> {
    Part(Box<Part<'a>>),
    Verbatim(&'a Raw),
}

/// Any kind of part: members that a kind does not have are left out.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Part<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) text: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) thought: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) inline_data: Option<InlineData<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) file_data: Option<FileData<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) media_resolution: Option<Resolution>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) function_call: Option<FunctionCall<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) function_response: Option<FunctionResponse<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) thought_signature: Option<Cow<'a, str>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct InlineData<'a> {
    pub(super) mime_type: Cow<'a, str>,
    pub(super) data: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct FileData<'a> {
    pub(super) file_uri: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) mime_type: Option<Cow<'a, str>>,
}

#[derive(Serialize)]
pub(super) struct Resolution {
    pub(super) level: &'static str,
}

#[derive(Serialize)]
pub(super) struct FunctionCall<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<&'a str>,
    pub(super) name: &'a str,
    pub(super) args: Option<Raw>,
    /// The caller's id, also where the model takes none.
    #[serde(skip)]
    pub(super) key: &'a str,
}

#[derive(Serialize)]
pub(super) struct FunctionResponse<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<&'a str>,
    pub(super) name: &'a str,
    pub(super) response: Option<Raw>,
    /// The id of the call this answers, also where the model takes none.
    #[serde(skip)]
    pub(super) key: &'a str,
}

impl<'a> Part<'a> {
    pub(super) fn text(text: impl Into<Cow<'a, str>>) -> Self {
        Self { text: Some(text.into()), ..Self::default() }
    }

    pub(super) fn thought(text: &'a str, signature: Option<Cow<'a, str>>) -> Self {
        Self { thought: Some(true), thought_signature: signature, ..Self::text(text) }
    }

    /// A text without reasoning, which a signature may be put on.
    pub(super) fn is_bare_text(&self) -> bool {
        self.text.is_some() && self.thought.is_none() && self.thought_signature.is_none()
    }

    pub(super) fn piece(self) -> Piece<'a> {
        Piece::Part(Box::new(self))
    }
}

impl<'a> Piece<'a> {
    pub(super) fn call(&self) -> Option<&FunctionCall<'a>> {
        match self {
            Piece::Part(part) => part.function_call.as_ref(),
            Piece::Verbatim(_) => None,
        }
    }

    pub(super) fn response(&self) -> Option<&FunctionResponse<'a>> {
        match self {
            Piece::Part(part) => part.function_response.as_ref(),
            Piece::Verbatim(_) => None,
        }
    }
}

impl Serialize for Piece<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Piece::Part(part) => part.serialize(serializer),
            Piece::Verbatim(raw) => raw.serialize(serializer),
        }
    }
}

/// A part of a reply, forgiving about types: each value is kept raw and read by whoever wants it.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub(super) struct WirePart<'a> {
    pub(super) text: Option<&'a RawValue>,
    pub(super) thought: Option<&'a RawValue>,
    pub(super) thought_signature: Option<&'a RawValue>,
    pub(super) function_call: Option<&'a RawValue>,
}

/// The picture in a part of Google's that was kept whole.
pub(crate) fn picture(raw: &Raw) -> Option<Source> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
    struct Inline<'a> {
        inline_data: &'a RawValue,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
    struct Blob<'a> {
        mime_type: &'a RawValue,
        data: &'a RawValue,
    }
    let blob: Blob<'_> = object(object::<Inline<'_>>(raw.value())?.inline_data)?;
    let media_type = text(blob.mime_type).into_owned();
    media_type
        .starts_with("image/")
        .then(|| Source::Inline { media_type, data: text(blob.data).into_owned() })
}
