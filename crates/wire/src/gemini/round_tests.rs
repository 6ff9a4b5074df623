//! Both halves together: what is written for an upstream means, read as a client's request, what was meant.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::{GeminiClient, GeminiUpstream};
use crate::chat::{
    Block, ChatRequest, Role, Sampling, Shape, Source, Thinking, ThinkingMode, Tool, ToolChoice, Turn,
};
use crate::codec::{ClientCodec, Target, UpstreamCodec};
use crate::format::Format;
use crate::raw::Raw;

/// A model that takes ids of calls.
const MODEL: &str = "gemini-3-pro-preview";

fn raw(text: &str) -> Raw {
    Raw::parse(text.to_owned()).unwrap()
}

fn text() -> impl Strategy<Value = String> {
    "[a-zö\"\\\\ ]{1,8}"
}

fn signature() -> impl Strategy<Value = String> {
    "[A-Za-z0-9+/]{4}"
}

/// A piece of prose of a model; a text may be signed.
fn prose() -> impl Strategy<Value = Vec<Block>> {
    let signed = |text: String, signature: String| Block::Thinking {
        text,
        signature: Some(format!("gemini:{signature}")),
    };
    prop_oneof![
        text().prop_map(|text| vec![Block::Text(text)]),
        (text(), signature())
            .prop_map(move |(text, signature)| vec![Block::Text(text), signed(String::new(), signature)]),
        text().prop_map(|text| vec![Block::Thinking { text, signature: None }]),
        (text(), signature()).prop_map(move |(text, signature)| vec![signed(text, signature)]),
    ]
}

