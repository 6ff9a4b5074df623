//! Walks `fixtures/<upstream format>/<case>/` and runs every case:
//!
//! | file | what it holds |
//! | --- | --- |
//! | `client.json` | what the caller sends: a chat completion, or a text completion if it has a `prompt` |
//! | `client.messages.json` | in its place: what a caller of Anthropic's API sends |
//! | `client.responses.json` | in its place: what a caller of OpenAI's Responses API sends |
//! | `client.gemini.json` | in its place: what a caller of Google's API sends, wanting a stream if the upstream gives one |
//! | `upstream.request.json` | the request we must build |
//! | `losses.txt` | what that request cannot say, a line each; absent when it says everything |
//! | `error.txt` | instead of all the rest: why the request cannot be said |
//! | `upstream.reply.json`, `reply.json` | the upstream's whole reply, and ours |
//! | `upstream.stream`, `reply.stream` | the upstream's stream, and ours |
//! | `source.txt` | where the upstream's bytes are from |
//! | `upstream.error.json`, `fault.txt` | the upstream's failure (`status`, `body`), and what it means |
//!
//! An `upstream.stream` of AWS messages is written as server-sent events, which the walker turns into messages.
//! Cases of embeddings and reranking have files of their own, see `walk/direct.rs`.
//!
//! With both replies, the whole one must be what the stream amounts to. `UPDATE=1` writes expectations that
//! are missing, for review; any other file in a case fails.
#![cfg(test)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use bytes::{Bytes, BytesMut};
use serde_json::Value;
use tollgate_wire::anthropic_messages::MessagesClient;
use tollgate_wire::chat::ChatRequest;
use tollgate_wire::codec::{ClientCodec, Finish, Inbound, Outbound, Read, Stamp, Target, UpstreamCodec};
use tollgate_wire::event::ChatEvent;
use tollgate_wire::fault::TranslateError;
use tollgate_wire::fold::fold;
use tollgate_wire::frame::{Cutter, Framing, aws_message};
use tollgate_wire::gemini::{GeminiClient, Streamed};
use tollgate_wire::laws::Laws;
use tollgate_wire::openai_chat::{ChatClient, fault};
use tollgate_wire::openai_completions::CompletionClient;
use tollgate_wire::openai_responses::ResponsesClient;
use tollgate_wire::reply::ChatResponse;
use tollgate_wire::wording;

#[path = "walk/direct.rs"]
mod direct;
#[path = "walk/upstreams.rs"]
mod upstreams;

use upstreams::UPSTREAMS;

const FILES: [&str; 14] = [
    "client.gemini.json",
    "client.json",
    "client.messages.json",
    "client.responses.json",
    "error.txt",
    "fault.txt",
    "losses.txt",
    "reply.json",
    "reply.stream",
    "source.txt",
    "upstream.error.json",
    "upstream.reply.json",
    "upstream.request.json",
    "upstream.stream",
];

#[test]
fn every_case_holds() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let mut failures = Vec::new();
    let mut count = 0;
    for format in entries(&root) {
        let name = format.file_name().unwrap().to_str().unwrap();
        let codec = UPSTREAMS.iter().find(|(known, _)| *known == name).map(|(_, codec)| *codec);
        let direct = direct::of(name);
        if codec.is_none() && direct.is_none() {
            failures.push(format!("{name}: no codec of this name"));
        }
        for directory in entries(&format) {
            count += 1;
            let case =
                Case { label: format!("{name}/{}", directory.file_name().unwrap().display()), directory };
            let found = match (codec, &direct) {
                (Some(codec), _) => case.run(codec),
                (None, Some(direct)) => direct.run(&case),
                (None, None) => Vec::new(),
            };
            failures.extend(found.into_iter().map(|failure| format!("{}: {failure}", case.label)));
        }
    }
    assert!(count > 20, "only {count} cases found");
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}

fn entries(directory: &Path) -> Vec<PathBuf> {
    let mut entries: Vec<PathBuf> =
        fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    entries
}

