//! Cohere's log-probabilities in OpenAI's shape. Cohere gives them for pieces of text, which may be several tokens:
//! such a piece stays one element, whose log-probability is the sum.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::wire::elements;
use crate::openai_chat::object;
use crate::raw::Raw;

#[derive(Deserialize)]
struct Piece {
    #[serde(default)]
    text: Option<String>,
    #[serde(default)]
    logprobs: Vec<f64>,
}

#[derive(Serialize)]
struct Written<'a> {
    content: Vec<Token<'a>>,
}

#[derive(Serialize)]
struct Token<'a> {
    token: &'a str,
    logprob: f64,
    bytes: &'a [u8],
    top_logprobs: [(); 0],
}

/// The log-probabilities that `raw` holds for `spoken`, the text they came with.
pub(super) fn read(raw: &RawValue, spoken: &str) -> Option<Raw> {
    let pieces: Vec<Piece> = elements(Some(raw)).into_iter().filter_map(object).collect();
    let tokens = pieces.iter().filter(|piece| !piece.logprobs.is_empty()).map(|piece| {
        let token = piece.text.as_deref().unwrap_or(spoken);
        Token { token, logprob: piece.logprobs.iter().sum(), bytes: token.as_bytes(), top_logprobs: [] }
    });
    let written = Written { content: tokens.collect() };
    (!written.content.is_empty()).then(|| Raw::of(&written).ok()).flatten()
}
