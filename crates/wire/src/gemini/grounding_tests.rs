//! Sources as Google's documentation of grounding shows them.

use serde_json::json;
use serde_json::value::RawValue;

use super::{read, span, write};

fn metadata(start: usize, end: usize, said: &str) -> Box<RawValue> {
    let metadata = json!({
        "webSearchQueries": ["euro 2024 winner", "spain england"],
        "searchEntryPoint": {"renderedContent": "<div/>"},
        "groundingChunks": [{"web": {"uri": "https://a.example", "title": "a.example"}}, {"web": {"uri": "https://b.example", "title": "b.example"}}],
        "groundingSupports": [{"segment": {"startIndex": start, "endIndex": end, "text": said}, "groundingChunkIndices": [0, 1, 7]}],
    });
    RawValue::from_string(metadata.to_string()).unwrap()
}

#[test]
fn bytes_become_characters() {
    let content = "Größe: Spain won.";
    let found = read(&metadata(9, 19, "Spain won."), content);
    assert_eq!(found.searches, 2);
    assert_eq!(found.citations.len(), 2);
    assert_eq!(found.citations[1].url.as_deref(), Some("https://b.example"));
    assert_eq!(span(&found.citations[0]), Some((7, 17)));
    // Counted within another part, or in the middle of a letter: found by its words.
    for (start, end) in [(0, 10), (3, 5), (900, 10)] {
        assert_eq!(span(&read(&metadata(start, end, "Spain won."), content).citations[0]), Some((7, 17)));
    }
    assert_eq!(span(&read(&metadata(0, 9, "France won."), content).citations[0]), None);
}

#[test]
fn sources_are_written_as_they_were_read() {
    let read = read(&metadata(0, 10, "Spain won."), "Spain won.");
    let written = serde_json::to_value(write(read.citations.iter()).unwrap()).unwrap();
    assert_eq!(written["groundingChunks"][1]["web"]["title"], "b.example");
    let expected = json!([{"segment": {"startIndex": 0, "endIndex": 10, "text": "Spain won."}, "groundingChunkIndices": [0, 1]}]);
    assert_eq!(written["groundingSupports"], expected);
}
