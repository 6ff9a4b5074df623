//! Virtual keys through the management API: whose keys are shown to whom, and what their owners may change.

use serde_json::{Value, json};

use crate::harness::{Reply, Stage};

const MASTER: &str = "sk-master-7d1b0e";
const CONFIG: &str = "
model_list:
  - model_name: chat
    litellm_params: {model: openai/up, api_base: $FAKE/v1, api_key: k}
general_settings: {master_key: sk-master-7d1b0e}
";

async fn post(stage: &Stage, key: &str, path: &str, body: Value) -> Reply {
    let bearer = format!("Bearer {key}");
    stage.server.request("POST", path, &[("authorization", &bearer)], body.to_string()).await
}

async fn get(stage: &Stage, key: &str, path: &str) -> Reply {
    let bearer = format!("Bearer {key}");
    stage.server.request("GET", path, &[("authorization", &bearer)], "").await
}

async fn made(stage: &Stage, fields: Value) -> String {
    let reply = post(stage, MASTER, "/key/generate", fields).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.json()["key"].as_str().unwrap().to_owned()
}

/// Two people with a key each, and a key that is nobody's.
async fn people(stage: &Stage) -> (String, String, String) {
    for user in ["alice", "bob"] {
        let user = json!({"user_id": user, "user_role": "internal_user", "auto_create_key": false});
        let reply = post(stage, MASTER, "/user/new", user).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
    }
    (
        made(stage, json!({"user_id": "alice", "key_alias": "alices"})).await,
        made(stage, json!({"user_id": "bob", "key_alias": "bobs", "metadata": {"secret": "plan"}})).await,
        made(stage, json!({"key_alias": "nobodys"})).await,
    )
}

#[tokio::test]
async fn nobody_sees_the_keys_of_others() {
    let stage = Stage::open(CONFIG);
    let (alice, _, nobody) = people(&stage).await;
    for path in [
        "/key/list?user_id=bob&return_full_object=true",
        "/key/list?team_id=blue",
        "/key/list?organization_id=o",
    ] {
        for key in [&alice, &nobody] {
            let reply = get(&stage, key, path).await;
            assert_eq!(reply.status, 403, "{path}: {}", reply.text());
        }
    }
    let own = get(&stage, &alice, "/key/list?return_full_object=true").await.json();
    assert_eq!(
        (own["total_count"].as_u64(), own["keys"][0]["key_alias"].as_str()),
        (Some(1), Some("alices"))
    );
    assert_eq!(get(&stage, &nobody, "/key/list").await.json()["total_count"], 0);
    assert_eq!(get(&stage, &nobody, "/key/aliases").await.json()["aliases"], json!([]));
    assert_eq!(get(&stage, &alice, "/key/aliases").await.json()["aliases"], json!(["alices"]));
    let all = get(&stage, MASTER, "/key/list?sort_by=key_alias&sort_order=asc&return_full_object=true")
        .await
        .json();
    let aliases: Vec<&str> =
        all["keys"].as_array().unwrap().iter().map(|key| key["key_alias"].as_str().unwrap()).collect();
    assert_eq!(aliases, ["alices", "bobs", "nobodys"]);
}

#[tokio::test]
async fn an_owner_takes_back_nothing_that_was_set_on_a_key() {
    let stage = Stage::open(CONFIG);
    let (alice, bob, _) = people(&stage).await;
    let bound = json!({"user_id": "alice", "max_budget": 1, "models": ["chat"], "duration": "1h", "rpm_limit": 5,
        "metadata": {"guardrails": ["pii"]}});
    let bounded = made(&stage, bound).await;
    for change in [
        json!({"max_budget": 1000}),
        json!({"max_budget": null}),
        json!({"rpm_limit": 6}),
        json!({"models": []}),
        json!({"duration": "-1"}),
        json!({"duration": "30d"}),
        json!({"metadata": {}}),
        json!({"metadata": {"guardrails": ["pii"], "disable_global_guardrails": true}}),
        json!({"permissions": {"get_spend_routes": true}}),
        json!({"spend": 0.5}),
    ] {
        let mut body = change.clone();
        body["key"] = json!(bounded);
        let reply = post(&stage, &alice, "/key/update", body.clone()).await;
        assert_eq!(reply.status, 403, "{change}: {}", reply.text());
        let reply = post(&stage, &alice, "/key/regenerate", body).await;
        assert!(reply.status == 403 || change.get("spend").is_some(), "{change}: {}", reply.text());
    }
    let tighter = post(&stage, &alice, "/key/update", json!({"key": bounded, "max_budget": 0.5})).await;
    assert_eq!(
        (tighter.status, tighter.json()["max_budget"].as_f64()),
        (200, Some(0.5)),
        "{}",
        tighter.text()
    );
    assert_eq!(
        post(&stage, &bob, "/key/update", json!({"key": bounded, "max_budget": 0.1})).await.status,
        404
    );

    assert_eq!(post(&stage, MASTER, "/key/block", json!({"key": bounded})).await.status, 200);
    let unblocked = post(&stage, &alice, "/key/update", json!({"key": bounded, "blocked": false})).await;
    assert_eq!(unblocked.status, 403, "{}", unblocked.text());
}

#[tokio::test]
async fn what_the_configuration_bounds_cannot_be_exceeded_or_cleared() {
    let config = format!(
        "{CONFIG}\nlitellm_settings: {{upperbound_key_generate_params: {{max_budget: 10, duration: 30d}}}}\n"
    );
    let stage = Stage::open(&config);
    for fields in [json!({"max_budget": 11}), json!({"duration": "60d"}), json!({"duration": "-1"})] {
        let reply = post(&stage, MASTER, "/key/generate", fields.clone()).await;
        assert_eq!(reply.status, 400, "{fields}: {}", reply.text());
    }
    let filled = post(&stage, MASTER, "/key/generate", json!({})).await.json();
    assert_eq!(filled["max_budget"].as_f64(), Some(10.0));
    assert!(filled["expires"].is_string());
    for change in [json!({"max_budget": null}), json!({"duration": null}), json!({"duration": "-1"})] {
        let mut body = change.clone();
        body["key"] = filled["key"].clone();
        assert_eq!(post(&stage, MASTER, "/key/update", body).await.status, 400, "{change}");
    }
}

#[tokio::test]
async fn without_its_database_a_gateway_says_so_and_serves_the_master_key() {
    let config = CONFIG.replace(
        "{master_key: sk-master-7d1b0e}",
        "{master_key: sk-master-7d1b0e, database_url: 'postgresql://nobody:secret@127.0.0.1:9/none'}",
    );
    let stage = Stage::open(&config);
    let ready = stage.server.get("/health/readiness").await;
    assert_eq!((ready.status, ready.json()["status"].as_str()), (200, Some("degraded")), "{}", ready.text());
    let chat = crate::harness::chat("chat");
    assert_eq!(post(&stage, MASTER, "/v1/chat/completions", chat.clone()).await.status, 200);
    let unknown = post(&stage, "sk-abcdefghijklmnop", "/v1/chat/completions", chat).await;
    assert_eq!(unknown.json()["error"]["type"], "no_db_connection", "{}", unknown.text());
    assert_eq!((unknown.status, unknown.header("retry-after")), (503, Some("5")));
    assert_eq!(post(&stage, MASTER, "/key/generate", json!({})).await.status, 500);
    assert!(!stage.server.log().contains("secret"), "{}", stage.server.log());
}
