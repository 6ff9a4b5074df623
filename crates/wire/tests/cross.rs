//! Every client's format against every upstream's: rich requests and what is said of them, replies and what is
//! written of them. Fixtures hold the exact bytes; this holds what must be true of all pairs.
#![cfg(test)]

use std::fs;
use std::path::{Path, PathBuf};

use bytes::{Bytes, BytesMut};
use serde_json::Value;
use tollgate_wire::anthropic_messages::MessagesClient;
use tollgate_wire::codec::{ClientCodec, Finish, Inbound, Outbound, Read, Stamp, Target, UpstreamCodec};
use tollgate_wire::event::ChatEvent;
use tollgate_wire::fold::fold;
use tollgate_wire::format::Format;
use tollgate_wire::frame::{Cutter, Framing, aws_message};
use tollgate_wire::gemini::{GeminiClient, Streamed};
use tollgate_wire::openai_chat::ChatClient;
use tollgate_wire::openai_completions::CompletionClient;
use tollgate_wire::openai_responses::ResponsesClient;
use tollgate_wire::raw::Raw;
use tollgate_wire::wording;

#[path = "cross/fields.rs"]
mod fields;
#[path = "cross/said.rs"]
mod said;
#[path = "walk/upstreams.rs"]
mod upstreams;

use fields::DOCUMENTED;
use said::Said;
use upstreams::UPSTREAMS;

const CLIENTS: [(&str, Format); 4] = [
    ("openai_chat", Format::OpenAiChat),
    ("openai_responses", Format::OpenAiResponses),
    ("anthropic_messages", Format::AnthropicMessages),
    ("gemini", Format::Gemini),
];

fn client(format: Format) -> Box<dyn ClientCodec> {
    match format {
        Format::OpenAiCompletions => Box::new(CompletionClient),
        Format::OpenAiResponses => Box::new(ResponsesClient),
        Format::AnthropicMessages => Box::new(MessagesClient),
        Format::Gemini => {
            Box::new(GeminiClient { model: "claude-sonnet-4-5".to_owned(), streamed: Some(Streamed::Events) })
        }
        _ => Box::new(ChatClient),
    }
}

fn requests(name: &str) -> Vec<Value> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/cross/{name}.json"));
    serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap()
}

#[test]
fn what_is_said_is_documented_and_what_is_lost_was_said() {
    let mut failures = Vec::new();
    let mut said = 0;
    for (name, format) in CLIENTS {
        for (at, body) in requests(name).iter().enumerate() {
            let request = client(format).decode(body.to_string().as_bytes()).unwrap().request;
            for (upstream, codec) in UPSTREAMS {
                let (_, model, fields) = DOCUMENTED.iter().find(|(known, ..)| known == upstream).unwrap();
                let mut fail = |what: String| failures.push(format!("{name}[{at}] to {upstream}: {what}"));
                let mut request = request.clone();
                request.extras.extend(configured(upstream));
                match wording::encode(*codec, &request, &Target { model, call_id: "01234567-89ab-cdef" }) {
                    Ok(outbound) => {
                        said += 1;
                        judge(&outbound, body, fields, &mut fail);
                    }
                    Err(error) if finds(body, error.field()) => {}
                    Err(error) => fail(format!("the error names what was not sent: {error}")),
                }
            }
        }
    }
    assert!(said > 500, "only {said} requests could be said");
    assert!(failures.is_empty(), "{}\n{}", failures.len(), failures.join("\n"));
}

/// What the operator of an upstream configures; callers have no words for it.
fn configured(upstream: &str) -> Option<(String, Raw)> {
    let name = match upstream {
        "oracle" => "oci_compartment_id",
        "watsonx" | "watsonx_text" => "project_id",
        _ => return None,
    };
    Some((name.to_owned(), Raw::of("p").unwrap()))
}

fn judge(outbound: &Outbound, body: &Value, fields: &[&str], fail: &mut impl FnMut(String)) {
    let sent: Value = serde_json::from_slice(&outbound.body).unwrap();
    for name in sent.as_object().unwrap().keys() {
        if !fields.iter().any(|fields| fields.split_whitespace().any(|field| field == name)) {
            fail(format!("{name} is not documented: {}", sent[name]));
        }
    }
    for loss in &outbound.losses {
        if !finds(body, &loss.field) {
            fail(format!("the loss names what was not sent: {}: {}", loss.field, loss.why));
        }
    }
}

/// Whether `path` leads to something in `body`. A string stands for the list of its only part, and a member of a list
/// for that of any element.
fn finds(body: &Value, path: &str) -> bool {
    let mut at = body;
    for step in path.split(['.', '[']) {
        let next = match step.strip_suffix(']') {
            Some("0") if at.is_string() => Some(at),
            Some(index) => index.parse::<usize>().ok().and_then(|index| at.get(index)),
            None => at.get(step).or_else(|| at.as_array()?.iter().find_map(|element| element.get(step))),
        };
        let Some(next) = next else { return false };
        at = next;
    }
    true
}

/// The request of a fixture, and what answered it.
struct Answered {
    label: String,
    client: Box<dyn ClientCodec>,
    codec: &'static dyn UpstreamCodec,
    request: Vec<u8>,
    directory: PathBuf,
}

