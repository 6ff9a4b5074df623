//! Bedrock's `Rerank` of the agent runtime. Fields that are not modelled are the model's own and go to it.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::ranking::{Memory, bounds, extras, returned_text};
use super::{Document, Ranked, RerankOutbound, RerankReader, RerankRequest, RerankResponse, RerankUpstream};
use crate::codec::Target;
use crate::fault::{Loss, TranslateError};
use crate::format::Format;
use crate::members::Members;
use crate::openai_chat::{list, malformed, object};
use crate::raw::Raw;
use crate::reply::Usage;

/// We speak Bedrock's rerank API. The target's model must be an ARN: the API takes nothing shorter.
#[derive(Clone, Copy, Debug, Default)]
pub struct BedrockRerank;

#[derive(Serialize)]
struct Body<'a> {
    queries: [Query<'a>; 1],
    sources: Vec<Source<'a>>,
    #[serde(rename = "rerankingConfiguration")]
    configuration: Configuration<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Query<'a> {
    r#type: &'static str,
    text_query: Text<'a>,
}

#[derive(Serialize)]
struct Text<'a> {
    text: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Source<'a> {
    r#type: &'static str,
    inline_document_source: Inline<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Inline<'a> {
    r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    text_document: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    json_document: Option<&'a Raw>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Configuration<'a> {
    r#type: &'static str,
    bedrock_reranking_configuration: Bedrock<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Bedrock<'a> {
    model_configuration: Model<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    number_of_results: Option<u32>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Model<'a> {
    model_arn: &'a str,
    #[serde(skip_serializing_if = "Members::is_empty")]
    additional_model_request_fields: Members,
}

impl<'a> From<&'a Document> for Source<'a> {
    fn from(document: &'a Document) -> Self {
        let inline = match document {
            Document::Text(text) => {
                Inline { r#type: "TEXT", text_document: Some(Text { text }), json_document: None }
            }
            Document::Object(raw) => Inline { r#type: "JSON", text_document: None, json_document: Some(raw) },
        };
        Self { r#type: "INLINE", inline_document_source: inline }
    }
}

impl RerankUpstream for BedrockRerank {
    fn format(&self) -> Format {
        Format::BedrockRerank
    }

    fn encode(&self, request: &RerankRequest, target: &Target<'_>) -> Result<RerankOutbound, TranslateError> {
        let mut own = Members::default();
        for (name, raw) in extras(request) {
            own.set(name, raw)?;
        }
        let mut losses = bounds(request, false, false);
        if !request.rank_fields.is_empty() {
            let why = "Bedrock ranks documents by all of their members";
            losses.push(Loss { field: "rank_fields".to_owned(), why });
        }
        let body = Body {
            queries: [Query { r#type: "TEXT", text_query: Text { text: &request.query } }],
            sources: request.documents.iter().map(Source::from).collect(),
            configuration: Configuration {
                r#type: "BEDROCK_RERANKING_MODEL",
                bedrock_reranking_configuration: Bedrock {
                    model_configuration: Model {
                        model_arn: target.model,
                        additional_model_request_fields: own,
                    },
                    number_of_results: request.top_n,
                },
            },
        };
        let body = serde_json::to_vec(&body).map_err(|error| malformed("body", &error.to_string()))?;
        let reader = BedrockReader { memory: Memory::of(request, target) };
        Ok(RerankOutbound { body: body.into(), reader: Box::new(reader), losses })
    }
}

struct BedrockReader {
    memory: Memory,
}

#[derive(Deserialize)]
struct Reply<'a> {
    #[serde(borrow)]
    results: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Row<'a> {
    index: usize,
    relevance_score: f64,
    #[serde(borrow)]
    document: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
struct Returned<'a> {
    text_document: Option<ReturnedText>,
    json_document: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct ReturnedText {
    text: String,
}

impl RerankReader for BedrockReader {
    fn read(&self, body: &[u8]) -> Result<RerankResponse, TranslateError> {
        let reply: Reply<'_> =
            serde_json::from_slice(body).map_err(|error| malformed("body", &error.to_string()))?;
        let rows = reply.results.ok_or_else(|| malformed("results", "is required"))?;
        let mut results = Vec::new();
        for (at, raw) in list(rows, "results")?.into_iter().enumerate() {
            let row: Row<'_> = object(raw).ok_or_else(|| {
                malformed(
                    format_args!("results[{at}]"),
                    "must be an object with an index and a relevanceScore",
                )
            })?;
            let returned: Returned<'_> = row.document.and_then(object).unwrap_or_default();
            let document = match (returned.text_document, returned.json_document) {
                (Some(document), _) => Some(returned_text(&document.text)?),
                (None, json) => json.map(Raw::from),
            };
            results.push(Ranked { index: row.index, relevance_score: row.relevance_score, document });
        }
        // The reply counts nothing; AWS bills a query for each hundred documents.
        let usage = Usage { search_units: self.memory.search_units(), ..Usage::default() };
        self.memory.reply(String::new(), results, Some(usage))
    }
}
