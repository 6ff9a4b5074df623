//! Logging in to the dashboard: the administrator, users with passwords, those who are invited, and those who guess.

use serde_json::{Value, json};

use crate::harness::{MASTER, Reply, Stage};

/// The session's cookie as a browser would send it.
fn cookie(reply: &Reply) -> String {
    let set = reply.header("set-cookie").unwrap_or_else(|| panic!("no cookie: {}", reply.text()));
    assert!(set.contains("HttpOnly") && set.contains("SameSite=Lax"), "{set}");
    set.split(';').next().unwrap().to_owned()
}

async fn login(stage: &Stage, username: &str, password: &str) -> Reply {
    stage.server.post("/v2/login", &json!({"username": username, "password": password})).await
}

async fn with_cookie(stage: &Stage, method: &str, path: &str, cookie: &str, more: &[(&str, &str)]) -> Reply {
    let mut headers = vec![("cookie", cookie)];
    headers.extend_from_slice(more);
    stage.server.request(method, path, &headers, "").await
}

/// Invites `user`; the link's secret.
async fn invited(stage: &Stage, user: &str) -> String {
    let made = stage.master().post("/invitation/new", json!({"user_id": user})).await;
    assert_eq!(made["is_accepted"], false);
    made["id"].as_str().unwrap().to_owned()
}

async fn claim(stage: &Stage, link: &str, user: &str, password: &str) -> Reply {
    let body = json!({"invitation_link": link, "user_id": user, "password": password});
    stage.server.post("/onboarding/claim_token", &body).await
}

#[tokio::test]
async fn the_administrator_logs_in_with_the_master_key_or_a_password_of_their_own() {
    let stage = Stage::operated();
    let reply = login(&stage, "admin", MASTER).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert!(reply.json()["redirect_url"].as_str().unwrap().starts_with("/ui/"));
    let session = cookie(&reply);
    assert_eq!(session, format!("token={}", reply.json()["token"].as_str().unwrap()));
    assert_eq!(with_cookie(&stage, "GET", "/team/list", &session, &[]).await.status, 200);
    let token = reply.json()["token"].as_str().unwrap().to_owned();
    assert_eq!(stage.operator(&token).status("GET", "/team/list", Value::Null).await, 200);

    let form = format!("username=admin&password={MASTER}");
    let kind = [("content-type", "application/x-www-form-urlencoded")];
    let reply = stage.server.request("POST", "/login", &kind, form).await;
    assert_eq!((reply.status, reply.header("location")), (303, Some("/ui/?login=success")));
    cookie(&reply);

    let own = Stage::open_in(
        "general_settings: {master_key: sk-master-1234567890}\nmodel_list: []\n",
        &[("UI_USERNAME", "root"), ("UI_PASSWORD", "a better one")],
    );
    assert_eq!(login(&own, "root", "a better one").await.status, 200);
    for (name, password) in [("root", MASTER), ("admin", "a better one")] {
        assert_eq!(login(&own, name, password).await.status, 401, "{name}");
    }
}

#[tokio::test]
async fn a_cookie_is_only_good_on_our_own_pages() {
    let stage = Stage::operated();
    let session = cookie(&login(&stage, "admin", MASTER).await);
    for (more, status) in [
        (("sec-fetch-site", "same-origin"), 200),
        (("sec-fetch-site", "cross-site"), 401),
        (("origin", "https://evil.example"), 401),
    ] {
        assert_eq!(
            with_cookie(&stage, "GET", "/team/list", &session, &[more]).await.status,
            status,
            "{more:?}"
        );
    }
    let elsewhere = [("sec-fetch-site", "cross-site"), ("content-type", "application/json")];
    let body = json!({"username": "admin", "password": MASTER}).to_string();
    assert_eq!(stage.server.request("POST", "/v2/login", &elsewhere, body).await.status, 403);
}

#[tokio::test]
async fn a_session_ends_with_its_logout() {
    let stage = Stage::operated();
    let session = cookie(&login(&stage, "admin", MASTER).await);
    let reply = with_cookie(&stage, "POST", "/session/logout", &session, &[]).await;
    assert_eq!(reply.status, 200);
    assert!(reply.header("set-cookie").unwrap().contains("Max-Age=0"));
    assert_eq!(with_cookie(&stage, "GET", "/team/list", &session, &[]).await.status, 401);
}

