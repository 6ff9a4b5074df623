//! A configuration that changes under a running gateway.

use std::path::Path;

use serde_json::json;

use crate::harness::{Ending, FakeProvider, Launch, ONE_MODEL, Server, Stage, chat, placed, streamed};

const RELOADED: &str = "configuration reloaded";
const KEPT: &str = "the old one stays in force";

/// The configuration with another public name.
fn renamed(provider: &FakeProvider, name: &str) -> String {
    placed(&ONE_MODEL.replace("model_name: chat", &format!("model_name: {name}")), provider)
}

#[tokio::test]
async fn a_changed_file_is_taken_up() {
    let stage = Stage::open(ONE_MODEL);
    assert_eq!(stage.server.chat(&chat("talk")).await.status, 400);
    std::fs::write(stage.server.config(), renamed(&stage.provider, "talk")).unwrap();
    stage.server.until_log(RELOADED).await;
    assert_eq!(stage.server.chat(&chat("talk")).await.status, 200);
    assert_eq!(stage.server.chat(&chat("chat")).await.status, 400);

    // Editors write a new file and put it in the place of the old one.
    let beside = stage.server.config().with_extension("new");
    std::fs::write(&beside, renamed(&stage.provider, "speak")).unwrap();
    std::fs::rename(&beside, stage.server.config()).unwrap();
    crate::harness::eventually("it is reloaded again", || stage.server.log().matches(RELOADED).count() == 2)
        .await;
    assert_eq!(stage.server.chat(&chat("speak")).await.status, 200);
}

#[tokio::test]
async fn a_signal_reloads_too() {
    let stage = Stage::open(ONE_MODEL);
    stage.server.signal("HUP");
    stage.server.until_log(RELOADED).await;
    assert_eq!(stage.server.chat(&chat("chat")).await.status, 200);
}

#[tokio::test]
async fn a_bad_file_changes_nothing_and_says_why() {
    let stage = Stage::open(ONE_MODEL);
    let bad_files =
        ["model_list: [", "model_list:\n  - model_name: chat\n    litellm_params: {api_key: k}\n"];
    for (times, bad) in bad_files.iter().enumerate() {
        std::fs::write(stage.server.config(), bad).unwrap();
        let said = || stage.server.log().matches(KEPT).count() == times + 1;
        crate::harness::eventually(&format!("{bad:?} is refused"), said).await;
        assert_eq!(stage.server.chat(&chat("chat")).await.status, 200);
    }
    assert!(stage.server.log().contains("config.yaml"), "{}", stage.server.log());
    std::fs::write(stage.server.config(), renamed(&stage.provider, "talk")).unwrap();
    stage.server.until_log(RELOADED).await;
    assert_eq!(stage.server.chat(&chat("talk")).await.status, 200);
}

#[tokio::test]
async fn a_swapped_link_is_noticed_as_kubernetes_does_it() {
    let provider = FakeProvider::start().unwrap();
    let mount = tempfile::TempDir::new().unwrap();
    let version = |name: &str, model: &str| {
        std::fs::create_dir(mount.path().join(name)).unwrap();
        std::fs::write(mount.path().join(name).join("config.yaml"), renamed(&provider, model)).unwrap();
    };
    let link =
        |to: &str, from: &str| std::os::unix::fs::symlink(Path::new(to), mount.path().join(from)).unwrap();
    version("..one", "chat");
    link("..one", "..data");
    link("..data/config.yaml", "config.yaml");
    let file = mount.path().join("config.yaml");
    let server =
        Server::start(&Launch { arguments: &["--config", file.to_str().unwrap()], ..Launch::default() });
    assert_eq!(server.chat(&chat("chat")).await.status, 200);

    version("..two", "talk");
    link("..two", "..data_tmp");
    std::fs::rename(mount.path().join("..data_tmp"), mount.path().join("..data")).unwrap();
    server.until_log(RELOADED).await;
    assert_eq!(server.chat(&chat("talk")).await.status, 200);
}

#[tokio::test]
async fn a_stream_in_flight_goes_on_over_a_reload() {
    let stage = Stage::open(ONE_MODEL);
    stage.script("up", json!({"chunks": ["one", " two", " three"], "chunk_ms": 500}));
    let mut stream = stage.server.stream(&streamed("chat")).await;
    let mut text = stream.until("one").await;
    std::fs::write(stage.server.config(), renamed(&stage.provider, "talk")).unwrap();
    stage.server.until_log(RELOADED).await;
    assert_eq!(stage.received("up").ending, Ending::Open, "the reload came too late to test this");
    text += &stream.rest().await;
    assert!(text.contains(" three") && text.ends_with("data: [DONE]\n\n"), "{text}");
    assert!(text.contains("\"chat\"") && !text.contains("\"talk\""), "{text}");
}

#[tokio::test]
async fn a_reachable_gateway_does_not_lose_its_lock() {
    let provider = FakeProvider::start().unwrap();
    let open = placed(ONE_MODEL, &provider);
    let locked = format!("{open}general_settings: {{master_key: sk-master-7d1b}}\n");
    let server = Server::start(&Launch {
        config: Some(&locked),
        arguments: &["--host", "0.0.0.0"],
        ..Launch::default()
    });
    assert_eq!(server.chat(&chat("chat")).await.status, 401);
    std::fs::write(server.config(), &open).unwrap();
    server.until_log(KEPT).await;
    assert!(server.log().contains("it has no master key"), "{}", server.log());
    assert_eq!(server.chat(&chat("chat")).await.status, 401);
    let key = [("authorization", "Bearer sk-master-7d1b")];
    let reply = server.request("POST", "/v1/chat/completions", &key, chat("chat").to_string()).await;
    assert_eq!(reply.status, 200);
}

#[tokio::test]
async fn a_changed_key_locks_the_old_one_out() {
    let provider = FakeProvider::start().unwrap();
    let locked =
        |key: &str| format!("{}general_settings: {{master_key: {key}}}\n", placed(ONE_MODEL, &provider));
    let server = Server::start(&Launch { config: Some(&locked("sk-old-7d1b")), ..Launch::default() });
    std::fs::write(server.config(), locked("sk-new-7d1b")).unwrap();
    server.until_log(RELOADED).await;
    for (key, status) in [("sk-old-7d1b", 401), ("sk-new-7d1b", 200)] {
        assert_eq!(
            server.request("GET", "/v1/models", &[("x-api-key", key)], "").await.status,
            status,
            "{key}"
        );
    }
}
