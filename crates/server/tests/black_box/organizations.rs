//! Organizations: limits over teams and users, and the people who manage them.

use serde_json::{Value, json};

use crate::harness::Stage;

async fn organization(stage: &Stage, more: Value) -> Value {
    let mut sent = json!({"organization_id": "o1", "organization_alias": "One"});
    sent.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    stage.master().post("/organization/new", sent).await
}

#[tokio::test]
async fn an_organization_has_limits_of_its_own_or_of_a_shared_budget() {
    let stage = Stage::operated();
    let master = stage.master();
    let own =
        organization(&stage, json!({"max_budget": 100, "budget_duration": "30d", "models": ["chat"]})).await;
    assert_eq!(own["litellm_budget_table"]["max_budget"], 100.0);
    assert!(own["litellm_budget_table"]["budget_reset_at"].is_string(), "{own}");
    master.post("/budget/new", json!({"budget_id": "b1", "max_budget": 7})).await;
    let sent = json!({"organization_id": "o2", "organization_alias": "Two", "budget_id": "b1"});
    let shared = master.post("/organization/new", sent).await;
    assert_eq!(shared["budget_id"], "b1");
    assert_eq!(shared["litellm_budget_table"]["max_budget"], 7.0);

    for (sent, field) in [
        (json!({"organization_id": "o1", "organization_alias": "x"}), "organization_id"),
        (json!({}), "organization_alias"),
        (json!({"organization_alias": "x", "budget_id": "none"}), "budget_id"),
    ] {
        let reply = master.ask("POST", "/organization/new", sent.clone()).await;
        assert_eq!((reply.status, &reply.error()["param"]), (400, &json!(field)), "{sent}");
    }
    assert_eq!(master.get("/organization/list").await.as_array().unwrap().len(), 2);
    assert_eq!(master.get("/organization/list?org_alias=tw").await[0]["organization_id"], "o2");
    let many = master.post("/organization/info", json!({"organizations": ["o1", "o2"]})).await;
    assert_eq!(many.as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn teams_stay_within_their_organization() {
    let stage = Stage::operated();
    let master = stage.master();
    organization(&stage, json!({"max_budget": 100, "rpm_limit": 10, "models": ["chat"]})).await;
    let team = |more: Value| {
        let mut sent = json!({"organization_id": "o1"});
        sent.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        sent
    };
    for (more, field) in [
        (json!({"max_budget": 101}), "max_budget"),
        (json!({"rpm_limit": 11}), "rpm_limit"),
        (json!({"models": ["other"]}), "models"),
    ] {
        let reply = master.ask("POST", "/team/new", team(more.clone())).await;
        assert_eq!((reply.status, &reply.error()["param"]), (400, &json!(field)), "{more}: {}", reply.text());
    }
    let made = master.post("/team/new", team(json!({"team_id": "t1", "max_budget": 50}))).await;
    assert_eq!(made["organization_id"], "o1");
    let grown = json!({"team_id": "t1", "max_budget": 500});
    assert_eq!(master.status("POST", "/team/update", grown).await, 400);
    let info = master.get("/organization/info?organization_id=o1").await;
    assert_eq!(info["teams"][0]["team_id"], "t1");
}

#[tokio::test]
async fn its_admins_manage_it_and_nothing_else() {
    let stage = Stage::operated();
    let master = stage.master();
    let (boss, plain) = (stage.user("boss").await, stage.user("plain").await);
    organization(&stage, json!({"max_budget": 100})).await;
    master.post("/organization/new", json!({"organization_id": "o2", "organization_alias": "Two"})).await;
    let members = json!({"organization_id": "o1", "max_budget_in_organization": 5, "member": [
        {"role": "org_admin", "user_id": "boss"}, {"role": "internal_user", "user_id": "plain"}]});
    let added = master.post("/organization/member_add", members).await;
    let memberships = added["updated_organization_memberships"].as_array().unwrap();
    assert_eq!((memberships.len(), &memberships[0]["user_role"]), (2, &json!("org_admin")));
    assert_eq!(memberships[1]["litellm_budget_table"]["max_budget"], 5.0);

    assert_eq!(boss.get("/organization/list").await.as_array().unwrap().len(), 1);
    assert_eq!(plain.get("/organization/info?organization_id=o1").await["organization_alias"], "One");
    let team =
        boss.post("/team/new", json!({"team_id": "t1", "organization_id": "o1", "max_budget": 20})).await;
    assert_eq!(team["admins"], json!(["boss"]));
    let renamed = boss
        .ask("PATCH", "/organization/update", json!({"organization_id": "o1", "organization_alias": "Uno"}))
        .await;
    assert_eq!(renamed.json()["organization_alias"], "Uno", "{}", renamed.text());
    let role = json!({"organization_id": "o1", "user_id": "plain", "role": "internal_user_viewer"});
    assert_eq!(
        boss.ask("PATCH", "/organization/member_update", role).await.json()["user_role"],
        "internal_user_viewer"
    );

    for (who, method, path, body, status) in [
        (&boss, "PATCH", "/organization/update", json!({"organization_id": "o1", "max_budget": 1000}), 403),
        (
            &boss,
            "PATCH",
            "/organization/update",
            json!({"organization_id": "o2", "organization_alias": "x"}),
            401,
        ),
        (&boss, "PATCH", "/v2/organization/none", json!({"organization_alias": "x"}), 401),
        (&boss, "DELETE", "/organization/delete", json!({"organization_ids": ["o1"]}), 401),
        (&boss, "POST", "/organization/new", json!({"organization_alias": "x"}), 401),
        (&boss, "POST", "/team/update", json!({"team_id": "t1", "organization_id": "o2"}), 401),
        (
            &plain,
            "PATCH",
            "/organization/update",
            json!({"organization_id": "o1", "organization_alias": "x"}),
            401,
        ),
        (
            &plain,
            "POST",
            "/organization/member_add",
            json!({"organization_id": "o1", "member": {"role": "org_admin", "user_id": "plain"}}),
            401,
        ),
        (&plain, "GET", "/organization/info?organization_id=o2", Value::Null, 401),
    ] {
        let reply = who.ask(method, path, body).await;
        assert_eq!(reply.status, status, "{method} {path}: {}", reply.text());
    }
    let gone = json!({"organization_id": "o1", "user_id": "plain"});
    assert_eq!(boss.status("DELETE", "/organization/member_delete", gone.clone()).await, 200);
    assert_eq!(boss.status("DELETE", "/organization/member_delete", gone).await, 404);
    assert_eq!(plain.status("GET", "/organization/info?organization_id=o1", Value::Null).await, 401);
}

#[tokio::test]
async fn a_deleted_organization_takes_its_teams_along() {
    let stage = Stage::operated();
    let master = stage.master();
    organization(&stage, json!({})).await;
    master.post("/team/new", json!({"team_id": "t1", "organization_id": "o1"})).await;
    let gone = master.ask("DELETE", "/organization/delete", json!({"organization_ids": ["o1"]})).await;
    assert_eq!(gone.json()[0]["organization_id"], "o1", "{}", gone.text());
    assert_eq!(master.status("GET", "/team/info?team_id=t1", Value::Null).await, 404);
    let missing = json!({"organization_ids": ["o1"]});
    assert_eq!(
        master.refused("DELETE", "/organization/delete", missing).await,
        (404, "Organization=o1 not found".to_owned())
    );
}
