//! Google's `groundingMetadata`: where statements of an answer come from, read as citations and written from them.
//!
//! Google counts bytes, everyone else counts characters: a citation of ours holds both.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::chat::Citation;
use crate::format::Format;
use crate::openai_chat::{list, object, text};
use crate::raw::Raw;

#[cfg(test)]
#[path = "grounding_tests.rs"]
mod tests;

/// More citations than this of one answer are not looked at.
const MOST_CITATIONS: usize = 1024;

/// What a `groundingMetadata` object says.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) citations: Vec<Citation>,
    /// Searches of the web that were made.
    pub(super) searches: u64,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
struct Wire<'a> {
    grounding_chunks: Option<&'a RawValue>,
    grounding_supports: Option<&'a RawValue>,
    web_search_queries: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"), rename_all = "camelCase")]
struct Chunk<'a> {
    web: Option<&'a RawValue>,
    retrieved_context: Option<&'a RawValue>,
    maps: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
struct Page<'a> {
    uri: Option<&'a RawValue>,
    title: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
struct Support<'a> {
    segment: Option<&'a RawValue>,
    grounding_chunk_indices: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
struct Segment<'a> {
    start_index: usize,
    end_index: usize,
    text: Option<&'a RawValue>,
}

/// One citation, whole: the source and the statement in Google's words, and where it lies in characters.
#[derive(Serialize)]
struct Whole<'a> {
    chunk: &'a RawValue,
    segment: &'a RawValue,
    #[serde(skip_serializing_if = "Option::is_none")]
    span: Option<(usize, usize)>,
}

/// Reads what grounds `content`, which is the text said so far.
pub(super) fn read(metadata: &RawValue, content: &str) -> Found {
    let wire: Wire<'_> = object(metadata).unwrap_or_default();
    let queries = wire.web_search_queries.and_then(|raw| list(raw, "").ok()).unwrap_or_default();
    let chunks = wire.grounding_chunks.and_then(|raw| list(raw, "").ok()).unwrap_or_default();
    let supports = wire.grounding_supports.and_then(|raw| list(raw, "").ok()).unwrap_or_default();
    let mut citations = Vec::new();
    for support in supports {
        let support: Support<'_> = object(support).unwrap_or_default();
        let (Some(segment), Some(indices)) = (support.segment, support.grounding_chunk_indices) else {
            continue;
        };
        let indices: Vec<usize> = serde_json::from_str(indices.get()).unwrap_or_default();
        let span = object::<Segment<'_>>(segment).and_then(|segment| place(&segment, content));
        let cited = indices.into_iter().filter_map(|index| citation(chunks.get(index)?, segment, span));
        citations.extend(cited.take(MOST_CITATIONS.saturating_sub(citations.len())));
    }
    Found { citations, searches: queries.len() as u64 }
}

fn citation(chunk: &RawValue, segment: &RawValue, span: Option<(usize, usize)>) -> Option<Citation> {
    let kinds: Chunk<'_> = object(chunk)?;
    let page: Page<'_> = object(kinds.web.or(kinds.retrieved_context).or(kinds.maps)?)?;
    let said = |raw: Option<&RawValue>| raw.map(|raw| text(raw).into_owned()).filter(|text| !text.is_empty());
    Some(Citation {
        url: said(page.uri),
        title: said(page.title),
        from: Format::Gemini,
        raw: Raw::of(&Whole { chunk, segment, span }).ok()?,
    })
}

/// Where `segment` lies in `content`, in characters.
fn place(segment: &Segment<'_>, content: &str) -> Option<(usize, usize)> {
    let said = segment.text.map(text).unwrap_or_default();
    let named = content.get(segment.start_index..segment.end_index);
    let start = match named {
        Some(named) if said.is_empty() || named == said => segment.start_index,
        // Bytes are counted within one part of several: the words themselves tell.
        _ if !said.is_empty() => content.find(said.as_ref())?,
        _ => return None,
    };
    let length = if said.is_empty() { named?.len() } else { said.len() };
    let before = content.get(..start)?.chars().count();
    let within = content.get(start..start.checked_add(length)?)?.chars().count();
    Some((before, before + within))
}

#[derive(Deserialize)]
struct Kept<'a> {
    #[serde(borrow)]
    chunk: Option<&'a RawValue>,
    #[serde(borrow)]
    segment: Option<&'a RawValue>,
    span: Option<(usize, usize)>,
}

/// Where the statement that a citation of Google's is for lies in the answer, in characters.
pub(crate) fn span(citation: &Citation) -> Option<(usize, usize)> {
    (citation.from == Format::Gemini).then(|| object::<Kept<'_>>(citation.raw.value())?.span).flatten()
}

/// `groundingMetadata` for a client.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Written {
    grounding_chunks: Vec<Raw>,
    grounding_supports: Vec<WrittenSupport>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WrittenSupport {
    segment: Raw,
    grounding_chunk_indices: Vec<usize>,
}

#[derive(Serialize)]
struct WrittenChunk<'a> {
    web: WrittenPage<'a>,
}

#[derive(Serialize)]
struct WrittenPage<'a> {
    uri: &'a str,
    title: &'a str,
}

/// The sources of an answer, each once, and what they are for; `None` when there is none.
pub(super) fn write<'a>(citations: impl Iterator<Item = &'a Citation>) -> Option<Written> {
    let mut written = Written { grounding_chunks: Vec::new(), grounding_supports: Vec::new() };
    for citation in citations {
        let kept =
            (citation.from == Format::Gemini).then(|| object::<Kept<'_>>(citation.raw.value())).flatten();
        let chunk = kept.as_ref().and_then(|kept| kept.chunk).map(Raw::from).or_else(|| {
            let title = citation.title.as_deref().unwrap_or_default();
            Raw::of(&WrittenChunk { web: WrittenPage { uri: citation.url.as_deref()?, title } }).ok()
        });
        let Some(chunk) = chunk else { continue };
        let chunks = &mut written.grounding_chunks;
        let index = chunks.iter().position(|other| *other == chunk).unwrap_or_else(|| {
            chunks.push(chunk);
            chunks.len() - 1
        });
        let Some(segment) = kept.and_then(|kept| kept.segment).map(Raw::from) else { continue };
        match written.grounding_supports.last_mut().filter(|last| last.segment == segment) {
            Some(last) => last.grounding_chunk_indices.push(index),
            None => {
                let support = WrittenSupport { segment, grounding_chunk_indices: vec![index] };
                written.grounding_supports.push(support);
            }
        }
    }
    (!written.grounding_chunks.is_empty()).then_some(written)
}
