//! The behaviour of one model, as data: what a test writes to make an upstream misbehave.
//! How it is carried out is in [`super::compose`] (what is said) and [`super::play`] (when).

use std::collections::BTreeMap;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde::Deserialize;
use serde_json::Value;

/// How the provider answers one model. Every field may be left out; the empty script is the default:
/// `You said: <last user text>`, with whitespace-separated words counted as tokens.
///
/// An unknown field is an error, so that a misspelt fault does not pass for a healthy upstream.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Script {
    /// Status of the reply. From 400 up the body is an error of the dialect asked.
    pub status: Option<u16>,
    /// Headers of the reply; they replace those the provider would send (`content-type`, …).
    pub headers: BTreeMap<String, String>,
    /// The error: a text becomes the message in the dialect's shape, anything else is the body itself.
    pub error: Option<Value>,
    /// The reply's text, instead of the echo. `chunks` wins over it.
    pub reply: Option<String>,
    /// The reply in pieces: one stream frame each, joined (texts only) when not streamed.
    pub chunks: Vec<Chunk>,
    /// Reasoning text, with a signature where the dialect has one.
    pub thinking: Option<String>,
    /// Tool calls of the reply. The text is then empty unless `reply` or `chunks` says otherwise.
    pub tools: Vec<ToolCall>,
    /// Overrides `stop`, or `tool_calls` where `tools` is given. OpenAI's words are put into the dialect's
    /// (`length` is Anthropic's `max_tokens`); any other is sent as it is.
    pub finish_reason: Option<String>,
    /// The reply's text is the received headers, as a JSON object.
    pub echo_headers: bool,
    /// The usage object, as it shall be sent: in the shape of the dialect that is asked.
    pub usage: Option<Value>,
    /// Send no usage at all.
    pub no_usage: bool,
    /// End the stream without what says that it is whole: `data: [DONE]`, Ollama's `done` line,
    /// `message_stop`, `response.completed`, `finishReason`, `messageStop`, `message-end`.
    pub no_done: bool,
    /// Length of embedding vectors; otherwise what the request asks for, otherwise 32.
    pub dimensions: Option<usize>,
    /// The whole body, byte for byte; nothing else is written.
    pub raw: Option<Raw>,
    /// A valid reply whose text is this many bytes in one line, written as a stream of small blocks.
    pub big_line_bytes: Option<u64>,
    /// A reply with `content-encoding: gzip` that inflates to about this many bytes.
    pub gzip_bytes: Option<u64>,
    /// Milliseconds before the headers.
    pub delay_ms: u64,
    /// Milliseconds between the headers and the first chunk.
    pub first_chunk_ms: u64,
    /// Milliseconds between chunks.
    pub chunk_ms: u64,
    /// Close the connection without any reply.
    pub hang_up: bool,
    /// Close the connection after this many content chunks, before anything that would follow.
    pub cut_after_chunks: Option<usize>,
    /// Close the connection after this many body bytes, in the middle of a frame if it falls there.
    pub cut_after_bytes: Option<u64>,
    /// Fall silent after this many content chunks, with the connection open.
    pub stall_after_chunks: Option<usize>,
    /// Repeat the last content chunk until the client leaves.
    pub never_end: bool,
    /// Headers that the request must have, with these values; otherwise the answer is 401. Scripts that
    /// answer with `raw` or an error are not asked.
    pub require_header: BTreeMap<String, String>,
    /// Answer requests that the vendor would refuse.
    pub lenient: bool,
    /// Apply the script this many times; afterwards the model behaves by default again, or as `then` says.
    pub times: Option<u32>,
    /// The script that follows when `times` is used up.
    pub then: Option<Box<Script>>,
}

/// One piece of a streamed reply.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged, expecting = "a chunk is a text or {\"raw\": …}")]
pub enum Chunk {
    /// Content, to be framed by the dialect.
    Text(String),
    /// Bytes that stand where a frame would.
    Raw {
        /// The bytes, with their own line ends.
        raw: Raw,
    },
}

/// Bytes as JSON can carry them: a text, or `{"base64": "…"}` for what is not UTF-8.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "RawForm")]
pub struct Raw(pub Bytes);

#[derive(Deserialize)]
#[serde(untagged, expecting = "raw bytes are a text or {\"base64\": \"…\"}")]
enum RawForm {
    Text(String),
    Base64 { base64: String },
}