fn content() -> impl Strategy<Value = Block> {
    prop_oneof![
        text().prop_map(Block::Text),
        option::of("low|high").prop_map(|detail| Block::Image {
            source: Source::Inline { media_type: "image/png".to_owned(), data: "AA==".to_owned() },
            detail,
        }),
        Just(Block::Audio { data: "AA==".to_owned(), format: "wav".to_owned() }),
        Just(Block::File {
            source: Source::Url("gs://bucket/report.pdf".to_owned()),
            name: None,
            hints: vec![("mimeType".to_owned(), raw(r#""application/pdf""#))],
        }),
        Just(Block::Opaque { from: Format::Gemini, raw: raw(r#"{"executableCode":{"code":"1"}}"#) }),
    ]
}

/// A question, an answer, perhaps calls with their results.
type Exchange = (Vec<Block>, Vec<Vec<Block>>, Vec<(Option<String>, String, bool)>);

fn exchange() -> impl Strategy<Value = Exchange> {
    let call = (option::of(signature()), prop_oneof![text(), Just(r#"{"t":4}"#.to_owned())], any::<bool>());
    (vec(content(), 1..4), vec(prose(), 1..4), vec(call, 0..3))
}

fn turns(exchanges: Vec<Exchange>) -> Vec<Turn> {
    let turn = |role, blocks| Turn::new(role, blocks);
    let mut turns = vec![turn(Role::System, vec![Block::Text("S".to_owned())])];
    let mut results = Vec::new();
    for (round, (question, prose, calls)) in exchanges.into_iter().enumerate() {
        results.extend(question);
        turns.push(turn(Role::User, std::mem::take(&mut results)));
        let mut answer: Vec<Block> = prose.into_iter().flatten().collect();
        for (at, (signature, text, failed)) in calls.into_iter().enumerate() {
            // A model of this generation signs the first of its calls.
            let signature = signature.or_else(|| (at == 0).then(|| "QUJD".to_owned()));
            let plain = format!("c{round}-{at}");
            let id = signature.map_or(plain.clone(), |it| super::signature::signed_id(&plain, &it));
            let input = r#"{"a":1.50}"#.to_owned();
            answer.push(Block::ToolCall { id: id.clone(), name: "f".to_owned(), input });
            results.push(Block::ToolResult { id, content: vec![Block::Text(text)], failed });
        }
        turns.push(turn(Role::Assistant, answer));
    }
    if !results.is_empty() {
        turns.push(turn(Role::User, results));
    }
    turns
}

prop_compose! {
    fn sampling()(
        temperature in option::of(0.0..2.0_f64), top_p in option::of(0.0..1.0_f64), max_tokens in option::of(1..9_000_u64),
        choices in option::of(2..5_u32), stop in vec(text(), 0..3), seed in option::of(0..9_i64),
    ) -> Sampling {
        Sampling { temperature, top_p, max_tokens, choices, stop, seed, ..Sampling::default() }
    }
}

fn thinking() -> impl Strategy<Value = (Option<String>, Option<Thinking>)> {
    let level = prop_oneof![Just("low"), Just("medium"), Just("high")];
    prop_oneof![Just((None, None)), level.prop_map(|word| (Some(word.to_owned()), None)),]
}

fn shape() -> impl Strategy<Value = Shape> {
    prop_oneof![
        Just(Shape::Text),
        Just(Shape::Json),
        Just(Shape::Schema { name: None, schema: raw(r#"{"type":"object","$defs":{}}"#), strict: None }),
    ]
}

fn tools() -> impl Strategy<Value = (Vec<Tool>, Option<ToolChoice>)> {
    let tool = |name: &str, parameters: Option<Raw>| Tool {
        name: name.to_owned(),
        description: Some("d".to_owned()),
        parameters,
        strict: None,
        hints: Vec::new(),
    };
    let choice = prop_oneof![
        Just(None),
        Just(Some(ToolChoice::Auto)),
        Just(Some(ToolChoice::Never)),
        Just(Some(ToolChoice::Required)),
        Just(Some(ToolChoice::Named("f".to_owned()))),
    ];
    let two =
        vec![tool("f", Some(raw(r#"{"type":"object","properties":{"a":{"const":1}}}"#))), tool("g", None)];
    prop_oneof![Just((Vec::new(), None)), choice.prop_map(move |choice| (two.clone(), choice))]
}

fn round(request: &ChatRequest, upstream: GeminiUpstream) -> ChatRequest {
    let outbound = upstream.encode(request, &Target { model: MODEL, call_id: "call" }).unwrap();
    assert_eq!(outbound.losses, []);
    let client = GeminiClient { model: MODEL.to_owned(), streamed: None };
    client.decode(&outbound.body).unwrap().request
}

proptest! {
    #[test]
    fn what_is_written_means_what_was_meant(
        exchanges in vec(exchange(), 1..4), sampling in sampling(), (reasoning_effort, thinking) in thinking(),
        shape in shape(), (tools, tool_choice) in tools(), top_k in option::of(1..50_u32), vertex: bool,
    ) {
        let request = ChatRequest {
            format: Format::Gemini,
            model: MODEL.to_owned(),
            stream_usage: true,
            turns: turns(exchanges),
            tools,
            tool_choice,
            sampling,
            reasoning_effort,
            thinking,
            shape,
            extras: top_k.map(|it| ("top_k".to_owned(), raw(&it.to_string()))).into_iter().collect(),
            ..ChatRequest::default()
        };
        let upstream = if vertex { GeminiUpstream::Vertex } else { GeminiUpstream::AiStudio };
        let mut found = round(&request, upstream);
        // How to think is kept in Google's words as well.
        found.extras.retain(|(name, _)| name != "generationConfig");
        prop_assert_eq!(found, request);
    }
}

#[test]
fn a_budget_is_kept_whatever_the_model_would_make_of_it() {
    let raw_budget = raw(r#"{"type":"enabled","budget_tokens":3000}"#);
    let body = br#"{"contents":"Hi","generationConfig":{"thinkingConfig":{"thinkingBudget":3000,"includeThoughts":false}}}"#;
    let request = GeminiClient::default().decode(body).unwrap().request;
    assert_eq!(request.thinking, Some(Thinking { mode: ThinkingMode::Budget(3000), raw: raw_budget }));
    let sent = GeminiUpstream::AiStudio.encode(&request, &Target { model: MODEL, call_id: "call" }).unwrap();
    let sent: serde_json::Value = serde_json::from_slice(&sent.body).unwrap();
    let expected = serde_json::json!({"thinkingBudget": 3000, "includeThoughts": false});
    assert_eq!(sent["generationConfig"]["thinkingConfig"], expected);
}
