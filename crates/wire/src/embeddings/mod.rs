//! Embedding formats towards the upstream, besides OpenAI's own (that traffic is spliced) and Ollama's
//! ([`crate::ollama::embed`]).
//!
//! | format | inputs a request | pictures | token ids |
//! | --- | --- | --- | --- |
//! | Cohere, also on Bedrock | 96 texts, or one picture | yes | no |
//! | Titan on Bedrock | one | the multimodal model | no |
//! | Voyage, Mistral | all | no; the multimodal model | no |
//! | Jina | all | yes | no |
//! | Hugging Face | all | no | no |
//! | Gemini, Vertex AI | 100; 250, or one where the model takes no more | no | no |
//!
//! Fields that are not modelled (`input_type`, `task`, `truncate`, …) are sent as they are, bookkeeping excepted.

mod cohere;
mod google;
mod hugging_face;
mod imitator;
mod titan;

pub use cohere::CohereEmbed;
pub use google::GoogleEmbed;
pub use hugging_face::HuggingFaceEmbed;
pub use imitator::Imitator;
pub use titan::TitanEmbed;

use crate::embed::{EmbedInput, EmbedRequest};
use crate::embed_codec::EmbedUpstream;
use crate::fault::{Loss, TranslateError};
use crate::format::Format;
use crate::members::Members;
use crate::ollama::embed::OllamaEmbed;
use crate::openai_chat::malformed;
use crate::raw::Raw;

#[cfg(test)]
#[path = "embeddings_tests.rs"]
mod tests;

/// Every format that vectors can be asked for in, OpenAI's own excepted. A further one is one more line.
const UPSTREAMS: [&dyn EmbedUpstream; 13] = [
    &OllamaEmbed,
    &CohereEmbed::COHERE,
    &CohereEmbed::BEDROCK,
    &TitanEmbed,
    &Imitator::VOYAGE,
    &Imitator::VOYAGE_CONTEXT,
    &Imitator::VOYAGE_MULTIMODAL,
    &Imitator::JINA,
    &Imitator::MISTRAL,
    &HuggingFaceEmbed,
    &GoogleEmbed::BATCH,
    &GoogleEmbed::PREDICT,
    &GoogleEmbed::SINGLE,
];

/// The upstream side of `format`, if that is an embedding format that needs translation.
#[must_use]
pub fn upstream(format: Format) -> Option<&'static dyn EmbedUpstream> {
    UPSTREAMS.into_iter().find(|upstream| upstream.format() == format)
}

/// More inputs than this are refused where each becomes a request or a share of one; OpenAI's own bound.
const MOST_INPUTS: usize = 2048;

const ONE_TYPE: &str = "an answer has room for one vector an input, so only the first type is asked for";

/// The text at `at` of the input.
fn text(input: &EmbedInput, at: usize, by: Format) -> Result<&str, TranslateError> {
    match input {
        EmbedInput::Text(text) => Ok(text),
        EmbedInput::Tokens(_) => Err(TranslateError::Unsupported { field: format!("input[{at}]"), by }),
    }
}

/// All of the input, for formats that take only texts.
fn texts(request: &EmbedRequest, by: Format) -> Result<Vec<&str>, TranslateError> {
    request.input.iter().enumerate().map(|(at, input)| text(input, at, by)).collect()
}

fn bounded(request: &EmbedRequest) -> Result<(), TranslateError> {
    if request.input.len() > MOST_INPUTS {
        return Err(malformed("input", &format!("must have at most {MOST_INPUTS} elements")));
    }
    Ok(())
}

/// Refuses `settings` that, repeated in each of so many requests, would make far more of a call than it was.
fn repeatable(settings: &Members, requests: usize) -> Result<(), TranslateError> {
    const MOST_BYTES: usize = 16 << 20;
    if requests > 1 && settings.size().saturating_mul(requests) > MOST_BYTES {
        return Err(malformed("body", "holds too much beside its input, which takes several requests"));
    }
    Ok(())
}

/// The fields that are not modelled, without what only keeps books and what is `null`.
fn extras(request: &EmbedRequest) -> impl Iterator<Item = (&str, &Raw)> {
    let extras = request.extras.iter().map(|(name, raw)| (name.as_str(), raw));
    extras.filter(|(name, raw)| !matches!(*name, "user" | "metadata") && raw.text() != "null")
}

/// The first of the types of vector that the list `raw` names; the others are a loss.
fn first_type(field: &str, raw: &Raw, losses: &mut Vec<Loss>) -> Result<Option<String>, TranslateError> {
    let types: Vec<String> =
        serde_json::from_str(raw.text()).map_err(|_| malformed(field, "must be a list of strings"))?;
    if types.len() > 1 {
        losses.push(Loss { field: field.to_owned(), why: ONE_TYPE });
    }
    Ok(types.into_iter().next())
}
