use bytes::Bytes;
use serde_json::json;
use wire::envelope::Envelope;

use super::Estimate;

fn estimate(body: &serde_json::Value) -> Estimate {
    Estimate::of(&Envelope::read(Bytes::from(body.to_string()), 64).unwrap())
}

#[test]
fn text_counts_by_its_length_and_the_bound_by_its_choices() {
    let said = "word ".repeat(800);
    let found = estimate(&json!({
        "model": "m", "messages": [{"role": "user", "content": said}], "max_tokens": 100, "n": 3,
    }));
    assert!((1_000..1_050).contains(&found.input), "{found:?}");
    assert!(found.most_input >= found.input);
    assert_eq!((found.bound, found.choices), (Some(300), 3));
}

#[test]
fn a_picture_in_base64_counts_as_a_picture() {
    let picture = format!("data:image/png;base64,{}", "iVBORw0KGgo".repeat(20_000));
    let content = json!([{"type": "text", "text": "What is this?"},
        {"type": "image_url", "image_url": {"url": picture}}]);
    let found = estimate(&json!({"model": "m", "messages": [{"role": "user", "content": content}]}));
    assert!((1_600..1_700).contains(&found.input), "{found:?}");
}

#[test]
fn every_format_has_its_own_bound() {
    for (body, bound) in [
        (json!({"max_completion_tokens": 7}), Some(7)),
        (json!({"max_output_tokens": 8}), Some(8)),
        (json!({"generationConfig": {"maxOutputTokens": 9}}), Some(9)),
        (json!({"max_tokens": null}), None),
        (json!({"max_tokens": -5}), None),
    ] {
        assert_eq!(estimate(&body).bound, bound, "{body}");
    }
}
