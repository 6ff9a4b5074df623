//! Teams: who is in them, what they and their members may use, who may change that.

use serde_json::{Value, json};

use crate::harness::{Operator, Stage};

async fn member_team(master: &Operator<'_>, more: Value) {
    let mut team = json!({"team_id": "t1", "team_alias": "Blue", "members_with_roles": [
        {"role": "admin", "user_id": "lead"}, {"role": "user", "user_id": "ann"}]});
    team.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    master.post("/team/new", team).await;
}

#[tokio::test]
async fn a_new_team_is_shown_whole_and_belongs_to_whoever_made_it() {
    let stage = Stage::operated();
    let sent = json!({
        "team_alias": "Blue", "models": ["chat"], "max_budget": 10, "soft_budget": 5, "budget_duration": "1mo",
        "model_aliases": {"fast": "chat"}, "guardrails": ["pii"], "metadata": {"own": 1}, "rpm_limit": 7,
        "model_rpm_limit": {"chat": 3},
    });
    let made = stage.master().post("/team/new", sent).await;
    assert!(!made["team_id"].as_str().unwrap().is_empty());
    assert_eq!(made["metadata"], json!({"own": 1, "guardrails": ["pii"], "model_rpm_limit": {"chat": 3}}));
    assert_eq!(made["litellm_model_table"], json!({"model_aliases": {"fast": "chat"}}));
    assert_eq!(made["admins"], json!(["default_user_id"]));
    assert_eq!(made["team_member_permissions"], json!(["/key/info", "/key/health"]));
    assert_eq!(
        (&made["max_budget"], &made["spend"], &made["blocked"]),
        (&json!(10.0), &json!(0.0), &json!(false))
    );
    assert!(made["budget_reset_at"].is_string() && made["created_at"].is_string());
    for absent in ["tpm_limit", "organization_id", "object_permission"] {
        assert_eq!(made.get(absent), Some(&Value::Null), "{absent}");
    }
    let id = made["team_id"].as_str().unwrap();
    let (status, message) = stage.master().refused("POST", "/team/new", json!({"team_id": id})).await;
    assert_eq!(
        (status, message),
        (400, format!("Team id = {id} already exists. Please use a different team id."))
    );
    for (sent, field) in [
        (json!({"max_budget": 5, "soft_budget": 5}), "soft_budget"),
        (json!({"organization_id": "nobody"}), "organization_id"),
        (json!({"team_id": "a/b"}), "team_id"),
        (json!({"members_with_roles": [{"role": "king", "user_id": "x"}]}), "role"),
        (json!({"models": "chat"}), "models"),
    ] {
        let reply = stage.master().ask("POST", "/team/new", sent.clone()).await;
        assert_eq!(reply.error()["param"], field, "{sent}: {}", reply.text());
    }
    assert_eq!(stage.master().get("/v2/team/list").await["total"], 1);
}

