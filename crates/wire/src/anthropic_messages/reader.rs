//! A whole Messages reply, read by the machine that reads streams: its blocks are a stream that came at once.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::stream::MessagesDecoder;
use crate::codec::{ReplyReader, StreamDecoder};
use crate::fault::TranslateError;
use crate::fold::fold;
use crate::frame::Framing;
use crate::openai_chat::renames::Renames;
use crate::openai_chat::{fault, list, malformed, object, text};
use crate::reply::ChatResponse;

/// What the request did that the reply must undo.
pub(super) struct Memory {
    /// How the names of tools were spelled.
    pub(super) names: Renames,
    /// Where ids of tool calls come from when the host gives none.
    pub(super) call_id: String,
    /// Whether the answer comes as the arguments of our own tool.
    pub(super) answers: bool,
    /// Whether prose may come before such an answer: it is held back, for it is not part of it.
    pub(super) held: bool,
}

/// Reads the reply to one request.
pub(super) struct MessagesReader {
    pub(super) memory: Memory,
}

/// A reply, or the message of `message_start`.
#[derive(Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(super) struct WireMessage<'a> {
    pub(super) id: Option<&'a RawValue>,
    pub(super) model: Option<&'a RawValue>,
    pub(super) usage: Option<&'a RawValue>,
    content: Option<&'a RawValue>,
    stop_reason: Option<&'a RawValue>,
    stop_sequence: Option<&'a RawValue>,
    error: Option<&'a RawValue>,
}

impl ReplyReader for MessagesReader {
    fn framing(&self) -> Framing {
        Framing::Sse
    }

    fn whole(&self, body: &[u8]) -> Result<ChatResponse, TranslateError> {
        let raw: &RawValue =
            serde_json::from_slice(body).map_err(|error| malformed("body", &error.to_string()))?;
        let message: WireMessage<'_> = object(raw).ok_or_else(|| malformed("body", "must be an object"))?;
        if message.error.is_some_and(|raw| raw.get() != "null") {
            return Err(malformed("error", &fault::of_frame(raw).message));
        }
        let content = message.content.ok_or_else(|| malformed("content", "is required"))?;
        let mut decoder = MessagesDecoder::new(&self.memory);
        let mut events = Vec::new();
        decoder.start(&message, &mut events);
        for (index, block) in list(content, "content")?.into_iter().enumerate() {
            let problem = |problem: String| malformed(format_args!("content[{index}]"), &problem);
            decoder.open(index as u64, block, &mut events).map_err(problem)?;
            decoder.close(index as u64, &mut events);
        }
        if let Some(word) = message.stop_reason.map(text).filter(|word| !word.is_empty()) {
            decoder.stop(&word, message.stop_sequence, &mut events);
        }
        let mut response = fold(&events);
        // A reply may come without blocks, but never without its one choice.
        response.choices.resize_with(1, Default::default);
        Ok(response)
    }

    fn stream(self: Box<Self>) -> Box<dyn StreamDecoder> {
        Box::new(MessagesDecoder::new(self.memory))
    }
}
