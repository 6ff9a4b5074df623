//! OpenAI's legacy text completions towards the client: a prompt becomes one user turn, the answer's text
//! becomes `text`. Not for upstreams that speak this format: that is same-format traffic and spliced.

use std::collections::BTreeMap;

use bytes::{Bytes, BytesMut};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::chat::{Block, ChatRequest, Role, Turn};
use crate::codec::{ClientCodec, Finish, Inbound, ReplyWriter, Stamp, StreamEncoder};
use crate::event::{BlockKind, ChatEvent};
use crate::fault::TranslateError;
use crate::format::Format;
use crate::openai_chat::written::{WrittenError, WrittenUsage};
use crate::openai_chat::{Fields, field, finish, frame, json, list, malformed, or, typed};
use crate::reply::{ChatResponse, Stop, Usage};

#[cfg(test)]
#[path = "openai_completions_tests.rs"]
mod tests;

/// Callers speak OpenAI text completions to us.
#[derive(Clone, Copy, Debug, Default)]
pub struct CompletionClient;

impl ClientCodec for CompletionClient {
    fn format(&self) -> Format {
        Format::OpenAiCompletions
    }

    fn decode(&self, body: &[u8]) -> Result<Inbound, TranslateError> {
        let fields = Fields::of_body(body)?;
        let mut request = ChatRequest::default();
        for (name, raw) in &fields.0 {
            match name.as_ref() {
                "prompt" => {}
                "logprobs" => logprobs(&mut request, raw)?,
                _ => field(&mut request, name, raw)?,
            }
        }
        let prompt = fields.get("prompt").ok_or_else(|| malformed("prompt", "is required"))?;
        let blocks = vec![Block::Text(text(prompt)?)];
        request.turns = vec![Turn::new(Role::User, blocks)];
        let writer = CompletionWriter { stream_usage: request.stream_usage };
        Ok(Inbound { request, writer: Box::new(writer) })
    }
}

/// The one text of `prompt`. Token ids and several prompts have no place in a conversation.
fn text(prompt: &RawValue) -> Result<String, TranslateError> {
    let unsupported = || TranslateError::Unsupported { field: "prompt".to_owned(), by: Format::OpenAiChat };
    let one = if prompt.get().starts_with('[') {
        match list(prompt, "prompt")?[..] {
            [one] if one.get().starts_with('"') => one,
            _ => return Err(unsupported()),
        }
    } else {
        prompt
    };
    Ok(typed(one, "prompt", "a string or a list with one string")?.unwrap_or_default())
}

/// Here `logprobs` is how many alternatives are wanted; 0 means the chosen tokens only.
fn logprobs(request: &mut ChatRequest, raw: &RawValue) -> Result<(), TranslateError> {
    let count: Option<u32> = typed(raw, "logprobs", "a whole number")?;
    request.sampling.logprobs = count.map(|_| true);
    request.sampling.top_logprobs = count.filter(|count| *count > 0);
    Ok(())
}

struct CompletionWriter {
    stream_usage: bool,
}

impl ReplyWriter for CompletionWriter {
    fn whole(&self, response: &ChatResponse, stamp: &Stamp) -> Bytes {
        let choices = response.choices.iter().zip(0..).map(|(choice, index)| {
            let text = choice.blocks.iter().filter_map(|block| match block {
                Block::Text(text) => Some(text.as_str()),
                _ => None,
            });
            TextChoice {
                text: text.collect::<String>().into(),
                index,
                logprobs: None,
                finish_reason: choice.stop.map(finish_reason),
            }
        });
        json(&Completion {
            id: or(&response.id, &stamp.id),
            object: "text_completion",
            created: stamp.created,
            model: or(&stamp.model, &response.model),
            choices: choices.collect(),
            usage: response.usage.as_ref().map(WrittenUsage::from),
        })
    }

    fn stream(self: Box<Self>, stamp: Stamp) -> Box<dyn StreamEncoder> {
        Box::new(CompletionStream {
            stream_usage: self.stream_usage,
            stamp,
            texts: BTreeMap::new(),
            usage: None,
        })
    }
}

/// A text completion knows no tools, so a choice that wanted one ended as far as its client can tell.
fn finish_reason(stop: Stop) -> &'static str {
    finish::write(if stop == Stop::ToolUse { Stop::End } else { stop })
}

struct CompletionStream {
    stream_usage: bool,
    stamp: Stamp,
    /// The open text blocks and their choices.
    texts: BTreeMap<u32, u32>,
    usage: Option<Usage>,
}

impl StreamEncoder for CompletionStream {
    fn event(&mut self, event: &ChatEvent, out: &mut BytesMut) {
        match event {
            ChatEvent::Start { id, model } => self.stamp.meet(id, model),
            ChatEvent::Open { block, choice, kind: BlockKind::Text } => {
                self.texts.insert(*block, *choice);
            }
            ChatEvent::Delta { block, text } => {
                if let Some(index) = self.texts.get(block) {
                    self.chunk(Some((*index, text, None)), None, out);
                }
            }
            ChatEvent::Close { block } => {
                self.texts.remove(block);
            }
            ChatEvent::Usage(usage) => self.usage = Some(*usage),
            ChatEvent::Stop { choice, reason } => {
                self.chunk(Some((*choice, "", Some(finish_reason(*reason)))), None, out);
            }
            ChatEvent::Open { .. }
            | ChatEvent::Signature { .. }
            | ChatEvent::Cited { .. }
            | ChatEvent::Met { .. }
            | ChatEvent::Logprobs { .. }
            | ChatEvent::Trace(_)
            | ChatEvent::Unmodeled { .. } => {}
        }
    }

    fn finish(&mut self, finish: &Finish, out: &mut BytesMut) {
        match finish {
            Finish::Complete => {
                if let Some(usage) = self.usage.filter(|_| self.stream_usage) {
                    self.chunk(None, Some(WrittenUsage::from(&usage)), out);
                }
                out.extend_from_slice(b"data: [DONE]\n\n");
            }
            Finish::Truncated => frame(&WrittenError::truncated(), out),
            Finish::Failed(fault) => frame(&WrittenError::of(fault), out),
        }
    }
}

impl CompletionStream {
    fn chunk(
        &self,
        choice: Option<(u32, &str, Option<&'static str>)>,
        usage: Option<WrittenUsage>,
        out: &mut BytesMut,
    ) {
        let choices = choice.into_iter().map(|(index, text, finish_reason)| TextChoice {
            text: text.into(),
            index,
            logprobs: None,
            finish_reason,
        });
        let Stamp { id, created, model } = &self.stamp;
        let object = "text_completion";
        frame(&Completion { id, object, created: *created, model, choices: choices.collect(), usage }, out);
    }
}

#[derive(Serialize)]
struct Completion<'a> {
    id: &'a str,
    object: &'static str,
    created: u64,
    model: &'a str,
    choices: Vec<TextChoice<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<WrittenUsage>,
}

#[derive(Serialize)]
struct TextChoice<'a> {
    text: std::borrow::Cow<'a, str>,
    index: u32,
    /// Always null: chat's log-probabilities have another shape.
    logprobs: Option<()>,
    finish_reason: Option<&'static str>,
}
