//! Google's ranking API (`rankingConfigs/…:rank` of Vertex AI Search). Records are known by their ids, which are the
//! places of the documents here; their details are not wanted back, for they are at hand.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::borrow::Cow;

use super::ranking::{Memory, bounds, extras, texts};
use super::{Ranked, RerankOutbound, RerankReader, RerankRequest, RerankResponse, RerankUpstream};
use crate::codec::Target;
use crate::fault::TranslateError;
use crate::format::Format;
use crate::members::Members;
use crate::openai_chat::{list, malformed, object};
use crate::reply::Usage;

/// We speak Google's ranking API.
#[derive(Clone, Copy, Debug, Default)]
pub struct VertexRerank;

#[derive(Serialize)]
struct Record<'a> {
    id: String,
    content: Cow<'a, str>,
}

impl RerankUpstream for VertexRerank {
    fn format(&self) -> Format {
        Format::VertexRerank
    }

    fn encode(&self, request: &RerankRequest, target: &Target<'_>) -> Result<RerankOutbound, TranslateError> {
        let texts = texts(request)?.into_iter().enumerate();
        let records: Vec<_> = texts.map(|(at, content)| Record { id: at.to_string(), content }).collect();
        let mut body = Members::default();
        body.set("model", target.model)?;
        body.set("query", &request.query)?;
        body.set("records", &records)?;
        body.set_some("topN", request.top_n)?;
        body.set("ignoreRecordDetailsInResponse", &true)?;
        for (name, raw) in extras(request) {
            body.set(name, raw)?;
        }
        let losses = bounds(request, false, false);
        let reader = VertexReader { memory: Memory::of(request, target) };
        Ok(RerankOutbound { body: body.body()?, reader: Box::new(reader), losses })
    }
}

struct VertexReader {
    memory: Memory,
}

#[derive(Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
struct Reply<'a> {
    records: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Row {
    id: String,
    score: f64,
}

impl RerankReader for VertexReader {
    fn read(&self, body: &[u8]) -> Result<RerankResponse, TranslateError> {
        let reply: Reply<'_> =
            serde_json::from_slice(body).map_err(|error| malformed("body", &error.to_string()))?;
        let rows = reply.records.ok_or_else(|| malformed("records", "is required"))?;
        let mut results = Vec::new();
        for (at, raw) in list(rows, "records")?.into_iter().enumerate() {
            let row: Row = object(raw).ok_or_else(|| {
                malformed(format_args!("records[{at}]"), "must be an object with an id and a score")
            })?;
            let index = row.id.parse();
            let index = index.map_err(|_| malformed(format_args!("records[{at}].id"), "was not sent"))?;
            results.push(Ranked { index, relevance_score: row.score, document: None });
        }
        // The reply counts nothing; Google bills a query for each hundred records.
        let usage = Usage { search_units: self.memory.search_units(), ..Usage::default() };
        self.memory.reply(String::new(), results, Some(usage))
    }
}
