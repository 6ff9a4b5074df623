//! Replies that are a text and the reason of its end, whole or in pieces. A whole reply is a stream of one piece.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::codec::{Finish, Read, ReplyReader, StreamDecoder};
use crate::event::ChatEvent;
use crate::fault::{Fault, TranslateError};
use crate::fold::fold;
use crate::frame::{Frame, Framing};
use crate::openai_chat::speech::{Sink, Speech};
use crate::openai_chat::{fault, finish, malformed};
use crate::raw::Raw;
use crate::reply::{ChatResponse, Usage};

#[cfg(test)]
#[path = "reader_tests.rs"]
mod tests;

/// What a frame, or a whole reply, says.
#[derive(Debug, Default)]
pub(crate) struct Piece {
    /// More of the text.
    pub(crate) text: String,
    /// The provider's word for why the text ends, if it ends here.
    pub(crate) end: Option<String>,
    /// What was used, if it says.
    pub(crate) usage: Option<Usage>,
    /// The model, if it says.
    pub(crate) model: Option<String>,
}

/// What a dialect says: `None` when the value is none of its replies. The second argument is whether the reply came
/// whole.
pub(crate) type Meaning = fn(&RawValue, bool) -> Option<Piece>;

/// Reads the reply to one request.
pub(crate) struct TextReader {
    pub(crate) meaning: Meaning,
    pub(crate) framing: Framing,
}

impl TextReader {
    /// For servers that stream server-sent events.
    pub(crate) fn streamed(meaning: Meaning) -> Box<Self> {
        Box::new(Self { meaning, framing: Framing::Sse })
    }

    /// For servers that only answer whole: a caller who wants a stream gets it in one piece.
    pub(crate) fn at_once(meaning: Meaning) -> Box<Self> {
        Box::new(Self { meaning, framing: Framing::Lines })
    }
}

impl ReplyReader for TextReader {
    fn framing(&self) -> Framing {
        self.framing
    }

    fn whole(&self, body: &[u8]) -> Result<ChatResponse, TranslateError> {
        let raw: &RawValue =
            serde_json::from_slice(body).map_err(|error| malformed("body", &error.to_string()))?;
        if let Some(error) = failure(raw) {
            return Err(malformed("error", &fault::of_frame(error).message));
        }
        let piece =
            (self.meaning)(raw, true).ok_or_else(|| malformed("body", "is no reply of this provider"))?;
        let mut decoder = TextDecoder::new(self.meaning, true);
        let mut events = Vec::new();
        decoder.piece(piece, &mut events);
        let mut response = fold(&events);
        response.choices.resize_with(1, Default::default);
        Ok(response)
    }

    fn stream(self: Box<Self>) -> Box<dyn StreamDecoder> {
        Box::new(TextDecoder::new(self.meaning, self.framing == Framing::Lines))
    }
}

pub(crate) struct TextDecoder {
    meaning: Meaning,
    whole: bool,
    started: bool,
    done: bool,
    failed: Option<Fault>,
    speech: Speech,
    next: u32,
}

impl StreamDecoder for TextDecoder {
    fn frame(&mut self, frame: &Frame<'_>, out: &mut Vec<ChatEvent>) -> Read {
        let data = frame.data.trim();
        if data.is_empty() || data == "[DONE]" {
            return Read::Known;
        }
        let raw: &RawValue = match serde_json::from_str(data) {
            Ok(raw) => raw,
            Err(error) => return Read::Corrupt(format!("not JSON: {:?} error", error.classify())),
        };
        if let Some(error) = failure(raw).or_else(|| (frame.event == "error").then_some(raw)) {
            let fault = fault::of_frame(error);
            self.failed = Some(fault.clone());
            return Read::Failed(fault);
        }
        match (self.meaning)(raw, self.whole).filter(|_| !self.done) {
            Some(piece) => self.piece(piece, out),
            None => {
                out.push(ChatEvent::Unmodeled { tag: String::new(), raw: Raw::from(raw) });
                Read::Unknown
            }
        }
    }

    fn end(&mut self, out: &mut Vec<ChatEvent>) -> Finish {
        if self.done {
            return Finish::Complete;
        }
        self.speech.close(&mut Sink { choice: 0, next: &mut self.next, out });
        self.failed.take().map_or(Finish::Truncated, Finish::Failed)
    }
}

impl TextDecoder {
    fn new(meaning: Meaning, whole: bool) -> Self {
        let speech = Speech::default();
        Self { meaning, whole, started: false, done: false, failed: None, speech, next: 0 }
    }

    fn piece(&mut self, piece: Piece, out: &mut Vec<ChatEvent>) -> Read {
        if !std::mem::replace(&mut self.started, true) {
            out.push(ChatEvent::Start { id: String::new(), model: piece.model.unwrap_or_default() });
        }
        let sink = &mut Sink { choice: 0, next: &mut self.next, out };
        if !piece.text.is_empty() {
            self.speech.text(&piece.text, sink);
        }
        let Some(word) = piece.end else { return Read::Known };
        self.done = true;
        self.speech.close(sink);
        out.extend(piece.usage.map(ChatEvent::Usage));
        out.push(ChatEvent::Stop { choice: 0, reason: finish::read(&word, false) });
        Read::Terminal
    }
}

/// The error that a reply with status 200 reports.
fn failure(raw: &RawValue) -> Option<&RawValue> {
    #[derive(Default, Deserialize)]
    #[serde(default, bound(deserialize = "'de: 'a"))]
    struct Failing<'a> {
        error: Option<&'a RawValue>,
        errors: Option<&'a RawValue>,
    }
    let reply: Failing<'_> = crate::openai_chat::object(raw)?;
    let present = |raw: &&RawValue| !matches!(raw.get(), "null" | "\"\"" | "[]" | "false");
    reply.error.or(reply.errors).filter(present)
}

/// What was used, where both sides are counted: half a count is none.
pub(crate) fn usage(input: Option<u64>, output: Option<u64>) -> Option<Usage> {
    Some(Usage { input: input?, output: output?, ..Usage::default() })
}
