//! Replies of Ollama's `/api/chat` and `/api/generate`, whole and streamed. A streamed reply is a line for
//! each piece and one last line with `done`, which also counts the tokens; tool calls arrive whole.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::codec::{Finish, Read, ReplyReader, StreamDecoder};
use crate::event::{BlockKind, ChatEvent};
use crate::fault::{Fault, TranslateError};
use crate::fold::fold;
use crate::frame::{Frame, Framing};
use crate::openai_chat::speech::{Sink, Speech};
use crate::openai_chat::{fault, finish, malformed, object, tool_call_id};
use crate::raw::Raw;
use crate::reply::{ChatResponse, Usage};

#[cfg(test)]
#[path = "reader_tests.rs"]
mod tests;

/// Reads the reply to one request.
pub(super) struct OllamaReader {
    /// Where ids of tool calls come from: older servers give none.
    pub(super) call_id: String,
    pub(super) operation: Operation,
}

/// Which of the two reply shapes is expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    Chat,
    Generate,
}

#[derive(Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
struct Reply<'a> {
    model: Option<String>,
    message: Option<Message<'a>>,
    response: Option<String>,
    thinking: Option<String>,
    done: bool,
    done_reason: Option<String>,
    prompt_eval_count: Option<u64>,
    eval_count: Option<u64>,
    error: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
struct Message<'a> {
    content: Option<String>,
    thinking: Option<String>,
    tool_calls: Option<Vec<ToolCall<'a>>>,
}

#[derive(Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
struct ToolCall<'a> {
    id: Option<String>,
    function: Function<'a>,
}

#[derive(Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
struct Function<'a> {
    name: String,
    arguments: Option<&'a RawValue>,
}

impl ReplyReader for OllamaReader {
    fn framing(&self) -> Framing {
        Framing::Lines
    }

    /// A whole reply is a stream of one line, so it is read by the same machine.
    fn whole(&self, body: &[u8]) -> Result<ChatResponse, TranslateError> {
        let data = std::str::from_utf8(body).map_err(|_| malformed("body", "is not UTF-8"))?;
        let mut decoder = OllamaDecoder::new(self.call_id.clone(), self.operation);
        let mut events = Vec::new();
        match decoder.frame(&Frame { event: "", data }, &mut events) {
            Read::Known | Read::Terminal => {}
            Read::Failed(fault) => return Err(malformed("error", &fault.message)),
            Read::Unknown => return Err(malformed("body", "is not a reply of Ollama")),
            Read::Corrupt(problem) => return Err(malformed("body", &problem)),
        }
        decoder.end(&mut events);
        let mut response = fold(&events);
        // A whole reply may come without blocks, but never without its one choice.
        response.choices.resize_with(1, Default::default);
        Ok(response)
    }

    fn stream(self: Box<Self>) -> Box<dyn StreamDecoder> {
        Box::new(OllamaDecoder::new(self.call_id, self.operation))
    }
}

struct OllamaDecoder {
    call_id: String,
    operation: Operation,
    started: bool,
    done: bool,
    failed: Option<Fault>,
    speech: Speech,
    /// The number of the next block.
    next: u32,
    called: usize,
}

impl StreamDecoder for OllamaDecoder {
    fn frame(&mut self, frame: &Frame<'_>, out: &mut Vec<ChatEvent>) -> Read {
        let raw: &RawValue = match serde_json::from_str(frame.data) {
            Ok(raw) => raw,
            Err(error) => return Read::Corrupt(format!("not JSON: {:?} error", error.classify())),
        };
        let Some(reply) = object::<Reply<'_>>(raw) else {
            return Read::Corrupt("not a line of Ollama's".to_owned());
        };
        if let Some(error) = reply.error {
            let fault = fault::of_frame(error);
            self.failed = Some(fault.clone());
            return Read::Failed(fault);
        }
        let speaks = match self.operation {
            Operation::Chat => reply.message.is_some(),
            Operation::Generate => reply.response.is_some() || reply.thinking.is_some(),
        };
        if self.done || (!speaks && !reply.done) {
            out.push(ChatEvent::Unmodeled { tag: String::new(), raw: Raw::from(raw) });
            return Read::Unknown;
        }
        self.reply(reply, out)
    }

    fn end(&mut self, out: &mut Vec<ChatEvent>) -> Finish {
        if self.done {
            return Finish::Complete;
        }
        self.speech.close(&mut Sink { choice: 0, next: &mut self.next, out });
        self.failed.take().map_or(Finish::Truncated, Finish::Failed)
    }
}

impl OllamaDecoder {
    fn new(call_id: String, operation: Operation) -> Self {
        let speech = Speech::default();
        Self { call_id, operation, started: false, done: false, failed: None, speech, next: 0, called: 0 }
    }

    fn reply(&mut self, reply: Reply<'_>, out: &mut Vec<ChatEvent>) -> Read {
        if !std::mem::replace(&mut self.started, true) {
            out.push(ChatEvent::Start { id: String::new(), model: reply.model.unwrap_or_default() });
        }
        let message = match self.operation {
            Operation::Chat => reply.message.unwrap_or_default(),
            Operation::Generate => {
                Message { content: reply.response, thinking: reply.thinking, tool_calls: None }
            }
        };
        let sink = &mut Sink { choice: 0, next: &mut self.next, out };
        if let Some(text) = message.thinking.filter(|text| !text.is_empty()) {
            self.speech.thinking(&text, sink);
        }
        if let Some(text) = message.content.filter(|text| !text.is_empty()) {
            self.speech.text(&text, sink);
        }
        for call in message.tool_calls.unwrap_or_default() {
            self.speech.close(sink);
            let id = call.id.filter(|id| !id.is_empty());
            let id = id.unwrap_or_else(|| tool_call_id(&self.call_id, self.called));
            self.called += 1;
            let block = sink.open(BlockKind::ToolCall { id, name: call.function.name });
            let text = call.function.arguments.map_or_else(|| "{}".to_owned(), arguments);
            sink.out.push(ChatEvent::Delta { block, text });
            sink.out.push(ChatEvent::Close { block });
        }
        if !reply.done {
            return Read::Known;
        }
        self.done = true;
        self.speech.close(sink);
        // A prompt that was wholly cached is not counted at all.
        let (input, output) = (reply.prompt_eval_count.unwrap_or(0), reply.eval_count.unwrap_or(0));
        out.push(ChatEvent::Usage(Usage { input, output, ..Usage::default() }));
        let reason = finish::read(reply.done_reason.as_deref().unwrap_or("stop"), self.called > 0);
        out.push(ChatEvent::Stop { choice: 0, reason });
        Read::Terminal
    }
}

/// The JSON text of a call's arguments, which some proxies send as OpenAI's string instead of an object.
fn arguments(raw: &RawValue) -> String {
    match serde_json::from_str::<Option<String>>(raw.get()) {
        Ok(text) => text.filter(|text| !text.is_empty()).unwrap_or_else(|| "{}".to_owned()),
        Err(_) => raw.get().to_owned(),
    }
}
