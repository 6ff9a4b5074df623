use super::*;

fn request(body: &str) -> ChatRequest {
    let format = wire::format::Format::AnthropicMessages;
    let spoken = codecs::Spoken { format, model: "m", stream: false, events: true };
    codecs::decode(spoken, body.as_bytes()).unwrap().request
}

#[test]
fn text_is_counted_as_o200k_cuts_it() {
    let tokenizer = tiktoken_rs::o200k_base_singleton();
    // The published example of OpenAI's cookbook.
    assert_eq!(of_text(tokenizer, "antidisestablishmentarianism"), 6);
    assert_eq!(of_text(tokenizer, ""), 0);
    let long = "word ".repeat(20_000);
    let tokens = of_text(tokenizer, &long);
    assert!((20_000..20_100).contains(&tokens), "{tokens}");
}

#[test]
fn everything_that_is_sent_counts() {
    let tokenizer = tiktoken_rs::o200k_base_singleton();
    let of = |body: &str| of_request(tokenizer, &request(body));
    let bare = of(r#"{"model":"m","messages":[{"role":"user","content":"Hello there"}]}"#);
    assert_eq!(bare, 4 + 2);
    let more = of(
        r#"{"model":"m","system":"Be brief.","messages":[{"role":"user","content":[{"type":"text","text":"Hello there"},
            {"type":"image","source":{"type":"url","url":"https://example.com/a.png"}}]}],
            "tools":[{"name":"get_weather","description":"Weather","input_schema":{"type":"object"}}]}"#,
    );
    assert!(more > bare + PICTURE + 10, "{more}");
}
