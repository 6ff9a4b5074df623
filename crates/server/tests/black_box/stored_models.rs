//! Models that are added at run time, with the credentials and access groups they name.

use serde_json::{Value, json};

use crate::harness::{CANARY, Stage, chat, eventually};

const CONFIG: &str = "
model_list:
  - model_name: chat
    litellm_params: {model: openai/up, api_base: $FAKE/v1, api_key: $CANARY}
    model_info: {id: of-the-file}
general_settings: {master_key: sk-master-1234567890, store_model_in_db: true}
router_settings: {num_retries: 0}
";
const SECRET: &str = "sk-upstream-77f1c0";

fn stage() -> Stage {
    Stage::open(CONFIG)
}

fn added(stage: &Stage, name: &str) -> Value {
    let base = format!("{}/v1", stage.provider.base_url());
    let params = json!({"model": "openai/added", "api_base": base, "api_key": SECRET, "temperature": 0.25});
    json!({"model_name": name, "litellm_params": params, "model_info": {"id": format!("id-{name}")}})
}

fn database(stage: &Stage) -> String {
    let home = stage.server.config().parent().unwrap().to_owned();
    let files =
        ["tollgate.db", "tollgate.db-wal"].map(|name| std::fs::read(home.join(name)).unwrap_or_default());
    String::from_utf8_lossy(&files.concat()).into_owned()
}

#[tokio::test]
async fn an_added_model_is_called_at_once_and_its_key_is_never_shown() {
    let stage = stage();
    let master = stage.master();
    let made = master.post("/model/new", added(&stage, "new")).await;
    assert_eq!((&made["model_id"], &made["model_name"]), (&json!("id-new"), &json!("new")));
    assert_eq!(made["model_info"]["db_model"], true);
    let reply = master.ask("POST", "/v1/chat/completions", chat("new")).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let received = stage.received("added");
    assert_eq!(received.header("authorization"), Some(format!("Bearer {SECRET}").as_str()));
    assert_eq!(received.json()["temperature"], 0.25);

    let info = master.get("/model/info?litellm_model_id=id-new").await;
    assert_eq!(info["data"][0]["model_info"]["db_model"], true);
    assert_eq!(info["data"][0]["litellm_params"]["model"], "openai/added");
    let file = master.get("/model/info?litellm_model_id=of-the-file").await;
    assert_eq!(file["data"][0]["model_info"]["db_model"], false);
    assert!(master.get("/v1/models").await["data"].as_array().unwrap().iter().any(|row| row["id"] == "new"));
    assert_eq!(
        master.get("/model_group/info?model_group=new").await["data"][0]["providers"],
        json!(["openai"])
    );
    let health = master.get("/health?model=new").await;
    assert_eq!(health["healthy_endpoints"][0]["model_id"], "id-new", "{health}");
    for shown in [&made, &info, &health] {
        assert!(!shown.to_string().contains(SECRET), "{shown}");
    }
    assert!(database(&stage).contains("v2:gcm:") && !database(&stage).contains(SECRET));
    assert!(!stage.server.log().contains(SECRET));
}

