//! A stream of responses in Google's shape, as server-sent events or as a JSON array that grows. Calls are written
//! whole, when their last argument has come; why each candidate ended, and the usage, stand in the last response.

use std::borrow::Cow;
use std::collections::BTreeMap;

use bytes::{BufMut, BytesMut};
use serde::Serialize;

use super::fault::WrittenError;
use super::logprobs;
use super::part::{Part, Piece};
use super::request::Streamed;
use super::signature::Held;
use super::usage::WrittenUsage;
use super::writer::{Candidate, GeminiWriter, Response, call};
use super::{finish, grounding};
use crate::chat::Citation;
use crate::codec::{Finish, Stamp, StreamEncoder};
use crate::event::{BlockKind, ChatEvent};
use crate::format::Format;
use crate::reply::{Stop, Usage};

/// Events to responses.
pub(super) struct GeminiStream {
    writer: GeminiWriter,
    /// The model and id may be filled in from the upstream's when the stamp has none.
    stamp: Stamp,
    open: BTreeMap<u32, OpenBlock>,
    choices: BTreeMap<u32, Ended>,
    usage: Option<Usage>,
    written: bool,
}

struct OpenBlock {
    choice: u32,
    kind: OpenKind,
}

enum OpenKind {
    Text,
    /// What a signature has to be written with.
    Thinking {
        said: bool,
        signature: Option<String>,
    },
    Tool {
        id: String,
        name: String,
        input: String,
    },
    Whole,
}

/// What the last response says of a choice.
#[derive(Default)]
struct Ended {
    stop: Option<Stop>,
    refused: bool,
    citations: Vec<Citation>,
}

impl StreamEncoder for GeminiStream {
    fn event(&mut self, event: &ChatEvent, out: &mut BytesMut) {
        match event {
            ChatEvent::Start { id, model } => self.stamp.meet(id, model),
            ChatEvent::Open { block, choice, kind } => self.opened(*block, *choice, kind, out),
            ChatEvent::Delta { block, text } => self.fed(*block, text, out),
            ChatEvent::Signature { block, signature } => {
                if let Some(OpenBlock { kind: OpenKind::Thinking { signature: kept, .. }, .. }) =
                    self.open.get_mut(block)
                {
                    *kept = Some(signature.clone());
                }
            }
            ChatEvent::Cited { block, citation } => {
                if let Some(open) = self.open.get(block) {
                    self.choices.entry(open.choice).or_default().citations.push(citation.clone());
                }
            }
            ChatEvent::Close { block } => self.closed(*block, out),
            ChatEvent::Usage(usage) => self.usage = Some(*usage),
            ChatEvent::Logprobs { choice, raw } => {
                let logprobs_result = logprobs::write(raw);
                if logprobs_result.is_some() {
                    self.response(Candidate { logprobs_result, ..Candidate::of(*choice, Vec::new()) }, out);
                }
            }
            ChatEvent::Stop { choice, reason } => {
                self.choices.entry(*choice).or_default().stop = Some(*reason);
            }
            ChatEvent::Met { .. } | ChatEvent::Trace(_) | ChatEvent::Unmodeled { .. } => {}
        }
    }

    fn finish(&mut self, finish: &Finish, out: &mut BytesMut) {
        match finish {
            Finish::Complete => {
                self.choices.entry(0).or_default();
                let candidates = std::mem::take(&mut self.choices).into_iter();
                let candidates = candidates.map(|(index, ended)| Candidate {
                    finish_reason: Some(finish::write(ended.stop.unwrap_or(Stop::End), ended.refused)),
                    grounding_metadata: grounding::write(ended.citations.iter()),
                    // The vendor's own clients read the parts of every candidate.
                    ..Candidate::of(index, vec![Part::text("").piece()])
                });
                let usage = WrittenUsage::from(&self.usage.unwrap_or_default());
                self.responses(candidates.collect(), Some(usage), out);
            }
            Finish::Truncated => self.frame(&WrittenError::truncated(), out),
            Finish::Failed(fault) => self.frame(&WrittenError::of(fault), out),
        }
        if self.writer.streamed == Some(Streamed::Array) {
            out.extend_from_slice(b"]");
        }
    }
}

