//! NVIDIA NIM's `POST /v1/retrieval/MODEL/reranking`. Its scores are logits: comparable, but of no fixed scale.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::borrow::Cow;

use super::ranking::{Memory, bounds, extras, texts};
use super::{Ranked, RerankOutbound, RerankReader, RerankRequest, RerankResponse, RerankUpstream};
use crate::codec::Target;
use crate::fault::TranslateError;
use crate::format::Format;
use crate::members::Members;
use crate::openai_chat::{list, malformed, object, usage};

/// We speak NIM's reranking API.
#[derive(Clone, Copy, Debug, Default)]
pub struct NvidiaRerank;

#[derive(Serialize)]
struct Passage<'a> {
    text: Cow<'a, str>,
}

impl RerankUpstream for NvidiaRerank {
    fn format(&self) -> Format {
        Format::NvidiaRerank
    }

    fn encode(&self, request: &RerankRequest, target: &Target<'_>) -> Result<RerankOutbound, TranslateError> {
        let passages: Vec<_> = texts(request)?.into_iter().map(|text| Passage { text }).collect();
        let mut body = Members::default();
        body.set("model", target.model)?;
        body.set("query", &Passage { text: Cow::Borrowed(&request.query) })?;
        body.set("passages", &passages)?;
        for (name, raw) in extras(request) {
            body.set(name, raw)?;
        }
        let losses = bounds(request, false, false);
        let reader = NvidiaReader { memory: Memory::of(request, target) };
        Ok(RerankOutbound { body: body.body()?, reader: Box::new(reader), losses })
    }
}

struct NvidiaReader {
    memory: Memory,
}

#[derive(Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
struct Reply<'a> {
    rankings: Option<&'a RawValue>,
    usage: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Row {
    index: usize,
    logit: f64,
}

impl RerankReader for NvidiaReader {
    fn read(&self, body: &[u8]) -> Result<RerankResponse, TranslateError> {
        let reply: Reply<'_> =
            serde_json::from_slice(body).map_err(|error| malformed("body", &error.to_string()))?;
        let rows = reply.rankings.ok_or_else(|| malformed("rankings", "is required"))?;
        let mut results = Vec::new();
        for (at, raw) in list(rows, "rankings")?.into_iter().enumerate() {
            let row: Row = object(raw).ok_or_else(|| {
                malformed(format_args!("rankings[{at}]"), "must be an object with an index and a logit")
            })?;
            results.push(Ranked { index: row.index, relevance_score: row.logit, document: None });
        }
        self.memory.reply(String::new(), results, reply.usage.and_then(usage::read))
    }
}