impl Answered {
    /// All fixtures of replies.
    fn all() -> Vec<Self> {
        let mut all = Vec::new();
        for (name, codec) in UPSTREAMS {
            let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name);
            for directory in fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()) {
                let kinds = [
                    ("client.json", Format::OpenAiChat),
                    ("client.responses.json", Format::OpenAiResponses),
                    ("client.messages.json", Format::AnthropicMessages),
                    ("client.gemini.json", Format::Gemini),
                ];
                let found = kinds
                    .into_iter()
                    .find_map(|(file, format)| Some((fs::read(directory.join(file)).ok()?, format)));
                let (request, mut format) = found.unwrap();
                let members: Value = serde_json::from_slice(&request).unwrap();
                if members["prompt"].is_string() {
                    format = Format::OpenAiCompletions;
                }
                let label = format!("{name}/{}", directory.file_name().unwrap().display());
                all.push(Self { label, client: client(format), codec: *codec, request, directory });
            }
        }
        all
    }

    /// `None` where the fixture is of a request that cannot be said.
    fn outbound(&self) -> Option<Outbound> {
        let request = self.client.decode(&self.request).ok()?.request;
        self.codec.encode(&request, &Target { model: &request.model, call_id: "01234567-89ab-cdef" }).ok()
    }

    /// The events of the stream, if it is there and complete.
    fn events(&self) -> Option<Vec<ChatEvent>> {
        let stream = fs::read_to_string(self.directory.join("upstream.stream")).ok()?;
        let reader = self.outbound()?.reader;
        let framing = reader.framing();
        let mut decoder = reader.stream();
        let mut cutter = Cutter::new(framing, 1 << 20);
        cutter.push(if framing == Framing::AwsEvents { aws(&stream) } else { Bytes::from(stream) });
        let (mut events, mut scratch) = (Vec::new(), String::new());
        while let Some(cut) = cutter.next().unwrap().or_else(|| cutter.rest()) {
            let Some(frame) = cut.frame(&mut scratch).unwrap() else { continue };
            if let Read::Terminal | Read::Failed(_) = decoder.frame(&frame, &mut events) {
                break;
            }
        }
        (decoder.end(&mut events) == Finish::Complete).then_some(events)
    }
}

fn aws(stream: &str) -> Bytes {
    let mut cutter = Cutter::new(Framing::Sse, 1 << 20);
    cutter.push(Bytes::copy_from_slice(stream.as_bytes()));
    let (mut out, mut scratch) = (BytesMut::new(), String::new());
    while let Some(cut) = cutter.next().unwrap() {
        let frame = cut.frame(&mut scratch).unwrap().unwrap();
        out.extend_from_slice(&aws_message(frame.event, frame.data.as_bytes()));
    }
    out.freeze()
}

/// A client of `format` who asked for a stream and wants to know what it cost.
fn asker(format: Format) -> Inbound {
    let body = match format {
        Format::OpenAiResponses => r#"{"model":"m","stream":true,"input":"a"}"#,
        Format::AnthropicMessages => {
            r#"{"model":"m","stream":true,"max_tokens":9,"messages":[{"role":"user","content":"a"}]}"#
        }
        Format::Gemini => r#"{"contents":[{"parts":[{"text":"a"}]}]}"#,
        _ => {
            r#"{"model":"m","stream":true,"stream_options":{"include_usage":true},"messages":[{"role":"user","content":"a"}]}"#
        }
    };
    client(format).decode(body.as_bytes()).unwrap()
}

fn stamp() -> Stamp {
    Stamp { model: "m".to_owned(), created: 1_700_000_000, id: "chatcmpl-1".to_owned() }
}

/// The JSON of each frame.
fn frames(out: Bytes) -> Vec<Value> {
    let mut cutter = Cutter::new(Framing::Sse, 1 << 20);
    cutter.push(out);
    let (mut frames, mut scratch) = (Vec::new(), String::new());
    while let Some(cut) = cutter.next().unwrap() {
        let Some(frame) = cut.frame(&mut scratch).unwrap() else { continue };
        if frame.data != "[DONE]" {
            frames.push(serde_json::from_str(frame.data).unwrap());
        }
    }
    frames
}

#[test]
fn every_client_is_told_what_the_upstream_said() {
    let mut failures = Vec::new();
    let (mut wholes, mut streams) = (0, 0);
    for answered in Answered::all() {
        let Some(outbound) = answered.outbound() else { continue };
        let reply = fs::read(answered.directory.join("upstream.reply.json")).ok();
        let whole = reply.and_then(|reply| outbound.reader.whole(&reply).ok());
        let events = answered.events();
        for (name, format) in CLIENTS {
            let mut compare = |how: &str, wanted: Said, found: Said| {
                if wanted != found {
                    failures.push(format!("{} {how} to {name}:\n  {wanted:?}\n  {found:?}", answered.label));
                }
            };
            if let Some(whole) = &whole {
                wholes += 1;
                let body = asker(format).writer.whole(whole, &stamp());
                compare(
                    "whole",
                    told(format, Said::of(whole)),
                    Said::whole(format, &serde_json::from_slice(&body).unwrap()),
                );
            }
            if let Some(events) = &events {
                streams += 1;
                let mut encoder = asker(format).writer.stream(stamp());
                let mut out = BytesMut::new();
                events.iter().for_each(|event| encoder.event(event, &mut out));
                encoder.finish(&Finish::Complete, &mut out);
                compare(
                    "stream",
                    told(format, Said::of(&fold(events))),
                    Said::stream(format, &frames(out.freeze())),
                );
            }
        }
    }
    assert!(wholes > 500 && streams > 500, "only {wholes} replies and {streams} streams");
    assert!(failures.is_empty(), "{}\n{}", failures.len(), failures.join("\n"));
}

/// `said` in the words that clients of `format` have.
fn told(format: Format, mut said: Said) -> Said {
    if said.finish == "paused" && format != Format::AnthropicMessages {
        said.finish = "length";
    }
    if let Format::AnthropicMessages | Format::Gemini = format {
        // The count is not optional there, and to decline is a reason to end.
        said.usage = said.usage.or(Some((0, 0)));
        if said.declines && said.finish == "end" {
            said.finish = "filter";
        }
    }
    said.declines = false;
    said
}
