//! The seam: what every wire format implements, once for each side it exists on.
//!
//! A codec is a pair of mirrored halves. Towards the upstream, [`UpstreamCodec::encode`] turns a canonical
//! request into bytes and hands back the reader of the reply: whatever the request did that the reply must
//! undo (a renamed tool, a forced JSON tool), the reader remembers. Towards the client,
//! [`ClientCodec::decode`] turns bytes into a canonical request and hands back the writer of the reply.
//! Streams are state machines without IO: frames in, events out; events in, bytes out.

use bytes::{Bytes, BytesMut};

use crate::chat::ChatRequest;
use crate::event::ChatEvent;
use crate::fault::{Fault, Loss, TranslateError};
use crate::format::Format;
use crate::frame::{Frame, Framing};
use crate::reply::ChatResponse;

/// The upstream side of a chat-like format: we speak it to a provider.
pub trait UpstreamCodec: Send + Sync {
    /// The format spoken.
    fn format(&self) -> Format;
    /// The request in this format, and the reader of its reply.
    ///
    /// # Errors
    /// When the request cannot be said at all. What can be said only in part is a [`Loss`] instead.
    fn encode(&self, request: &ChatRequest, target: &Target<'_>) -> Result<Outbound, TranslateError>;
}

/// Everything a codec may know about its destination: plain data, no client, no clock, no environment.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// The model as the upstream knows it.
    pub model: &'a str,
    /// Unique to this call; ids that the upstream does not give are derived from it.
    pub call_id: &'a str,
}

/// What to send, and who can read the answer.
pub struct Outbound {
    /// The request's body.
    pub body: Bytes,
    /// Reads the reply to exactly this request.
    pub reader: Box<dyn ReplyReader>,
    /// What the format could not say. Policy refuses the call or reports the loss.
    pub losses: Vec<Loss>,
}

/// Reads the reply to one request.
pub trait ReplyReader: Send + Sync {
    /// How a streamed reply is cut into frames.
    fn framing(&self) -> Framing;
    /// The meaning of a whole successful reply.
    ///
    /// # Errors
    /// When the body is not a reply of this format.
    fn whole(&self, body: &[u8]) -> Result<ChatResponse, TranslateError>;
    /// The state machine for a streamed reply.
    fn stream(self: Box<Self>) -> Box<dyn StreamDecoder>;
}

/// Frames in, events out.
pub trait StreamDecoder: Send {
    /// Reads one frame, appending the events it means.
    fn frame(&mut self, frame: &Frame<'_>, out: &mut Vec<ChatEvent>) -> Read;
    /// The bytes ended. Closes what is open and says whether the stream was complete; invents nothing.
    fn end(&mut self, out: &mut Vec<ChatEvent>) -> Finish;
}

/// What a frame was.
#[derive(Clone, Debug, PartialEq)]
pub enum Read {
    /// Understood.
    Known,
    /// Valid, but not modelled.
    Unknown,
    /// Not valid in this format; says what is wrong, without quoting content.
    Corrupt(String),
    /// The last frame of a complete stream.
    Terminal,
    /// The upstream reports that it failed.
    Failed(Fault),
}

/// How a stream ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Finish {
    /// As the format says a stream ends.
    Complete,
    /// Cut before its end.
    Truncated,
    /// With a failure.
    Failed(Fault),
}

/// The client side of a chat-like format: callers speak it to us.
pub trait ClientCodec: Send + Sync {
    /// The format spoken.
    fn format(&self) -> Format;
    /// The meaning of a request body, and the writer of its reply.
    ///
    /// # Errors
    /// When the body is not a request of this format; names the field.
    fn decode(&self, body: &[u8]) -> Result<Inbound, TranslateError>;
}

/// A request understood, and who can write the answer.
pub struct Inbound {
    /// What is asked.
    pub request: ChatRequest,
    /// Writes the reply in the client's format.
    pub writer: Box<dyn ReplyWriter>,
}

/// What the gateway stamps on a translated reply.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stamp {
    /// The model name the client asked for.
    pub model: String,
    /// Seconds since 1970.
    pub created: u64,
    /// Used when the provider gives no id.
    pub id: String,
}

impl Stamp {
    /// Takes over what a stream's start says: the provider's id, and its model where the client named none.
    pub fn meet(&mut self, id: &str, model: &str) {
        if !id.is_empty() {
            id.clone_into(&mut self.id);
        }
        if self.model.is_empty() {
            model.clone_into(&mut self.model);
        }
    }
}

/// Writes the reply to one request.
pub trait ReplyWriter: Send + Sync {
    /// A whole reply.
    fn whole(&self, response: &ChatResponse, stamp: &Stamp) -> Bytes;
    /// The state machine for a streamed reply.
    fn stream(self: Box<Self>, stamp: Stamp) -> Box<dyn StreamEncoder>;
}

/// Events in, client bytes out.
pub trait StreamEncoder: Send {
    /// Appends the bytes that `event` means to the client.
    fn event(&mut self, event: &ChatEvent, out: &mut BytesMut);
    /// Appends the end of the stream: the format's own end when complete, its own error otherwise.
    fn finish(&mut self, finish: &Finish, out: &mut BytesMut);
}
