//! Budgets: limits that several share by name.

use serde_json::{Value, json};

use crate::harness::Stage;

#[tokio::test]
async fn a_budget_is_made_changed_and_listed() {
    let stage = Stage::operated();
    let master = stage.master();
    let sent = json!({"budget_id": "b1", "max_budget": 10, "rpm_limit": 5, "budget_duration": "1d",
        "model_max_budget": {"chat": {"budget_limit": 1, "time_period": "1d"}}});
    let made = master.post("/budget/new", sent).await;
    assert_eq!(
        (&made["budget_id"], &made["max_budget"], &made["tpm_limit"]),
        (&json!("b1"), &json!(10.0), &Value::Null)
    );
    assert_eq!(made["model_max_budget"]["chat"], json!({"max_budget": 1.0, "budget_duration": "1d"}));
    assert!(made["budget_reset_at"].is_string());
    assert_eq!(master.status("POST", "/budget/new", json!({"budget_id": "b1"})).await, 400);
    let at = "2030-05-01T00:00:00Z";
    let updated = master
        .post("/budget/update", json!({"budget_id": "b1", "rpm_limit": null, "budget_reset_at": at}))
        .await;
    assert_eq!(
        (&updated["rpm_limit"], &updated["max_budget"], &updated["budget_reset_at"]),
        (&Value::Null, &json!(10.0), &json!(at))
    );
    assert_eq!(master.status("POST", "/budget/update", json!({"budget_id": "none"})).await, 404);
    assert_eq!(
        master.post("/budget/info", json!({"budgets": ["b1", "none"]})).await.as_array().unwrap().len(),
        1
    );
    assert_eq!(master.status("POST", "/budget/info", json!({"budgets": []})).await, 400);
    assert_eq!(master.get("/budget/list").await[0]["budget_id"], "b1");
    let fields = master.get("/budget/settings?budget_id=b1").await;
    let field = fields.as_array().unwrap().iter().find(|field| field["field_name"] == "max_budget").unwrap();
    assert_eq!((&field["field_value"], &field["stored_in_db"]), (&json!(10.0), &json!(true)));
    let user = stage.user("u1").await;
    assert_eq!(user.status("GET", "/budget/list", Value::Null).await, 401);
    assert_eq!(user.status("POST", "/budget/new", json!({})).await, 401);
}

#[tokio::test]
async fn a_budget_that_organizations_are_under_is_not_deleted() {
    let stage = Stage::operated();
    let master = stage.master();
    master.post("/budget/new", json!({"budget_id": "b1", "max_budget": 10})).await;
    master
        .post(
            "/organization/new",
            json!({"organization_id": "o1", "organization_alias": "One", "budget_id": "b1"}),
        )
        .await;
    master.post("/customer/new", json!({"user_id": "c1", "budget_id": "b1"})).await;
    let (status, message) = master.refused("POST", "/budget/delete", json!({"id": "b1"})).await;
    assert!(status == 400 && message.contains("o1"), "{status} {message}");
    master.ask("DELETE", "/organization/delete", json!({"organization_ids": ["o1"]})).await;
    assert_eq!(master.post("/budget/delete", json!({"id": "b1"})).await["budget_id"], "b1");
    let customer = master.get("/customer/info?end_user_id=c1").await;
    assert_eq!((&customer["budget_id"], &customer["litellm_budget_table"]), (&Value::Null, &Value::Null));
    assert_eq!(master.status("POST", "/budget/delete", json!({"id": "b1"})).await, 404);
}
