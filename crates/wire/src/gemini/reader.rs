//! A whole `generateContent` reply, read by the machine that reads streams: it is a stream of one frame.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::stream::GeminiDecoder;
use crate::codec::{ReplyReader, StreamDecoder};
use crate::event::ChatEvent;
use crate::fault::TranslateError;
use crate::fold::fold;
use crate::frame::Framing;
use crate::openai_chat::renames::Renames;
use crate::openai_chat::{fault, malformed, object};
use crate::reply::ChatResponse;

/// What the request did that the reply must undo.
pub(super) struct Memory {
    /// How the names of functions were spelled.
    pub(super) names: Renames,
    /// Where ids of calls come from when the host gives none.
    pub(super) call_id: String,
}

/// Reads the reply to one request.
pub(super) struct GeminiReader {
    pub(super) memory: Memory,
}

/// A whole reply, or a frame of a stream.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub(super) struct WireReply<'a> {
    pub(super) candidates: Option<&'a RawValue>,
    pub(super) prompt_feedback: Option<&'a RawValue>,
    pub(super) usage_metadata: Option<&'a RawValue>,
    pub(super) model_version: Option<&'a RawValue>,
    pub(super) response_id: Option<&'a RawValue>,
    pub(super) error: Option<&'a RawValue>,
}

/// One candidate of it.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub(super) struct WireCandidate<'a> {
    pub(super) index: Option<&'a RawValue>,
    pub(super) content: Option<&'a RawValue>,
    pub(super) finish_reason: Option<&'a RawValue>,
    pub(super) grounding_metadata: Option<&'a RawValue>,
    pub(super) logprobs_result: Option<&'a RawValue>,
}

impl WireReply<'_> {
    /// Whether it is one at all.
    pub(super) fn says_anything(&self) -> bool {
        self.candidates.or(self.prompt_feedback).or(self.usage_metadata).is_some()
    }
}

impl ReplyReader for GeminiReader {
    fn framing(&self) -> Framing {
        Framing::Sse
    }

    fn whole(&self, body: &[u8]) -> Result<ChatResponse, TranslateError> {
        let raw: &RawValue =
            serde_json::from_slice(body).map_err(|error| malformed("body", &error.to_string()))?;
        let reply: WireReply<'_> = object(raw).ok_or_else(|| malformed("body", "must be an object"))?;
        if reply.error.is_some_and(|raw| raw.get() != "null") {
            return Err(malformed("error", &fault::of_frame(raw).message));
        }
        if !reply.says_anything() {
            return Err(malformed("candidates", "is required"));
        }
        let mut decoder = GeminiDecoder::new(&self.memory);
        let mut events = Vec::new();
        decoder.reply(&reply, &mut events).map_err(|problem| malformed("candidates", &problem))?;
        decoder.end(&mut events);
        let mut response = fold(&events);
        // A reply may come without candidates, but never without a choice.
        if response.choices.is_empty() {
            response.choices.resize_with(1, Default::default);
        }
        for event in events {
            if let ChatEvent::Logprobs { choice, raw } = event
                && let Some(choice) = response.choices.get_mut(choice as usize)
            {
                choice.logprobs = Some(raw);
            }
        }
        Ok(response)
    }

    fn stream(self: Box<Self>) -> Box<dyn StreamDecoder> {
        Box::new(GeminiDecoder::new(self.memory))
    }
}
