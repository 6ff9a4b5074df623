//! Splicing agrees with editing a tree, and leaves every other byte alone.

use bytes::Bytes;
use proptest::prelude::*;
use serde_json::{Map, Value};

use super::{Envelope, EnvelopeError, json};

fn envelope(text: &str) -> Envelope {
    Envelope::read(Bytes::copy_from_slice(text.as_bytes()), 64).unwrap()
}

fn finished(edits: super::Edits<'_>) -> String {
    String::from_utf8(edits.finish().concat()).unwrap()
}

#[test]
fn fields_are_found_whatever_their_spelling() {
    let body = envelope(r#" { "mod\u0065l" : "gpt\n4" , "stream":true,"n": null } "#);
    assert_eq!(body.text("model").unwrap(), "gpt\n4");
    assert_eq!(body.get::<bool>("stream"), Some(true));
    assert_eq!(body.raw("n"), Some("null"));
    assert_eq!(body.get::<u32>("n"), None);
    assert_eq!(body.names().collect::<Vec<_>>(), ["model", "stream", "n"]);
}

#[test]
fn only_the_edited_bytes_change() {
    let text = "{ \"model\" : \"a\",\n\t\"x\": 1.50,  \"stream_options\" :null, \"é\":\"\\u00e9\" }";
    let body = envelope(text);
    assert_eq!(finished(body.edit()), text);
    let mut edits = body.edit();
    edits.set("model", json("b/c"));
    edits.set("stream_options", &b"{\"include_usage\":true}"[..]);
    edits.remove("x");
    edits.set("seed", json(&7));
    assert_eq!(
        finished(edits),
        "{ \"model\" : \"b/c\",  \"stream_options\" :{\"include_usage\":true}, \"é\":\"\\u00e9\" ,\"seed\":7}"
    );
}

#[test]
fn large_bodies_are_sliced_not_copied() {
    let text = format!("{{\"model\":\"m\",\"messages\":\"{}\"}}", "x".repeat(100_000));
    let body = envelope(&text);
    let mut edits = body.edit();
    edits.set("model", json("longer"));
    let pieces = edits.finish();
    assert!(pieces.len() > 1);
    assert_eq!(pieces.concat(), text.replacen("\"m\"", "\"longer\"", 1).into_bytes());
    assert!(
        pieces
            .iter()
            .any(|piece| body.body().as_ptr_range().contains(&piece.as_ptr()) && piece.len() > 99_000)
    );
}

#[test]
fn hostile_bodies_are_refused_with_a_reason() {
    let read = |text: &[u8]| Envelope::read(Bytes::copy_from_slice(text), 8).map(|_| ()).unwrap_err();
    assert!(matches!(read(b""), EnvelopeError::NotJson(_)));
    assert!(matches!(read(b"[1]"), EnvelopeError::NotJson(_)));
    assert!(matches!(read(b"{} x"), EnvelopeError::NotJson(_)));
    assert!(matches!(read(b"{\"a\":tru}"), EnvelopeError::NotJson(_)));
    assert!(matches!(read(b"{\"a\":\"\xff\"}"), EnvelopeError::NotJson(_)));
    assert_eq!(read(b"{\"model\":1,\"mod\\u0065l\":2}"), EnvelopeError::Duplicate("model".to_owned()));
    assert_eq!(read(b"{\"a\":[[[[[[[[1]]]]]]]]}"), EnvelopeError::TooDeep(8));
    let many: Vec<String> = (0..300).map(|n| format!("\"k{n}\":0")).collect();
    assert_eq!(read(format!("{{{}}}", many.join(",")).as_bytes()), EnvelopeError::TooManyFields);
    assert_eq!(
        read(b"{\"a\":1,\"\\ud800\":2}"),
        EnvelopeError::NotJson(super::flaw("{\"a\":1,\"\\ud800\":2}"))
    );
    let flat = br#"{"a":"[[[[[[[[[[\"[[[[","b":[[],[],[],[],[],[],[],[],[]]}"#;
    assert!(Envelope::read(Bytes::from_static(flat), 3).is_ok());
}

proptest! {
    #[test]
    fn splicing_equals_editing_a_tree(
        names in prop::collection::btree_set("[a-c]{1,2}", 0..6),
        remove in prop::collection::vec("[a-c]{1,2}", 0..4),
        set in prop::collection::vec(("[a-d]{1,2}", 0u32..100), 0..4),
        space in "[ \n\t]{0,2}",
    ) {
        let fields: Vec<String> =
            names.iter().enumerate().map(|(i, name)| format!("{space}\"{name}\"{space}:{space}[{i},\"}},{{\"]{space}")).collect();
        let text = format!("{space}{{{}{space}}}{space}", fields.join(","));
        let body = envelope(&text);
        let mut edits = body.edit();
        let mut tree: Map<String, Value> = serde_json::from_str(&text).unwrap();
        for name in remove.iter().filter(|name| !set.iter().any(|(other, _)| other == *name)) {
            edits.remove(name);
            tree.shift_remove(name);
        }
        let mut done: Vec<&str> = Vec::new();
        for (name, value) in &set {
            if done.contains(&name.as_str()) { continue }
            done.push(name);
            edits.set(name, json(value));
            tree.insert(name.clone(), Value::from(*value));
        }
        let spliced: Value = serde_json::from_str(&finished(edits)).unwrap();
        prop_assert_eq!(spliced, Value::Object(tree));
    }
}
