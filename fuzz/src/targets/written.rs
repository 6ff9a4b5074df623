//! What a client is written: whatever the upstream said, it is JSON, in the frames of the client's format.

use bytes::{Bytes, BytesMut};
use serde::de::IgnoredAny;
use tollgate_wire::anthropic_messages::MessagesClient;
use tollgate_wire::codec::{ClientCodec, Finish, Inbound, Stamp};
use tollgate_wire::event::ChatEvent;
use tollgate_wire::format::Format;
use tollgate_wire::frame::{Cutter, Framing};
use tollgate_wire::gemini::{GeminiClient, Streamed};
use tollgate_wire::openai_chat::ChatClient;
use tollgate_wire::openai_completions::CompletionClient;
use tollgate_wire::openai_responses::ResponsesClient;
use tollgate_wire::reply::ChatResponse;

use super::Outcome;

/// The least that a client of each format can ask.
const ASKED: [(Format, &str); 5] = [
    (
        Format::OpenAiChat,
        r#"{"model":"m","stream":true,"stream_options":{"include_usage":true},"messages":[{"role":"user","content":"a"}]}"#,
    ),
    (Format::OpenAiCompletions, r#"{"model":"m","stream":true,"prompt":"a"}"#),
    (Format::OpenAiResponses, r#"{"model":"m","stream":true,"input":"a"}"#),
    (
        Format::AnthropicMessages,
        r#"{"model":"m","stream":true,"max_tokens":9,"messages":[{"role":"user","content":"a"}]}"#,
    ),
    (Format::Gemini, r#"{"contents":[{"parts":[{"text":"a"}]}]}"#),
];

/// The client side of `format`.
pub(super) fn client(format: Format, streamed: Option<Streamed>) -> Box<dyn ClientCodec> {
    match format {
        Format::OpenAiCompletions => Box::new(CompletionClient),
        Format::OpenAiResponses => Box::new(ResponsesClient),
        Format::AnthropicMessages => Box::new(MessagesClient),
        Format::Gemini => Box::new(GeminiClient { model: "claude-sonnet-4-5".to_owned(), streamed }),
        _ => Box::new(ChatClient),
    }
}

/// Clients of every format who asked for something simple.
fn askers() -> Vec<(Format, Option<Streamed>, Inbound)> {
    let mut askers = Vec::new();
    for (format, body) in ASKED {
        let ways: &[Streamed] = match format {
            Format::Gemini => &[Streamed::Events, Streamed::Array],
            _ => &[Streamed::Events],
        };
        for way in ways {
            let inbound = client(format, Some(*way)).decode(body.as_bytes());
            askers.extend(inbound.ok().map(|inbound| (format, Some(*way), inbound)));
        }
    }
    askers
}

fn stamp() -> Stamp {
    Stamp { model: "m".to_owned(), created: 1_700_000_000, id: "chatcmpl-1".to_owned() }
}

/// Whether `body` is JSON, to whoever reads it.
pub(super) fn is_json(body: &[u8]) -> bool {
    serde_json::from_slice::<IgnoredAny>(body).is_ok()
}

/// Writes `response` to clients of every format, and to `own`.
pub(super) fn whole(response: &ChatResponse, own: Inbound, outcome: &mut Outcome) {
    let own = (Format::default(), None, own);
    for (format, _, inbound) in askers().into_iter().chain([own]) {
        let body = inbound.writer.whole(response, &stamp());
        outcome.demand(is_json(&body), || format!("{} is not JSON: {body:?}", format.title()));
    }
}

/// Streams `events` to clients of every format, and to `own`.
pub(super) fn streamed(events: &[ChatEvent], finish: &Finish, own: Inbound, outcome: &mut Outcome) {
    for (format, way, inbound) in askers() {
        let out = written(events, finish, inbound);
        let holds = match way {
            // A list of replies is closed when the stream is complete; otherwise it ends with the failure.
            Some(Streamed::Array) => *finish != Finish::Complete || is_json(&out),
            _ => framed(&out),
        };
        outcome.demand(holds, || format!("{}: {}", format.title(), String::from_utf8_lossy(&out)));
    }
    let out = written(events, finish, own);
    outcome
        .demand(std::str::from_utf8(&out).is_ok(), || "what the client is written is not UTF-8".to_owned());
}

fn written(events: &[ChatEvent], finish: &Finish, inbound: Inbound) -> Bytes {
    let mut encoder = inbound.writer.stream(stamp());
    let mut out = BytesMut::new();
    for event in events {
        encoder.event(event, &mut out);
    }
    encoder.finish(finish, &mut out);
    out.freeze()
}

/// Whether `out` is server-sent events of JSON to the last byte.
fn framed(out: &Bytes) -> bool {
    let mut cutter = Cutter::new(Framing::Sse, usize::MAX);
    cutter.push(out.clone());
    let mut scratch = String::new();
    while let Ok(Some(cut)) = cutter.next() {
        match cut.frame(&mut scratch) {
            Ok(None) => {}
            Ok(Some(frame)) if frame.data == "[DONE]" || is_json(frame.data.as_bytes()) => {}
            Ok(Some(_)) | Err(_) => return false,
        }
    }
    cutter.rest().is_none()
}
