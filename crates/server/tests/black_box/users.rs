//! Users: made with a key, found, changed by those who may, deleted with all that is theirs.

use serde_json::{Value, json};

use crate::harness::Stage;

#[tokio::test]
async fn a_new_user_has_a_key_that_calls_models_and_is_shown_once() {
    let stage = Stage::operated();
    let sent = json!({
        "user_id": "u1", "user_email": "Ann@Example.com", "user_alias": "Ann", "max_budget": 10, "budget_duration": "30d",
        "models": ["chat"], "tags": ["blue"],
    });
    let made = stage.master().post("/user/new", sent).await;
    let key = made["key"].as_str().unwrap();
    assert!(key.starts_with("sk-") && key.len() == 25, "{key}");
    assert_eq!(made["user_id"], "u1");
    assert_eq!(made["user_email"], "ann@example.com");
    assert_eq!(made["user_role"], "internal_user");
    assert_eq!(made["max_budget"], 10.0);
    assert!(made["budget_reset_at"].as_str().unwrap().ends_with('Z'), "{made}");
    assert_eq!(made["metadata"], json!({"tags": ["blue"]}));
    assert_eq!(made["token"].as_str().unwrap().len(), 64);
    assert_eq!(made["key_name"], format!("sk-...{}", &key[key.len() - 4..]));

    let own = stage.operator(key);
    let reply = own.chat().await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let shown = own.get("/user/info").await;
    assert_eq!(shown["user_info"]["user_alias"], "Ann");
    assert_eq!(shown["keys"][0]["token"], made["token"]);
    assert!(!shown.to_string().contains(key), "a key is shown once");
    assert_eq!(own.get("/v2/user/info").await["max_budget"], 10.0);

    let without = stage.master().post("/user/new", json!({"auto_create_key": false})).await;
    assert_eq!(without["key"], Value::Null);
    assert!(!without["user_id"].as_str().unwrap().is_empty());
}

#[tokio::test]
async fn nobody_is_there_twice() {
    let stage = Stage::operated();
    stage.master().post("/user/new", json!({"user_id": "u1", "user_email": "ann@example.com"})).await;
    for taken in [json!({"user_id": "u1"}), json!({"user_email": "ANN@example.COM"})] {
        let (status, message) = stage.master().refused("POST", "/user/new", taken).await;
        assert_eq!(status, 409, "{message}");
        assert!(message.contains("already exists"), "{message}");
    }
    stage.master().post("/user/new", json!({"user_id": "u2", "user_email": "ben@example.com"})).await;
    let taken = json!({"user_id": "u2", "user_email": "Ann@Example.com"});
    assert_eq!(stage.master().status("POST", "/user/update", taken).await, 400);
}

#[tokio::test]
async fn what_is_wrong_is_named() {
    let stage = Stage::operated();
    for (sent, field) in [
        (json!({"user_role": "king"}), "user_role"),
        (json!({"budget_duration": "soon"}), "budget_duration"),
        (json!({"max_budget": -1}), "max_budget"),
        (json!({"rpm_limit": "many"}), "rpm_limit"),
        (json!({"duration": "1y"}), "duration"),
        (json!({"password": "hunter2"}), "password"),
        (json!({"teams": "t1"}), "teams"),
        (json!({"user_id": ""}), "user_id"),
    ] {
        let reply = stage.master().ask("POST", "/user/new", sent.clone()).await;
        assert!(matches!(reply.status, 400 | 422), "{sent}: {}", reply.text());
        assert_eq!(reply.error()["param"], field, "{sent}");
    }
    assert_eq!(stage.master().get("/user/list").await["total"], 0, "nothing was made");
}

#[tokio::test]
async fn an_update_changes_what_is_sent_and_null_clears() {
    let stage = Stage::operated();
    let sent = json!({"user_id": "u1", "user_email": "ann@example.com", "max_budget": 10, "rpm_limit": 5});
    stage.master().post("/user/new", sent).await;
    let answer = stage
        .master()
        .post("/user/update", json!({"user_email": "ANN@example.com", "max_budget": null}))
        .await;
    assert_eq!(answer["user_id"], "u1");
    assert_eq!((&answer["data"]["max_budget"], &answer["data"]["rpm_limit"]), (&Value::Null, &json!(5)));
    let (status, message) =
        stage.master().refused("POST", "/user/update", json!({"user_id": "nobody", "rpm_limit": 1})).await;
    assert_eq!((status, message.as_str()), (404, "User nobody not found"));
}

