//! What a request for a ranking may hold, vendor by vendor, from their references.

use serde_json::Value;

use super::prompt::Prompt;
use super::rerank::Rerank;
use super::rules::{Checked, Flaw, Kind, POSITIVE, Rejection, Shape, at, ensure, has, items, list, shaped};

/// Cohere's limit on one call.
const MOST_DOCUMENTS: usize = 10_000;
const COMMON: &[&str] = &["model", "query", "documents"];
const COHERE: &Shape = &[
    ("model", Kind::Text),
    ("query", Kind::Text),
    ("documents", Kind::Texts),
    ("top_n", POSITIVE),
    ("max_tokens_per_doc", POSITIVE),
    ("priority", Kind::Integer(0, i64::MAX)),
];
const COHERE_V1: &Shape = &[
    ("model", Kind::Text),
    ("query", Kind::Text),
    ("documents", Kind::List),
    ("top_n", POSITIVE),
    ("rank_fields", Kind::Texts),
    ("return_documents", Kind::Flag),
    ("max_chunks_per_doc", POSITIVE),
];
const COHERE_ON_BEDROCK: &Shape = &[
    ("query", Kind::Text),
    ("documents", Kind::List),
    ("top_n", POSITIVE),
    ("api_version", POSITIVE),
    ("return_documents", Kind::Flag),
    ("rank_fields", Kind::Texts),
    ("max_chunks_per_doc", POSITIVE),
    ("max_tokens_per_doc", POSITIVE),
];
const BEDROCK: &Shape = &[
    ("queries", Kind::List),
    ("sources", Kind::List),
    ("rerankingConfiguration", Kind::Object),
    ("nextToken", Kind::Text),
];
const JINA: &Shape = &[
    ("model", Kind::Text),
    ("query", Kind::TextOrObject),
    ("documents", Kind::List),
    ("top_n", POSITIVE),
    ("return_documents", Kind::Flag),
    ("truncation", Kind::Any),
    ("max_doc_length", POSITIVE),
    ("max_query_length", POSITIVE),
    ("return_embeddings", Kind::Flag),
];
const VOYAGE: &Shape = &[
    ("model", Kind::Text),
    ("query", Kind::Text),
    ("documents", Kind::Texts),
    ("top_k", POSITIVE),
    ("return_documents", Kind::Flag),
    ("truncation", Kind::Flag),
];
const TOGETHER: &Shape = &[
    ("model", Kind::Text),
    ("query", Kind::Text),
    ("documents", Kind::List),
    ("top_n", POSITIVE),
    ("return_documents", Kind::Flag),
    ("rank_fields", Kind::Texts),
];
const INFINITY: &Shape = &[
    ("model", Kind::Text),
    ("query", Kind::Text),
    ("documents", Kind::Texts),
    ("top_n", POSITIVE),
    ("return_documents", Kind::Flag),
    ("raw_scores", Kind::Flag),
];
const TEI: &Shape = &[
    ("query", Kind::Text),
    ("texts", Kind::Texts),
    ("raw_scores", Kind::Flag),
    ("return_text", Kind::Flag),
    ("truncate", Kind::Flag),
    ("truncation_direction", Kind::OneOf(&["Left", "Right"])),
];

impl Rerank {
    fn shape(self) -> (&'static Shape, &'static [&'static str]) {
        match self {
            Self::Cohere => (COHERE, COMMON),
            Self::CohereV1 => (COHERE_V1, &["query", "documents"]),
            Self::CohereOnBedrock => (COHERE_ON_BEDROCK, &["query", "documents"]),
            Self::Bedrock => (BEDROCK, &["queries", "sources", "rerankingConfiguration"]),
            Self::Jina => (JINA, COMMON),
            Self::Voyage => (VOYAGE, COMMON),
            Self::Together => (TOGETHER, COMMON),
            Self::Infinity => (INFINITY, &["query", "documents"]),
            Self::Tei => (TEI, &["query", "texts"]),
        }
    }

    pub(crate) fn check(self, prompt: &Prompt) -> Checked {
        let body = &prompt.body;
        let (shape, required) = self.shape();
        shaped(body, "", shape, required)?;
        let sources =
            ["documents", "texts", "sources"].into_iter().find(|name| has(body, name)).unwrap_or_default();
        let count = list(&body[sources]).len();
        ensure(count > 0, sources, format!("invalid request: {sources} must not be empty"))?;
        ensure(count <= MOST_DOCUMENTS, sources, format!("invalid request: too many {sources}"))?;
        if self == Self::Bedrock {
            return check_bedrock(body);
        }
        for (path, document) in items(&body[sources], sources) {
            let flat = document.is_string() || document.is_object();
            ensure(
                flat,
                &path,
                format!("invalid type: parameter {path} should be of type string or object."),
            )?;
        }
        Ok(())
    }
}

fn check_bedrock(body: &Value) -> Checked {
    let nested = |path: &str| {
        body.pointer(&format!("/{}", path.replace('.', "/"))).is_some_and(|value| !value.is_null())
    };
    let configured = "rerankingConfiguration.bedrockRerankingConfiguration.modelConfiguration.modelArn";
    for path in ["queries.0.textQuery.text", configured, "rerankingConfiguration.type"] {
        if !nested(path) {
            return Err(Rejection::new(path, Flaw::Missing));
        }
    }
    for (path, source) in items(&body["sources"], "sources") {
        shaped(
            source,
            &path,
            &[("type", Kind::OneOf(&["INLINE"])), ("inlineDocumentSource", Kind::Object)],
            &["type", "inlineDocumentSource"],
        )?;
        let kinds = ("type", Kind::OneOf(&["TEXT", "JSON"]));
        let shape = [kinds, ("textDocument", Kind::Object), ("jsonDocument", Kind::Object)];
        shaped(&source["inlineDocumentSource"], &at(&path, "inlineDocumentSource"), &shape, &["type"])?;
    }
    Ok(())
}
