//! Who may come in, and what nobody may decide from outside: where a call goes and with whose credentials.

use serde_json::{Value, json};

use crate::harness::{FakeProvider, ONE_MODEL, Stage, chat, with};

const PATH: &str = "/v1/chat/completions";
const MASTER: &str = "sk-master-7d1b";

fn locked() -> Stage {
    Stage::open(&format!(
        "{ONE_MODEL}\ngeneral_settings: {{master_key: {MASTER}, litellm_key_header_name: X-House-Key}}\n"
    ))
}

#[tokio::test]
async fn a_key_may_come_in_any_of_the_known_places() {
    let stage = locked();
    let bearer = format!("Bearer {MASTER}");
    let (lower, basic, spaced) =
        (format!("bearer {MASTER}"), format!("Basic {MASTER}"), format!("Bearer  {MASTER} "));
    let places = [
        ("authorization", bearer.as_str()),
        ("authorization", &lower),
        ("authorization", &basic),
        ("authorization", &spaced),
        ("api-key", MASTER),
        ("x-api-key", MASTER),
        ("x-goog-api-key", MASTER),
        ("ocp-apim-subscription-key", MASTER),
        ("x-litellm-api-key", MASTER),
        ("x-litellm-api-key", &bearer),
        ("x-house-key", MASTER),
        ("x-house-key", &bearer),
    ];
    for (name, value) in places {
        let reply = stage.server.request("POST", PATH, &[(name, value)], chat("chat").to_string()).await;
        assert_eq!(reply.status, 200, "{name}: {value}: {}", reply.text());
        let models = stage.server.request("GET", "/v1/models", &[(name, value)], "").await;
        assert_eq!(models.status, 200, "{name}: {value}");
    }
}

#[tokio::test]
async fn a_key_that_is_missing_wrong_or_none_is_refused_and_told_which() {
    let stage = locked();
    let long = format!("Bearer {}", "x".repeat(20_000));
    let (prefix, more) = (format!("Bearer {}", &MASTER[..MASTER.len() - 1]), format!("Bearer {MASTER}x"));
    let missing = "no valid API key was sent";
    let unknown = "Invalid API key provided";
    let not_a_key = "expected to start with 'sk-'";
    let sent = [
        ("", "auth_error", missing),
        ("Bearer", "auth_error", missing),
        ("Bearer ", "auth_error", missing),
        (MASTER, "auth_error", missing),
        ("Digest sk-master-7d1b", "auth_error", missing),
        ("Bearer sk-wrong", "token_not_found_in_db", unknown),
        (&prefix, "token_not_found_in_db", unknown),
        (&more, "token_not_found_in_db", unknown),
        ("Bearer ' OR 1=1 --", "auth_error", not_a_key),
        (&long, "auth_error", not_a_key),
    ];
    for (value, kind, words) in sent {
        let reply =
            stage.server.request("POST", PATH, &[("authorization", value)], chat("chat").to_string()).await;
        let error = &reply.json()["error"];
        assert_eq!((reply.status, error["type"].as_str()), (401, Some(kind)), "{value}");
        let message = error["message"].as_str().unwrap();
        assert!(message.contains(words) && message.len() < 300, "{value}: {message}");
    }
    assert!(stage.provider.requests().is_empty());
}

#[tokio::test]
async fn the_configured_header_decides_when_it_is_there() {
    let stage = locked();
    let bearer = format!("Bearer {MASTER}");
    let both = [("x-house-key", "wrong"), ("authorization", bearer.as_str())];
    let reply = stage.server.request("POST", PATH, &both, chat("chat").to_string()).await;
    assert_eq!(reply.status, 401);
}

