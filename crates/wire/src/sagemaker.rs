//! Amazon SageMaker's endpoints: a container's own API (OpenAI's chat, or text generation), whose stream arrives as
//! AWS events that carry the container's server-sent events, cut anywhere. The path names the endpoint, so the body
//! names no model. Signing is [`crate::sigv4`]'s, for the service `sagemaker`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;

use crate::bedrock_converse::fault;
use crate::chat::ChatRequest;
use crate::codec::{Finish, Outbound, Read, ReplyReader, StreamDecoder, Target, UpstreamCodec};
use crate::dialect::Dialect;
use crate::event::ChatEvent;
use crate::fault::{Fault, TranslateError};
use crate::format::Format;
use crate::frame::{Cut, Cutter, Frame, Framing};
use crate::openai_chat::{ChatUpstream, malformed};
use crate::prompted::reader::TextReader;
use crate::prompted::text_generation;
use crate::provider::members::Members;
use crate::reply::ChatResponse;

#[cfg(test)]
#[path = "sagemaker_tests.rs"]
mod tests;

/// We speak OpenAI's chat to an endpoint.
#[derive(Clone, Copy, Debug, Default)]
pub struct EndpointChat;

/// We speak text generation to an endpoint.
#[derive(Clone, Copy, Debug, Default)]
pub struct EndpointText;

/// An event of the container that is longer than this many bytes is none.
const MOST_EVENT: usize = 1 << 22;

impl UpstreamCodec for EndpointChat {
    fn format(&self) -> Format {
        Format::Own(Dialect::SageMakerChat)
    }

    fn encode(&self, request: &ChatRequest, target: &Target<'_>) -> Result<Outbound, TranslateError> {
        let Outbound { body, reader, losses } = ChatUpstream.encode(request, target)?;
        let mut members = Members::read(&body).map_err(|error| malformed("body", &error.to_string()))?;
        members.remove("model");
        let body = members.edited().map_or_else(|| body.clone(), Bytes::from);
        Ok(Outbound { body, reader: Box::new(EndpointReader { inner: reader }), losses })
    }
}

impl UpstreamCodec for EndpointText {
    fn format(&self) -> Format {
        Format::Own(Dialect::SageMakerText)
    }

    fn encode(&self, request: &ChatRequest, _: &Target<'_>) -> Result<Outbound, TranslateError> {
        let mut losses = Vec::new();
        let body = text_generation::body(request, &mut losses)?;
        let body = body.some("stream", request.stream.then_some(true))?.body()?;
        let inner = TextReader::streamed(text_generation::meaning);
        Ok(Outbound { body, reader: Box::new(EndpointReader { inner }), losses })
    }
}

struct EndpointReader {
    inner: Box<dyn ReplyReader>,
}

impl ReplyReader for EndpointReader {
    fn framing(&self) -> Framing {
        Framing::AwsEvents
    }

    fn whole(&self, body: &[u8]) -> Result<ChatResponse, TranslateError> {
        self.inner.whole(body)
    }

    fn stream(self: Box<Self>) -> Box<dyn StreamDecoder> {
        let cutter = Cutter::new(self.inner.framing(), MOST_EVENT);
        Box::new(EndpointDecoder { cutter, inner: self.inner.stream(), over: false, failed: None })
    }
}

/// Unwraps the container's stream.
struct EndpointDecoder {
    cutter: Cutter,
    inner: Box<dyn StreamDecoder>,
    over: bool,
    failed: Option<Fault>,
}

impl StreamDecoder for EndpointDecoder {
    fn frame(&mut self, frame: &Frame<'_>, out: &mut Vec<ChatEvent>) -> Read {
        if let Some(name) = frame.exception() {
            let fault = fault::of_stream(name, frame.data);
            self.failed = Some(fault.clone());
            return Read::Failed(fault);
        }
        if !frame.is_payload_part() || self.over {
            return Read::Unknown;
        }
        let Ok(bytes) = STANDARD.decode(frame.data) else {
            return Read::Corrupt("not base64".to_owned());
        };
        self.cutter.push(Bytes::from(bytes));
        let mut read = Read::Known;
        loop {
            match self.cutter.next() {
                Ok(Some(cut)) => read = worse(read, self.cut(&cut, out)),
                Ok(None) => return read,
                Err(error) => {
                    self.over = true;
                    return Read::Corrupt(error.to_string());
                }
            }
            if matches!(read, Read::Terminal | Read::Failed(_)) {
                self.over = true;
                return read;
            }
        }
    }

    fn end(&mut self, out: &mut Vec<ChatEvent>) -> Finish {
        // Some containers leave out the blank line behind the last event.
        if let Some(cut) = self.cutter.rest().filter(|_| !self.over && self.failed.is_none()) {
            self.cut(&cut, out);
        }
        let finish = self.inner.end(out);
        self.failed.take().map_or(finish, Finish::Failed)
    }
}

impl EndpointDecoder {
    fn cut(&mut self, cut: &Cut, out: &mut Vec<ChatEvent>) -> Read {
        let mut scratch = String::new();
        match cut.frame(&mut scratch) {
            Ok(Some(frame)) => self.inner.frame(&frame, out),
            Ok(None) => Read::Known,
            Err(error) => Read::Corrupt(error.to_string()),
        }
    }
}

/// What is told of a message that carries several events: the end, else the first that was not understood.
fn worse(before: Read, now: Read) -> Read {
    match (&before, &now) {
        (_, Read::Terminal | Read::Failed(_)) | (Read::Known, _) => now,
        _ => before,
    }
}
