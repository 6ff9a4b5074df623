//! OpenAI embeddings towards the client. Not for upstreams that speak this format: that traffic is spliced.

use bytes::Bytes;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use crate::embed::{EmbedInput, EmbedRequest, EmbedResponse, Encoding, Vector};
use crate::fault::TranslateError;
use crate::openai_chat::{Fields, json, list, malformed, or, typed};
use crate::raw::Raw;

#[cfg(test)]
#[path = "openai_embeddings_tests.rs"]
mod tests;

/// The meaning of a request body.
///
/// # Errors
/// When the body is not an embedding request; names the field.
pub fn decode(body: &[u8]) -> Result<EmbedRequest, TranslateError> {
    let fields = Fields::of_body(body)?;
    let mut request = EmbedRequest::default();
    for (name, raw) in &fields.0 {
        match name.as_ref() {
            "input" => request.input = input(raw)?,
            "model" => request.model = typed(raw, name, "a string")?.unwrap_or_default(),
            "dimensions" => request.dimensions = typed(raw, name, "a whole number")?,
            "encoding_format" => request.encoding = encoding(raw)?,
            _ => request.extras.push((name.clone().into_owned(), Raw::from(*raw))),
        }
    }
    if request.input.is_empty() {
        return Err(malformed("input", "is required"));
    }
    Ok(request)
}

/// A text, a list of texts, a list of token ids, or a list of such lists.
fn input(raw: &RawValue) -> Result<Vec<EmbedInput>, TranslateError> {
    const WHAT: &str = "a string, token ids, or a list of them";
    if !raw.get().starts_with('[') {
        let text: Option<String> = typed(raw, "input", WHAT)?;
        return Ok(text.map(EmbedInput::Text).into_iter().collect());
    }
    let elements = list(raw, "input")?;
    if elements.first().is_some_and(|first| first.get().starts_with(|c: char| c.is_ascii_digit())) {
        return Ok(typed(raw, "input", WHAT)?.map(EmbedInput::Tokens).into_iter().collect());
    }
    let one = |(at, raw): (usize, &RawValue)| {
        let path = format!("input[{at}]");
        let missing = || malformed(&path, "must be a string or token ids");
        if raw.get().starts_with('[') {
            return typed(raw, &path, "token ids")?.map(EmbedInput::Tokens).ok_or_else(missing);
        }
        typed(raw, &path, "a string or token ids")?.map(EmbedInput::Text).ok_or_else(missing)
    };
    elements.into_iter().enumerate().map(one).collect()
}

fn encoding(raw: &RawValue) -> Result<Encoding, TranslateError> {
    let word: Option<String> = typed(raw, "encoding_format", "a string")?;
    match word.as_deref() {
        None | Some("float") => Ok(Encoding::Float),
        Some("base64") => Ok(Encoding::Base64),
        Some(_) => Err(malformed("encoding_format", "must be float or base64")),
    }
}

/// The reply's body. `model` is the name the client asked for.
#[must_use]
pub fn write(response: &EmbedResponse, encoding: Encoding, model: &str) -> Bytes {
    let usage = response.usage.unwrap_or_default();
    let vectors = response.vectors.iter().enumerate();
    json(&List {
        object: "list",
        data: vectors
            .map(|(index, vector)| Item {
                object: "embedding",
                index,
                embedding: Written { vector, encoding },
            })
            .collect(),
        model: or(model, &response.model),
        usage: ListUsage {
            prompt_tokens: usage.input,
            total_tokens: usage.input.saturating_add(usage.output),
        },
    })
}

#[derive(Serialize)]
struct List<'a> {
    object: &'static str,
    data: Vec<Item<'a>>,
    model: &'a str,
    usage: ListUsage,
}

#[derive(Serialize)]
struct Item<'a> {
    object: &'static str,
    index: usize,
    embedding: Written<'a>,
}

#[derive(Serialize)]
struct ListUsage {
    prompt_tokens: u64,
    total_tokens: u64,
}

struct Written<'a> {
    vector: &'a Vector,
    encoding: Encoding,
}

impl Serialize for Written<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match (self.encoding, self.vector) {
            (Encoding::Float, Vector::Numbers(raw)) => raw.serialize(serializer),
            (Encoding::Float, Vector::Base64(_)) => serializer.collect_seq(self.vector.numbers()),
            (Encoding::Base64, vector) => serializer.serialize_str(&vector.base64()),
        }
    }
}
