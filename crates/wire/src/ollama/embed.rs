//! Ollama's `/api/embed`.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::codec::Target;
use crate::embed::{EmbedInput, EmbedRequest, EmbedResponse, Vector};
use crate::embed_codec::{EmbedOutbound, EmbedReader, EmbedUpstream, counted};
use crate::fault::TranslateError;
use crate::format::Format;
use crate::members::Members;
use crate::openai_chat::{fault, list, malformed};
use crate::reply::Usage;

#[cfg(test)]
#[path = "embed_tests.rs"]
mod tests;

/// We speak Ollama's embedding API to a provider.
#[derive(Clone, Copy, Debug, Default)]
pub struct OllamaEmbed;

impl EmbedUpstream for OllamaEmbed {
    fn format(&self) -> Format {
        Format::OllamaEmbed
    }

    /// Fields that are not modelled are sent as they are, `user` excepted: Ollama ignores what it does not know.
    fn encode(&self, request: &EmbedRequest, target: &Target<'_>) -> Result<EmbedOutbound, TranslateError> {
        let texts: Option<Vec<&str>> = request
            .input
            .iter()
            .map(|input| match input {
                EmbedInput::Text(text) => Some(text.as_str()),
                EmbedInput::Tokens(_) => None,
            })
            .collect();
        let texts = texts.ok_or_else(|| TranslateError::Unsupported {
            field: "input".to_owned(),
            by: Format::OllamaEmbed,
        })?;
        let mut body = Members::default();
        for (name, raw) in request.extras.iter().filter(|(name, _)| name != "user" && name != "metadata") {
            body.set(name, raw)?;
        }
        body.set("model", target.model)?;
        body.set("input", &texts)?;
        body.set_some("dimensions", request.dimensions)?;
        let reader = Box::new(OllamaEmbedReader { count: texts.len() });
        Ok(EmbedOutbound { bodies: vec![body.body()?], reader, losses: Vec::new() })
    }
}

struct OllamaEmbedReader {
    /// How many inputs the request holds.
    count: usize,
}

#[derive(Deserialize)]
struct Reply<'a> {
    #[serde(default)]
    model: String,
    #[serde(borrow)]
    embeddings: Option<&'a RawValue>,
    prompt_eval_count: Option<u64>,
    #[serde(borrow)]
    error: Option<&'a RawValue>,
}

impl EmbedReader for OllamaEmbedReader {
    fn read(&self, _part: usize, body: &[u8]) -> Result<EmbedResponse, TranslateError> {
        let reply: Reply<'_> =
            serde_json::from_slice(body).map_err(|error| malformed("body", &error.to_string()))?;
        if let Some(error) = reply.error {
            return Err(malformed("error", &fault::of_frame(error).message));
        }
        let embeddings = reply.embeddings.ok_or_else(|| malformed("embeddings", "is required"))?;
        let rows = list(embeddings, "embeddings")?.into_iter().enumerate();
        let vectors: Result<Vec<Vector>, _> =
            rows.map(|(at, raw)| Vector::read(raw, &format!("embeddings[{at}]"))).collect();
        let usage = reply.prompt_eval_count.map(|input| Usage { input, ..Usage::default() });
        counted(EmbedResponse { model: reply.model, vectors: vectors?, usage }, self.count)
    }
}