impl GeminiStream {
    pub(super) fn new(writer: GeminiWriter, stamp: Stamp) -> Self {
        Self { writer, stamp, open: BTreeMap::new(), choices: BTreeMap::new(), usage: None, written: false }
    }

    fn opened(&mut self, block: u32, choice: u32, kind: &BlockKind, out: &mut BytesMut) {
        self.choices.entry(choice).or_default().refused |= matches!(kind, BlockKind::Refusal);
        let kind = match kind {
            BlockKind::Text | BlockKind::Refusal => OpenKind::Text,
            BlockKind::Thinking => OpenKind::Thinking { said: false, signature: None },
            BlockKind::ToolCall { id, name } => {
                OpenKind::Tool { id: id.clone(), name: name.clone(), input: String::new() }
            }
            BlockKind::RedactedThinking(data) => {
                if self.writer.shows_thoughts {
                    let signature = Some(Cow::Owned(Held::write_redacted(data)));
                    self.part(choice, Part::thought("", signature), out);
                }
                OpenKind::Whole
            }
            BlockKind::Opaque { from, raw } => {
                if *from == Format::Gemini {
                    self.response(Candidate::of(choice, vec![Piece::Verbatim(raw)]), out);
                }
                OpenKind::Whole
            }
        };
        self.open.insert(block, OpenBlock { choice, kind });
    }

    fn fed(&mut self, block: u32, text: &str, out: &mut BytesMut) {
        let Some(open) = self.open.get_mut(&block).filter(|_| !text.is_empty()) else { return };
        let choice = open.choice;
        let part = match &mut open.kind {
            OpenKind::Text => Part::text(text),
            OpenKind::Thinking { said, .. } => {
                *said = true;
                match self.writer.thought(text, None) {
                    Some(part) => part,
                    None => return,
                }
            }
            OpenKind::Tool { input, .. } => {
                input.push_str(text);
                return;
            }
            OpenKind::Whole => return,
        };
        self.part(choice, part, out);
    }

    fn closed(&mut self, block: u32, out: &mut BytesMut) {
        let Some(OpenBlock { choice, kind }) = self.open.remove(&block) else { return };
        match &kind {
            OpenKind::Tool { id, name, input } => self.part(choice, call(id, name, input), out),
            // A signature alone is Google's for the text before it, or the end of what was thought.
            OpenKind::Thinking { said, signature: Some(signature) } => {
                let part = self.writer.thought("", Some(signature));
                let thought = (*said).then_some(true);
                if let Some(part) = part.filter(|_| !said || self.writer.shows_thoughts) {
                    self.part(choice, Part { thought: part.thought.or(thought), ..part }, out);
                }
            }
            OpenKind::Text | OpenKind::Thinking { .. } | OpenKind::Whole => {}
        }
    }

    fn part(&mut self, choice: u32, part: Part<'_>, out: &mut BytesMut) {
        self.response(Candidate::of(choice, vec![part.piece()]), out);
    }

    fn response(&mut self, candidate: Candidate<'_>, out: &mut BytesMut) {
        self.responses(vec![candidate], None, out);
    }

    fn responses(
        &mut self,
        candidates: Vec<Candidate<'_>>,
        usage_metadata: Option<WrittenUsage>,
        out: &mut BytesMut,
    ) {
        let Stamp { id, model, .. } = self.stamp.clone();
        self.frame(&Response { candidates, usage_metadata, model_version: &model, response_id: &id }, out);
    }

    fn frame<T: Serialize>(&mut self, value: &T, out: &mut BytesMut) {
        if self.writer.streamed == Some(Streamed::Array) {
            out.extend_from_slice(if self.written { b",\n" } else { b"[" });
            // Writing one of our own reply types into memory cannot fail.
            let _ = serde_json::to_writer((&mut *out).writer(), value);
        } else {
            crate::openai_chat::frame(value, out);
        }
        self.written = true;
    }
}
