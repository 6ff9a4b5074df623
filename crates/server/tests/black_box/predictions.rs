//! Answers that are made later: Replicate's predictions, asked for until they are finished, streamed, or ended.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use crate::harness::{Asked, CANARY, Said, Stage, StandIn, chat, eventually, streamed, with};

/// A gateway in front of a Replicate that stands in.
fn stage(replicate: &StandIn, more: &str) -> Stage {
    Stage::open(&format!(
        "model_list:\n  - {{model_name: llama, litellm_params: {{model: replicate/meta/llama-3, api_base: '{}/v1', api_key: $CANARY, {more}}}}}\nrouter_settings: {{num_retries: 0}}\n",
        replicate.url()
    ))
}

/// A prediction as Replicate's documentation shows it, its addresses at `base`.
fn prediction(base: &str, status: &str, more: Value) -> String {
    let urls = json!({"get": format!("{base}/v1/predictions/p1"), "cancel": format!("{base}/v1/predictions/p1/cancel")});
    with(json!({"id": "p1", "model": "meta/llama-3", "status": status, "output": null, "error": null, "urls": urls}), more)
        .to_string()
}

fn json_of(status: u16, body: String) -> Said {
    (status, "application/json", body)
}

/// Finished when it is asked for the second time.
fn slow() -> StandIn {
    let times = AtomicUsize::new(0);
    StandIn::start(move |asked| match (asked.method.as_str(), asked.path.as_str()) {
        ("POST", "/v1/models/meta/llama-3/predictions") => {
            json_of(201, prediction(&asked.base(), "starting", json!({})))
        }
        ("GET", "/v1/predictions/p1") => match times.fetch_add(1, Ordering::SeqCst) {
            0 => json_of(200, prediction(&asked.base(), "processing", json!({}))),
            // What passes is asked for again.
            1 => json_of(502, "{\"detail\":\"bad gateway\"}".to_owned()),
            _ => {
                let done = json!({"output": ["Light", " scatters."], "metrics": {"input_token_count": 7, "output_token_count": 3}});
                json_of(200, prediction(&asked.base(), "succeeded", done))
            }
        },
        _ => json_of(404, "{\"detail\":\"not found\"}".to_owned()),
    })
}

fn asked_for(replicate: &StandIn, method: &str, path: &str) -> Vec<Asked> {
    replicate.asked().into_iter().filter(|asked| asked.method == method && asked.path == path).collect()
}

#[tokio::test]
async fn a_prediction_is_asked_for_until_it_is_finished() {
    let replicate = slow();
    let stage = stage(&replicate, "");
    let reply = stage.server.chat(&chat("llama")).await;
    assert_eq!((reply.status, reply.content().as_str()), (200, "Light scatters."), "{}", reply.text());
    assert_eq!(reply.json()["usage"]["total_tokens"], 10);
    let asked = asked_for(&replicate, "GET", "/v1/predictions/p1");
    assert_eq!(asked.len(), 3);
    assert!(asked.iter().all(|asked| asked.header("authorization") == Some(&format!("Token {CANARY}"))));
    let ended = asked_for(&replicate, "POST", "/v1/predictions/p1/cancel");
    assert!(ended.is_empty(), "what is finished is not ended");
}

#[tokio::test]
async fn a_model_without_a_stream_is_streamed_when_it_is_finished() {
    let replicate = slow();
    let stage = stage(&replicate, "");
    let reply = stage.server.chat(&streamed("llama")).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert!(reply.text().contains("Light scatters.") && reply.text().ends_with("data: [DONE]\n\n"));
    let first = replicate.asked().remove(0);
    assert_eq!(first.header("prefer"), None, "a stream is not waited for");
}

/// Offers a stream that says `events`.
fn streaming(events: &'static str) -> StandIn {
    StandIn::start(move |asked| match asked.path.as_str() {
        "/v1/models/meta/llama-3/predictions" => {
            let base = asked.base();
            let urls = json!({"get": format!("{base}/v1/predictions/p1"), "stream": format!("{base}/v1/streams/p1"),
                "cancel": format!("{base}/v1/predictions/p1/cancel")});
            json_of(201, prediction(&base, "starting", json!({"urls": urls})))
        }
        "/v1/streams/p1" => (200, "text/event-stream", events.to_owned()),
        _ => json_of(200, "{}".to_owned()),
    })
}

