//! Which addresses the two hosts look at themselves.

use super::GeminiUpstream::{AiStudio, Vertex};

#[test]
fn addresses() {
    for (url, studio, vertex) in [
        ("gs://bucket/cat.png", false, false),
        ("https://generativelanguage.googleapis.com/v1beta/files/abc", false, false),
        ("https://www.youtube.com/watch?v=9hE5-98ZeCg", false, false),
        ("https://youtu.be/9hE5-98ZeCg", false, false),
        ("https://example.com/cat.png?size=2", true, false),
        ("https://example.com/cat", true, true),
        ("https://example.com/a.b/cat", true, true),
        ("http://example.com/cat.png", true, true),
        ("https://youtube.com.example/watch", true, true),
        ("", true, true),
    ] {
        assert_eq!((AiStudio.needs_bytes(url), Vertex.needs_bytes(url)), (studio, vertex), "{url}");
    }
}
