//! A whole response, read by the machine that reads streams: its items are a stream that came at once.

use serde_json::value::RawValue;

use super::stream::ResponsesDecoder;
use super::wire::{Response, rows};
use crate::codec::{ReplyReader, StreamDecoder};
use crate::event::ChatEvent;
use crate::fault::TranslateError;
use crate::fold::fold;
use crate::frame::Framing;
use crate::openai_chat::renames::Renames;
use crate::openai_chat::{list, malformed, object};
use crate::raw::Raw;
use crate::reply::ChatResponse;

/// What the request did that the reply must undo.
pub(super) struct Memory {
    /// How the names of tools were spelled.
    pub(super) names: Renames,
    /// Where ids of tool calls come from when the host gives none.
    pub(super) call_id: String,
    /// Whether the provider keeps the response, so that reasoning can be named by its id.
    pub(super) stored: bool,
}

/// Reads the reply to one request.
pub(super) struct ResponsesReader {
    pub(super) memory: Memory,
}

impl ReplyReader for ResponsesReader {
    fn framing(&self) -> Framing {
        Framing::Sse
    }

    fn whole(&self, body: &[u8]) -> Result<ChatResponse, TranslateError> {
        let raw: &RawValue =
            serde_json::from_slice(body).map_err(|error| malformed("body", &error.to_string()))?;
        let response: Response<'_> = object(raw).ok_or_else(|| malformed("body", "must be an object"))?;
        if let Some(error) = response.error.filter(|error| error.get() != "null") {
            return Err(malformed("error", &super::fault::of_error(error).message));
        }
        let output = response.output.ok_or_else(|| malformed("output", "is required"))?;
        let mut decoder = ResponsesDecoder::new(&self.memory);
        let mut events = Vec::new();
        decoder.start(&response, &mut events);
        for (index, item) in list(output, "output")?.into_iter().enumerate() {
            let problem = |problem: String| malformed(format_args!("output[{index}]"), &problem);
            decoder.done(index as u64, item, &mut events).map_err(problem)?;
        }
        decoder.stop(&response, &mut events);
        let mut reply = fold(&events);
        // A response may come without items, but never without its one choice.
        reply.choices.resize_with(1, Default::default);
        reply.choices[0].logprobs = logprobs(&events);
        Ok(reply)
    }

    fn stream(self: Box<Self>) -> Box<dyn StreamDecoder> {
        Box::new(ResponsesDecoder::new(self.memory))
    }
}

/// The log-probabilities of all texts, as one list in the shape of OpenAI's chat completions.
fn logprobs(events: &[ChatEvent]) -> Option<Raw> {
    #[derive(serde::Deserialize)]
    struct Content<'a> {
        #[serde(borrow)]
        content: &'a RawValue,
    }
    let mut all: Vec<&str> = Vec::new();
    for event in events {
        if let ChatEvent::Logprobs { raw, .. } = event
            && let Some(Content { content }) = object(raw.value())
        {
            all.extend(rows(Some(content)).into_iter().map(RawValue::get));
        }
    }
    (!all.is_empty()).then(|| Raw::parse(format!("{{\"content\":[{}]}}", all.join(","))).ok()).flatten()
}
