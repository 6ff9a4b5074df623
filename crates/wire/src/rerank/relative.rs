//! Cohere's rerank API and its relatives: Jina, Voyage, Together, vLLM, Infinity. They differ in a few words, and
//! their replies in where the counts stand.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::ranking::{Memory, bounds, extras, returned_text, texts};
use super::{Document, Ranked, RerankOutbound, RerankReader, RerankRequest, RerankResponse, RerankUpstream};
use crate::codec::Target;
use crate::fault::TranslateError;
use crate::format::Format;
use crate::members::Members;
use crate::openai_chat::{list, malformed, object, text, usage};
use crate::raw::Raw;
use crate::reply::Usage;

/// We speak the rerank API of Cohere or of one of its relatives to it.
#[derive(Clone, Copy, Debug)]
pub struct Relative {
    format: Format,
    /// The name of `top_n`.
    top: &'static str,
    /// Whether documents may be objects, with `rank_fields`.
    objects: bool,
    /// Whether it can be told to return the documents, or not to.
    returns: bool,
    /// Whether it takes `max_tokens_per_doc`.
    tokens: bool,
    /// Whether it takes `max_chunks_per_doc`.
    chunks: bool,
    /// Whether it bills units of search.
    units: bool,
}

impl Relative {
    /// Cohere.
    pub const COHERE: Self = Self {
        format: Format::CohereRerank,
        top: "top_n",
        objects: false,
        returns: false,
        tokens: true,
        chunks: false,
        units: true,
    };
    /// Cohere's older API.
    pub const COHERE_V1: Self = Self {
        format: Format::CohereRerankV1,
        objects: true,
        returns: true,
        tokens: false,
        chunks: true,
        ..Self::COHERE
    };
    /// Jina.
    pub const JINA: Self = Self {
        format: Format::JinaRerank,
        top: "top_n",
        objects: false,
        returns: true,
        tokens: false,
        chunks: false,
        units: false,
    };
    /// Voyage.
    pub const VOYAGE: Self = Self { format: Format::VoyageRerank, top: "top_k", ..Self::JINA };
    /// Together.
    pub const TOGETHER: Self = Self { format: Format::TogetherRerank, objects: true, ..Self::JINA };
    /// vLLM, which always returns the documents.
    pub const VLLM: Self = Self { format: Format::VllmRerank, returns: false, ..Self::JINA };
    /// Infinity.
    pub const INFINITY: Self = Self { format: Format::InfinityRerank, ..Self::JINA };
}

impl RerankUpstream for Relative {
    fn format(&self) -> Format {
        self.format
    }

    fn encode(&self, request: &RerankRequest, target: &Target<'_>) -> Result<RerankOutbound, TranslateError> {
        let mut body = Members::default();
        body.set("model", target.model)?;
        body.set("query", &request.query)?;
        if self.objects {
            body.set("documents", &request.documents)?;
            body.set_some("rank_fields", (!request.rank_fields.is_empty()).then_some(&request.rank_fields))?;
        } else {
            body.set("documents", &texts(request)?)?;
        }
        for (name, raw) in extras(request) {
            body.set(name, raw)?;
        }
        body.set_some(self.top, request.top_n)?;
        body.set_some("return_documents", request.return_documents.filter(|_| self.returns))?;
        body.set_some("max_tokens_per_doc", request.max_tokens_per_doc.filter(|_| self.tokens))?;
        body.set_some("max_chunks_per_doc", request.max_chunks_per_doc.filter(|_| self.chunks))?;
        let losses = bounds(request, self.tokens, self.chunks);
        let reader = RelativeReader { memory: Memory::of(request, target), units: self.units };
        Ok(RerankOutbound { body: body.body()?, reader: Box::new(reader), losses })
    }
}

impl serde::Serialize for Document {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => serializer.serialize_str(text),
            Self::Object(raw) => raw.serialize(serializer),
        }
    }
}

struct RelativeReader {
    memory: Memory,
    units: bool,
}

#[derive(Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(super) struct Reply<'a> {
    id: Option<&'a RawValue>,
    results: Option<&'a RawValue>,
    /// Voyage's name for the results.
    data: Option<&'a RawValue>,
    meta: Option<&'a RawValue>,
    usage: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
struct Row<'a> {
    index: Option<usize>,
    relevance_score: Option<f64>,
    document: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
struct Meta<'a> {
    billed_units: Option<&'a RawValue>,
    tokens: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Counts {
    search_units: f64,
    total_tokens: f64,
    input_tokens: f64,
    output_tokens: f64,
}

impl RerankReader for RelativeReader {
    fn read(&self, body: &[u8]) -> Result<RerankResponse, TranslateError> {
        let reply: Reply<'_> =
            serde_json::from_slice(body).map_err(|error| malformed("body", &error.to_string()))?;
        let rows = reply.results.or(reply.data).ok_or_else(|| malformed("results", "is required"))?;
        let mut results = Vec::new();
        for (at, raw) in list(rows, "results")?.into_iter().enumerate() {
            let path = format!("results[{at}]");
            let row: Row<'_> =
                object(raw).ok_or_else(|| malformed(&path, "must be an object with an index and a score"))?;
            let index = row.index.ok_or_else(|| malformed(format_args!("{path}.index"), "is required"))?;
            let score = row.relevance_score;
            let relevance_score =
                score.ok_or_else(|| malformed(format_args!("{path}.relevance_score"), "is required"))?;
            results.push(Ranked { index, relevance_score, document: document(row.document)? });
        }
        let id = reply.id.map(text).unwrap_or_default().into_owned();
        let mut usage = reply.usage();
        if self.units && usage.is_none_or(|usage| usage.search_units == 0) {
            let search_units = self.memory.search_units();
            usage = Some(Usage { search_units, ..usage.unwrap_or_default() });
        }
        self.memory.reply(id, results, usage)
    }
}

impl Reply<'_> {
    /// What it says was used.
    pub(super) fn usage(&self) -> Option<Usage> {
        if let Some(usage) = self.usage.and_then(usage::read) {
            return Some(usage);
        }
        let meta: Meta<'_> = self.meta.and_then(object).unwrap_or_default();
        let billed: Counts = meta.billed_units.and_then(object).unwrap_or_default();
        let tokens: Counts = meta.tokens.and_then(object).unwrap_or_default();
        // Cohere writes counts as floating-point numbers; a cast saturates.
        let usage = Usage {
            input: tokens.input_tokens.max(billed.total_tokens) as u64,
            output: tokens.output_tokens as u64,
            search_units: billed.search_units as u64,
            ..Usage::default()
        };
        (usage != Usage::default()).then_some(usage)
    }
}

/// A returned document as an object. Voyage returns the text itself.
fn document(raw: Option<&RawValue>) -> Result<Option<Raw>, TranslateError> {
    match raw.filter(|raw| raw.get() != "null") {
        Some(raw) if raw.get().starts_with('"') => returned_text(&text(raw)).map(Some),
        other => Ok(other.map(Raw::from)),
    }
}