struct Case {
    label: String,
    directory: PathBuf,
}

impl Case {
    fn run(&self, codec: &dyn UpstreamCodec) -> Vec<String> {
        let mut failures = self.strangers(&FILES);
        let bodies = ["client.json", "client.messages.json", "client.responses.json", "client.gemini.json"]
            .map(|name| self.read(name));
        let streamed = self.read("upstream.stream").map(|_| Streamed::Events);
        let gemini = GeminiClient { model: "claude-sonnet-4-5".to_owned(), streamed };
        let client: &dyn ClientCodec = match &bodies {
            [Some(body), None, None, None] if is_completion(body) => &CompletionClient,
            [Some(_), None, None, None] => &ChatClient,
            [None, Some(_), None, None] => &MessagesClient,
            [None, None, Some(_), None] => &ResponsesClient,
            [None, None, None, Some(_)] => &gemini,
            _ => {
                failures.push("there must be one client's request".to_owned());
                return failures;
            }
        };
        let exchange = Exchange { codec, client, body: bodies.into_iter().flatten().collect() };
        let Outbound { body, losses, reader } = match exchange.begin() {
            Ok((_, outbound)) => outbound,
            Err(error) => {
                self.expect("error.txt", &format!("{error}\n"), &mut failures);
                return failures;
            }
        };
        let losses: String = losses.iter().map(|loss| format!("{}: {}\n", loss.field, loss.why)).collect();
        self.expect("losses.txt", &losses, &mut failures);
        self.expect("error.txt", "", &mut failures);
        self.expect("upstream.request.json", &pretty(&body), &mut failures);

        self.fault(&mut failures);
        let mut whole: Option<ChatResponse> = None;
        if let Some(reply) = self.read("upstream.reply.json") {
            match reader.whole(reply.as_bytes()) {
                Ok(response) => {
                    let written = exchange.begin().unwrap().0.writer.whole(&response, &stamp());
                    self.expect("reply.json", &pretty(&written), &mut failures);
                    whole = Some(response);
                }
                Err(error) => failures.push(format!("upstream.reply.json: {error}")),
            }
        }
        if let Some(stream) = self.read("upstream.stream") {
            let stream = on_the_wire(stream, reader.framing());
            let run = exchange.stream(&[&stream]);
            self.expect("reply.stream", &run.text, &mut failures);
            failures.extend(exchange.replay(&stream, &run));
            if let Some(whole) = whole {
                failures.extend(differs(fold(&run.events), whole));
            }
        }
        failures
    }

    /// Complains of files that are not of `known`, and of a source that is missing.
    fn strangers(&self, known: &[&str]) -> Vec<String> {
        let mut failures = Vec::new();
        for path in entries(&self.directory) {
            let name = path.file_name().unwrap().to_str().unwrap();
            if !known.contains(&name) {
                failures.push(format!("{name} is not a file of a case"));
            }
        }
        if self.read("source.txt").is_none_or(|text| text.trim().is_empty()) {
            failures.push("source.txt is missing".to_owned());
        }
        failures
    }

    /// Reads the upstream's failure, if the case has one.
    fn fault(&self, failures: &mut Vec<String>) {
        let Some(error) = self.read("upstream.error.json") else { return };
        let error: Value = serde_json::from_str(&error).unwrap();
        let status = u16::try_from(error["status"].as_u64().unwrap()).unwrap();
        let fault = fault::read(status, error["body"].to_string().as_bytes());
        self.expect(
            "fault.txt",
            &format!("{:?} {}: {}\n", fault.kind, fault.status, fault.message),
            failures,
        );
    }

    fn read(&self, name: &str) -> Option<String> {
        fs::read_to_string(self.directory.join(name)).ok()
    }

    /// Compares with the file `name`; an empty expectation is no file.
    fn expect(&self, name: &str, found: &str, failures: &mut Vec<String>) {
        let expected = self.read(name).unwrap_or_default();
        if expected.is_empty() && std::env::var_os("UPDATE").is_some() && !found.is_empty() {
            fs::write(self.directory.join(name), found).unwrap();
        } else if expected != found {
            failures.push(format!("{name} differs; found:\n{found}"));
        }
    }
}

