//! The reply on its way out: status, headers as LiteLLM names them, and the body that carries the settlement.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt::Write;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use http::{Response, StatusCode};

use crate::admit::Permit;
use crate::body::ReplyBody;
use crate::call::Call;
use crate::deployment::Deployment;
use crate::exchange::{Answer, Reply};
use crate::refusal::Refusal;
use crate::route::Unanswered;
use crate::settle::{Ending, Settlement};

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const EVENT_STREAM: HeaderValue = HeaderValue::from_static("text/event-stream; charset=utf-8");
const VERSION: HeaderValue = HeaderValue::from_static(env!("CARGO_PKG_VERSION"));
const ZERO: HeaderValue = HeaderValue::from_static("0");

// Names parsed once; parsing one costs as much as inserting it.
static X_ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");
static X_LITELLM_ATTEMPTED_FALLBACKS: HeaderName = HeaderName::from_static("x-litellm-attempted-fallbacks");
static X_LITELLM_ATTEMPTED_RETRIES: HeaderName = HeaderName::from_static("x-litellm-attempted-retries");
static X_LITELLM_CALL_ID: HeaderName = HeaderName::from_static("x-litellm-call-id");
static X_LITELLM_MODEL_API_BASE: HeaderName = HeaderName::from_static("x-litellm-model-api-base");
static X_LITELLM_MODEL_GROUP: HeaderName = HeaderName::from_static("x-litellm-model-group");
static X_LITELLM_MODEL_ID: HeaderName = HeaderName::from_static("x-litellm-model-id");
static X_LITELLM_MODEL_NAME: HeaderName = HeaderName::from_static("x-litellm-model-name");
static X_LITELLM_OVERHEAD_DURATION_MS: HeaderName = HeaderName::from_static("x-litellm-overhead-duration-ms");
static X_LITELLM_RESPONSE_COST: HeaderName = HeaderName::from_static("x-litellm-response-cost");
static X_LITELLM_RESPONSE_DURATION_MS: HeaderName = HeaderName::from_static("x-litellm-response-duration-ms");
static X_LITELLM_TIMEOUT: HeaderName = HeaderName::from_static("x-litellm-timeout");
static X_LITELLM_VERSION: HeaderName = HeaderName::from_static("x-litellm-version");
static X_TOLLGATE_DROPPED_PARAMS: HeaderName = HeaderName::from_static("x-tollgate-dropped-params");

/// Distinct upstream header names remembered with their prefixed form, per worker.
const MOST_NAMES: usize = 512;

/// Headers of an upstream that are between it and us, or that would speak for us.
const NOT_RELAYED: &[&str] = &[
    "connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te", "trailer",
    "transfer-encoding", "upgrade", "content-length", "content-encoding", "set-cookie", "www-authenticate",
    "strict-transport-security", "alt-svc",
];

/// The response to a call that is answered.
#[must_use]
pub fn answer(call: &Call, permit: Permit, answer: Answer, asked: &str, retries: u32) -> Response<ReplyBody> {
    let Answer { deployment, headers: upstream, reply, losses } = answer;
    let mut headers = HeaderMap::with_capacity(48);
    describe(&mut headers, call, &deployment, asked);
    relay(&mut headers, &upstream, &deployment);
    headers.insert(&X_LITELLM_ATTEMPTED_RETRIES, number(u64::from(retries)));
    headers.insert(&X_LITELLM_ATTEMPTED_FALLBACKS, ZERO);
    if !losses.is_empty() {
        let fields: Vec<&str> = losses.iter().map(|loss| loss.field.as_str()).collect();
        headers.insert(&X_TOLLGATE_DROPPED_PARAMS, crate::deployment::label(&fields.join(", ")));
    }
    let mut settlement = Settlement::open(deployment, permit, call.id.clone(), call.operation, call.started);
    let body = match reply {
        Reply::Whole { body, usage } => {
            headers.insert(CONTENT_TYPE, JSON);
            settlement.usage = usage;
            settlement.ending = Ending::Complete;
            if let Some(cost) = settlement.cost() {
                headers.insert(&X_LITELLM_RESPONSE_COST, text(&cost));
            }
            ReplyBody::Whole(body)
        }
        Reply::Stream(mut flow) => {
            headers.insert(CONTENT_TYPE, EVENT_STREAM);
            headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
            headers.insert(&X_ACCEL_BUFFERING, HeaderValue::from_static("no"));
            flow.settle_with(settlement);
            ReplyBody::Stream(flow)
        }
    };
    let elapsed = call.started.elapsed();
    headers.insert(&X_LITELLM_OVERHEAD_DURATION_MS, milliseconds(elapsed.saturating_sub(call.waited)));
    headers.insert(&X_LITELLM_RESPONSE_DURATION_MS, milliseconds(elapsed));
    let mut response = Response::new(body);
    *response.headers_mut() = headers;
    response
}

