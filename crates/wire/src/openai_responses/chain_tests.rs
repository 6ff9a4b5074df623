//! Responses that go on with one that is kept.

use serde_json::{Value, json};

use super::{Page, Wishes, continued, finished, history, input, input_items};
use crate::raw::Raw;

fn raw(value: &Value) -> Raw {
    Raw::of(value).unwrap()
}

fn bytes(value: &Value) -> Vec<u8> {
    value.to_string().into_bytes()
}

#[test]
fn wishes_are_read_and_a_response_is_kept_unless_told_otherwise() {
    let silent = Wishes { previous_response_id: None, store: true, background: false, stream: false };
    assert_eq!(Wishes::read(br#"{"input":"x","store":null}"#), Ok(silent));
    let said =
        br#"{"stream":true,"store":false,"previous_response_id":"resp_1","background":true,"input":[{}]}"#;
    let expected = Wishes {
        previous_response_id: Some("resp_1".to_owned()),
        store: false,
        background: true,
        stream: true,
    };
    assert_eq!(Wishes::read(said), Ok(expected));
    assert_eq!(Wishes::read(br#"{"store":"no"}"#).unwrap_err().field(), "store");
    assert_eq!(Wishes::read(b"[]").unwrap_err().field(), "body");
    assert_eq!(Wishes::read(br#"{"store":true,"store":false}"#).unwrap_err().field(), "body");
}

#[test]
fn a_response_that_goes_on_sees_all_that_was_said_before() {
    let first = br#"{"model":"m","input":"Weather?"}"#;
    let response = json!({"output": [
        {"type": "reasoning", "id": "rs_1", "summary": []},
        {"type": "reasoning", "id": "rs_2", "summary": [], "encrypted_content": "gA"},
        {"type": "function_call", "id": "fc_1", "call_id": "c1", "name": "f", "arguments": "{}"},
    ]});
    let earlier = history(&input(first).unwrap(), &bytes(&response)).unwrap();
    let kinds: Vec<Value> = earlier
        .iter()
        .map(|raw| serde_json::from_str::<Value>(raw.text()).unwrap()["type"].clone())
        .collect();
    assert_eq!(kinds, ["message", "reasoning", "function_call"]);

    let next = r#"{"previous_response_id":"resp_1", "input":[{"type":"function_call_output","call_id":"c1","output":"4 "}], "x" : 1.50}"#;
    let body = continued(next.as_bytes(), &earlier).unwrap();
    let text = std::str::from_utf8(&body).unwrap();
    assert!(text.contains("\"x\":1.50") && text.contains("resp_1"), "{text}");
    assert_eq!(input(&body).unwrap().len(), 4);
    assert_eq!(input(&body).unwrap()[..3], earlier);
    // Nothing new to say is a request too.
    let body = continued(br#"{"previous_response_id":"resp_1"}"#, &earlier).unwrap();
    assert_eq!(input(&body).unwrap(), earlier);
    assert_eq!(continued(br#"{"input":7}"#, &earlier).unwrap_err().field(), "input");
}

#[test]
fn the_last_frame_of_a_stream_has_the_response() {
    assert_eq!(finished(r#"{"type":"response.created","response":{"id":"resp_1"}}"#), None);
    assert_eq!(finished("[DONE]"), None);
    let last = finished(r#"{"type":"response.completed","response":{"id":"resp_1"}}"#);
    assert_eq!(last, Some(raw(&json!({"id": "resp_1"}))));
}

#[test]
fn input_items_are_listed_newest_first_page_by_page() {
    let items = [
        raw(&json!({"role": "user", "content": "One"})),
        raw(&json!({"type": "function_call", "id": "fc_1", "call_id": "c1", "name": "f", "arguments": "{}"})),
        raw(&json!({"type": "function_call_output", "call_id": "c1", "output": "4"})),
    ];
    let list = |page| serde_json::from_slice::<Value>(&input_items("resp_1", &items, page)).unwrap();
    let first = list(Page { limit: 2, ..Page::default() });
    assert_eq!(first["data"][0]["output"], "4");
    assert_eq!(first["last_id"], "fc_1");
    assert_eq!(first["has_more"], true);
    let rest = list(Page { after: Some("fc_1"), limit: 2, ..Page::default() });
    let one = json!({"role": "user", "content": [{"type": "input_text", "text": "One"}], "type": "message", "status": "completed",
        "id": "msg_1_in_0"});
    assert_eq!(
        rest,
        json!({"object": "list", "data": [one], "first_id": "msg_1_in_0", "last_id": "msg_1_in_0", "has_more": false})
    );
    assert_eq!(list(Page { ascending: true, ..Page::default() })["data"][0]["id"], "msg_1_in_0");
    let none = serde_json::from_slice::<Value>(&input_items("resp_1", &[], Page::default())).unwrap();
    assert_eq!(none["first_id"], Value::Null);
}
