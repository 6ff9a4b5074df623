//! Properties of the Responses codec: what one half writes the other reads as the same.
#![cfg(test)]

use bytes::{Bytes, BytesMut};
use proptest::prelude::*;
use serde_json::{Value, json};
use tollgate_wire::chat::{Block, ChatRequest, Role, Source, Tool, ToolChoice, Turn};
use tollgate_wire::codec::{ClientCodec, Finish, Read, Stamp, Target, UpstreamCodec};
use tollgate_wire::fold::fold;
use tollgate_wire::format::Format;
use tollgate_wire::frame::{Cutter, Framing};
use tollgate_wire::openai_responses::{ResponsesClient, ResponsesUpstream};
use tollgate_wire::raw::Raw;
use tollgate_wire::reply::{ChatResponse, Choice, Stop, Usage};

#[path = "round/events.rs"]
mod events;

use events::events;

const TARGET: Target<'static> = Target { model: "gpt-5", call_id: "call" };

fn text() -> impl Strategy<Value = String> {
    prop_oneof!["[ -~]{1,12}", "\\PC{1,8}", Just("a\"\\\n\r\u{2028}\u{1}".to_owned())]
}

fn name() -> impl Strategy<Value = String> {
    "[a-z_]{1,10}"
}

fn signature() -> impl Strategy<Value = Option<String>> {
    prop_oneof![
        Just(None),
        "[A-Za-z0-9+/=]{1,20}".prop_map(Some),
        ("rs_[a-f0-9]{1,8}", "[A-Za-z0-9_=-]{1,20}")
            .prop_map(|(id, it)| Some(format!("openai_reasoning:{id}:{it}"))),
    ]
}

fn input() -> impl Strategy<Value = String> {
    prop_oneof![Just("{}".to_owned()), text().prop_map(|text| json!({"a": text}).to_string())]
}

/// A block of a reply that callers of this API can be told.
fn said() -> impl Strategy<Value = Block> {
    prop_oneof![
        text().prop_map(Block::Text),
        text().prop_map(Block::Refusal),
        (text(), signature()).prop_map(|(text, signature)| Block::Thinking { text, signature }),
        "[A-Za-z0-9+/=]{1,20}".prop_map(Block::RedactedThinking),
        ("call_[a-z0-9]{1,8}", name(), input()).prop_map(|(id, name, input)| Block::ToolCall {
            id,
            name,
            input
        }),
    ]
}

fn stop() -> impl Strategy<Value = Stop> {
    prop_oneof![Just(Stop::End), Just(Stop::Length), Just(Stop::Filtered)]
}

fn usage() -> impl Strategy<Value = Usage> {
    (0..1_000_000_u64, 0..1_000_000_u64, 0..1000_u64, 0..1000_u64).prop_map(
        |(input, output, cache_read, reasoning)| Usage {
            input,
            output,
            cache_read,
            reasoning,
            ..Usage::default()
        },
    )
}

fn reply() -> impl Strategy<Value = ChatResponse> {
    (proptest::collection::vec(said(), 0..6), stop(), usage()).prop_map(|(blocks, stop, usage)| {
        let called = blocks.iter().any(|block| matches!(block, Block::ToolCall { .. }));
        let stop = if called && stop == Stop::End { Stop::ToolUse } else { stop };
        let choice = Choice { blocks, stop: Some(stop), stop_text: None, logprobs: None };
        ChatResponse {
            id: "resp_1".to_owned(),
            model: "gpt-5".to_owned(),
            choices: vec![choice],
            usage: Some(usage),
            ..ChatResponse::default()
        }
    })
}

/// The reply as its upstream's reader sees what our writer wrote of it: reasoning that is not OpenAI's is wrapped.
fn wrapped(mut reply: ChatResponse) -> ChatResponse {
    for block in reply.choices.iter_mut().flat_map(|choice| &mut choice.blocks) {
        match block {
            Block::Thinking { signature, .. } => *signature = sealed(signature.take()),
            Block::RedactedThinking(data) => {
                let signature = Some(format!("redacted:{data}"));
                *block = Block::Thinking { text: String::new(), signature };
            }
            _ => {}
        }
    }
    reply
}

