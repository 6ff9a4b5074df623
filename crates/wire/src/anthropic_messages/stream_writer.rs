//! A stream of Messages events: one block open at a time, numbered from 0 without gaps.
//!
//! Other formats mix the deltas of several tool calls. The first of them is streamed, the others wait until it is
//! complete. `message_delta` comes once, at the very end, when everything has been counted.

use std::borrow::Cow;

use bytes::{BufMut, BytesMut};
use serde::Serialize;

use super::block::{Piece, WireBlock};
use super::cited;
use super::fault::WrittenError;
use super::usage::WrittenUsage;
use super::writer::{Message, message_id, stop_reason};
use crate::codec::{Finish, Stamp, StreamEncoder};
use crate::event::{BlockKind, ChatEvent};
use crate::format::Format;
use crate::in_turn::{Queue, Said};
use crate::raw::Raw;
use crate::reply::{Stop, Usage};

/// Events to events.
pub(super) struct MessagesStream {
    /// The model and id may be filled in from the upstream's when the stamp has none.
    stamp: Stamp,
    started: bool,
    /// The block that is being written.
    live: Option<Live>,
    /// The blocks that were opened since, in that order.
    waiting: Queue,
    /// The number of the next block.
    next: u32,
    called: bool,
    refused: bool,
    met: Option<String>,
    stop: Option<Stop>,
    usage: Option<Usage>,
}

struct Live {
    /// The upstream's number.
    block: u32,
    /// What its deltas are called.
    deltas: Deltas,
}

#[derive(Clone, Copy)]
enum Deltas {
    Text,
    Thinking,
    Arguments,
}

impl StreamEncoder for MessagesStream {
    fn event(&mut self, event: &ChatEvent, out: &mut BytesMut) {
        match event {
            ChatEvent::Start { id, model } => {
                self.stamp.meet(id, model);
                self.start(out);
            }
            ChatEvent::Open { block, choice: 0, kind } => self.opened(*block, kind, out),
            ChatEvent::Delta { block, text } => self.said(*block, || Said::Text(text.clone()), out),
            ChatEvent::Signature { block, signature } => {
                self.said(*block, || Said::Signature(signature.clone()), out);
            }
            ChatEvent::Cited { block, citation } => {
                self.said(*block, || Said::Cited(citation.clone()), out);
            }
            ChatEvent::Close { block } => self.closed(*block, out),
            ChatEvent::Usage(usage) => self.usage = Some(*usage),
            ChatEvent::Met { choice: 0, text } => self.met = Some(text.clone()),
            ChatEvent::Stop { choice: 0, reason } => self.stop = Some(*reason),
            ChatEvent::Open { .. }
            | ChatEvent::Met { .. }
            | ChatEvent::Stop { .. }
            | ChatEvent::Logprobs { .. }
            | ChatEvent::Trace(_)
            | ChatEvent::Unmodeled { .. } => {}
        }
    }

