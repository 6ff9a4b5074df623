//! A whole Cohere reply, read by the machine that reads streams: its parts are a stream that came at once.

use serde_json::value::RawValue;

use super::logprobs;
use super::stream::CohereDecoder;
use super::wire::{Message, Reply, elements, said};
use crate::codec::{ReplyReader, StreamDecoder};
use crate::fault::TranslateError;
use crate::fold::fold;
use crate::frame::Framing;
use crate::openai_chat::renames::Renames;
use crate::openai_chat::{fault, malformed, object};
use crate::reply::ChatResponse;

/// What the request did that the reply must undo.
pub(super) struct Memory {
    /// How the names of tools were spelled.
    pub(super) names: Renames,
    /// Where ids of tool calls come from when the host gives none.
    pub(super) call_id: String,
}

/// Reads the reply to one request.
pub(super) struct CohereReader {
    pub(super) memory: Memory,
}

impl ReplyReader for CohereReader {
    fn framing(&self) -> Framing {
        Framing::Sse
    }

    fn whole(&self, body: &[u8]) -> Result<ChatResponse, TranslateError> {
        let raw: &RawValue =
            serde_json::from_slice(body).map_err(|error| malformed("body", &error.to_string()))?;
        let reply: Reply<'_> = object(raw).ok_or_else(|| malformed("body", "must be an object"))?;
        // An error's `message` is a string.
        if reply.message.is_some_and(|message| message.get().starts_with('"')) {
            return Err(malformed("error", &fault::of_frame(raw).message));
        }
        let message: Message<'_> =
            reply.message.and_then(object).ok_or_else(|| malformed("message", "is required"))?;
        let mut decoder = CohereDecoder::new(&self.memory);
        let mut events = Vec::new();
        decoder.start(reply.id, &mut events);
        decoder.say(&message, &mut events);
        for (index, call) in elements(message.tool_calls).into_iter().enumerate() {
            decoder
                .call(index as u64, call, &mut events)
                .map_err(|problem| malformed(format_args!("message.tool_calls[{index}]"), &problem))?;
            decoder.called(index as u64, &mut events);
        }
        if let Some(failure) = decoder.stop(&reply, &mut events) {
            return Err(malformed("finish_reason", &failure.message));
        }
        let mut response = fold(&events);
        // A reply may come without content, but never without its one choice.
        response.choices.resize_with(1, Default::default);
        if let (Some(raw), Some(choice)) = (reply.logprobs, response.choices.first_mut()) {
            choice.logprobs = logprobs::read(raw, "");
        }
        Ok(response)
    }

    fn stream(self: Box<Self>) -> Box<dyn StreamDecoder> {
        Box::new(CohereDecoder::new(self.memory))
    }
}

/// The text of a content list whose parts are objects, or of a plain string.
pub(super) fn plain(content: &RawValue) -> Option<String> {
    content.get().starts_with('"').then(|| said(Some(content))).flatten()
}
