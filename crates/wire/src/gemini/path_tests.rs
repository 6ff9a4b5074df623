//! Paths as clients write them.

use super::{Method, read};

#[test]
fn the_last_colon_divides() {
    assert_eq!(read("gemini-2.5-pro:generateContent"), Some(("gemini-2.5-pro", Method::GenerateContent)));
    assert_eq!(
        read("ollama/llama3:8b:streamGenerateContent"),
        Some(("ollama/llama3:8b", Method::StreamGenerateContent))
    );
    for none in ["gemini-2.5-pro", ":generateContent", "m:predict", ""] {
        assert_eq!(read(none), None, "{none}");
    }
}
