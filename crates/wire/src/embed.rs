//! The canonical embedding request and reply.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::value::RawValue;

use crate::fault::TranslateError;
use crate::openai_chat::{malformed, text};
use crate::raw::Raw;
use crate::reply::Usage;

/// Vectors wanted for some texts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EmbedRequest {
    /// The model as the upstream knows it.
    pub model: String,
    /// What to embed, in order.
    pub input: Vec<EmbedInput>,
    /// Length of the vectors, where the model can choose.
    pub dimensions: Option<u32>,
    /// How the client wants the numbers written.
    pub encoding: Encoding,
    /// Top-level fields that are not modelled, verbatim and in order.
    pub extras: Vec<(String, Raw)>,
}

/// One thing to embed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EmbedInput {
    /// A text.
    Text(String),
    /// A text already cut into token ids.
    Tokens(Vec<u32>),
}

impl EmbedInput {
    /// The picture, as its `data:` URI, if this is the text of one. OpenAI's callers have no other way to say it.
    #[must_use]
    pub fn picture(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text.as_str()).filter(|text| {
                // Whole texts are not searched: the media type is short.
                let head = &text[..text.floor_char_boundary(64)];
                head.starts_with("data:image/") && head.contains(";base64,")
            }),
            Self::Tokens(_) => None,
        }
    }
}

/// How vectors are written for the client.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Encoding {
    /// JSON arrays of numbers.
    #[default]
    Float,
    /// Base64 of little-endian 32-bit floats.
    Base64,
}

/// The vectors, in the order of the input.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EmbedResponse {
    /// The model that answered, in the provider's name; empty when it says nothing.
    pub model: String,
    /// One vector per input.
    pub vectors: Vec<Vector>,
    /// What it used, if the provider said.
    pub usage: Option<Usage>,
}

/// One vector, in the digits or bytes that the provider wrote.
#[derive(Clone, Debug, PartialEq)]
pub enum Vector {
    /// A JSON array of numbers.
    Numbers(Raw),
    /// Base64: little-endian 32-bit floats, or bytes where the caller asked for a smaller type.
    Base64(String),
}

impl Vector {
    /// The vector at `path` of a reply.
    ///
    /// # Errors
    /// When it is neither numbers nor a string; names `path`.
    pub(crate) fn read(raw: &RawValue, path: &str) -> Result<Self, TranslateError> {
        if raw.get().starts_with('"') {
            return Ok(Self::Base64(text(raw).into_owned()));
        }
        let numbers: Result<Vec<f32>, _> = serde_json::from_str(raw.get());
        numbers
            .map(|_| Self::Numbers(Raw::from(raw)))
            .map_err(|_| malformed(path, "must be a list of numbers"))
    }

    /// The numbers; empty when base64 holds no 32-bit floats.
    #[must_use]
    pub fn numbers(&self) -> Vec<f32> {
        match self {
            Self::Numbers(raw) => serde_json::from_str(raw.text()).unwrap_or_default(),
            Self::Base64(text) => {
                let bytes = STANDARD.decode(text).unwrap_or_default();
                let (floats, rest) = bytes.as_chunks::<4>();
                if rest.is_empty() {
                    floats.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect()
                } else {
                    Vec::new()
                }
            }
        }
    }

    /// The numbers in base64, as little-endian 32-bit floats.
    #[must_use]
    pub fn base64(&self) -> String {
        match self {
            Self::Base64(text) => text.clone(),
            Self::Numbers(_) => {
                let bytes: Vec<u8> = self.numbers().into_iter().flat_map(f32::to_le_bytes).collect();
                STANDARD.encode(bytes)
            }
        }
    }
}

impl From<&[f32]> for Vector {
    /// Numbers that are not finite have no JSON and become `null`, which no caller takes for a number.
    fn from(numbers: &[f32]) -> Self {
        Raw::of(numbers).map_or_else(|_| Self::Base64(String::new()), Self::Numbers)
    }
}
