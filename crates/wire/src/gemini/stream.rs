//! The state machine for a stream of `generateContent` replies, each with more of the answer.
//!
//! | seen | done |
//! | --- | --- |
//! | a text like the one before it | more of the same block |
//! | a call of a function | whole at once, or its arguments in pieces; its signature goes into its id |
//! | a signature on a text | a block of reasoning without text, behind it |
//! | a part that is not modelled | passed on whole |
//! | a prompt that was blocked | a choice without a word, filtered |
//! | a `finishReason` for every candidate | complete, for nothing else marks the end |
//! | parts after their candidate's `finishReason` | unmodelled |

use std::borrow::Borrow;
use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::part::WirePart;
use super::partial::Partial;
use super::reader::{Memory, WireCandidate, WireReply};
use super::{arguments, finish, grounding, logprobs, signature, usage};
use crate::codec::{Finish, Read, StreamDecoder};
use crate::event::{BlockKind, ChatEvent};
use crate::fault::Fault;
use crate::format::Format;
use crate::frame::Frame;
use crate::openai_chat::speech::Sink;
use crate::openai_chat::{fault, list, object, text, tool_call_id};
use crate::raw::Raw;
use crate::reply::{Stop, Usage};

#[cfg(test)]
#[path = "stream_tests.rs"]
mod tests;

/// More candidates than this is no honest answer.
const MOST_CHOICES: u32 = 128;
/// More calls than this is no honest answer either.
const MOST_CALLS: usize = 4096;
/// So many bytes of an answer are remembered to find out which of its words a source is for.
const MOST_CONTENT: usize = 16 << 20;

/// Frames in, events out. Generic over who keeps the memory: a whole reply only borrows it.
pub(super) struct GeminiDecoder<M> {
    memory: M,
    started: bool,
    failed: Option<Fault>,
    choices: BTreeMap<u32, OpenChoice>,
    usage: Option<Usage>,
    /// The number of the next block.
    next: u32,
    called: usize,
}

#[derive(Default)]
struct OpenChoice {
    open: Option<Open>,
    /// The signature of the text being said.
    signature: Option<String>,
    /// The block of a call whose arguments come in pieces, and what has come.
    partial: Option<(u32, Partial)>,
    /// What was said, for sources name places in it.
    content: String,
    called: bool,
    stopped: bool,
    grounded: bool,
    searches: u64,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
struct WireCall<'a> {
    id: Option<&'a RawValue>,
    name: Option<&'a RawValue>,
    args: Option<&'a RawValue>,
    partial_args: Option<&'a RawValue>,
    will_continue: Option<&'a RawValue>,
}

impl WireCall<'_> {
    fn continues(&self) -> bool {
        self.will_continue.is_some_and(|raw| raw.get() == "true")
    }
}

#[derive(Clone, Copy)]
struct Open {
    block: u32,
    thought: bool,
}

impl<M: Borrow<Memory> + Send> StreamDecoder for GeminiDecoder<M> {
    fn frame(&mut self, frame: &Frame<'_>, out: &mut Vec<ChatEvent>) -> Read {
        let data = frame.data.trim();
        if data.is_empty() || data == "[DONE]" {
            return Read::Known;
        }
        let raw: &RawValue = match serde_json::from_str(data) {
            Ok(raw) => raw,
            Err(error) => return Read::Corrupt(format!("not JSON: {:?} error", error.classify())),
        };
        let Some(reply) = object::<WireReply<'_>>(raw) else {
            return Read::Corrupt("not an object".to_owned());
        };
        if reply.error.is_some_and(|raw| raw.get() != "null") {
            let fault = fault::of_frame(raw);
            self.failed = Some(fault.clone());
            return Read::Failed(fault);
        }
        match self.reply(&reply, out) {
            Ok(true) => Read::Known,
            Ok(false) => {
                out.push(ChatEvent::Unmodeled { tag: String::new(), raw: Raw::from(raw) });
                Read::Unknown
            }
            Err(problem) => Read::Corrupt(problem),
        }
    }

    fn end(&mut self, out: &mut Vec<ChatEvent>) -> Finish {
        for (index, choice) in &mut self.choices {
            let sink = &mut Sink { choice: *index, next: &mut self.next, out };
            choice.close(sink);
            // Arguments that were cut must not look complete.
            sink.out.extend(choice.partial.take().map(|(block, _)| ChatEvent::Close { block }));
        }
        let stopped = !self.choices.is_empty() && self.choices.values().all(|choice| choice.stopped);
        match self.failed.take() {
            Some(fault) => Finish::Failed(fault),
            None if stopped => Finish::Complete,
            None => Finish::Truncated,
        }
    }
}

impl<M: Borrow<Memory>> GeminiDecoder<M> {
    pub(super) fn new(memory: M) -> Self {
        Self {
            memory,
            started: false,
            failed: None,
            choices: BTreeMap::new(),
            usage: None,
            next: 0,
            called: 0,
        }
    }

