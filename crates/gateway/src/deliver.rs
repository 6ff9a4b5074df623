//! The reply on its way out: status, headers as LiteLLM names them, and the body that carries the settlement.

use std::cell::RefCell;
use std::collections::HashMap;
use std::time::Duration;

use bytes::Bytes;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER,
    VARY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{Response, StatusCode};

use wire::format::Format;

use crate::admit::Permit;
use crate::body::ReplyBody;
use crate::call::Call;
use crate::deployment::{Deployment, label};
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
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "content-length",
    "content-encoding",
    "set-cookie",
    "www-authenticate",
    "strict-transport-security",
    "alt-svc",
];

/// The response to a call that is answered.
#[must_use]
pub fn answer(call: &Call, permit: Permit, answer: Answer, asked: &str, retries: u32) -> Response<ReplyBody> {
    let Answer { deployment, headers: upstream, reply, spoken: _, losses } = answer;
    let mut headers = deployment.labels.clone();
    headers.insert(&X_LITELLM_CALL_ID, call.id.clone());
    relay(&mut headers, &upstream, &deployment);
    if asked != deployment.group {
        headers.insert(&X_LITELLM_MODEL_GROUP, label(asked));
    }
    if retries > 0 {
        headers.insert(&X_LITELLM_ATTEMPTED_RETRIES, number(u64::from(retries)));
    }
    if !losses.is_empty() {
        let fields: Vec<&str> = losses.iter().map(|loss| loss.field.as_str()).collect();
        headers.insert(&X_TOLLGATE_DROPPED_PARAMS, label(&fields.join(", ")));
    }
    let mut settlement = Settlement::open(deployment, permit, retries);
    let body = match reply {
        Reply::Whole { body, usage } => {
            settlement.usage = usage;
            settlement.pieces = body.len() / 4;
            settlement.ending = Ending::Complete;
            if let Some(cost) = settlement.cost() {
                headers.insert(&X_LITELLM_RESPONSE_COST, decimal(u64::try_from(cost.nano()).unwrap_or(0), 9));
            }
            ReplyBody::Whole(body)
        }
        Reply::Stream(mut flow) => {
            headers.insert(CONTENT_TYPE, if call.events { EVENT_STREAM } else { JSON });
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

/// A response made here, to a call that no upstream answers.
#[must_use]
pub fn plain(call: &Call, body: Bytes) -> Response<ReplyBody> {
    let mut response = Response::new(ReplyBody::from(body));
    let headers = response.headers_mut();
    guard(headers);
    headers.insert(CONTENT_TYPE, JSON);
    headers.insert(&X_LITELLM_CALL_ID, call.id.clone());
    headers.insert(&X_LITELLM_RESPONSE_COST, ZERO);
    headers.insert(&X_LITELLM_VERSION, VERSION);
    response
}

/// The response to a call whose upstreams failed.
#[must_use]
pub fn unanswered(call: &Call, unanswered: Unanswered, asked: &str) -> Response<ReplyBody> {
    let mut response = refusal(call, &unanswered.refusal);
    let headers = response.headers_mut();
    if let Some(deployment) = &unanswered.deployment {
        for (name, value) in &deployment.labels {
            headers.entry(name).or_insert_with(|| value.clone());
        }
        headers.insert(&X_LITELLM_MODEL_GROUP, label(asked));
        headers.insert(&X_LITELLM_TIMEOUT, decimal(deployment.timeout.as_millis() as u64, 3));
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
    let mut response = bare_refusal(refusal, call.endpoint.format, shown_id);
    let headers = response.headers_mut();
    headers.insert(&X_LITELLM_CALL_ID, call.id.clone());
    headers.insert(&X_LITELLM_RESPONSE_COST, ZERO);
    response
}

/// A refusal outside of any call, to a caller who speaks `format`.
#[must_use]
pub fn bare_refusal(refusal: &Refusal, format: Format, call_id: Option<&str>) -> Response<ReplyBody> {
    let mut response = Response::new(ReplyBody::from(refusal.body(format, call_id)));
    *response.status_mut() =
        StatusCode::from_u16(refusal.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    guard(headers);
    headers.insert(CONTENT_TYPE, JSON);
    headers.insert(&X_LITELLM_VERSION, VERSION);
    if let Some(seconds) = refusal.retry_after {
        headers.insert(RETRY_AFTER, number(seconds));
    }
    for (name, value) in &refusal.headers {
        headers.insert(*name, label(value));
    }
    response
}

/// What a deployment's labels say.
pub(crate) struct Labelled<'a> {
    pub(crate) id: &'a str,
    pub(crate) group: &'a str,
    /// `provider/model`.
    pub(crate) name: &'a str,
    /// The base URL without its query.
    pub(crate) base: Option<&'a str>,
}

/// The headers that every answer of a deployment carries, as they are in the usual case (JSON, no retry).
pub(crate) fn labels(labelled: &Labelled<'_>) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(48);
    guard(&mut headers);
    headers.insert(CONTENT_TYPE, JSON);
    headers.insert(&X_LITELLM_MODEL_ID, label(labelled.id));
    headers.insert(&X_LITELLM_MODEL_NAME, label(labelled.name));
    if let Some(base) = labelled.base {
        headers.insert(&X_LITELLM_MODEL_API_BASE, label(base));
    }
    headers.insert(&X_LITELLM_MODEL_GROUP, label(labelled.group));
    headers.insert(&X_LITELLM_VERSION, VERSION);
    headers.insert(&X_LITELLM_ATTEMPTED_RETRIES, ZERO);
    headers.insert(&X_LITELLM_ATTEMPTED_FALLBACKS, ZERO);
    headers
}

/// Headers of every response: no framing, no sniffing, and caches must keep origins apart.
pub fn guard(headers: &mut HeaderMap) {
    headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static("frame-ancestors 'none'"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(VARY, HeaderValue::from_static("Origin"));
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
    digits(u64::try_from(duration.as_micros()).unwrap_or(u64::MAX), 3, 3)
}

/// `value` units of `10^-places`, as a plain decimal without needless zeros: `0.00007`.
fn decimal(value: u64, places: usize) -> HeaderValue {
    digits(value, places, 0)
}

/// The same with at least `fewest` decimals. Written by hand: formatting machinery costs more than the rest
/// of a header.
fn digits(value: u64, places: usize, fewest: usize) -> HeaderValue {
    let mut out = [b'0'; 32];
    let mut at = out.len();
    let (mut rest, mut written, mut significant) = (value, 0, false);
    while rest > 0 || written <= places {
        let digit = b'0' + (rest % 10) as u8;
        rest /= 10;
        significant |= digit != b'0' || written >= places || places - written <= fewest;
        if significant {
            at -= 1;
            out[at] = digit;
        }
        written += 1;
        if written == places && at < out.len() {
            at -= 1;
            out[at] = b'.';
        }
    }
    HeaderValue::from_bytes(&out[at..]).unwrap_or(ZERO)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{decimal, milliseconds};

    #[test]
    fn decimals_as_a_person_writes_them() {
        for (value, places, text) in [
            (70_000, 9, "0.00007"),
            (0, 9, "0"),
            (1, 9, "0.000000001"),
            (1_500_000_000, 9, "1.5"),
            (20_000_000_000, 9, "20"),
            (u64::MAX, 9, "18446744073.709551615"),
            (6_000_000, 3, "6000"),
        ] {
            assert_eq!(decimal(value, places), text);
        }
        for (micros, text) in [(0, "0.000"), (7, "0.007"), (1_230, "1.230"), (12_000_000, "12000.000")] {
            assert_eq!(milliseconds(Duration::from_micros(micros)), text);
        }
    }
}
