//! What clients send that a fixture does not show: wrong fields, odd but meaningful ones.

use proptest::prelude::*;

use super::GeminiClient;
use crate::chat::{Block, ChatRequest, Role, Shape, Source, ThinkingMode, ToolChoice};
use crate::codec::ClientCodec;
use crate::fault::TranslateError;

fn decode(body: &str) -> Result<ChatRequest, TranslateError> {
    GeminiClient::default().decode(body.as_bytes()).map(|inbound| inbound.request)
}

fn with(field: &str) -> Result<ChatRequest, TranslateError> {
    decode(&format!(r#"{{"contents":[],{field}}}"#))
}

fn said(parts: &str) -> Result<Vec<Block>, TranslateError> {
    let request = decode(&format!(r#"{{"contents":[{{"role":"user","parts":{parts}}}]}}"#))?;
    Ok(request.turns[0].blocks.clone())
}

#[test]
fn errors_name_the_field() {
    for (body, field) in [
        ("", "body"),
        ("{}", "contents"),
        (r#"{"contents":7}"#, "contents[0]"),
        (r#"{"contents":[7]}"#, "contents[0]"),
        (r#"{"contents":[{"role":"robot"}]}"#, "contents[0].role"),
        (r#"{"contents":[],"contents":[]}"#, "body"),
        (r#"{"contents":[],"tool_config":{},"toolConfig":{}}"#, "body"),
    ] {
        assert_eq!(decode(body).unwrap_err().field(), field, "{body}");
    }
    for (field, path) in [
        (r#""generationConfig":{"topP":"x"}"#, "generationConfig.topP"),
        (r#""generation_config":{"max_output_tokens":"x"}"#, "generationConfig.maxOutputTokens"),
        (
            r#""generationConfig":{"thinkingConfig":{"thinkingBudget":"x"}}"#,
            "generationConfig.thinkingConfig.thinkingBudget",
        ),
        (r#""tools":[{"functionDeclarations":[{}]}]"#, "tools[0].functionDeclarations[0].name"),
        (r#""tools":[7]"#, "tools[0]"),
        (
            r#""toolConfig":{"functionCallingConfig":{"mode":"MAYBE"}}"#,
            "toolConfig.functionCallingConfig.mode",
        ),
        (r#""systemInstruction":7"#, "systemInstruction[0]"),
    ] {
        assert_eq!(with(field).unwrap_err().field(), path, "{field}");
    }
    for (parts, path) in [
        ("[7]", "contents[0].parts[0]"),
        (r#"[{"text":7}]"#, "contents[0].parts[0].text"),
        (r#"[{"inlineData":{"data":"x"}}]"#, "contents[0].parts[0].inlineData.mimeType"),
        (r#"[{"fileData":{}}]"#, "contents[0].parts[0].fileData.fileUri"),
        (r#"[{"functionCall":{}}]"#, "contents[0].parts[0].functionCall.name"),
        (r#"[{"functionCall":{"name":"f","args":[1]}}]"#, "contents[0].parts[0].functionCall.args"),
        (r#"[{"functionResponse":{}}]"#, "contents[0].parts[0].functionResponse.name"),
    ] {
        assert_eq!(said(parts).unwrap_err().field(), path, "{parts}");
    }
}

#[test]
fn one_may_stand_for_a_list_and_a_string_for_a_part() {
    let text = vec![Block::Text("Hi".to_owned())];
    for body in [
        r#"{"contents":"Hi"}"#,
        r#"{"contents":["Hi"]}"#,
        r#"{"contents":{"parts":"Hi"}}"#,
        r#"{"contents":[{"parts":["Hi"]}]}"#,
        r#"{"contents":[{"role":"user","parts":{"text":"Hi"}}]}"#,
    ] {
        let turns = decode(body).unwrap().turns;
        assert_eq!((turns.len(), turns[0].role, &turns[0].blocks), (1, Role::User, &text), "{body}");
    }
    for field in [
        r#""systemInstruction":"Hi""#,
        r#""system_instruction":{"parts":[{"text":"Hi"}]}"#,
        r#""systemInstruction":{"role":"system","parts":{"text":"Hi"}}"#,
        r#""systemInstruction":{"text":"Hi"}"#,
    ] {
        let turns = with(field).unwrap().turns;
        assert_eq!((turns[0].role, &turns[0].blocks), (Role::System, &text), "{field}");
    }
    let both = with(r#""systemInstruction":{"parts":[{"text":"A"},{"text":"B"}]}"#).unwrap().turns;
    assert_eq!(both[0].blocks.len(), 2);
}

#[test]
fn results_find_their_calls() {
    let body = r#"{"contents":[
        {"role":"model","parts":[{"functionCall":{"name":"f","args":{"n":1}},"thoughtSignature":"QQ=="},
            {"functionCall":{"name":"f","args":{"n":2}}},{"functionCall":{"id":"own","name":"g"}}]},
        {"role":"user","parts":[{"function_response":{"id":"own","name":"g","response":{"content":"G"}}},
            {"functionResponse":{"name":"f","response":{"error":"F1"}}},{"functionResponse":{"name":"f","response":{"t":4}}},{"text":"And?"}]}]}"#;
    let turns = decode(body).unwrap().turns;
    let ids: Vec<&str> = turns[0]
        .blocks
        .iter()
        .filter_map(|block| match block {
            Block::ToolCall { id, .. } => Some(id.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(ids, ["call_0_0__thought__QQ", "call_0_1", "own"]);
    let result = |id: &str, text: &str, failed| Block::ToolResult {
        id: id.to_owned(),
        content: vec![Block::Text(text.to_owned())],
        failed,
    };
    assert_eq!(
        turns[1].blocks,
        [
            result("own", "G", false),
            result("call_0_0__thought__QQ", "F1", true),
            result("call_0_1", r#"{"t":4}"#, false),
            Block::Text("And?".to_owned()),
        ]
    );
}

#[test]
fn a_part_that_is_new_stays_whole() {
    for part in [
        r#"{"executableCode":{"language":"PYTHON","code":"print(1.50)"}}"#,
        r#"{"inlineData":{"mimeType":"video/mp4","data":"AA=="},"videoMetadata":{"fps":1}}"#,
        r#"{"inlineData":{"mimeType":"image/png","data":"AA=="},"thoughtSignature":"QQ=="}"#,
    ] {
        let blocks = said(&format!("[{part}]")).unwrap();
        let [Block::Opaque { raw, .. }] = &blocks[..] else { panic!("not opaque: {blocks:?}") };
        assert_eq!(raw.text(), part);
    }
}

#[test]
fn another_providers_reasoning_comes_back_in_one_piece() {
    // "signed:EqQBCg==" in base64.
    let parts = r#"[{"text":"H","thought":true},{"text":"m.","thought":true},{"text":"","thought":true,"thoughtSignature":"c2lnbmVkOkVxUUJDZz09"},{"text":"Hi"}]"#;
    let signature = Some("EqQBCg==".to_owned());
    assert_eq!(
        said(parts).unwrap(),
        [Block::Thinking { text: "Hm.".to_owned(), signature }, Block::Text("Hi".to_owned())]
    );
}

#[test]
fn media() {
    let image = |source, detail: Option<&str>| Block::Image { source, detail: detail.map(str::to_owned) };
    let inline = Source::Inline { media_type: "image/png".to_owned(), data: "AA==".to_owned() };
    assert_eq!(
        said(r#"[{"inline_data":{"mime_type":"image/png","data":"AA=="},"mediaResolution":{"level":"MEDIA_RESOLUTION_LOW"}}]"#).unwrap(),
        [image(inline, Some("low"))]
    );
    assert_eq!(
        said(r#"[{"fileData":{"mimeType":"image/png","fileUri":"gs://b/c.png"}}]"#).unwrap(),
        [image(Source::Url("gs://b/c.png".to_owned()), None)]
    );
    assert_eq!(
        said(r#"[{"inlineData":{"mimeType":"audio/mpeg","data":"AA=="}}]"#).unwrap(),
        [Block::Audio { data: "AA==".to_owned(), format: "mp3".to_owned() }]
    );
    assert!(matches!(
        &said(r#"[{"inlineData":{"mimeType":"application/pdf","data":"AA=="}}]"#).unwrap()[..],
        [Block::File { source: Source::Inline { .. }, .. }]
    ));
}

#[test]
fn settings() {
    let request = with(r#""generationConfig":{"temperature":0.5,"topK":3,"candidateCount":2,"stopSequences":["E"],"seed":7,
        "responseLogprobs":true,"logprobs":2,"presencePenalty":0.1,"responseModalities":["TEXT","IMAGE"],
        "thinkingConfig":{"thinkingBudget":3000,"includeThoughts":true},"speechConfig":{"x":1}},
        "tools":[{"functionDeclarations":[{"name":"f","parameters":{"type":"OBJECT","properties":{"a":{"type":"STRING"}}}},{"name":"g"},{"name":"h"}],"googleSearch":{}},{"urlContext":{}}],
        "toolConfig":{"functionCallingConfig":{"mode":"ANY","allowedFunctionNames":["f","g"]}},"safetySettings":[]"#).unwrap();
    assert_eq!(request.sampling.choices, Some(2));
    assert_eq!((request.sampling.seed, request.sampling.top_logprobs), (Some(7), Some(2)));
    assert_eq!(request.thinking.as_ref().unwrap().mode, ThinkingMode::Budget(3000));
    assert_eq!(
        (request.effort(), request.tool_choice.as_ref()),
        (Some("medium"), Some(&ToolChoice::Required))
    );
    let names: Vec<&str> = request.tools.iter().map(|tool| tool.name.as_str()).collect();
    assert_eq!(names, ["f", "g"]);
    let schema = request.tools[0].parameters.as_ref().unwrap().text();
    assert_eq!(schema, r#"{"type":"object","properties":{"a":{"type":"string"}}}"#);
    let extras: Vec<String> =
        request.extras.iter().map(|(name, raw)| format!("{name}={}", raw.text())).collect();
    assert_eq!(
        extras,
        [
            "top_k=3",
            r#"modalities=["text","image"]"#,
            r#"generationConfig={"thinkingConfig":{"thinkingBudget":3000,"includeThoughts":true},"speechConfig":{"x":1}}"#,
            "web_search_options={}",
            r#"tools=[{"urlContext":{}}]"#,
            "safetySettings=[]",
        ]
    );
    let level = with(r#""generationConfig":{"thinkingConfig":{"thinkingLevel":"LOW"}}"#).unwrap();
    assert_eq!(level.effort(), Some("low"));
    let dynamic = with(r#""generationConfig":{"thinkingConfig":{"thinkingBudget":-1}}"#).unwrap();
    assert_eq!(dynamic.effort(), None);
    let off = with(r#""generationConfig":{"thinkingConfig":{"thinkingBudget":0}}"#).unwrap();
    assert_eq!(off.effort(), Some("none"));
    let named = with(r#""toolConfig":{"functionCallingConfig":{"mode":"ANY","allowedFunctionNames":["f"]}}"#)
        .unwrap();
    assert_eq!(named.tool_choice, Some(ToolChoice::Named("f".to_owned())));
    let json = with(r#""generationConfig":{"responseMimeType":"application/json"}"#).unwrap();
    assert_eq!(json.shape, Shape::Json);
    let schema = with(
        r#""generationConfig":{"responseMimeType":"application/json","responseSchema":{"type":"STRING","nullable":true}}"#,
    );
    let Shape::Schema { schema, .. } = schema.unwrap().shape else { panic!("no schema") };
    assert_eq!(schema.text(), r#"{"type":["string","null"]}"#);
}

proptest! {
    #[test]
    fn any_bytes_are_an_error_or_a_request(body in r#"(\{|\}|\[|\]|"contents"|"parts"|"text"|"tools"|:|,|"x"|null|1){0,16}"#) {
        let _ = decode(&body);
    }
}
