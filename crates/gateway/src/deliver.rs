//! The reply on its way out: status, headers as LiteLLM names them, and the body that carries the settlement.

use std::time::Duration;

use bytes::Bytes;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER,
    VARY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{Response, StatusCode};

use wire::format::Format;

use crate::admit::Permit;
use crate::body::{Content, ReplyBody};
use crate::call::Call;
use crate::deployment::{Deployment, label};
use crate::exchange::{Answer, Reply};
use crate::fields::{Decimal, Fields};
use crate::limits::Room;
use crate::refusal::Refusal;
use crate::route::{Sent, Unanswered};
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

/// Bytes of the fields of an answer, amply.
const USUAL_HEAD: usize = 1536;

/// Headers of an upstream that are between it and us, or that would speak for us.
const NOT_RELAYED: &[&[u8]] = &[
    b"connection",
    b"keep-alive",
    b"proxy-authenticate",
    b"proxy-authorization",
    b"proxy-connection",
    b"te",
    b"trailer",
    b"transfer-encoding",
    b"upgrade",
    b"content-length",
    b"content-encoding",
    b"set-cookie",
    b"www-authenticate",
    b"strict-transport-security",
    b"alt-svc",
];

/// The response to a call that is answered.
#[must_use]
pub fn answer(call: &Call, permit: Permit, sent: Sent, asked: &str) -> Response<ReplyBody> {
    let Sent { answer, retries, fallbacks, instead } = sent;
    let Answer { deployment, headers: upstream, reply, spoken: _, losses } = answer;
    let mut fields = Fields::with_capacity(USUAL_HEAD);
    fields.extend(&deployment.labels);
    fields.push(&X_LITELLM_CALL_ID, &call.id);
    fields.push(&X_LITELLM_MODEL_GROUP, &label(instead.as_deref().unwrap_or(asked)));
    fields.push_decimal(&X_LITELLM_ATTEMPTED_FALLBACKS, &whole(u64::from(fallbacks)));
    fields.push_decimal(&X_LITELLM_ATTEMPTED_RETRIES, &whole(u64::from(retries)));
    relay(&mut fields, &upstream, &deployment);
    if !losses.is_empty() {
        let lost: Vec<&str> = losses.iter().map(|loss| loss.field.as_str()).collect();
        fields.push(&X_TOLLGATE_DROPPED_PARAMS, &label(&lost.join(", ")));
    }
    for (name, value) in permit.rooms.iter().flat_map(Room::fields) {
        fields.push_decimal(name, &whole(value));
    }
    let mut settlement = Settlement::open(deployment, permit, retries);
    let content = match reply {
        Reply::Whole { body, usage } => {
            settlement.usage = usage;
            settlement.pieces = body.len() / 4;
            settlement.ending = Ending::Complete;
            fields.push(&CONTENT_TYPE, &JSON);
            if let Some(cost) = settlement.cost() {
                let nano = u64::try_from(cost.nano()).unwrap_or(0);
                fields.push_decimal(&X_LITELLM_RESPONSE_COST, &Decimal::new(nano, 9, 0));
            }
            Content::Whole(body)
        }
        Reply::Stream(mut flow) => {
            let kind = if call.events { EVENT_STREAM } else { JSON };
            fields.push(&CONTENT_TYPE, &kind);
            fields.push(&CACHE_CONTROL, &HeaderValue::from_static("no-cache"));
            fields.push(&X_ACCEL_BUFFERING, &HeaderValue::from_static("no"));
            settlement.stream = true;
            flow.settle_with(settlement);
            Content::Stream(flow)
        }
    };
    let elapsed = call.started.elapsed();
    fields.push_decimal(&X_LITELLM_OVERHEAD_DURATION_MS, &milliseconds(elapsed.saturating_sub(call.waited)));
    fields.push_decimal(&X_LITELLM_RESPONSE_DURATION_MS, &milliseconds(elapsed));
    Response::new(ReplyBody { fields, content })
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
        let mut fields = deployment.labels.clone();
        relay(&mut fields, &unanswered.headers, deployment);
        fields.spread(headers);
        headers.insert(&X_LITELLM_MODEL_GROUP, label(asked));
        let timeout = Decimal::new(deployment.timeout.as_millis() as u64, 3, 0);
        headers.insert(&X_LITELLM_TIMEOUT, timeout.into());
    }
    headers.insert(&X_LITELLM_ATTEMPTED_FALLBACKS, ZERO);
    headers.insert(&X_LITELLM_ATTEMPTED_RETRIES, whole(u64::from(unanswered.retries)).into());
    headers.insert(&X_LITELLM_OVERHEAD_DURATION_MS, milliseconds(call.overhead()).into());
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
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    for (name, value) in &refusal.headers {
        headers.insert(*name, label(value));
    }
    response
}

/// What a deployment's labels say.
pub(crate) struct Labelled<'a> {
    pub(crate) id: &'a str,
    /// `provider/model`.
    pub(crate) name: &'a str,
    /// The base URL without its query.
    pub(crate) base: Option<&'a str>,
}

/// The fields that are the same in every answer of a deployment.
pub(crate) fn labels(labelled: &Labelled<'_>) -> Fields {
    let mut headers = HeaderMap::new();
    guard(&mut headers);
    headers.insert(&X_LITELLM_MODEL_ID, label(labelled.id));
    headers.insert(&X_LITELLM_MODEL_NAME, label(labelled.name));
    if let Some(base) = labelled.base {
        headers.insert(&X_LITELLM_MODEL_API_BASE, label(base));
    }
    headers.insert(&X_LITELLM_VERSION, VERSION);
    let mut fields = Fields::default();
    headers.iter().for_each(|(name, value)| fields.push(name, value));
    fields
}

/// Headers of every response: no framing, no sniffing, and caches must keep origins apart.
pub fn guard(headers: &mut HeaderMap) {
    headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static("frame-ancestors 'none'"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(VARY, HeaderValue::from_static("Origin"));
}

/// The upstream's headers under `llm_provider-`, and its rate limits under their own names too.
fn relay(fields: &mut Fields, upstream: &Fields, deployment: &Deployment) {
    // Looked for in all of them at once: hardly ever is there anything to be found.
    let betrays = deployment.betrays(upstream.as_bytes());
    for field in upstream.iter() {
        let name = field.name();
        let is_ours = NOT_RELAYED.contains(&name) || name.starts_with(b"access-control-");
        if is_ours || (betrays && deployment.betrays(field.value())) {
            continue;
        }
        fields.push_under("llm_provider-", field);
        if name.starts_with(b"x-ratelimit-") || name == b"request-id" {
            fields.push_under("", field);
        }
    }
}

fn whole(value: u64) -> Decimal {
    Decimal::new(value, 0, 0)
}

/// Milliseconds with three decimals.
fn milliseconds(duration: Duration) -> Decimal {
    Decimal::new(u64::try_from(duration.as_micros()).unwrap_or(u64::MAX), 3, 3)
}
