//! Replies in Anthropic's shape: the whole message. Its stream is `stream_writer`'s. There is one answer: what a
//! provider says in further choices has no place, and no request in this format can ask for them.

use std::borrow::Cow;

use bytes::Bytes;
use serde::Serialize;

use super::block::{self, Piece, WireBlock};
use super::stream_writer::MessagesStream;
use super::usage::WrittenUsage;
use super::{cited, finish};
use crate::chat::Block;
use crate::codec::{ReplyWriter, Stamp, StreamEncoder};
use crate::format::Format;
use crate::openai_chat::{json, or};
use crate::reply::{ChatResponse, Stop};

/// Writes the reply to one request.
pub(super) struct MessagesWriter;

impl ReplyWriter for MessagesWriter {
    fn whole(&self, response: &ChatResponse, stamp: &Stamp) -> Bytes {
        let choice = response.choices.first();
        let blocks = choice.map(|choice| choice.blocks.as_slice()).unwrap_or_default();
        let refused = blocks.iter().any(|block| matches!(block, Block::Refusal(_)));
        let called = blocks.iter().any(|block| matches!(block, Block::ToolCall { .. }));
        let stop_sequence = choice.and_then(|choice| choice.stop_text.as_deref());
        let stop = choice.and_then(|choice| choice.stop);
        json(&Message {
            id: &message_id(or(&response.id, &stamp.id)),
            r#type: "message",
            role: "assistant",
            model: or(&stamp.model, &response.model),
            content: pieces(blocks),
            stop_reason: stop.map(|stop| stop_reason(stop, called, refused, stop_sequence.is_some())),
            stop_sequence,
            usage: WrittenUsage::from(&response.usage.unwrap_or_default()),
        })
    }

    fn stream(self: Box<Self>, stamp: Stamp) -> Box<dyn StreamEncoder> {
        Box::new(MessagesStream::new(stamp))
    }
}

/// A message, whole or about to be streamed.
#[derive(Serialize)]
pub(super) struct Message<'a> {
    pub(super) id: &'a str,
    pub(super) r#type: &'static str,
    pub(super) role: &'static str,
    pub(super) model: &'a str,
    pub(super) content: Vec<Piece<'a>>,
    pub(super) stop_reason: Option<&'static str>,
    pub(super) stop_sequence: Option<&'a str>,
    pub(super) usage: WrittenUsage,
}

/// The provider's id if it is Anthropic's, else one made of it.
pub(super) fn message_id(id: &str) -> Cow<'_, str> {
    if id.starts_with("msg_") {
        return Cow::Borrowed(id);
    }
    Cow::Owned(format!("msg_{}", id.strip_prefix("chatcmpl-").unwrap_or(id)))
}

/// Anthropic's word for the end of an answer that called a tool, that refused, that met a stop text.
pub(super) fn stop_reason(stop: Stop, called: bool, refused: bool, met: bool) -> &'static str {
    match stop {
        Stop::End if called => finish::write(Stop::ToolUse, false),
        Stop::End if refused => finish::write(Stop::Filtered, false),
        Stop::End | Stop::Length | Stop::ToolUse | Stop::Filtered | Stop::Paused => finish::write(stop, met),
    }
}

fn pieces(blocks: &[Block]) -> Vec<Piece<'_>> {
    let mut pieces: Vec<Piece<'_>> = Vec::with_capacity(blocks.len());
    for block in blocks {
        let wire = match block {
            Block::Text(text) | Block::Refusal(text) if text.is_empty() => continue,
            Block::Text(text) | Block::Refusal(text) => WireBlock::text(text.as_str()),
            // The vendor's own clients take the signature for a string that is always there.
            Block::Thinking { text, signature } => {
                WireBlock::thinking(text, signature.as_deref().unwrap_or_default())
            }
            Block::RedactedThinking(data) => WireBlock::redacted(data),
            Block::ToolCall { id, name, input } => {
                WireBlock::tool_use(id.as_str(), name, block::input(input))
            }
            Block::Citation(citation) => {
                if let Some(Piece::Block(last)) = pieces.last_mut() {
                    last.citations.extend(cited::source(citation));
                }
                continue;
            }
            Block::Opaque { from: Format::AnthropicMessages, raw } => {
                pieces.push(Piece::Verbatim(raw));
                continue;
            }
            Block::Opaque { .. }
            | Block::Image { .. }
            | Block::Audio { .. }
            | Block::File { .. }
            | Block::ToolResult { .. }
            | Block::CachePoint(_) => continue,
        };
        pieces.push(wire.piece());
    }
    pieces
}