#[tokio::test]
async fn members_are_added_changed_and_taken_out() {
    let stage = Stage::operated();
    let master = stage.master();
    master.post("/team/new", json!({"team_id": "t1", "models": ["chat", "other"]})).await;
    let sent = json!({"team_id": "t1", "max_budget_in_team": 3, "budget_duration": "1d", "allowed_models": ["chat"],
        "member": [{"role": "user", "user_email": "New@Example.com"}, {"role": "admin", "user_id": "u2"}]});
    let added = master.post("/team/member_add", sent).await;
    assert_eq!(added["updated_users"][0]["user_email"], "new@example.com");
    assert_eq!(added["updated_users"][0]["teams"], json!(["t1"]));
    let membership = &added["updated_team_memberships"][1];
    assert_eq!((&membership["user_id"], &membership["team_id"]), (&json!("u2"), &json!("t1")));
    assert_eq!(membership["litellm_budget_table"]["max_budget"], 3.0);
    assert_eq!(membership["allowed_models"], json!(["chat"]));
    assert_eq!(added["members_with_roles"].as_array().unwrap().len(), 3);

    let again = json!({"team_id": "t1", "member": {"role": "user", "user_email": "NEW@example.com"}});
    let reply = master.ask("POST", "/team/member_add", again).await;
    assert_eq!((reply.status, &reply.error()["type"]), (400, &json!("team_member_already_in_team")));
    let beyond =
        json!({"team_id": "t1", "member": {"role": "user", "user_id": "u3"}, "allowed_models": ["gpt-9"]});
    assert_eq!(master.status("POST", "/team/member_add", beyond).await, 400);
    assert_eq!(master.status("GET", "/user/info?user_id=u3", Value::Null).await, 404, "nothing was written");

    let update =
        json!({"team_id": "t1", "user_id": "u2", "role": "user", "max_budget_in_team": null, "rpm_limit": 4});
    let updated = master.post("/team/member_update", update).await;
    assert_eq!(
        (&updated["role"], &updated["max_budget_in_team"], &updated["rpm_limit"]),
        (&json!("user"), &Value::Null, &json!(4))
    );
    let info = master.get("/team/info?team_id=t1").await;
    assert!(!info["team_info"]["admins"].to_string().contains("u2"), "{info}");
    assert_eq!(info["team_memberships"].as_array().unwrap().len(), 3);

    let gone =
        master.post("/team/member_delete", json!({"team_id": "t1", "user_email": "new@EXAMPLE.com"})).await;
    assert_eq!(gone["members_with_roles"].as_array().unwrap().len(), 2);
    let user = added["updated_users"][0]["user_id"].as_str().unwrap();
    assert_eq!(master.get(&format!("/v2/user/info?user_id={user}")).await["teams"], json!([]));
    let missing = json!({"team_id": "t1", "user_id": "nobody"});
    assert_eq!(master.status("POST", "/team/member_delete", missing.clone()).await, 404);
    assert_eq!(master.status("POST", "/team/member_update", missing).await, 404);
}

#[tokio::test]
async fn members_have_the_teams_budget_for_members_unless_they_have_their_own() {
    let stage = Stage::operated();
    let master = stage.master();
    member_team(&master, json!({"team_member_budget": 2, "team_member_budget_duration": "7d"})).await;
    let own = json!({"team_id": "t1", "user_id": "ann", "max_budget_in_team": 9});
    master.post("/team/member_update", own).await;
    let budgets = |info: &Value, id: &str| -> Value {
        let rows = info["team_memberships"].as_array().unwrap().clone();
        rows.iter().find(|row| row["user_id"] == id).unwrap()["litellm_budget_table"].clone()
    };
    let info = master.get("/team/info?team_id=t1").await;
    assert_eq!(info["team_info"]["team_member_budget_table"]["max_budget"], 2.0);
    assert_eq!(budgets(&info, "lead")["max_budget"], 2.0);
    assert_eq!(budgets(&info, "lead")["budget_duration"], "7d");
    assert_eq!(budgets(&info, "ann")["max_budget"], 9.0);

    master.post("/team/update", json!({"team_id": "t1", "team_member_budget": 4})).await;
    let info = master.get("/team/info?team_id=t1").await;
    assert_eq!(budgets(&info, "lead")["max_budget"], 4.0);
    assert_eq!(budgets(&info, "lead")["budget_duration"], "7d", "what was not sent stays");
}

#[tokio::test]
async fn a_team_is_managed_from_inside_within_what_it_has() {
    let stage = Stage::operated();
    let master = stage.master();
    let (lead, ann, stranger) =
        (stage.user("lead").await, stage.user("ann").await, stage.user("stranger").await);
    member_team(&master, json!({"max_budget": 10, "models": ["chat", "other"]})).await;

    let changed =
        lead.post("/team/update", json!({"team_id": "t1", "max_budget": 8, "team_alias": "Red"})).await;
    assert_eq!((&changed["team_id"], &changed["data"]["max_budget"]), (&json!("t1"), &json!(8.0)));
    for more in [
        json!({"max_budget": 9}),
        json!({"max_budget": null}),
        json!({"models": []}),
        json!({"models": ["gpt-9"]}),
    ] {
        let mut sent = more.clone();
        sent["team_id"] = json!("t1");
        assert_eq!(lead.status("POST", "/team/update", sent).await, 403, "{more}");
    }
    assert_eq!(lead.status("POST", "/team/update", json!({"team_id": "t1", "blocked": true})).await, 401);
    let grown = json!({"team_id": "t1", "models": ["gpt-9"]});
    assert_eq!(lead.status("POST", "/team/model/add", grown).await, 403);
    lead.post("/team/member_add", json!({"team_id": "t1", "member": {"role": "user", "user_id": "more"}}))
        .await;

    assert_eq!(ann.get("/team/info?team_id=t1").await["team_info"]["team_alias"], "Red");
    assert_eq!(ann.get("/team/t1/members/me").await["user_id"], "ann");
    for (method, path, body) in [
        ("POST", "/team/update", json!({"team_id": "t1", "team_alias": "x"})),
        ("PATCH", "/team/t1", json!({"team_alias": "x"})),
        ("POST", "/team/delete", json!({"team_ids": ["t1"]})),
        ("POST", "/team/member_add", json!({"team_id": "t1", "member": {"role": "user", "user_id": "y"}})),
        ("POST", "/team/member_update", json!({"team_id": "t1", "user_id": "ann", "max_budget_in_team": 99})),
        ("POST", "/team/member_delete", json!({"team_id": "t1", "user_id": "lead"})),
        ("POST", "/team/permissions_update", json!({"team_id": "t1", "team_member_permissions": []})),
        ("POST", "/team/block", json!({"team_id": "t1"})),
    ] {
        assert_eq!(ann.status(method, path, body).await, 401, "{path}");
    }
    let foreign = stranger.refused("GET", "/team/info?team_id=t1", Value::Null).await;
    assert_eq!(foreign.0, 401);
    assert_eq!(foreign, stranger.refused("GET", "/team/info?team_id=none", Value::Null).await);
    assert_eq!(master.status("GET", "/team/info?team_id=none", Value::Null).await, 404);
}

