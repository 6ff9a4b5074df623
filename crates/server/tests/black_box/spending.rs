//! Money and limits of virtual keys under load: what is spent never exceeds a budget, every call is charged once, and
//! what the log of calls adds up to is what the provider would ask for.

use std::path::Path;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::{Value, json};
use store::db::Db;

use crate::harness::{Ending, Stage, chat, streamed, with};

const MASTER: &str = "sk-master-7d1b0e";

/// `dear` costs ten times as much as `cheap`; of `shaky` one of two deployments always fails; `slow` never ends.
const CONFIG: &str = "
model_list:
  - model_name: cheap
    litellm_params: {model: openai/cheap, api_base: $FAKE/v1, api_key: k, input_cost_per_token: 1e-6, output_cost_per_token: 1e-6}
  - model_name: dear
    litellm_params: {model: openai/dear, api_base: $FAKE/v1, api_key: k, input_cost_per_token: 1e-5, output_cost_per_token: 1e-5}
  - model_name: shaky
    litellm_params: {model: openai/broken, api_base: $FAKE/v1, api_key: k, input_cost_per_token: 1e-6, output_cost_per_token: 1e-6}
  - model_name: shaky
    litellm_params: {model: openai/sound, api_base: $FAKE/v1, api_key: k, input_cost_per_token: 1e-6, output_cost_per_token: 1e-6}
  - model_name: slow
    litellm_params: {model: openai/slow, api_base: $FAKE/v1, api_key: k, input_cost_per_token: 1e-6, output_cost_per_token: 1e-6}
  - model_name: free
    litellm_params: {model: openai/free, api_base: $FAKE/v1, api_key: k, input_cost_per_token: 0, output_cost_per_token: 0}
general_settings: {master_key: sk-master-7d1b0e}
router_settings: {num_retries: 2}
";

/// What the provider says every call has used.
const USED: u64 = 320;

fn stage() -> Stage {
    let stage = Stage::open(CONFIG);
    for model in ["cheap", "dear", "sound", "free"] {
        let usage = json!({"prompt_tokens": 20, "completion_tokens": 300, "total_tokens": USED});
        stage.script(model, json!({"usage": usage, "delay_ms": 20}));
    }
    stage.script("broken", json!({"status": 500, "error": "out of order"}));
    stage.script("slow", json!({"chunks": vec!["word "; 400], "chunk_ms": 100}));
    stage
}

async fn post(stage: &Stage, key: &str, path: &str, body: &Value) -> crate::harness::Reply {
    let bearer = format!("Bearer {key}");
    stage.server.request("POST", path, &[("authorization", &bearer)], body.to_string()).await
}

/// Makes a key; its text.
async fn key(stage: &Stage, fields: Value) -> String {
    let made = post(stage, MASTER, "/key/generate", &fields).await;
    assert_eq!(made.status, 200, "{}", made.text());
    made.json()["key"].as_str().unwrap().to_owned()
}

async fn info(stage: &Stage, key: &str) -> Value {
    let bearer = format!("Bearer {MASTER}");
    let path = format!("/key/info?key={key}");
    stage.server.request("GET", &path, &[("authorization", &bearer)], "").await.json()["info"].clone()
}

