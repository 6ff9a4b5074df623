//! What is asked: the body is received within bounds, its envelope is read, its content is not touched.

use std::borrow::Cow;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body::Body;
use wire::envelope::{Envelope, EnvelopeError};
use wire::format::{Format, Operation};

use crate::auth::Caller;
use crate::call::Call;
use crate::controls::Controls;
use crate::endpoint::Task;
use crate::refusal::Refusal;
use crate::snapshot::Group;

/// Nesting allowed in a body; real requests stay under 20.
pub(crate) const MOST_DEPTH: usize = 128;
/// A client that sends nothing for this long is let go.
const CLIENT_PATIENCE: Duration = Duration::from_secs(60);
/// Buffer reserved for a body whose length is announced; a larger one grows as its bytes really come.
const MOST_RESERVED: usize = 1 << 20;

/// Whether a body field steers the gateway; no provider sees those.
#[must_use]
pub fn steers_the_gateway(name: &str) -> bool {
    matches!(
        name,
        "fallbacks"
            | "context_window_fallbacks"
            | "content_policy_fallbacks"
            | "disable_fallbacks"
            | "include_fallback_errors"
            | "num_retries"
            | "max_retries"
            | "timeout"
            | "request_timeout"
            | "stream_timeout"
            | "litellm_metadata"
            | "litellm_session_id"
            | "litellm_trace_id"
            | "litellm_call_id"
            | "tags"
            | "cache"
            | "guardrails"
            | "policies"
            | "drop_params"
            | "additional_drop_params"
            | "allowed_openai_params"
            | "priority"
            | "mock_response"
            | "mock_timeout"
            | "mock_testing_fallbacks"
            | "mock_testing_context_fallbacks"
            | "mock_testing_content_policy_fallbacks"
            | "mock_testing_rate_limit_error"
            | "prompt_id"
            | "prompt_variables"
            | "prompt_version"
            | "prompt_label"
            | "vector_store_ids"
            | "keepalive_seconds"
            | "weights"
            | "no-log"
            | "input_cost_per_token"
            | "output_cost_per_token"
            | "extra_body"
    )
}

/// Whether a body field would choose the destination or its credentials; a caller may never send those.
pub(crate) fn is_forbidden(name: &str) -> bool {
    matches!(
        name,
        "api_base"
            | "base_url"
            | "api_key"
            | "api_version"
            | "user_config"
            | "model_list"
            | "custom_llm_provider"
            | "litellm_params"
            | "azure_ad_token"
            | "tenant_id"
            | "client_id"
            | "client_secret"
            | "azure_username"
            | "azure_password"
            | "aws_access_key_id"
            | "aws_secret_access_key"
            | "aws_session_token"
            | "aws_region_name"
            | "aws_role_name"
            | "aws_session_name"
            | "aws_profile_name"
            | "aws_web_identity_token"
            | "aws_sts_endpoint"
            | "aws_external_id"
            | "aws_bedrock_runtime_endpoint"
            | "vertex_project"
            | "vertex_location"
            | "vertex_credentials"
            | "langfuse_host"
            | "extra_headers"
    )
}

/// What is asked.
#[derive(Debug)]
pub struct Payload {
    /// The body with its fields located.
    pub envelope: Envelope,
    /// The model name the client used.
    pub asked: String,
    /// The deployments that serve it.
    pub group: Arc<Group>,
    /// Whether a stream is wanted.
    pub stream: bool,
    /// Whether the client asked to see usage in the stream.
    pub stream_usage: bool,
    /// The response that this one goes on with.
    pub previous: Option<Previous>,
    /// What the client wants to be different for this call.
    pub controls: Controls,
}

/// Who keeps the response that a call goes on with.
#[derive(Clone, Debug)]
pub enum Previous {
    /// The provider does, under this id as JSON text.
    Theirs(Bytes),
    /// We do, and the body holds its conversation already.
    Ours,
}

/// Receives the body and reads its envelope.
///
/// # Errors
/// What is wrong with the request: too large, too slow, not JSON, a missing field, an unknown model.
pub async fn read<B>(call: &mut Call, caller: &Caller, body: B) -> Result<Payload, Refusal>
where
    B: Body<Data = Bytes>,
{
    let bytes = receive(body, call.snapshot.general.max_request_bytes).await?;
    call.started = std::time::Instant::now();
    let envelope = open(call, bytes)?;
    let asked = aliased(caller, model(call, &envelope)?);
    let team = caller.key().and_then(|resolved| resolved.key.team.as_deref());
    let group = call.snapshot.group_for(team, &asked).ok_or_else(|| unknown_model(call, &asked))?;
    let payload = payload(call, envelope, asked, group)?;
    payload.controls.permitted(caller, &call.snapshot.general)?;
    Ok(payload)
}

