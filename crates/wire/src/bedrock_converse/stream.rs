//! A Converse stream: messages of an AWS event stream in, events out.
//!
//! Only a tool call announces its block; other blocks begin with their first delta. The stop comes before the usage,
//! which ends the stream. An exception is the last message.

use std::borrow::Borrow;
use std::collections::BTreeMap;

use serde_json::value::RawValue;

use super::reader::Memory;
use super::wire::{Event, WireBlock, WireCall, WireCited, WireReasoning, citation, met};
use super::{fault, usage};
use crate::anthropic_messages::ANSWER_TOOL;
use crate::codec::{Finish, Read, StreamDecoder};
use crate::event::{BlockKind, ChatEvent};
use crate::fault::Fault;
use crate::format::Format;
use crate::frame::Frame;
use crate::openai_chat::{list, object, text, tool_call_id};
use crate::raw::Raw;
use crate::reply::Stop;

#[cfg(test)]
#[path = "stream_tests.rs"]
mod tests;

/// More blocks than this in one answer is no honest answer.
const MOST_BLOCKS: u32 = 4096;
/// What is held back until its end is bounded by this many bytes altogether.
const MOST_HELD: usize = 16 << 20;

/// Messages in, events out. Generic over who keeps the memory: a whole reply only borrows it.
pub(super) struct ConverseDecoder<M> {
    memory: M,
    started: bool,
    stop: Option<Stop>,
    failed: Option<Fault>,
    open: BTreeMap<u64, OpenBlock>,
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

#[derive(Clone, Copy)]
enum OpenBlock {
    Text(u32),
    Thinking(u32),
    /// A call, or an answer by tool.
    Call {
        block: u32,
        fed: bool,
    },
    /// An index into `held`.
    Held(usize),
    /// A call that the host answers itself.
    Hosted,
}

impl<M: Borrow<Memory> + Send> StreamDecoder for ConverseDecoder<M> {
    fn frame(&mut self, frame: &Frame<'_>, out: &mut Vec<ChatEvent>) -> Read {
        if let Some(name) = frame.exception() {
            return self.fail(fault::of_stream(name, frame.data));
        }
        let raw: &RawValue = match serde_json::from_str(frame.data.trim()) {
            Ok(raw) => raw,
            Err(error) => return Read::Corrupt(format!("not JSON: {:?} error", error.classify())),
        };
        let Some(event) = object::<Event<'_>>(raw) else {
            return Read::Corrupt("not an event of a Converse stream".to_owned());
        };
        match self.event(frame.event, &event, out) {
            Ok(read) => {
                if read == Read::Unknown {
                    out.push(ChatEvent::Unmodeled { tag: frame.event.to_owned(), raw: Raw::from(raw) });
                }
                read
            }
            // Going on would lose what was held back without a word.
            Err(problem) if self.held_bytes > MOST_HELD => {
                self.fail(Fault::malformed(format!("the upstream's stream cannot be read: {problem}")))
            }
            Err(problem) => Read::Corrupt(problem),
        }
    }

    fn end(&mut self, out: &mut Vec<ChatEvent>) -> Finish {
        if self.stop.is_none() {
            self.close_all(out);
        }
        match self.failed.take() {
            Some(fault) => Finish::Failed(fault),
            None if self.stop.is_some() => Finish::Complete,
            None => Finish::Truncated,
        }
    }
}