fn is_completion(body: &str) -> bool {
    serde_json::from_str::<BTreeMap<String, Value>>(body).unwrap().contains_key("prompt")
}

fn stamp() -> Stamp {
    Stamp { model: "public-name".to_owned(), created: 1_700_000_000, id: "chatcmpl-stamp".to_owned() }
}

fn pretty(body: &[u8]) -> String {
    let value: Value = serde_json::from_slice(body).unwrap();
    serde_json::to_string_pretty(&value).unwrap() + "\n"
}

fn differs(mut streamed: ChatResponse, mut whole: ChatResponse) -> Option<String> {
    for choice in streamed.choices.iter_mut().chain(&mut whole.choices) {
        choice.logprobs = None;
    }
    (streamed != whole).then(|| format!("the stream amounts to\n{streamed:?}\nbut the whole is\n{whole:?}"))
}

/// One request, which can be answered again and again.
struct Exchange<'a> {
    codec: &'a dyn UpstreamCodec,
    client: &'a dyn ClientCodec,
    body: String,
}

/// What came of one stream.
#[derive(Default)]
struct Run {
    events: Vec<ChatEvent>,
    text: String,
    finish: Option<Finish>,
    reads: Vec<Read>,
    /// How many of `events` the decoder gave only at the end.
    late: usize,
}

impl Exchange<'_> {
    fn begin(&self) -> Result<(Inbound, Outbound), TranslateError> {
        let inbound = self.client.decode(self.body.as_bytes())?;
        let request: &ChatRequest = &inbound.request;
        let target = Target { model: &request.model, call_id: "01234567-89ab-cdef" };
        let outbound = wording::encode(self.codec, request, &target)?;
        Ok((inbound, outbound))
    }

    /// Reads `chunks` as a gateway does: unknown and corrupt frames are skipped, the laws are checked.
    fn stream(&self, chunks: &[&[u8]]) -> Run {
        let (inbound, outbound) = self.begin().unwrap();
        let mut cutter = Cutter::new(outbound.reader.framing(), 1 << 20);
        let mut decoder = outbound.reader.stream();
        let mut encoder = inbound.writer.stream(stamp());
        let mut run = Run::default();
        let mut over = false;
        let mut scratch = String::new();
        for at in 0..=chunks.len() {
            let mut last = match chunks.get(at) {
                Some(chunk) => {
                    cutter.push(Bytes::copy_from_slice(chunk));
                    None
                }
                None => cutter.rest(),
            };
            while let Some(cut) = cutter.next().unwrap().or_else(|| last.take()) {
                let read = match cut.frame(&mut scratch) {
                    Ok(None) => continue,
                    _ if over => continue,
                    Ok(Some(frame)) => decoder.frame(&frame, &mut run.events),
                    Err(error) => Read::Corrupt(error.to_string()),
                };
                over = matches!(read, Read::Terminal | Read::Failed(_));
                run.reads.push(read);
            }
        }
        let before = run.events.len();
        let finish = decoder.end(&mut run.events);
        run.late = run.events.len() - before;
        let (mut laws, mut out) = (Laws::default(), BytesMut::new());
        for event in &run.events {
            laws.check(event).unwrap();
            encoder.event(event, &mut out);
        }
        encoder.finish(&finish, &mut out);
        run.text = String::from_utf8(out.to_vec()).unwrap();
        run.finish = Some(finish);
        run
    }

    /// Replays a stream byte by byte, cut after each frame, and with a frame inserted before each frame.
    fn replay(&self, stream: &[u8], whole: &Run) -> Vec<String> {
        let framing = self.begin().unwrap().1.reader.framing();
        let mut failures = Vec::new();
        let bytewise: Vec<&[u8]> = stream.chunks(1).collect();
        if self.stream(&bytewise).text != whole.text {
            failures.push("byte by byte it reads differently".to_owned());
        }
        let new_message = aws_message("newThing", b"{\"x\":1}");
        let mut damaged = new_message.to_vec();
        damaged[40] ^= 1;
        let (unknown, corrupt) = match framing {
            Framing::Sse => {
                (&b"data: {\"object\":\"new.thing\",\"x\":1}\n\n"[..], &b"data: {\"choices\":[{\n\n"[..])
            }
            Framing::Lines => (&b"{\"new_thing\":1}\n"[..], &b"{\"message\":{\"con\n"[..]),
            Framing::AwsEvents => (&new_message[..], &damaged[..]),
        };
        for at in borders(stream, framing) {
            let (head, tail) = stream.split_at(at);
            if let Some(failure) = invented(&self.stream(&[head])) {
                failures.push(format!("cut at byte {at}: {failure}"));
            }
            if tail.is_empty() {
                continue;
            }
            for (inserted, expected) in [(unknown, "Unknown"), (corrupt, "Corrupt")] {
                let run = self.stream(&[head, inserted, tail]);
                // Behind the terminal frame nothing is read any more.
                let read = run.reads.len() <= whole.reads.len()
                    || run.reads.iter().any(|read| format!("{read:?}").starts_with(expected));
                if !read || run.text != whole.text {
                    failures.push(format!("{expected} frame at byte {at} changed the reply:\n{}", run.text));
                }
            }
        }
        failures
    }
}