#[tokio::test]
async fn users_change_only_names_and_only_their_own() {
    let stage = Stage::operated();
    let ann = stage.user("ann").await;
    stage.user("ben").await;
    let changed = ann.post("/user/update", json!({"user_id": "ann", "user_alias": "A."})).await;
    assert_eq!(changed["data"]["user_alias"], "A.");
    for more in [json!({"max_budget": 1000}), json!({"user_role": "proxy_admin"}), json!({"models": []})] {
        let mut sent = more.clone();
        sent["user_id"] = json!("ann");
        assert_eq!(ann.status("POST", "/user/update", sent).await, 403, "{more}");
    }
    let foreign = ann.refused("POST", "/user/update", json!({"user_id": "ben", "user_alias": "x"})).await;
    let nobody = ann.refused("POST", "/user/update", json!({"user_id": "nobody", "user_alias": "x"})).await;
    assert_eq!(foreign.0, 401);
    assert_eq!(foreign, nobody, "who may not see users is not told which there are");
    for (method, path, body) in [
        ("GET", "/user/info?user_id=ben", Value::Null),
        ("GET", "/v2/user/info?user_id=ben", Value::Null),
        ("GET", "/user/list", Value::Null),
        ("POST", "/user/new", json!({})),
        ("POST", "/user/delete", json!({"user_ids": ["ben"]})),
        ("POST", "/user/delete", json!({"user_ids": ["ann"]})),
        ("POST", "/user/bulk_update", json!({"users": []})),
    ] {
        let (status, message) = ann.refused(method, path, body).await;
        assert_eq!(status, 401, "{path}: {message}");
        assert!(message.starts_with("Authentication Error, Only proxy admin can be used"), "{message}");
    }
}