#[tokio::test]
async fn a_model_is_changed_paused_and_deleted() {
    let stage = stage();
    let master = stage.master();
    master.post("/model/new", added(&stage, "new")).await;
    let change = json!({"model_info": {"id": "id-new"}, "litellm_params": {"temperature": 0.75}});
    let changed = master.post("/model/update", change).await;
    assert_eq!(changed["litellm_params"]["temperature"], 0.75);
    master.ask("POST", "/v1/chat/completions", chat("new")).await;
    let received = stage.received("added");
    assert_eq!(received.json()["temperature"], 0.75);
    assert_eq!(received.header("authorization"), Some(format!("Bearer {SECRET}").as_str()), "the key stayed");

    let named = master.ask("PATCH", "/model/id-new/update", json!({"model_name": "other"})).await;
    assert_eq!(named.status, 200, "{}", named.text());
    assert_eq!(master.ask("POST", "/v1/chat/completions", chat("other")).await.status, 200);
    assert_ne!(master.ask("POST", "/v1/chat/completions", chat("new")).await.status, 200);
    master.post("/model/block", json!({"id": "id-new"})).await;
    assert_ne!(master.ask("POST", "/v1/chat/completions", chat("other")).await.status, 200);
    master.post("/model/unblock", json!({"id": "id-new"})).await;
    assert_eq!(master.ask("POST", "/v1/chat/completions", chat("other")).await.status, 200);

    let gone = master.post("/model/delete", json!({"id": "id-new"})).await;
    assert_eq!(gone["message"], "Model: id-new deleted successfully");
    assert_ne!(master.ask("POST", "/v1/chat/completions", chat("other")).await.status, 200);
    assert_eq!(master.status("POST", "/model/delete", json!({"id": "id-new"})).await, 400);
}

#[tokio::test]
async fn what_could_not_be_served_or_would_leak_is_refused() {
    let stage = stage();
    let master = stage.master();
    for (params, said) in [
        (json!({"model": "nobody/x"}), "nobody"),
        (json!({"api_key": "sk-1"}), "model"),
        (json!({"model": "openai/x", "api_key": "os.environ/LITELLM_MASTER_KEY"}), "api_key"),
        (json!({"model": "openai/x", "api_key": "k", "api_base": "somewhere"}), "api_base"),
        (json!({"model": "vertex_ai/x", "vertex_credentials": "/etc/passwd"}), "vertex_credentials"),
    ] {
        let sent = json!({"model_name": "bad", "litellm_params": params});
        let (status, message) = master.refused("POST", "/model/new", sent).await;
        assert_eq!(status, 400, "{message}");
        assert!(message.contains(said), "{said} in {message}");
    }
    let taken = json!({"model_name": "x", "litellm_params": {"model": "openai/x"}, "model_info": {"id": "of-the-file"}});
    assert_eq!(master.status("POST", "/model/new", taken).await, 400);
    let (status, message) =
        master.refused("POST", "/model/update", json!({"model_info": {"id": "of-the-file"}})).await;
    assert_eq!(status, 400);
    assert!(message.contains("configuration file"), "{message}");
}

#[tokio::test]
async fn models_are_only_added_where_that_is_switched_on() {
    let stage = Stage::operated();
    let (status, message) = stage.master().refused("POST", "/model/new", added(&stage, "new")).await;
    assert_eq!(status, 500);
    assert!(message.contains("STORE_MODEL_IN_DB"), "{message}");
}

#[tokio::test]
async fn only_administrators_add_models() {
    let stage = stage();
    let user = stage.user("u1").await;
    assert_eq!(user.status("POST", "/model/new", added(&stage, "new")).await, 401);
    assert_eq!(user.status("GET", "/credentials", Value::Null).await, 401);
    assert_eq!(user.status("POST", "/config/update", json!({})).await, 401);
    assert_eq!(user.status("GET", "/v1/access_group", Value::Null).await, 401);
}

