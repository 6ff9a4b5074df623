//! Cohere's rerank format towards the client, v1 and v2 alike: requests read, replies written.

use bytes::Bytes;
use serde::Serialize;
use serde_json::value::RawValue;

use super::relative::Reply;
use super::{Document, Ranked, RerankRequest, RerankResponse};
use crate::codec::Stamp;
use crate::envelope::Envelope;
use crate::fault::TranslateError;
use crate::openai_chat::{Fields, json, list, malformed, or, typed};
use crate::raw::Raw;
use crate::reply::Usage;

/// The meaning of a request body.
///
/// # Errors
/// When the body is not a rerank request; names the field.
pub fn decode(body: &[u8]) -> Result<RerankRequest, TranslateError> {
    let fields = Fields::of_body(body)?;
    let mut request = RerankRequest::default();
    let (mut query, mut given) = (None, None);
    for (name, raw) in &fields.0 {
        match name.as_ref() {
            "model" => request.model = typed(raw, name, "a string")?.unwrap_or_default(),
            "query" => query = typed(raw, name, "a string")?,
            "documents" => given = Some(documents(raw)?),
            "top_n" => request.top_n = positive(raw, name)?,
            "rank_fields" => request.rank_fields = typed(raw, name, "a list of strings")?.unwrap_or_default(),
            "return_documents" => request.return_documents = typed(raw, name, "true or false")?,
            "max_chunks_per_doc" => request.max_chunks_per_doc = positive(raw, name)?,
            "max_tokens_per_doc" => request.max_tokens_per_doc = positive(raw, name)?,
            _ => request.extras.push((name.clone().into_owned(), Raw::from(*raw))),
        }
    }
    request.query = query.ok_or_else(|| malformed("query", "is required"))?;
    request.documents = given
        .filter(|documents| !documents.is_empty())
        .ok_or_else(|| malformed("documents", "is required"))?;
    Ok(request)
}

fn documents(raw: &RawValue) -> Result<Vec<Document>, TranslateError> {
    let one = |(at, raw): (usize, &RawValue)| {
        let path = format!("documents[{at}]");
        if raw.get().starts_with('{') {
            Fields::read(raw, &path)?;
            return Ok(Document::Object(Raw::from(raw)));
        }
        let what = "a string or an object";
        typed(raw, &path, what)?
            .map(Document::Text)
            .ok_or_else(|| malformed(&path, &format!("must be {what}")))
    };
    list(raw, "documents")?.into_iter().enumerate().map(one).collect()
}

fn positive(raw: &RawValue, path: &str) -> Result<Option<u32>, TranslateError> {
    let number: Option<u32> = typed(raw, path, "a whole number above zero")?;
    if number == Some(0) {
        return Err(malformed(path, "must be a whole number above zero"));
    }
    Ok(number)
}

/// Whether `body` says nothing that Cohere's v2 API does not take: neither what v1 had more, nor what keeps books.
#[must_use]
pub fn is_second_version(body: &Envelope) -> bool {
    const STRANGE: [&str; 5] = ["rank_fields", "return_documents", "max_chunks_per_doc", "user", "metadata"];
    let texts = |documents: Vec<&RawValue>| documents.iter().all(|raw| raw.get().starts_with('"'));
    !STRANGE.iter().any(|name| body.has(name)) && body.get("documents").is_some_and(texts)
}

/// What a reply in Cohere's format says it used.
#[must_use]
pub fn usage(reply: &str) -> Option<Usage> {
    let reply: Reply<'_> = serde_json::from_str(reply).ok()?;
    reply.usage()
}

/// The reply's body.
#[must_use]
pub fn write(response: &RerankResponse, stamp: &Stamp) -> Bytes {
    json(&Written {
        id: or(&response.id, &stamp.id),
        results: response.results.iter().map(WrittenResult::from).collect(),
        meta: response.usage.as_ref().map(Meta::from),
    })
}

#[derive(Serialize)]
struct Written<'a> {
    id: &'a str,
    results: Vec<WrittenResult<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    meta: Option<Meta>,
}

#[derive(Serialize)]
struct WrittenResult<'a> {
    index: usize,
    relevance_score: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    document: Option<&'a Raw>,
}

impl<'a> From<&'a Ranked> for WrittenResult<'a> {
    fn from(ranked: &'a Ranked) -> Self {
        let Ranked { index, relevance_score, document } = ranked;
        Self { index: *index, relevance_score: *relevance_score, document: document.as_ref() }
    }
}

#[derive(Serialize)]
struct Meta {
    billed_units: Billed,
    #[serde(skip_serializing_if = "Option::is_none")]
    tokens: Option<Tokens>,
}

/// What is billed: units of search where the provider counts in them, else tokens.
#[derive(Serialize)]
struct Billed {
    #[serde(skip_serializing_if = "Option::is_none")]
    search_units: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    total_tokens: Option<u64>,
}

#[derive(Serialize)]
struct Tokens {
    input_tokens: u64,
    output_tokens: u64,
}

impl From<&Usage> for Meta {
    fn from(usage: &Usage) -> Self {
        let total = usage.input.saturating_add(usage.output);
        let some = |count: u64| (count > 0).then_some(count);
        let search_units = some(usage.search_units);
        Self {
            billed_units: Billed {
                search_units,
                total_tokens: some(total).filter(|_| search_units.is_none()),
            },
            tokens: some(total).map(|_| Tokens { input_tokens: usage.input, output_tokens: usage.output }),
        }
    }
}