#[tokio::test]
async fn users_are_listed_by_page_and_found_by_what_is_known_of_them() {
    let stage = Stage::operated();
    let master = stage.master();
    for number in 0..7 {
        let role = if number == 0 { "proxy_admin_viewer" } else { "internal_user" };
        let email = format!("person{number}@example.com");
        // What somebody writes into metadata is no role.
        let metadata = json!({"user_role": "proxy_admin_viewer"});
        let sent = json!({"user_id": format!("u{number}"), "user_email": email, "user_role": role, "metadata": metadata,
            "auto_create_key": number == 1});
        master.post("/user/new", sent).await;
    }
    let page = master.get("/user/list?page=2&page_size=3").await;
    assert_eq!(
        (&page["total"], &page["page"], &page["page_size"], &page["total_pages"]),
        (&json!(7), &json!(2), &json!(3), &json!(3))
    );
    let ids = |page: &Value| -> Vec<String> {
        let rows = page["users"].as_array().unwrap();
        rows.iter().map(|row| row["user_id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(ids(&page), ["u3", "u4", "u5"]);
    assert_eq!(ids(&master.get("/user/list?role=proxy_admin_viewer").await), ["u0"]);
    assert_eq!(ids(&master.get("/user/list?user_email=PERSON6").await), ["u6"]);
    assert_eq!(ids(&master.get("/user/list?user_ids=u2,u5,x").await), ["u2", "u5"]);
    let found = master.get("/user/list?user_ids=u1,u2").await;
    assert_eq!((&found["users"][0]["key_count"], &found["users"][1]["key_count"]), (&json!(1), &json!(0)));
    master
        .post(
            "/team/new",
            json!({"team_id": "t1", "members_with_roles": [{"role": "user", "user_id": "u4"}]}),
        )
        .await;
    assert_eq!(ids(&master.get("/user/list?team=t1&role=internal_user").await), ["u4"]);
    assert_eq!(ids(&master.get("/user/list?sort_by=user_email&sort_order=desc&page_size=1").await), ["u6"]);
    for wrong in ["page=0", "page_size=101", "sort_by=password", "page=x"] {
        let status = master.status("GET", &format!("/user/list?{wrong}"), Value::Null).await;
        assert!(matches!(status, 400 | 422), "{wrong}: {status}");
    }
    assert_eq!(master.get("/user/available_users").await["total_users_used"], 7);
    assert!(master.get("/user/available_roles").await["internal_user"]["ui_label"].is_string());
    assert_eq!(master.get("/user/filter/ui?user_email=person3").await[0]["user_id"], "u3");
}

#[tokio::test]
async fn what_goes_wrong_for_one_user_does_not_undo_the_others() {
    let stage = Stage::operated();
    let master = stage.master();
    stage.user("u1").await;
    stage.user("u2").await;
    let users = json!({"users": [{"user_id": "u1", "max_budget": 5}, {"user_id": "nobody"}, {"user_id": "u2", "rpm_limit": -1}]});
    let answer = master.post("/user/bulk_update", users).await;
    assert_eq!(
        (&answer["total_requested"], &answer["successful_updates"], &answer["failed_updates"]),
        (&json!(3), &json!(1), &json!(2))
    );
    assert_eq!(answer["results"][0]["updated_user"]["max_budget"], 5.0);
    assert_eq!(answer["results"][1]["error"], "User nobody not found");
    let all =
        master.post("/user/bulk_update", json!({"all_users": true, "user_updates": {"tpm_limit": 9}})).await;
    assert_eq!(all["successful_updates"], 2);
    assert_eq!(master.get("/v2/user/info?user_id=u2").await["tpm_limit"], 9);
}

#[tokio::test]
async fn a_deleted_user_leaves_nothing_behind() {
    let stage = Stage::operated();
    let master = stage.master();
    let ann = stage.user("ann").await;
    master
        .post(
            "/team/new",
            json!({"team_id": "t1", "members_with_roles": [{"role": "admin", "user_id": "ann"}]}),
        )
        .await;
    master.post("/organization/new", json!({"organization_id": "o1", "organization_alias": "One"})).await;
    let member = json!({"organization_id": "o1", "member": {"role": "org_admin", "user_id": "ann"}});
    master.post("/organization/member_add", member).await;
    assert_eq!(ann.chat().await.status, 200);

    let some = json!({"user_ids": ["ann", "nobody"]});
    assert_eq!(master.status("POST", "/user/delete", some).await, 404);
    assert_eq!(ann.chat().await.status, 200, "all of them, or none");
    assert_eq!(master.post("/user/delete", json!({"user_ids": ["ann"]})).await, json!(1));
    assert_eq!(ann.chat().await.status, 401);
    assert_eq!(master.status("GET", "/user/info?user_id=ann", Value::Null).await, 404);
    let team = master.get("/team/info?team_id=t1").await;
    assert!(!team.to_string().contains("\"ann\""), "{team}");
    assert_eq!(master.get("/organization/info?organization_id=o1").await["members"], json!([]));
}

#[tokio::test]
async fn admins_of_an_organization_make_users_of_it_with_no_more_than_it_has() {
    let stage = Stage::operated();
    let master = stage.master();
    let boss = stage.user("boss").await;
    let organization =
        json!({"organization_id": "o1", "organization_alias": "One", "max_budget": 100, "models": ["chat"]});
    master.post("/organization/new", organization).await;
    let member = json!({"organization_id": "o1", "member": {"role": "org_admin", "user_id": "boss"}});
    master.post("/organization/member_add", member).await;

    let made = boss.post("/user/new", json!({"user_id": "new", "organizations": ["o1"]})).await;
    assert_eq!((&made["max_budget"], &made["models"]), (&json!(100.0), &json!(["chat"])));
    assert_eq!(boss.get("/user/list").await["total"], 2);
    assert_eq!(boss.get("/user/info?user_id=new").await["user_id"], "new");
    for (sent, status) in [
        (json!({"organizations": ["o1"], "max_budget": 101}), 400),
        (json!({"organizations": ["o1"], "models": ["other"]}), 400),
        (json!({"organizations": ["o1"], "user_role": "proxy_admin"}), 403),
        (json!({"organizations": ["o1"], "permissions": {"get_spend_routes": true}}), 403),
        (json!({"organizations": ["o2"]}), 401),
        (json!({}), 401),
    ] {
        assert_eq!(boss.status("POST", "/user/new", sent.clone()).await, status, "{sent}");
    }
    assert_eq!(boss.post("/user/delete", json!({"user_ids": ["new"]})).await, json!(1));

    stage.user("foreign").await;
    boss.post(
        "/organization/member_add",
        json!({"organization_id": "o1", "member": {"role": "internal_user", "user_id": "foreign"}}),
    )
    .await;
    let foreign = json!({"user_ids": ["foreign"]});
    assert_eq!(
        boss.status("POST", "/user/delete", foreign).await,
        401,
        "anybody can be put into an organization"
    );
}
