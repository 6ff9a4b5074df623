//! The state machine for the stream of an OpenAI-compatible server.
//!
//! | seen | done |
//! | --- | --- |
//! | `[DONE]` | the end; a choice without `finish_reason` (vLLM) ends here |
//! | no `[DONE]`, but every opened choice has its `finish_reason` | complete all the same |
//! | a chunk without choices (Azure's filter results, usage) | read for usage, starts nothing by itself |
//! | content after `finish_reason` | an unmodelled frame |
//! | tool arguments of several calls mixed | fine: calls stay open until their choice ends |

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::value::RawValue;

use super::chunk::{Call, Prose, Reply, WireChoice, object, text};
use super::renames::Renames;
use super::speech::{Sink, Speech};
use super::{fault, finish, tool_call_id};
use crate::chat::Block;
use crate::codec::{Finish, Read, StreamDecoder};
use crate::event::{BlockKind, ChatEvent};
use crate::fault::Fault;
use crate::frame::Frame;
use crate::raw::Raw;
use crate::reply::{Stop, Usage};

#[cfg(test)]
#[path = "stream_tests.rs"]
mod tests;

/// More tool calls than this in one stream is no honest answer; each costs memory until the end.
const MOST_CALLS: usize = 1024;

/// Frames in, events out.
pub(super) struct ChatDecoder {
    call_id: String,
    names: Renames,
    started: bool,
    done: bool,
    failed: Option<Fault>,
    choices: BTreeMap<u32, OpenChoice>,
    usage: Option<Usage>,
    /// The number of the next block.
    next: u32,
    called: usize,
}

#[derive(Default)]
struct OpenChoice {
    speech: Speech,
    calls: Vec<OpenCall>,
    stop: Option<Stop>,
}

struct OpenCall {
    index: Option<u64>,
    id: String,
    block: u32,
}

impl StreamDecoder for ChatDecoder {
    fn frame(&mut self, frame: &Frame<'_>, out: &mut Vec<ChatEvent>) -> Read {
        let data = frame.data.trim();
        if data.is_empty() {
            return Read::Known;
        }
        if data == "[DONE]" {
            self.done(out);
            return Read::Terminal;
        }
        let raw: &RawValue = match serde_json::from_str(data) {
            Ok(raw) => raw,
            Err(error) => return Read::Corrupt(format!("not JSON: {:?} error", error.classify())),
        };
        let Some(reply) = object::<Reply<'_>>(raw) else {
            return Read::Corrupt("not a JSON object".to_owned());
        };
        if let Some(error) = reply.failure().or_else(|| (frame.event == "error").then_some(raw)) {
            return self.fail(error);
        }
        self.reply(&reply, raw, out)
    }

    fn end(&mut self, out: &mut Vec<ChatEvent>) -> Finish {
        if let Some(fault) = self.failed.take() {
            self.close_all(out);
            return Finish::Failed(fault);
        }
        let stopped = !self.choices.is_empty() && self.choices.values().all(|choice| choice.stop.is_some());
        if self.done || stopped {
            return Finish::Complete;
        }
        self.close_all(out);
        Finish::Truncated
    }
}

impl ChatDecoder {
    pub(super) fn new(call_id: String, names: Renames) -> Self {
        Self {
            call_id,
            names,
            started: false,
            done: false,
            failed: None,
            choices: BTreeMap::new(),
            usage: None,
            next: 0,
            called: 0,
        }
    }

    fn fail(&mut self, error: &RawValue) -> Read {
        let fault = fault::of_frame(error);
        self.failed = Some(fault.clone());
        Read::Failed(fault)
    }

    fn reply(&mut self, reply: &Reply<'_>, raw: &RawValue, out: &mut Vec<ChatEvent>) -> Read {
        let choices = reply.choices();
        let usage = reply.usage(choices.as_deref().unwrap_or_default());
        if choices.is_none() && usage.is_none() {
            let tag = reply.object.map(text).unwrap_or_default().into_owned();
            out.push(ChatEvent::Unmodeled { tag, raw: Raw::from(raw) });
            return Read::Unknown;
        }
        let choices = choices.unwrap_or_default();
        if let Some(error) = choices.iter().find_map(|choice| choice.error.filter(|raw| raw.get() != "null"))
        {
            return self.fail(error);
        }
        if !self.started && (!choices.is_empty() || usage.is_some()) {
            self.started = true;
            let id = reply.id.map(text).unwrap_or_default().into_owned();
            let model = reply.model.map(text).unwrap_or_default().into_owned();
            out.push(ChatEvent::Start { id, model });
        }
        let mut read = Read::Known;
        for (place, choice) in choices.iter().enumerate() {
            match self.choice(choice, place, out) {
                Read::Known => {}
                Read::Unknown => {
                    let tag = "content after finish_reason".to_owned();
                    out.push(ChatEvent::Unmodeled { tag, raw: Raw::from(raw) });
                    read = Read::Unknown;
                }
                other => return other,
            }
        }
        if let Some(usage) = usage.filter(|usage| self.usage != Some(*usage)) {
            self.usage = Some(usage);
            out.push(ChatEvent::Usage(usage));
        }
        read
    }

