//! Replies in OpenAI's shape: the whole completion. Its stream is `stream_writer`'s.

use bytes::{BufMut, Bytes, BytesMut};
use serde::Serialize;

use super::beside::{Annotation, ProviderFields, ThinkingBlock, provider_citation};
use super::finish;
use super::stream_writer::ChatStream;
use super::written::{WrittenUsage, service_tier};
use crate::chat::{Block, Source};
use crate::codec::{ReplyWriter, Stamp, StreamEncoder};
use crate::format::Format;
use crate::gemini;
use crate::raw::Raw;
use crate::reply::{ChatResponse, Choice, Stop};

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
            trace: response.trace.as_ref(),
        })
    }

    fn stream(self: Box<Self>, stamp: Stamp) -> Box<dyn StreamEncoder> {
        Box::new(ChatStream::new(*self, stamp))
    }
}

impl ChatWriter {
    fn choice<'a>(&self, choice: &'a Choice, index: u32) -> CompletionChoice<'a> {
        let message = self.message(&choice.blocks);
        let called = message.tool_calls.is_some() || message.function_call.is_some();
        let finish_reason = choice.stop.map(|stop| self.finish_reason(stop, called));
        CompletionChoice { finish_reason, index, message, logprobs: choice.logprobs.as_ref() }
    }

    /// OpenAI's word for `stop`, given whether tools were called.
    pub(super) fn finish_reason(&self, stop: Stop, called: bool) -> &'static str {
        match stop {
            Stop::End | Stop::ToolUse if called && self.functions => "function_call",
            Stop::End | Stop::ToolUse if called => "tool_calls",
            Stop::End | Stop::ToolUse | Stop::Length | Stop::Filtered | Stop::Paused => finish::write(stop),
        }
    }

    fn message<'a>(&self, blocks: &'a [Block]) -> Message<'a> {
        let mut content: Option<String> = None;
        let mut message = Message { role: "assistant", ..Message::default() };
        let (mut calls, mut signed, mut images) = (Vec::new(), Vec::new(), Vec::new());
        let (mut annotations, mut fields) = (Vec::new(), ProviderFields::default());
        // Where the latest text lies in the content, and whether sources for it have been listed.
        let (mut span, mut cited) = ((0, 0), false);
        for block in blocks {
            match block {
                Block::Text(text) => {
                    content.get_or_insert_default().push_str(text);
                    span = (span.1, span.1 + text.chars().count());
                    cited = false;
                }
                Block::Citation(citation) => {
                    annotations.extend(Annotation::of(citation, span));
                    if let Some(raw) = provider_citation(citation) {
                        if !std::mem::replace(&mut cited, true) {
                            fields.citations.push(Vec::new());
                        }
                        fields.citations.last_mut().into_iter().for_each(|list| list.push(raw));
                    }
                }
                Block::RedactedThinking(data) => signed.push(ThinkingBlock::redacted(data)),
                Block::Opaque { from: Format::Gemini, raw } => match gemini::picture(raw) {
                    Some(source) => images.extend(picture(&source, images.len())),
                    None => fields.push(raw),
                },
                Block::Opaque { from: Format::AnthropicMessages, raw } => fields.push(raw),
                Block::Refusal(text) => message.refusal.get_or_insert_default().push_str(text),
                Block::Thinking { text, signature } => {
                    message.reasoning_content.get_or_insert_default().push_str(text);
                    if let Some(signature) = signature {
                        signed.push(ThinkingBlock::signed(text, signature));
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
                | Block::CachePoint(_)
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
        message.annotations = some(annotations);
        message.provider_specific_fields = fields.some();
        message
    }
}

pub(super) fn picture(source: &Source, index: usize) -> Option<Picture> {
    let url = match source {
        Source::Url(url) => url.clone(),
        Source::Inline { media_type, data } => format!("data:{media_type};base64,{data}"),
        Source::Id(_) | Source::Text(_) => return None,
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
    #[serde(skip_serializing_if = "Option::is_none")]
    trace: Option<&'a Raw>,
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
    #[serde(skip_serializing_if = "Option::is_none")]
    annotations: Option<Vec<Annotation<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    provider_specific_fields: Option<ProviderFields<'a>>,
}

/// A call of a tool, as a message of either direction holds it.
#[derive(Serialize)]
pub(super) struct ToolCall<'a> {
    pub(super) id: &'a str,
    pub(super) r#type: &'static str,
    pub(super) function: Function<'a>,
}

#[derive(Serialize)]
pub(super) struct Function<'a> {
    pub(super) name: &'a str,
    pub(super) arguments: &'a str,
}

#[derive(Serialize)]
pub(super) struct Picture {
    r#type: &'static str,
    image_url: PictureUrl,
    index: usize,
}

#[derive(Serialize)]
struct PictureUrl {
    url: String,
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