/// Without the ids that a stream has to make up before it is told.
fn sealed(signature: Option<String>) -> Option<String> {
    let signature = signature?;
    match signature.strip_prefix("openai_reasoning:") {
        Some(rest) => Some(rest.split_once(':').unwrap().1.to_owned()),
        None => Some(format!("signed:{signature}")),
    }
}

fn without_ids(mut reply: ChatResponse) -> ChatResponse {
    for block in reply.choices.iter_mut().flat_map(|choice| &mut choice.blocks) {
        if let Block::Thinking { signature, .. } = block {
            *signature = signature.take().map(|it| {
                it.rsplit_once("_0:").map_or_else(
                    || it.splitn(3, ':').nth(2).unwrap().to_owned(),
                    |(_, content)| content.to_owned(),
                )
            });
        }
    }
    reply
}

fn upstream() -> Box<dyn tollgate_wire::codec::ReplyReader> {
    ResponsesUpstream.encode(&ChatRequest::default(), &TARGET).unwrap().reader
}

/// Writes `reply` as a stream and reads that again; the frames are checked on the way.
fn streamed(reply: &ChatResponse) -> ChatResponse {
    let writer = ResponsesClient.decode(b"{\"input\":\"x\",\n\"metadata\":{\n}}").unwrap().writer;
    let (mut encoder, mut out) = (writer.stream(Stamp::default()), BytesMut::new());
    events(reply).iter().for_each(|event| encoder.event(event, &mut out));
    encoder.finish(&Finish::Complete, &mut out);
    let mut cutter = Cutter::new(Framing::Sse, 1 << 20);
    cutter.push(Bytes::from(out));
    let (mut decoder, mut read, mut scratch, mut frames) =
        (upstream().stream(), Vec::new(), String::new(), Vec::new());
    while let Some(cut) = cutter.next().unwrap() {
        let Some(frame) = cut.frame(&mut scratch).unwrap() else { continue };
        let known = decoder.frame(&frame, &mut read);
        assert!(matches!(known, Read::Known | Read::Terminal), "{known:?} {}", frame.data);
        frames.push(serde_json::from_str::<Value>(frame.data).unwrap());
    }
    check(&frames);
    assert_eq!(decoder.end(&mut read), Finish::Complete);
    fold(&read)
}

/// What the vendor's own clients rely on.
fn check(frames: &[Value]) {
    let mut open: Option<(Value, Value)> = None;
    let mut done = Vec::new();
    for (number, frame) in frames.iter().enumerate() {
        assert_eq!(frame["sequence_number"], number);
        match frame["type"].as_str().unwrap() {
            "response.output_item.added" => {
                assert!(open.is_none(), "an item opens in another");
                assert_eq!(frame["output_index"], done.len());
                open = Some((frame["output_index"].clone(), frame["item"]["id"].clone()));
            }
            "response.output_item.done" => {
                let (index, id) = open.take().expect("an item ends that never began");
                assert_eq!((&frame["output_index"], &frame["item"]["id"]), (&index, &id));
                done.push(frame["item"].clone());
            }
            "response.completed" | "response.incomplete" => {
                assert_eq!(frame["response"]["output"], Value::from(done.clone()));
                assert_eq!(number, frames.len() - 1);
            }
            "response.created" | "response.in_progress" => {}
            _ => {
                let (index, id) = open.clone().expect("an event about no item");
                assert_eq!((&frame["output_index"], &frame["item_id"]), (&index, &id));
            }
        }
    }
}

fn tools() -> Vec<Tool> {
    let parameters = Raw::parse("{\"type\":\"object\"}".to_owned()).ok();
    let tool = |name: &str| Tool {
        name: name.to_owned(),
        description: Some("d".to_owned()),
        parameters: parameters.clone(),
        strict: Some(false),
        hints: Vec::new(),
    };
    vec![tool("f"), tool("g")]
}

