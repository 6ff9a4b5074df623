use super::*;

fn nothing(_: &str) -> Option<String> {
    None
}

fn found(model: &str, provider: Option<&str>, api_base: Option<&str>) -> Option<(&'static str, String)> {
    resolve(model, provider, api_base, nothing).ok().map(|it| (it.provider.name, it.model))
}

fn refusal(model: &str, provider: Option<&str>) -> String {
    resolve(model, provider, None, nothing).unwrap_err().to_string()
}

#[test]
fn a_name_is_read_in_order_and_loses_one_segment_at_most() {
    for (model, provider, name, rest) in [
        ("groq/llama-3", None, "groq", "llama-3"),
        ("together_ai/meta-llama/Llama-3", None, "together_ai", "meta-llama/Llama-3"),
        ("openai/openai/x", None, "openai", "openai/x"),
        ("openrouter/auto", None, "openrouter", "openrouter/auto"),
        ("openrouter/meta/llama", None, "openrouter", "meta/llama"),
        ("openrouter/openrouter/auto", None, "openrouter", "openrouter/auto"),
        ("gpt-4o", None, "openai", "gpt-4o"),
        ("ft:gpt-4o:org", None, "openai", "ft:gpt-4o:org"),
        ("o3", None, "openai", "o3"),
        ("text-embedding-3-small", None, "openai", "text-embedding-3-small"),
        ("groq/llama-3", Some("openai"), "openai", "groq/llama-3"),
        ("groq/llama-3", Some("groq"), "groq", "llama-3"),
        ("llama-3", Some(" groq "), "groq", "llama-3"),
        ("auto", Some("openrouter"), "openrouter", "auto"),
        ("gpt-4o", Some(""), "openai", "gpt-4o"),
    ] {
        assert_eq!(found(model, provider, None), Some((name, rest.to_owned())), "{model} {provider:?}");
    }
}

#[test]
fn a_base_counts_only_where_the_key_would_go_to_the_same_host() {
    let by_base = |base: &str| found("org/model", None, Some(base)).map(|(name, _)| name);
    for (base, name) in [
        ("https://api.groq.com/openai/v1", "groq"),
        ("https://api.groq.com/openai/v1/", "groq"),
        ("https://API.GROQ.com:443/openai/v1/chat/completions?x=y", "groq"),
        ("https://api.openai.com/v1", "openai"),
        ("https://api.anthropic.com", "anthropic"),
        ("https://dashscope.aliyuncs.com/compatible-mode/v1", "dashscope"),
    ] {
        assert_eq!(by_base(base), Some(name), "{base}");
    }
    for base in [
        "https://api.openai.com.evil.com/v1",
        "https://evil.com/api.openai.com/v1",
        "https://evil.com/v1?https://api.openai.com/v1",
        "https://api.openai.com@evil.com/v1",
        "https://api.openai.com\\@evil.com/v1",
        "https://evil-api.openai.com/v1",
        "https://api.openai.com./v1",
        "https://api.groq.com/openai/v12",
        "https://api.groq.com/openai",
        "https://api.groq.com:8443/openai/v1",
        "http://api.groq.com/openai/v1",
        "http://localhost:11434",
        "not a url",
    ] {
        assert_eq!(by_base(base), None, "{base}");
    }
    assert_eq!(
        found("org/model", None, Some("https://api.groq.com/openai/v1")),
        Some(("groq", "org/model".to_owned()))
    );
}

#[test]
fn the_catalog_knows_bare_names() {
    let catalog = |name: &'static str| move |_: &str| Some(name.to_owned());
    let resolved = resolve("claude-x", None, None, catalog("anthropic")).unwrap();
    assert_eq!((resolved.provider.name, resolved.model.as_str()), ("anthropic", "claude-x"));
    let family = resolve("gemini-x", None, None, catalog("vertex_ai-language-models")).unwrap();
    assert_eq!(family.provider.name, "vertex_ai");
    let stranger = resolve("gpt-4o", None, None, catalog("somebody new")).unwrap();
    assert_eq!(stranger.provider.name, "openai");
}

#[test]
fn a_known_provider_that_is_missing_says_why() {
    for text in [refusal("palm/chat-bison", None), refusal("chat-bison", Some("palm"))] {
        assert!(text.contains("\"palm\"") && text.contains("gemini/"), "{text}");
    }
}

#[test]
fn an_unknown_name_says_what_to_write() {
    let text = refusal("llama-3", None);
    assert!(text.contains("LLM Provider NOT provided") && text.contains("openai/llama-3"), "{text}");
    assert!(refusal("grok/llama-3", None).contains("did you mean groq/"), "one slip");
    assert!(refusal("fireworks-ai/x", None).contains("did you mean fireworks_ai/"), "a dash");
    assert!(!refusal("somebody/x", None).contains("did you mean"), "no likeness");
    let text = refusal("x", Some("gorq"));
    assert!(text.contains("\"gorq\"") && text.contains("did you mean groq/"), "{text}");
    assert!(refusal("x", Some("my-server")).contains("openai_like"));
}

#[test]
fn names_that_only_resemble_openais_are_not_sent_there() {
    for model in ["gptx", "o1ama", "gpt4all/x", "davincible", "o5", ""] {
        assert_eq!(found(model, None, None), None, "{model}");
    }
}

#[test]
fn an_empty_model_is_named() {
    for (model, provider) in [("", None), ("groq/", None), ("", Some("groq")), ("openrouter/", None)] {
        assert_eq!(resolve(model, provider, None, nothing).unwrap_err(), ResolveError::NoModel, "{model:?}");
    }
}

#[test]
fn a_name_of_any_length_gives_a_short_message() {
    let long = "é".repeat(1_000_000);
    assert!(refusal(&long, None).len() < 1000);
    assert!(refusal(&format!("{long}/x"), None).len() < 1000);
    assert!(refusal("x", Some(&long)).len() < 1000);
}

#[test]
fn every_row_is_reached_by_its_prefix() {
    for row in all() {
        let model = format!("{}/org/model", row.name);
        assert_eq!(found(&model, None, None), Some((row.name, "org/model".to_owned())));
    }
}
