//! A stream of chunks in OpenAI's shape.
//!
//! A stream has one `id` and `created`; the role stands in the first delta of each choice; tool calls are
//! counted from 0 in each choice; `[DONE]` is written only when the upstream's stream was complete.

use std::collections::{BTreeMap, BTreeSet};

use bytes::BytesMut;
use serde::Serialize;

use super::writer::{ChatWriter, frame};
use super::written::{WrittenError, WrittenUsage};
use crate::codec::{Finish, Stamp, StreamEncoder};
use crate::event::{BlockKind, ChatEvent};
use crate::raw::Raw;
use crate::reply::Usage;

/// Events to chunks.
pub(super) struct ChatStream {
    writer: ChatWriter,
    /// The model and id may be filled in from the upstream's when the stamp has none.
    stamp: Stamp,
    open: BTreeMap<u32, OpenBlock>,
    /// Choices whose role has been written.
    spoken: BTreeSet<u32>,
    /// How many tools each choice has called.
    called: BTreeMap<u32, u32>,
    usage: Option<Usage>,
}

struct OpenBlock {
    choice: u32,
    kind: OpenKind,
}

enum OpenKind {
    Text,
    Thinking,
    Refusal,
    Tool { index: u32, fed: bool },
}

impl StreamEncoder for ChatStream {
    fn event(&mut self, event: &ChatEvent, out: &mut BytesMut) {
        match event {
            ChatEvent::Start { id, model } => {
                if !id.is_empty() {
                    self.stamp.id.clone_from(id);
                }
                if self.stamp.model.is_empty() {
                    self.stamp.model.clone_from(model);
                }
            }
            ChatEvent::Open { block, choice, kind } => self.opened(*block, *choice, kind, out),
            ChatEvent::Delta { block, text } => self.fed(*block, text, out),
            ChatEvent::Close { block } => {
                if let Some(OpenBlock { choice, kind: OpenKind::Tool { index, fed: false } }) =
                    self.open.remove(block)
                {
                    self.arguments(choice, index, "{}", out);
                }
            }
            ChatEvent::Usage(usage) => self.usage = Some(*usage),
            ChatEvent::Logprobs { choice, raw } => {
                self.chunk(*choice, Delta::default(), None, Some(raw), out);
            }
            ChatEvent::Stop { choice, reason } => {
                let reason = self.writer.finish_reason(*reason, self.called.contains_key(choice));
                self.chunk(*choice, Delta::default(), Some(reason), None, out);
            }
            ChatEvent::Unmodeled { .. } => {}
        }
    }

    fn finish(&mut self, finish: &Finish, out: &mut BytesMut) {
        match finish {
            Finish::Complete => {
                if let Some(usage) = self.usage.filter(|_| self.writer.stream_usage) {
                    self.frame(Vec::new(), Some(WrittenUsage::from(&usage)), out);
                }
                out.extend_from_slice(b"data: [DONE]\n\n");
            }
            Finish::Truncated => frame(&WrittenError::truncated(), out),
            Finish::Failed(fault) => frame(&WrittenError::of(fault), out),
        }
    }
}

impl ChatStream {
    pub(super) fn new(writer: ChatWriter, stamp: Stamp) -> Self {
        Self {
            writer,
            stamp,
            open: BTreeMap::new(),
            spoken: BTreeSet::new(),
            called: BTreeMap::new(),
            usage: None,
        }
    }

    fn opened(&mut self, block: u32, choice: u32, kind: &BlockKind, out: &mut BytesMut) {
        let kind = match kind {
            BlockKind::Text => OpenKind::Text,
            BlockKind::Thinking => OpenKind::Thinking,
            BlockKind::Refusal => OpenKind::Refusal,
            BlockKind::ToolCall { id, name } => {
                let count = self.called.entry(choice).or_insert(0);
                let index = *count;
                *count += 1;
                let function = DeltaFunction { name: Some(name), arguments: "" };
                let delta = if self.writer.functions {
                    Delta { function_call: Some(function), ..Delta::default() }
                } else {
                    let call = DeltaCall { index, id: Some(id), r#type: Some("function"), function };
                    Delta { tool_calls: Some([call]), ..Delta::default() }
                };
                self.chunk(choice, delta, None, None, out);
                OpenKind::Tool { index, fed: false }
            }
        };
        self.open.insert(block, OpenBlock { choice, kind });
    }

    fn fed(&mut self, block: u32, text: &str, out: &mut BytesMut) {
        if text.is_empty() {
            return;
        }
        let Some(open) = self.open.get_mut(&block) else { return };
        let choice = open.choice;
        let delta = match &mut open.kind {
            OpenKind::Text => Delta { content: Some(text), ..Delta::default() },
            OpenKind::Thinking => Delta { reasoning_content: Some(text), ..Delta::default() },
            OpenKind::Refusal => Delta { refusal: Some(text), ..Delta::default() },
            OpenKind::Tool { index, fed } => {
                *fed = true;
                let index = *index;
                return self.arguments(choice, index, text, out);
            }
        };
        self.chunk(choice, delta, None, None, out);
    }

    fn arguments(&mut self, choice: u32, index: u32, arguments: &str, out: &mut BytesMut) {
        let function = DeltaFunction { name: None, arguments };
        let delta = if self.writer.functions {
            Delta { function_call: Some(function), ..Delta::default() }
        } else {
            let call = DeltaCall { index, id: None, r#type: None, function };
            Delta { tool_calls: Some([call]), ..Delta::default() }
        };
        self.chunk(choice, delta, None, None, out);
    }

    fn chunk(
        &mut self,
        index: u32,
        mut delta: Delta<'_>,
        finish_reason: Option<&'static str>,
        logprobs: Option<&Raw>,
        out: &mut BytesMut,
    ) {
        if self.spoken.insert(index) {
            delta.role = Some("assistant");
        }
        self.frame(vec![ChunkChoice { index, delta, finish_reason, logprobs }], None, out);
    }

    fn frame(&self, choices: Vec<ChunkChoice<'_>>, usage: Option<WrittenUsage>, out: &mut BytesMut) {
        let Stamp { id, created, model } = &self.stamp;
        let object = "chat.completion.chunk";
        frame(&Chunk { id, created: *created, model, object, choices, usage }, out);
    }
}

#[derive(Serialize)]
struct Chunk<'a> {
    id: &'a str,
    created: u64,
    model: &'a str,
    object: &'static str,
    choices: Vec<ChunkChoice<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<WrittenUsage>,
}

#[derive(Serialize)]
struct ChunkChoice<'a> {
    index: u32,
    delta: Delta<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    finish_reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    logprobs: Option<&'a Raw>,
}

#[derive(Default, Serialize)]
struct Delta<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning_content: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refusal: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_calls: Option<[DeltaCall<'a>; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    function_call: Option<DeltaFunction<'a>>,
}

#[derive(Serialize)]
struct DeltaCall<'a> {
    index: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    r#type: Option<&'static str>,
    function: DeltaFunction<'a>,
}

#[derive(Serialize)]
struct DeltaFunction<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    arguments: &'a str,
}
