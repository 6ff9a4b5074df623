//! DeepInfra's `POST /v1/inference/MODEL` for rerankers: a score for each pair of a query and a document.

use serde::Deserialize;

use super::ranking::{Memory, bounds, extras, texts};
use super::{Ranked, RerankOutbound, RerankReader, RerankRequest, RerankResponse, RerankUpstream};
use crate::codec::Target;
use crate::fault::TranslateError;
use crate::format::Format;
use crate::members::Members;
use crate::openai_chat::malformed;
use crate::reply::Usage;

/// We speak DeepInfra's inference API for rerankers. The address names the model.
#[derive(Clone, Copy, Debug, Default)]
pub struct DeepInfraRerank;

/// The query is repeated for each document; a request must not grow out of hand by that.
const MOST_QUERY_BYTES: usize = 16 << 20;

impl RerankUpstream for DeepInfraRerank {
    fn format(&self) -> Format {
        Format::DeepInfraRerank
    }

    fn encode(&self, request: &RerankRequest, target: &Target<'_>) -> Result<RerankOutbound, TranslateError> {
        let count = request.documents.len();
        if request.query.len().saturating_mul(count) > MOST_QUERY_BYTES {
            return Err(malformed(
                "query",
                "is too long for so many documents: DeepInfra wants it beside each",
            ));
        }
        let mut body = Members::default();
        body.set("queries", &vec![request.query.as_str(); count])?;
        body.set("documents", &texts(request)?)?;
        for (name, raw) in extras(request) {
            body.set(name, raw)?;
        }
        let losses = bounds(request, false, false);
        let reader = DeepInfraReader { memory: Memory::of(request, target), count };
        Ok(RerankOutbound { body: body.body()?, reader: Box::new(reader), losses })
    }
}

struct DeepInfraReader {
    memory: Memory,
    /// How many documents were sent.
    count: usize,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Reply {
    scores: Option<Vec<f64>>,
    input_tokens: Option<u64>,
    request_id: Option<String>,
}

impl RerankReader for DeepInfraReader {
    fn read(&self, body: &[u8]) -> Result<RerankResponse, TranslateError> {
        let reply: Reply =
            serde_json::from_slice(body).map_err(|error| malformed("body", &error.to_string()))?;
        let scores = reply.scores.ok_or_else(|| malformed("scores", "is required"))?;
        if scores.len() != self.count {
            let problem = format!("{} scores came for {} documents", scores.len(), self.count);
            return Err(malformed("scores", &problem));
        }
        let ranked = |(index, relevance_score)| Ranked { index, relevance_score, document: None };
        let results = scores.into_iter().enumerate().map(ranked).collect();
        let usage = reply.input_tokens.map(|input| Usage { input, ..Usage::default() });
        self.memory.reply(reply.request_id.unwrap_or_default(), results, usage)
    }
}