/// The response to a call whose upstreams failed.
#[must_use]
pub fn unanswered(call: &Call, unanswered: Unanswered, asked: &str) -> Response<ReplyBody> {
    let mut response = refusal(call, &unanswered.refusal);
    let headers = response.headers_mut();
    if let Some(deployment) = &unanswered.deployment {
        describe(headers, call, deployment, asked);
        headers.insert(&X_LITELLM_TIMEOUT, text(&deployment.timeout.as_secs_f64()));
        relay(headers, &unanswered.headers, deployment);
    }
    headers.insert(&X_LITELLM_ATTEMPTED_RETRIES, number(u64::from(unanswered.retries)));
    headers.insert(&X_LITELLM_OVERHEAD_DURATION_MS, milliseconds(call.overhead()));
    response
}

/// The response to a call that we refuse ourselves.
#[must_use]
pub fn refusal(call: &Call, refusal: &Refusal) -> Response<ReplyBody> {
    let shown_id = call.snapshot.general.call_id_in_errors.then(|| call.id());
    let mut response = bare_refusal(refusal, shown_id);
    let headers = response.headers_mut();
    headers.insert(&X_LITELLM_CALL_ID, call.id.clone());
    headers.insert(&X_LITELLM_RESPONSE_COST, ZERO);
    response
}

/// A refusal outside of any call.
#[must_use]
pub fn bare_refusal(refusal: &Refusal, call_id: Option<&str>) -> Response<ReplyBody> {
    let mut response = Response::new(ReplyBody::from(refusal.body(call_id)));
    *response.status_mut() = StatusCode::from_u16(refusal.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, JSON);
    headers.insert(&X_LITELLM_VERSION, VERSION);
    if let Some(seconds) = refusal.retry_after {
        headers.insert(RETRY_AFTER, number(seconds));
    }
    response
}

/// Which call, and who answered it.
fn describe(headers: &mut HeaderMap, call: &Call, deployment: &Deployment, asked: &str) {
    let labels = &deployment.labels;
    headers.insert(&X_LITELLM_CALL_ID, call.id.clone());
    headers.insert(&X_LITELLM_MODEL_ID, labels.id.clone());
    headers.insert(&X_LITELLM_MODEL_NAME, labels.name.clone());
    if let Some(base) = &labels.base {
        headers.insert(&X_LITELLM_MODEL_API_BASE, base.clone());
    }
    let group = if asked == deployment.group { labels.group.clone() } else { crate::deployment::label(asked) };
    headers.insert(&X_LITELLM_MODEL_GROUP, group);
    headers.insert(&X_LITELLM_VERSION, VERSION);
}

/// The upstream's headers under `llm_provider-`, and its rate limits under their own names too.
fn relay(headers: &mut HeaderMap, upstream: &HeaderMap, deployment: &Deployment) {
    for (name, value) in upstream {
        let plain = name.as_str();
        let unwanted = NOT_RELAYED.contains(&plain) || plain.starts_with("access-control-");
        if unwanted || deployment.betrays(value.as_bytes()) {
            continue;
        }
        if let Some(prefixed) = prefixed(name) {
            headers.append(prefixed, value.clone());
        }
        if plain.starts_with("x-ratelimit-") || plain == "request-id" {
            headers.insert(name.clone(), value.clone());
        }
    }
}

/// `llm_provider-NAME`, built once per name and worker.
fn prefixed(name: &HeaderName) -> Option<HeaderName> {
    thread_local! {
        static KNOWN: RefCell<HashMap<HeaderName, HeaderName, foldhash::fast::RandomState>> = RefCell::default();
    }
    KNOWN.with_borrow_mut(|known| {
        if let Some(prefixed) = known.get(name) {
            return Some(prefixed.clone());
        }
        let prefixed = HeaderName::from_bytes(format!("llm_provider-{name}").as_bytes()).ok()?;
        if known.len() < MOST_NAMES {
            known.insert(name.clone(), prefixed.clone());
        }
        Some(prefixed)
    })
}

fn number(value: u64) -> HeaderValue {
    HeaderValue::from(value)
}

/// Milliseconds with three decimals.
fn milliseconds(duration: Duration) -> HeaderValue {
    let micros = duration.as_micros();
    text(&format_args!("{}.{:03}", micros / 1000, micros % 1000))
}

/// A header value from anything whose text is plain ASCII.
fn text(value: &impl std::fmt::Display) -> HeaderValue {
    let mut out = bytes::BytesMut::with_capacity(24);
    let _ = write!(out, "{value}");
    HeaderValue::from_maybe_shared(Bytes::from(out)).unwrap_or(ZERO)
}
