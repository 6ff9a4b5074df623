//! Settings that are changed at run time, over those of the file.

use serde_json::{Value, json};

use crate::harness::{Stage, chat};

const CONFIG: &str = "
model_list:
  - model_name: chat
    litellm_params: {model: openai/up, api_base: $FAKE/v1, api_key: $CANARY}
general_settings: {master_key: sk-master-1234567890, store_model_in_db: true}
router_settings: {num_retries: 0, model_group_alias: {old: chat}}
";

#[tokio::test]
async fn a_changed_section_is_in_force_at_once_and_goes_again() {
    let stage = Stage::open(CONFIG);
    let master = stage.master();
    let sent = json!({
        "router_settings": {"model_group_alias": {"nick": "chat"}},
        "litellm_settings": {"success_callback": ["langfuse"]},
    });
    let told = master.post("/config/update", sent).await;
    assert_eq!(told["message"], "Config updated successfully");
    assert_eq!(told["not_served"], json!(["litellm_settings.success_callback"]));
    for (name, status) in [("nick", 200), ("old", 200), ("chat", 200), ("nobody", 400)] {
        assert_eq!(master.ask("POST", "/v1/chat/completions", chat(name)).await.status, status, "{name}");
    }
    let callbacks = master.get("/get/config/callbacks").await;
    assert_eq!(callbacks["router_settings"]["model_group_alias"], json!({"nick": "chat"}));
    let gone = json!({"config_type": "router_settings", "field_name": "model_group_alias"});
    master.post("/config/field/delete", gone).await;
    assert_eq!(master.ask("POST", "/v1/chat/completions", chat("nick")).await.status, 400);
    assert_eq!(master.ask("POST", "/v1/chat/completions", chat("old")).await.status, 200);
}

#[tokio::test]
async fn single_fields_are_changed_and_listed() {
    let stage = Stage::open(CONFIG);
    let master = stage.master();
    let field =
        json!({"field_name": "completion_model", "field_value": "chat", "config_type": "general_settings"});
    master.post("/config/field/update", field).await;
    let mut unnamed = chat("chat");
    unnamed.as_object_mut().unwrap().remove("model");
    assert_eq!(master.ask("POST", "/v1/chat/completions", unnamed).await.status, 200);
    let info = master.get("/config/field/info?field_name=completion_model").await;
    assert_eq!(info["field_value"], "chat");
    let list = master.get("/config/list?config_type=general_settings").await;
    let row = |name: &str| list.as_array().unwrap().iter().find(|row| row["field_name"] == name).cloned();
    assert_eq!(row("completion_model").unwrap()["stored_in_db"], true);
    assert_eq!(row("max_request_size_mb").unwrap()["stored_in_db"], false);
    assert_eq!(row("master_key"), None);
    assert_eq!(master.status("GET", "/config/field/info?field_name=embedding_model", Value::Null).await, 400);
}

#[tokio::test]
async fn who_may_come_in_is_not_changed_by_who_came_in() {
    let stage = Stage::open(CONFIG);
    let master = stage.master();
    for sent in [
        json!({"general_settings": {"master_key": "sk-mine"}}),
        json!({"general_settings": {"database_url": "postgresql://evil"}}),
        json!({"environment_variables": {"LITELLM_MASTER_KEY": "sk-mine"}}),
        json!({"environment_variables": {"A": "os.environ/LITELLM_MASTER_KEY"}}),
        json!({"router_settings": {"routing_strategy": "no-such-strategy"}}),
        json!({"model_list": {}}),
        json!({"router_settings": 5}),
    ] {
        assert_eq!(master.status("POST", "/config/update", sent.clone()).await, 400, "{sent}");
    }
    assert_eq!(master.ask("POST", "/v1/chat/completions", chat("chat")).await.status, 200);
    let switched_off = Stage::operated();
    assert_eq!(
        switched_off
            .master()
            .status("POST", "/config/update", json!({"router_settings": {"num_retries": 1}}))
            .await,
        500
    );
}

#[tokio::test]
async fn variables_are_sealed_and_in_force() {
    let stage = Stage::open(CONFIG);
    let master = stage.master();
    let base = format!("{}/v1", stage.provider.base_url());
    let sent =
        json!({"environment_variables": {"OPENAI_API_KEY": "sk-variable-9f0a", "OPENAI_BASE_URL": base}});
    master.post("/config/update", sent).await;
    master
        .post("/model/new", json!({"model_name": "plain", "litellm_params": {"model": "openai/plain"}}))
        .await;
    assert_eq!(master.ask("POST", "/v1/chat/completions", chat("plain")).await.status, 200);
    assert_eq!(stage.received("plain").header("authorization"), Some("Bearer sk-variable-9f0a"));
    let file = std::fs::read(stage.server.config().parent().unwrap().join("tollgate.db-wal")).unwrap();
    assert!(!String::from_utf8_lossy(&file).contains("sk-variable-9f0a"));
}
