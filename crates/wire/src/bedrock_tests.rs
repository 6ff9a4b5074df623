//! Model strings as LiteLLM's users write them, and where they lead.

use super::{Address, Route, base_id, host, is_region, needs_bytes};

const CLAUDE: &str = "anthropic.claude-sonnet-4-5-20250929-v1:0";
const PROFILE: &str = "arn:aws:bedrock:eu-central-1:123456789012:application-inference-profile/a1b2c3";

#[test]
fn model_strings_are_taken_apart() {
    let nova = "us.amazon.nova-pro-v1:0";
    for (model, route, region, family, id) in [
        (nova, Route::Converse, None, None, nova),
        ("bedrock/us.amazon.nova-pro-v1:0", Route::Converse, None, None, nova),
        ("bedrock/converse/us.amazon.nova-pro-v1:0", Route::Converse, None, None, nova),
        ("invoke/us-east-1/us.amazon.nova-pro-v1:0", Route::Invoke, Some("us-east-1"), None, nova),
        ("us-gov-west-1/us.amazon.nova-pro-v1:0", Route::Converse, Some("us-gov-west-1"), None, nova),
        (
            "us-east-1/1-month-commitment/us.amazon.nova-pro-v1:0",
            Route::Converse,
            Some("us-east-1"),
            None,
            nova,
        ),
        ("agent/AGENT/ALIAS", Route::Other("agent"), None, None, "AGENT/ALIAS"),
        ("converse/openai/gpt", Route::Converse, None, None, "openai/gpt"),
        (PROFILE, Route::Converse, Some("eu-central-1"), None, PROFILE),
        (
            "invoke/llama/arn:aws:bedrock:us-east-1:1:imported-model/r4",
            Route::Invoke,
            Some("us-east-1"),
            Some("llama"),
            "arn:aws:bedrock:us-east-1:1:imported-model/r4",
        ),
    ] {
        assert_eq!(Address::of(model), Address { route, region, family, id }, "{model}");
    }
    assert_eq!(Address::of(&format!("us-west-2/{PROFILE}")).region, Some("us-west-2"));
}

#[test]
fn paths_are_encoded_once() {
    let path = |model: &str, stream| Address::of(model).path(stream);
    let claude = "/model/anthropic.claude-sonnet-4-5-20250929-v1%3A0";
    for (route, stream, verb) in [
        ("converse", false, "converse"),
        ("converse", true, "converse-stream"),
        ("invoke", false, "invoke"),
        ("invoke", true, "invoke-with-response-stream"),
    ] {
        assert_eq!(path(&format!("{route}/{CLAUDE}"), stream).unwrap(), format!("{claude}/{verb}"));
    }
    assert_eq!(
        path(PROFILE, false).unwrap(),
        "/model/arn%3Aaws%3Abedrock%3Aeu-central-1%3A123456789012%3Aapplication-inference-profile%2Fa1b2c3/converse"
    );
    assert_eq!(path("../../x", false).unwrap(), "/model/..%2F..%2Fx/converse");
    assert_eq!(path("mantle/gpt", false), None);
}

#[test]
fn regions_are_checked_before_they_name_a_host() {
    assert_eq!(host("us-east-1").unwrap(), "bedrock-runtime.us-east-1.amazonaws.com");
    assert_eq!(host("cn-north-1").unwrap(), "bedrock-runtime.cn-north-1.amazonaws.com.cn");
    for hostile in
        ["", "us-east-1.evil.example/", "us-east-1@evil", "us-east-", "us-east-123", "US-east-1", "x-1"]
    {
        assert!(!is_region(hostile) && host(hostile).is_none(), "{hostile}");
    }
}

#[test]
fn profiles_are_peeled_off() {
    for (id, base) in [
        ("us.anthropic.claude-x", "anthropic.claude-x"),
        ("us-gov.anthropic.claude-x", "anthropic.claude-x"),
        ("global.amazon.nova-2-lite-v1:0", "amazon.nova-2-lite-v1:0"),
        ("anthropic.claude-x", "anthropic.claude-x"),
        ("arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-x", "anthropic.claude-x"),
        ("arn:aws:bedrock:us-east-1:1:inference-profile/apac.anthropic.claude-x", "anthropic.claude-x"),
        (PROFILE, "a1b2c3"),
    ] {
        assert_eq!(base_id(id), base);
    }
}

#[test]
fn only_s3_is_fetched_by_bedrock() {
    assert!(!needs_bytes("s3://bucket/cat.png"));
    assert!(needs_bytes("https://example.com/cat.png") && needs_bytes("http://example.com/cat.png"));
}
