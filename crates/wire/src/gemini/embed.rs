//! Vectors for texts: `:batchEmbedContents` of the Gemini API, `:predict` of Vertex AI's text models and
//! `:embedContent`, which some models of either take in its place, one text a request.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::members::Members;
use crate::embed::{self, EmbedInput, EmbedRequest, EmbedResponse};
use crate::fault::TranslateError;
use crate::format::Format;
use crate::openai_chat::{fault, json, malformed, object};
use crate::raw::Raw;
use crate::reply::Usage;

#[cfg(test)]
#[path = "embed_tests.rs"]
mod tests;

/// Which method is asked for the vectors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// `:batchEmbedContents`.
    Batch,
    /// `:embedContent`, for requests with one text.
    Single,
    /// `:predict`.
    Predict,
}

#[derive(Serialize)]
struct Content<'a> {
    parts: [Text<'a>; 1],
}

#[derive(Serialize)]
struct Text<'a> {
    text: &'a str,
}

/// What the caller says beside the texts, by Google's names or by its own snake case.
struct Beside<'a>(&'a [(String, Raw)]);

impl<'a> Beside<'a> {
    fn get(&self, camel: &str, snake: &str) -> Option<&'a Raw> {
        self.0.iter().find(|(name, _)| name == camel || name == snake).map(|(_, raw)| raw)
    }
}

/// The request's body. `task_type`, `title` and `auto_truncate` are taken from the fields that are not modelled;
/// the others change nothing in a vector and are left out.
///
/// # Errors
/// When an input is token ids, which Google cannot take, or when there are several for [`Method::Single`].
pub fn encode(request: &EmbedRequest, model: &str, method: Method) -> Result<Bytes, TranslateError> {
    let unsupported = || TranslateError::Unsupported { field: "input".to_owned(), by: Format::Gemini };
    let texts = request.input.iter().map(|input| match input {
        EmbedInput::Text(text) => Ok(text.as_str()),
        EmbedInput::Tokens(_) => Err(unsupported()),
    });
    let texts: Vec<&str> = texts.collect::<Result<_, _>>()?;
    let beside = Beside(&request.extras);
    match (method, &texts[..]) {
        (Method::Predict, texts) => predict(texts, request, &beside),
        (Method::Single, [text]) => {
            // The path names the model.
            let mut body = one(text, request, None, &beside)?;
            body.some("autoTruncate", beside.get("autoTruncate", "auto_truncate"))?;
            Ok(json(&body))
        }
        (Method::Single, _) => Err(malformed("input", "must be one text: this model takes one a request")),
        (Method::Batch, texts) => {
            let requests = texts.iter().map(|text| one(text, request, Some(model), &beside));
            let mut body = Members::default();
            body.set("requests", &requests.collect::<Result<Vec<_>, _>>()?)?;
            Ok(json(&body))
        }
    }
}

fn one(
    text: &str,
    request: &EmbedRequest,
    model: Option<&str>,
    beside: &Beside<'_>,
) -> Result<Members, TranslateError> {
    let mut body = Members::default();
    body.some("model", model.map(|model| format!("models/{}", model.trim_start_matches("models/"))))?;
    body.set("content", &Content { parts: [Text { text }] })?;
    body.some("taskType", beside.get("taskType", "task_type"))?;
    body.some("title", beside.get("title", "title"))?;
    body.some("outputDimensionality", request.dimensions)?;
    Ok(body)
}

fn predict(texts: &[&str], request: &EmbedRequest, beside: &Beside<'_>) -> Result<Bytes, TranslateError> {
    let mut instances = Vec::with_capacity(texts.len());
    for text in texts {
        let mut instance = Members::default();
        instance.set("content", text)?;
        instance.some("task_type", beside.get("taskType", "task_type"))?;
        instance.some("title", beside.get("title", "title"))?;
        instances.push(instance);
    }
    let mut parameters = Members::default();
    parameters.some("outputDimensionality", request.dimensions)?;
    parameters.some("autoTruncate", beside.get("autoTruncate", "auto_truncate"))?;
    let mut body = Members::default();
    body.set("instances", &instances)?;
    body.some("parameters", (!parameters.is_empty()).then_some(parameters))?;
    Ok(json(&body))
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
struct Reply<'a> {
    embedding: Option<Vector>,
    embeddings: Option<Vec<Vector>>,
    predictions: Option<Vec<Prediction>>,
    usage_metadata: Option<&'a RawValue>,
    error: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Prediction {
    embeddings: Vector,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Vector {
    values: Vec<f32>,
    statistics: Statistics,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Statistics {
    token_count: Option<f64>,
}

/// The meaning of a successful reply of any of the methods.
///
/// # Errors
/// When the body is not such a reply, or reports a failure.
pub fn read(body: &[u8]) -> Result<EmbedResponse, TranslateError> {
    let raw: &RawValue =
        serde_json::from_slice(body).map_err(|error| malformed("body", &error.to_string()))?;
    let reply: Reply<'_> =
        object(raw).ok_or_else(|| malformed("body", "must be an object with embeddings"))?;
    if reply.error.is_some_and(|error| error.get() != "null") {
        return Err(malformed("error", &fault::of_frame(raw).message));
    }
    let predicted =
        |predictions: Vec<Prediction>| predictions.into_iter().map(|one| one.embeddings).collect();
    let vectors = reply.embeddings.or_else(|| reply.predictions.map(predicted));
    let vectors = vectors.or_else(|| reply.embedding.map(|vector| vec![vector]));
    let vectors = vectors.ok_or_else(|| malformed("embeddings", "is required"))?;
    // A sum is known only when every vector says its part.
    let counted: Option<f64> = vectors.iter().map(|vector| vector.statistics.token_count).sum();
    let counted = counted
        .filter(|_| !vectors.is_empty())
        .map(|input| Usage { input: input as u64, ..Usage::default() });
    let usage = reply.usage_metadata.and_then(|usage| super::usage::read(usage, false)).or(counted);
    let vectors = vectors.iter().map(|vector| embed::Vector::from(vector.values.as_slice())).collect();
    Ok(EmbedResponse { model: String::new(), vectors, usage })
}
