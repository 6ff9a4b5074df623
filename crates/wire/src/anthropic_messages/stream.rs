//! The state machine for a stream of Messages events.
//!
//! | seen | done |
//! | --- | --- |
//! | `message_delta` with a `stop_reason` | closes what is open; the stream is complete even without `message_stop` |
//! | a tool call without arguments | `{}`, which is what the call means |
//! | a call of the answer tool | text: the request asked for the answer in this form |
//! | a block of a kind that is not modelled | passed on whole, its streamed input put together |
//! | an event about a block that is not open, or after the end | unmodelled |

use std::borrow::Borrow;
use std::collections::BTreeMap;

use serde_json::value::RawValue;

use super::reader::{Memory, WireMessage};
use super::usage::Counted;
use super::wire::{Event, WireBlock, citation, is_said, with_input};
use super::{ANSWER_TOOL, finish};
use crate::codec::{Finish, Read, StreamDecoder};
use crate::event::{BlockKind, ChatEvent};
use crate::fault::Fault;
use crate::format::Format;
use crate::frame::Frame;
use crate::openai_chat::{fault, list, object, text, tool_call_id};
use crate::raw::Raw;
use crate::reply::Stop;

#[cfg(test)]
#[path = "stream_tests.rs"]
mod tests;

/// More blocks than this in one answer is no honest answer.
const MOST_BLOCKS: u32 = 4096;
/// What is held back until its end is bounded by this many bytes altogether.
const MOST_HELD: usize = 16 << 20;

/// Frames in, events out. Generic over who keeps the memory: a whole reply only borrows it.
pub(super) struct MessagesDecoder<M> {
    memory: M,
    started: bool,
    stop: Option<Stop>,
    done: bool,
    failed: Option<Fault>,
    open: BTreeMap<u64, OpenBlock>,
    counted: Counted,
    /// The number of the next block.
    next: u32,
    /// How many tools the model has called, our own not counted.
    called: usize,
    /// Whether the answer has come by tool.
    answered: bool,
    /// Prose that is not part of the answer if one comes by tool.
    held: Vec<String>,
    held_bytes: usize,
}

enum OpenBlock {
    /// Text, or an answer by tool.
    Text {
        block: u32,
        fed: bool,
        answer: bool,
    },
    Thinking {
        block: u32,
    },
    Tool {
        block: u32,
        fed: bool,
    },
    /// An index into `held`.
    Held(usize),
    /// A block that is not modelled, and the input streamed for it.
    Opaque {
        raw: Raw,
        input: String,
    },
    /// Complete from the start.
    Whole,
}

impl<M: Borrow<Memory> + Send> StreamDecoder for MessagesDecoder<M> {
    fn frame(&mut self, frame: &Frame<'_>, out: &mut Vec<ChatEvent>) -> Read {
        let raw: &RawValue = match serde_json::from_str(frame.data.trim()) {
            Ok(raw) => raw,
            Err(_) if frame.data.trim().is_empty() => return Read::Known,
            Err(error) => return Read::Corrupt(format!("not JSON: {:?} error", error.classify())),
        };
        let Some(event) = object::<Event<'_>>(raw) else {
            return Read::Corrupt("not an event of a Messages stream".to_owned());
        };
        let said = event.r#type.map(text).unwrap_or_default();
        match if said.is_empty() { frame.event } else { &said } {
            "ping" => Read::Known,
            "error" => self.fail(fault::of_frame(raw)),
            "message_stop" => {
                self.done = true;
                if self.stop.is_none() && self.started {
                    self.stop("end_turn", None, out);
                }
                Read::Terminal
            }
            tag => match self.event(tag, &event, out) {
                Ok(true) => Read::Known,
                Ok(false) => {
                    out.push(ChatEvent::Unmodeled { tag: tag.to_owned(), raw: Raw::from(raw) });
                    Read::Unknown
                }
                // Going on would lose what was held back without a word.
                Err(problem) if self.held_bytes > MOST_HELD => {
                    self.fail(Fault::malformed(format!("the upstream's stream cannot be read: {problem}")))
                }
                Err(problem) => Read::Corrupt(problem),
            },
        }
    }

    fn end(&mut self, out: &mut Vec<ChatEvent>) -> Finish {
        if self.stop.is_none() {
            self.close_all(out);
        }
        match self.failed.take() {
            Some(fault) => Finish::Failed(fault),
            None if self.done || self.stop.is_some() => Finish::Complete,
            None => Finish::Truncated,
        }
    }
}

impl<M: Borrow<Memory>> MessagesDecoder<M> {
    pub(super) fn new(memory: M) -> Self {
        Self {
            memory,
            started: false,
            stop: None,
            done: false,
            failed: None,
            open: BTreeMap::new(),
            counted: Counted::default(),
            next: 0,
            called: 0,
            answered: false,
            held: Vec::new(),
            held_bytes: 0,
        }
    }