impl<M: Borrow<Memory>> ConverseDecoder<M> {
    pub(super) fn new(memory: M) -> Self {
        Self {
            memory,
            started: false,
            stop: None,
            failed: None,
            open: BTreeMap::new(),
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

    fn event(&mut self, tag: &str, event: &Event<'_>, out: &mut Vec<ChatEvent>) -> Result<Read, String> {
        let index = || event.content_block_index.ok_or("an event without the index of its block");
        match tag {
            "messageStart" => self.start(out),
            "contentBlockStart" if self.stop.is_none() => {
                // Some models announce a text with an empty object.
                let Some(start) = event.start.filter(|start| start.get() != "{}") else {
                    return Ok(Read::Known);
                };
                let start: WireBlock<'_> = object(start).unwrap_or_default();
                let Some(call) = start.tool_use.and_then(object::<WireCall<'_>>) else {
                    return Ok(Read::Unknown);
                };
                self.start(out);
                if call.is_hosted() {
                    self.bounded()?;
                    self.open.insert(index()?, OpenBlock::Hosted);
                    return Ok(Read::Unknown);
                }
                self.call(index()?, &call, out)?;
            }
            "contentBlockDelta" if self.stop.is_none() => {
                let delta = event.delta.and_then(object::<WireBlock<'_>>);
                self.start(out);
                if !self.delta(index()?, &delta.ok_or("contentBlockDelta without a delta")?, out)? {
                    return Ok(Read::Unknown);
                }
            }
            "contentBlockStop" => self.close(index()?, out),
            "messageStop" if self.stop.is_none() => {
                self.start(out);
                let word = event.stop_reason.map(text).unwrap_or_default();
                self.stop(&word, event.additional_model_response_fields, out);
            }
            "metadata" => {
                let usage = event.usage.and_then(|raw| usage::read(raw, event.service_tier));
                out.extend(usage.map(ChatEvent::Usage));
                out.extend(event.trace.map(|raw| ChatEvent::Trace(Raw::from(raw))));
                return Ok(if self.stop.is_some() { Read::Terminal } else { Read::Known });
            }
            _ => return Ok(Read::Unknown),
        }
        Ok(Read::Known)
    }

    /// The message begins. Once is enough; its id is a header of the answer.
    pub(super) fn start(&mut self, out: &mut Vec<ChatEvent>) {
        if !std::mem::replace(&mut self.started, true) {
            out.push(ChatEvent::Start { id: String::new(), model: String::new() });
        }
    }

    /// A block of a whole reply.
    pub(super) fn block(
        &mut self,
        index: u64,
        raw: &RawValue,
        out: &mut Vec<ChatEvent>,
    ) -> Result<(), String> {
        let block: WireBlock<'_> = object(raw).ok_or("a block that is not an object")?;
        let call = block.tool_use.and_then(object::<WireCall<'_>>);
        let hosted = call.as_ref().is_some_and(WireCall::is_hosted);
        if let Some(call) = call.filter(|_| !hosted) {
            self.call(index, &call, out)?;
            self.delta(index, &block, out)?;
        } else if let Some(cited) = block.citations_content.and_then(object::<WireCited<'_>>) {
            let parts = cited.content.and_then(|raw| list(raw, "content").ok()).unwrap_or_default();
            for part in parts.into_iter().filter_map(object::<WireBlock<'_>>) {
                self.delta(index, &part, out)?;
            }
            for raw in cited.citations.and_then(|raw| list(raw, "citations").ok()).unwrap_or_default() {
                self.delta(index, &WireBlock { citation: Some(raw), ..WireBlock::default() }, out)?;
            }
        } else if hosted || !self.delta(index, &block, out)? {
            let kind = BlockKind::Opaque { from: Format::BedrockConverse, raw: Raw::from(raw) };
            let block = self.begin(kind, out)?;
            out.push(ChatEvent::Close { block });
        }
        self.close(index, out);
        Ok(())
    }

    fn begin(&mut self, kind: BlockKind, out: &mut Vec<ChatEvent>) -> Result<u32, String> {
        self.bounded()?;
        let block = self.next;
        self.next += 1;
        out.push(ChatEvent::Open { block, choice: 0, kind });
        Ok(block)
    }

    fn bounded(&self) -> Result<(), String> {
        let most = MOST_BLOCKS as usize;
        let many = self.next as usize >= most || self.open.len() >= most || self.held.len() >= most;
        if many { Err("too many blocks".to_owned()) } else { Ok(()) }
    }

    fn call(&mut self, index: u64, wire: &WireCall<'_>, out: &mut Vec<ChatEvent>) -> Result<(), String> {
        if self.open.contains_key(&index) {
            return Err("a block that is open begins again".to_owned());
        }
        let memory = self.memory.borrow();
        let name = wire.name.map(text).unwrap_or_default();
        let kind = if memory.answers && name == ANSWER_TOOL {
            self.answered = true;
            BlockKind::Text
        } else {
            let id = wire.tool_use_id.map(text).filter(|id| !id.is_empty());
            let id = id.map_or_else(|| tool_call_id(&memory.call_id, self.called), |id| id.into_owned());
            let name = memory.names.meant(&name).to_owned();
            self.called += 1;
            BlockKind::ToolCall { id, name }
        };
        let block = self.begin(kind, out)?;
        self.open.insert(index, OpenBlock::Call { block, fed: false });
        Ok(())
    }

    /// More of the block at `index`. False when nothing of it is modelled.
    fn delta(&mut self, index: u64, delta: &WireBlock<'_>, out: &mut Vec<ChatEvent>) -> Result<bool, String> {
        if let Some(raw) = delta.tool_use {
            self.arguments(index, raw, out)?;
        } else if let Some(raw) = delta.text {
            let more = text(raw).into_owned();
            if !more.is_empty() {
                self.prose(index, more, out)?;
            }
        } else if let Some(raw) = delta.reasoning_content {
            return self.reasoning(index, raw, out);
        } else if let Some(raw) = delta.citation {
            // The prose that it belongs to may be held back, and then it has no place.
            if let OpenBlock::Text(block) = self.text_at(index, out)? {
                out.push(ChatEvent::Cited { block, citation: citation(raw) });
            }
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    fn arguments(&mut self, index: u64, raw: &RawValue, out: &mut Vec<ChatEvent>) -> Result<(), String> {
        let wire: WireCall<'_> = object(raw).unwrap_or_default();
        let (block, fed) = match self.open.get_mut(&index) {
            Some(OpenBlock::Call { block, fed }) => (block, fed),
            Some(OpenBlock::Hosted) => return Ok(()),
            _ => return Err("arguments outside a call".to_owned()),
        };
        let Some(input) = wire.input else { return Ok(()) };
        // A stream has pieces of text, a whole reply the object.
        let more =
            if input.get().starts_with('"') { text(input).into_owned() } else { input.get().to_owned() };
        if !more.is_empty() {
            *fed = true;
            out.push(ChatEvent::Delta { block: *block, text: more });
        }
        Ok(())
    }

    fn prose(&mut self, index: u64, more: String, out: &mut Vec<ChatEvent>) -> Result<(), String> {
        match self.text_at(index, out)? {
            OpenBlock::Held(at) => {
                self.held_bytes = self.held_bytes.saturating_add(more.len());
                if self.held_bytes > MOST_HELD {
                    return Err("too much to hold back".to_owned());
                }
                self.held.get_mut(at).into_iter().for_each(|held| held.push_str(&more));
            }
            OpenBlock::Text(block) => out.push(ChatEvent::Delta { block, text: more }),
            OpenBlock::Thinking(_) | OpenBlock::Call { .. } | OpenBlock::Hosted => {}
        }
        Ok(())
    }

    /// The text at `index`, begun if it has not.
    fn text_at(&mut self, index: u64, out: &mut Vec<ChatEvent>) -> Result<OpenBlock, String> {
        match self.open.get(&index) {
            Some(open @ (OpenBlock::Text(_) | OpenBlock::Held(_))) => return Ok(*open),
            Some(OpenBlock::Thinking(_)) => self.close(index, out),
            Some(OpenBlock::Call { .. } | OpenBlock::Hosted) => return Err("text within a call".to_owned()),
            None => {}
        }
        let open = if self.memory.borrow().held {
            self.bounded()?;
            self.held.push(String::new());
            OpenBlock::Held(self.held.len() - 1)
        } else {
            OpenBlock::Text(self.begin(BlockKind::Text, out)?)
        };
        self.open.insert(index, open);
        Ok(open)
    }

    fn reasoning(&mut self, index: u64, raw: &RawValue, out: &mut Vec<ChatEvent>) -> Result<bool, String> {
        let wire: WireReasoning<'_> = object(raw).unwrap_or_default();
        let whole: Option<WireReasoning<'_>> = wire.reasoning_text.and_then(object);
        let said = |raw: Option<&RawValue>| raw.map(|raw| text(raw).into_owned()).filter(|it| !it.is_empty());
        if let Some(data) = said(wire.redacted_content) {
            self.close(index, out);
            let block = self.begin(BlockKind::RedactedThinking(data), out)?;
            out.push(ChatEvent::Close { block });
            return Ok(true);
        }
        let known = whole.is_some() || wire.text.is_some() || wire.signature.is_some();
        let said_whole = whole.unwrap_or_default();
        let more = said(wire.text).or_else(|| said(said_whole.text));
        let signature = said(wire.signature).or_else(|| said(said_whole.signature));
        if more.is_none() && signature.is_none() {
            return Ok(known);
        }
        let block = match self.open.get(&index) {
            Some(OpenBlock::Thinking(block)) => *block,
            Some(OpenBlock::Call { .. } | OpenBlock::Hosted) => {
                return Err("reasoning within a call".to_owned());
            }
            Some(OpenBlock::Text(_) | OpenBlock::Held(_)) | None => {
                self.close(index, out);
                let block = self.begin(BlockKind::Thinking, out)?;
                self.open.insert(index, OpenBlock::Thinking(block));
                block
            }
        };
        out.extend(more.map(|text| ChatEvent::Delta { block, text }));
        out.extend(signature.map(|signature| ChatEvent::Signature { block, signature }));
        Ok(true)
    }

    /// The block at `index` is complete.
    fn close(&mut self, index: u64, out: &mut Vec<ChatEvent>) {
        match self.open.remove(&index) {
            Some(OpenBlock::Call { block, fed: false }) => {
                out.push(ChatEvent::Delta { block, text: "{}".to_owned() });
                out.push(ChatEvent::Close { block });
            }
            Some(OpenBlock::Call { block, .. } | OpenBlock::Text(block) | OpenBlock::Thinking(block)) => {
                out.push(ChatEvent::Close { block });
            }
            Some(OpenBlock::Held(_) | OpenBlock::Hosted) | None => {}
        }
    }

    fn close_all(&mut self, out: &mut Vec<ChatEvent>) {
        while let Some(index) = self.open.keys().next().copied() {
            // Arguments that were cut must not look complete, so nothing is filled in here.
            if self.stop.is_none()
                && let Some(OpenBlock::Call { fed, .. }) = self.open.get_mut(&index)
            {
                *fed = true;
            }
            self.close(index, out);
        }
        for text in std::mem::take(&mut self.held) {
            if !self.answered
                && !text.is_empty()
                && let Ok(block) = self.begin(BlockKind::Text, out)
            {
                out.push(ChatEvent::Delta { block, text });
                out.push(ChatEvent::Close { block });
            }
        }
    }

    /// The answer ends, for the reason that `word` names; words nobody has seen yet mean a plain end.
    pub(super) fn stop(&mut self, word: &str, fields: Option<&RawValue>, out: &mut Vec<ChatEvent>) {
        let said = match word {
            "max_tokens" | "model_context_window_exceeded" => Stop::Length,
            "tool_use" => Stop::ToolUse,
            "guardrail_intervened" | "content_filtered" => Stop::Filtered,
            _ => Stop::End,
        };
        let reason = match said {
            Stop::ToolUse if self.answered && self.called == 0 => Stop::End,
            Stop::End if self.called > 0 => Stop::ToolUse,
            said => said,
        };
        self.stop = Some(reason);
        self.close_all(out);
        out.extend(fields.and_then(met).map(|text| ChatEvent::Met { choice: 0, text }));
        out.push(ChatEvent::Stop { choice: 0, reason });
    }
}
