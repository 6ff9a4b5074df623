//! A gateway that is killed under load: every reply that a client has received whole is paid for, once.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};
use store::db::Db;
use tokio::task::JoinSet;

use crate::harness::{Stage, chat, streamed, with};

const CONFIG: &str = "
model_list:
  - model_name: chat
    litellm_params: {model: openai/up, api_base: $FAKE/v1, api_key: k, input_cost_per_token: 1.1e-6, output_cost_per_token: 7e-9}
general_settings: {master_key: sk-master-1234567890}
router_settings: {num_retries: 0}
";

const KILLS: u64 = 20;
const CALLERS: usize = 6;

/// Calls until the gateway is gone; the ids of the calls whose replies came whole.
async fn call_until_gone(address: SocketAddr, bearer: String, body: String) -> Vec<String> {
    let pool: Client<_, Full<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
    let mut whole = Vec::new();
    loop {
        let request = Request::post(format!("http://{address}/v1/chat/completions"))
            .header("authorization", &bearer)
            .header("content-type", "application/json")
            .body(Full::from(body.clone()))
            .unwrap();
        let Ok(reply) = pool.request(request).await else { return whole };
        assert_eq!(reply.status(), 200);
        let id = reply.headers()["x-litellm-call-id"].to_str().unwrap().to_owned();
        let (mut reply, mut seen) = (reply.into_body(), Vec::new());
        while let Some(Ok(frame)) = reply.frame().await {
            seen.extend_from_slice(frame.data_ref().map_or(&[], |data| data));
            // A client leaves here, though the connection has an end of its own to come.
            if is_whole(&seen) {
                whole.push(id);
                break;
            }
        }
    }
}

fn is_whole(body: &[u8]) -> bool {
    body.ends_with(b"data: [DONE]\n\n") || serde_json::from_slice::<Value>(body).is_ok()
}

/// Waits until the log of calls has all of `ids`, and nothing is applied any more.
async fn logged(home: &Path, ids: &BTreeSet<String>) -> (Db, Vec<(String, i64)>) {
    let db = Db::sqlite(&home.join("tollgate.db")).await.unwrap();
    let begun = Instant::now();
    let mut before = 0;
    loop {
        let rows = db.rows("SELECT request_id, spend FROM spend_logs", &[]).await.unwrap();
        let rows: Vec<_> =
            rows.iter().map(|row| (row.text("request_id").unwrap(), row.int("spend").unwrap())).collect();
        let missing: Vec<_> = ids.iter().filter(|id| !rows.iter().any(|(logged, _)| logged == *id)).collect();
        if missing.is_empty() && rows.len() == before {
            return (db, rows);
        }
        assert!(begun.elapsed() < Duration::from_secs(10), "never charged: {missing:?}");
        before = rows.len();
        tokio::time::sleep(Duration::from_millis(700)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reply_that_was_received_is_charged_once_though_the_gateway_is_killed() {
    let mut stage = Stage::open(CONFIG);
    let usage = json!({"prompt_tokens": 13, "completion_tokens": 29, "total_tokens": 42});
    stage.script("up", json!({"usage": usage, "chunks": ["one ", "two ", "three"]}));
    let key = stage.master().post("/key/generate", json!({"key_alias": "survivor"})).await;
    let bearer = format!("Bearer {}", key["key"].as_str().unwrap());
    let mut received = Vec::new();
    for kill in 0..KILLS {
        let mut callers = JoinSet::new();
        for caller in 0..CALLERS {
            let body = match caller % 3 {
                0 => streamed("chat"),
                1 => with(streamed("chat"), json!({"stream_options": {"include_usage": true}})),
                _ => chat("chat"),
            };
            callers.spawn(call_until_gone(stage.server.address, bearer.clone(), body.to_string()));
        }
        tokio::time::sleep(Duration::from_millis(60 + 41 * (kill % 7))).await;
        stage.server.signal("KILL");
        received.extend(callers.join_all().await.into_iter().flatten());
        stage.server.restart();
    }

    let ids: BTreeSet<_> = received.iter().cloned().collect();
    assert_eq!(ids.len(), received.len(), "two calls had one id");
    assert!(ids.len() > 20 * CALLERS, "only {} replies came", ids.len());
    let (db, rows) = logged(stage.server.home(), &ids).await;
    let logged: BTreeSet<_> = rows.iter().map(|(id, _)| id).collect();
    assert_eq!(logged.len(), rows.len(), "a call is in the log twice");
    let usual = 13 * 1_100 + 29 * 7;
    assert!(rows.iter().filter(|(id, _)| ids.contains(id)).all(|&(_, spend)| spend == usual));
    let total = db.row("SELECT total_spend FROM keys", &[]).await.unwrap().unwrap();
    assert_eq!(total.int("total_spend").unwrap(), rows.iter().map(|(_, spend)| spend).sum::<i64>());
}
