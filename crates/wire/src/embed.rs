//! The canonical embedding request and reply.

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
    pub vectors: Vec<Vec<f32>>,
    /// What it used, if the provider said.
    pub usage: Option<Usage>,
}
