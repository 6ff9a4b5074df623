//! The state machine for a stream of Cohere's chat events.
//!
//! | seen | done |
//! | --- | --- |
//! | `content-end` | the text stays open, for citations of it may follow; the next block or the end closes it |
//! | `tool-plan-delta` | reasoning |
//! | a citation of a plan or of reasoning | unmodelled: there is no place for it |
//! | a tool call without arguments | `{}`, which is what the call means |
//! | `message-end` with `ERROR` or `TIMEOUT` | a failure |
//! | an event about a call that is not open, or after the end | unmodelled |

use std::borrow::Borrow;
use std::collections::BTreeMap;

use serde_json::value::RawValue;

use super::logprobs;
use super::reader::{Memory, plain};
use super::wire::{Content, Function, Message, Reply, ToolCall, citation, elements, said, usage};
use crate::codec::{Finish, Read, StreamDecoder};
use crate::event::{BlockKind, ChatEvent};
use crate::fault::{Fault, FaultKind};
use crate::frame::Frame;
use crate::openai_chat::{fault, object, text, tool_call_id};
use crate::raw::Raw;
use crate::reply::Stop;

#[cfg(test)]
#[path = "stream_tests.rs"]
mod tests;

/// More tool calls than this in one answer is no honest answer.
const MOST_CALLS: usize = 4096;

/// Frames in, events out. Generic over who keeps the memory: a whole reply only borrows it.
pub(super) struct CohereDecoder<M> {
    memory: M,
    started: bool,
    done: bool,
    failed: Option<Fault>,
    /// The text or reasoning being said.
    prose: Option<(BlockKind, u32)>,
    /// The calls being made, by index, and whether their arguments have begun.
    calls: BTreeMap<u64, (u32, bool)>,
    /// The number of the next block.
    next: u32,
    /// How many tools the model has called.
    count: usize,
}

impl<M: Borrow<Memory> + Send> StreamDecoder for CohereDecoder<M> {
    fn frame(&mut self, frame: &Frame<'_>, out: &mut Vec<ChatEvent>) -> Read {
        let data = frame.data.trim();
        if data.is_empty() || data == "[DONE]" {
            return Read::Known;
        }
        let raw: &RawValue = match serde_json::from_str(data) {
            Ok(raw) => raw,
            Err(error) => return Read::Corrupt(format!("not JSON: {:?} error", error.classify())),
        };
        let Some(event) = object::<Reply<'_>>(raw) else {
            return Read::Corrupt("not an event of a Cohere stream".to_owned());
        };
        let tag = event.r#type.map(text).unwrap_or_default();
        let tag = if tag.is_empty() { frame.event } else { &tag };
        if tag == "error" || (tag.is_empty() && event.message.is_some_and(|raw| raw.get().starts_with('"'))) {
            return self.fail(fault::of_frame(raw));
        }
        if tag == "message-end" && !self.done {
            self.start(None, out);
            let delta: Reply<'_> = event.delta.and_then(object).unwrap_or_default();
            return self.stop(&delta, out).map_or(Read::Terminal, |fault| self.fail(fault));
        }
        match self.event(tag, &event, out) {
            Ok(true) => Read::Known,
            Ok(false) => {
                out.push(ChatEvent::Unmodeled { tag: tag.to_owned(), raw: Raw::from(raw) });
                Read::Unknown
            }
            Err(problem) => Read::Corrupt(problem),
        }
    }

    fn end(&mut self, out: &mut Vec<ChatEvent>) -> Finish {
        if !self.done {
            self.close_all(false, out);
        }
        match self.failed.take() {
            Some(fault) => Finish::Failed(fault),
            None if self.done => Finish::Complete,
            None => Finish::Truncated,
        }
    }
}

impl<M: Borrow<Memory>> CohereDecoder<M> {
    pub(super) fn new(memory: M) -> Self {
        Self {
            memory,
            started: false,
            done: false,
            failed: None,
            prose: None,
            calls: BTreeMap::new(),
            next: 0,
            count: 0,
        }
    }

    fn fail(&mut self, fault: Fault) -> Read {
        self.failed = Some(fault.clone());
        Read::Failed(fault)
    }

