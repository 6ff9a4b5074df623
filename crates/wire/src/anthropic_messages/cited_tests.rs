use serde_json::{Value, json};

use super::*;

fn written(from: Format, title: Option<&str>, raw: &Value) -> Option<Value> {
    let raw = Raw::parse(raw.to_string()).unwrap();
    let citation = Citation { url: None, title: title.map(str::to_owned), from, raw };
    source(&citation).map(|raw| serde_json::from_str(raw.text()).unwrap())
}

#[test]
fn places_in_documents_keep_their_numbers() {
    for (place, kind, numbers) in [
        ("documentChar", "char_location", ("start_char_index", "end_char_index")),
        ("documentPage", "page_location", ("start_page_number", "end_page_number")),
        ("documentChunk", "content_block_location", ("start_block_index", "end_block_index")),
    ] {
        let said = json!({"title": "T", "sourceContent": [{"text": "It is 4."}],
            "location": {place: {"documentIndex": 1, "start": 2, "end": 9}}});
        let expected = json!({"type": kind, "cited_text": "It is 4.", "document_index": 1, "document_title": "T",
            numbers.0: 2, numbers.1: 9});
        assert_eq!(written(Format::BedrockConverse, Some("T"), &said), Some(expected));
    }
}

#[test]
fn a_source_is_named_by_what_its_format_calls_it() {
    for (from, title, said, name) in [
        (
            Format::OpenAiResponses,
            Some("a.txt"),
            json!({"type": "file_citation", "file_id": "file-1"}),
            "file-1",
        ),
        (
            Format::CohereChat,
            Some("Penguins"),
            json!({"sources": [{"type": "document", "id": "1"}]}),
            "Penguins",
        ),
        (Format::CohereChat, None, json!({"sources": [{"type": "tool", "id": "search_0:1"}]}), "search_0:1"),
        (Format::BedrockConverse, None, json!({"source": "kb://1", "location": {"web": {}}}), "kb://1"),
    ] {
        let found = written(from, title, &said).unwrap();
        assert_eq!((&found["type"], &found["source"]), (&json!("search_result_location"), &json!(name)));
        assert_eq!(found["title"], json!(title));
    }
    assert_eq!(written(Format::OpenAiChat, None, &json!({"type": "x", "sources": 7})), None);
}