#[tokio::test]
async fn users_make_teams_of_their_own_with_no_more_than_they_have() {
    let stage = Stage::operated();
    let made = stage
        .master()
        .post("/user/new", json!({"user_id": "ann", "max_budget": 10, "models": ["chat"]}))
        .await;
    let ann = stage.operator(made["key"].as_str().unwrap());
    let team = ann.post("/team/new", json!({"team_id": "own"})).await;
    assert_eq!(team["admins"], json!(["ann"]));
    assert_eq!(ann.get("/v2/team/list").await["teams"][0]["team_id"], "own");
    for (sent, field) in [(json!({"max_budget": 11}), "max_budget"), (json!({"models": ["other"]}), "models")]
    {
        let reply = ann.ask("POST", "/team/new", sent.clone()).await;
        assert_eq!((reply.status, &reply.error()["param"]), (400, &json!(field)), "{sent}");
    }
}

#[tokio::test]
async fn teams_are_listed_by_page_to_those_who_may_see_them() {
    let stage = Stage::operated();
    let master = stage.master();
    let ann = stage.user("ann").await;
    for number in 0..5 {
        let members = if number == 3 { json!([{"role": "user", "user_id": "ann"}]) } else { json!([]) };
        let team = json!({"team_id": format!("t{number}"), "team_alias": format!("Team {number}"), "members_with_roles": members});
        master.post("/team/new", team).await;
    }
    let page = master.get("/v2/team/list?page=2&page_size=2&sort_by=team_alias&sort_order=asc").await;
    assert_eq!((&page["total"], &page["total_pages"]), (&json!(5), &json!(3)));
    assert_eq!((&page["teams"][0]["team_id"], &page["teams"][1]["team_id"]), (&json!("t2"), &json!("t3")));
    assert_eq!(master.get("/v2/team/list?search=TEAM%204").await["teams"][0]["team_id"], "t4");
    assert_eq!(master.get("/v2/team/list?user_id=ann").await["total"], 1);
    assert_eq!(master.get("/team/list").await.as_array().unwrap().len(), 5);

    for path in ["/v2/team/list", "/v2/team/list?user_id=ann"] {
        let own = ann.get(path).await;
        assert_eq!((&own["total"], &own["teams"][0]["team_id"]), (&json!(1), &json!("t3")), "{path}");
    }
    assert_eq!(ann.get("/team/list").await.as_array().unwrap().len(), 1);
    assert_eq!(ann.status("GET", "/team/list?user_id=ben", Value::Null).await, 401);
    assert_eq!(ann.status("GET", "/v2/team/list?status=deleted", Value::Null).await, 401);

    let deleted = master.post("/team/delete", json!({"team_ids": ["t3", "t4"]})).await;
    assert_eq!(deleted["deleted_teams"], json!(["t3", "t4"]));
    assert_eq!(master.status("POST", "/team/delete", json!({"team_ids": ["t0", "t3"]})).await, 404);
    assert_eq!(master.get("/v2/team/list").await["total"], 3, "all of them, or none");
    let gone = master.get("/v2/team/list?status=deleted").await;
    assert_eq!(gone["total"], 2);
    assert!(gone["teams"][0]["deleted_at"].is_string(), "{gone}");
    assert_eq!(ann.get("/user/info").await["teams"], json!([]));
}

