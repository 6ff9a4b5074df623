//! Deployments that fail are left alone for a while, and what is told when nobody is left.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::harness::{Stage, chat, placed, with};

const THREE: &str = "
model_list:
  - {model_name: three, litellm_params: {model: openai/one, api_base: $FAKE/v1, api_key: k}, model_info: {id: one-id}}
  - {model_name: three, litellm_params: {model: openai/two, api_base: $FAKE/v1, api_key: k}, model_info: {id: two-id}}
  - {model_name: three, litellm_params: {model: openai/bad, api_base: $FAKE/v1, api_key: k}, model_info: {id: bad-id}}
router_settings:
  num_retries: 2
  timeout: 2
  routing_strategy: adaptive
";

#[tokio::test]
async fn a_deployment_that_says_429_is_left_alone_as_long_as_it_asks() {
    let stage = Stage::open(THREE);
    stage.script("bad", json!({"status": 429, "headers": {"retry-after": "600"}}));
    for _ in 0..60 {
        assert_eq!(stage.server.chat(&chat("three")).await.status, 200);
    }
    assert_eq!(stage.provider.requests_for("bad").len(), 1);
}

#[tokio::test]
async fn a_deployment_that_has_nothing_left_is_not_asked() {
    let stage = Stage::open(THREE);
    let spent = json!({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "10m0s"});
    stage.script("bad", json!({"headers": spent}));
    for _ in 0..60 {
        assert_eq!(stage.server.chat(&chat("three")).await.status, 200);
    }
    assert_eq!(stage.provider.requests_for("bad").len(), 1);
}

#[tokio::test]
async fn when_nobody_is_left_the_client_is_told_when_to_come_back() {
    let config = "
model_list:
  - {model_name: pair, litellm_params: {model: openai/one, api_base: $FAKE/v1, api_key: k}}
  - {model_name: pair, litellm_params: {model: openai/two, api_base: $FAKE/v1, api_key: k}}
router_settings: {num_retries: 1, cooldown_time: 40}
";
    let stage = Stage::open(config);
    stage.script("one", json!({"status": 429}));
    stage.script("two", json!({"status": 429}));
    let first = stage.server.chat(&chat("pair")).await;
    assert_eq!(first.status, 429, "{}", first.text());
    let asked = stage.provider.requests().len();
    for body in [chat("pair"), with(chat("pair"), json!({"stream": true}))] {
        let reply = stage.server.chat(&body).await;
        assert_eq!(reply.status, 429);
        let seconds: u64 = reply.header("retry-after").unwrap().parse().unwrap();
        assert!((30..=40).contains(&seconds), "{seconds}");
        let message = reply.json()["error"]["message"].as_str().unwrap().to_owned();
        let wanted = format!("No deployments available for selected model, Try again in {seconds} seconds.");
        assert!(message.starts_with(&wanted), "{message}");
    }
    assert_eq!(stage.provider.requests().len(), asked, "nobody is asked while all rest");
}

#[tokio::test]
async fn one_call_tests_a_deployment_whose_rest_is_over() {
    let stage = Stage::open(&THREE.replace("adaptive", "simple-shuffle\n  cooldown_time: 0.3"));
    stage.script("bad", json!({"status": 401, "times": 1}));
    while stage.provider.requests_for("bad").is_empty() {
        assert_eq!(stage.server.chat(&chat("three")).await.status, 200);
    }
    tokio::time::sleep(Duration::from_millis(400)).await;
    let begun = Instant::now();
    while stage.provider.requests_for("bad").len() < 3 {
        assert_eq!(stage.server.chat(&chat("three")).await.status, 200);
        assert!(begun.elapsed() < Duration::from_secs(20), "it is used again");
    }
}

#[tokio::test]
async fn cooldowns_outlive_a_reload() {
    let stage = Stage::open(THREE);
    stage.script("bad", json!({"status": 429, "headers": {"retry-after": "600"}}));
    while stage.provider.requests_for("bad").is_empty() {
        assert_eq!(stage.server.chat(&chat("three")).await.status, 200);
    }
    let config = placed(&format!("{THREE}  retry_after: 0\n"), &stage.provider);
    std::fs::write(stage.server.config(), config).unwrap();
    stage.server.until_log("configuration reloaded").await;
    for _ in 0..40 {
        assert_eq!(stage.server.chat(&chat("three")).await.status, 200);
    }
    assert_eq!(stage.provider.requests_for("bad").len(), 1);
}