/// The model that a caller's own name for it means: first the team's, then the key's names.
fn aliased(caller: &Caller, asked: String) -> String {
    let Some(resolved) = caller.key() else { return asked };
    let of_team = resolved.who.team.as_ref().and_then(|team| team.record.fields.model_aliases.get(&asked));
    let asked = of_team.cloned().unwrap_or(asked);
    let of_key = resolved.key.extras.as_ref().and_then(|extras| extras.aliases.get(&asked));
    of_key.cloned().unwrap_or(asked)
}

/// Reads the envelope of a body that is all here.
///
/// # Errors
/// What is wrong with the request.
pub(crate) fn understand(call: &Call, bytes: Bytes) -> Result<Payload, Refusal> {
    let envelope = open(call, bytes)?;
    let asked = model(call, &envelope)?;
    let group = call.snapshot.group(&asked).ok_or_else(|| unknown_model(call, &asked))?;
    payload(call, envelope, asked, group)
}

/// The same for a group that need not be configured.
///
/// # Errors
/// What is wrong with the request.
pub(crate) fn payload_for(call: &Call, bytes: Bytes, group: Arc<Group>) -> Result<Payload, Refusal> {
    let envelope = open(call, bytes)?;
    let asked = group.name.clone();
    payload(call, envelope, asked, group)
}

/// The envelope of a body that asks for nothing a caller may not ask.
fn open(call: &Call, bytes: Bytes) -> Result<Envelope, Refusal> {
    let envelope = Envelope::read(bytes, MOST_DEPTH).map_err(|error| not_an_envelope(&error))?;
    if let Some(field) = envelope.names().find(|name| is_forbidden(name)) {
        return Err(Refusal::new(
            401,
            format!(
                "Authentication Error, Rejected Request: {field} is not allowed in request body. Where a call goes \
                 is decided by the gateway's configuration."
            ),
        )
        .with_kind("auth_error")
        .with_param(field));
    }
    require(call, &envelope)?;
    Ok(envelope)
}

fn payload(call: &Call, envelope: Envelope, asked: String, group: Arc<Group>) -> Result<Payload, Refusal> {
    let stream = matches!(call.operation(), Operation::Chat | Operation::Completion)
        && match (call.endpoint.task, envelope.raw("stream")) {
            (Task::Stream, _) => true,
            (Task::Reply, Some("true")) => true,
            (Task::Reply, Some("false" | "null") | None) => false,
            (Task::Reply, Some(_)) => return Err(wrong_type("stream", "a boolean")),
            (Task::Count | Task::Fetch | Task::Delete | Task::Items | Task::Cancel, _) => false,
        };
    let stream_usage = call.snapshot.general.always_include_stream_usage || wants_usage(&envelope);
    let controls = Controls::read(&envelope, &call.headers)?;
    Ok(Payload { envelope, asked, group, stream, stream_usage, previous: None, controls })
}

/// The model asked for: the path's, the body's, or the configured default.
fn model(call: &Call, envelope: &Envelope) -> Result<String, Refusal> {
    if let Some(model) = &call.endpoint.named {
        return Ok(model.clone());
    }
    let general = &call.snapshot.general;
    let default = match call.operation() {
        Operation::Chat | Operation::Completion => &general.completion_model,
        Operation::Embedding => &general.embedding_model,
        Operation::Rerank => &None,
    };
    match (envelope.raw("model"), envelope.text("model"), default) {
        (_, Some(model), _) => Ok(model.into_owned()),
        (None | Some("null"), None, Some(default)) => Ok(default.clone()),
        (None | Some("null"), None, None) => Err(Refusal::new(
            400,
            format!("{}: Missing required parameter: 'model'. {}", call.endpoint.route(), choices(call)),
        )
        .with_param("model")),
        (Some(_), None, _) => Err(Refusal::new(400, "'model' must be a string.")
            .with_kind("bad_request_error")
            .with_param("model")),
    }
}

/// The fields without which an operation means nothing.
fn require(call: &Call, envelope: &Envelope) -> Result<(), Refusal> {
    let fields: &[&str] = match (call.endpoint.format, call.operation()) {
        // A stored prompt may take the place of an input.
        (Format::OpenAiResponses, _) => return Ok(()),
        (Format::Gemini, _) if call.endpoint.task == Task::Count => return Ok(()),
        (Format::Gemini, _) => &["contents"],
        (_, Operation::Chat) => &["messages"],
        (_, Operation::Completion) => &["prompt"],
        (_, Operation::Embedding) => &["input"],
        (_, Operation::Rerank) => &["query", "documents"],
    };
    fields.iter().try_for_each(|field| require_one(call, envelope, field))
}