    fn finish(&mut self, finish: &Finish, out: &mut BytesMut) {
        match finish {
            Finish::Complete => {
                self.start(out);
                let met = self.met.as_deref();
                let reason =
                    stop_reason(self.stop.unwrap_or(Stop::End), self.called, self.refused, met.is_some());
                let usage = WrittenUsage::from(&self.usage.unwrap_or_default());
                let delta = MessageEnd { stop_reason: reason, stop_sequence: met };
                frame("message_delta", &MessageDelta { r#type: "message_delta", delta, usage }, out);
                frame("message_stop", &Bare { r#type: "message_stop" }, out);
            }
            Finish::Truncated => frame("error", &WrittenError::truncated(), out),
            Finish::Failed(fault) => frame("error", &WrittenError::of(fault), out),
        }
    }
}

impl MessagesStream {
    pub(super) fn new(stamp: Stamp) -> Self {
        Self {
            stamp,
            started: false,
            live: None,
            waiting: Queue::default(),
            next: 0,
            called: false,
            refused: false,
            met: None,
            stop: None,
            usage: None,
        }
    }

    fn start(&mut self, out: &mut BytesMut) {
        if std::mem::replace(&mut self.started, true) {
            return;
        }
        let message = Message {
            id: &message_id(&self.stamp.id),
            r#type: "message",
            role: "assistant",
            model: &self.stamp.model,
            content: Vec::new(),
            stop_reason: None,
            stop_sequence: None,
            usage: WrittenUsage::from(&self.usage.unwrap_or_default()),
        };
        frame("message_start", &MessageStart { r#type: "message_start", message }, out);
    }

    fn opened(&mut self, block: u32, kind: &BlockKind, out: &mut BytesMut) {
        self.called |= matches!(kind, BlockKind::ToolCall { .. });
        self.refused |= matches!(kind, BlockKind::Refusal);
        // A block of another format has no place here; what comes for it finds no block and says nothing.
        if matches!(kind, BlockKind::Opaque { from, .. } if *from != Format::AnthropicMessages) {
            return;
        }
        if self.live.is_none() {
            self.begin(block, kind, out);
        } else {
            self.waiting.push(block, kind);
        }
    }

    fn begin(&mut self, block: u32, kind: &BlockKind, out: &mut BytesMut) {
        let deltas = match kind {
            BlockKind::Thinking => Deltas::Thinking,
            BlockKind::ToolCall { .. } => Deltas::Arguments,
            BlockKind::Text
            | BlockKind::Refusal
            | BlockKind::RedactedThinking(_)
            | BlockKind::Opaque { .. } => Deltas::Text,
        };
        self.live = Some(Live { block, deltas });
        let content_block = match kind {
            BlockKind::Text | BlockKind::Refusal => WireBlock::text("").piece(),
            BlockKind::Thinking => WireBlock::thinking("", "").piece(),
            BlockKind::RedactedThinking(data) => WireBlock::redacted(data).piece(),
            BlockKind::ToolCall { id, name } => {
                WireBlock::tool_use(id.as_str(), name, Raw::parse("{}".to_owned()).ok()).piece()
            }
            BlockKind::Opaque { raw, .. } => Piece::Verbatim(raw),
        };
        let start = BlockStart { r#type: "content_block_start", index: self.next, content_block };
        frame("content_block_start", &start, out);
        self.next = self.next.saturating_add(1);
    }

    fn said(&mut self, block: u32, said: impl FnOnce() -> Said, out: &mut BytesMut) {
        match &self.live {
            Some(live) if live.block == block => self.delta(&said(), live.deltas, out),
            _ => self.waiting.say(block, said),
        }
    }

    /// Writes one delta of the live block, unless it says nothing.
    fn delta(&self, said: &Said, deltas: Deltas, out: &mut BytesMut) {
        let delta = match said {
            Said::Text(text) if text.is_empty() => return,
            Said::Text(text) => match deltas {
                Deltas::Text => Delta { r#type: "text_delta", text: Some(text), ..Delta::default() },
                Deltas::Thinking => {
                    Delta { r#type: "thinking_delta", thinking: Some(text), ..Delta::default() }
                }
                Deltas::Arguments => {
                    Delta { r#type: "input_json_delta", partial_json: Some(text), ..Delta::default() }
                }
            },
            Said::Signature(signature) => {
                Delta { r#type: "signature_delta", signature: Some(signature), ..Delta::default() }
            }
            Said::Cited(citation) => match cited::source(citation) {
                Some(raw) => Delta { r#type: "citations_delta", citation: Some(raw), ..Delta::default() },
                None => return,
            },
        };
        let index = self.next.saturating_sub(1);
        frame("content_block_delta", &BlockDelta { r#type: "content_block_delta", index, delta }, out);
    }

    /// Closes `block`, and writes what waited for that.
    fn closed(&mut self, block: u32, out: &mut BytesMut) {
        if self.live.as_ref().is_none_or(|live| live.block != block) {
            return self.waiting.close(block);
        }
        self.end(out);
        while self.live.is_none()
            && let Some(waiting) = self.waiting.next()
        {
            self.begin(waiting.block, &waiting.kind, out);
            let Some(Live { deltas, .. }) = self.live else { return };
            waiting.said.iter().for_each(|said| self.delta(said, deltas, out));
            if waiting.closed {
                self.end(out);
            }
        }
    }

    fn end(&mut self, out: &mut BytesMut) {
        self.live = None;
        let index = self.next.saturating_sub(1);
        frame("content_block_stop", &BlockStop { r#type: "content_block_stop", index }, out);
    }
}

/// One SSE frame; Anthropic's clients go by the event's name.
fn frame<T: Serialize>(event: &str, value: &T, out: &mut BytesMut) {
    out.extend_from_slice(b"event: ");
    out.extend_from_slice(event.as_bytes());
    out.extend_from_slice(b"\ndata: ");
    // Writing one of our own reply types into memory cannot fail.
    let _ = serde_json::to_writer((&mut *out).writer(), value);
    out.extend_from_slice(b"\n\n");
}

#[derive(Serialize)]
struct MessageStart<'a> {
    r#type: &'static str,
    message: Message<'a>,
}

#[derive(Serialize)]
struct BlockStart<'a> {
    r#type: &'static str,
    index: u32,
    content_block: Piece<'a>,
}

#[derive(Serialize)]
struct BlockDelta<'a> {
    r#type: &'static str,
    index: u32,
    delta: Delta<'a>,
}

#[derive(Default, Serialize)]
struct Delta<'a> {
    r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    thinking: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    signature: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    partial_json: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    citation: Option<Cow<'a, Raw>>,
}

#[derive(Serialize)]
struct BlockStop {
    r#type: &'static str,
    index: u32,
}

#[derive(Serialize)]
struct MessageDelta<'a> {
    r#type: &'static str,
    delta: MessageEnd<'a>,
    usage: WrittenUsage,
}

#[derive(Serialize)]
struct MessageEnd<'a> {
    stop_reason: &'static str,
    stop_sequence: Option<&'a str>,
}

#[derive(Serialize)]
struct Bare {
    r#type: &'static str,
}
