//! Properties of OpenAI's chat and Anthropic's Messages: what one half writes the other reads as the same.
#![cfg(test)]

use bytes::{Bytes, BytesMut};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use serde_json::json;
use tollgate_wire::anthropic_messages::{MessagesClient, MessagesUpstream};
use tollgate_wire::chat::{Block, ChatRequest, Role, Sampling, Shape, Source, Tool, ToolChoice, Turn};
use tollgate_wire::codec::{ClientCodec, Finish, ReplyReader, ReplyWriter, Stamp, Target, UpstreamCodec};
use tollgate_wire::fold::fold;
use tollgate_wire::format::Format;
use tollgate_wire::frame::Cutter;
use tollgate_wire::laws::Laws;
use tollgate_wire::openai_chat::{ChatClient, ChatUpstream};
use tollgate_wire::raw::Raw;
use tollgate_wire::reply::{ChatResponse, Choice, Stop, Usage};

#[path = "round/events.rs"]
mod events;

/// What `reader` makes of the stream that `writer` makes of `reply`; the laws of streams are checked.
fn streamed(
    reply: &ChatResponse,
    writer: Box<dyn ReplyWriter>,
    reader: Box<dyn ReplyReader>,
) -> ChatResponse {
    let (mut encoder, mut out) = (writer.stream(Stamp::default()), BytesMut::new());
    events::events(reply).iter().for_each(|event| encoder.event(event, &mut out));
    encoder.finish(&Finish::Complete, &mut out);
    let mut cutter = Cutter::new(reader.framing(), 1 << 20);
    cutter.push(Bytes::from(out));
    let (mut decoder, mut read, mut scratch) = (reader.stream(), Vec::new(), String::new());
    while let Some(cut) = cutter.next().unwrap() {
        let Some(frame) = cut.frame(&mut scratch).unwrap() else { continue };
        decoder.frame(&frame, &mut read);
    }
    assert_eq!(decoder.end(&mut read), Finish::Complete);
    let mut laws = Laws::default();
    read.iter().for_each(|event| laws.check(event).unwrap());
    fold(&read)
}

fn raw(text: &str) -> Raw {
    Raw::parse(text.to_owned()).unwrap()
}

/// Text that is not blank, which Anthropic refuses, and no tag of a reasoning model.
fn text() -> impl Strategy<Value = String> {
    prop_oneof!["a[ -~]{0,12}b", "a\\PC{1,8}b", Just("a\"\\\n\r\u{2028}\u{1}b".to_owned())]
}

fn base64() -> impl Strategy<Value = String> {
    "[A-Za-z0-9+/]{4}"
}

fn input() -> impl Strategy<Value = String> {
    prop_oneof![Just("{}".to_owned()), text().prop_map(|text| json!({"a": text, "n": 1.5}).to_string())]
}

fn picture() -> impl Strategy<Value = Block> {
    let inline = |data| Source::Inline { media_type: "image/png".to_owned(), data };
    prop_oneof![base64().prop_map(inline), Just(Source::Url("https://example.com/a.png".to_owned()))]
        .prop_map(|source| Block::Image { source, detail: None })
}

fn pdf(name: Option<String>, data: String) -> Block {
    let source = Source::Inline { media_type: "application/pdf".to_owned(), data };
    Block::File { source, name, hints: Vec::new() }
}