    /// Reads an event; false when it is none that is modelled, an error when it is one that is spoilt.
    fn event(&mut self, tag: &str, event: &Reply<'_>, out: &mut Vec<ChatEvent>) -> Result<bool, String> {
        if self.done {
            return Ok(false);
        }
        let delta: Reply<'_> = event.delta.and_then(object).unwrap_or_default();
        let message: Message<'_> = delta.message.and_then(object).unwrap_or_default();
        let index = event.index.unwrap_or_default();
        let call =
            || elements(message.tool_calls).first().copied().ok_or("an event of a call without the call");
        match tag {
            "message-start" if !self.started => self.start(event.id, out),
            "content-end" | "citation-end" | "debug" => {}
            "content-start" | "content-delta" | "tool-plan-delta" | "citation-start" => {
                self.start(None, out);
                let modelled = self.say(&message, out);
                if let Some(raw) = event.logprobs.or(delta.logprobs) {
                    let content: Content<'_> = message.content.and_then(object).unwrap_or_default();
                    let raw = logprobs::read(raw, &said(content.text).unwrap_or_default());
                    out.extend(raw.map(|raw| ChatEvent::Logprobs { choice: 0, raw }));
                }
                return Ok(modelled);
            }
            "tool-call-start" => {
                self.start(None, out);
                self.call(index, call()?, out)?;
            }
            "tool-call-delta" if self.calls.contains_key(&index) => self.argue(index, call()?, out),
            "tool-call-end" if self.calls.contains_key(&index) => self.called(index, out),
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// The reply begins. Once is enough.
    pub(super) fn start(&mut self, id: Option<&RawValue>, out: &mut Vec<ChatEvent>) {
        if !std::mem::replace(&mut self.started, true) {
            out.push(ChatEvent::Start { id: said(id).unwrap_or_default(), model: String::new() });
        }
    }

    /// What a message says besides its calls; false when a citation has no place.
    pub(super) fn say(&mut self, message: &Message<'_>, out: &mut Vec<ChatEvent>) -> bool {
        if let Some(plan) = said(message.tool_plan) {
            self.prose(BlockKind::Thinking, plan, out);
        }
        for raw in elements(message.content) {
            let content: Content<'_> = object(raw).unwrap_or_default();
            if let Some(text) = said(content.thinking) {
                self.prose(BlockKind::Thinking, text, out);
            }
            if let Some(text) = said(content.text).or_else(|| plain(raw)) {
                self.prose(BlockKind::Text, text, out);
            }
        }
        let mut placed = true;
        for raw in elements(message.citations) {
            match (citation(raw), &self.prose) {
                (Some(citation), Some((BlockKind::Text, block))) => {
                    out.push(ChatEvent::Cited { block: *block, citation });
                }
                _ => placed = false,
            }
        }
        placed
    }

    fn prose(&mut self, kind: BlockKind, text: String, out: &mut Vec<ChatEvent>) {
        let block = match &self.prose {
            Some((same, block)) if *same == kind => *block,
            _ => {
                self.close_prose(out);
                let block = self.begin(kind.clone(), out);
                self.prose = Some((kind, block));
                block
            }
        };
        out.push(ChatEvent::Delta { block, text });
    }

    fn begin(&mut self, kind: BlockKind, out: &mut Vec<ChatEvent>) -> u32 {
        let block = self.next;
        self.next = block.saturating_add(1);
        out.push(ChatEvent::Open { block, choice: 0, kind });
        block
    }

    /// The call at `index` begins, with whatever it holds of its arguments.
    pub(super) fn call(
        &mut self,
        index: u64,
        raw: &RawValue,
        out: &mut Vec<ChatEvent>,
    ) -> Result<(), String> {
        if self.calls.contains_key(&index) || self.count >= MOST_CALLS {
            return Err("a call that is being made begins again, or one too many".to_owned());
        }
        let call: ToolCall<'_> = object(raw).ok_or("a call that is not an object")?;
        let function: Function<'_> = call.function.and_then(object).ok_or("a call without its function")?;
        self.close_prose(out);
        let memory = self.memory.borrow();
        let id = said(call.id).unwrap_or_else(|| tool_call_id(&memory.call_id, self.count));
        let name = memory.names.meant(&said(function.name).unwrap_or_default()).to_owned();
        self.count += 1;
        let block = self.begin(BlockKind::ToolCall { id, name }, out);
        self.calls.insert(index, (block, false));
        self.argue(index, raw, out);
        Ok(())
    }

    /// More arguments of the call at `index`.
    fn argue(&mut self, index: u64, raw: &RawValue, out: &mut Vec<ChatEvent>) {
        let call: ToolCall<'_> = object(raw).unwrap_or_default();
        let function: Function<'_> = call.function.and_then(object).unwrap_or_default();
        if let (Some((block, begun)), Some(text)) = (self.calls.get_mut(&index), said(function.arguments)) {
            *begun = true;
            out.push(ChatEvent::Delta { block: *block, text });
        }
    }

    /// The call at `index` is complete.
    pub(super) fn called(&mut self, index: u64, out: &mut Vec<ChatEvent>) {
        if let Some((block, begun)) = self.calls.remove(&index) {
            if !begun {
                out.push(ChatEvent::Delta { block, text: "{}".to_owned() });
            }
            out.push(ChatEvent::Close { block });
        }
    }

    fn close_prose(&mut self, out: &mut Vec<ChatEvent>) {
        out.extend(self.prose.take().map(|(_, block)| ChatEvent::Close { block }));
    }

    /// `complete`: the model was done. Arguments that were cut must not look complete, so they are not filled in.
    fn close_all(&mut self, complete: bool, out: &mut Vec<ChatEvent>) {
        self.close_prose(out);
        while let Some((index, call)) = self.calls.first_entry().map(|entry| (*entry.key(), *entry.get())) {
            self.calls.insert(index, (call.0, call.1 || !complete));
            self.called(index, out);
        }
    }

    /// The reply ends as `reply`, whole or the delta of its last event, says. Gives the failure that ended it.
    pub(super) fn stop(&mut self, reply: &Reply<'_>, out: &mut Vec<ChatEvent>) -> Option<Fault> {
        out.extend(reply.usage.and_then(usage).map(ChatEvent::Usage));
        let word = said(reply.finish_reason).unwrap_or_default();
        let reason = match word.as_str() {
            "ERROR" => return Some(failure(FaultKind::Internal, 500, reply)),
            "TIMEOUT" => return Some(failure(FaultKind::Timeout, 504, reply)),
            "MAX_TOKENS" | "ERROR_LIMIT" => Stop::Length,
            "ERROR_TOXIC" => Stop::Filtered,
            // COMPLETE, STOP_SEQUENCE, TOOL_CALL and words nobody has seen yet: what was called decides.
            _ if self.count > 0 => Stop::ToolUse,
            _ => Stop::End,
        };
        self.done = true;
        self.close_all(true, out);
        out.push(ChatEvent::Stop { choice: 0, reason });
        None
    }
}

fn failure(kind: FaultKind, status: u16, reply: &Reply<'_>) -> Fault {
    let code = said(reply.finish_reason);
    let message = said(reply.error).unwrap_or_else(|| "the model could not finish its answer".to_owned());
    Fault { kind, status, message, code, param: None }
}
