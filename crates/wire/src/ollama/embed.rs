//! Ollama's `/api/embed`.

use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::request::Members;
use crate::embed::{EmbedInput, EmbedRequest, EmbedResponse};
use crate::fault::TranslateError;
use crate::format::Format;
use crate::openai_chat::{fault, malformed};
use crate::reply::Usage;

#[cfg(test)]
#[path = "embed_tests.rs"]
mod tests;

/// The request's body. Fields that are not modelled are sent as they are, `user` excepted: Ollama ignores
/// what it does not know.
///
/// # Errors
/// When an input is token ids, which Ollama cannot take.
pub fn encode(request: &EmbedRequest, model: &str) -> Result<Bytes, TranslateError> {
    let texts: Option<Vec<&str>> = request
        .input
        .iter()
        .map(|input| match input {
            EmbedInput::Text(text) => Some(text.as_str()),
            EmbedInput::Tokens(_) => None,
        })
        .collect();
    let texts = texts
        .ok_or_else(|| TranslateError::Unsupported { field: "input".to_owned(), by: Format::OllamaEmbed })?;
    let mut body = Members::default();
    for (name, raw) in request.extras.iter().filter(|(name, _)| name != "user" && name != "metadata") {
        body.set(name, raw)?;
    }
    body.set("model", model)?;
    body.set("input", &texts)?;
    if let Some(dimensions) = request.dimensions {
        body.set("dimensions", &dimensions)?;
    }
    body.body()
}

#[derive(Deserialize)]
struct Reply<'a> {
    #[serde(default)]
    model: String,
    embeddings: Option<Vec<Vec<f32>>>,
    prompt_eval_count: Option<u64>,
    #[serde(borrow)]
    error: Option<&'a RawValue>,
}

/// The meaning of a successful reply.
///
/// # Errors
/// When the body is not a reply of this format, or reports a failure.
pub fn read(body: &[u8]) -> Result<EmbedResponse, TranslateError> {
    let reply: Reply<'_> =
        serde_json::from_slice(body).map_err(|error| malformed("body", &error.to_string()))?;
    if let Some(error) = reply.error {
        return Err(malformed("error", &fault::of_frame(error).message));
    }
    let vectors = reply.embeddings.ok_or_else(|| malformed("embeddings", "is required"))?;
    let usage = reply.prompt_eval_count.map(|input| Usage { input, ..Usage::default() });
    Ok(EmbedResponse { model: reply.model, vectors, usage })
}
