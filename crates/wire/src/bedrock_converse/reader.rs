//! A whole Converse reply, read by the machine that reads streams: its blocks are a stream that came at once.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::stream::ConverseDecoder;
use super::usage;
use crate::codec::{ReplyReader, StreamDecoder};
use crate::fault::TranslateError;
use crate::fold::fold;
use crate::frame::Framing;
use crate::openai_chat::renames::Renames;
use crate::openai_chat::{list, malformed, object, text};
use crate::raw::Raw;
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
pub(super) struct ConverseReader {
    pub(super) memory: Memory,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
struct Reply<'a> {
    output: Option<&'a RawValue>,
    stop_reason: Option<&'a RawValue>,
    additional_model_response_fields: Option<&'a RawValue>,
    usage: Option<&'a RawValue>,
    service_tier: Option<&'a RawValue>,
    trace: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
struct Output<'a> {
    message: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
struct Message<'a> {
    content: Option<&'a RawValue>,
}

impl ReplyReader for ConverseReader {
    fn framing(&self) -> Framing {
        Framing::AwsEvents
    }

    fn whole(&self, body: &[u8]) -> Result<ChatResponse, TranslateError> {
        let raw: &RawValue =
            serde_json::from_slice(body).map_err(|error| malformed("body", &error.to_string()))?;
        let reply: Reply<'_> = object(raw).ok_or_else(|| malformed("body", "must be an object"))?;
        let message = reply.output.and_then(object::<Output<'_>>).and_then(|output| output.message);
        let message: Message<'_> =
            message.and_then(object).ok_or_else(|| malformed("output.message", "is required"))?;
        let path = "output.message.content";
        let content = message.content.ok_or_else(|| malformed(path, "is required"))?;
        let mut decoder = ConverseDecoder::new(&self.memory);
        let mut events = Vec::new();
        decoder.start(&mut events);
        for (index, block) in list(content, path)?.into_iter().enumerate() {
            let problem = |problem: String| malformed(format_args!("{path}[{index}]"), &problem);
            decoder.block(index as u64, block, &mut events).map_err(problem)?;
        }
        if let Some(word) = reply.stop_reason.map(text).filter(|word| !word.is_empty()) {
            decoder.stop(&word, reply.additional_model_response_fields, &mut events);
        }
        let mut response = fold(&events);
        response.usage = reply.usage.and_then(|usage| usage::read(usage, reply.service_tier));
        response.trace = reply.trace.map(Raw::from);
        // A reply may come without blocks, but never without its one choice.
        response.choices.resize_with(1, Default::default);
        Ok(response)
    }

    fn stream(self: Box<Self>) -> Box<dyn StreamDecoder> {
        Box::new(ConverseDecoder::new(self.memory))
    }
}
