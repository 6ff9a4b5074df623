//! `POST /rerank` of Hugging Face's Text Embeddings Inference, which serves one model and counts nothing.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::ranking::{Memory, bounds, extras, returned_text, texts};
use super::{Ranked, RerankOutbound, RerankReader, RerankRequest, RerankResponse, RerankUpstream};
use crate::codec::Target;
use crate::fault::TranslateError;
use crate::format::Format;
use crate::members::Members;
use crate::openai_chat::{fault, list, malformed, object};

/// We speak to Text Embeddings Inference.
#[derive(Clone, Copy, Debug, Default)]
pub struct HuggingFaceRerank;

impl RerankUpstream for HuggingFaceRerank {
    fn format(&self) -> Format {
        Format::HuggingFaceRerank
    }

    fn encode(&self, request: &RerankRequest, target: &Target<'_>) -> Result<RerankOutbound, TranslateError> {
        let mut body = Members::default();
        body.set("query", &request.query)?;
        body.set("texts", &texts(request)?)?;
        for (name, raw) in extras(request) {
            body.set(name, raw)?;
        }
        let losses = bounds(request, false, false);
        let reader = TeiReader { memory: Memory::of(request, target) };
        Ok(RerankOutbound { body: body.body()?, reader: Box::new(reader), losses })
    }
}

struct TeiReader {
    memory: Memory,
}

#[derive(Deserialize)]
struct Row {
    index: usize,
    score: f64,
    text: Option<String>,
}

impl RerankReader for TeiReader {
    fn read(&self, body: &[u8]) -> Result<RerankResponse, TranslateError> {
        let raw: &RawValue =
            serde_json::from_slice(body).map_err(|error| malformed("body", &error.to_string()))?;
        if raw.get().starts_with('{') {
            return Err(malformed("error", &fault::of_frame(raw).message));
        }
        let mut results = Vec::new();
        for (at, raw) in list(raw, "body")?.into_iter().enumerate() {
            let row: Row = object(raw).ok_or_else(|| {
                malformed(format_args!("body[{at}]"), "must be an object with an index and a score")
            })?;
            let document = row.text.map(|text| returned_text(&text)).transpose()?;
            results.push(Ranked { index: row.index, relevance_score: row.score, document });
        }
        self.memory.reply(String::new(), results, None)
    }
}
