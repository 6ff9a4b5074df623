//! The state machine for a stream of Responses events.
//!
//! | seen | done |
//! | --- | --- |
//! | the first event with a response | the reply starts |
//! | a delta | opens its block if it is the first |
//! | `response.output_item.done` | says what no delta said, and closes the item's blocks |
//! | the input of a custom tool | arguments with one string |
//! | an item of a kind that is not modelled | passed on whole; searches are counted |
//! | `response.completed` without any item before it | its own output is read |
//! | an event about an item that is complete | unmodelled |

use std::borrow::Borrow;
use std::collections::BTreeMap;

use serde_json::value::RawValue;

use super::reader::Memory;
use super::wire::{Event, Item, Part, Response, is_search, reasoning_text, rows, said};
use super::{custom, fault, item, reasoning, usage};
use crate::codec::{Finish, Read, StreamDecoder};
use crate::event::{BlockKind, ChatEvent};
use crate::fault::Fault;
use crate::format::Format;
use crate::frame::Frame;
use crate::openai_chat::{object, text, tool_call_id};
use crate::raw::Raw;
use crate::reply::Stop;

#[cfg(test)]
#[path = "stream_tests.rs"]
mod tests;

/// More items, or parts of one, than this in one answer is no honest answer.
const MOST_ITEMS: usize = 4096;

/// Frames in, events out. Generic over who keeps the memory: a whole reply only borrows it.
pub(super) struct ResponsesDecoder<M> {
    memory: M,
    started: bool,
    stopped: bool,
    done: bool,
    failed: Option<Fault>,
    items: BTreeMap<u64, Progress>,
    /// The number of the next block.
    next: u32,
    called: usize,
    searches: u64,
}

/// How far an item has come.
enum Progress {
    Message(BTreeMap<u64, Said>),
    Reasoning {
        said: Option<Said>,
        part: u64,
    },
    Call {
        said: Said,
        custom: bool,
    },
    /// Not modelled: it is read when it is complete.
    Whole,
    Complete,
}

/// A block that is open.
#[derive(Clone, Copy)]
struct Said {
    block: u32,
    fed: bool,
    cited: usize,
}

impl<M: Borrow<Memory> + Send> StreamDecoder for ResponsesDecoder<M> {
    fn frame(&mut self, frame: &Frame<'_>, out: &mut Vec<ChatEvent>) -> Read {
        let data = frame.data.trim();
        let raw: &RawValue = match serde_json::from_str(data) {
            Ok(raw) => raw,
            Err(_) if data.is_empty() => return Read::Known,
            // Imitators end with it, as chat completions do.
            Err(_) if data == "[DONE]" => return if self.stopped { Read::Terminal } else { Read::Known },
            Err(error) => return Read::Corrupt(format!("not JSON: {:?} error", error.classify())),
        };
        let Some(event) = object::<Event<'_>>(raw) else {
            return Read::Corrupt("not an event of a Responses stream".to_owned());
        };
        let said = event.r#type.map(text).unwrap_or_default();
        let response = || event.response.and_then(object::<Response<'_>>);
        match if said.is_empty() { frame.event } else { &said } {
            "keepalive" => Read::Known,
            "error" => self.fail(fault::of_error(raw)),
            "response.failed" | "response.cancelled" => {
                let error = response().and_then(|response| response.error);
                let error = error.filter(|error| error.get() != "null");
                self.fail(fault::of_error(error.unwrap_or(raw)))
            }
            "response.completed" | "response.incomplete" | "response.done" => {
                let Some(response) = response() else {
                    return Read::Corrupt("an end without a response".to_owned());
                };
                self.start(&response, out);
                if self.items.is_empty() {
                    for (index, item) in rows(response.output).into_iter().enumerate() {
                        if let Err(problem) = self.done(index as u64, item, out) {
                            return Read::Corrupt(problem);
                        }
                    }
                }
                self.stop(&response, out);
                self.done = true;
                Read::Terminal
            }
            tag => match self.event(tag, &event, out) {
                Ok(true) => Read::Known,
                Ok(false) => {
                    out.push(ChatEvent::Unmodeled { tag: tag.to_owned(), raw: Raw::from(raw) });
                    Read::Unknown
                }
                Err(problem) => Read::Corrupt(problem),
            },
        }
    }

    fn end(&mut self, out: &mut Vec<ChatEvent>) -> Finish {
        self.close_all(out);
        match self.failed.take() {
            Some(fault) => Finish::Failed(fault),
            None if self.done => Finish::Complete,
            None => Finish::Truncated,
        }
    }
}

