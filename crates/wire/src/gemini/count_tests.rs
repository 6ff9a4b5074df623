//! Counting, for both hosts and for clients.

use super::{decode, encode, read, write};
use crate::codec::Target;
use crate::gemini::GeminiUpstream::{AiStudio, Vertex};

const TARGET: Target<'static> = Target { model: "gemini-2.5-flash", call_id: "call" };

#[test]
fn a_prompt_is_counted_in_either_wrapping() {
    let bare = br#"{"contents":[{"role":"user","parts":[{"text":"Hi"}]}]}"#;
    let whole = br#"{"generate_content_request":{"model":"models/x","system_instruction":"S","contents":{"parts":"Hi"},"safetySettings":[],"generationConfig":{"temperature":1}}}"#;
    let request = decode(bare, "m").unwrap();
    assert_eq!(request.model, "m");
    assert_eq!(
        encode(&request, &TARGET, AiStudio).unwrap(),
        r#"{"generateContentRequest":{"model":"models/gemini-2.5-flash","contents":[{"role":"user","parts":[{"text":"Hi"}]}]}}"#
    );
    let request = decode(whole, "m").unwrap();
    assert_eq!(
        encode(&request, &TARGET, Vertex).unwrap(),
        r#"{"systemInstruction":{"parts":[{"text":"S"}]},"contents":[{"role":"user","parts":[{"text":"Hi"}]}],"generationConfig":{"temperature":1.0}}"#
    );
    assert_eq!(decode(b"{}", "m").unwrap_err().field(), "contents");
}

#[test]
fn replies() {
    assert_eq!(read(br#"{"totalTokens":31,"totalBillableCharacters":96}"#).unwrap(), 31);
    assert_eq!(read(&write(31)).unwrap(), 31);
    assert_eq!(read(b"{}").unwrap_err().field(), "totalTokens");
    assert_eq!(read(br#"{"error":{"code":404,"message":"no"}}"#).unwrap_err().field(), "error");
    assert_eq!(read(b"[1]").unwrap_err().field(), "body");
}
