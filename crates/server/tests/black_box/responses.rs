//! `/v1/responses`: OpenAI's newer API from the client, to models that do not speak it and to ones that do.

use serde_json::{Value, json};

use crate::harness::{CANARY, Ending, Stage, with};

const PATH: &str = "/v1/responses";

/// A model whose provider has never heard of responses, and one that is told not to use them.
const CHAT_ONLY: &str = "
model_list:
  - model_name: chat
    litellm_params: {model: openai_like/up, api_base: $FAKE/v1, api_key: $CANARY}
  - model_name: told
    litellm_params: {model: openai/up, api_base: $FAKE/v1, api_key: $CANARY, use_chat_completions_api: true}
router_settings: {num_retries: 0}
";

/// A provider that speaks the API itself, and keeps responses itself.
const NATIVE: &str = "
model_list:
  - model_name: gpt
    litellm_params: {model: openai/up, api_base: $FAKE/v1, api_key: $CANARY}
    model_info: {id: deployment-one, input_cost_per_token: 0.000001, output_cost_per_token: 0.000002}
router_settings: {num_retries: 0}
";

fn asked(model: &str, input: &str) -> Value {
    json!({"model": model, "input": input})
}

/// The data of every event, in order.
fn events(text: &str) -> Vec<Value> {
    text.lines()
        .filter_map(|line| line.strip_prefix("data: "))
        .map(|data| serde_json::from_str(data).unwrap())
        .collect()
}

#[tokio::test]
async fn a_model_that_speaks_chat_answers_in_this_format() {
    let stage = Stage::open(CHAT_ONLY);
    let body =
        with(asked("chat", "Hello there"), json!({"instructions": "Be brief.", "max_output_tokens": 50}));
    let reply = stage.server.post(PATH, &body).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let response = reply.json();
    assert_eq!(response["object"], "response");
    assert_eq!(response["status"], "completed");
    assert_eq!(response["output"][0]["content"][0]["text"], "You said: Hello there");
    assert_eq!(response["usage"]["input_tokens_details"]["cached_tokens"], 0);
    let sent = stage.received("up").json();
    assert_eq!(sent["messages"][0], json!({"role": "system", "content": "Be brief."}));
    assert!(sent.get("instructions").is_none() && sent.get("input").is_none(), "{sent}");
}

#[tokio::test]
async fn a_stream_has_the_events_that_clients_dispatch_on() {
    let stage = Stage::open(CHAT_ONLY);
    let reply = stage.server.post(PATH, &with(asked("chat", "Hello there"), json!({"stream": true}))).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let events = events(reply.text());
    let names: Vec<&str> = events.iter().map(|event| event["type"].as_str().unwrap()).collect();
    assert_eq!(names[..2], ["response.created", "response.in_progress"]);
    assert_eq!(names.last(), Some(&"response.completed"));
    assert!(names.contains(&"response.output_text.delta"));
    let numbers: Vec<u64> = events.iter().map(|event| event["sequence_number"].as_u64().unwrap()).collect();
    assert!(numbers.windows(2).all(|pair| pair[0] < pair[1]), "{numbers:?}");
    assert_eq!(
        events.last().unwrap()["response"]["output"][0]["content"][0]["text"],
        "You said: Hello there"
    );
}

#[tokio::test]
async fn a_conversation_goes_on_by_id() {
    let stage = Stage::open(CHAT_ONLY);
    let first = stage.server.post(PATH, &asked("chat", "One")).await.json();
    let id = first["id"].as_str().unwrap();
    let next = with(asked("chat", "Two"), json!({"previous_response_id": id, "stream": true}));
    let reply = stage.server.post(PATH, &next).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let said = |stage: &Stage| -> Vec<(String, String)> {
        let messages = stage.received("up").json()["messages"].as_array().unwrap().clone();
        let text = |message: &Value| {
            message["content"]
                .as_str()
                .unwrap_or_else(|| message["content"][0]["text"].as_str().unwrap())
                .to_owned()
        };
        messages.iter().map(|message| (message["role"].as_str().unwrap().to_owned(), text(message))).collect()
    };
    let pairs = |words: &[(&str, &str)]| {
        words.iter().map(|(role, text)| ((*role).to_owned(), (*text).to_owned())).collect::<Vec<_>>()
    };
    let so_far = [("user", "One"), ("assistant", "You said: One"), ("user", "Two")];
    assert_eq!(said(&stage), pairs(&so_far));

    let second = events(reply.text()).pop().unwrap()["response"]["id"].as_str().unwrap().to_owned();
    let reply =
        stage.server.post(PATH, &with(asked("chat", "Three"), json!({"previous_response_id": second}))).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let more = [("assistant", "You said: Two"), ("user", "Three")];
    assert_eq!(said(&stage), pairs(&[&so_far[..], &more].concat()));

    let unknown = with(asked("chat", "x"), json!({"previous_response_id": "resp_nobody"}));
    let error = stage.server.post(PATH, &unknown).await;
    assert_eq!((error.status, error.json()["error"]["param"].clone()), (400, json!("previous_response_id")));
    assert_eq!(error.json()["error"]["code"], "previous_response_not_found");
}

