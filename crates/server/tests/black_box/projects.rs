//! Projects: cost centres inside teams.

use serde_json::{Value, json};

use crate::harness::Stage;

#[tokio::test]
async fn a_project_stays_within_its_team_and_is_managed_by_its_admins() {
    let stage = Stage::operated();
    let master = stage.master();
    let (lead, other) = (stage.user("lead").await, stage.user("other").await);
    let team = json!({"team_id": "t1", "max_budget": 10, "models": ["chat"], "members_with_roles": [{"role": "admin", "user_id": "lead"}]});
    master.post("/team/new", team).await;
    let made = lead
        .post(
            "/project/new",
            json!({"project_id": "p1", "project_alias": "P", "team_id": "t1", "max_budget": 4}),
        )
        .await;
    assert_eq!(
        (&made["project_id"], &made["team_id"], &made["max_budget"]),
        (&json!("p1"), &json!("t1"), &json!(4.0))
    );
    for (sent, status) in [
        (json!({"team_id": "t1", "max_budget": 11}), 400),
        (json!({"team_id": "t1", "models": ["other"]}), 400),
        (json!({"project_id": "p1", "team_id": "t1"}), 400),
        (json!({"team_id": "none"}), 401),
        (json!({}), 400),
    ] {
        assert_eq!(lead.status("POST", "/project/new", sent.clone()).await, status, "{sent}");
    }
    let updated = lead
        .post("/project/update", json!({"project_id": "p1", "description": "D", "max_budget": null}))
        .await;
    assert_eq!((&updated["description"], &updated["max_budget"]), (&json!("D"), &Value::Null));
    assert_eq!(lead.get("/project/list").await.as_array().unwrap().len(), 1);
    assert_eq!(lead.get("/project/info?project_id=p1").await["project_alias"], "P");

    for (method, path, body) in [
        ("GET", "/project/info?project_id=p1", Value::Null),
        ("GET", "/project/info?project_id=none", Value::Null),
        ("GET", "/project/list", Value::Null),
        ("POST", "/project/new", json!({"team_id": "t1"})),
        ("POST", "/project/update", json!({"project_id": "p1", "description": "x"})),
        ("DELETE", "/project/delete", json!({"project_ids": ["p1"]})),
    ] {
        assert_eq!(other.status(method, path, body).await, 401, "{path}");
    }
    assert_eq!(master.status("GET", "/project/info?project_id=none", Value::Null).await, 404);
    let gone = lead.ask("DELETE", "/project/delete", json!({"project_ids": ["p1"]})).await;
    assert_eq!(gone.json()[0]["project_id"], "p1", "{}", gone.text());
    assert_eq!(lead.get("/project/list").await, json!([]));
}