#[tokio::test]
async fn whoever_guesses_waits() {
    let stage = Stage::operated();
    for _ in 0..5 {
        let reply = login(&stage, "admin", "guess").await;
        assert_eq!(reply.status, 401);
        assert!(reply.message().starts_with("Invalid credentials"), "{}", reply.text());
    }
    let reply = login(&stage, "admin", MASTER).await;
    assert_eq!((reply.status, reply.header("retry-after")), (429, Some("300")));
}

#[tokio::test]
async fn an_invited_user_sets_a_password_once_and_logs_in_with_it() {
    let stage = Stage::operated();
    stage.master().post("/user/new", json!({"user_id": "u1", "user_email": "ann@example.com"})).await;
    let link = invited(&stage, "u1").await;
    let seen = stage.server.get(&format!("/onboarding/get_token?invite_link={link}")).await;
    assert_eq!(seen.json()["user_email"], "ann@example.com", "{}", seen.text());
    assert_eq!(claim(&stage, &link, "u2", "correct horse").await.status, 401);
    assert_eq!(claim(&stage, &link, "u1", "short").await.status, 400);
    let reply = claim(&stage, &link, "u1", "correct horse").await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let session = cookie(&reply);
    let own = with_cookie(&stage, "GET", "/user/info", &session, &[]).await;
    assert_eq!(own.json()["user_id"], "u1", "{}", own.text());
    assert!(!own.text().contains("argon2"), "{}", own.text());
    assert_eq!(claim(&stage, &link, "u1", "another one").await.status, 401, "a link is used once");
    assert_eq!(login(&stage, "ANN@example.com", "correct horse").await.status, 200);
    assert_eq!(login(&stage, "ann@example.com", "correct horsf").await.status, 401);
    // A user's session is a user's.
    assert_eq!(with_cookie(&stage, "GET", "/credentials", &session, &[]).await.status, 401);
}

#[tokio::test]
async fn a_link_that_was_taken_back_opens_nothing() {
    let stage = Stage::operated();
    stage.master().post("/user/new", json!({"user_id": "u1"})).await;
    let link = invited(&stage, "u1").await;
    let info = stage.master().get(&format!("/invitation/info?invitation_id={link}")).await;
    assert_eq!(info["user_id"], "u1");
    let hash = info["id"].as_str().unwrap();
    assert_ne!(hash, link);
    assert_eq!(claim(&stage, hash, "u1", "correct horse").await.status, 401, "the hash is no secret");
    stage.master().post("/invitation/delete", json!({"invitation_id": link})).await;
    assert_eq!(claim(&stage, &link, "u1", "correct horse").await.status, 401);
    let nobody = json!({"user_id": "nobody"});
    assert_eq!(stage.master().status("POST", "/invitation/new", nobody).await, 404);
}

#[tokio::test]
async fn a_changed_password_ends_older_sessions() {
    let stage = Stage::operated();
    stage.master().post("/user/new", json!({"user_id": "u1"})).await;
    let link = invited(&stage, "u1").await;
    let old = cookie(&claim(&stage, &link, "u1", "correct horse").await);
    let change =
        |current: &str| json!({"current_password": current, "new_password": "battery staple"}).to_string();
    let headers = [("cookie", old.as_str()), ("content-type", "application/json")];
    let wrong = stage.server.request("POST", "/user/password/change", &headers, change("wrong one")).await;
    assert_eq!(wrong.status, 401, "{}", wrong.text());
    let reply =
        stage.server.request("POST", "/user/password/change", &headers, change("correct horse")).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(with_cookie(&stage, "GET", "/user/info", &old, &[]).await.status, 401);
    assert_eq!(with_cookie(&stage, "GET", "/user/info", &cookie(&reply), &[]).await.status, 200);
    assert_eq!(login(&stage, "u1", "battery staple").await.status, 200);
}

#[tokio::test]
async fn what_the_dashboard_must_know_is_open() {
    let stage = Stage::operated();
    for path in ["/.well-known/litellm-ui-config", "/litellm/.well-known/litellm-ui-config"] {
        let config = stage.server.get(path).await.json();
        assert_eq!(
            (&config["server_root_path"], &config["sso_configured"]),
            (&json!("/"), &json!(false)),
            "{path}"
        );
    }
}