#[tokio::test]
async fn a_model_of_a_team_is_nobody_elses() {
    let stage = stage();
    let master = stage.master();
    let lead = stage.user("lead").await;
    master.post("/team/new", json!({"team_id": "blue", "models": ["chat"]})).await;
    master
        .post("/team/member_add", json!({"team_id": "blue", "member": {"user_id": "lead", "role": "admin"}}))
        .await;
    let mut sent = added(&stage, "private");
    sent["model_info"]["team_id"] = json!("blue");
    let made = lead.post("/model/new", sent.clone()).await;
    assert_eq!(made["model_info"]["team_public_model_name"], "private");
    sent["model_info"] = json!({"team_id": "red"});
    assert_eq!(lead.status("POST", "/model/new", sent).await, 401);
    let stolen = json!({
        "model_name": "stolen", "model_info": {"team_id": "blue"},
        "litellm_params": {"model": "openai/up", "api_base": "https://evil.example/v1"},
    });
    assert_eq!(lead.refused("POST", "/model/new", stolen).await.0, 400);

    for name in ["private", "id-private", "openai/added", made["model_name"].as_str().unwrap()] {
        assert_eq!(master.ask("POST", "/v1/chat/completions", chat(name)).await.status, 400, "{name}");
    }
    let key = master.post("/key/generate", json!({"team_id": "blue"})).await;
    let team = stage.operator(key["key"].as_str().unwrap());
    assert_eq!(team.ask("POST", "/v1/chat/completions", chat("private")).await.status, 200);
    let stranger = stage.user("stranger").await;
    let seen = stranger.get("/model/info").await;
    assert!(!seen.to_string().contains("private"), "{seen}");
    let seen = lead.get("/model/info").await;
    assert!(seen.to_string().contains("private"), "{seen}");
}

#[tokio::test]
async fn credentials_are_used_by_name_and_never_shown() {
    let stage = stage();
    let master = stage.master();
    let base = format!("{}/v1", stage.provider.base_url());
    let sent = json!({
        "credential_name": "shared", "credential_info": {"custom_llm_provider": "openai"},
        "credential_values": {"api_key": SECRET, "api_base": base},
    });
    let made = master.post("/credentials", sent.clone()).await;
    assert_eq!(made, json!({"success": true, "message": "Credential created successfully"}));
    assert_eq!(master.status("POST", "/credentials", sent).await, 400);
    let params = json!({"model": "openai/named", "litellm_credential_name": "shared"});
    master.post("/model/new", json!({"model_name": "named", "litellm_params": params})).await;
    assert_eq!(master.ask("POST", "/v1/chat/completions", chat("named")).await.status, 200);
    assert_eq!(stage.received("named").header("authorization"), Some(format!("Bearer {SECRET}").as_str()));

    let change = json!({"credential_values": {"api_key": "sk-rotated"}});
    assert_eq!(master.status("PATCH", "/credentials/shared", change).await, 200);
    master.ask("POST", "/v1/chat/completions", chat("named")).await;
    assert_eq!(stage.received("named").header("authorization"), Some("Bearer sk-rotated"));
    for path in ["/credentials", "/credentials/by_name/shared", "/model/info"] {
        let shown = master.get(path).await.to_string();
        assert!(!shown.contains("sk-rotated") && !shown.contains(CANARY), "{path}: {shown}");
    }
    assert!(!database(&stage).contains(SECRET) && !database(&stage).contains("sk-rotated"));
    assert_eq!(master.status("DELETE", "/credentials/shared", Value::Null).await, 200);
    assert_eq!(master.status("GET", "/credentials/by_name/shared", Value::Null).await, 404);
    assert_ne!(master.ask("POST", "/v1/chat/completions", chat("named")).await.status, 200);
}

#[tokio::test]
async fn credentials_of_the_file_are_used_by_name() {
    let config = "
credential_list:
  - credential_name: shared
    credential_values: {api_base: $FAKE/v1, api_key: $CANARY}
model_list:
  - model_name: chat
    litellm_params: {model: openai/up, litellm_credential_name: shared}
";
    let stage = Stage::open(config);
    assert_eq!(stage.server.chat(&chat("chat")).await.status, 200);
    assert_eq!(stage.received("up").header("authorization"), Some(format!("Bearer {CANARY}").as_str()));
}

