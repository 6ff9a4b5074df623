//! Requests and replies as Ollama's API documentation shows them.

use super::{encode, read};
use crate::embed::{EmbedInput, EmbedRequest};
use crate::fault::TranslateError;
use crate::raw::Raw;
use crate::reply::Usage;

#[test]
fn a_request() {
    let raw = |text: &str| Raw::parse(text.to_owned()).unwrap();
    let request = EmbedRequest {
        input: vec![EmbedInput::Text("Why is the sky blue?".to_owned())],
        dimensions: Some(64),
        extras: vec![("user".to_owned(), raw(r#""u""#)), ("keep_alive".to_owned(), raw(r#""5m""#))],
        ..EmbedRequest::default()
    };
    assert_eq!(
        encode(&request, "all-minilm").unwrap(),
        r#"{"keep_alive":"5m","model":"all-minilm","input":["Why is the sky blue?"],"dimensions":64}"#
    );
}

#[test]
fn token_ids_cannot_be_said() {
    let request = EmbedRequest { input: vec![EmbedInput::Tokens(vec![1])], ..EmbedRequest::default() };
    let error = encode(&request, "m").unwrap_err();
    assert!(matches!(error, TranslateError::Unsupported { field, .. } if field == "input"));
}

#[test]
fn replies() {
    let body = br#"{"model":"all-minilm","embeddings":[[0.010071029,-0.25],[1,2]],"total_duration":14143917,"prompt_eval_count":8}"#;
    let reply = read(body).unwrap();
    assert_eq!(reply.vectors, [[0.010_071_029, -0.25], [1.0, 2.0]]);
    assert_eq!(
        (reply.model.as_str(), reply.usage),
        ("all-minilm", Some(Usage { input: 8, ..Usage::default() }))
    );
    assert_eq!(read(br#"{"error":"model not found"}"#).unwrap_err().field(), "error");
    assert_eq!(read(b"{}").unwrap_err().field(), "embeddings");
    assert_eq!(read(b"<html>").unwrap_err().field(), "body");
}