#[tokio::test]
async fn every_route_but_the_public_ones_needs_the_key() {
    let stage = locked();
    let document = stage.server.get("/openapi.json").await.json();
    let public = [
        "/health/liveliness",
        "/health/liveness",
        "/health/readiness",
        "/public/providers",
        "/public/providers/fields",
        "/.well-known/litellm-ui-config",
        "/litellm/.well-known/litellm-ui-config",
    ];
    // Here a password or the secret of a link is what lets one in.
    let ways_in = ["/login", "/v2/login", "/onboarding/get_token", "/onboarding/claim_token"];
    let mut closed = 0;
    let paths = document["paths"].as_object().unwrap().iter();
    for (path, item) in paths.filter(|(path, _)| !ways_in.contains(&path.as_str())) {
        let concrete = path
            .replace("{model}", "chat")
            .replace("{model_id}", "chat")
            .replace("{*model_id}", "chat")
            .replace("{id}", "resp_1");
        for method in item.as_object().unwrap().keys() {
            let reply = stage.server.request(&method.to_uppercase(), &concrete, &[], "").await;
            let expected = if public.contains(&path.as_str()) { 200 } else { 401 };
            assert_eq!(reply.status, expected, "{method} {concrete}: {}", reply.text());
            closed += u32::from(expected == 401);
        }
    }
    assert!(closed > 20, "{closed}");
}

#[tokio::test]
async fn crafted_paths_do_not_lead_around_the_key() {
    let stage = locked();
    let paths = [
        "//model/info",
        "/model/info/",
        "/model//info",
        "/./model/info",
        "/health/liveness/../../model/info",
        "/docs/%2e%2e/model/info",
        "/model%2finfo",
        "/MODEL/INFO",
        "/model/info;x",
        "/model/info%00",
        "http://health/model/info",
        "http://localhost/model/info?/health/liveness",
    ];
    for path in paths {
        for method in ["GET", "POST", "HEAD"] {
            let request = format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
            let answer = stage.server.raw(request).await;
            let status = answer.get(9..12).unwrap_or_default();
            assert!(matches!(status, "400" | "401" | "404" | "405"), "{method} {path}: {answer}");
            assert!(!answer.contains("litellm_params"), "{method} {path}: {answer}");
        }
    }
}

#[tokio::test]
async fn a_bad_body_is_not_even_looked_at_without_a_key() {
    let stage = locked();
    let reply = stage.server.request("POST", PATH, &[], "{").await;
    assert_eq!(reply.status, 401);
}

#[tokio::test]
async fn without_a_master_key_only_this_machine_is_served() {
    let stage = Stage::open(ONE_MODEL);
    let body = chat("chat").to_string();
    let ask = |headers: &'static [(&'static str, &'static str)]| {
        stage.server.request("POST", PATH, headers, body.clone())
    };
    for welcome in [
        &[("host", "localhost:4000")][..],
        &[("host", "[::1]:4000")],
        &[("host", "127.0.0.1")],
        &[("origin", "http://localhost:3000")],
    ] {
        assert_eq!(ask(welcome).await.status, 200, "{welcome:?}");
    }
    for stranger in [
        &[("host", "evil.example")][..],
        &[("host", "localhost.evil.example")],
        &[("host", "10.0.0.5:4000")],
        &[("origin", "https://evil.example")],
        &[("origin", "https://localhost.evil.example")],
        &[("origin", "null")],
    ] {
        let reply = ask(stranger).await;
        assert_eq!(reply.status, 403, "{stranger:?}: {}", reply.text());
        assert!(reply.message().contains("master_key"), "{}", reply.text());
    }
    let reply = stage.server.request("GET", "/model/info", &[("host", "evil.example")], "").await;
    assert_eq!(reply.status, 403, "management routes are behind the same door");
}

