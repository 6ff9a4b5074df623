//! Sources of other formats as Anthropic's clients know them.
//!
//! | the source | here |
//! | --- | --- |
//! | a page of the web | `web_search_result_location` |
//! | a place in a document that Converse names | `char_location`, `page_location`, `content_block_location` |
//! | anything else that has a name | `search_result_location`, whose numbers nobody gave: they are 0 |

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::chat::Citation;
use crate::format::Format;
use crate::openai_chat::{list, object, text};
use crate::raw::Raw;

#[cfg(test)]
#[path = "cited_tests.rs"]
mod tests;

/// `citation` as Anthropic writes it; `None` when nothing names the source.
pub(super) fn source(citation: &Citation) -> Option<Cow<'_, Raw>> {
    if citation.from == Format::AnthropicMessages {
        return Some(Cow::Borrowed(&citation.raw));
    }
    let title = citation.title.as_deref();
    let raw = match &citation.url {
        Some(url) => Raw::of(&Page {
            r#type: "web_search_result_location",
            url,
            title: title.unwrap_or_default(),
            cited_text: "",
            encrypted_index: "",
        }),
        None => match place(citation) {
            Some(place) => Raw::of(&place),
            None => Raw::of(&Found {
                r#type: "search_result_location",
                source: &name(citation)?,
                title,
                cited_text: &cited_text(citation),
                search_result_index: 0,
                start_block_index: 0,
                end_block_index: 0,
            }),
        },
    };
    raw.ok().map(Cow::Owned)
}

#[derive(Serialize)]
struct Page<'a> {
    r#type: &'static str,
    url: &'a str,
    title: &'a str,
    cited_text: &'static str,
    encrypted_index: &'static str,
}

#[derive(Serialize)]
struct Found<'a> {
    r#type: &'static str,
    source: &'a str,
    title: Option<&'a str>,
    cited_text: &'a str,
    search_result_index: u64,
    start_block_index: u64,
    end_block_index: u64,
}

/// A place in a document. Which pair of numbers is written depends on the kind of place.
#[derive(Default, Serialize)]
struct Place<'a> {
    r#type: &'static str,
    cited_text: String,
    document_index: u64,
    document_title: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    start_char_index: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_char_index: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    start_page_number: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_page_number: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    start_block_index: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_block_index: Option<u64>,
}

/// What the formats say about a source. None of them says all of it.
#[derive(Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
struct Wire<'a> {
    location: Option<&'a RawValue>,
    #[serde(rename = "sourceContent")]
    source_content: Option<&'a RawValue>,
    source: Option<&'a RawValue>,
    sources: Option<&'a RawValue>,
    filename: Option<&'a RawValue>,
    file_id: Option<&'a RawValue>,
    id: Option<&'a RawValue>,
    text: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
struct Location<'a> {
    document_char: Option<&'a RawValue>,
    document_page: Option<&'a RawValue>,
    document_chunk: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Span {
    document_index: u64,
    start: u64,
    end: u64,
}

/// The place in a document that Converse names.
fn place(citation: &Citation) -> Option<Place<'_>> {
    if citation.from != Format::BedrockConverse {
        return None;
    }
    let location: Location<'_> = wire(citation).location.and_then(object)?;
    let place = |r#type, document_index| Place {
        r#type,
        cited_text: cited_text(citation),
        document_index,
        document_title: citation.title.as_deref(),
        ..Place::default()
    };
    let span = |raw: Option<&RawValue>| raw.and_then(object::<Span>);
    if let Some(Span { document_index, start, end }) = span(location.document_char) {
        let place = place("char_location", document_index);
        return Some(Place { start_char_index: Some(start), end_char_index: Some(end), ..place });
    }
    if let Some(Span { document_index, start, end }) = span(location.document_page) {
        let place = place("page_location", document_index);
        return Some(Place { start_page_number: Some(start), end_page_number: Some(end), ..place });
    }
    let Span { document_index, start, end } = span(location.document_chunk)?;
    let place = place("content_block_location", document_index);
    Some(Place { start_block_index: Some(start), end_block_index: Some(end), ..place })
}

fn wire(citation: &Citation) -> Wire<'_> {
    object(citation.raw.value()).unwrap_or_default()
}

fn said(raw: Option<&RawValue>) -> Option<String> {
    raw.map(|raw| text(raw).into_owned()).filter(|text| !text.is_empty())
}

/// What the source is called.
fn name(citation: &Citation) -> Option<String> {
    let wire = wire(citation);
    let id = || {
        let sources = wire.sources.and_then(|raw| list(raw, "").ok()).unwrap_or_default();
        sources.first().and_then(|raw| said(object::<Wire<'_>>(raw)?.id))
    };
    said(wire.source)
        .or_else(|| said(wire.file_id))
        .or_else(|| said(wire.filename))
        .or_else(|| citation.title.clone())
        .or_else(id)
}

/// What the source says, as far as the reply repeats it.
fn cited_text(citation: &Citation) -> String {
    let parts = wire(citation).source_content.and_then(|raw| list(raw, "").ok()).unwrap_or_default();
    parts.into_iter().filter_map(|raw| said(object::<Wire<'_>>(raw)?.text)).collect()
}
