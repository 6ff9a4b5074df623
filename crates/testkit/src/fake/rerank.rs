//! Rankings: documents in the order of the words that they share with the query, in each vendor's shape.

use serde_json::{Value, json};

use super::embedding::vector;
use super::prompt::{Prompt, count_words};
use super::rules::list;
use super::script::Script;
use super::vendor::Vendor;

/// Wide enough that different words rarely meet in one cell.
const DIMENSIONS: usize = 1024;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rerank {
    /// Version 2.
    Cohere,
    CohereV1,
    CohereOnBedrock,
    /// The agent runtime's own call.
    Bedrock,
    Jina,
    Voyage,
    Together,
    Infinity,
    Tei,
}

impl Rerank {
    pub(crate) fn of(path: &str, model: &str, body: &Value) -> Option<Self> {
        if !path.ends_with("/rerank") {
            return None;
        }
        if path.ends_with("/v2/rerank") {
            return Some(Self::Cohere);
        }
        Some(match Vendor::of(path, model) {
            Some(Vendor::Jina) => Self::Jina,
            Some(Vendor::Voyage) => Self::Voyage,
            Some(Vendor::Together) => Self::Together,
            Some(Vendor::Infinity) => Self::Infinity,
            Some(Vendor::Tei) => Self::Tei,
            None if body.get("texts").is_some() => Self::Tei,
            None if !path.ends_with("/v1/rerank") => Self::Infinity,
            Some(Vendor::Bedrock | Vendor::Cohere) | None => Self::CohereV1,
        })
    }

    pub(crate) fn vendor(self) -> Vendor {
        match self {
            Self::Cohere | Self::CohereV1 => Vendor::Cohere,
            Self::CohereOnBedrock | Self::Bedrock => Vendor::Bedrock,
            Self::Jina => Vendor::Jina,
            Self::Voyage => Vendor::Voyage,
            Self::Together => Vendor::Together,
            Self::Infinity => Vendor::Infinity,
            Self::Tei => Vendor::Tei,
        }
    }

    pub(crate) fn reply(self, script: &Script, prompt: &Prompt, index: u64) -> Value {
        let asked = Asked::read(&prompt.body, self);
        let words = count_words(&asked.query) + asked.texts.iter().map(|text| count_words(text)).sum::<u64>();
        let scored = asked.ranked();
        let returns =
            |default: bool| prompt.body.get("return_documents").and_then(Value::as_bool).unwrap_or(default);
        let rows = |score: &str, document: &dyn Fn(&str) -> Option<(&'static str, Value)>| -> Vec<Value> {
            let row = |(index, relevance): &(usize, f32)| {
                let mut row = json!({"index": index, score: relevance});
                if let Some((name, value)) = asked.texts.get(*index).and_then(|text| document(text)) {
                    row[name] = value;
                }
                row
            };
            scored.iter().map(row).collect()
        };
        let wrapped =
            |default: bool| move |text: &str| returns(default).then(|| ("document", json!({"text": text})));
        let plain = |text: &str| returns(false).then(|| ("document", json!(text)));
        let id = format!("rerank-fake-{index}");
        let (model, total) = (&prompt.model, json!({"total_tokens": words}));
        let (mut reply, usage) = match self {
            Self::Cohere | Self::CohereV1 => {
                let version = if self == Self::Cohere { "2" } else { "1" };
                let meta = json!({"api_version": {"version": version}, "billed_units": {"search_units": 1}});
                (json!({"id": id, "results": rows("relevance_score", &wrapped(false)), "meta": meta}), None)
            }
            Self::CohereOnBedrock => (json!({"results": rows("relevance_score", &wrapped(false))}), None),
            Self::Bedrock => (json!({"results": rows("relevanceScore", &|_| None)}), None),
            Self::Jina => (
                json!({"model": model, "object": "list", "results": rows("relevance_score", &wrapped(true))}),
                Some(total),
            ),
            Self::Voyage => (
                json!({"object": "list", "data": rows("relevance_score", &plain), "model": model}),
                Some(total),
            ),
            Self::Together => {
                let usage = json!({"prompt_tokens": words, "completion_tokens": 0, "total_tokens": words});
                (
                    json!({"object": "rerank", "id": id, "model": model, "results": rows("relevance_score", &wrapped(false))}),
                    Some(usage),
                )
            }
            Self::Infinity => {
                let usage = json!({"prompt_tokens": words, "total_tokens": words});
                (
                    json!({"object": "rerank", "id": id, "model": model, "created": super::draft::CREATED, "results": rows("relevance_score", &plain)}),
                    Some(usage),
                )
            }
            Self::Tei => {
                let with_text = prompt.body["return_text"] == true;
                return json!(rows("score", &|text| with_text.then(|| ("text", json!(text)))));
            }
        };
        if let Some(usage) = script.usage.clone().or(usage).filter(|_| !script.no_usage) {
            reply["usage"] = usage;
        }
        reply
    }
}

/// A request for a ranking without its vendor.
struct Asked {
    query: String,
    texts: Vec<String>,
    most: usize,
}

impl Asked {
    fn read(body: &Value, rerank: Rerank) -> Self {
        let text = |value: &Value| match value {
            Value::String(text) => text.clone(),
            other => {
                other.get("text").and_then(Value::as_str).map_or_else(|| other.to_string(), str::to_owned)
            }
        };
        let (query, texts, most) = match rerank {
            Rerank::Bedrock => {
                let source = |source: &Value| text(&source["inlineDocumentSource"]["textDocument"]);
                let most =
                    body.pointer("/rerankingConfiguration/bedrockRerankingConfiguration/numberOfResults");
                (
                    text(&body["queries"][0]["textQuery"]),
                    list(&body["sources"]).iter().map(source).collect(),
                    most,
                )
            }
            Rerank::Tei => (text(&body["query"]), list(&body["texts"]).iter().map(text).collect(), None),
            _ => {
                let most = body.get("top_n").or_else(|| body.get("top_k"));
                (text(&body["query"]), list(&body["documents"]).iter().map(text).collect(), most)
            }
        };
        let most = most.and_then(Value::as_u64).and_then(|most| usize::try_from(most).ok());
        Self { query, texts, most: most.unwrap_or(usize::MAX) }
    }

    /// Places and scores from 0 to 1, best first, equal ones in the order given.
    fn ranked(&self) -> Vec<(usize, f32)> {
        let query = vector(&self.query, DIMENSIONS);
        let score = |text: &String| {
            let cosine: f32 =
                vector(text, DIMENSIONS).iter().zip(&query).map(|(text, query)| text * query).sum();
            // Four digits, as the vendors give: sums of floats must not depend on the machine.
            (cosine.clamp(0.0, 1.0) * 10_000.0).round() / 10_000.0
        };
        let mut scored: Vec<(usize, f32)> = self.texts.iter().map(score).enumerate().collect();
        scored.sort_by(|(_, one), (_, other)| other.total_cmp(one));
        scored.truncate(self.most);
        scored
    }
}
