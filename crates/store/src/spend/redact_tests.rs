use serde_json::json;

use super::*;

fn kept(value: &Value) -> Value {
    Redaction::default().body(value.to_string().as_bytes())
}

#[test]
fn a_short_request_is_kept_as_it_is() {
    let request =
        json!({"model": "gpt", "messages": [{"role": "user", "content": "Wie geht's, a=b: c?"}], "n": 2});
    assert_eq!(kept(&request), request);
}

#[test]
fn a_long_text_keeps_its_ends_and_says_how_much_is_missing() {
    let text = format!("{}{}", "ä b".repeat(1_000), "the end");
    let cut = kept(&json!({"content": text}));
    let cut = cut["content"].as_str().unwrap();
    assert!(cut.starts_with("ä bä b") && cut.ends_with("the end"), "{cut}");
    assert!(cut.contains("(litellm_truncated skipped 959 chars)"), "{cut}");
    assert!(cut.chars().count() < 2_200);
}

#[test]
fn secrets_are_left_out_wherever_they_stand() {
    let secret = "sk-0123456789abcdefghij";
    for request in [
        json!({"api_key": "short"}),
        json!({"headers": {"Authorization": format!("Bearer {secret}")}}),
        json!({"messages": [{"content": format!("my key is {secret}, keep it")}]}),
        json!({"messages": [{"content": format!("curl -H 'authorization: Bearer abcdef0123456789abcdef'")}]}),
        json!({"messages": [{"content": "AWS AKIAABCDEFGHIJKLMNOP"}]}),
    ] {
        let text = kept(&request).to_string();
        assert!(text.contains(REDACTED), "{text}");
        for secret in [secret, "\"short\"", "abcdef0123456789abcdef", "AKIAABCDEFGHIJKLMNOP"] {
            assert!(!text.contains(secret), "{text}");
        }
    }
    let rest = kept(&json!({"content": format!("my key is {secret}, keep it")}));
    assert_eq!(rest["content"], "my key is REDACTED, keep it");
}

#[test]
fn files_are_measured_instead_of_shown() {
    let file = "QUJD".repeat(200);
    assert_eq!(
        kept(&json!({"url": format!("data:image/png;base64,{file}"), "data": file})),
        json!({"url": "data:image/png;base64,(800 characters)", "data": "(800 characters of base64)"})
    );
}

#[test]
fn a_stream_is_kept_as_its_events() {
    let stream =
        b"event: x\ndata: {\"a\": 1}\n\ndata: {\"b\": \"sk-0123456789abcdefghij\"}\n\ndata: [DONE]\n\n";
    assert_eq!(Redaction::default().body(stream), json!([{"a": 1}, {"b": "REDACTED"}]));
}

#[test]
fn any_bytes_can_be_kept() {
    assert_eq!(Redaction::default().body(b""), json!({}));
    assert_eq!(Redaction::default().body(b"\xff\0no json"), json!("\u{fffd}\0no json"));
    let deep = format!("{}1{}", "[".repeat(100), "]".repeat(100));
    assert!(Redaction::default().body(deep.as_bytes()).to_string().contains("too deep to be kept"));
}

#[test]
fn the_conversation_is_found_by_its_name_in_each_format() {
    for name in ["messages", "input", "contents", "prompt", "query"] {
        let request = json!({"model": "m", name: "hello"}).to_string();
        let transcript = Redaction::default().transcript(request.as_bytes(), b"{\"ok\": true}");
        assert_eq!((transcript.messages, transcript.response), (json!("hello"), json!({"ok": true})));
    }
}
