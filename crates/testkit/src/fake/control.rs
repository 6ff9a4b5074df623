//! The provider's own API under `/_fake/`: set behaviour, read back what was received.
//!
//! | call | does |
//! | --- | --- |
//! | `PUT /_fake/scripts/{model}` | sets the script of a model; `*` for every model without one |
//! | `DELETE /_fake/scripts/{model}`, `DELETE /_fake/scripts` | back to the default, one or all |
//! | `GET /_fake/requests?model=` | what was received, oldest first |
//! | `DELETE /_fake/requests` | forgets it |

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{HeaderValue, Method, Response, StatusCode};
use serde_json::{Value, json};

use super::play::Body;
use super::script::Script;
use super::server::State;

pub(crate) const PREFIX: &str = "/_fake/";

pub(crate) fn answer(state: &State, parts: &Parts, body: &Bytes) -> Response<Body> {
    let path = parts.uri.path().strip_prefix(PREFIX).unwrap_or_default();
    match (&parts.method, path.split_once('/').unwrap_or((path, ""))) {
        (&Method::PUT, ("scripts", name)) if !name.is_empty() => put_script(state, &decoded(name), body),
        (&Method::DELETE, ("scripts", "")) => {
            state.scripts.clear();
            done()
        }
        (&Method::DELETE, ("scripts", name)) => {
            state.scripts.remove(&decoded(name));
            done()
        }
        (&Method::GET, ("requests", "")) => {
            let query = parts.uri.query().unwrap_or_default();
            let model = query.split('&').find_map(|pair| pair.strip_prefix("model=")).map(decoded);
            json_response(StatusCode::OK, &json!(state.log.requests(model.as_deref())))
        }
        (&Method::DELETE, ("requests", "")) => {
            state.log.clear();
            done()
        }
        _ => json_response(StatusCode::NOT_FOUND, &json!({"error": "no such call under /_fake/"})),
    }
}

fn put_script(state: &State, name: &str, body: &[u8]) -> Response<Body> {
    let value = serde_json::from_slice(body).map_err(Into::into);
    match value.and_then(Script::from_json) {
        Ok(script) => {
            state.scripts.set(name, script);
            done()
        }
        Err(refused) => json_response(StatusCode::BAD_REQUEST, &json!({"error": refused.to_string()})),
    }
}

fn done() -> Response<Body> {
    json_response(StatusCode::OK, &json!({"ok": true}))
}

pub(crate) fn json_response(status: StatusCode, body: &Value) -> Response<Body> {
    let mut response = Response::new(Body::Whole(body.to_string().into()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// Percent-decoded; what is not an escape stays as it is.
pub(crate) fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let escape = after.get(..2).filter(|_| *first == b'%').and_then(|hex| std::str::from_utf8(hex).ok());
        match escape.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