#[tokio::test]
async fn policies_say_how_often_each_class_is_tried_again() {
    let config = "
model_list:
  - {model_name: one, litellm_params: {model: openai/up, api_base: $FAKE/v1, api_key: k}}
router_settings:
  num_retries: 0
  disable_cooldowns: true
  retry_policy: {BadRequestErrorRetries: 1, InternalServerErrorRetries: 2}
  model_group_retry_policy: {other: {InternalServerErrorRetries: 5}}
";
    let stage = Stage::open(config);
    for (script, tries) in
        [(json!({"status": 400}), 2), (json!({"status": 500}), 3), (json!({"status": 503}), 1)]
    {
        stage.provider.clear_requests();
        stage.script("up", script.clone());
        assert_ne!(stage.server.chat(&chat("one")).await.status, 200);
        assert_eq!(stage.provider.requests_for("up").len(), tries, "{script}");
    }
}

#[tokio::test]
async fn calls_beyond_a_deployments_places_wait_for_one() {
    let config = "
model_list:
  - {model_name: narrow, litellm_params: {model: openai/up, api_base: $FAKE/v1, api_key: k, max_parallel_requests: 1}}
router_settings: {num_retries: 0}
";
    let stage = Stage::open(config);
    stage.script("up", json!({"delay_ms": 100}));
    let body = chat("narrow");
    let begun = Instant::now();
    let (one, two, three) =
        tokio::join!(stage.server.chat(&body), stage.server.chat(&body), stage.server.chat(&body));
    assert_eq!([one.status, two.status, three.status], [200; 3]);
    assert!(begun.elapsed() >= Duration::from_millis(300), "one after the other: {:?}", begun.elapsed());
}

#[tokio::test]
async fn tags_choose_who_answers() {
    let config = "
model_list:
  - {model_name: tiers, litellm_params: {model: openai/free, api_base: $FAKE/v1, api_key: k, tags: [free, default]}}
  - {model_name: tiers, litellm_params: {model: openai/paid, api_base: $FAKE/v1, api_key: k, tags: [paid]}}
  - {model_name: strict, litellm_params: {model: openai/paid, api_base: $FAKE/v1, api_key: k, tags: [paid]}}
router_settings: {enable_tag_filtering: true, num_retries: 0}
";
    let stage = Stage::open(config);
    let paid = with(chat("tiers"), json!({"metadata": {"tags": ["paid"]}}));
    for _ in 0..8 {
        assert_eq!(stage.server.chat(&paid).await.status, 200);
        assert_eq!(stage.server.chat(&chat("tiers")).await.status, 200);
    }
    assert_eq!(
        (stage.provider.requests_for("paid").len(), stage.provider.requests_for("free").len()),
        (8, 8)
    );
    let reply = stage.server.chat(&with(chat("strict"), json!({"metadata": {"tags": ["other"]}}))).await;
    assert_eq!(reply.status, 401, "{}", reply.text());
}

/// One of three is out of order in one way after the other, under load.
#[tokio::test]
async fn one_bad_deployment_of_three_is_not_noticed() {
    let stage = Stage::open(THREE);
    for name in ["one", "two"] {
        stage.script(name, json!({"delay_ms": 5}));
    }
    let troubles =
        [json!({"status": 500}), json!({"delay_ms": 100}), json!({"status": 429}), json!({"hang_up": true})];
    let (mut good, mut all) = (0, 0);
    for trouble in troubles {
        stage.script("bad", trouble);
        for stream in [false, true] {
            let body = with(chat("three"), json!({"stream": stream}));
            for _ in 0..16 {
                let calls = (0..8).map(|_| stage.server.chat(&body));
                for reply in futures_util::future::join_all(calls).await {
                    all += 1;
                    let complete = !stream || reply.text().contains("data: [DONE]");
                    good += u32::from(reply.status == 200 && complete);
                }
            }
        }
    }
    assert_eq!(good, all);
}
