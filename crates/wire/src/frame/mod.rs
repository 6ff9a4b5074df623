//! Bytes of a stream cut into frames. Resumable at any byte, bounded in memory, no copies where avoidable.

pub mod lines;
pub mod sse;

/// How a format cuts its stream into frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// Server-sent events.
    Sse,
    /// One JSON value a line.
    Lines,
}

/// One frame. `event` is empty where the framing has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// The SSE `event` field.
    pub event: &'a str,
    /// The payload; multi-line SSE data joined by `\n`.
    pub data: &'a str,
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
}