impl<M: Borrow<Memory>> ResponsesDecoder<M> {
    pub(super) fn new(memory: M) -> Self {
        Self {
            memory,
            started: false,
            stopped: false,
            done: false,
            failed: None,
            items: BTreeMap::new(),
            next: 0,
            called: 0,
            searches: 0,
        }
    }

    fn fail(&mut self, fault: Fault) -> Read {
        self.failed = Some(fault.clone());
        Read::Failed(fault)
    }

    /// The response begins. Once is enough.
    pub(super) fn start(&mut self, response: &Response<'_>, out: &mut Vec<ChatEvent>) {
        if !std::mem::replace(&mut self.started, true) {
            let of = |raw| said(raw).unwrap_or_default();
            out.push(ChatEvent::Start { id: of(response.id), model: of(response.model) });
        }
    }

    /// Reads an event; false when it is none that is modelled, an error when it is one that is spoilt.
    fn event(&mut self, tag: &str, event: &Event<'_>, out: &mut Vec<ChatEvent>) -> Result<bool, String> {
        let index = || event.output_index.ok_or("an event without the index of its item");
        let Some(name) = tag.strip_prefix("response.") else { return Ok(false) };
        match name {
            "created" | "in_progress" | "queued" => {
                let response = event.response.and_then(object).ok_or("an event without its response")?;
                self.start(&response, out);
            }
            "output_item.added" => {
                let item = event.item.and_then(object::<Item<'_>>).ok_or("an event without its item")?;
                return self.added(index()?, &item, out);
            }
            "output_item.done" => {
                if matches!(self.items.get(&index()?), Some(Progress::Complete)) {
                    return Ok(false);
                }
                self.done(index()?, event.item.ok_or("an event without its item")?, out)?;
            }
            "output_text.delta" => return self.words(index()?, &BlockKind::Text, event, out),
            "refusal.delta" => return self.words(index()?, &BlockKind::Refusal, event, out),
            "output_text.annotation.added" => return self.cited(index()?, event, out),
            "reasoning_summary_text.delta" => {
                return self.thought(index()?, event.summary_index, event.delta, out);
            }
            "reasoning_text.delta" => return self.thought(index()?, event.content_index, event.delta, out),
            "function_call_arguments.delta" | "custom_tool_call_input.delta" => {
                return Ok(self.arguments(index()?, event.delta, out));
            }
            // What these say, the deltas before them and the item after them say too.
            "content_part.added"
            | "content_part.done"
            | "output_text.done"
            | "refusal.done"
            | "reasoning_summary_part.added"
            | "reasoning_summary_part.done"
            | "reasoning_summary_text.done"
            | "reasoning_text.done"
            | "function_call_arguments.done"
            | "custom_tool_call_input.done" => {}
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn open(&mut self, kind: BlockKind, out: &mut Vec<ChatEvent>) -> Said {
        self.start(&Response::default(), out);
        let block = self.next;
        self.next = block.saturating_add(1);
        out.push(ChatEvent::Open { block, choice: 0, kind });
        Said { block, fed: false, cited: 0 }
    }

    /// The item at `index` begins.
    fn added(&mut self, index: u64, item: &Item<'_>, out: &mut Vec<ChatEvent>) -> Result<bool, String> {
        if self.stopped || self.items.contains_key(&index) {
            return Ok(false);
        }
        if self.items.len() >= MOST_ITEMS {
            return Err("too many items".to_owned());
        }
        let progress = match item.r#type.map(text).unwrap_or_default().as_ref() {
            "message" => Progress::Message(BTreeMap::new()),
            "reasoning" => Progress::Reasoning { said: None, part: 0 },
            "function_call" => Progress::Call { said: self.call(item, out), custom: false },
            "custom_tool_call" => Progress::Call { said: self.call(item, out), custom: true },
            _ => Progress::Whole,
        };
        self.items.insert(index, progress);
        Ok(true)
    }

    fn call(&mut self, item: &Item<'_>, out: &mut Vec<ChatEvent>) -> Said {
        let memory = self.memory.borrow();
        // `id` names the item; what the result must name is `call_id`. Imitators have only one of them.
        let id = said(item.call_id).or_else(|| said(item.id));
        let id = id.unwrap_or_else(|| tool_call_id(&memory.call_id, self.called));
        let name = memory.names.meant(&item.name.map(text).unwrap_or_default()).to_owned();
        self.called += 1;
        self.open(BlockKind::ToolCall { id, name }, out)
    }

    /// The open part of the message at `index` that `event` is about.
    fn part(
        &mut self,
        index: u64,
        at: u64,
        kind: &BlockKind,
        out: &mut Vec<ChatEvent>,
    ) -> Result<Option<Said>, String> {
        if self.stopped {
            return Ok(None);
        }
        if self.items.len() >= MOST_ITEMS && !self.items.contains_key(&index) {
            return Err("too many items".to_owned());
        }
        let parts = match self.items.entry(index).or_insert_with(|| Progress::Message(BTreeMap::new())) {
            Progress::Message(parts) => parts,
            _ => return Ok(None),
        };
        if let Some(said) = parts.get(&at) {
            return Ok(Some(*said));
        }
        if parts.len() >= MOST_ITEMS {
            return Err("too many parts".to_owned());
        }
        let said = self.open(kind.clone(), out);
        self.keep(index, at, said);
        Ok(Some(said))
    }

    fn keep(&mut self, index: u64, at: u64, said: Said) {
        if let Some(Progress::Message(parts)) = self.items.get_mut(&index) {
            parts.insert(at, said);
        }
    }

    fn words(
        &mut self,
        index: u64,
        kind: &BlockKind,
        event: &Event<'_>,
        out: &mut Vec<ChatEvent>,
    ) -> Result<bool, String> {
        let Some(delta) = said(event.delta) else { return Ok(true) };
        let at = event.content_index.unwrap_or_default();
        let Some(mut part) = self.part(index, at, kind, out)? else { return Ok(false) };
        out.push(ChatEvent::Delta { block: part.block, text: delta });
        logprobs(event.logprobs, out);
        part.fed = true;
        self.keep(index, at, part);
        Ok(true)
    }

    fn cited(&mut self, index: u64, event: &Event<'_>, out: &mut Vec<ChatEvent>) -> Result<bool, String> {
        let raw = event.annotation.ok_or("an annotation that is not there")?;
        let at = event.content_index.unwrap_or_default();
        let Some(mut part) = self.part(index, at, &BlockKind::Text, out)? else { return Ok(false) };
        out.push(ChatEvent::Cited { block: part.block, citation: item::citation(raw) });
        part.cited += 1;
        self.keep(index, at, part);
        Ok(true)
    }

    fn thought(
        &mut self,
        index: u64,
        at: Option<u64>,
        delta: Option<&RawValue>,
        out: &mut Vec<ChatEvent>,
    ) -> Result<bool, String> {
        let Some(Progress::Reasoning { said: open, part }) = self.items.get(&index) else { return Ok(false) };
        let (open, last, at) = (*open, *part, at.unwrap_or_default());
        let Some(mut text) = said(delta) else { return Ok(true) };
        if open.is_some() && at != last {
            text.insert_str(0, "\n\n");
        }
        let mut open = match open {
            Some(open) => open,
            None => self.open(BlockKind::Thinking, out),
        };
        open.fed = true;
        out.push(ChatEvent::Delta { block: open.block, text });
        self.items.insert(index, Progress::Reasoning { said: Some(open), part: at });
        Ok(true)
    }

    fn arguments(&mut self, index: u64, delta: Option<&RawValue>, out: &mut Vec<ChatEvent>) -> bool {
        let Some(Progress::Call { said: call, custom }) = self.items.get_mut(&index) else { return false };
        if let Some(mut text) = said(delta) {
            if *custom {
                text = custom::escaped(&text);
                if !call.fed {
                    text.insert_str(0, custom::HEAD);
                }
            }
            call.fed = true;
            out.push(ChatEvent::Delta { block: call.block, text });
        }
        true
    }

    /// The item at `index` is complete: what was not said of it yet is said now.
    pub(super) fn done(
        &mut self,
        index: u64,
        raw: &RawValue,
        out: &mut Vec<ChatEvent>,
    ) -> Result<(), String> {
        let item: Item<'_> = object(raw).ok_or("an item that is not an object")?;
        self.added(index, &item, out)?;
        match self.items.insert(index, Progress::Complete) {
            Some(Progress::Message(parts)) => self.message(parts, &item, out),
            Some(Progress::Reasoning { said, .. }) => self.reasoned(said, &item, out),
            Some(Progress::Call { said: call, custom }) => {
                let text = match (call.fed, custom) {
                    (true, false) => None,
                    (true, true) => Some(custom::TAIL.to_owned()),
                    (false, true) => Some(custom::arguments(&said(item.input).unwrap_or_default())),
                    (false, false) => Some(said(item.arguments).unwrap_or_else(|| "{}".to_owned())),
                };
                out.extend(text.map(|text| ChatEvent::Delta { block: call.block, text }));
                out.push(ChatEvent::Close { block: call.block });
            }
            Some(Progress::Whole) => {
                self.searches += u64::from(is_search(&item));
                let kind = BlockKind::Opaque { from: Format::OpenAiResponses, raw: Raw::from(raw) };
                let said = self.open(kind, out);
                out.push(ChatEvent::Close { block: said.block });
            }
            Some(Progress::Complete) | None => {}
        }
        Ok(())
    }

    fn message(&mut self, mut open: BTreeMap<u64, Said>, item: &Item<'_>, out: &mut Vec<ChatEvent>) {
        for (at, raw) in (0..).zip(rows(item.content).into_iter().take(MOST_ITEMS)) {
            let part: Part<'_> = object(raw).unwrap_or_default();
            let refusal = part.r#type.is_some_and(|raw| text(raw) == "refusal");
            let (kind, whole) = match refusal {
                true => (BlockKind::Refusal, said(part.refusal)),
                false => (BlockKind::Text, said(part.text)),
            };
            let sources = rows(part.annotations);
            let begun = open.remove(&at);
            if begun.is_none() && whole.is_none() && sources.is_empty() {
                continue;
            }
            let begun = begun.unwrap_or_else(|| self.open(kind, out));
            if !begun.fed {
                out.extend(whole.map(|text| ChatEvent::Delta { block: begun.block, text }));
                logprobs(part.logprobs, out);
            }
            for raw in sources.into_iter().skip(begun.cited) {
                out.push(ChatEvent::Cited { block: begun.block, citation: item::citation(raw) });
            }
            out.push(ChatEvent::Close { block: begun.block });
        }
        out.extend(open.into_values().map(|said| ChatEvent::Close { block: said.block }));
    }

    fn reasoned(&mut self, open: Option<Said>, item: &Item<'_>, out: &mut Vec<ChatEvent>) {
        let (id, content) =
            (said(item.id).unwrap_or_default(), said(item.encrypted_content).unwrap_or_default());
        let kept = !content.is_empty() || self.memory.borrow().stored;
        let signature = reasoning::signature(&id, &content).filter(|_| kept);
        let text = reasoning_text(item.summary, item.content);
        if open.is_none() && text.is_empty() && signature.is_none() {
            return;
        }
        let open = open.unwrap_or_else(|| self.open(BlockKind::Thinking, out));
        if !open.fed && !text.is_empty() {
            out.push(ChatEvent::Delta { block: open.block, text });
        }
        out.extend(signature.map(|signature| ChatEvent::Signature { block: open.block, signature }));
        out.push(ChatEvent::Close { block: open.block });
    }

    fn close_all(&mut self, out: &mut Vec<ChatEvent>) {
        for progress in self.items.values_mut() {
            match std::mem::replace(progress, Progress::Complete) {
                Progress::Message(parts) => {
                    out.extend(parts.into_values().map(|said| ChatEvent::Close { block: said.block }));
                }
                Progress::Reasoning { said: Some(said), .. } | Progress::Call { said, .. } => {
                    out.push(ChatEvent::Close { block: said.block });
                }
                Progress::Reasoning { said: None, .. } | Progress::Whole | Progress::Complete => {}
            }
        }
    }

    /// The response ends as it says itself.
    pub(super) fn stop(&mut self, response: &Response<'_>, out: &mut Vec<ChatEvent>) {
        #[derive(Default, serde::Deserialize)]
        #[serde(default, bound(deserialize = "'de: 'a"))]
        struct Details<'a> {
            reason: Option<&'a RawValue>,
        }
        self.close_all(out);
        if let Some(mut usage) = response.usage.and_then(usage::read) {
            usage.searches = self.searches;
            usage.tier = usage::tier(said(response.service_tier).as_deref());
            out.push(ChatEvent::Usage(usage));
        }
        let details: Details<'_> = response.incomplete_details.and_then(object).unwrap_or_default();
        let reason = match said(response.status).as_deref() {
            // A whole response that is still being made has no end yet.
            Some("queued" | "in_progress" | "cancelled") => return,
            Some("incomplete") if said(details.reason).as_deref() == Some("content_filter") => Stop::Filtered,
            Some("incomplete") => Stop::Length,
            _ if self.called > 0 => Stop::ToolUse,
            _ => Stop::End,
        };
        self.stopped = true;
        out.push(ChatEvent::Stop { choice: 0, reason });
    }
}

/// Log-probabilities in the shape of OpenAI's chat completions, which has the list under a name.
fn logprobs(raw: Option<&RawValue>, out: &mut Vec<ChatEvent>) {
    let Some(raw) = raw.filter(|raw| !rows(Some(raw)).is_empty()) else { return };
    let raw = Raw::parse(format!("{{\"content\":{}}}", raw.get()));
    out.extend(raw.ok().map(|raw| ChatEvent::Logprobs { choice: 0, raw }));
}
