//! Bytes of a stream cut into frames: resumable at any byte, bounded in memory, without copies while frames
//! arrive whole. Not here: what a frame means, see the codecs.

mod aws;
mod lines;
mod sse;

#[cfg(test)]
#[path = "frame_tests.rs"]
mod tests;

pub use aws::message as aws_message;

use bytes::{Buf, Bytes, BytesMut};

/// How a format cuts its stream into frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// Server-sent events.
    Sse,
    /// One JSON value a line.
    Lines,
    /// `application/vnd.amazon.eventstream`: binary messages with checksums.
    AwsEvents,
}

/// One frame, as a decoder reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// The SSE `event` field, or the `:event-type` of an AWS message; empty where there is none. The failure of
    /// an AWS stream is `exception/TYPE`, see [`Frame::exception`].
    pub event: &'a str,
    /// The payload; multi-line SSE data joined by `\n`. In base64 for an AWS `PayloadPart`, which is bytes of
    /// another stream.
    pub data: &'a str,
}

impl<'a> Frame<'a> {
    /// Whether it carries bytes of another stream, in base64.
    #[must_use]
    pub fn is_payload_part(&self) -> bool {
        self.event == aws::PAYLOAD_PART
    }

    /// The type of the failure that an AWS message reports (`throttlingException`).
    #[must_use]
    pub fn exception(&self) -> Option<&'a str> {
        self.event.strip_prefix(aws::EXCEPTION)
    }
}

/// Why bytes could not be framed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// A single frame grew past the bound.
    #[error("a single frame of the stream is larger than {0} bytes")]
    TooLarge(usize),
    /// A frame's payload is not UTF-8.
    #[error("a frame of the stream is not valid UTF-8")]
    NotUtf8,
    /// An AWS message whose checksum or lengths contradict its bytes.
    #[error("a message of the event stream is damaged")]
    Damaged,
}

/// Cuts the bytes of one stream into frames. Feed it with [`push`](Self::push), drain it with
/// [`next`](Self::next) until `None`, and after the last byte take [`rest`](Self::rest).
#[derive(Debug)]
pub struct Cutter {
    framing: Framing,
    limit: usize,
    /// The newest chunk, while no incomplete frame precedes it: frames are slices of it.
    chunk: Bytes,
    /// An incomplete frame and what follows it. Empty whenever `chunk` is not.
    carry: BytesMut,
    /// How far the current frame has been searched for its end.
    scan: Scan,
}

/// Where the search for the end of the current frame stands, relative to the frame's first byte.
#[derive(Clone, Copy, Debug, Default)]
struct Scan {
    position: usize,
    line_start: usize,
}

/// A frame's own bytes, terminator included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cut {
    /// The bytes as they came.
    pub raw: Bytes,
    framing: Framing,
}

impl Cutter {
    /// A cutter that refuses frames of more than `limit` bytes.
    #[must_use]
    pub fn new(framing: Framing, limit: usize) -> Self {
        Self { framing, limit, chunk: Bytes::new(), carry: BytesMut::new(), scan: Scan::default() }
    }

    /// Takes the next bytes of the stream.
    pub fn push(&mut self, bytes: Bytes) {
        if self.carry.is_empty() && self.chunk.is_empty() {
            self.chunk = bytes;
        } else {
            self.spill();
            self.carry.extend_from_slice(&bytes);
        }
    }

    /// The next complete frame, or `None` when more bytes are needed.
    ///
    /// # Errors
    /// [`FrameError::TooLarge`] or [`FrameError::Damaged`]; the stream cannot be continued after it.
    #[expect(clippy::should_implement_trait, reason = "fallible, and exhausted only until the next push")]
    pub fn next(&mut self) -> Result<Option<Cut>, FrameError> {
        let bytes: &[u8] = if self.carry.is_empty() { &self.chunk } else { &self.carry };
        let end = match self.framing {
            Framing::Sse => sse::end(bytes, &mut self.scan),
            Framing::Lines => lines::end(bytes, &mut self.scan),
            Framing::AwsEvents => aws::end(bytes, self.limit)?,
        };
        if end.unwrap_or(bytes.len()) > self.limit {
            return Err(FrameError::TooLarge(self.limit));
        }
        let Some(end) = end else {
            self.spill();
            return Ok(None);
        };
        self.scan = Scan::default();
        let raw =
            if self.carry.is_empty() { self.chunk.split_to(end) } else { self.carry.split_to(end).freeze() };
        Ok(Some(Cut { raw, framing: self.framing }))
    }

    /// After the last byte: what is left without a terminator, as a frame.
    pub fn rest(&mut self) -> Option<Cut> {
        self.spill();
        let raw = self.carry.split().freeze();
        self.scan = Scan::default();
        (!raw.is_empty()).then_some(Cut { raw, framing: self.framing })
    }

    /// Moves the incomplete remainder out of the shared chunk, so that a read buffer is not kept alive by it.
    fn spill(&mut self) {
        if self.chunk.has_remaining() {
            self.carry.extend_from_slice(&self.chunk);
            self.chunk = Bytes::new();
        }
    }
}

impl Cut {
    /// The frame in these bytes, or `None` when they carry no payload (a comment, a blank line).
    /// `scratch` holds joined data when the payload has several lines.
    ///
    /// # Errors
    /// [`FrameError::NotUtf8`], or [`FrameError::Damaged`]; the frames after this one can still be read.
    pub fn frame<'a>(&'a self, scratch: &'a mut String) -> Result<Option<Frame<'a>>, FrameError> {
        if self.framing == Framing::AwsEvents {
            return aws::read(&self.raw, scratch);
        }
        let text = std::str::from_utf8(&self.raw).map_err(|_| FrameError::NotUtf8)?;
        Ok(match self.framing {
            Framing::Sse => sse::read(text, scratch),
            Framing::Lines | Framing::AwsEvents => lines::read(text),
        })
    }
}