impl TryFrom<RawForm> for Raw {
    type Error = base64::DecodeError;

    fn try_from(form: RawForm) -> Result<Self, Self::Error> {
        Ok(match form {
            RawForm::Text(text) => Self(text.into()),
            RawForm::Base64 { base64 } => Self(BASE64_STANDARD.decode(base64)?.into()),
        })
    }
}

/// A tool call of the reply.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ToolCall {
    /// Made from the call's position when left out.
    #[serde(default)]
    pub id: Option<String>,
    /// The function's name.
    pub name: String,
    /// An object is sent as JSON text; a text is sent as it is, valid JSON or not.
    pub arguments: Value,
}

impl ToolCall {
    pub(crate) fn arguments_text(&self) -> String {
        match &self.arguments {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        }
    }

    /// For dialects that carry a value; a text that is no JSON stays a text.
    pub(crate) fn arguments_value(&self) -> Value {
        match &self.arguments {
            Value::String(text) => serde_json::from_str(text).unwrap_or_else(|_| self.arguments.clone()),
            other => other.clone(),
        }
    }
}

/// Why a script cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ScriptError {
    /// Not JSON, an unknown field, or a field of the wrong type.
    #[error("script: {0}")]
    Shape(#[from] serde_json::Error),
    /// Outside 100–999.
    #[error("script.status: {0} is not an HTTP status")]
    Status(u16),
    /// A name or value that HTTP cannot carry.
    #[error("script.headers: `{0}` is not a header HTTP can carry")]
    Header(String),
}

impl Script {
    /// Reads and checks a script, as `PUT /_fake/scripts/{model}` does.
    pub fn from_json(value: Value) -> Result<Self, ScriptError> {
        let script: Self = serde_json::from_value(value)?;
        let mut next = Some(&script);
        while let Some(checked) = next {
            checked.head()?;
            next = checked.then.as_deref();
        }
        Ok(script)
    }

    /// Status and headers that the script sets.
    pub(crate) fn head(&self) -> Result<(StatusCode, HeaderMap), ScriptError> {
        let status = self.status.unwrap_or(if self.error.is_some() { 500 } else { 200 });
        let status = StatusCode::from_u16(status).map_err(|_| ScriptError::Status(status))?;
        let mut headers = HeaderMap::new();
        for (name, value) in &self.headers {
            let invalid = || ScriptError::Header(name.clone());
            let header = HeaderName::from_bytes(name.as_bytes()).map_err(|_| invalid())?;
            headers.append(header, HeaderValue::from_str(value).map_err(|_| invalid())?);
        }
        if let Some(name) = self.require_header.keys().find(|name| name.parse::<HeaderName>().is_err()) {
            return Err(ScriptError::Header(name.clone()));
        }
        Ok((status, headers))
    }
}

/// The scripts by model name.
#[derive(Default)]
pub(crate) struct Scripts(Mutex<HashMap<String, Arc<Script>>>);

impl Scripts {
    /// The name whose script applies to every model without one of its own.
    const ANY: &str = "*";

    pub(crate) fn set(&self, name: &str, script: Script) {
        self.lock().insert(name.to_owned(), Arc::new(script));
    }

    pub(crate) fn remove(&self, name: &str) {
        self.lock().remove(name);
    }

    pub(crate) fn clear(&self) {
        self.lock().clear();
    }

    /// Model names with a script, sorted.
    pub(crate) fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.lock().keys().filter(|name| *name != Self::ANY).cloned().collect();
        names.sort_unstable();
        names
    }

    /// The script of the next request to `model`; counts down `times`.
    pub(crate) fn next(&self, model: &str) -> Arc<Script> {
        let mut scripts = self.lock();
        for name in [model, Self::ANY] {
            let Some(script) = scripts.get_mut(name) else { continue };
            let Some(times) = script.times else { return Arc::clone(script) };
            if times == 0 {
                scripts.remove(name);
                continue;
            }
            let now = Arc::clone(script);
            match (times, &now.then) {
                (1, Some(then)) => *script = Arc::new(then.as_ref().clone()),
                _ => Arc::make_mut(script).times = Some(times - 1),
            }
            return now;
        }
        Arc::default()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Arc<Script>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