#[tokio::test]
async fn an_access_group_gives_its_models_to_teams_and_keys() {
    let stage = stage();
    let master = stage.master();
    master.post("/team/new", json!({"team_id": "blue", "models": ["nothing"]})).await;
    let sent =
        json!({"access_group_name": "g", "access_model_names": ["chat"], "assigned_team_ids": ["blue"]});
    let made = master.ask("POST", "/v1/access_group", sent.clone()).await;
    assert_eq!(made.status, 201, "{}", made.text());
    let id = made.json()["access_group_id"].as_str().unwrap().to_owned();
    assert_eq!(master.status("POST", "/v1/access_group", sent).await, 409);
    let path = format!("/v1/access_group/{id}");
    assert_eq!(master.get(&path).await["access_model_names"], json!(["chat"]));
    assert_eq!(master.get("/v1/access_group").await.as_array().unwrap().len(), 1);
    let team = master.get("/team/info?team_id=blue").await;
    assert_eq!(team["team_info"]["access_group_ids"], json!([id]), "{team}");
    let changed =
        master.ask("PUT", &path, json!({"description": "ours", "assigned_team_ids": []})).await.json();
    assert_eq!((&changed["description"], &changed["access_model_names"]), (&json!("ours"), &json!(["chat"])));
    let team = master.get("/team/info?team_id=blue").await;
    assert!(team["team_info"]["access_group_ids"].as_array().is_none_or(Vec::is_empty), "{team}");
    assert_eq!(master.status("DELETE", &path, Value::Null).await, 204);
    assert_eq!(master.status("GET", &path, Value::Null).await, 404);
}

#[tokio::test]
async fn deployments_are_put_into_access_groups() {
    let stage = stage();
    let master = stage.master();
    master.post("/model/new", added(&stage, "new")).await;
    master.post("/access_group/new", json!({"access_group": "beta", "model_names": ["new"]})).await;
    assert_eq!(master.get("/access_group/beta/info").await["model_names"], json!(["new"]));
    let info = master.get("/model/info?litellm_model_id=id-new").await;
    assert_eq!(info["data"][0]["model_info"]["access_groups"], json!(["beta"]));
    let of_file = json!({"access_group": "gamma", "model_names": ["chat"]});
    assert_eq!(master.status("POST", "/access_group/new", of_file).await, 400);
    assert_eq!(master.status("DELETE", "/access_group/beta/delete", Value::Null).await, 200);
    assert_eq!(master.status("GET", "/access_group/beta/info", Value::Null).await, 404);
}

#[tokio::test]
async fn another_salt_key_opens_nothing_and_says_so() {
    let stage = Stage::open_in(CONFIG, &[("LITELLM_SALT_KEY", "sk-salt-one")]);
    stage.master().post("/model/new", added(&stage, "new")).await;
    let home = stage.server.config().parent().unwrap().to_str().unwrap().to_owned();
    let config = crate::harness::placed(CONFIG, &stage.provider);
    let environment = [("LITELLM_SALT_KEY", "sk-salt-two"), ("TOLLGATE_HOME", home.as_str())];
    let other = crate::harness::Server::start(&crate::harness::Launch {
        config: Some(&config),
        environment: &environment,
        ..crate::harness::Launch::default()
    });
    assert!(other.log().contains("cannot be opened with this key"), "{}", other.log());
    let key = [("authorization", "Bearer sk-master-1234567890")];
    let call =
        |name: &'static str| other.request("POST", "/v1/chat/completions", &key, chat(name).to_string());
    assert_eq!(call("chat").await.status, 200);
    assert_eq!(call("new").await.status, 400);
}

#[tokio::test]
async fn another_process_takes_over_what_was_added() {
    let stage = stage();
    let home = stage.server.config().parent().unwrap().to_str().unwrap().to_owned();
    let config = crate::harness::placed(CONFIG, &stage.provider);
    let environment = [("TOLLGATE_HOME", home.as_str())];
    let other = crate::harness::Server::start(&crate::harness::Launch {
        config: Some(&config),
        environment: &environment,
        ..crate::harness::Launch::default()
    });
    stage.master().post("/model/new", added(&stage, "new")).await;
    eventually("the other process has taken it over", || other.log().contains("configuration reloaded"))
        .await;
    let key = [("authorization", "Bearer sk-master-1234567890")];
    assert_eq!(
        other.request("POST", "/v1/chat/completions", &key, chat("new").to_string()).await.status,
        200
    );
}
