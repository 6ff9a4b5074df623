//! What calls cost, as it is asked for afterwards: rows, days, reports, and whose they are.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use store::db::Db;
use store::entity::{KeyFields, Record, TeamFields, TeamPerson, UserFields};
use tempfile::TempDir;

use crate::harness::{Reply, Stage, chat, with};

const MASTER: &str = "sk-master-7d1b";
const ALICE: &str = "sk-alice-0123456789";
const BOB: &str = "sk-bob-0123456789";
/// A key without a user.
const SERVICE: &str = "sk-service-0123456789";
/// Their SHA-256.
const ALICE_HASH: &str = "767ce15891988db0e684a53b3a796188526d8ba43dc03acd89e7fdf3c126cdcc";
const BOB_HASH: &str = "7abecd79d98aa79deaacf9745bb505d7d72abe4dd36edc1b977d1345863ad3b5";
const SERVICE_HASH: &str = "7b6ac665a72ca49eac1bbe8bf1065900002ed2201ff7fb1b905a730e9abe79f8";

/// A prompt token costs 0.001 dollars, one of the answer 0.002.
const CONFIG: &str = "
model_list:
  - model_name: house
    litellm_params: {model: openai/house-1, api_base: $FAKE/v1, api_key: k, input_cost_per_token: 0.001, output_cost_per_token: 0.002}
    model_info: {id: house-id}
  - model_name: unpriced
    litellm_params: {model: openai/nobody-knows-me, api_base: $FAKE/v1, api_key: k}
router_settings: {num_retries: 0}
general_settings: {master_key: sk-master-7d1b}
";

struct House {
    stage: Stage,
    _home: TempDir,
}

