use super::base_url::BaseUrl;
use super::*;

fn is_variable(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
}

#[test]
fn rows_are_sorted_by_distinct_names_so_that_each_is_found() {
    assert!(all().len() >= 100, "only {} rows", all().len());
    for pair in all().windows(2) {
        assert!(pair[0].name < pair[1].name, "{} must stand before {}", pair[1].name, pair[0].name);
    }
    for row in all() {
        assert_eq!(find(row.name).map(|found| found.title), Some(row.title));
    }
    assert!(find("nobody").is_none());
}

#[test]
fn no_name_is_both_here_and_missing() {
    for (name, reason) in NOT_YET {
        assert!(find(name).is_none(), "{name} has a row");
        assert!(!reason.is_empty());
    }
    let mut names: Vec<_> = NOT_YET.iter().map(|(name, _)| name).collect();
    names.dedup();
    assert_eq!(names.len(), NOT_YET.len());
}

#[test]
fn every_base_url_is_https_or_local() {
    for row in all() {
        let Some(base_url) = row.base_url else { continue };
        assert!(!base_url.ends_with('/'), "{}", row.name);
        let filled = match placeholder(base_url) {
            Some((before, name, after)) => {
                assert!(is_variable(name), "{}", row.name);
                format!("{before}value{after}")
            }
            None => base_url.to_owned(),
        };
        let base = BaseUrl::parse(&filled).unwrap_or_else(|problem| panic!("{}: {problem}", row.name));
        assert_eq!(base.query, None, "{}", row.name);
        assert_eq!(base.secure, !row.local, "{}", row.name);
    }
}

#[test]
fn every_row_can_be_used() {
    for row in all() {
        assert!(!row.title.is_empty() && !row.speaks.is_empty(), "{}", row.name);
        let whole = |path: &str| path.starts_with('/') || path.starts_with("https://");
        assert!(row.speaks.iter().all(|speaks| whole(speaks.path)), "{}", row.name);
        let mut names = row.key_env.iter().chain(row.base_env);
        assert!(names.all(|name| is_variable(name)), "{}", row.name);
        assert!(row.key != KeyRule::Required || !row.key_env.is_empty(), "{} has no key variable", row.name);
        assert!(row.headers.iter().all(|(name, _)| *name == name.to_ascii_lowercase()), "{}", row.name);
    }
}

#[test]
fn only_openai_itself_and_its_legacy_name_take_its_key() {
    let takers: Vec<_> =
        all().iter().filter(|row| row.key_env.contains(&"OPENAI_API_KEY")).map(|row| row.name).collect();
    assert_eq!(takers, ["openai", "text-completion-openai"]);
}

#[test]
fn the_callers_own_format_is_preferred() {
    let speak = |name: &str, operation, caller| {
        find(name).unwrap().speak(operation, caller, "m").map(|speaks| (speaks.format, speaks.path))
    };
    assert_eq!(
        speak("groq", Operation::Chat, Format::OpenAiChat),
        Some((Format::OpenAiChat, "/chat/completions"))
    );
    assert_eq!(speak("ollama", Operation::Chat, Format::OpenAiChat), Some((Format::OllamaChat, "/api/chat")));
    assert_eq!(
        speak("ollama", Operation::Embedding, Format::OllamaEmbed),
        Some((Format::OllamaEmbed, "/api/embed"))
    );
    assert_eq!(speak("groq", Operation::Embedding, Format::OpenAiEmbeddings), None);

    static BOTH: Provider = Provider {
        speaks: &[Speaks::at(Format::OpenAiChat, "/a"), Speaks::at(Format::OllamaChat, "/b")],
        ..row_for_test()
    };
    assert_eq!(BOTH.speak(Operation::Chat, Format::OllamaChat, "m").map(|speaks| speaks.path), Some("/b"));
    assert_eq!(
        BOTH.speak(Operation::Chat, Format::OpenAiCompletions, "m").map(|speaks| speaks.path),
        Some("/a")
    );
}

const fn row_for_test() -> Provider {
    row::host("test", "Test", "https://test.example", &[])
}

#[test]
fn exception_names_are_those_clients_match_on() {
    for (name, tag) in [
        ("openai", "OpenAIException"),
        ("azure", "AzureException"),
        ("groq", "GroqException"),
        ("together_ai", "Together_aiException"),
    ] {
        assert_eq!(find(name).unwrap().exception_name(), tag);
    }
}