#[tokio::test]
async fn models_permissions_and_blocks_are_switched() {
    let stage = Stage::operated();
    let master = stage.master();
    master.post("/team/new", json!({"team_id": "t1", "models": ["a"]})).await;
    let models = |models: Value| json!({"team_id": "t1", "models": models});
    assert_eq!(master.post("/team/model/add", models(json!(["a", "b"]))).await["models"], json!(["a", "b"]));
    assert_eq!(master.post("/team/model/delete", models(json!(["a"]))).await["models"], json!(["b"]));
    let none = master.post("/team/model/delete", models(json!(["b"]))).await;
    assert_eq!(none["models"], json!(["no-default-models"]), "no list would mean all models");

    assert_eq!(master.post("/team/block", json!({"team_id": "t1"})).await["blocked"], true);
    assert_eq!(master.post("/team/unblock", json!({"team_id": "t1"})).await["blocked"], false);
    assert_eq!(master.status("POST", "/team/block", json!({"team_id": "none"})).await, 404);

    let permissions = json!({"team_id": "t1", "team_member_permissions": ["/key/generate"]});
    master.post("/team/permissions_update", permissions).await;
    let list = master.get("/team/permissions_list?team_id=t1").await;
    assert_eq!(list["team_member_permissions"], json!(["/key/generate"]));
    assert!(list["all_available_permissions"].as_array().unwrap().contains(&json!("/key/delete")));
    let wrong = json!({"team_id": "t1", "team_member_permissions": ["/team/delete"]});
    assert_eq!(master.status("POST", "/team/permissions_update", wrong).await, 400);
    assert_eq!(master.get("/team/available").await, json!([]));
}

#[tokio::test]
async fn secrets_of_callbacks_are_kept_and_never_shown() {
    let stage = Stage::operated();
    let master = stage.master();
    master.post("/team/new", json!({"team_id": "t1"})).await;
    let callback = json!({"callback_name": "langfuse", "callback_type": "success", "callback_vars": {
        "langfuse_public_key": "pk-1", "langfuse_secret_key": "sk-lf-secret", "langfuse_host": "https://h"}});
    let added = master.post("/team/t1/callback", callback).await;
    assert_eq!(added["status"], "success");
    let list = master.get("/team/t1/callback").await;
    assert_eq!(list["data"]["success_callback"], json!(["langfuse"]));
    assert_eq!(list["data"]["failure_callback"], json!([]));
    assert_eq!(list["data"]["callback_vars"]["langfuse_public_key"], "pk-1");
    let info = master.get("/team/info?team_id=t1").await;
    for shown in [&added, &list, &info] {
        assert!(!shown.to_string().contains("sk-lf-secret"), "{shown}");
    }
    let read_back = json!({"team_id": "t1", "metadata": info["team_info"]["metadata"]});
    assert_eq!(
        master.post("/team/update", read_back).await["data"]["metadata"],
        info["team_info"]["metadata"]
    );

    assert_eq!(master.status("DELETE", "/team/t1/callback/other", Value::Null).await, 404);
    assert_eq!(master.status("DELETE", "/team/t1/callback/langfuse", Value::Null).await, 200);
    assert_eq!(master.get("/team/t1/callback").await["data"]["success_callback"], json!([]));
    let wrong = json!({"callback_name": "x", "callback_type": "sometimes"});
    assert_eq!(master.status("POST", "/team/t1/callback", wrong).await, 400);
}

#[tokio::test]
async fn many_join_a_team_at_once() {
    let stage = Stage::operated();
    let master = stage.master();
    for user in ["a", "b", "c"] {
        stage.user(user).await;
    }
    master
        .post("/team/new", json!({"team_id": "t1", "members_with_roles": [{"role": "user", "user_id": "b"}]}))
        .await;
    let all = master
        .post("/team/bulk_member_add", json!({"team_id": "t1", "all_users": true, "max_budget_in_team": 1}))
        .await;
    assert_eq!(all["updated_users"].as_array().unwrap().len(), 2);
    assert_eq!(all["members_with_roles"].as_array().unwrap().len(), 4);
}
