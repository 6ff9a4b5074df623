use std::fmt::Write;
use std::sync::LazyLock;
use std::time::Duration;

use wire::format::Operation;
use wire::reply::Usage;

use super::*;
use crate::price::Prices;

static CATALOG: LazyLock<Catalog> = LazyLock::new(|| Catalog::bundled().unwrap());

/// A map of `count` models of OpenAI and whatever `more` says.
fn map(count: usize, more: &str) -> String {
    let mut text = String::from("{");
    for index in 0..count {
        write!(text, "\"m{index}\": {{\"litellm_provider\": \"openai\"}},").unwrap();
    }
    text + more + "}"
}

fn row_name(provider: &str, model: &str, base: Option<&str>, region: Option<&str>) -> Option<String> {
    CATALOG.row(provider, model, base, region).map(|row| row.name.to_owned())
}

#[test]
fn the_bundled_catalog_is_whole() {
    assert!(CATALOG.len() > 4_000);
    let row = CATALOG.get("claude-sonnet-4-5").unwrap();
    assert_eq!((row.provider(), row.mode()), (Some("anthropic"), Some("chat")));
    assert_eq!((row.max_input_tokens(), row.max_output_tokens()), (Some(200_000), Some(64_000)));
    assert_eq!((row.flag("supports_vision"), row.flag("supports_flying")), (Some(true), None));
    assert_eq!(CATALOG.get("_about"), None);
}

#[test]
fn the_build_script_and_the_reader_agree() {
    let read = Catalog::parse(include_str!("../../catalog/models.json")).unwrap();
    assert_eq!(read.text, CATALOG.text);
}

#[test]
fn every_bundled_row_can_be_read_and_priced() {
    for name in CATALOG.names() {
        let row = CATALOG.get(name).unwrap();
        assert_eq!(row.name, name);
        Prices::read(row.provider().unwrap(), &[], Some(&row.fields))
            .unwrap_or_else(|error| panic!("{name}: {error}"));
    }
}

#[test]
fn prices_come_out_as_published() {
    let usage = Usage { input: 1_000, cache_read: 600, cache_write: 200, output: 100, ..Usage::default() };
    for (provider, model, total) in [
        ("anthropic", "claude-sonnet-4-5", Some("0.00303")),
        ("openai", "gpt-4o", Some("0.00275")),
        ("openai", "no-such-model", None),
    ] {
        let row = CATALOG.row(provider, model, None, None);
        let prices = Prices::read(provider, &[], row.as_ref().map(|row| &row.fields)).unwrap();
        let charge = prices.cost(Operation::Chat, &usage, Duration::ZERO, 0);
        assert_eq!(charge.map(|charge| charge.total.to_string()).as_deref(), total, "{model}");
    }
}

#[test]
fn a_row_is_found_under_every_name_a_model_goes_by() {
    for (provider, model, found) in [
        ("openai", "gpt-4o", "gpt-4o"),
        ("openai", "openai/gpt-4o", "gpt-4o"),
        ("openai", "GPT-4o", "gpt-4o"),
        ("azure", "gpt-4o", "azure/gpt-4o"),
        ("azure_ai", "gpt-4o", "gpt-4o"),
        ("litellm_proxy", "gpt-4o", "gpt-4o"),
        ("openai", "ft:gpt-4o-2024-08-06:acme::abc123", "ft:gpt-4o-2024-08-06"),
        ("openai", "gpt-3.5-turbo-instruct", "gpt-3.5-turbo-instruct"),
        ("cohere", "command-r-plus-08-2024", "command-r-plus-08-2024"),
        ("groq", "openai/gpt-oss-120b", "groq/openai/gpt-oss-120b"),
        ("deepseek", "deepseek-v4-pro", "deepseek/deepseek-v4-pro"),
        ("vertex_ai", "gemini-2.5-pro", "gemini-2.5-pro"),
        ("vertex_ai", "gemini-2.5-pro-001", "gemini-2.5-pro"),
        ("gemini", "gemini-2.5-pro-002", "gemini/gemini-2.5-pro"),
        ("bedrock", "anthropic.claude-opus-4-7", "anthropic.claude-opus-4-7"),
        ("bedrock", "converse/us.anthropic.claude-opus-4-7", "us.anthropic.claude-opus-4-7"),
        ("bedrock", "invoke/us-east-1/anthropic.claude-opus-4-7", "anthropic.claude-opus-4-7"),
        ("bedrock", "ca.anthropic.claude-opus-4-7", "anthropic.claude-opus-4-7"),
        (
            "bedrock",
            "arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-opus-4-7",
            "anthropic.claude-opus-4-7",
        ),
        ("together_ai", "acme/new-model-70b-instruct", "together-ai-41.1b-80b"),
        ("fireworks_ai", "acme/new-8x7b-chat", "fireworks-ai-moe-up-to-56b"),
        ("fireworks_ai", "acme/new-13B", "fireworks-ai-4.1b-to-16b"),
    ] {
        assert_eq!(row_name(provider, model, None, None).as_deref(), Some(found), "{provider} {model}");
    }
}

