//! Tags: labels of calls with deployments and budgets of their own.

use serde_json::{Value, json};

use crate::harness::Stage;

#[tokio::test]
async fn a_tag_is_made_changed_found_and_deleted() {
    let stage = Stage::operated();
    let master = stage.master();
    let made = master
        .post(
            "/tag/new",
            json!({"name": "blue", "description": "Team blue", "models": ["id-1"], "max_budget": 5}),
        )
        .await;
    assert_eq!(made["message"], "Tag blue created successfully");
    assert_eq!(
        (&made["tag"]["models"], &made["tag"]["litellm_budget_table"]["max_budget"]),
        (&json!(["id-1"]), &json!(5.0))
    );
    assert_eq!(
        master.refused("POST", "/tag/new", json!({"name": "blue"})).await,
        (400, "Tag blue already exists".to_owned())
    );
    let updated =
        master.post("/tag/update", json!({"name": "blue", "description": "B", "max_budget": null})).await;
    assert_eq!(
        (&updated["tag"]["description"], &updated["tag"]["litellm_budget_table"]),
        (&json!("B"), &Value::Null)
    );
    assert_eq!(master.post("/tag/info", json!({"names": ["blue"]})).await["blue"]["models"], json!(["id-1"]));
    for (path, body) in [
        ("/tag/update", json!({"name": "none"})),
        ("/tag/info", json!({"names": ["blue", "none"]})),
        ("/tag/delete", json!({"name": "none"})),
    ] {
        assert_eq!(
            master.refused("POST", path, body).await,
            (404, "Tag none not found".to_owned()),
            "{path}"
        );
    }
    assert_eq!(master.get("/tag/list").await[0]["name"], "blue");
    assert_eq!(stage.user("u1").await.status("POST", "/tag/new", json!({"name": "x"})).await, 401);
    master.post("/tag/delete", json!({"name": "blue"})).await;
    assert_eq!(master.get("/tag/list").await, json!([]));
}
