//! Requests and replies as Ollama's API documentation shows them.

use super::OllamaEmbed;
use crate::codec::Target;
use crate::embed::{EmbedInput, EmbedRequest, Vector};
use crate::embed_codec::{EmbedOutbound, EmbedUpstream};
use crate::fault::TranslateError;
use crate::raw::Raw;
use crate::reply::Usage;

fn encode(request: &EmbedRequest, model: &str) -> Result<EmbedOutbound, TranslateError> {
    OllamaEmbed.encode(request, &Target { model, call_id: "call" })
}

fn raw(text: &str) -> Raw {
    Raw::parse(text.to_owned()).unwrap()
}

fn text(text: &str) -> EmbedInput {
    EmbedInput::Text(text.to_owned())
}

#[test]
fn a_request() {
    let request = EmbedRequest {
        input: vec![text("Why is the sky blue?")],
        dimensions: Some(64),
        extras: vec![("user".to_owned(), raw(r#""u""#)), ("keep_alive".to_owned(), raw(r#""5m""#))],
        ..EmbedRequest::default()
    };
    assert_eq!(
        encode(&request, "all-minilm").unwrap().bodies,
        [r#"{"keep_alive":"5m","model":"all-minilm","input":["Why is the sky blue?"],"dimensions":64}"#]
    );
}

#[test]
fn token_ids_cannot_be_said() {
    let request = EmbedRequest { input: vec![EmbedInput::Tokens(vec![1])], ..EmbedRequest::default() };
    let error = encode(&request, "m").err().unwrap();
    assert!(matches!(error, TranslateError::Unsupported { field, .. } if field == "input"));
}

#[test]
fn replies() {
    let request = EmbedRequest { input: vec![text("a"), text("b")], ..EmbedRequest::default() };
    let reader = encode(&request, "m").unwrap().reader;
    let body = br#"{"model":"all-minilm","embeddings":[[0.010071029,-0.25],[1,2]],"total_duration":14143917,"prompt_eval_count":8}"#;
    let reply = reader.read(0, body).unwrap();
    assert_eq!(reply.vectors, [Vector::Numbers(raw("[0.010071029,-0.25]")), Vector::Numbers(raw("[1,2]"))]);
    assert_eq!(
        (reply.model.as_str(), reply.usage),
        ("all-minilm", Some(Usage { input: 8, ..Usage::default() }))
    );
    for (body, field) in [
        (r#"{"error":"model not found"}"#, "error"),
        ("{}", "embeddings"),
        (r#"{"embeddings":[[1]]}"#, "embeddings"),
        (r#"{"embeddings":[[1],["a"]]}"#, "embeddings[1]"),
        ("<html>", "body"),
    ] {
        assert_eq!(reader.read(0, body.as_bytes()).unwrap_err().field(), field, "{body}");
    }
}
