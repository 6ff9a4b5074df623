//! What the rerank formats share: documents as text, what the reader must remember, results put in order.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::Value;

use super::{Document, Ranked, RerankRequest, RerankResponse};
use crate::codec::Target;
use crate::fault::{Loss, TranslateError};
use crate::openai_chat::malformed;
use crate::raw::Raw;
use crate::reply::Usage;

/// What a reader must remember of its request.
pub(super) struct Memory {
    /// How many documents were sent.
    count: usize,
    /// The documents, where the client wants them back.
    documents: Option<Vec<Document>>,
    /// Whether the client does not want them back though the upstream may send them.
    unwanted: bool,
    /// How many results the client wants, where the upstream cannot be told.
    top_n: Option<u32>,
    /// The id for a reply without one.
    id: String,
}

impl Memory {
    pub(super) fn of(request: &RerankRequest, target: &Target<'_>) -> Self {
        Self {
            count: request.documents.len(),
            documents: (request.return_documents == Some(true)).then(|| request.documents.clone()),
            unwanted: request.return_documents == Some(false),
            top_n: request.top_n,
            id: format!("rerank-{}", target.call_id),
        }
    }

    /// Units of search that so many documents are billed as: one for each hundred, says Cohere's price list.
    pub(super) fn search_units(&self) -> u64 {
        self.count.div_ceil(100) as u64
    }

    /// The reply made of `results`: best first, cut to what is wanted, with documents where they are wanted.
    pub(super) fn reply(
        &self,
        id: String,
        mut results: Vec<Ranked>,
        usage: Option<Usage>,
    ) -> Result<RerankResponse, TranslateError> {
        for (at, ranked) in results.iter_mut().enumerate() {
            if ranked.index >= self.count {
                return Err(malformed(format_args!("results[{at}].index"), "there is no such document"));
            }
            if self.unwanted {
                ranked.document = None;
            } else if let (None, Some(sent)) = (&ranked.document, &self.documents) {
                ranked.document = sent.get(ranked.index).map(returned).transpose()?;
            }
        }
        // Stable: of equals, the one sent first stays first.
        results.sort_by(|one, other| other.relevance_score.total_cmp(&one.relevance_score));
        results.truncate(self.top_n.map_or(usize::MAX, |top_n| top_n as usize));
        let id = if id.is_empty() { self.id.clone() } else { id };
        Ok(RerankResponse { id, results, usage })
    }
}

#[derive(Serialize)]
struct Returned<'a> {
    text: &'a str,
}

/// A document as Cohere returns it.
fn returned(document: &Document) -> Result<Raw, TranslateError> {
    match document {
        Document::Text(text) => returned_text(text),
        Document::Object(raw) => Ok(raw.clone()),
    }
}

/// A text as Cohere returns it.
pub(super) fn returned_text(text: &str) -> Result<Raw, TranslateError> {
    Raw::of(&Returned { text }).map_err(|error| malformed("document", &error.to_string()))
}

/// All documents as texts.
pub(super) fn texts(request: &RerankRequest) -> Result<Vec<Cow<'_, str>>, TranslateError> {
    let one = |(at, document)| text(document, &request.rank_fields, &format!("documents[{at}]"));
    request.documents.iter().enumerate().map(one).collect()
}

/// An object is its `text`, or the lines `name: value` of the members that count; of all, where it has no `text`.
fn text<'a>(document: &'a Document, fields: &[String], path: &str) -> Result<Cow<'a, str>, TranslateError> {
    let raw = match document {
        Document::Text(text) => return Ok(Cow::Borrowed(text)),
        Document::Object(raw) => raw,
    };
    let mut members: serde_json::Map<String, Value> =
        serde_json::from_str(raw.text()).map_err(|error| malformed(path, &error.to_string()))?;
    if fields.is_empty()
        && let Some(Value::String(text)) = members.get_mut("text")
    {
        return Ok(Cow::Owned(std::mem::take(text)));
    }
    let line = |(name, value): (&str, &Value)| match value {
        Value::String(text) => format!("{name}: {text}"),
        other => format!("{name}: {other}"),
    };
    let lines: Vec<String> = if fields.is_empty() {
        members.iter().map(|(name, value)| line((name, value))).collect()
    } else {
        fields.iter().filter_map(|name| Some(line((name, members.get(name)?)))).collect()
    };
    if lines.is_empty() {
        return Err(malformed(path, "has none of the members that rank_fields names"));
    }
    Ok(Cow::Owned(lines.join("\n")))
}

/// The fields that are not modelled, without what only keeps books and what is `null`.
pub(super) fn extras(request: &RerankRequest) -> impl Iterator<Item = (&str, &Raw)> {
    let extras = request.extras.iter().map(|(name, raw)| (name.as_str(), raw));
    extras.filter(|(name, raw)| !matches!(*name, "user" | "metadata") && raw.text() != "null")
}

/// The bounds on a document that the upstream cannot be told.
pub(super) fn bounds(request: &RerankRequest, tokens: bool, chunks: bool) -> Vec<Loss> {
    let why = "this provider bounds documents itself";
    [
        (request.max_tokens_per_doc.is_some() && !tokens, "max_tokens_per_doc"),
        (request.max_chunks_per_doc.is_some() && !chunks, "max_chunks_per_doc"),
    ]
    .into_iter()
    .filter(|(lost, _)| *lost)
    .map(|(_, field)| Loss { field: field.to_owned(), why })
    .collect()
}
