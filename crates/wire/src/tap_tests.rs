//! What the tap sees of replies and chunks.

use super::look;
use crate::reply::Tier;

#[test]
fn a_chunk_is_seen_from_outside() {
    let chunk = r#"{"id":"c","model":"gpt-4o-2024","choices":[{"index":0,"delta":{"content":"\"finish_reason\":\"x\""},"finish_reason":null}],"usage":null}"#;
    let seen = look(chunk).unwrap();
    assert_eq!(&chunk[seen.model.clone().unwrap()], "\"gpt-4o-2024\"");
    assert_eq!((seen.usage, seen.no_choices, seen.finished(chunk)), (None, false, 0));
}

#[test]
fn the_end_of_a_stream_is_seen() {
    let last = r#"{"choices":[{"index":0,"finish_reason":"stop"},{"index":1,"finish_reason" : "length"}]}"#;
    assert_eq!(look(last).unwrap().finished(last), 2);
    let usage = look(r#"{"choices":[ ],"service_tier":"flex","usage":{"prompt_tokens":3,"completion_tokens":4,"total_tokens":7}}"#).unwrap();
    let used = usage.usage.unwrap();
    assert_eq!((used.input, used.output, used.tier, usage.no_choices), (3, 4, Tier::Flex, true));
    let groq = look(r#"{"choices":[],"x_groq":{"id":"r","usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}}}"#).unwrap();
    assert_eq!(groq.usage.unwrap().output, 2);
}

#[test]
fn failures_inside_a_success_are_seen() {
    let seen = look(r#"{"error":{"message":"overloaded","code":503}}"#).unwrap();
    assert_eq!(seen.fault.unwrap().status, 503);
    assert!(look("{\"model\":").is_err());
    assert!(look("null").is_err());
}
