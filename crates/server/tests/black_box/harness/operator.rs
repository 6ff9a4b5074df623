//! An operator: sends requests to a gateway with a key of their own.

use serde_json::{Value, json};

use super::client::Reply;
use super::{Server, Stage};

/// The master key of gateways that are operated.
pub(crate) const MASTER: &str = "sk-master-1234567890";

/// One model and a master key; managed things are kept in a file beside it.
const OPERATED: &str = "
model_list:
  - model_name: chat
    litellm_params: {model: openai/up, api_base: $FAKE/v1, api_key: $CANARY}
general_settings: {master_key: sk-master-1234567890}
router_settings: {num_retries: 0}
";

impl Stage {
    /// A gateway that is operated with [`MASTER`].
    pub(crate) fn operated() -> Self {
        Self::open(OPERATED)
    }

    /// The holder of the master key.
    pub(crate) fn master(&self) -> Operator<'_> {
        self.operator(MASTER)
    }

    /// Whoever shows `key`.
    pub(crate) fn operator<'a>(&'a self, key: &str) -> Operator<'a> {
        Operator { server: &self.server, key: format!("Bearer {key}") }
    }

    /// A new user with a key, who may do what their role says.
    pub(crate) async fn user(&self, id: &str) -> Operator<'_> {
        let made = self.master().post("/user/new", json!({"user_id": id})).await;
        self.operator(made["key"].as_str().unwrap())
    }
}

/// Somebody with a key.
pub(crate) struct Operator<'a> {
    server: &'a Server,
    key: String,
}

impl Operator<'_> {
    /// Sends a request; `null` is no body.
    pub(crate) async fn ask(&self, method: &str, path: &str, body: Value) -> Reply {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.server.request(method, path, &[("authorization", &self.key)], body).await
    }

    /// What is answered to a request that works.
    pub(crate) async fn get(&self, path: &str) -> Value {
        well(self.ask("GET", path, Value::Null).await, path)
    }

    /// The same for a document that is sent.
    pub(crate) async fn post(&self, path: &str, body: Value) -> Value {
        well(self.ask("POST", path, body).await, path)
    }

    /// The status and the message of what is refused.
    pub(crate) async fn refused(&self, method: &str, path: &str, body: Value) -> (u16, String) {
        let reply = self.ask(method, path, body).await;
        (reply.status, reply.message())
    }

    /// The status of what is refused.
    pub(crate) async fn status(&self, method: &str, path: &str, body: Value) -> u16 {
        self.ask(method, path, body).await.status
    }

    /// Sends a small chat request.
    pub(crate) async fn chat(&self) -> Reply {
        self.ask("POST", "/v1/chat/completions", super::chat("chat")).await
    }
}

fn well(reply: Reply, path: &str) -> Value {
    assert_eq!(reply.status, 200, "{path}: {}", reply.text());
    reply.json()
}