fn given() -> impl Strategy<Value = Block> {
    prop_oneof![
        text().prop_map(Block::Text),
        Just(Block::Image {
            source: Source::Url("https://example.com/a.png".to_owned()),
            detail: Some("low".to_owned())
        }),
        Just(Block::Image {
            source: Source::Inline { media_type: "image/png".to_owned(), data: "iVBORw0=".to_owned() },
            detail: None
        }),
        Just(Block::File { source: Source::Id("file-1".to_owned()), name: None, hints: Vec::new() }),
    ]
}

fn turn() -> impl Strategy<Value = Turn> {
    let of = |role| move |blocks| Turn::new(role, blocks);
    let result = ("call_[a-z0-9]{1,8}", proptest::collection::vec(given(), 1..3));
    let call = ("call_[a-z0-9]{1,8}", name(), input()).prop_map(|(id, name, input)| Block::ToolCall {
        id,
        name,
        input,
    });
    prop_oneof![
        proptest::collection::vec(given(), 1..4).prop_map(of(Role::User)),
        text().prop_map(|text| vec![Block::Text(text)]).prop_map(of(Role::Developer)),
        result.prop_map(|(id, content)| {
            let blocks = vec![Block::ToolResult { id, content, failed: false }];
            Turn::new(Role::Tool, blocks)
        }),
        (text(), call).prop_map(|(text, call)| vec![Block::Text(text), call]).prop_map(of(Role::Assistant)),
    ]
}

proptest! {
    #[test]
    fn a_reply_is_read_as_it_was_written(reply in reply()) {
        let writer = ResponsesClient.decode(b"{\"input\":\"x\"}").unwrap().writer;
        let whole = upstream().whole(&writer.whole(&reply, &Stamp::default())).unwrap();
        let streamed = streamed(&reply);
        let expected = wrapped(reply);
        prop_assert_eq!(&without_ids(whole), &expected);
        prop_assert_eq!(without_ids(streamed), expected);
    }

    #[test]
    fn a_request_is_read_as_it_was_written(
        turns in proptest::collection::vec(turn(), 1..6),
        choice in prop_oneof![Just(None), Just(Some(ToolChoice::Auto)), Just(Some(ToolChoice::Required)), Just(Some(ToolChoice::Named("g".to_owned())))],
        system in proptest::option::of(text()),
    ) {
        let mut request = ChatRequest {
            format: Format::OpenAiResponses, model: "gpt-5".to_owned(), stream_usage: true, tools: tools(),
            tool_choice: choice, parallel_tool_calls: Some(true), reasoning_effort: Some("low".to_owned()), ..ChatRequest::default()
        };
        request.turns.extend(system.map(|text| Turn::new(Role::System, vec![Block::Text(text)])));
        // Two answers side by side are told apart only by their messages, and each here has one.
        request.turns.extend(turns);
        request.sampling.temperature = Some(0.5);
        request.sampling.max_tokens = Some(99);
        let outbound = ResponsesUpstream.encode(&request, &TARGET).unwrap();
        prop_assert!(outbound.losses.is_empty());
        let mut read = ResponsesClient.decode(&outbound.body).unwrap().request;
        read.extras.clear();
        prop_assert_eq!(read, request);
    }

    #[test]
    fn hostile_bodies_are_answered_with_an_error(text in "[\\[\\]{}\",:a-z0-9]{0,60}", value in text()) {
        let _ = ResponsesClient.decode(text.as_bytes());
        let _ = upstream().whole(text.as_bytes());
        let member = format!("{{\"input\":[{{\"type\":{value:?},\"content\":[{text}]}}],\"tools\":[{text}]}}");
        let _ = ResponsesClient.decode(member.as_bytes());
        let body = json!({"output": [{"type": "message", "content": value}, {"type": "reasoning", "summary": [7]}, 7]});
        prop_assert!(upstream().whole(body.to_string().as_bytes()).is_err());
    }
}