#[test]
fn a_row_of_another_provider_is_not_a_price() {
    for (provider, model) in [
        ("anthropic", "gpt-4o"),
        ("groq", "gpt-4o"),
        ("hosted_vllm", "claude-sonnet-4-5"),
        ("together_ai", "acme/new-model"),
        ("fireworks_ai", "acme/new-100x100b"),
        ("openai", ""),
    ] {
        assert_eq!(row_name(provider, model, None, None), None, "{provider} {model}");
    }
}

#[test]
fn base_model_and_region_come_first() {
    assert_eq!(row_name("azure", "my-deployment", None, None), None);
    assert_eq!(row_name("azure", "my-deployment", Some("gpt-4o"), None).as_deref(), Some("azure/gpt-4o"));
    assert_eq!(row_name("azure", "gpt-4o", Some("azure/gpt-5.1"), None).as_deref(), Some("azure/gpt-5.1"));
    assert_eq!(row_name("azure", "gpt-5.1", None, Some("eu")).as_deref(), Some("azure/eu/gpt-5.1"));
    assert_eq!(row_name("azure", "gpt-5.1", None, Some("mars")).as_deref(), Some("azure/gpt-5.1"));
    assert_eq!(
        row_name("hosted_vllm", "mine", Some("groq/openai/gpt-oss-120b"), None).as_deref(),
        Some("groq/openai/gpt-oss-120b")
    );
    assert_eq!(row_name("openai", "gpt-4o", Some("unheard-of"), None).as_deref(), Some("gpt-4o"));
}

#[test]
fn bare_names_lead_to_their_provider() {
    for (model, provider) in [
        ("gpt-5", Some("openai")),
        ("claude-sonnet-4-5", Some("anthropic")),
        ("claude-epic-9", Some("anthropic")),
        ("eu.anthropic.claude-epic-9-v1:0", Some("bedrock")),
        ("gemini-2.5-pro", Some("vertex_ai")),
        ("anthropic.claude-opus-4-7", Some("bedrock")),
        ("ft:gpt-9:acme::1", Some("openai")),
        ("my-model", None),
    ] {
        assert_eq!(CATALOG.provider_of(model).as_deref(), provider, "{model}");
    }
}

#[test]
fn models_are_listed_by_provider_once_and_without_prefix() {
    let deepseek: Vec<&str> = CATALOG.models_of("deepseek").collect();
    assert!(deepseek.contains(&"deepseek-v4-pro"));
    assert!(deepseek.iter().all(|model| !model.starts_with("deepseek/")));
    assert!(deepseek.is_sorted_by(|a, b| a < b));
    assert!(CATALOG.models_of("vertex_ai").any(|model| model == "gemini-2.5-pro"));
    assert_eq!(CATALOG.models_of("nobody").count(), 0);
}

#[test]
fn foreign_maps_are_read_and_their_templates_skipped() {
    let more = r#""sample_spec": {"max_input_tokens": "max tokens"},
        "fallback_generalizations": {"rules": []}, "x/Y\u0041": {"a": 1}, "m0": {"litellm_provider": "groq"}"#;
    let catalog = Catalog::parse(&map(60, more)).unwrap();
    assert_eq!(catalog.len(), 61);
    assert_eq!(catalog.get("sample_spec"), None);
    assert_eq!(catalog.get("X/ya").unwrap().name, "x/YA");
    assert_eq!(catalog.provider_of("m0").as_deref(), Some("groq"), "the last of a name that is given twice");
    let mut written = String::new();
    catalog.write_json(&mut written).unwrap();
    assert_eq!(Catalog::parse(&written).unwrap().len(), 61);
}

#[test]
fn what_is_no_catalog_is_refused() {
    for (text, message) in [
        ("[]".to_owned(), "the model catalog is not a JSON object"),
        ("<html>".to_owned(), "the model catalog is not a JSON object"),
        (map(60, r#""z": {}"#) + "x", "the model catalog is not a JSON object"),
        (map(60, r#""z": 3"#), "model \"z\" of the model catalog is not an object"),
        (map(48, r#""z": {}"#), "the model catalog has 49 models, fewer than 50"),
        (" ".repeat(MAX_TEXT_BYTES + 1), "the model catalog has 67108865 bytes, more than 67108864"),
    ] {
        let error = Catalog::parse(&text).expect_err(message).to_string();
        assert!(error.starts_with(message), "{error}");
    }
}

#[test]
fn a_map_that_shrinks_below_half_does_not_replace() {
    let of = |count| Catalog::parse(&map(count, r#""z": {}"#)).unwrap();
    assert_eq!(Catalog::accept_replacement(&of(120), of(60)).unwrap().len(), 61);
    let error = Catalog::accept_replacement(&of(122), of(60)).expect_err("too small");
    assert_eq!(error.to_string(), "the new model catalog has 61 models where the present one has 123");
}