#[tokio::test]
async fn a_models_stream_is_read() {
    let replicate = streaming(
        "event: output\nid: 1\ndata: Light\n\nevent: output\nid: 2\ndata:  scatters.\n\nevent: done\ndata: {}\n\n",
    );
    let stage = stage(&replicate, "");
    let reply = stage.server.chat(&streamed("llama")).await;
    let deltas: Vec<&str> = reply.text().matches("\"content\":\"").collect();
    assert!(deltas.len() >= 2 && reply.text().ends_with("data: [DONE]\n\n"), "{}", reply.text());
    assert!(reply.text().contains(" scatters."), "{}", reply.text());
    let asked = asked_for(&replicate, "GET", "/v1/streams/p1").remove(0);
    assert_eq!(asked.header("accept"), Some("text/event-stream"));
    assert!(asked_for(&replicate, "GET", "/v1/predictions/p1").is_empty());
    assert!(asked_for(&replicate, "POST", "/v1/predictions/p1/cancel").is_empty());
}

#[tokio::test]
async fn a_stream_that_breaks_off_ends_the_prediction() {
    let replicate = streaming("event: output\ndata: Light\n\n");
    let stage = stage(&replicate, "");
    let reply = stage.server.chat(&streamed("llama")).await;
    assert!(reply.text().contains("\"error\""), "{}", reply.text());
    eventually("the prediction is ended", || {
        !asked_for(&replicate, "POST", "/v1/predictions/p1/cancel").is_empty()
    })
    .await;
}

/// Never finished.
fn endless() -> StandIn {
    StandIn::start(|asked| json_of(200, prediction(&asked.base(), "processing", json!({}))))
}

#[tokio::test]
async fn a_prediction_that_nobody_waits_for_is_ended() {
    let replicate = endless();
    let stage = stage(&replicate, "timeout: 60");
    let body = chat("llama").to_string();
    let request = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut client = std::net::TcpStream::connect(stage.server.address).unwrap();
    std::io::Write::write_all(&mut client, request.as_bytes()).unwrap();
    eventually("it is asked for", || !asked_for(&replicate, "GET", "/v1/predictions/p1").is_empty()).await;
    drop(client);
    let ended = || asked_for(&replicate, "POST", "/v1/predictions/p1/cancel");
    eventually("the prediction is ended", || !ended().is_empty()).await;
    assert_eq!(ended()[0].header("authorization"), Some(format!("Token {CANARY}").as_str()));
}

#[tokio::test]
async fn patience_bounds_the_waiting() {
    let replicate = endless();
    let stage = stage(&replicate, "timeout: 1");
    let reply = stage.server.chat(&chat("llama")).await;
    assert_eq!(reply.status, 408, "{}", reply.text());
    eventually("the prediction is ended", || {
        !asked_for(&replicate, "POST", "/v1/predictions/p1/cancel").is_empty()
    })
    .await;
}

#[tokio::test]
async fn a_failed_prediction_is_a_failure() {
    let replicate = StandIn::start(|asked| {
        json_of(201, prediction(&asked.base(), "failed", json!({"error": "CUDA out of memory"})))
    });
    let stage = stage(&replicate, "");
    let reply = stage.server.chat(&chat("llama")).await;
    assert_eq!(reply.status, 500, "{}", reply.text());
    assert!(reply.message().contains("CUDA out of memory"), "{}", reply.text());
}

#[tokio::test]
async fn no_address_of_another_host_is_followed() {
    let elsewhere = StandIn::start(|_| json_of(200, "{}".to_owned()));
    let base = elsewhere.url();
    let replicate = StandIn::start(move |_| {
        let urls = json!({"get": format!("{base}/get"), "stream": format!("{base}/stream"), "cancel": format!("{base}/cancel")});
        json_of(201, prediction(&base, "starting", json!({"urls": urls})))
    });
    let stage = stage(&replicate, "");
    for body in [chat("llama"), streamed("llama")] {
        let reply = stage.server.chat(&body).await;
        assert_eq!(reply.status, 502, "{}", reply.text());
        assert!(reply.message().contains("another host"), "{}", reply.text());
    }
    assert!(elsewhere.asked().is_empty(), "{:?}", elsewhere.asked());
}
