//! Reranking: documents ordered by what they say to a question. The canonical request and reply, and the formats.
//!
//! Callers speak Cohere's format ([`decode`], [`write`]). Same-format traffic is spliced and does not come here.
//! Towards the upstream, [`upstream`] gives the format's half of the seam:
//!
//! | of the request | Cohere | v1 | Jina | Voyage | Together | vLLM, Infinity | Bedrock | Hugging Face, DeepInfra, NVIDIA | Vertex AI |
//! | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
//! | documents that are objects | as text | as they are | as text | as text | as they are | as text | as they are | as text | as text |
//! | `top_n` | same | same | same | `top_k` | same | same | `numberOfResults` | cut by the reader | `topN` |
//! | `max_tokens_per_doc` | same | loss | loss | loss | loss | loss | loss | loss | loss |
//! | `max_chunks_per_doc` | loss | same | loss | loss | loss | loss | loss | loss | loss |
//!
//! `return_documents` is kept everywhere: where the upstream cannot, the reader puts back what was sent.

mod bedrock;
mod client;
mod codec;
mod deep_infra;
mod hugging_face;
mod nvidia;
mod ranking;
mod relative;
mod vertex;

pub use bedrock::BedrockRerank;
pub use client::{decode, is_second_version, usage, write};
pub use codec::{RerankOutbound, RerankReader, RerankUpstream};
pub use deep_infra::DeepInfraRerank;
pub use hugging_face::HuggingFaceRerank;
pub use nvidia::NvidiaRerank;
pub use relative::Relative;
pub use vertex::VertexRerank;

use crate::format::Format;
use crate::raw::Raw;
use crate::reply::Usage;

#[cfg(test)]
#[path = "rerank_tests.rs"]
mod tests;

/// Documents to be ordered.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RerankRequest {
    /// The model as the upstream knows it (or, fresh from a client, as the client named it).
    pub model: String,
    /// The question.
    pub query: String,
    /// What may answer it.
    pub documents: Vec<Document>,
    /// How many of the best are wanted; all where absent.
    pub top_n: Option<u32>,
    /// The members of documents that count, in this order; `text` where empty.
    pub rank_fields: Vec<String>,
    /// Whether the documents are wanted back; absent means as the upstream likes.
    pub return_documents: Option<bool>,
    /// Into how many pieces a long document is cut at most.
    pub max_chunks_per_doc: Option<u32>,
    /// How many tokens of a document are read at most.
    pub max_tokens_per_doc: Option<u32>,
    /// Top-level fields that are not modelled, verbatim and in order.
    pub extras: Vec<(String, Raw)>,
}

/// One document.
#[derive(Clone, Debug, PartialEq)]
pub enum Document {
    /// A text.
    Text(String),
    /// A JSON object, verbatim.
    Object(Raw),
}

/// The documents in their order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RerankResponse {
    /// The provider's id, or one derived from the call.
    pub id: String,
    /// The results, best first.
    pub results: Vec<Ranked>,
    /// What it used, if the provider said: tokens, or units of search.
    pub usage: Option<Usage>,
}

/// A document's place.
#[derive(Clone, Debug, PartialEq)]
pub struct Ranked {
    /// The document's index in the request.
    pub index: usize,
    /// How much it says to the question; the scale is the model's.
    pub relevance_score: f64,
    /// The document as an object, where it is wanted back: a text is its member `text`.
    pub document: Option<Raw>,
}

const UPSTREAMS: [&dyn RerankUpstream; 12] = [
    &Relative::COHERE,
    &Relative::COHERE_V1,
    &Relative::JINA,
    &Relative::VOYAGE,
    &Relative::TOGETHER,
    &Relative::VLLM,
    &Relative::INFINITY,
    &BedrockRerank,
    &HuggingFaceRerank,
    &DeepInfraRerank,
    &NvidiaRerank,
    &VertexRerank,
];

/// The upstream side of `format`, if that is a format of reranking.
#[must_use]
pub fn upstream(format: Format) -> Option<&'static dyn RerankUpstream> {
    UPSTREAMS.into_iter().find(|upstream| upstream.format() == format)
}