/// The money in the log of calls, in nano-dollars: of complete calls, and of those that were left.
async fn logged(home: &Path, calls: i64) -> (i64, i64) {
    let db = Db::sqlite(&home.join("tollgate.db")).await.unwrap();
    let begun = Instant::now();
    loop {
        let row = db.row("SELECT COUNT(*) AS calls FROM spend_logs", &[]).await.unwrap().unwrap();
        if row.int("calls").unwrap() >= calls {
            break;
        }
        assert!(begun.elapsed() < Duration::from_secs(15), "{} of {calls} calls", row.int("calls").unwrap());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let sum = |model: &'static str, not: &'static str| {
        let db = db.clone();
        async move {
            let sql = format!(
                "SELECT CAST(COALESCE(SUM(spend), 0) AS BIGINT) AS total FROM spend_logs WHERE model_group {not}= '{model}'"
            );
            db.row(&sql, &[]).await.unwrap().unwrap().int("total").unwrap()
        }
    };
    (sum("slow", "!").await, sum("slow", "").await)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_budget_holds_against_a_thousand_calls_at_once_and_the_log_is_the_invoice() {
    let stage = stage();
    let key = key(&stage, json!({"max_budget": 1, "key_alias": "crowd"})).await;
    let bearer = format!("Bearer {key}");
    let calls = (0..1_000).map(|number| {
        let (stage, bearer) = (&stage, &bearer);
        async move {
            let limits = json!({"max_tokens": 300});
            let headers = [("authorization", bearer.as_str())];
            let path = "/v1/chat/completions";
            match number % 5 {
                0 => {
                    stage
                        .server
                        .request("POST", path, &headers, with(chat("dear"), limits).to_string())
                        .await
                        .status
                }
                1 => {
                    stage
                        .server
                        .request("POST", path, &headers, with(chat("cheap"), limits).to_string())
                        .await
                        .status
                }
                2 => {
                    stage
                        .server
                        .request("POST", path, &headers, with(streamed("dear"), limits).to_string())
                        .await
                        .status
                }
                3 => {
                    stage
                        .server
                        .request("POST", path, &headers, with(chat("shaky"), limits).to_string())
                        .await
                        .status
                }
                _ => {
                    let mut stream = stage.server.open(path, &headers, &with(streamed("slow"), limits)).await;
                    let status = stream.status;
                    if status == 200 {
                        stream.until("word").await;
                    }
                    status
                }
            }
        }
    });
    let statuses = join_all(calls).await;
    let (answered, refused) = (
        statuses.iter().filter(|status| **status == 200).count(),
        statuses.iter().filter(|status| **status == 422).count(),
    );
    assert_eq!(answered + refused, 1_000, "{statuses:?}");
    assert!(refused > 100 && answered > 100, "{answered} answered, {refused} refused");

    // Calls that were left may still be on their way to the books.
    let (whole, left) = logged(stage.server.home(), answered as i64).await;
    let complete = |model: &str| {
        let requests = stage.provider.requests_for(model);
        requests.iter().filter(|request| request.ending == Ending::Complete).count() as u64
    };
    let invoice = USED * (complete("cheap") + complete("sound")) * 1_000 + USED * complete("dear") * 10_000;
    assert_eq!(whole as u64, invoice);
    assert!(left > 0, "a call that was left has cost something");
    assert!(whole + left <= 1_000_000_000, "{whole} + {left}");
    let spend = info(&stage, &key).await["spend"].as_f64().unwrap();
    assert_eq!((spend * 1e9).round() as i64, whole + left);
    // What was reserved was given back: the rest of the budget can be spent.
    let rest = 1_000_000_000 - whole - left;
    if rest > 330_000 {
        let last =
            post(&stage, &key, "/v1/chat/completions", &with(chat("cheap"), json!({"max_tokens": 300})))
                .await;
        assert_eq!(last.status, 200, "{}", last.text());
    }
}

#[tokio::test]
async fn a_refusal_says_whose_budget_it_is_and_free_models_go_on() {
    let stage = stage();
    let key = key(&stage, json!({"max_budget": 0.0005, "key_alias": "poor"})).await;
    let first =
        post(&stage, &key, "/v1/chat/completions", &with(chat("cheap"), json!({"max_tokens": 300}))).await;
    assert_eq!(first.status, 200, "{}", first.text());
    let second =
        post(&stage, &key, "/v1/chat/completions", &with(chat("cheap"), json!({"max_tokens": 300}))).await;
    let error = &second.json()["error"];
    assert_eq!((second.status, error["type"].as_str()), (422, Some("budget_exceeded")), "{}", second.text());
    let message = error["message"].as_str().unwrap();
    assert!(message.contains("Key=poor") && message.contains("0.0005"), "{message}");
    let free = post(&stage, &key, "/v1/chat/completions", &chat("free")).await;
    assert_eq!(free.status, 200, "{}", free.text());
    assert_eq!(info(&stage, &key).await["spend"], json!(0.00032));
}

#[tokio::test]
async fn requests_tokens_and_calls_at_a_time_are_limited_for_each_key() {
    let stage = stage();
    let narrow = key(&stage, json!({"rpm_limit": 3})).await;
    let body = chat("cheap");
    let statuses = join_all((0..10).map(|_| post(&stage, &narrow, "/v1/chat/completions", &body))).await;
    let left = statuses.iter().filter_map(|reply| reply.header("x-ratelimit-api_key-remaining-requests"));
    let mut left: Vec<&str> = left.collect();
    left.sort_unstable();
    assert_eq!(left, ["0", "1", "2"]);
    let refused = statuses.iter().find(|reply| reply.status == 429).unwrap();
    assert_eq!(refused.header("rate_limit_type"), Some("requests"));
    let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
    assert!(
        refused.json()["error"]["message"].as_str().unwrap().contains("Limit type: requests"),
        "{}",
        refused.text()
    );

    let short = key(&stage, json!({"tpm_limit": 400})).await;
    let body = with(chat("cheap"), json!({"max_tokens": 100}));
    assert_eq!(post(&stage, &short, "/v1/chat/completions", &body).await.status, 200);
    let refused = post(&stage, &short, "/v1/chat/completions", &body).await;
    assert_eq!(
        (refused.status, refused.header("rate_limit_type")),
        (429, Some("tokens")),
        "{}",
        refused.text()
    );

    let single = key(&stage, json!({"max_parallel_requests": 1})).await;
    let body = chat("cheap");
    let statuses = join_all((0..5).map(|_| post(&stage, &single, "/v1/chat/completions", &body))).await;
    assert_eq!(statuses.iter().filter(|reply| reply.status == 200).count(), 1);
    // The slot is free again.
    assert_eq!(post(&stage, &single, "/v1/chat/completions", &chat("cheap")).await.status, 200);
}

#[tokio::test]
async fn what_was_spent_outlives_the_process() {
    let mut stage = stage();
    let key = key(&stage, json!({"max_budget": 0.001, "budget_duration": "30d"})).await;
    let body = with(chat("cheap"), json!({"max_tokens": 300}));
    for _ in 0..2 {
        assert_eq!(post(&stage, &key, "/v1/chat/completions", &body).await.status, 200);
    }
    stage.server.restart();
    assert_eq!(info(&stage, &key).await["spend"], json!(0.00064));
    assert_eq!(post(&stage, &key, "/v1/chat/completions", &body).await.status, 200);
    assert_eq!(post(&stage, &key, "/v1/chat/completions", &body).await.status, 422);
}

#[tokio::test]
async fn a_key_is_blocked_unblocked_replaced_and_deleted_at_once() {
    let stage = stage();
    let first = key(&stage, json!({"models": ["cheap"], "key_alias": "door"})).await;
    let status = |key: String| {
        let stage = &stage;
        async move { post(stage, &key, "/v1/chat/completions", &chat("cheap")).await.status }
    };
    assert_eq!(status(first.clone()).await, 200);
    assert_eq!(post(&stage, &first, "/v1/chat/completions", &chat("dear")).await.status, 403);
    post(&stage, MASTER, "/key/block", &json!({"key": first})).await;
    assert_eq!(status(first.clone()).await, 401);
    post(&stage, MASTER, "/key/unblock", &json!({"key": first})).await;
    assert_eq!(status(first.clone()).await, 200);
    let replaced =
        post(&stage, MASTER, "/key/regenerate", &json!({"key": first, "grace_period": "1h"})).await;
    let second = replaced.json()["key"].as_str().unwrap().to_owned();
    assert_ne!(second, first);
    assert_eq!((status(first.clone()).await, status(second.clone()).await), (200, 200));
    let third = post(&stage, MASTER, "/key/regenerate", &json!({"key": second})).await;
    let third = third.json()["key"].as_str().unwrap().to_owned();
    assert_eq!((status(second).await, status(third.clone()).await), (401, 200));
    let spend = info(&stage, &third).await["spend"].as_f64().unwrap();
    assert_eq!((spend * 1e6).round() as u64, 5 * USED, "what the older ones have spent stays");
    let gone = post(&stage, MASTER, "/key/delete", &json!({"keys": [third]})).await;
    assert_eq!(gone.json()["deleted_keys"], json!([third]));
    assert_eq!(status(third).await, 401);
}
