//! A stream of Responses events: one item open at a time, its id the same from beginning to end, every event numbered.
//!
//! Other formats mix the deltas of several blocks. The first of them is streamed, the others wait until it is complete.
//! A message stays open until something else begins, for its status is only known then. The input of a custom tool
//! comes in one delta: what the upstream streams is the JSON around it.

use std::borrow::Cow;

use bytes::BytesMut;

use super::fault::Failure;
use super::item::{self, Part};
use super::reasoning;
use super::response::{Response, Status, item_id, response_id};
use super::told::{Members, begin_thought, emit, end_call, end_prose, summary};
use super::writer::{Prose, ResponsesWriter, item_status, listed, message, thought};
use crate::codec::{Finish, Stamp, StreamEncoder};
use crate::event::{BlockKind, ChatEvent};
use crate::format::Format;
use crate::in_turn::{Queue, Said};
use crate::raw::Raw;
use crate::reply::{Stop, Usage};

/// Events to events.
pub(super) struct ResponsesStream {
    writer: ResponsesWriter,
    /// The model and id may be filled in from the upstream's when the stamp has none.
    stamp: Stamp,
    started: bool,
    sequence: u64,
    /// The items that are complete.
    output: Vec<Raw>,
    /// The parts of the message that is open, the last of which may be live, and the message's id.
    message: Option<(String, Vec<Prose>)>,
    live: Option<Live>,
    /// The blocks that were opened since, in that order.
    waiting: Queue,
    stop: Option<Stop>,
    usage: Option<Usage>,
}

/// The block that is being written, and the upstream's number of it.
struct Live {
    block: u32,
    kind: Kind,
}

enum Kind {
    /// The last part of the open message.
    Prose,
    /// Reasoning; its id is known when it has been announced.
    Thinking {
        id: Option<String>,
        text: String,
        signature: Option<String>,
    },
    Call {
        id: String,
        call_id: String,
        name: String,
        arguments: String,
        custom: bool,
    },
    /// Complete from the start.
    Whole,
}

