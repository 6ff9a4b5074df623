//! Replies in OpenAI's shape: the whole completion and the stream of chunks.
//!
//! A stream has one `id` and `created`; the role stands in the first delta of each choice; tool calls are
//! counted from 0 in each choice; `[DONE]` is written only when the upstream's stream was complete.

use std::collections::{BTreeMap, BTreeSet};

use bytes::{BufMut, Bytes, BytesMut};
use serde::Serialize;

use super::finish;
use super::written::{WrittenError, WrittenUsage, service_tier};
use crate::chat::{Block, Source};
use crate::codec::{Finish, ReplyWriter, Stamp, StreamEncoder};
use crate::event::{BlockKind, ChatEvent};
use crate::raw::Raw;
use crate::reply::{ChatResponse, Choice, Stop, Usage};

#[cfg(test)]
#[path = "writer_tests.rs"]
mod tests;

/// Writes the reply to one chat completion request.
pub(super) struct ChatWriter {
    /// Whether the client asked for usage in the stream.
    pub(super) stream_usage: bool,
    /// Whether the client asked with `functions` and so expects `function_call` back.
    pub(super) functions: bool,
}

impl ReplyWriter for ChatWriter {
    fn whole(&self, response: &ChatResponse, stamp: &Stamp) -> Bytes {
        let choices = response.choices.iter().zip(0..);
        json(&Completion {
            id: or(&response.id, &stamp.id),
            created: stamp.created,
            model: or(&stamp.model, &response.model),
            object: "chat.completion",
            choices: choices.map(|(choice, index)| self.choice(choice, index)).collect(),
            usage: response.usage.as_ref().map(WrittenUsage::from),
            service_tier: service_tier(response.usage.as_ref()),
        })
    }

    fn stream(self: Box<Self>, stamp: Stamp) -> Box<dyn StreamEncoder> {
        Box::new(ChatStream {
            writer: *self,
            stamp,
            open: BTreeMap::new(),
            spoken: BTreeSet::new(),
            called: BTreeMap::new(),
            usage: None,
        })
    }
}

impl ChatWriter {
    fn choice<'a>(&self, choice: &'a Choice, index: u32) -> CompletionChoice<'a> {
        let message = self.message(&choice.blocks);
        let called = message.tool_calls.is_some() || message.function_call.is_some();
        let finish_reason = choice.stop.map(|stop| self.finish_reason(stop, called));
        CompletionChoice { finish_reason, index, message, logprobs: choice.logprobs.as_ref() }
    }

    fn finish_reason(&self, stop: Stop, called: bool) -> &'static str {
        match stop {
            Stop::End | Stop::ToolUse if called && self.functions => "function_call",
            Stop::End | Stop::ToolUse if called => "tool_calls",
            Stop::End | Stop::ToolUse | Stop::Length | Stop::Filtered => finish::write(stop),
        }
    }

    fn message<'a>(&self, blocks: &'a [Block]) -> Message<'a> {
        let mut content: Option<String> = None;
        let mut message = Message { role: "assistant", ..Message::default() };
        let (mut calls, mut signed, mut images) = (Vec::new(), Vec::new(), Vec::new());
        for block in blocks {
            match block {
                Block::Text(text) => content.get_or_insert_default().push_str(text),
                Block::Refusal(text) => message.refusal.get_or_insert_default().push_str(text),
                Block::Thinking { text, signature } => {
                    message.reasoning_content.get_or_insert_default().push_str(text);
                    if let Some(signature) = signature {
                        signed.push(ThinkingBlock { r#type: "thinking", thinking: text, signature });
                    }
                }
                Block::ToolCall { id, name, input } => calls.push(ToolCall {
                    id,
                    r#type: "function",
                    function: Function { name, arguments: if input.is_empty() { "{}" } else { input } },
                }),
                Block::Image { source, .. } => images.extend(picture(source, images.len())),
                Block::Audio { .. }
                | Block::File { .. }
                | Block::ToolResult { .. }
                | Block::Opaque { .. } => {}
            }
        }
        if self.functions {
            message.function_call = calls.into_iter().next().map(|call| call.function);
        } else {
            message.tool_calls = some(calls);
        }
        let silent =
            message.tool_calls.is_some() || message.function_call.is_some() || message.refusal.is_some();
        message.content = if silent { content } else { Some(content.unwrap_or_default()) };
        message.thinking_blocks = some(signed);
        message.images = some(images);
        message
    }
}

fn picture(source: &Source, index: usize) -> Option<Picture> {
    let url = match source {
        Source::Url(url) => url.clone(),
        Source::Inline { media_type, data } => format!("data:{media_type};base64,{data}"),
        Source::Id(_) => return None,
    };
    Some(Picture { r#type: "image_url", image_url: PictureUrl { url }, index })
}

#[derive(Serialize)]
struct Completion<'a> {
    id: &'a str,
    created: u64,
    model: &'a str,
    object: &'static str,
    choices: Vec<CompletionChoice<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<WrittenUsage>,
    #[serde(skip_serializing_if = "Option::is_none")]
    service_tier: Option<&'static str>,
}

#[derive(Serialize)]
struct CompletionChoice<'a> {
    finish_reason: Option<&'static str>,
    index: u32,
    message: Message<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    logprobs: Option<&'a Raw>,
}

#[derive(Default, Serialize)]
struct Message<'a> {
    content: Option<String>,
    role: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_calls: Option<Vec<ToolCall<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    function_call: Option<Function<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning_content: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    thinking_blocks: Option<Vec<ThinkingBlock<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refusal: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    images: Option<Vec<Picture>>,
}

#[derive(Serialize)]
struct ToolCall<'a> {
    id: &'a str,
    r#type: &'static str,
    function: Function<'a>,
}

#[derive(Serialize)]
struct Function<'a> {
    name: &'a str,
    arguments: &'a str,
}

#[derive(Serialize)]
struct ThinkingBlock<'a> {
    r#type: &'static str,
    thinking: &'a str,
    signature: &'a str,
}

#[derive(Serialize)]
struct Picture {
    r#type: &'static str,
    image_url: PictureUrl,
    index: usize,
}

#[derive(Serialize)]
struct PictureUrl {
    url: String,
}

/// Events to chunks.
struct ChatStream {
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

/// `one`, or `other` when it is empty.
pub(crate) fn or<'a>(one: &'a str, other: &'a str) -> &'a str {
    if one.is_empty() { other } else { one }
}

fn some<T>(list: Vec<T>) -> Option<Vec<T>> {
    (!list.is_empty()).then_some(list)
}

/// The JSON text of one of our own reply types: structs of strings and numbers, which always have one.
pub(crate) fn json<T: Serialize>(value: &T) -> Bytes {
    serde_json::to_vec(value).map(Bytes::from).unwrap_or_default()
}

/// One SSE frame.
pub(crate) fn frame<T: Serialize>(value: &T, out: &mut BytesMut) {
    out.extend_from_slice(b"data: ");
    // Writing one of our own reply types into memory cannot fail, see `json`.
    let _ = serde_json::to_writer((&mut *out).writer(), value);
    out.extend_from_slice(b"\n\n");
}
