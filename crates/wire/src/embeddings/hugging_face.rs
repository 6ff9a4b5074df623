//! Feature extraction as Hugging Face serves it: hosted pipelines and Text Embeddings Inference.
//!
//! A pipeline answers with a vector for each token of a text; the vector of the text is their mean.

use serde_json::value::RawValue;

use super::{extras, texts};
use crate::codec::Target;
use crate::embed::{EmbedRequest, EmbedResponse, Vector};
use crate::embed_codec::{EmbedOutbound, EmbedReader, EmbedUpstream, counted};
use crate::fault::TranslateError;
use crate::format::Format;
use crate::members::Members;
use crate::openai_chat::{fault, list, malformed};

/// We speak feature extraction to Hugging Face or to Text Embeddings Inference.
#[derive(Clone, Copy, Debug, Default)]
pub struct HuggingFaceEmbed;

impl EmbedUpstream for HuggingFaceEmbed {
    fn format(&self) -> Format {
        Format::HuggingFaceEmbed
    }

    fn encode(&self, request: &EmbedRequest, _target: &Target<'_>) -> Result<EmbedOutbound, TranslateError> {
        let mut body = Members::default();
        body.set("inputs", &texts(request, Format::HuggingFaceEmbed)?)?;
        for (name, raw) in extras(request) {
            body.set(name, raw)?;
        }
        body.set_some("dimensions", request.dimensions)?;
        let reader = Box::new(FeatureReader { count: request.input.len() });
        Ok(EmbedOutbound { bodies: vec![body.body()?], reader, losses: Vec::new() })
    }
}

struct FeatureReader {
    /// How many inputs the request holds.
    count: usize,
}

impl EmbedReader for FeatureReader {
    fn read(&self, _part: usize, body: &[u8]) -> Result<EmbedResponse, TranslateError> {
        let raw: &RawValue =
            serde_json::from_slice(body).map_err(|error| malformed("body", &error.to_string()))?;
        if raw.get().starts_with('{') {
            return Err(malformed("error", &fault::of_frame(raw).message));
        }
        let rows = list(raw, "body")?;
        // One text may be answered without the list around it.
        let flat = self.count == 1 && rows.first().is_some_and(|row| !row.get().starts_with('['));
        let rows = if flat { vec![raw] } else { rows };
        let vectors: Result<Vec<Vector>, _> =
            rows.into_iter().enumerate().map(|(at, row)| vector(row, &format!("body[{at}]"))).collect();
        counted(EmbedResponse { vectors: vectors?, ..EmbedResponse::default() }, self.count)
    }
}

/// The vector of one text: as it is, or the mean of those of its tokens.
fn vector(row: &RawValue, path: &str) -> Result<Vector, TranslateError> {
    let inner = list(row, path)?;
    match inner.as_slice() {
        // A batch of one around the tokens.
        [batch] if batch.get().starts_with("[[") => mean(batch, path),
        [first, ..] if first.get().starts_with('[') => mean(row, path),
        _ => Vector::read(row, path),
    }
}

fn mean(tokens: &RawValue, path: &str) -> Result<Vector, TranslateError> {
    let tokens: Vec<Vec<f64>> =
        serde_json::from_str(tokens.get()).map_err(|_| malformed(path, "must be lists of numbers"))?;
    let width = tokens.first().map_or(0, Vec::len);
    if tokens.iter().any(|token| token.len() != width) {
        return Err(malformed(path, "must be lists of one length"));
    }
    let mut sums = vec![0.0; width];
    for token in &tokens {
        sums.iter_mut().zip(token).for_each(|(sum, number)| *sum += number);
    }
    let count = tokens.len() as f64;
    let mean: Vec<f32> = sums.into_iter().map(|sum| (sum / count) as f32).collect();
    Ok(Vector::from(mean.as_slice()))
}