#[test]
fn the_base_comes_from_the_environment_before_the_row() {
    let base = |name: &str, variables: &'static [(&str, &str)]| {
        find(name).unwrap().base(|wanted| {
            variables.iter().find(|(variable, _)| *variable == wanted).map(|(_, value)| (*value).to_owned())
        })
    };
    assert_eq!(base("groq", &[]).as_deref(), Some("https://api.groq.com/openai/v1"));
    assert_eq!(base("groq", &[("GROQ_API_BASE", "")]).as_deref(), Some("https://api.groq.com/openai/v1"));
    assert_eq!(base("groq", &[("GROQ_API_BASE", "http://proxy/v1")]).as_deref(), Some("http://proxy/v1"));
    assert_eq!(
        base("openai", &[("OPENAI_API_BASE", "http://second"), ("OPENAI_BASE_URL", "http://first")])
            .as_deref(),
        Some("http://first")
    );
    assert_eq!(base("hosted_vllm", &[("OPENAI_API_BASE", "https://api.openai.com/v1")]), None);
    assert_eq!(
        base("cloudflare", &[("CLOUDFLARE_ACCOUNT_ID", "abc123")]).as_deref(),
        Some("https://api.cloudflare.com/client/v4/accounts/abc123/ai/v1")
    );
    assert_eq!(base("cloudflare", &[]), None);
    assert_eq!(base("snowflake", &[("SNOWFLAKE_ACCOUNT_ID", "evil.example/")]), None);
}

#[test]
fn keys_travel_in_the_header_the_vendor_reads() {
    let header = |name: &str, key: &str| find(name).unwrap().auth.header(key);
    assert_eq!(header("groq", "k"), Some(("authorization", "Bearer k".to_owned())));
    assert_eq!(header("sarvam", "k"), Some(("api-subscription-key", "k".to_owned())));
    assert_eq!(header("snowflake", "pat/k"), Some(("authorization", "Bearer k".to_owned())));
    assert_eq!(header("snowflake", "jwt"), Some(("authorization", "Bearer jwt".to_owned())));
    let kind = |key| find("snowflake").unwrap().auth.kind_header(key).unwrap().1;
    assert_eq!((kind("pat/k"), kind("jwt")), ("PROGRAMMATIC_ACCESS_TOKEN", "KEYPAIR_JWT"));
    assert_eq!(find("groq").unwrap().auth.kind_header("k"), None);
    assert_eq!(header("replicate", "k"), Some(("authorization", "Token k".to_owned())));
    assert_eq!(header("bytez", "k"), Some(("authorization", "Key k".to_owned())));
    assert_eq!(header("demo", "k"), None);
    assert_eq!(header("watsonx", "k"), None, "an IBM key is exchanged, never shown");
    assert_eq!(header("sagemaker", "k"), None, "an AWS key signs");
}

#[test]
fn what_runs_at_home_is_marked_so() {
    let local = |name: &str| find(name).unwrap().local;
    assert!(local("ollama") && local("hosted_vllm") && local("demo"));
    assert!(!local("openai") && !local("openai_like") && !local("litellm_proxy"));
}

#[test]
fn a_format_that_only_some_models_speak_is_never_the_only_way_by_accident() {
    // These ask each model in one way of its own.
    let by_model = ["perplexity", "vertex_ai", "vertex_ai_beta"];
    for row in all().iter().filter(|row| !by_model.contains(&row.name)) {
        for model in ["m", "a/b", "claude-x", "gpt-5", "deployment/x"] {
            let ways: Vec<_> = row.ways(model).collect();
            assert!(!ways.is_empty(), "{}/{model} cannot be asked for anything", row.name);
            let chats = ways.iter().filter(|speaks| speaks.format == Format::OpenAiChat).count();
            assert!(chats <= 1, "{}/{model}", row.name);
        }
        let ways = row.speaks.iter().map(|speaks| speaks.format);
        let chat = ways.clone().find(|format| format.operation() == Operation::Chat);
        let spoken = ways.clone().any(|format| format == Format::OpenAiChat);
        assert!(
            !spoken || chat == Some(Format::OpenAiChat),
            "{}: most callers speak OpenAI's chat",
            row.name
        );
    }
}

#[test]
fn what_the_gateway_asks_of_a_row_is_a_column() {
    let names = |holds: fn(&Provider) -> bool| -> Vec<_> {
        all().iter().filter(|row| holds(row)).map(|row| row.name).collect()
    };
    assert_eq!(names(|row| row.chat_models), ["azure", "azure_ai", "openai"]);
    assert_eq!(names(|row| row.organization.is_some()), ["openai", "text-completion-openai"]);
}
