//! What translation costs: a request and a chunk of a stream, between OpenAI's chat format and Anthropic's Messages,
//! and a conversation of 100,000 tokens. Run with `cargo bench -p tollgate-wire`; the figures stand in
//! `docs/performance.md`. Not here: what a call costs in the gateway, see `bench/`.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark prints, and stops when it breaks")]

use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use serde_json::{Value, json};
use tollgate_wire::anthropic_messages::{MessagesClient, MessagesUpstream};
use tollgate_wire::codec::{ClientCodec, Stamp, Target, UpstreamCodec};
use tollgate_wire::frame::Cutter;
use tollgate_wire::openai_chat::{ChatClient, ChatUpstream};

/// The gateway's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Tokens have about four characters: with [`words`] this is 400 KB.
const TURNS: usize = 800;
const LEAST: Duration = Duration::from_millis(400);

/// A direction: who asks, who answers, and a fixture of the answer's stream.
struct Direction {
    name: &'static str,
    client: &'static dyn ClientCodec,
    upstream: &'static dyn UpstreamCodec,
    model: &'static str,
    request: Vec<u8>,
    long: Vec<u8>,
    stream: Vec<u8>,
}

fn main() {
    let directions = [
        Direction {
            name: "OpenAI → Anthropic",
            client: &ChatClient,
            upstream: &MessagesUpstream,
            model: "claude-sonnet-4-5",
            request: fixture("anthropic_messages/tool_result/client.json"),
            long: openai_conversation(),
            stream: stretched("anthropic_messages/plain", "content_block_delta"),
        },
        Direction {
            name: "Anthropic → OpenAI",
            client: &MessagesClient,
            upstream: &ChatUpstream,
            model: "gpt-4.1",
            request: fixture("openai_chat/messages_tools/client.messages.json"),
            long: anthropic_conversation(),
            stream: stretched("openai_chat/messages_plain", "\"content\":"),
        },
    ];
    println!("| direction | request, µs | chunk, ns | 100,000 tokens, ms (KB) |");
    println!("| --- | --- | --- | --- |");
    for direction in &directions {
        let (chunks, stream) = direction.stream();
        println!(
            "| {} | {:.1} ({} bytes) | {:.0} | {:.2} ({}) |",
            direction.name,
            direction.request(&direction.request).as_secs_f64() * 1e6,
            direction.request.len(),
            stream.as_secs_f64() * 1e9 / chunks as f64,
            direction.request(&direction.long).as_secs_f64() * 1e3,
            direction.long.len() >> 10,
        );
    }
}

impl Direction {
    /// The client's bytes read and the upstream's written.
    fn request(&self, body: &[u8]) -> Duration {
        each(|| {
            let inbound = self.client.decode(black_box(body)).unwrap();
            let target = Target { model: self.model, call_id: "01234567-89ab-cdef" };
            black_box(self.upstream.encode(&inbound.request, &target).unwrap().body.len())
        })
    }

    /// The upstream's frames read and the client's written; how many, and how long it took for all.
    fn stream(&self) -> (usize, Duration) {
        let bytes = Bytes::copy_from_slice(&self.stream);
        let stamp = Stamp { model: "m".to_owned(), created: 1_700_000_000, id: "chatcmpl-1".to_owned() };
        let mut chunks = 0;
        let took = each(|| {
            let inbound = self.client.decode(&self.request).unwrap();
            let target = Target { model: self.model, call_id: "01234567-89ab-cdef" };
            let reader = self.upstream.encode(&inbound.request, &target).unwrap().reader;
            let mut cutter = Cutter::new(reader.framing(), 1 << 20);
            let (mut decoder, mut encoder) = (reader.stream(), inbound.writer.stream(stamp.clone()));
            cutter.push(bytes.clone());
            let (mut events, mut out, mut scratch) = (Vec::new(), BytesMut::new(), String::new());
            chunks = 0;
            while let Some(cut) = cutter.next().unwrap() {
                let Some(frame) = cut.frame(&mut scratch).unwrap() else { continue };
                decoder.frame(&frame, &mut events);
                events.drain(..).for_each(|event| encoder.event(&event, &mut out));
                chunks += 1;
                black_box(out.len());
                out.clear();
            }
            chunks
        });
        (chunks, took)
    }
}

/// The CPU time of one of as many runs as take [`LEAST`], by the scheduler's counter: the machine may be busy.
fn each<T>(mut run: impl FnMut() -> T) -> Duration {
    black_box(run());
    let (begun, start, mut runs) = (cpu_time(), Instant::now(), 0);
    while runs < 9 || start.elapsed() < LEAST {
        black_box(run());
        runs += 1;
    }
    (cpu_time() - begun) / runs
}

fn cpu_time() -> Duration {
    // Brings the counter up to date, which only a switch does.
    std::thread::sleep(Duration::from_millis(1));
    let counters = fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(counters.split(' ').next().unwrap().parse().unwrap())
}

fn fixture(path: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(path)).unwrap()
}

/// The stream of a fixture, its frame with `mark` repeated a thousand times.
fn stretched(case: &str, mark: &str) -> Vec<u8> {
    let stream = String::from_utf8(fixture(&format!("{case}/upstream.stream"))).unwrap();
    let frames: Vec<&str> = stream.split_inclusive("\n\n").collect();
    let at = frames.iter().rposition(|frame| frame.contains(mark)).unwrap();
    let frames = [&frames[..at], &vec![frames[at]; 1000], &frames[at + 1..]].concat();
    frames.concat().into_bytes()
}

fn words(turn: usize) -> String {
    format!("Turn {turn}: \"the quick brown fox\" jumps over the lazy dog.\nIt is über-quick. ").repeat(6)
}

fn schema() -> Value {
    json!({"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]})
}

/// Four turns at a time: asked, a tool called, its result, answered.
fn openai_conversation() -> Vec<u8> {
    let turn = |at: usize| match at % 4 {
        0 => json!({"role": "user", "content": words(at)}),
        1 => {
            json!({"role": "assistant", "content": null, "tool_calls": [{"id": format!("call_{at}"), "type": "function",
            "function": {"name": "read_file", "arguments": json!({"path": words(at)}).to_string()}}]})
        }
        2 => json!({"role": "tool", "tool_call_id": format!("call_{}", at - 1), "content": words(at)}),
        _ => json!({"role": "assistant", "content": words(at)}),
    };
    let messages: Vec<Value> = (0..TURNS).map(turn).collect();
    json!({"model": "m", "max_tokens": 1000, "messages": messages, "stream": true,
        "tools": [{"type": "function", "function": {"name": "read_file", "parameters": schema()}}]})
    .to_string()
    .into_bytes()
}

fn anthropic_conversation() -> Vec<u8> {
    let turn = |at: usize| match at % 4 {
        0 => json!({"role": "user", "content": words(at)}),
        1 => {
            json!({"role": "assistant", "content": [{"type": "tool_use", "id": format!("toolu_{at}"), "name": "read_file",
            "input": {"path": words(at)}}]})
        }
        2 => {
            json!({"role": "user", "content": [{"type": "tool_result", "tool_use_id": format!("toolu_{}", at - 1),
            "content": words(at)}]})
        }
        _ => json!({"role": "assistant", "content": [{"type": "text", "text": words(at)}]}),
    };
    let messages: Vec<Value> = (0..TURNS).map(turn).collect();
    json!({"model": "m", "max_tokens": 1000, "messages": messages, "stream": true,
        "tools": [{"name": "read_file", "input_schema": schema()}]})
    .to_string()
    .into_bytes()
}