    fn fail(&mut self, fault: Fault) -> Read {
        self.failed = Some(fault.clone());
        Read::Failed(fault)
    }

    /// Reads an event; false when it is none that is modelled, an error when it is one that is spoilt.
    fn event(&mut self, tag: &str, event: &Event<'_>, out: &mut Vec<ChatEvent>) -> Result<bool, String> {
        let index = || event.index.ok_or("an event without the index of its block");
        match tag {
            "message_start" if !self.started => {
                let message = event.message.and_then(object::<WireMessage<'_>>);
                self.start(&message.ok_or("message_start without a message")?, out);
            }
            "message_delta" if self.stop.is_none() => {
                self.start(&WireMessage::default(), out);
                self.count(event.usage, out);
                let delta: WireBlock<'_> = event.delta.and_then(object).unwrap_or_default();
                if let Some(word) = delta.stop_reason.map(text).filter(|word| !word.is_empty()) {
                    self.stop(&word, delta.stop_sequence, out);
                }
            }
            "content_block_start" if self.stop.is_none() => {
                let block = event.content_block.ok_or("content_block_start without a block")?;
                self.start(&WireMessage::default(), out);
                self.open(index()?, block, out)?;
            }
            "content_block_delta" if self.open.contains_key(&index()?) => {
                let delta = event.delta.and_then(object::<WireBlock<'_>>);
                return self.delta(index()?, &delta.ok_or("content_block_delta without a delta")?, out);
            }
            "content_block_stop" if self.open.contains_key(&index()?) => self.close(index()?, out),
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// The message begins. Once is enough.
    pub(super) fn start(&mut self, message: &WireMessage<'_>, out: &mut Vec<ChatEvent>) {
        if std::mem::replace(&mut self.started, true) {
            return;
        }
        let said = |raw: Option<&RawValue>| raw.map(|raw| text(raw).into_owned()).unwrap_or_default();
        self.count(message.usage, out);
        out.push(ChatEvent::Start { id: said(message.id), model: said(message.model) });
    }

    fn count(&mut self, usage: Option<&RawValue>, out: &mut Vec<ChatEvent>) {
        if let Some(usage) = usage {
            let before = self.counted.usage();
            self.counted.merge(usage);
            out.extend(self.counted.usage().filter(|now| before != Some(*now)).map(ChatEvent::Usage));
        }
    }

    /// The block at `index` begins, with whatever it holds already.
    pub(super) fn open(
        &mut self,
        index: u64,
        raw: &RawValue,
        out: &mut Vec<ChatEvent>,
    ) -> Result<(), String> {
        let wire: WireBlock<'_> = object(raw).ok_or("a block that is not an object")?;
        if self.open.contains_key(&index) {
            return Err("a block that is open begins again".to_owned());
        }
        if self.next >= MOST_BLOCKS || self.open.len() >= MOST_BLOCKS as usize {
            return Err("too many blocks".to_owned());
        }
        let kind = wire.r#type.map(text).unwrap_or_default();
        let open = match kind.as_ref() {
            "text" if self.memory.borrow().held => {
                self.held.push(String::new());
                OpenBlock::Held(self.held.len() - 1)
            }
            "text" => OpenBlock::Text { block: self.begin(BlockKind::Text, out), fed: false, answer: false },
            "thinking" => OpenBlock::Thinking { block: self.begin(BlockKind::Thinking, out) },
            "redacted_thinking" => {
                let data = wire.data.map(text).unwrap_or_default().into_owned();
                let block = self.begin(BlockKind::RedactedThinking(data), out);
                out.push(ChatEvent::Close { block });
                OpenBlock::Whole
            }
            "tool_use" => self.call(&wire, out),
            _ => {
                self.hold(raw.get().len())?;
                OpenBlock::Opaque { raw: Raw::from(raw), input: String::new() }
            }
        };
        self.open.insert(index, open);
        self.delta(index, &wire, out).map(|_| ())
    }

    fn begin(&mut self, kind: BlockKind, out: &mut Vec<ChatEvent>) -> u32 {
        let block = self.next;
        self.next += 1;
        out.push(ChatEvent::Open { block, choice: 0, kind });
        block
    }

    fn call(&mut self, wire: &WireBlock<'_>, out: &mut Vec<ChatEvent>) -> OpenBlock {
        let name = wire.name.map(text).unwrap_or_default();
        if self.memory.borrow().answers && name == ANSWER_TOOL {
            self.answered = true;
            return OpenBlock::Text { block: self.begin(BlockKind::Text, out), fed: false, answer: true };
        }
        let memory = self.memory.borrow();
        let id = wire.id.map(text).filter(|id| !id.is_empty());
        let id = id.map_or_else(|| tool_call_id(&memory.call_id, self.called), |id| id.into_owned());
        let name = memory.names.meant(&name).to_owned();
        self.called += 1;
        OpenBlock::Tool { block: self.begin(BlockKind::ToolCall { id, name }, out), fed: false }
    }

    /// More of the block at `index`: a delta, or what a block begins with. False when nothing of it is modelled.
    fn delta(&mut self, index: u64, wire: &WireBlock<'_>, out: &mut Vec<ChatEvent>) -> Result<bool, String> {
        let said =
            |raw: Option<&RawValue>| raw.map(|raw| text(raw).into_owned()).filter(|text| !text.is_empty());
        let Some(mut open) = self.open.remove(&index) else { return Ok(false) };
        let mut known = true;
        match &mut open {
            OpenBlock::Text { block, answer: false, .. } => {
                out.extend(said(wire.text).map(|text| ChatEvent::Delta { block: *block, text }));
                let listed = wire.citations.and_then(|raw| list(raw, "citations").ok()).unwrap_or_default();
                for raw in listed.into_iter().chain(wire.citation) {
                    out.push(ChatEvent::Cited { block: *block, citation: citation(raw) });
                }
            }
            OpenBlock::Text { block, fed, answer: true } | OpenBlock::Tool { block, fed } => {
                let whole = wire.input.map(RawValue::get).filter(|input| is_said(input)).map(str::to_owned);
                if let Some(text) = whole.or_else(|| said(wire.partial_json)) {
                    *fed = true;
                    out.push(ChatEvent::Delta { block: *block, text });
                }
            }
            OpenBlock::Thinking { block } => {
                out.extend(said(wire.thinking).map(|text| ChatEvent::Delta { block: *block, text }));
                let signature = said(wire.signature);
                out.extend(signature.map(|signature| ChatEvent::Signature { block: *block, signature }));
            }
            OpenBlock::Held(at) => {
                let more = said(wire.text).unwrap_or_default();
                self.hold(more.len())?;
                self.held.get_mut(*at).into_iter().for_each(|held| held.push_str(&more));
            }
            OpenBlock::Opaque { input, .. } => {
                let more = said(wire.partial_json).unwrap_or_default();
                self.hold(more.len())?;
                input.push_str(&more);
                known =
                    !more.is_empty() || wire.r#type.map(text).is_some_and(|kind| !kind.ends_with("_delta"));
            }
            OpenBlock::Whole => {}
        }
        self.open.insert(index, open);
        Ok(known)
    }

    fn hold(&mut self, more: usize) -> Result<(), String> {
        self.held_bytes = self.held_bytes.saturating_add(more);
        if self.held_bytes > MOST_HELD { Err("too much to hold back".to_owned()) } else { Ok(()) }
    }

    /// The block at `index` is complete.
    pub(super) fn close(&mut self, index: u64, out: &mut Vec<ChatEvent>) {
        match self.open.remove(&index) {
            Some(
                OpenBlock::Tool { block, fed: false } | OpenBlock::Text { block, fed: false, answer: true },
            ) => {
                out.push(ChatEvent::Delta { block, text: "{}".to_owned() });
                out.push(ChatEvent::Close { block });
            }
            Some(
                OpenBlock::Tool { block, .. } | OpenBlock::Text { block, .. } | OpenBlock::Thinking { block },
            ) => out.push(ChatEvent::Close { block }),
            Some(OpenBlock::Opaque { raw, input }) => {
                let raw = with_input(raw, input);
                let block = self.begin(BlockKind::Opaque { from: Format::AnthropicMessages, raw }, out);
                out.push(ChatEvent::Close { block });
            }
            Some(OpenBlock::Held(_) | OpenBlock::Whole) | None => {}
        }
    }

    fn close_all(&mut self, out: &mut Vec<ChatEvent>) {
        while let Some(index) = self.open.keys().next().copied() {
            // Arguments that were cut must not look complete, so nothing is filled in here.
            if self.stop.is_none()
                && let Some(OpenBlock::Tool { fed, .. } | OpenBlock::Text { fed, .. }) =
                    self.open.get_mut(&index)
            {
                *fed = true;
            }
            self.close(index, out);
        }
        for text in std::mem::take(&mut self.held) {
            if !self.answered && !text.is_empty() {
                let block = self.begin(BlockKind::Text, out);
                out.push(ChatEvent::Delta { block, text });
                out.push(ChatEvent::Close { block });
            }
        }
    }

    /// The answer ends, for the reason that `word` names.
    pub(super) fn stop(&mut self, word: &str, met: Option<&RawValue>, out: &mut Vec<ChatEvent>) {
        let reason = match finish::read(word) {
            Stop::ToolUse if self.answered && self.called == 0 => Stop::End,
            Stop::End if self.called > 0 => Stop::ToolUse,
            reason => reason,
        };
        self.stop = Some(reason);
        self.close_all(out);
        if let Some(text) = met.map(|raw| text(raw).into_owned()).filter(|text| !text.is_empty()) {
            out.push(ChatEvent::Met { choice: 0, text });
        }
        out.push(ChatEvent::Stop { choice: 0, reason });
    }
}
