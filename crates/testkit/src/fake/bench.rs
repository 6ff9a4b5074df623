//! Replies for benchmarks, prebuilt: an upstream that costs as little as hyper lets it.
//! Not scripted and not recorded; three model names are reserved for it:
//!
//! | model | reply |
//! | --- | --- |
//! | `bench` | a whole reply, always |
//! | `bench-stream` | a stream, always, as fast as it can be written |
//! | `bench-paced` | the same stream at a model's pace, [`CHUNK_PAUSE`] between chunks |

use std::sync::LazyLock;
use std::time::Duration;

use bytes::Bytes;
use memchr::memmem::find;

use super::play::{Body, Prebuilt};

/// Bytes of the whole reply.
pub const REPLY_BYTES: usize = 624;
/// Data frames of the streamed reply, the last with the usage; `[DONE]` follows.
pub const STREAM_CHUNKS: usize = 50;
/// Bytes of one data frame with its blank line.
pub const CHUNK_BYTES: usize = 226;

/// Between two chunks of a paced stream.
pub const CHUNK_PAUSE: Duration = Duration::from_millis(5);

/// How far into a body the model is looked for. A request that names it later is served by the
/// unhurried path like any other model.
const PEEK_BYTES: usize = 512;

static REPLY: LazyLock<Bytes> = LazyLock::new(|| {
    let head = r#"{"id":"chatcmpl-bench","object":"chat.completion","created":1700000000,"model":"bench","choices":[{"index":0,"message":{"role":"assistant","content":""#;
    let tail = r#"","refusal":null},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":180,"completion_tokens":60,"total_tokens":240}}"#;
    padded(head, tail, REPLY_BYTES)
});

static CHUNKS: LazyLock<Vec<Bytes>> = LazyLock::new(|| {
    let head = |rest: &str| {
        format!(
            r#"data: {{"id":"chatcmpl-bench","object":"chat.completion.chunk","created":1700000000,"model":"bench-stream",{rest}"#
        )
    };
    let content = head(r#""choices":[{"index":0,"delta":{"content":""#);
    let usage = head(
        r#""choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":{"prompt_tokens":180,"completion_tokens":49}"#,
    );
    let mut chunks =
        vec![padded(&content, "\"},\"finish_reason\":null}]}\n\n", CHUNK_BYTES); STREAM_CHUNKS - 1];
    chunks.push(padded(&usage, "}\n\n", CHUNK_BYTES));
    chunks.push(Bytes::from_static(b"data: [DONE]\n\n"));
    chunks
});

fn padded(head: &str, tail: &str, size: usize) -> Bytes {
    let filler = "the quick brown fox jumps over the lazy dog ".chars().cycle();
    let missing = size.saturating_sub(head.len() + tail.len());
    let filler: String =
        if head.ends_with('"') { filler.take(missing).collect() } else { " ".repeat(missing) };
    format!("{head}{filler}{tail}").into()
}

/// Media type and body, if the request is for one of the benchmark's models.
pub(crate) fn reply(request_body: &[u8]) -> Option<(&'static str, Body)> {
    let head = request_body.get(..PEEK_BYTES).unwrap_or(request_body);
    let at = find(head, b"\"model\"")? + b"\"model\"".len();
    let value =
        head.get(at..)?.trim_ascii_start().strip_prefix(b":")?.trim_ascii_start().strip_prefix(b"\"")?;
    let stream = |pause| ("text/event-stream", Body::Prebuilt(Prebuilt::new(&CHUNKS, pause)));
    match value.split(|byte| *byte == b'"').next()? {
        b"bench" => Some(("application/json", Body::Whole(REPLY.clone()))),
        b"bench-stream" => Some(stream(Duration::ZERO)),
        b"bench-paced" => Some(stream(CHUNK_PAUSE)),
        _ => None,
    }
}
