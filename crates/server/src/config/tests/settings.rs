//! What a file with everything in it comes to.

use std::path::Path;
use std::time::Duration;

use secrecy::ExposeSecret as _;
use serde_json::json;

use super::super::load;
use crate::env::Environment;

fn loaded(name: &str, pairs: &[(&str, &str)]) -> super::super::Loaded {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/configs").join(name);
    load(&path, &pairs.iter().copied().collect()).unwrap()
}

fn written(text: &str, pairs: &[(&str, &str)]) -> Result<super::super::Loaded, String> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("config.yaml");
    std::fs::write(&path, text).unwrap();
    load(&path, &pairs.iter().copied().collect::<Environment>()).map_err(|report| report.to_string())
}

#[test]
fn everything_arrives_where_it_counts() {
    let pairs = [("HOUSE_BASE", "https://llm.example.com/v1"), ("GROQ_FROM_OUTSIDE", "gsk-outside")];
    let loaded = loaded("everything.yaml", &pairs);
    let settings = &loaded.settings;
    let names: Vec<&str> =
        settings.deployments.iter().map(|deployment| deployment.model_name.as_str()).collect();
    assert_eq!(names, ["fast", "house", "anything/*"], "included lists are appended");
    let fast = &settings.deployments[0];
    assert_eq!(json!(fast.defaults), json!({"temperature": 0, "custom_field": 8, "max_tokens": 1000}));
    assert_eq!(fast.timeout, Some(Duration::from_secs(45)));
    assert_eq!((fast.rpm, fast.drop_params), (Some(60), Some(true)));
    assert_eq!(json!(fast.prices), json!({"input_cost_per_token": "3e-7"}));
    assert_eq!(json!(fast.model_info), json!({"id": "groq-1", "base_model": "llama", "mode": "chat"}));
    let house = &settings.deployments[1];
    assert_eq!(house.api_base.as_deref(), Some("https://llm.example.com/v1"));
    assert_eq!(house.api_key.as_ref().unwrap().expose_secret(), "house-key-from-the-file");
    assert_eq!(house.organization, None, "a missing variable is null");
    assert_eq!(
        (house.extra_headers[0].0.as_str(), house.extra_headers[0].1.expose_secret()),
        ("X-Team", "blue")
    );
    let shown = json!(house.shown_params).to_string();
    assert!(
        !shown.contains("house-key") && !shown.contains("blue") && shown.contains("llm.example.com"),
        "{shown}"
    );
    assert_eq!(settings.providers["groq"].api_key.as_ref().unwrap().expose_secret(), "gsk-outside");
    assert_eq!((settings.aliases["quiet"].target.as_str(), settings.aliases["quiet"].hidden), ("fast", true));
    assert_eq!(settings.routing.num_retries, 1, "router_settings win");
    assert_eq!(settings.routing.timeout, Duration::from_secs(30));
    assert!(settings.routing.drop_params);
    assert_eq!(settings.general.max_request_bytes, 2 << 20);
    assert_eq!(settings.general.key_header.as_deref(), Some("X-House-Key"));
    assert_eq!(loaded.files.len(), 2);
}

#[test]
fn a_master_key_that_is_missing_or_empty_does_not_open_the_gateway() {
    let file = "model_list: []\ngeneral_settings: {master_key: os.environ/MY_KEY}";
    assert!(written(file, &[]).unwrap_err().contains("MY_KEY is not set"));
    assert!(written(file, &[("MY_KEY", "")]).unwrap_err().contains("`master_key` is empty"));
    let fallback = written(file, &[("LITELLM_MASTER_KEY", "sk-from-the-environment")]).unwrap();
    assert_eq!(fallback.settings.general.master_key.unwrap().expose_secret(), "sk-from-the-environment");
    let well_known = written("model_list: []", &[("LITELLM_MASTER_KEY", "sk-1234")]).unwrap();
    assert!(well_known.notices[0].message.contains("LITELLM_MASTER_KEY is a key from tutorials"));
}

#[test]
fn blocked_entries_and_those_of_another_environment_are_left_out() {
    let entry = |name: &str, rest: &str| {
        format!("- model_name: {name}\n  litellm_params: {{model: openai/gpt-4o}}\n  {rest}\n")
    };
    let list = [
        entry("here", "model_info: {supported_environments: [staging]}"),
        entry("there", "model_info: {supported_environments: [production]}"),
        entry("blocked", "blocked: true"),
    ];
    let loaded =
        written(&format!("model_list:\n{}", list.concat()), &[("LITELLM_ENVIRONMENT", "staging")]).unwrap();
    let names: Vec<_> = loaded.settings.deployments.iter().map(|deployment| &deployment.model_name).collect();
    assert_eq!(names, ["here"]);
}

#[test]
fn two_entries_cannot_share_an_id() {
    let entry = "- model_name: a\n  litellm_params: {model: openai/gpt-4o}\n  model_info: {id: one}\n";
    let error = written(&format!("model_list:\n{entry}{entry}"), &[]).unwrap_err();
    assert!(error.contains("the id `one` is also that of the entry on line 2"), "{error}");
}

#[test]
fn references_inside_of_lists_of_texts_stay_as_they_are() {
    let file = "model_list:\n- model_name: a\n  litellm_params:\n    model: openai/gpt-4o\n    stop: [os.environ/STOP]";
    let loaded = written(file, &[("STOP", "x")]).unwrap();
    assert_eq!(json!(loaded.settings.deployments[0].defaults), json!({"stop": ["os.environ/STOP"]}));
}