impl StreamEncoder for ResponsesStream {
    fn event(&mut self, event: &ChatEvent, out: &mut BytesMut) {
        match event {
            ChatEvent::Start { id, model } => {
                // An id of ours is one that callers can name later; a provider's need not be unique here.
                let own = self.stamp.id.starts_with("resp_");
                self.stamp.meet(if own { "" } else { id }, model);
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
            ChatEvent::Logprobs { choice: 0, raw } => {
                if let Some(prose) = self.message.as_mut().and_then(|(_, parts)| parts.last_mut()) {
                    prose.logprobs.extend(listed(raw));
                }
            }
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
        self.start(out);
        let status = match finish {
            Finish::Complete => {
                let stop = self.stop.unwrap_or(Stop::End);
                self.end_message(item_status(Some(stop)), out);
                Status::Ended(stop)
            }
            Finish::Truncated => Status::Failed(Failure::truncated()),
            Finish::Failed(fault) => Status::Failed(Failure::of(fault)),
        };
        let event = match status.word() {
            "completed" => "response.completed",
            "failed" => "response.failed",
            _ => "response.incomplete",
        };
        self.tell(event, status, out);
    }
}

impl ResponsesStream {
    pub(super) fn new(writer: ResponsesWriter, stamp: Stamp) -> Self {
        Self {
            writer,
            stamp,
            started: false,
            sequence: 0,
            output: Vec::new(),
            message: None,
            live: None,
            waiting: Queue::default(),
            stop: None,
            usage: None,
        }
    }

    fn start(&mut self, out: &mut BytesMut) {
        if std::mem::replace(&mut self.started, true) {
            return;
        }
        self.tell("response.created", Status::InProgress, out);
        self.tell("response.in_progress", Status::InProgress, out);
    }

    fn tell(&mut self, event: &str, status: Status<'_>, out: &mut BytesMut) {
        let usage = self.usage.as_ref().filter(|_| !matches!(status, Status::InProgress));
        let response = Response {
            echo: &self.writer.echo,
            id: &response_id(&self.stamp.id),
            model: &self.stamp.model,
            created: self.stamp.created,
            status,
            output: &self.output,
            usage,
        };
        emit(&mut self.sequence, event, Members { response: Some(response), ..Members::default() }, out);
    }

    fn id(&self, prefix: &str) -> String {
        item_id(prefix, &response_id(&self.stamp.id), self.output.len())
    }

    fn item_event(&mut self, event: &str, item: &Raw, out: &mut BytesMut) {
        let members =
            Members { output_index: Some(self.output.len()), item: Some(item), ..Members::default() };
        emit(&mut self.sequence, event, members, out);
    }

    fn item_done(&mut self, item: Option<Raw>, out: &mut BytesMut) {
        if let Some(item) = item {
            self.item_event("response.output_item.done", &item, out);
            self.output.push(item);
        }
    }

    fn item_added(&mut self, item: Option<Raw>, out: &mut BytesMut) {
        if let Some(item) = item {
            self.item_event("response.output_item.added", &item, out);
        }
    }

    fn opened(&mut self, block: u32, kind: &BlockKind, out: &mut BytesMut) {
        // A block of another format has no place here; what comes for it finds no block and says nothing.
        if matches!(kind, BlockKind::Opaque { from, .. } if *from != Format::OpenAiResponses) {
            return;
        }
        self.start(out);
        if self.live.is_none() {
            self.begin(block, kind, out);
        } else {
            self.waiting.push(block, kind);
        }
    }

    /// Begins to write `block`.
    fn begin(&mut self, block: u32, kind: &BlockKind, out: &mut BytesMut) {
        if !matches!(kind, BlockKind::Text | BlockKind::Refusal) {
            self.end_message("completed", out);
        }
        let kind = match kind {
            BlockKind::Text | BlockKind::Refusal => {
                self.begin_prose(matches!(kind, BlockKind::Refusal), out);
                Kind::Prose
            }
            BlockKind::Thinking => Kind::Thinking { id: None, text: String::new(), signature: None },
            BlockKind::RedactedThinking(data) => {
                let id = self.id("rs");
                let whole = thought(&id, "", Some(Cow::Owned(reasoning::redacted(data))));
                self.item_added(Raw::of(&thought(&id, "", None)).ok(), out);
                self.item_done(Raw::of(&whole).ok(), out);
                Kind::Whole
            }
            BlockKind::ToolCall { id: call_id, name } => {
                let custom = self.writer.is_custom(name);
                let id = self.id(if custom { "ctc" } else { "fc" });
                let item = Raw::of(&self.writer.call(&id, "in_progress", (call_id, name), "")).ok();
                self.item_added(item, out);
                let (call_id, name) = (call_id.clone(), name.clone());
                Kind::Call { id, call_id, name, arguments: String::new(), custom }
            }
            BlockKind::Opaque { raw, .. } => {
                self.item_added(Some(raw.clone()), out);
                self.item_done(Some(raw.clone()), out);
                Kind::Whole
            }
        };
        self.live = Some(Live { block, kind });
    }

    fn begin_prose(&mut self, refusal: bool, out: &mut BytesMut) {
        if self.message.is_none() {
            let id = self.id("msg");
            let item = Raw::of(&message(&id, "in_progress", Vec::new())).ok();
            self.item_added(item, out);
            self.message = Some((id, Vec::new()));
        }
        let output_index = Some(self.output.len());
        let Some((id, parts)) = &mut self.message else { return };
        parts.push(Prose::new(refusal));
        let (content_index, part) = (Some(parts.len() - 1), parts.last().map(Prose::part));
        let members = Members { item_id: Some(id), output_index, content_index, part, ..Members::default() };
        emit(&mut self.sequence, "response.content_part.added", members, out);
    }

    /// Writes what is said for `block`, or keeps it until its turn.
    fn said(&mut self, block: u32, said: impl FnOnce() -> Said, out: &mut BytesMut) {
        match &self.live {
            Some(live) if live.block == block => self.delta(said(), out),
            _ => self.waiting.say(block, said),
        }
    }

    /// Writes one delta of the live block.
    fn delta(&mut self, said: Said, out: &mut BytesMut) {
        let index = self.output.len();
        let made = self.id("rs");
        let (live, sequence) = (self.live.as_mut().map(|live| &mut live.kind), &mut self.sequence);
        match (live, said) {
            (_, Said::Text(text)) if text.is_empty() => {}
            (Some(Kind::Prose), said) => {
                if let Some((id, parts)) = &mut self.message {
                    prose_delta(sequence, id, index, parts, said, out);
                }
            }
            (Some(Kind::Thinking { id, text, .. }), Said::Text(more)) => {
                let id = id.get_or_insert_with(|| made.clone());
                if text.is_empty() {
                    begin_thought(sequence, id, index, out);
                }
                text.push_str(&more);
                let members = Members { item_id: Some(id), delta: Some(&more), ..summary(index) };
                emit(sequence, "response.reasoning_summary_text.delta", members, out);
            }
            (Some(Kind::Thinking { signature, .. }), Said::Signature(more)) => *signature = Some(more),
            (Some(Kind::Call { id, arguments, custom, .. }), Said::Text(more)) => {
                arguments.push_str(&more);
                if !*custom {
                    let members = Members {
                        item_id: Some(id),
                        output_index: Some(index),
                        delta: Some(&more),
                        ..Members::default()
                    };
                    emit(sequence, "response.function_call_arguments.delta", members, out);
                }
            }
            (Some(Kind::Whole | Kind::Thinking { .. } | Kind::Call { .. }) | None, _) => {}
        }
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
            waiting.said.into_iter().for_each(|said| self.delta(said, out));
            if waiting.closed {
                self.end(out);
            }
        }
    }

    fn end(&mut self, out: &mut BytesMut) {
        let index = self.output.len();
        match self.live.take().map(|live| live.kind) {
            Some(Kind::Prose) => {
                if let Some((id, parts)) = &self.message
                    && let Some(prose) = parts.last()
                {
                    end_prose(&mut self.sequence, id, index, (parts.len() - 1, prose), out);
                }
            }
            Some(Kind::Thinking { id, text, signature }) => self.end_thought(id, &text, signature, out),
            Some(Kind::Call { id, call_id, name, arguments, custom }) => {
                let arguments = if arguments.is_empty() { "{}" } else { &arguments };
                let item = self.writer.call(&id, "completed", (&call_id, &name), arguments);
                end_call(&mut self.sequence, &item, index, custom, out);
                let item = Raw::of(&item).ok();
                self.item_done(item, out);
            }
            Some(Kind::Whole) | None => {}
        }
    }

    fn end_thought(&mut self, id: Option<String>, text: &str, signature: Option<String>, out: &mut BytesMut) {
        let index = self.output.len();
        let own = signature.as_deref().and_then(reasoning::open);
        let own = own.map(|sealed| sealed.id.to_owned()).filter(|id| !id.is_empty());
        let announced = id.is_some();
        let id = id.or(own).unwrap_or_else(|| self.id("rs"));
        if announced {
            let part = || Some(Part::text("summary_text", text));
            let members = || Members { item_id: Some(id.as_str()), ..summary(index) };
            let done = Members { text: Some(text), ..members() };
            emit(&mut self.sequence, "response.reasoning_summary_text.done", done, out);
            let done = Members { part: part(), ..members() };
            emit(&mut self.sequence, "response.reasoning_summary_part.done", done, out);
        } else {
            self.item_added(Raw::of(&thought(&id, "", None)).ok(), out);
        }
        let encrypted = signature.as_deref().and_then(reasoning::encrypted);
        self.item_done(Raw::of(&thought(&id, text, encrypted)).ok(), out);
    }

    fn end_message(&mut self, status: &'static str, out: &mut BytesMut) {
        if let Some((id, parts)) = self.message.take() {
            let item = Raw::of(&message(&id, status, parts.iter().map(Prose::part).collect())).ok();
            self.item_done(item, out);
        }
    }
}

/// More of the last of `parts`.
fn prose_delta(
    sequence: &mut u64,
    id: &str,
    index: usize,
    parts: &mut [Prose],
    said: Said,
    out: &mut BytesMut,
) {
    let content_index = Some(parts.len().saturating_sub(1));
    let Some(prose) = parts.last_mut() else { return };
    let members =
        Members { item_id: Some(id), output_index: Some(index), content_index, ..Members::default() };
    match said {
        Said::Text(more) => {
            prose.text.push_str(&more);
            let (event, logprobs): (_, Option<&[Raw]>) = match prose.refusal {
                true => ("response.refusal.delta", None),
                false => ("response.output_text.delta", Some(&[])),
            };
            emit(sequence, event, Members { delta: Some(&more), logprobs, ..members }, out);
        }
        Said::Cited(citation) => {
            let Some(raw) = item::annotation(&citation, prose.text.chars().count()) else { return };
            let annotation_index = Some(prose.annotations.len());
            let members = Members { annotation_index, annotation: Some(&raw), ..members };
            emit(sequence, "response.output_text.annotation.added", members, out);
            prose.annotations.push(raw);
        }
        Said::Signature(_) => {}
    }
}