/// The bytes that `text` of a fixture stands for.
fn on_the_wire(text: String, framing: Framing) -> Vec<u8> {
    if framing != Framing::AwsEvents {
        return text.into_bytes();
    }
    let mut cutter = Cutter::new(Framing::Sse, 1 << 20);
    cutter.push(Bytes::from(text));
    let mut stream = Vec::new();
    while let Some(cut) = cutter.next().unwrap() {
        let mut scratch = String::new();
        let frame = cut.frame(&mut scratch).unwrap().unwrap();
        stream.extend_from_slice(&aws_message(frame.event, frame.data.as_bytes()));
    }
    stream
}

/// The places between frames, the beginning and the end included.
fn borders(stream: &[u8], framing: Framing) -> Vec<usize> {
    let mut cutter = Cutter::new(framing, 1 << 20);
    cutter.push(Bytes::copy_from_slice(stream));
    let mut at = 0;
    let mut borders = vec![0];
    while let Some(cut) = cutter.next().unwrap() {
        at += cut.raw.len();
        borders.push(at);
    }
    borders
}

/// What a stream that was cut claims although the upstream never said it.
fn invented(run: &Run) -> Option<&'static str> {
    let (said, late) = run.events.split_at(run.events.len() - run.late);
    if late.iter().any(|event| matches!(event, ChatEvent::Stop { .. } | ChatEvent::Usage(_))) {
        return Some("its end invents events");
    }
    let complete = run.finish == Some(Finish::Complete);
    let ended = run.text.ends_with("data: [DONE]\n\n")
        || ["message_stop", "response.completed", "response.incomplete"]
            .iter()
            .any(|event| run.text.contains(&format!("event: {event}\n")))
        || run.text.contains("\"finishReason\":");
    if complete != ended || complete == run.text.contains("\"error\":{") {
        return Some("its last frame does not fit its finish");
    }
    let terminal = run.reads.last() == Some(&Read::Terminal);
    let of = |event: &ChatEvent| match event {
        ChatEvent::Open { choice, .. } | ChatEvent::Stop { choice, .. } => Some(*choice),
        _ => None,
    };
    let opened: BTreeSet<u32> = said.iter().filter_map(of).collect();
    let stopped: BTreeSet<u32> =
        said.iter().filter(|event| matches!(event, ChatEvent::Stop { .. })).filter_map(of).collect();
    (complete && !terminal && (opened.is_empty() || opened != stopped)).then_some("complete without a reason")
}
