//! The socket side: HTTP/1.1 over hyper, one request after another on kept connections.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::draft::CREATED;
use super::kept_responses::KeptResponses;
use super::log::Log;
use super::play::Body;
use super::prompt::Prompt;
use super::script::Scripts;
use super::{bench, compose, control, ollama};

/// Larger than any gateway's own limit, small enough not to exhaust the machine.
const MOST_BODY_BYTES: usize = 64 * 1024 * 1024;

/// Listed when no model has a script.
const DEFAULT_MODEL: &str = "fake-model";

#[derive(Default)]
pub(crate) struct State {
    pub(crate) scripts: Scripts,
    pub(crate) log: Log,
    pub(crate) kept: KeptResponses,
}

/// Serves until the process ends.
///
/// # Errors
/// When the runtime cannot be built or the socket is lost.
pub fn serve(listener: std::net::TcpListener, workers: usize) -> io::Result<()> {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(workers.max(1)).enable_all().build()?;
    runtime.block_on(accept(listener, Arc::default()))
}

pub(crate) async fn accept(listener: std::net::TcpListener, state: Arc<State>) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let listener = TcpListener::from_std(listener)?;
    loop {
        // One connection that fails between accept and here is its client's loss, not the provider's.
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(10)).await;
            continue;
        };
        // Without it small frames wait for acknowledgements; a socket that refuses it still works.
        let _ = stream.set_nodelay(true);
        let state = Arc::clone(&state);
        tokio::spawn(async move {
            let service = service_fn(move |request| answer(Arc::clone(&state), request));
            // A broken connection is what scripts ask for; the log knows how each exchange ended.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

/// Ends the connection without a reply.
#[derive(Debug, thiserror::Error)]
enum HangUp {
    #[error("the script hangs up")]
    Scripted,
    #[error("the request's body cannot be read")]
    Body,
}

async fn answer(state: Arc<State>, request: Request<Incoming>) -> Result<Response<Body>, HangUp> {
    let (parts, body) = request.into_parts();
    let body = Limited::new(body, MOST_BODY_BYTES).collect().await.map_err(|_| HangUp::Body)?.to_bytes();
    if let Some((media_type, body)) = bench::reply(&body) {
        let mut response = Response::new(body);
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
        return Ok(response);
    }
    let path = parts.uri.path();
    if path.starts_with(control::PREFIX) {
        return Ok(control::answer(&state, &parts, &body));
    }
    let prompt = Prompt::read(&parts.uri, &body);
    let watch = state.log.record(&parts, &body, &prompt.model);
    if parts.method == Method::GET
        && let Some(listing) = listing(&state, path)
    {
        watch.complete();
        return Ok(control::json_response(StatusCode::OK, &listing));
    }
    if let Some((status, body)) = state.kept.answer(&parts.method, path) {
        watch.complete();
        return Ok(control::json_response(StatusCode::from_u16(status).unwrap_or(StatusCode::OK), &body));
    }
    let script = state.scripts.next(&prompt.model);
    if script.delay_ms > 0 {
        tokio::time::sleep(Duration::from_millis(script.delay_ms)).await;
    }
    if script.hang_up {
        watch.complete();
        return Err(HangUp::Scripted);
    }
    Ok(compose::respond(&state.kept, script, prompt, &parts.headers, watch))
}

/// The models on offer, in the shape of the path that asks.
fn listing(state: &State, path: &str) -> Option<Value> {
    let mut names = state.scripts.names();
    if names.is_empty() {
        names.push(DEFAULT_MODEL.to_owned());
    }
    if path.ends_with("/api/tags") {
        return Some(ollama::tags(&names));
    }
    let model =
        |name: &String| json!({"id": name, "object": "model", "created": CREATED, "owned_by": "fake"});
    path.ends_with("/models")
        .then(|| json!({"object": "list", "data": names.iter().map(model).collect::<Vec<_>>()}))
}