    /// Reads a reply; false when it holds something that is not modelled, an error when it is spoilt.
    pub(super) fn reply(&mut self, reply: &WireReply<'_>, out: &mut Vec<ChatEvent>) -> Result<bool, String> {
        if !reply.says_anything() {
            return Ok(false);
        }
        let candidates = reply.candidates.map(|raw| list(raw, "candidates")).transpose();
        let candidates = candidates.map_err(|_| "candidates is no list".to_owned())?.unwrap_or_default();
        if !std::mem::replace(&mut self.started, true) {
            // The prompt is counted by now, and some clients want to know at once.
            self.count(reply.usage_metadata, out);
            let said = |raw: Option<&RawValue>| raw.map(|raw| text(raw).into_owned()).unwrap_or_default();
            out.push(ChatEvent::Start { id: said(reply.response_id), model: said(reply.model_version) });
        }
        let mut known = true;
        for (place, candidate) in candidates.into_iter().enumerate() {
            let candidate: WireCandidate<'_> = object(candidate).ok_or("a candidate that is no object")?;
            known &= self.candidate(&candidate, place, out)?;
        }
        if self.choices.is_empty() && reply.prompt_feedback.is_some_and(is_blocked) {
            self.choices.insert(0, OpenChoice { stopped: true, ..OpenChoice::default() });
            out.push(ChatEvent::Stop { choice: 0, reason: Stop::Filtered });
        }
        self.count(reply.usage_metadata, out);
        Ok(known)
    }

    fn count(&mut self, usage: Option<&RawValue>, out: &mut Vec<ChatEvent>) {
        let grounded = self.choices.values().any(|choice| choice.grounded);
        let searches = self.choices.values().map(|choice| choice.searches).sum();
        if let Some(usage) =
            usage.and_then(|raw| usage::read(raw, grounded)).map(|usage| Usage { searches, ..usage })
            && self.usage != Some(usage)
        {
            self.usage = Some(usage);
            out.push(ChatEvent::Usage(usage));
        }
    }

    fn candidate(
        &mut self,
        candidate: &WireCandidate<'_>,
        place: usize,
        out: &mut Vec<ChatEvent>,
    ) -> Result<bool, String> {
        #[derive(Default, Deserialize)]
        #[serde(default, bound(deserialize = "'de: 'a"))]
        struct Content<'a> {
            parts: Option<&'a RawValue>,
        }
        let index = match candidate.index {
            Some(raw) => serde_json::from_str(raw.get()).ok(),
            None => u32::try_from(place).ok(),
        };
        let index = index.filter(|index| *index < MOST_CHOICES).ok_or("an index out of range")?;
        let content: Content<'_> = candidate.content.and_then(object).unwrap_or_default();
        let parts = content.parts.map(|raw| list(raw, "parts")).transpose();
        let parts = parts.map_err(|_| "parts is no list".to_owned())?.unwrap_or_default();
        let choice = self.choices.entry(index).or_default();
        if choice.stopped {
            return Ok(!parts.iter().any(|part| says_something(part)));
        }
        let sink = &mut Sink { choice: index, next: &mut self.next, out };
        for part in parts {
            choice.part(part, self.memory.borrow(), &mut self.called, sink)?;
        }
        if let Some(metadata) = candidate.grounding_metadata {
            choice.ground(metadata, sink);
        }
        if let Some(raw) = candidate.logprobs_result.and_then(logprobs::read) {
            sink.out.push(ChatEvent::Logprobs { choice: index, raw });
        }
        if let Some(word) = candidate.finish_reason.map(text).filter(|word| !word.is_empty()) {
            choice.close(sink);
            choice.complete(sink);
            choice.stopped = true;
            sink.out.push(ChatEvent::Stop { choice: index, reason: finish::read(&word, choice.called) });
        }
        Ok(true)
    }
}

impl OpenChoice {
    fn part(
        &mut self,
        raw: &RawValue,
        memory: &Memory,
        called: &mut usize,
        sink: &mut Sink<'_>,
    ) -> Result<(), String> {
        let part: WirePart<'_> = object(raw).ok_or("a part that is no object")?;
        let signature = part.thought_signature.map(|raw| text(raw).into_owned());
        let signature = signature.filter(|signature| !signature.is_empty());
        if let Some(call) = part.function_call {
            let call: WireCall<'_> = object(call).ok_or("a call that is no object")?;
            if self.partial.is_some() && call.name.is_none() {
                return self.more(&call, sink);
            }
            if *called >= MOST_CALLS {
                return Err("too many calls".to_owned());
            }
            self.close(sink);
            self.complete(sink);
            return self.call(&call, signature, memory, called, sink);
        }
        if let Some(said) = part.text.map(text) {
            let thought = part.thought.is_some_and(|raw| raw.get() == "true");
            self.say(&said, thought, signature, sink);
        } else if says_something(raw) {
            self.close(sink);
            let block = sink.open(BlockKind::Opaque { from: Format::Gemini, raw: Raw::from(raw) });
            sink.out.push(ChatEvent::Close { block });
        }
        Ok(())
    }

