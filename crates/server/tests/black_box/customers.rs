//! Customers: the end users of applications, and their limits.

use serde_json::{Value, json};

use crate::harness::Stage;

#[tokio::test]
async fn a_customer_is_made_found_changed_and_deleted() {
    let stage = Stage::operated();
    let master = stage.master();
    let sent = json!({"user_id": "c/1", "alias": "First", "max_budget": 3, "allowed_model_region": "eu", "default_model": "chat"});
    let made = master.post("/customer/new", sent).await;
    assert_eq!(
        (&made["user_id"], &made["blocked"], &made["spend"]),
        (&json!("c/1"), &json!(false), &json!(0.0))
    );
    assert_eq!(made["litellm_budget_table"]["max_budget"], 3.0);
    let (status, message) = master.refused("POST", "/customer/new", json!({"user_id": "c/1"})).await;
    assert_eq!(
        (status, message.as_str()),
        (400, "Customer already exists, passed user_id=c/1. Please pass a new user_id.")
    );
    master.post("/budget/new", json!({"budget_id": "b1", "max_budget": 7})).await;
    for (sent, field) in [
        (json!({"user_id": "x", "budget_id": "b1", "max_budget": 1}), "budget_id"),
        (json!({"user_id": "x", "budget_id": "none"}), "budget_id"),
        (json!({"user_id": "x", "allowed_model_region": "mars"}), "allowed_model_region"),
        (json!({"alias": "x"}), "user_id"),
    ] {
        let reply = master.ask("POST", "/customer/new", sent.clone()).await;
        assert_eq!((reply.status, &reply.error()["param"]), (400, &json!(field)), "{sent}");
    }
    let moved = master.post("/customer/update", json!({"user_id": "c/1", "budget_id": "b1"})).await;
    assert_eq!(
        (&moved["litellm_budget_table"]["max_budget"], &moved["alias"]),
        (&json!(7.0), &json!("First"))
    );
    assert_eq!(master.get("/customer/info?end_user_id=c/1").await["budget_id"], "b1");
    assert_eq!(master.status("GET", "/customer/info?end_user_id=none", Value::Null).await, 404);

    master.post("/end_user/new", json!({"user_id": "c2"})).await;
    assert_eq!(master.get("/customer/list?page_size=1").await.as_array().unwrap().len(), 1);
    assert_eq!(master.get("/end_user/list?search=FIRST").await[0]["user_id"], "c/1");
    assert_eq!(master.status("POST", "/customer/delete", json!({"user_ids": ["c2", "none"]})).await, 404);
    let gone = master.post("/customer/delete", json!({"user_ids": ["c/1", "c2"]})).await;
    assert_eq!(gone["deleted_customers"], 2);
    assert_eq!(master.get("/customer/list").await, json!([]));
}

#[tokio::test]
async fn customers_are_blocked_before_they_are_known() {
    let stage = Stage::operated();
    let master = stage.master();
    let blocked = master.post("/customer/block", json!({"user_ids": ["c1"]})).await;
    assert_eq!(blocked["blocked_users"][0]["blocked"], true);
    let unblocked = master.post("/end_user/unblock", json!({"user_ids": ["c1"]})).await;
    assert_eq!(unblocked["unblocked_users"][0]["blocked"], false);
    assert_eq!(master.status("POST", "/customer/unblock", json!({"user_ids": ["none"]})).await, 404);
    let user = stage.user("u1").await;
    assert_eq!(user.status("POST", "/customer/block", json!({"user_ids": ["c1"]})).await, 401);
    assert_eq!(user.status("GET", "/customer/list", Value::Null).await, 401);
}