fn tools() -> impl Strategy<Value = (Vec<Tool>, Option<ToolChoice>)> {
    let tool = |name: &str, description: &str| Tool {
        name: name.to_owned(),
        description: Some(description.to_owned()),
        parameters: Some(raw(r#"{"type":"object","properties":{"a":{"const":1.50}}}"#)),
        strict: Some(true),
        hints: Vec::new(),
    };
    let both = vec![tool("f", "does \"f\""), tool("g-2", "")];
    option::of(prop_oneof![
        Just(ToolChoice::Auto),
        Just(ToolChoice::Never),
        Just(ToolChoice::Required),
        Just(ToolChoice::Named("f".to_owned())),
    ])
    .prop_map(move |choice| (both.clone(), choice))
}

/// What a model said: reasoning, perhaps prose, perhaps calls, in the order that chat completions keep.
fn answer(thinking: impl Strategy<Value = Vec<Block>>) -> impl Strategy<Value = Vec<Block>> {
    (thinking, option::of(text()), vec(input(), 0..3)).prop_map(|(thinking, prose, calls)| {
        let prose = prose.or_else(|| calls.is_empty().then(|| "so".to_owned()));
        let calls = calls.into_iter().enumerate().map(|(at, input)| Block::ToolCall {
            id: format!("call_{at}"),
            name: "f".to_owned(),
            input,
        });
        thinking.into_iter().chain(prose.map(Block::Text)).chain(calls).collect()
    })
}

fn plain_thinking() -> impl Strategy<Value = Vec<Block>> {
    vec(text().prop_map(|text| Block::Thinking { text, signature: None }), 0..2)
}

fn signed_thinking() -> impl Strategy<Value = Vec<Block>> {
    vec(
        prop_oneof![
            (text(), base64()).prop_map(|(text, it)| Block::Thinking { text, signature: Some(it) }),
            base64().prop_map(Block::RedactedThinking),
        ],
        0..3,
    )
}

/// The calls of an answer, by id, made unique over a conversation.
fn called(blocks: &mut [Block], round: usize) -> Vec<String> {
    let mut ids = Vec::new();
    for block in blocks {
        if let Block::ToolCall { id, .. } = block {
            id.push_str(&format!("_{round}"));
            ids.push(id.clone());
        }
    }
    ids
}

fn stop() -> impl Strategy<Value = Stop> {
    prop_oneof![Just(Stop::End), Just(Stop::Length), Just(Stop::Filtered)]
}

fn reply(blocks: Vec<Block>, stop: Stop, usage: Usage) -> ChatResponse {
    let called = blocks.iter().any(|block| matches!(block, Block::ToolCall { .. }));
    let stop = if called && stop == Stop::End { Stop::ToolUse } else { stop };
    let choice = Choice { blocks, stop: Some(stop), ..Choice::default() };
    let (id, model) = ("msg_1".to_owned(), "up".to_owned());
    ChatResponse { id, model, choices: vec![choice], usage: Some(usage), trace: None }
}

prop_compose! {
    fn usage()(input in 0..9_000_u64, output in 0..9_000_u64, cache_read in 0..100_u64, cache_write in 0..100_u64) -> Usage {
        Usage { input: input + cache_read + cache_write, output, cache_read, cache_write, ..Usage::default() }
    }
}

prop_compose! {
    fn sampling()(
        temperature in option::of(0.0..1.0_f64), max_tokens in 1..9_000_u64, stop in vec(text(), 0..3),
    ) -> Sampling {
        Sampling { temperature, max_tokens: Some(max_tokens), stop, ..Sampling::default() }
    }
}

// OpenAI's chat.

fn chat_question() -> impl Strategy<Value = Block> {
    prop_oneof![
        text().prop_map(Block::Text),
        picture(),
        base64().prop_map(|data| Block::Audio { data, format: "wav".to_owned() }),
        (option::of(text()), base64()).prop_map(|(name, data)| pdf(name, data)),
        Just(Block::File { source: Source::Id("file-1".to_owned()), name: None, hints: Vec::new() }),
        Just(Block::Opaque { from: Format::OpenAiChat, raw: raw(r#"{"type":"new","x":[1.50]}"#) }),
    ]
}

fn chat_turns() -> impl Strategy<Value = Vec<Turn>> {
    let exchange = (vec(chat_question(), 1..4), answer(plain_thinking()), vec(text(), 3..4));
    (option::of(text()), vec(exchange, 1..4)).prop_map(|(system, exchanges)| {
        let mut turns: Vec<Turn> =
            system.map(|text| Turn::new(Role::Developer, vec![Block::Text(text)])).into_iter().collect();
        for (round, (question, mut answer, results)) in exchanges.into_iter().enumerate() {
            let ids = called(&mut answer, round);
            turns.push(Turn { name: Some("ann".to_owned()), ..Turn::new(Role::User, question) });
            turns.push(Turn::new(Role::Assistant, answer));
            turns.extend(ids.into_iter().zip(results).map(|(id, text)| {
                let content = vec![Block::Text(text)];
                Turn::new(Role::Tool, vec![Block::ToolResult { id, content, failed: false }])
            }));
        }
        turns
    })
}

proptest! {
    #[test]
    fn a_chat_request_is_read_as_it_was_written(
        turns in chat_turns(), sampling in sampling(), (tools, tool_choice) in tools(), n in option::of(1..4_u32),
        seed in option::of(-9..9_i64), stream: bool, kept in option::of(text()),
    ) {
        let request = ChatRequest {
            model: "o3".to_owned(),
            stream,
            stream_usage: stream,
            turns,
            tools,
            tool_choice,
            parallel_tool_calls: Some(false),
            sampling: Sampling { choices: n, seed, top_p: Some(0.5), presence_penalty: Some(-1.0), ..sampling },
            reasoning_effort: Some("low".to_owned()),
            shape: Shape::Schema { name: Some("x".to_owned()), schema: raw(r#"{"type":"object"}"#), strict: Some(true) },
            user: Some("u".to_owned()),
            extras: kept.map(|text| ("of_tomorrow".to_owned(), Raw::of(&text).unwrap())).into_iter().collect(),
            ..ChatRequest::default()
        };
        let target = Target { model: "o3", call_id: "call" };
        let outbound = ChatUpstream.encode(&request, &target).unwrap();
        prop_assert_eq!(&outbound.losses, &[]);
        let read = ChatClient.decode(&outbound.body).unwrap().request;
        prop_assert_eq!(read, request);
    }

    #[test]
    fn a_chat_reply_is_read_as_it_was_written(
        blocks in answer(plain_thinking()), stop in stop(), usage in usage(),
    ) {
        let reply = reply(blocks, stop, usage);
        let body = br#"{"model":"","messages":[{"role":"user","content":"x"}],"stream_options":{"include_usage":true}}"#;
        let target = Target { model: "m", call_id: "call" };
        let reader = || ChatUpstream.encode(&ChatRequest::default(), &target).unwrap().reader;
        let writer = || ChatClient.decode(body).unwrap().writer;
        let whole = reader().whole(&writer().whole(&reply, &Stamp::default())).unwrap();
        prop_assert_eq!(&whole, &reply);
        prop_assert_eq!(streamed(&reply, writer(), reader()), reply);
    }
}

// Anthropic's Messages.

fn with_mark(blocks: Vec<Block>, marked: bool) -> Vec<Block> {
    let mark = marked.then(|| Block::CachePoint(raw(r#"{"type":"ephemeral","ttl":"1h"}"#)));
    blocks.into_iter().chain(mark).collect()
}

fn messages_content() -> impl Strategy<Value = Block> {
    prop_oneof![
        text().prop_map(Block::Text),
        picture(),
        (option::of(text()), base64()).prop_map(|(name, data)| pdf(name, data)),
        Just(Block::Opaque { from: Format::AnthropicMessages, raw: raw(r#"{"type":"new","x":[1.50]}"#) }),
    ]
}

fn messages_turns() -> impl Strategy<Value = Vec<Turn>> {
    let result = (vec(messages_content(), 1..3), any::<bool>());
    let exchange =
        (vec(messages_content(), 1..4), any::<bool>(), answer(signed_thinking()), vec(result, 3..4));
    (option::of(text()), vec(exchange, 1..4)).prop_map(|(system, exchanges)| {
        let mut turns: Vec<Turn> =
            system.map(|text| Turn::new(Role::System, vec![Block::Text(text)])).into_iter().collect();
        let mut given = Vec::new();
        for (round, (question, marked, mut answer, results)) in exchanges.into_iter().enumerate() {
            let ids = called(&mut answer, round);
            // A verbatim block carries no mark of ours.
            let marked = marked && !matches!(question.last(), Some(Block::Opaque { .. }));
            given.extend(with_mark(question, marked));
            turns.push(Turn::new(Role::User, std::mem::take(&mut given)));
            turns.push(Turn::new(Role::Assistant, answer));
            given.extend(ids.into_iter().zip(results).map(|(id, (content, failed))| Block::ToolResult {
                id,
                content,
                failed,
            }));
        }
        given.push(Block::Text("go on".to_owned()));
        turns.push(Turn::new(Role::User, given));
        turns
    })
}

proptest! {
    #[test]
    fn a_messages_request_is_read_as_it_was_written(
        turns in messages_turns(), sampling in sampling(), (tools, tool_choice) in tools(), stream: bool,
        top_k in option::of(1..50_u32), shaped: bool,
    ) {
        let schema = raw(r#"{"type":"object","properties":{},"additionalProperties":false}"#);
        // A bound on calls at a time is said with the choice, and not of none.
        let parallel_tool_calls = matches!(&tool_choice, Some(choice) if *choice != ToolChoice::Never).then_some(false);
        let request = ChatRequest {
            format: Format::AnthropicMessages,
            model: "claude-sonnet-4-5".to_owned(),
            stream,
            stream_usage: true,
            turns,
            tools,
            tool_choice,
            parallel_tool_calls,
            sampling,
            shape: if shaped { Shape::Schema { name: None, schema, strict: Some(true) } } else { Shape::Text },
            user: Some("u".to_owned()),
            extras: top_k.map(|it| ("top_k".to_owned(), raw(&it.to_string()))).into_iter().collect(),
            ..ChatRequest::default()
        };
        let target = Target { model: "claude-sonnet-4-5", call_id: "call" };
        let outbound = MessagesUpstream.encode(&request, &target).unwrap();
        prop_assert_eq!(&outbound.losses, &[]);
        let read = MessagesClient.decode(&outbound.body).unwrap().request;
        prop_assert_eq!(read, request);
    }

    #[test]
    fn a_messages_reply_is_read_as_it_was_written(
        blocks in (answer(signed_thinking()), answer(signed_thinking())), stop in stop(), usage in usage(),
        met in option::of(text()),
    ) {
        let (mut blocks, mut more) = blocks;
        called(&mut more, 1);
        blocks.extend(more);
        let mut reply = reply(blocks, stop, usage);
        if reply.choices[0].stop == Some(Stop::End) {
            reply.choices[0].stop_text = met;
        }
        let body = br#"{"messages":[{"role":"user","content":"x"}],"max_tokens":9}"#;
        let target = Target { model: "claude-sonnet-4-5", call_id: "call" };
        let request = MessagesClient.decode(body).unwrap().request;
        let reader = || MessagesUpstream.encode(&request, &target).unwrap().reader;
        let writer = || MessagesClient.decode(body).unwrap().writer;
        let whole = reader().whole(&writer().whole(&reply, &Stamp::default())).unwrap();
        prop_assert_eq!(&whole, &reply);
        prop_assert_eq!(streamed(&reply, writer(), reader()), reply);
    }

    #[test]
    fn hostile_bodies_are_answered_with_an_error(text in "[\\[\\]{}\",:a-z0-9]{0,60}", value in text()) {
        let member = format!("{{\"messages\":[{{\"role\":{value:?},\"content\":[{text}]}}],\"tools\":[{text}]}}");
        for body in [text.as_bytes(), member.as_bytes()] {
            let named = |error: tollgate_wire::fault::TranslateError| assert!(!error.field().is_empty());
            let _ = ChatClient.decode(body).map_err(named);
            let _ = MessagesClient.decode(body).map_err(named);
        }
    }
}
