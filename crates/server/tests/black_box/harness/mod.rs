//! What the tests stand on: a gateway process in front of a fake provider. Not here: what is expected of it.

mod client;
mod operator;
mod server;
mod stand_in;

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testkit::{RecordedRequest, Script};

pub(crate) use testkit::{Ending, FakeProvider};

pub(crate) use client::{Reply, Stream};
pub(crate) use operator::{MASTER, Operator};
pub(crate) use server::{Launch, Server, run};
pub(crate) use stand_in::{Asked, Said, StandIn};

/// The provider key in the tests' configurations. It must not show anywhere but upstream.
pub(crate) const CANARY: &str = "sk-canary-4f1d2c3b5a69788796a5b4c3d2e1f00f";

/// One model, no retries, no cooldowns, no master key.
pub(crate) const ONE_MODEL: &str = "
model_list:
  - model_name: chat
    litellm_params: {model: openai/up, api_base: $FAKE/v1, api_key: $CANARY}
router_settings: {num_retries: 0, disable_cooldowns: true}
";

/// A gateway and the provider behind it.
pub(crate) struct Stage {
    pub(crate) server: Server,
    pub(crate) provider: FakeProvider,
}

impl Stage {
    /// Starts both. `$FAKE` in the configuration is the provider's base URL, `$CANARY` its key.
    pub(crate) fn open(config: &str) -> Self {
        Self::open_in(config, &[])
    }

    /// The same in an environment.
    pub(crate) fn open_in(config: &str, environment: &[(&str, &str)]) -> Self {
        let provider = FakeProvider::start().unwrap();
        let config = placed(config, &provider);
        let server = Server::start(&Launch { config: Some(&config), environment, ..Launch::default() });
        Self { server, provider }
    }

    /// Tells the provider how to answer its `model`.
    pub(crate) fn script(&self, model: &str, script: Value) {
        self.provider.set_script(model, Script::from_json(script).unwrap());
    }

    /// The last request that the provider received for its `model`.
    pub(crate) fn received(&self, model: &str) -> RecordedRequest {
        self.provider.requests_for(model).pop().expect("the provider received nothing for this model")
    }

    /// Waits until the last request for `model` has ended as expected.
    pub(crate) async fn until_ending(&self, model: &str, ending: Ending) {
        let reached = || self.provider.requests_for(model).last().is_some_and(|last| last.ending == ending);
        eventually(&format!("the request for {model} is {ending:?}"), reached).await;
    }
}

/// A configuration with its placeholders filled.
pub(crate) fn placed(config: &str, provider: &FakeProvider) -> String {
    config.replace("$FAKE", &provider.base_url()).replace("$CANARY", CANARY)
}

/// A small chat request.
pub(crate) fn chat(model: &str) -> Value {
    json!({"model": model, "messages": [{"role": "user", "content": "Hello there"}]})
}

/// The same, streamed.
pub(crate) fn streamed(model: &str) -> Value {
    let mut body = chat(model);
    body["stream"] = json!(true);
    body
}

/// `body` with some fields more.
pub(crate) fn with(mut body: Value, more: Value) -> Value {
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

/// Waits for what happens soon, and panics when it does not.
pub(crate) async fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !condition() {
        assert!(begun.elapsed() < Duration::from_secs(10), "it did not come about that {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