impl House {
    /// Alice leads the team `blue`, in which Bob is; the service's key is nobody's.
    async fn open() -> Self {
        let home = TempDir::new().unwrap();
        let db = Db::sqlite(&home.path().join("tollgate.db")).await.unwrap();
        let mut tx = db.begin().await.unwrap();
        let person = |user: &str, role: &str| TeamPerson {
            user_id: Some(user.to_owned()),
            user_email: None,
            role: role.to_owned(),
        };
        let team = TeamFields {
            team_alias: Some("Blue".to_owned()),
            members_with_roles: vec![person("alice", "admin"), person("bob", "user")],
            ..TeamFields::default()
        };
        tx.insert(&Record::new("blue", team, 1, None)).await.unwrap();
        for user in ["alice", "bob"] {
            let fields = UserFields { user_role: Some("internal_user".to_owned()), ..UserFields::default() };
            tx.insert(&Record::new(user, fields, 1, None)).await.unwrap();
        }
        let key = |alias: &str, user: Option<&str>, team: Option<&str>| KeyFields {
            key_alias: Some(alias.to_owned()),
            user_id: user.map(str::to_owned),
            team_id: team.map(str::to_owned),
            ..KeyFields::default()
        };
        for (hash, fields) in [
            (ALICE_HASH, key("alices", Some("alice"), None)),
            (BOB_HASH, key("bobs", Some("bob"), Some("blue"))),
            (SERVICE_HASH, key("services", None, None)),
        ] {
            tx.insert(&Record::new(hash, fields, 1, None)).await.unwrap();
        }
        tx.commit().await.unwrap();
        db.close().await;
        let place = home.path().to_str().unwrap().to_owned();
        let stage = Stage::open_in(CONFIG, &[("TOLLGATE_HOME", &place)]);
        let usage = json!({"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15});
        for model in ["house-1", "nobody-knows-me"] {
            stage.script(model, json!({"usage": usage}));
        }
        Self { stage, _home: home }
    }

    /// Calls a model, `times` times; each call of `house` costs 0.02 dollars.
    async fn call(&self, key: &str, body: Value, times: usize) {
        for _ in 0..times {
            let reply = self.send(key, "POST", "/v1/chat/completions", body.to_string()).await;
            assert_eq!(reply.status, 200, "{}", reply.text());
        }
    }

    async fn send(&self, key: &str, method: &str, path: &str, body: String) -> Reply {
        let bearer = format!("Bearer {key}");
        self.stage.server.request(method, path, &[("authorization", &bearer)], body).await
    }

    async fn get(&self, key: &str, path: &str) -> Value {
        let reply = self.send(key, "GET", path, String::new()).await;
        assert_eq!(reply.status, 200, "{path}: {}", reply.text());
        reply.json()
    }

    async fn refused(&self, key: &str, path: &str) -> u16 {
        self.send(key, "GET", path, String::new()).await.status
    }

    /// Waits until so many calls are in the log.
    async fn until_logged(&self, calls: u64) {
        let begun = Instant::now();
        loop {
            let page = self.get(MASTER, "/spend/logs/v2").await;
            if page["total"] == calls {
                return;
            }
            assert!(begun.elapsed() < Duration::from_secs(20), "{page}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Two calls of Alice, three of Bob, one of the service and one of the master key.
    async fn with_calls() -> Self {
        let house = Self::open().await;
        house.call(ALICE, with(chat("house"), json!({"metadata": {"tags": ["red"]}})), 2).await;
        house.call(BOB, with(chat("house"), json!({"user": "customer-1"})), 3).await;
        house.call(SERVICE, chat("unpriced"), 1).await;
        house.call(MASTER, chat("house"), 1).await;
        house.until_logged(7).await;
        house
    }
}

const DAYS: &str = "start_date=2020-01-01&end_date=2099-12-31";

fn rows(list: &Value) -> usize {
    list.as_array().map(Vec::len).unwrap()
}

#[tokio::test]
async fn a_call_is_in_the_log_as_litellm_has_it() {
    let house = House::with_calls().await;
    let page = house.get(MASTER, "/spend/logs/v2?api_key=sk-alice-0123456789&page_size=1&page=2").await;
    assert_eq!((&page["total"], &page["page"], &page["total_pages"]), (&json!(2), &json!(2), &json!(2)));
    let row = &page["data"][0];
    assert_eq!(row["api_key"], ALICE_HASH);
    assert_eq!(row["spend"].as_f64(), Some(0.02));
    assert_eq!(
        (&row["prompt_tokens"], &row["completion_tokens"], &row["total_tokens"]),
        (&json!(10), &json!(5), &json!(15))
    );
    assert_eq!(
        (&row["model"], &row["model_group"], &row["model_id"]),
        (&json!("house-1"), &json!("house"), &json!("house-id"))
    );
    assert_eq!((&row["custom_llm_provider"], &row["call_type"]), (&json!("openai"), &json!("acompletion")));
    assert_eq!((&row["user"], &row["status"]), (&json!("alice"), &json!("success")));
    assert_eq!(row["metadata"]["user_api_key_alias"], "alices");
    assert_eq!(row["messages"], json!({}));
    let tags = row["request_tags"].as_array().unwrap();
    assert!(tags.contains(&json!("red")), "{row}");
    assert!(
        row["startTime"].as_str().unwrap().ends_with('Z')
            && row["startTime"].as_str() <= row["endTime"].as_str()
    );

    let id = row["litellm_call_id"].as_str().unwrap();
    let one = house.get(MASTER, &format!("/spend/logs/ui/{id}")).await;
    assert_eq!(one, *row);
    assert_eq!(house.refused(MASTER, "/spend/logs/ui/nobody").await, 404);
    let unpriced = house.get(MASTER, "/spend/logs/v2?model=unpriced").await;
    assert_eq!(unpriced["data"][0]["metadata"]["pricing"], "unpriced");
}

#[tokio::test]
async fn pages_follow_each_other_by_number_and_by_cursor() {
    let house = House::with_calls().await;
    let mut seen = Vec::new();
    let mut path = "/spend/logs/ui?page_size=3".to_owned();
    loop {
        let page = house.get(MASTER, &path).await;
        seen.extend(page["data"].as_array().unwrap().iter().map(|row| row["litellm_call_id"].clone()));
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        path = format!("/spend/logs/ui?page_size=3&cursor={cursor}");
    }
    let mut numbered = Vec::new();
    for number in 1..=3 {
        let page = house.get(MASTER, &format!("/spend/logs/ui?page_size=3&page={number}")).await;
        numbered.extend(page["data"].as_array().unwrap().iter().map(|row| row["litellm_call_id"].clone()));
    }
    assert_eq!((seen.len(), &seen), (7, &numbered));
    assert_eq!(rows(&house.get(MASTER, "/spend/logs").await), 7);
}

#[tokio::test]
async fn everybody_sees_their_own() {
    let house = House::with_calls().await;
    let total = async |key: &str, path: &str| house.get(key, path).await["total"].clone();
    assert_eq!(total(ALICE, "/spend/logs/v2").await, 2);
    assert_eq!(total(ALICE, "/spend/logs/v2?user_id=bob").await, 2);
    assert_eq!(total(BOB, "/spend/logs/v2").await, 3);
    assert_eq!(total(SERVICE, "/spend/logs/v2").await, 1);
    // The admin of a team sees all of it, a member does not see more than their own.
    assert_eq!(total(ALICE, "/spend/logs/v2?team_id=blue").await, 3);
    assert_eq!(total(BOB, "/spend/logs/v2?team_id=blue&user_id=alice").await, 3);
    assert_eq!(total(BOB, &format!("/spend/logs/v2?api_key={ALICE_HASH}")).await, 0);
    assert_eq!(rows(&house.get(BOB, "/spend/logs").await), 3);

    let of_alice = house.get(MASTER, "/spend/logs/v2?user_id=alice").await;
    let id = of_alice["data"][0]["litellm_call_id"].as_str().unwrap().to_owned();
    assert_eq!(house.refused(BOB, &format!("/spend/logs/ui/{id}")).await, 404);
    assert_eq!(house.refused(ALICE, &format!("/spend/logs/ui/{id}")).await, 200);
    let of_bob = house.get(MASTER, "/spend/logs/v2?user_id=bob").await;
    let id = of_bob["data"][0]["litellm_call_id"].as_str().unwrap().to_owned();
    assert_eq!(house.refused(ALICE, &format!("/spend/logs/ui/{id}")).await, 200);

    for path in [
        "/global/spend",
        "/global/spend/keys",
        "/global/spend/logs",
        "/global/spend/models",
        "/global/spend/teams",
        "/global/spend/tags",
        "/global/all_end_users",
        "/spend/keys",
        "/spend/users",
        "/provider/budgets",
    ] {
        assert_eq!(house.refused(ALICE, path).await, 401, "{path}");
        assert_eq!(house.refused("sk-unknown", path).await, 401, "{path}");
        house.get(MASTER, path).await;
    }
    for path in [
        format!("/user/daily/activity?{DAYS}&user_id=alice"),
        format!("/customer/daily/activity?{DAYS}"),
        format!("/organization/daily/activity?{DAYS}&organization_ids=o"),
        format!("/team/daily/activity?{DAYS}&team_ids=red"),
        format!("/global/spend/report?{DAYS}"),
    ] {
        assert_eq!(house.refused(BOB, &path).await, 401, "{path}");
    }
}

#[tokio::test]
async fn days_add_up_for_users_teams_and_tags() {
    let house = House::with_calls().await;
    let user = house.get(MASTER, &format!("/user/daily/activity?{DAYS}")).await;
    assert!((user["metadata"]["total_spend"].as_f64().unwrap() - 0.12).abs() < 1e-12, "{user}");
    assert_eq!(
        (&user["metadata"]["total_api_requests"], &user["metadata"]["has_more"]),
        (&json!(7), &json!(false))
    );
    assert_eq!(user["metadata"]["total_unpriced_requests"], 1);
    let own = house.get(ALICE, &format!("/user/daily/activity/aggregated?{DAYS}")).await;
    assert_eq!(own["metadata"]["total_api_requests"], 2);
    let breakdown = &own["results"][0]["breakdown"];
    assert_eq!(breakdown["models"]["house-1"]["metrics"]["spend"].as_f64(), Some(0.04));
    assert_eq!(
        breakdown["model_groups"]["house"]["api_key_breakdown"][ALICE_HASH]["metadata"]["key_alias"],
        "alices"
    );
    assert_eq!(breakdown["endpoints"]["/chat/completions"]["metrics"]["successful_requests"], 2);
    assert_eq!(own["metadata"]["total_api_keys"], 1);

    let team = house.get(ALICE, &format!("/team/daily/activity?{DAYS}&team_ids=blue")).await;
    let blue = &team["results"][0]["breakdown"]["entities"]["blue"];
    assert_eq!(
        (&blue["metadata"]["team_alias"], &blue["metrics"]["api_requests"]),
        (&json!("Blue"), &json!(3))
    );
    let member = house.get(BOB, &format!("/team/daily/activity?{DAYS}")).await;
    assert_eq!(member["metadata"]["total_api_requests"], 3);
    let tag = house.get(MASTER, &format!("/tag/daily/activity/aggregated?{DAYS}&tags=red")).await;
    assert_eq!(tag["metadata"]["total_api_requests"], 2);
    assert_eq!(
        house.get(BOB, &format!("/tag/daily/activity?{DAYS}&tags=red")).await["metadata"]["total_api_requests"],
        0
    );
    let customer =
        house.get(MASTER, &format!("/customer/daily/activity?{DAYS}&end_user_ids=customer-1")).await;
    assert_eq!(customer["metadata"]["total_api_requests"], 3);

    let missing =
        house.send(MASTER, "GET", "/user/daily/activity?start_date=2026-01-01", String::new()).await;
    assert_eq!((missing.status, missing.message().as_str()), (400, "Please provide start_date and end_date"));
}

#[tokio::test]
async fn the_dashboard_has_its_sums() {
    let house = House::with_calls().await;
    let spend = house.get(MASTER, "/global/spend").await;
    assert_eq!((spend["spend"].as_f64(), spend["max_budget"].as_f64()), (Some(0.12), Some(0.0)));
    assert_eq!(house.get(MASTER, "/global/spend/logs").await[0]["spend"].as_f64(), Some(0.12));
    let keys = house.get(MASTER, "/global/spend/keys?limit=1").await;
    assert_eq!(
        (rows(&keys), &keys[0]["api_key"], &keys[0]["key_alias"]),
        (1, &json!(BOB_HASH), &json!("bobs"))
    );
    let models = house.get(MASTER, "/global/spend/models").await;
    assert_eq!((&models[0]["model"], models[0]["total_spend"].as_f64()), (&json!("house-1"), Some(0.12)));
    let teams = house.get(MASTER, "/global/spend/teams").await;
    assert_eq!((&teams["teams"][0], teams["daily_spend"][0]["Blue"].as_f64()), (&json!("Blue"), Some(0.06)));
    assert_eq!(house.get(MASTER, "/global/spend/provider").await[0]["provider"], "openai");
    let tags = house.get(MASTER, "/global/spend/tags?tags=red").await;
    assert_eq!(
        (&tags["spend_per_tag"][0]["name"], &tags["spend_per_tag"][0]["log_count"]),
        (&json!("red"), &json!(2))
    );
    assert!(
        house.get(MASTER, "/global/spend/all_tag_names").await["tag_names"]
            .as_array()
            .unwrap()
            .contains(&json!("red"))
    );
    assert_eq!(house.get(MASTER, "/global/all_end_users").await, json!([{"end_user": "customer-1"}]));
    let end_users = house.send(MASTER, "POST", "/global/spend/end_users", "{}".to_owned()).await.json();
    assert_eq!((&end_users[0]["end_user"], &end_users[0]["total_count"]), (&json!("customer-1"), &json!(3)));

    let activity = house.get(MASTER, &format!("/global/activity?{DAYS}")).await;
    assert_eq!((&activity["sum_api_requests"], &activity["sum_total_tokens"]), (&json!(7), &json!(105)));
    let of_models = house.get(ALICE, &format!("/global/activity/model?{DAYS}")).await;
    assert_eq!((&of_models[0]["model"], &of_models[0]["sum_api_requests"]), (&json!("house"), &json!(2)));
    assert_eq!(
        house.get(MASTER, &format!("/global/activity/cache_hits?{DAYS}")).await[0]["cache_hit_true_rows"],
        0
    );
    assert_eq!(house.refused(MASTER, "/global/activity").await, 400);

    let summary = house.get(MASTER, "/spend/logs?start_date=2026-01-01&end_date=2026-01-03").await;
    assert_eq!(
        (rows(&summary), &summary[0]["startTime"], summary[0]["spend"].as_f64()),
        (3, &json!("2026-01-01"), Some(0.0))
    );
    let now = summary_of_all(&house, MASTER).await;
    assert_eq!(now["users"]["bob"].as_f64(), Some(0.06));
    assert_eq!(summary_of_all(&house, ALICE).await["users"], json!({"alice": 0.04}));
}

/// The day on which something was spent.
async fn summary_of_all(house: &House, key: &str) -> Value {
    let year =
        house.get(MASTER, "/spend/logs/v2?page_size=1").await["data"][0]["startTime"].as_str().unwrap()[..10]
            .to_owned();
    house.get(key, &format!("/spend/logs?start_date={year}&end_date={year}")).await[0].clone()
}

#[tokio::test]
async fn reports_are_grouped_as_asked() {
    let house = House::with_calls().await;
    let teams = house.get(MASTER, &format!("/global/spend/report?{DAYS}")).await;
    let blue = &teams[0]["teams"][0];
    assert_eq!((&blue["team_name"], blue["total_spend"].as_f64()), (&json!("Blue"), Some(0.06)));
    assert_eq!(
        (&blue["metadata"][0]["model"], &blue["metadata"][0]["api_key"]),
        (&json!("house-1"), &json!(BOB_HASH))
    );
    let customers = house.get(MASTER, &format!("/global/spend/report?{DAYS}&group_by=customer")).await;
    assert_eq!(customers[0]["customers"][0]["customer"], "customer-1");
    let keys = house.get(MASTER, &format!("/global/spend/report?{DAYS}&group_by=api_key")).await;
    assert_eq!(rows(&keys), 4);
    let key = house.get(MASTER, &format!("/global/spend/report?{DAYS}&api_key={ALICE}")).await;
    assert_eq!((rows(&key), key[0]["total_cost"].as_f64()), (1, Some(0.04)));
    assert_eq!(house.refused(MASTER, &format!("/global/spend/report?{DAYS}&group_by=mood")).await, 400);
    assert_eq!(house.refused(MASTER, "/global/spend/report").await, 400);

    assert_eq!(house.get(ALICE, &format!("/key/spend/report?{DAYS}")).await[0]["api_key"], ALICE_HASH);
    assert_eq!(rows(&house.get(ALICE, &format!("/key/spend/report?{DAYS}&api_key={BOB_HASH}")).await), 0);
    assert_eq!(
        house.get(BOB, &format!("/user/spend/report?{DAYS}&user_id=alice")).await[0]["api_key"],
        BOB_HASH
    );
    assert_eq!(rows(&house.get(BOB, &format!("/team/spend/report?{DAYS}&team_id=blue")).await), 0);
    assert_eq!(rows(&house.get(ALICE, &format!("/team/spend/report?{DAYS}&team_id=blue")).await), 1);
}

#[tokio::test]
async fn only_the_master_key_resets_what_was_spent() {
    let house = House::with_calls().await;
    let spent = async |house: &House| {
        let rows = house.get(MASTER, "/spend/keys").await;
        let of_bob = rows.as_array().unwrap().iter().find(|row| row["token"] == BOB_HASH).unwrap().clone();
        of_bob["spend"].as_f64()
    };
    assert_eq!(spent(&house).await, Some(0.06));
    let refused = house.send(ALICE, "POST", "/global/spend/reset", String::new()).await;
    assert_eq!((refused.status, refused.error()["type"].as_str()), (401, Some("auth_error")));
    let done = house.send(MASTER, "POST", "/global/spend/reset", String::new()).await;
    assert_eq!((done.status, &done.json()["status"]), (200, &json!("success")));
    assert_eq!(spent(&house).await, Some(0.0));
    assert_eq!(house.get(MASTER, "/global/spend").await["spend"].as_f64(), Some(0.12));
}

#[tokio::test]
async fn what_a_call_would_cost_is_told_before_it_is_made() {
    let house = House::open().await;
    let ask = async |path: &str, body: Value| house.send(SERVICE, "POST", path, body.to_string()).await;
    let reply = json!({"model": "house", "usage": {"prompt_tokens": 10, "completion_tokens": 5}});
    let cost = ask("/spend/calculate", json!({"completion_response": reply})).await;
    assert_eq!(cost.json()["cost"].as_f64(), Some(0.02), "{}", cost.text());
    let cost = ask("/spend/calculate", chat("house")).await.json();
    assert!(cost["cost"].as_f64().unwrap() >= 0.002, "{cost}");
    let known = ask("/spend/calculate", json!({"model": "gpt-4o", "completion_response": reply})).await;
    assert_eq!(known.json()["cost"].as_f64(), Some(0.000_075), "{}", known.text());
    let unpriced = ask("/spend/calculate", chat("unpriced")).await;
    assert_eq!(unpriced.status, 400);
    assert!(unpriced.message().contains("No price is known for unpriced"), "{}", unpriced.message());
    assert_eq!(ask("/spend/calculate", json!({"model": "house"})).await.status, 400);

    let planned =
        json!({"model": "house", "input_tokens": 10, "output_tokens": 5, "num_requests_per_day": 100});
    let estimate = ask("/cost/estimate", planned).await.json();
    assert_eq!(estimate["cost_per_request"].as_f64(), Some(0.02), "{estimate}");
    assert_eq!(
        (estimate["input_cost_per_request"].as_f64(), estimate["output_cost_per_request"].as_f64()),
        (Some(0.01), Some(0.01))
    );
    assert_eq!((estimate["daily_cost"].as_f64(), &estimate["monthly_cost"]), (Some(2.0), &Value::Null));
}

#[tokio::test]
async fn wishes_that_make_no_sense_are_named() {
    let house = House::open().await;
    for (query, field) in [
        ("start_date=yesterday", "start_date"),
        ("end_date=2026-13-01", "end_date"),
        ("status_filter=maybe", "status_filter"),
        ("cache_hit_filter=2", "cache_hit_filter"),
        ("sort_by=mood", "sort_by"),
        ("sort_order=up", "sort_order"),
        ("cursor=there", "cursor"),
    ] {
        let reply = house.send(MASTER, "GET", &format!("/spend/logs/v2?{query}"), String::new()).await;
        assert_eq!((reply.status, &reply.error()["param"]), (400, &json!(field)), "{}", reply.text());
    }
    let sorted =
        house.get(MASTER, "/spend/logs/v2?sort_by=spend&sort_order=asc&min_spend=0.01&max_spend=1").await;
    assert_eq!(sorted["total"], 0);
}

#[tokio::test]
async fn old_rows_are_deleted_and_their_sums_stay() {
    let home = TempDir::new().unwrap();
    let place = home.path().to_str().unwrap().to_owned();
    let brief = format!(
        "{}  maximum_spend_logs_retention_period: 1s\n  maximum_spend_logs_retention_interval: 1s\n",
        CONFIG.replace(
            "general_settings: {master_key: sk-master-7d1b}",
            "general_settings:\n  master_key: sk-master-7d1b"
        )
    );
    let house = House { stage: Stage::open_in(&brief, &[("TOLLGATE_HOME", &place)]), _home: home };
    house.call(MASTER, chat("house"), 2).await;
    let begun = Instant::now();
    loop {
        let sums = house.get(MASTER, &format!("/global/activity?{DAYS}")).await;
        let rows = house.get(MASTER, "/spend/logs/v2").await["total"].clone();
        if sums["sum_api_requests"] == 2 && rows == 0 {
            return;
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "{sums}, {rows} rows");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
