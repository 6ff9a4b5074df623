//! `:countTokens`, both directions: how large a prompt is.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::encode::GeminiUpstream;
use super::members::{self, Members};
use super::request::GeminiClient;
use crate::chat::ChatRequest;
use crate::codec::{ClientCodec, Target, UpstreamCodec};
use crate::fault::TranslateError;
use crate::openai_chat::{Fields, fault, json, malformed, object};

#[cfg(test)]
#[path = "count_tests.rs"]
mod tests;

/// The prompt that a client wants counted: `contents`, or a whole `generateContentRequest`.
///
/// # Errors
/// When the body is neither; names the field.
pub fn decode(body: &[u8], model: &str) -> Result<ChatRequest, TranslateError> {
    let client = GeminiClient { model: model.to_owned(), streamed: None };
    let fields = members::camel(Fields::of_body(body)?, "body")?;
    let body = fields.get("generateContentRequest").map_or(body, |raw| raw.get().as_bytes());
    Ok(client.decode(body)?.request)
}

/// The request's body, for `…/models/MODEL:countTokens`.
///
/// # Errors
/// When the prompt cannot be said.
pub fn encode(
    request: &ChatRequest,
    target: &Target<'_>,
    upstream: GeminiUpstream,
) -> Result<Bytes, TranslateError> {
    /// What Vertex AI counts; it refuses other fields.
    const COUNTED: [&str; 4] = ["contents", "generationConfig", "systemInstruction", "tools"];
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Wrapped {
        generate_content_request: Members,
    }
    let body = upstream.encode(request, target)?.body;
    let mut prompt = Members::default();
    if upstream == GeminiUpstream::AiStudio {
        prompt.set("model", &format!("models/{}", target.model))?;
    }
    for (name, raw) in Fields::of_body(&body)?.0 {
        if upstream == GeminiUpstream::AiStudio || COUNTED.contains(&name.as_ref()) {
            prompt.set(&name, raw)?;
        }
    }
    Ok(match upstream {
        GeminiUpstream::AiStudio => json(&Wrapped { generate_content_request: prompt }),
        GeminiUpstream::Vertex => json(&prompt),
    })
}

/// The number of tokens in a successful reply.
///
/// # Errors
/// When the body is not a reply of this format, or reports a failure.
pub fn read(body: &[u8]) -> Result<u64, TranslateError> {
    #[derive(Default, Deserialize)]
    #[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
    struct Wire<'a> {
        total_tokens: Option<u64>,
        error: Option<&'a RawValue>,
    }
    let raw: &RawValue =
        serde_json::from_slice(body).map_err(|error| malformed("body", &error.to_string()))?;
    let reply: Wire<'_> =
        object(raw).ok_or_else(|| malformed("body", "must be an object with totalTokens"))?;
    if reply.error.is_some_and(|error| error.get() != "null") {
        return Err(malformed("error", &fault::of_frame(raw).message));
    }
    reply.total_tokens.ok_or_else(|| malformed("totalTokens", "is required"))
}

/// The body of a reply that says so many tokens.
#[must_use]
pub fn write(total_tokens: u64) -> Bytes {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Counted {
        total_tokens: u64,
        prompt_tokens_details: [Detail; 1],
    }
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Detail {
        modality: &'static str,
        token_count: u64,
    }
    let detail = Detail { modality: "TEXT", token_count: total_tokens };
    json(&Counted { total_tokens, prompt_tokens_details: [detail] })
}
