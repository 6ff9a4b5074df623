//! From a script and a request to a response: what is said. When it is said is [`super::play`]'s.

use std::sync::Arc;

use http::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderName};
use http::{HeaderMap, HeaderValue, Response};
use serde_json::Value;

use super::draft::Draft;
use super::log::Watch;
use super::play::{Body, Output};
use super::prompt::{Dialect, Prompt};
use super::script::Script;
use super::{embedding, filler, ollama, openai};

const JSON: &str = "application/json";

pub(crate) fn respond(
    script: Arc<Script>,
    prompt: &Prompt,
    headers: &HeaderMap,
    watch: Watch,
) -> Response<Body> {
    let (mut status, scripted_headers) = match script.head() {
        Ok(head) => head,
        Err(unusable) => (http::StatusCode::INTERNAL_SERVER_ERROR, note(&unusable.to_string())),
    };
    let says_nothing_itself = script.raw.is_none() && status.as_u16() < 400;
    if prompt.dialect == Dialect::Other && says_nothing_itself {
        status = http::StatusCode::NOT_FOUND;
    }
    let (media_type, output) = body(&script, prompt, status.as_u16(), headers, watch.index);
    let mut response = Response::new(output.play(Arc::clone(&script), watch));
    *response.status_mut() = status;
    let own = response.headers_mut();
    own.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    if script.gzip_bytes.is_some() {
        own.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    own.extend(scripted_headers);
    response
}

fn body(
    script: &Script,
    prompt: &Prompt,
    status: u16,
    headers: &HeaderMap,
    index: u64,
) -> (&'static str, Output) {
    let streams = prompt.streams() && !matches!(prompt.dialect, Dialect::Embeddings | Dialect::OllamaEmbed);
    let media_type = match (streams, prompt.dialect.is_ollama()) {
        (false, _) => JSON,
        (true, true) => "application/x-ndjson",
        (true, false) => "text/event-stream",
    };
    if let Some(raw) = &script.raw {
        return (media_type, Output::whole(raw.0.clone()));
    }
    if status >= 400 {
        return (JSON, Output::whole(error(script, prompt.dialect, status).to_string()));
    }
    if let Some(bytes) = script.gzip_bytes {
        return (media_type, filler::gzip(streams, bytes));
    }
    if let Some(bytes) = script.big_line_bytes {
        return (media_type, filler::big_line(streams, bytes));
    }
    let draft = || Draft::new(script, prompt, headers, index);
    let output = match (prompt.dialect, streams) {
        (Dialect::Embeddings | Dialect::OllamaEmbed, _) => {
            Output::whole(embedding::reply(script, prompt).to_string())
        }
        (dialect @ (Dialect::OllamaChat | Dialect::OllamaGenerate), true) => {
            ollama::streamed(&draft(), dialect)
        }
        (dialect @ (Dialect::OllamaChat | Dialect::OllamaGenerate), false) => {
            Output::whole(ollama::whole(&draft(), dialect).to_string())
        }
        (dialect @ (Dialect::Chat | Dialect::Completions | Dialect::Other), true) => {
            openai::streamed(&draft(), dialect)
        }
        (dialect @ (Dialect::Chat | Dialect::Completions | Dialect::Other), false) => {
            Output::whole(openai::whole(&draft(), dialect).to_string())
        }
    };
    (media_type, output)
}

fn error(script: &Script, dialect: Dialect, status: u16) -> Value {
    let message = match &script.error {
        Some(Value::String(message)) => message.clone(),
        Some(body) => return body.clone(),
        None if status == 404 => "this provider has no such path".to_owned(),
        None => format!("scripted failure {status}"),
    };
    if dialect.is_ollama() { ollama::error(&message) } else { openai::error(status, &message) }
}

/// Tells the reader of a failing test why the script was not followed.
fn note(text: &str) -> HeaderMap {
    let value = HeaderValue::from_str(text).unwrap_or_else(|_| HeaderValue::from_static("unusable script"));
    HeaderMap::from_iter([(HeaderName::from_static("x-fake-script"), value)])
}