    fn call(
        &mut self,
        wire: &WireCall<'_>,
        signature: Option<String>,
        memory: &Memory,
        called: &mut usize,
        sink: &mut Sink<'_>,
    ) -> Result<(), String> {
        let id = wire.id.map(text).filter(|id| !id.is_empty()).map(std::borrow::Cow::into_owned);
        let id = id.unwrap_or_else(|| tool_call_id(&memory.call_id, *called));
        let id = signature.map_or_else(|| id.clone(), |signature| signature::signed_id(&id, &signature));
        let name = memory.names.meant(&wire.name.map(text).unwrap_or_default()).to_owned();
        *called += 1;
        self.called = true;
        let block = sink.open(BlockKind::ToolCall { id, name });
        if wire.args.is_none() && (wire.continues() || wire.partial_args.is_some()) {
            sink.out.push(ChatEvent::Delta { block, text: "{".to_owned() });
            self.partial = Some((block, Partial::default()));
            return self.more(wire, sink);
        }
        let text = wire.args.map_or_else(|| "{}".to_owned(), arguments::text);
        sink.out.extend([ChatEvent::Delta { block, text }, ChatEvent::Close { block }]);
        Ok(())
    }

    /// Pieces of the arguments of the call that is open.
    fn more(&mut self, wire: &WireCall<'_>, sink: &mut Sink<'_>) -> Result<(), String> {
        if let (Some((_, partial)), Some(pieces)) = (&mut self.partial, wire.partial_args) {
            partial.take(pieces)?;
        }
        if !wire.continues() {
            self.complete(sink);
        }
        Ok(())
    }

    /// The call whose arguments came in pieces has all of them.
    fn complete(&mut self, sink: &mut Sink<'_>) {
        if let Some((block, partial)) = self.partial.take() {
            sink.out.extend([ChatEvent::Delta { block, text: partial.rest() }, ChatEvent::Close { block }]);
        }
    }

    fn say(&mut self, said: &str, thought: bool, signature: Option<String>, sink: &mut Sink<'_>) {
        if self.open.is_some_and(|open| open.thought != thought)
            || (self.signature.is_some() && !said.is_empty())
        {
            self.close(sink);
        }
        if !said.is_empty() || (thought && signature.is_some()) {
            let open = *self.open.get_or_insert_with(|| Open {
                block: sink.open(if thought { BlockKind::Thinking } else { BlockKind::Text }),
                thought,
            });
            if !said.is_empty() {
                sink.out.push(ChatEvent::Delta { block: open.block, text: said.to_owned() });
            }
        }
        if !thought && self.content.len().saturating_add(said.len()) <= MOST_CONTENT {
            self.content.push_str(said);
        }
        match (signature, self.open) {
            (Some(signature), Some(Open { block, thought: true })) => {
                let signature = signature::marked(&signature);
                sink.out.extend([ChatEvent::Signature { block, signature }, ChatEvent::Close { block }]);
                self.open = None;
            }
            (Some(signature), _) => self.signature = Some(signature),
            (None, _) => {}
        }
    }

    fn ground(&mut self, metadata: &RawValue, sink: &mut Sink<'_>) {
        let found = grounding::read(metadata, &self.content);
        self.grounded = true;
        self.searches = self.searches.max(found.searches);
        if let Some(Open { block, thought: false }) = self.open {
            let cited = found.citations.into_iter().map(|citation| ChatEvent::Cited { block, citation });
            sink.out.extend(cited);
        }
    }

    /// Closes what is open. The signature of a text stands behind it.
    fn close(&mut self, sink: &mut Sink<'_>) {
        if let Some(Open { block, .. }) = self.open.take() {
            sink.out.push(ChatEvent::Close { block });
        }
        if let Some(signature) = self.signature.take() {
            let signature = signature::marked(&signature);
            let block = sink.open(BlockKind::Thinking);
            sink.out.extend([ChatEvent::Signature { block, signature }, ChatEvent::Close { block }]);
        }
    }
}

/// Whether a part has more than marks on it.
fn says_something(raw: &RawValue) -> bool {
    let part: WirePart<'_> = object(raw).unwrap_or_default();
    match part.text {
        Some(said) => !text(said).is_empty(),
        None => {
            let fields: BTreeMap<std::borrow::Cow<'_, str>, &RawValue> =
                serde_json::from_str(raw.get()).unwrap_or_default();
            fields.keys().any(|name| !matches!(name.as_ref(), "thought" | "thoughtSignature"))
        }
    }
}

fn is_blocked(feedback: &RawValue) -> bool {
    #[derive(Default, Deserialize)]
    #[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
    struct Feedback<'a> {
        block_reason: Option<&'a RawValue>,
    }
    object::<Feedback<'_>>(feedback).is_some_and(|feedback| feedback.block_reason.is_some())
}