fn require_one(call: &Call, envelope: &Envelope, field: &str) -> Result<(), Refusal> {
    match envelope.raw(field) {
        None | Some("null") => Err(Refusal::new(
            400,
            format!("{}: Missing required parameter: '{field}'.", call.endpoint.route()),
        )
        .with_param(field)),
        Some(raw) if field == "messages" && !raw.starts_with('[') => Err(wrong_type("messages", "a list")),
        Some(_) => Ok(()),
    }
}

fn wrong_type(field: &str, wanted: &str) -> Refusal {
    Refusal::new(400, format!("'{field}' must be {wanted}.")).with_param(field)
}

fn wants_usage(envelope: &Envelope) -> bool {
    #[derive(serde::Deserialize)]
    struct StreamOptions {
        include_usage: Option<bool>,
    }
    envelope.get::<StreamOptions>("stream_options").and_then(|options| options.include_usage).unwrap_or(false)
}

fn unknown_model(call: &Call, asked: &str) -> Refusal {
    let shown: Cow<'_, str> =
        if asked.len() > 200 { asked.chars().take(200).collect() } else { asked.into() };
    let message =
        format!("{}: Invalid model name passed in model={shown}. {}", call.endpoint.route(), choices(call));
    Refusal::new(400, message).with_param("model")
}

/// The names a caller may use, for messages.
fn choices(call: &Call) -> String {
    const MOST: usize = 20;
    let names: Vec<&str> = call
        .snapshot
        .groups()
        .map(|group| group.name.as_str())
        .chain(call.snapshot.visible_aliases())
        .chain(call.snapshot.wildcards())
        .take(MOST + 1)
        .collect();
    match names.len() {
        0 => "No models are configured: add some to model_list.".to_owned(),
        count if count > MOST => {
            format!("Available models: {}, …; call `/v1/models` for all.", names[..MOST].join(", "))
        }
        _ => format!("Available models: {}. Call `/v1/models` to view them.", names.join(", ")),
    }
}

fn not_an_envelope(error: &EnvelopeError) -> Refusal {
    match error {
        EnvelopeError::Duplicate(field) => Refusal::new(400, error.to_string()).with_param(field.clone()),
        EnvelopeError::NotJson(_) | EnvelopeError::TooManyFields | EnvelopeError::TooDeep(_) => {
            let text = error.to_string();
            let message =
                if text.starts_with("Invalid") { text } else { format!("Invalid JSON payload: {text}") };
            Refusal::new(400, message).with_param("request_body")
        }
    }
}

/// The whole body, at most `limit` bytes, from a client that keeps sending.
async fn receive<B>(body: B, limit: usize) -> Result<Bytes, Refusal>
where
    B: Body<Data = Bytes>,
{
    let hint = body.size_hint();
    if hint.lower() > limit as u64 {
        return Err(too_large(limit));
    }
    let mut body = pin!(body);
    let mut whole = BytesMut::new();
    let mut first = Bytes::new();
    loop {
        let frame = next(std::future::poll_fn(|context| body.as_mut().poll_frame(context))).await?;
        let Some(frame) = frame else { break };
        let frame = frame.map_err(|_| Refusal::new(400, "The request body broke off before its end."))?;
        let Ok(data) = frame.into_data() else { continue };
        if first.len() + whole.len() + data.len() > limit {
            return Err(too_large(limit));
        }
        if whole.is_empty() && first.is_empty() {
            first = data;
            continue;
        }
        if whole.is_empty() {
            let expected = usize::try_from(hint.lower()).unwrap_or(0).min(MOST_RESERVED);
            whole.reserve(expected.max(first.len() + data.len()));
            whole.extend_from_slice(&std::mem::take(&mut first));
        }
        whole.extend_from_slice(&data);
    }
    Ok(if whole.is_empty() { first } else { whole.freeze() })
}

/// `future` at once if it is ready, else within the client's patience: most bodies come with their head, and
/// a timer for those would be waste.
async fn next<T>(future: impl Future<Output = T>) -> Result<T, Refusal> {
    let mut future = pin!(future);
    if let Poll::Ready(ready) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        return Ok(ready);
    }
    tokio::time::timeout(CLIENT_PATIENCE, future).await.map_err(|_| {
        Refusal::new(408, format!("The request body stalled for {} seconds.", CLIENT_PATIENCE.as_secs()))
    })
}

fn too_large(limit: usize) -> Refusal {
    Refusal::new(
        413,
        format!(
            "Request body is larger than {limit} bytes. The limit is general_settings.max_request_size_mb."
        ),
    )
    .with_param("request_body")
}
