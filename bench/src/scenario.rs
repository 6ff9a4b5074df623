//! The requests that are sent, as bytes.

use bytes::Bytes;
use clap::ValueEnum;
use serde::Serialize;
use testkit::bench::STREAM_CHUNKS;

/// Bytes of the body of a chat or stream request, and of a big one.
const CHAT_BYTES: usize = 1_025;
const BIG_BYTES: usize = 400 * 1024;
const BIG_MESSAGES: usize = 102;

/// A kind of request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Scenario {
    /// 1,025 bytes up, 624 bytes down
    Chat,
    /// 400 KB in 102 messages up, 624 bytes down
    Big,
    /// 1,025 bytes up, 50 chunks of 226 bytes down as fast as they can be written
    Stream,
    /// The same stream, 5 ms between chunks: no two of them can be read at once
    Paced,
}

impl Scenario {
    pub(crate) const ALL: [Self; 4] = [Self::Chat, Self::Big, Self::Stream, Self::Paced];

    /// Requests of one saturated phase: one to three seconds through a good proxy on two cores.
    pub(crate) fn requests(self) -> u64 {
        match self {
            Self::Chat => 30_000,
            Self::Big => 2_000,
            Self::Stream => 2_000,
            Self::Paced => 640,
        }
    }

    /// Requests of the phase with a single connection.
    pub(crate) fn lone_requests(self) -> u64 {
        match self {
            Self::Chat => 1_000,
            Self::Big | Self::Stream => 200,
            Self::Paced => 10,
        }
    }

    /// SSE events that a complete reply holds at least. A proxy may drop or add the usage frame.
    pub(crate) fn least_events(self) -> u64 {
        match self {
            Self::Chat | Self::Big => 0,
            Self::Stream | Self::Paced => self.chunks() - 1,
        }
    }

    /// Chunks that the CPU time of a stream is divided by; 0 for whole replies.
    pub(crate) fn chunks(self) -> u64 {
        match self {
            Self::Chat | Self::Big => 0,
            Self::Stream | Self::Paced => STREAM_CHUNKS as u64,
        }
    }

    /// The whole HTTP request.
    pub(crate) fn request(self, key: &str) -> Bytes {
        let body = match self {
            Self::Chat => body(r#""model":"bench""#, 2, CHAT_BYTES),
            Self::Big => body(r#""model":"bench""#, BIG_MESSAGES, BIG_BYTES),
            Self::Stream => body(r#""model":"bench-stream","stream":true"#, 2, CHAT_BYTES),
            Self::Paced => body(r#""model":"bench-paced","stream":true"#, 2, CHAT_BYTES),
        };
        let head = format!(
            "POST /v1/chat/completions HTTP/1.1\r\nhost: bench.invalid\r\nuser-agent: tollgate-bench\r\n\
             accept: */*\r\nauthorization: Bearer {key}\r\ncontent-type: application/json\r\n\
             content-length: {}\r\n\r\n",
            body.len()
        );
        (head + &body).into()
    }
}

impl std::fmt::Display for Scenario {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.pad(match self {
            Self::Chat => "chat",
            Self::Big => "big",
            Self::Stream => "stream",
            Self::Paced => "paced",
        })
    }
}

/// A chat request of exactly `size` bytes, its filler spread over `messages` messages.
fn body(head: &str, messages: usize, size: usize) -> String {
    let message = |index: usize, text: &str| {
        let role = match index {
            0 => "system",
            odd if odd % 2 == 1 => "user",
            _ => "assistant",
        };
        format!(r#"{{"role":"{role}","content":"{text}"}}"#)
    };
    let written = |filler: &dyn Fn(usize) -> String| {
        let messages: Vec<String> = (0..messages).map(|index| message(index, &filler(index))).collect();
        format!(r#"{{{head},"temperature":0.7,"max_tokens":256,"messages":[{}]}}"#, messages.join(","))
    };
    let missing = size.saturating_sub(written(&|_| String::new()).len());
    let (share, rest) = (missing / messages, missing % messages);
    let words = "the quick brown fox jumps over the lazy dog ";
    written(&|index| {
        let length = share + if index + 1 == messages { rest } else { 0 };
        words.chars().cycle().take(length).collect()
    })
}

#[cfg(test)]
#[path = "scenario_tests.rs"]
mod tests;