#[tokio::test]
async fn a_caller_cannot_choose_the_destination_or_its_credentials() {
    let stage = Stage::open(ONE_MODEL);
    let stranger = FakeProvider::start().unwrap();
    let url = stranger.base_url();
    let fields = [
        "api_base",
        "base_url",
        "api_key",
        "api_version",
        "user_config",
        "model_list",
        "litellm_params",
        "custom_llm_provider",
        "aws_bedrock_runtime_endpoint",
        "aws_sts_endpoint",
        "vertex_project",
        "vertex_location",
        "vertex_credentials",
        "azure_ad_token",
        "langfuse_host",
        "extra_headers",
    ];
    for field in fields {
        for value in [json!(url), json!({"api_base": url}), json!([]), Value::Null] {
            let reply = stage.server.chat(&with(chat("chat"), json!({field: value}))).await;
            assert_eq!(reply.status, 401, "{field}: {}", reply.text());
            assert!(reply.message().contains(field), "{}", reply.text());
        }
    }
    let escaped = format!("{{\"model\":\"chat\",\"messages\":[],\"api\\u005fbase\":\"{url}\"}}");
    assert_eq!(stage.server.request("POST", PATH, &[], escaped).await.status, 401);
    assert!(stage.provider.requests().is_empty() && stranger.requests().is_empty());
}

#[tokio::test]
async fn nested_addresses_never_change_the_destination() {
    let stage = Stage::open(ONE_MODEL);
    let stranger = FakeProvider::start().unwrap();
    let inside = json!({
        "api_base": stranger.base_url(), "base_url": stranger.base_url(), "api_key": "sk-stranger", "litellm_params": {"api_base": stranger.base_url()},
    });
    for field in [
        "extra_body",
        "metadata",
        "litellm_metadata",
        "cache",
        "fallbacks",
        "callback_url",
        "webhook_url",
        "unknown",
    ] {
        let value = if field == "fallbacks" { json!([inside]) } else { inside.clone() };
        stage.server.chat(&with(chat("chat"), json!({field: value}))).await;
    }
    let headers = [
        ("x-api-base", stranger.base_url()),
        ("x-litellm-api-base", stranger.base_url()),
        ("x-custom-host", stranger.base_url()),
    ];
    let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let reply = stage
        .server
        .request("POST", "/v1/chat/completions?api_base=http://stranger", &headers, chat("chat").to_string())
        .await;
    assert_eq!(reply.status, 200);
    assert!(stranger.requests().is_empty());
    for request in stage.provider.requests() {
        assert!(!request.headers.iter().any(|(_, value)| value.contains("stranger")), "{request:?}");
        assert_eq!((request.path.as_str(), request.query.as_str()), (PATH, ""));
    }
}

#[tokio::test]
async fn a_redirect_does_not_carry_the_key_elsewhere() {
    let stage = Stage::open(ONE_MODEL);
    let stranger = FakeProvider::start().unwrap();
    for status in [301, 302, 307, 308] {
        let headers = json!({"location": format!("{}/v1/chat/completions", stranger.base_url())});
        stage.script("up", json!({"status": status, "headers": headers}));
        let reply = stage.server.chat(&chat("chat")).await;
        assert_eq!(reply.status, 500, "{status}: {}", reply.text());
    }
    assert!(stranger.requests().is_empty());
}

#[tokio::test]
async fn pages_of_other_origins_may_ask_with_a_key() {
    let stage = locked();
    let asked = [
        ("origin", "https://app.example"),
        ("access-control-request-method", "POST"),
        ("access-control-request-headers", "authorization,content-type"),
    ];
    let preflight = stage.server.request("OPTIONS", PATH, &asked, "").await;
    assert_eq!(preflight.status, 200);
    assert_eq!(preflight.header("access-control-allow-origin"), Some("*"));
    assert_eq!(preflight.header("access-control-allow-headers"), Some("authorization,content-type"));
    assert_eq!(preflight.header("access-control-allow-credentials"), None);
    let bearer = format!("Bearer {MASTER}");
    let sent = [("origin", "https://app.example"), ("authorization", bearer.as_str())];
    let reply = stage.server.request("POST", PATH, &sent, chat("chat").to_string()).await;
    assert_eq!((reply.status, reply.header("access-control-allow-origin")), (200, Some("*")));
}

#[tokio::test]
async fn a_locked_gateway_does_not_care_by_which_name_it_is_reached() {
    let stage = locked();
    let sent = [("host", "gateway.example"), ("x-api-key", MASTER)];
    assert_eq!(stage.server.request("GET", "/v1/models", &sent, "").await.status, 200);
}
