//! A stream of chunks in OpenAI's shape.
//!
//! A stream has one `id` and `created`; the role stands in the first delta of each choice; tool calls are
//! counted from 0 in each choice; `[DONE]` is written only when the upstream's stream was complete.

use std::collections::{BTreeMap, BTreeSet};

use bytes::BytesMut;
use serde::Serialize;

use super::beside::{Annotation, ProviderFields, ThinkingBlock};
use super::writer::{ChatWriter, Picture, frame, picture};
use super::written::{WrittenError, WrittenUsage};
use crate::chat::Citation;
use crate::codec::{Finish, Stamp, StreamEncoder};
use crate::event::{BlockKind, ChatEvent};
use crate::format::Format;
use crate::gemini;
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
    /// How many characters of content each choice has.
    written: BTreeMap<u32, usize>,
    /// How many tools each choice has called.
    called: BTreeMap<u32, u32>,
    /// How many pictures have been written.
    drawn: usize,
    usage: Option<Usage>,
}

struct OpenBlock {
    choice: u32,
    kind: OpenKind,
}

enum OpenKind {
    /// Where in the choice's content it begins, in characters.
    Text {
        start: usize,
    },
    /// What has been said, for a signature is worth something only beside it.
    Thinking {
        said: String,
    },
    Refusal,
    Whole,
    Tool {
        index: u32,
        fed: bool,
    },
}

impl StreamEncoder for ChatStream {
    fn event(&mut self, event: &ChatEvent, out: &mut BytesMut) {
        match event {
            ChatEvent::Start { id, model } => self.stamp.meet(id, model),
            ChatEvent::Open { block, choice, kind } => self.opened(*block, *choice, kind, out),
            ChatEvent::Delta { block, text } => self.fed(*block, text, out),
            ChatEvent::Close { block } => {
                if let Some(OpenBlock { choice, kind: OpenKind::Tool { index, fed: false } }) =
                    self.open.remove(block)
                {
                    self.arguments(choice, index, "{}", out);
                }
            }
            ChatEvent::Signature { block, signature } => self.signed(*block, signature, out),
            ChatEvent::Cited { block, citation } => self.cited(*block, citation, out),
            ChatEvent::Usage(usage) => self.usage = Some(*usage),
            ChatEvent::Logprobs { choice, raw } => {
                self.chunk(*choice, Delta::default(), None, Some(raw), out);
            }
            ChatEvent::Stop { choice, reason } => {
                let reason = self.writer.finish_reason(*reason, self.called.contains_key(choice));
                self.chunk(*choice, Delta::default(), Some(reason), None, out);
            }
            // Clients look for the first choice of every chunk but the one of usage.
            ChatEvent::Trace(raw) => {
                let delta = Delta::default();
                let nothing = ChunkChoice { index: 0, delta, finish_reason: None, logprobs: None };
                self.frame(vec![nothing], None, Some(raw), out);
            }
            ChatEvent::Met { .. } | ChatEvent::Unmodeled { .. } => {}
        }
    }

    fn finish(&mut self, finish: &Finish, out: &mut BytesMut) {
        match finish {
            Finish::Complete => {
                if let Some(usage) = self.usage.filter(|_| self.writer.stream_usage) {
                    self.frame(Vec::new(), Some(WrittenUsage::from(&usage)), None, out);
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
            written: BTreeMap::new(),
            called: BTreeMap::new(),
            drawn: 0,
            usage: None,
        }
    }

    fn opened(&mut self, block: u32, choice: u32, kind: &BlockKind, out: &mut BytesMut) {
        let kind = match kind {
            BlockKind::Text => OpenKind::Text { start: self.written.get(&choice).copied().unwrap_or(0) },
            BlockKind::Thinking => OpenKind::Thinking { said: String::new() },
            BlockKind::RedactedThinking(data) => {
                let thinking_blocks = Some([ThinkingBlock::redacted(data)]);
                self.chunk(choice, Delta { thinking_blocks, ..Delta::default() }, None, None, out);
                OpenKind::Whole
            }
            BlockKind::Opaque { from, raw } => {
                self.beside(choice, *from, raw, out);
                OpenKind::Whole
            }
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
            OpenKind::Text { .. } => {
                *self.written.entry(choice).or_insert(0) += text.chars().count();
                Delta { content: Some(text), ..Delta::default() }
            }
            OpenKind::Thinking { said } => {
                said.push_str(text);
                Delta { reasoning_content: Some(text), ..Delta::default() }
            }
            OpenKind::Whole => return,
            OpenKind::Refusal => Delta { refusal: Some(text), ..Delta::default() },
            OpenKind::Tool { index, fed } => {
                *fed = true;
                let index = *index;
                return self.arguments(choice, index, text, out);
            }
        };
        self.chunk(choice, delta, None, None, out);
    }

    /// A block of another format: a picture, or what only its provider says.
    fn beside(&mut self, choice: u32, from: Format, raw: &Raw, out: &mut BytesMut) {
        let mut delta = Delta::default();
        let drawn = if from == Format::Gemini { gemini::picture(raw) } else { None };
        if let Some(source) = drawn {
            delta.images = picture(&source, self.drawn).map(|picture| [picture]);
            self.drawn += 1;
        } else if matches!(from, Format::AnthropicMessages | Format::Gemini) {
            let mut fields = ProviderFields::default();
            fields.push(raw);
            delta.provider_specific_fields = fields.some();
        } else {
            return;
        }
        self.chunk(choice, delta, None, None, out);
    }

    fn signed(&mut self, block: u32, signature: &str, out: &mut BytesMut) {
        let Some(OpenBlock { choice, kind: OpenKind::Thinking { said } }) = self.open.get_mut(&block) else {
            return;
        };
        let (choice, said) = (*choice, std::mem::take(said));
        let thinking_blocks = Some([ThinkingBlock::signed(&said, signature)]);
        self.chunk(choice, Delta { thinking_blocks, ..Delta::default() }, None, None, out);
    }

    fn cited(&mut self, block: u32, citation: &Citation, out: &mut BytesMut) {
        let Some(OpenBlock { choice, kind: OpenKind::Text { start } }) = self.open.get(&block) else {
            return;
        };
        let (choice, start) = (*choice, *start);
        let end = self.written.get(&choice).copied().unwrap_or(start);
        let annotations = Annotation::of(citation, (start, end)).map(|annotation| [annotation]);
        let provider_specific_fields = ProviderFields::of_citation(citation);
        if annotations.is_none() && provider_specific_fields.is_none() {
            return;
        }
        let delta = Delta { annotations, provider_specific_fields, ..Delta::default() };
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
        self.frame(vec![ChunkChoice { index, delta, finish_reason, logprobs }], None, None, out);
    }

    fn frame(
        &self,
        choices: Vec<ChunkChoice<'_>>,
        usage: Option<WrittenUsage>,
        trace: Option<&Raw>,
        out: &mut BytesMut,
    ) {
        let Stamp { id, created, model } = &self.stamp;
        let object = "chat.completion.chunk";
        frame(&Chunk { id, created: *created, model, object, choices, usage, trace }, out);
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
    #[serde(skip_serializing_if = "Option::is_none")]
    trace: Option<&'a Raw>,
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
    thinking_blocks: Option<[ThinkingBlock<'a>; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refusal: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    images: Option<[Picture; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    annotations: Option<[Annotation<'a>; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    provider_specific_fields: Option<ProviderFields<'a>>,
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