#[tokio::test]
async fn a_response_is_kept_until_it_is_deleted_and_not_when_it_must_not_be() {
    let stage = Stage::open(CHAT_ONLY);
    let response = stage.server.post(PATH, &asked("chat", "One")).await.json();
    let path = format!("{PATH}/{}", response["id"].as_str().unwrap());
    assert_eq!(stage.server.get(&path).await.json(), response);
    let items = stage.server.get(&format!("{path}/input_items")).await.json();
    assert_eq!((&items["object"], &items["data"][0]["role"]), (&json!("list"), &json!("user")));
    let deleted = stage.server.request("DELETE", &path, &[], "").await;
    assert_eq!(deleted.json()["deleted"], true);
    let gone = stage.server.get(&path).await;
    assert_eq!((gone.status, gone.json()["error"]["param"].clone()), (404, json!("response_id")));

    let private = stage.server.post(PATH, &with(asked("chat", "One"), json!({"store": false}))).await.json();
    let reply = stage.server.get(&format!("{PATH}/{}", private["id"].as_str().unwrap())).await;
    assert_eq!(reply.status, 404, "{}", reply.text());
}

#[tokio::test]
async fn what_only_providers_can_do_is_refused() {
    let stage = Stage::open(CHAT_ONLY);
    let reply = stage.server.post(PATH, &with(asked("chat", "x"), json!({"background": true}))).await;
    assert_eq!((reply.status, reply.json()["error"]["param"].clone()), (400, json!("background")));
    let reply = stage.server.post(PATH, &json!({"input": "x"})).await;
    assert_eq!((reply.status, reply.json()["error"]["param"].clone()), (400, json!("model")));
}

#[tokio::test]
async fn a_client_that_leaves_cancels_the_upstream_call() {
    let stage = Stage::open(CHAT_ONLY);
    stage.script("up", json!({"chunks": ["one ", "two "], "chunk_ms": 20, "never_end": true}));
    let body = with(asked("chat", "x"), json!({"stream": true})).to_string();
    let mut stream = stage.server.stream_at(PATH, &body).await;
    stream.until("one ").await;
    drop(stream);
    stage.until_ending("up", Ending::ClientGone).await;
}

#[tokio::test]
async fn a_provider_may_be_kept_to_chat() {
    let stage = Stage::open(CHAT_ONLY);
    let reply = stage.server.post(PATH, &asked("told", "Hello there")).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(stage.received("up").path, "/v1/chat/completions");
}

#[tokio::test]
async fn a_provider_that_speaks_the_api_keeps_its_responses_under_ids_that_lead_back() {
    let stage = Stage::open(NATIVE);
    let first = stage.server.post(PATH, &asked("gpt", "One")).await;
    assert_eq!(first.status, 200, "{}", first.text());
    assert_eq!(stage.received("up").path, PATH);
    assert!(first.header("x-litellm-response-cost").is_some());
    let id = first.json()["id"].as_str().unwrap().to_owned();
    assert!(id.starts_with("resp_") && id.len() > 40, "{id}");
    assert_eq!(
        (&first.json()["model"], &first.json()["previous_response_id"]),
        (&json!("gpt"), &Value::Null)
    );

    let again = stage.server.get(&format!("{PATH}/{id}")).await;
    assert_eq!(again.json()["id"], id.as_str(), "{}", again.text());
    assert_eq!(again.json()["output"], first.json()["output"]);
    let items = stage.server.get(&format!("{PATH}/{id}/input_items?limit=1")).await;
    assert_eq!(items.json()["data"].as_array().map(Vec::len), Some(1), "{}", items.text());

    let next = with(asked("gpt", "Two"), json!({"previous_response_id": id, "stream": true}));
    let reply = stage.server.post(PATH, &next).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let theirs = stage.received("up").json()["previous_response_id"].as_str().unwrap().to_owned();
    assert!(theirs != id && theirs.starts_with("resp"), "{theirs}");
    let responses: Vec<Value> =
        events(reply.text()).iter().filter_map(|event| event.get("response").cloned()).collect();
    for response in &responses {
        assert_eq!((&response["model"], &response["previous_response_id"]), (&json!("gpt"), &json!(id)));
    }
    let ids: Vec<Value> =
        events(reply.text()).iter().filter_map(|event| event["response"].get("id").cloned()).collect();
    assert!(ids.len() >= 3 && ids.iter().all(|other| *other == ids[0]), "{ids:?}");
    let second = ids[0].as_str().unwrap();
    let kept = stage.server.get(&format!("{PATH}/{second}")).await;
    assert_eq!(kept.status, 200, "{}", kept.text());
    assert_eq!((&kept.json()["model"], &kept.json()["previous_response_id"]), (&json!("gpt"), &json!(id)));

    let deleted = stage.server.request("DELETE", &format!("{PATH}/{id}"), &[], "").await;
    assert_eq!((deleted.json()["deleted"].clone(), deleted.json()["id"].clone()), (json!(true), json!(id)));
    assert_eq!(stage.server.get(&format!("{PATH}/{id}")).await.status, 404);
    assert!(!reply.text().contains(CANARY));
}
