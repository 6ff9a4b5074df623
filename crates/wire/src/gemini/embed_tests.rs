//! Requests and replies as Google's API references show them.

use super::{Method, encode, read};
use crate::embed::{EmbedInput, EmbedRequest, EmbedResponse, Vector};
use crate::fault::TranslateError;
use crate::raw::Raw;

fn request(texts: &[&str], extras: &[(&str, &str)]) -> EmbedRequest {
    let extra = |(name, text): &(&str, &str)| ((*name).to_owned(), Raw::parse((*text).to_owned()).unwrap());
    EmbedRequest {
        input: texts.iter().map(|text| EmbedInput::Text((*text).to_owned())).collect(),
        dimensions: Some(64),
        extras: extras.iter().map(extra).collect(),
        ..EmbedRequest::default()
    }
}

#[test]
fn requests() {
    let extras = [
        ("task_type", r#""RETRIEVAL_DOCUMENT""#),
        ("title", r#""T""#),
        ("user", r#""u""#),
        ("auto_truncate", "false"),
    ];
    let two = request(&["a", "b"], &extras);
    assert_eq!(
        encode(&two, "gemini-embedding-001", Method::Batch).unwrap(),
        r#"{"requests":[{"model":"models/gemini-embedding-001","content":{"parts":[{"text":"a"}]},"taskType":"RETRIEVAL_DOCUMENT","title":"T","outputDimensionality":64},{"model":"models/gemini-embedding-001","content":{"parts":[{"text":"b"}]},"taskType":"RETRIEVAL_DOCUMENT","title":"T","outputDimensionality":64}]}"#
    );
    assert_eq!(
        encode(&two, "text-embedding-005", Method::Predict).unwrap(),
        r#"{"instances":[{"content":"a","task_type":"RETRIEVAL_DOCUMENT","title":"T"},{"content":"b","task_type":"RETRIEVAL_DOCUMENT","title":"T"}],"parameters":{"outputDimensionality":64,"autoTruncate":false}}"#
    );
    assert_eq!(encode(&two, "m", Method::Single).unwrap_err().field(), "input");
    assert_eq!(
        encode(&request(&["a"], &[("autoTruncate", "true")]), "models/m", Method::Single).unwrap(),
        r#"{"content":{"parts":[{"text":"a"}]},"outputDimensionality":64,"autoTruncate":true}"#
    );
    let tokens = EmbedRequest { input: vec![EmbedInput::Tokens(vec![1])], ..EmbedRequest::default() };
    let error = encode(&tokens, "m", Method::Batch).unwrap_err();
    assert!(matches!(error, TranslateError::Unsupported { field, .. } if field == "input"));
}

fn numbers(response: &EmbedResponse) -> Vec<Vec<f32>> {
    response.vectors.iter().map(Vector::numbers).collect()
}

#[test]
fn replies() {
    let batch = read(br#"{"embeddings":[{"values":[0.5,-0.25]},{"values":[1]}]}"#).unwrap();
    assert_eq!((numbers(&batch), batch.usage), (vec![vec![0.5, -0.25], vec![1.0]], None));
    let predicted = read(
        br#"{"predictions":[{"embeddings":{"statistics":{"truncated":false,"token_count":6},"values":[0.5]}},{"embeddings":{"statistics":{"token_count":2.0},"values":[1]}}]}"#,
    );
    let predicted = predicted.unwrap();
    assert_eq!((numbers(&predicted), predicted.usage.unwrap().input), (vec![vec![0.5], vec![1.0]], 8));
    let single =
        read(br#"{"embedding":{"values":[2]},"usageMetadata":{"promptTokenCount":4,"totalTokenCount":4}}"#);
    let single = single.unwrap();
    assert_eq!((numbers(&single), single.usage.unwrap().input), (vec![vec![2.0]], 4));
    assert_eq!(read(b"{}").unwrap_err().field(), "embeddings");
    assert_eq!(read(b"<html>").unwrap_err().field(), "body");
    assert_eq!(read(br#"{"error":{"code":400,"message":"no"}}"#).unwrap_err().field(), "error");
}
