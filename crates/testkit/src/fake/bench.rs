//! Replies for benchmarks, prebuilt: an upstream that costs as little as hyper lets it.
//! Not scripted and not recorded; the models `bench` and `bench-stream` are reserved for it.

use std::sync::LazyLock;

use bytes::Bytes;
use memchr::memmem::find;

use super::play::Body;

/// Bytes of the whole reply.
pub const REPLY_BYTES: usize = 624;
/// Data frames of the streamed reply, the last with the usage; `[DONE]` follows.
pub const STREAM_CHUNKS: usize = 50;
/// Bytes of one data frame with its blank line.
pub const CHUNK_BYTES: usize = 226;

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
    let value = head.get(at..)?.trim_ascii_start().strip_prefix(b":")?.trim_ascii_start();
    if value.starts_with(b"\"bench\"") {
        return Some(("application/json", Body::Whole(REPLY.clone())));
    }
    let streams = value.starts_with(b"\"bench-stream\"");
    streams.then(|| ("text/event-stream", Body::Flood { frames: CHUNKS.as_slice(), flushed: true }))
}
