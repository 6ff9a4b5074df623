//! What a reply in OpenAI's shape says beside its content: signed reasoning, sources, blocks of another format.

use serde::Serialize;

use super::chunk::object;
use crate::anthropic_messages::block_type;
use crate::chat::Citation;
use crate::format::Format;
use crate::gemini;
use crate::raw::Raw;

/// A block of reasoning, to be sent back as it is.
#[derive(Serialize)]
pub(super) struct ThinkingBlock<'a> {
    r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    thinking: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    signature: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a str>,
}

impl<'a> ThinkingBlock<'a> {
    pub(super) fn signed(thinking: &'a str, signature: &'a str) -> Self {
        Self { r#type: "thinking", thinking: Some(thinking), signature: Some(signature), data: None }
    }

    pub(super) fn redacted(data: &'a str) -> Self {
        Self { r#type: "redacted_thinking", thinking: None, signature: None, data: Some(data) }
    }
}

/// A source as OpenAI writes it.
pub(super) enum Annotation<'a> {
    Verbatim(&'a Raw),
    Page(Page<'a>),
}

#[derive(Serialize)]
pub(super) struct Page<'a> {
    r#type: &'static str,
    url_citation: UrlCitation<'a>,
}

#[derive(Serialize)]
struct UrlCitation<'a> {
    start_index: usize,
    end_index: usize,
    title: &'a str,
    url: &'a str,
}

impl<'a> Annotation<'a> {
    /// `span` is where the text that `citation` supports lies in the content, in characters. A source that is
    /// no page has no place among OpenAI's annotations.
    pub(super) fn of(citation: &'a Citation, span: (usize, usize)) -> Option<Self> {
        if citation.from == Format::OpenAiChat {
            return Some(Annotation::Verbatim(&citation.raw));
        }
        let said = gemini::span(citation).or_else(|| cohere_span(citation));
        let (start_index, end_index) = said.unwrap_or(span);
        let title = citation.title.as_deref().unwrap_or_default();
        let url_citation = UrlCitation { start_index, end_index, title, url: citation.url.as_deref()? };
        Some(Annotation::Page(Page { r#type: "url_citation", url_citation }))
    }
}

/// Cohere says itself where in the content the text lies, in characters.
fn cohere_span(citation: &Citation) -> Option<(usize, usize)> {
    #[derive(serde::Deserialize)]
    struct Span {
        start: usize,
        end: usize,
    }
    let raw = (citation.from == Format::CohereChat).then_some(&citation.raw)?;
    let span: Span = object(raw.value())?;
    Some((span.start, span.end))
}

/// The citation as its provider wrote it, for the formats whose citations say more than an annotation can.
pub(super) fn provider_citation(citation: &Citation) -> Option<&Raw> {
    matches!(citation.from, Format::AnthropicMessages | Format::CohereChat).then_some(&citation.raw)
}

impl Serialize for Annotation<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Annotation::Verbatim(raw) => raw.serialize(serializer),
            Annotation::Page(page) => page.serialize(serializer),
        }
    }
}

/// What only one provider says, where LiteLLM's clients look for it.
#[derive(Default, PartialEq, Serialize)]
pub(super) struct ProviderFields<'a> {
    /// One list for each text that has sources.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) citations: Vec<Vec<&'a Raw>>,
    /// One source, in a stream.
    #[serde(skip_serializing_if = "Option::is_none")]
    citation: Option<&'a Raw>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    server_tool_use: Vec<&'a Raw>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    web_search_results: Vec<&'a Raw>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_results: Vec<&'a Raw>,
}

impl<'a> ProviderFields<'a> {
    /// Adds a block of Anthropic's that OpenAI has no word for.
    pub(super) fn push(&mut self, raw: &'a Raw) {
        match block_type(raw).as_str() {
            "server_tool_use" | "mcp_tool_use" => self.server_tool_use.push(raw),
            "web_search_tool_result" => self.web_search_results.push(raw),
            _ => self.tool_results.push(raw),
        }
    }

    /// One source, in a stream.
    pub(super) fn of_citation(citation: &'a Citation) -> Option<Self> {
        Some(Self { citation: Some(provider_citation(citation)?), ..Self::default() })
    }

    pub(super) fn some(self) -> Option<Self> {
        (self != Self::default()).then_some(self)
    }
}