    fn choice(&mut self, wire: &WireChoice<'_>, place: usize, out: &mut Vec<ChatEvent>) -> Read {
        let Some(index) = wire.index(place) else {
            return Read::Corrupt("choices.index is out of range".to_owned());
        };
        let message = wire.message();
        let calls = message.calls();
        let choice = self.choices.entry(index).or_default();
        if choice.stop.is_some() {
            let mut more = !calls.is_empty();
            message.prose(&mut |_, _| more = true);
            return if more { Read::Unknown } else { Read::Known };
        }
        let sink = &mut Sink { choice: index, next: &mut self.next, out };
        message.prose(&mut |prose, text| match prose {
            Prose::Thinking => choice.speech.thinking(text, sink),
            Prose::Text => choice.speech.text(text, sink),
            Prose::Refusal => choice.speech.refusal(text, sink),
        });
        for block in message.thinking_blocks() {
            match block {
                Block::RedactedThinking(data) => choice.speech.redacted(data, sink),
                Block::Thinking { signature: Some(signature), .. } => choice.speech.sign(signature, sink),
                // The text of unsigned reasoning has come as prose.
                _ => {}
            }
        }
        for citation in message.citations() {
            choice.speech.cite(citation, sink);
        }
        let mut read = Read::Known;
        for mut call in calls {
            call.name = Cow::Owned(self.names.meant(&call.name).to_owned());
            if let Err(problem) = choice.call(call, &self.call_id, &mut self.called, sink) {
                read = Read::Corrupt(problem.to_owned());
                break;
            }
        }
        if let Some(raw) = wire.logprobs.filter(|raw| raw.get() != "null") {
            sink.out.push(ChatEvent::Logprobs { choice: index, raw: Raw::from(raw) });
        }
        if let Some(word) = wire.finish_reason() {
            choice.stop(finish::read(&word, !choice.calls.is_empty()), sink);
        }
        read
    }

    fn done(&mut self, out: &mut Vec<ChatEvent>) {
        self.done = true;
        for (index, choice) in self.choices.iter_mut().filter(|(_, choice)| choice.stop.is_none()) {
            let stop = finish::read("stop", !choice.calls.is_empty());
            choice.stop(stop, &mut Sink { choice: *index, next: &mut self.next, out });
        }
    }

    fn close_all(&mut self, out: &mut Vec<ChatEvent>) {
        for (index, mut choice) in std::mem::take(&mut self.choices) {
            if choice.stop.is_none() {
                choice.close(&mut Sink { choice: index, next: &mut self.next, out });
            }
        }
    }
}

impl OpenChoice {
    fn call(
        &mut self,
        call: Call<'_>,
        call_id: &str,
        called: &mut usize,
        sink: &mut Sink<'_>,
    ) -> Result<(), &'static str> {
        let block = match self.continued(&call) {
            Some(block) => block,
            None if call.name.is_empty() => return Err("arguments of a tool call that has no name"),
            None if *called >= MOST_CALLS => return Err("too many tool calls"),
            None => {
                self.speech.close(sink);
                let said = call.id.into_owned();
                let id = if said.is_empty() { tool_call_id(call_id, *called) } else { said.clone() };
                *called += 1;
                let block = sink.open(BlockKind::ToolCall { id, name: call.name.into_owned() });
                self.calls.push(OpenCall { index: call.index, id: said, block });
                block
            }
        };
        if !call.arguments.is_empty() {
            sink.out.push(ChatEvent::Delta { block, text: call.arguments.into_owned() });
        }
        Ok(())
    }

    /// The block of the call that `call` continues, or `None` when it begins a new one. Servers are known to
    /// leave out the index or the id, and to give every call the index 0 with an id of its own.
    fn continued(&self, call: &Call<'_>) -> Option<u32> {
        let other_id = |open: &OpenCall| !call.id.is_empty() && !open.id.is_empty() && open.id != call.id;
        let open = match call.index {
            Some(index) => self.calls.iter().rev().find(|open| open.index == Some(index))?,
            None if !call.id.is_empty() => self.calls.iter().rev().find(|open| open.id == call.id)?,
            None if call.name.is_empty() => self.calls.last()?,
            None => return None,
        };
        (!other_id(open) || call.name.is_empty()).then_some(open.block)
    }

    fn close(&mut self, sink: &mut Sink<'_>) {
        self.speech.close(sink);
        sink.out.extend(self.calls.iter().map(|call| ChatEvent::Close { block: call.block }));
    }

    fn stop(&mut self, reason: Stop, sink: &mut Sink<'_>) {
        self.close(sink);
        self.stop = Some(reason);
        sink.out.push(ChatEvent::Stop { choice: sink.choice, reason });
    }
}
