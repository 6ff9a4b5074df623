//! Replies in Google's shape: the whole response. Its stream is `stream_writer`'s.

use std::borrow::Cow;

use bytes::Bytes;
use serde::Serialize;

use super::logprobs::{self, LogprobsResult};
use super::part::{FunctionCall, InlineData, Part, Piece};
use super::request::Streamed;
use super::signature::{Held, is_googles, split_id, unmarked};
use super::stream_writer::GeminiStream;
use super::usage::WrittenUsage;
use super::{arguments, finish, grounding};
use crate::chat::{Block, Source};
use crate::codec::{ReplyWriter, Stamp, StreamEncoder};
use crate::format::Format;
use crate::openai_chat::{json, or};
use crate::reply::{ChatResponse, Choice};

/// Writes the reply to one request.
pub(super) struct GeminiWriter {
    /// Whether the client wants to see thoughts.
    pub(super) shows_thoughts: bool,
    pub(super) streamed: Option<Streamed>,
}

impl ReplyWriter for GeminiWriter {
    fn whole(&self, response: &ChatResponse, stamp: &Stamp) -> Bytes {
        let candidates = response.choices.iter().zip(0..);
        json(&Response {
            candidates: candidates.map(|(choice, index)| self.candidate(choice, index)).collect(),
            usage_metadata: Some(WrittenUsage::from(&response.usage.unwrap_or_default())),
            model_version: or(&stamp.model, &response.model),
            response_id: or(&response.id, &stamp.id),
        })
    }

    fn stream(self: Box<Self>, stamp: Stamp) -> Box<dyn StreamEncoder> {
        Box::new(GeminiStream::new(*self, stamp))
    }
}

/// A whole response, or one of a stream.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Response<'a> {
    pub(super) candidates: Vec<Candidate<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) usage_metadata: Option<WrittenUsage>,
    pub(super) model_version: &'a str,
    pub(super) response_id: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Candidate<'a> {
    pub(super) content: Content<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) finish_reason: Option<&'static str>,
    pub(super) index: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) grounding_metadata: Option<grounding::Written>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) logprobs_result: Option<LogprobsResult>,
}

#[derive(Serialize)]
pub(super) struct Content<'a> {
    pub(super) parts: Vec<Piece<'a>>,
    pub(super) role: &'static str,
}

impl<'a> Candidate<'a> {
    pub(super) fn of(index: u32, parts: Vec<Piece<'a>>) -> Self {
        Self {
            content: Content { parts, role: "model" },
            finish_reason: None,
            index,
            grounding_metadata: None,
            logprobs_result: None,
        }
    }
}

impl GeminiWriter {
    fn candidate<'a>(&self, choice: &'a Choice, index: u32) -> Candidate<'a> {
        let mut parts: Vec<Piece<'a>> = Vec::with_capacity(choice.blocks.len());
        for block in &choice.blocks {
            if let Some(signature) = text_signature(block)
                && let Some(Piece::Part(last)) = parts.last_mut()
                && last.is_bare_text()
            {
                last.thought_signature = Some(Cow::Borrowed(signature));
                continue;
            }
            parts.extend(self.piece(block));
        }
        let citations = choice.blocks.iter().filter_map(|block| match block {
            Block::Citation(citation) => Some(citation),
            _ => None,
        });
        let refused = choice.blocks.iter().any(|block| matches!(block, Block::Refusal(_)));
        Candidate {
            finish_reason: choice.stop.map(|stop| finish::write(stop, refused)),
            grounding_metadata: grounding::write(citations),
            logprobs_result: choice.logprobs.as_ref().and_then(logprobs::write),
            ..Candidate::of(index, parts)
        }
    }

    fn piece<'a>(&self, block: &'a Block) -> Option<Piece<'a>> {
        Some(match block {
            Block::Text(text) | Block::Refusal(text) if text.is_empty() => return None,
            Block::Text(text) | Block::Refusal(text) => Part::text(text.as_str()).piece(),
            Block::Thinking { text, signature } => {
                return self.thought(text, signature.as_deref()).map(Part::piece);
            }
            Block::RedactedThinking(data) if self.shows_thoughts => {
                Part::thought("", Some(Cow::Owned(Held::write_redacted(data)))).piece()
            }
            Block::ToolCall { id, name, input } => call(id, name, input).piece(),
            Block::Image { source: Source::Inline { media_type, data }, .. } => {
                let mime_type = Cow::Borrowed(media_type.as_str());
                Part { inline_data: Some(InlineData { mime_type, data }), ..Part::default() }.piece()
            }
            Block::Opaque { from: Format::Gemini, raw } => Piece::Verbatim(raw),
            Block::RedactedThinking(_)
            | Block::Image { .. }
            | Block::Audio { .. }
            | Block::File { .. }
            | Block::Citation(_)
            | Block::CachePoint(_)
            | Block::ToolResult { .. }
            | Block::Opaque { .. } => return None,
        })
    }

    /// Reasoning, as far as the client wants to see it. Signatures of Google's it always needs.
    pub(super) fn thought<'a>(&self, text: &'a str, signature: Option<&str>) -> Option<Part<'a>> {
        let googles = signature.filter(|signature| is_googles(signature));
        let shown = if self.shows_thoughts { text } else { "" };
        match (shown, googles) {
            ("", Some(signature)) if text.is_empty() => {
                Some(Part { thought_signature: Some(Cow::Owned(Held::write(signature))), ..Part::text("") })
            }
            ("", None) if text.is_empty() && self.shows_thoughts && signature.is_some() => {
                Some(Part::thought("", signature.map(|signature| Cow::Owned(Held::write(signature)))))
            }
            ("", None) => None,
            _ => Some(Part::thought(shown, signature.map(|signature| Cow::Owned(Held::write(signature))))),
        }
    }
}

/// The signature of the text before this block.
fn text_signature(block: &Block) -> Option<&str> {
    match block {
        Block::Thinking { text, signature: Some(signature) } if text.is_empty() => unmarked(signature),
        _ => None,
    }
}

/// A call of a function; its signature comes out of its id.
pub(super) fn call<'a>(id: &'a str, name: &'a str, input: &str) -> Part<'a> {
    let (key, signature) = split_id(id);
    let id = (!key.is_empty()).then_some(key);
    let function_call = Some(FunctionCall { id, name, args: arguments::of_call(input), key });
    Part { function_call, thought_signature: signature.map(Cow::Owned), ..Part::default() }
}
