//! One answer's log-probabilities, there and back.

use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::{read, write};

#[test]
fn there_and_back() {
    let google = json!({
        "chosenCandidates": [{"token": "Hi", "logProbability": -0.25}, {"token": "ö", "logProbability": -1.5}],
        "topCandidates": [{"candidates": [{"token": "Hi", "logProbability": -0.25}, {"token": "Yo", "logProbability": -3.0}]}, {"candidates": []}],
    });
    let openai = read(&RawValue::from_string(google.to_string()).unwrap()).unwrap();
    let value: Value = serde_json::from_str(openai.text()).unwrap();
    let expected = json!({"content": [
        {"token": "Hi", "logprob": -0.25, "bytes": [72, 105], "top_logprobs": [
            {"token": "Hi", "logprob": -0.25, "bytes": [72, 105]}, {"token": "Yo", "logprob": -3.0, "bytes": [89, 111]}]},
        {"token": "ö", "logprob": -1.5, "bytes": [195, 182], "top_logprobs": []}], "refusal": null});
    assert_eq!(value, expected);
    assert_eq!(serde_json::to_value(write(&openai).unwrap()).unwrap(), google);
    assert!(read(&RawValue::from_string("{}".to_owned()).unwrap()).is_none());
}
