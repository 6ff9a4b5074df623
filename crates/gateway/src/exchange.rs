//! One attempt on one deployment: the request in the upstream's format, the answer up to its first event.

use std::ops::Range;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap};
use http::{Method, StatusCode};
use wire::codec::{ReplyReader, ReplyWriter, Stamp, Target};
use wire::embed::Encoding;
use wire::envelope::{self, Envelope};
use wire::fault::{Fault, FaultKind, Loss, TranslateError};
use wire::format::{Format, Operation};
use wire::frame::Framing;
use wire::reply::Usage;
use wire::{ollama, openai_chat, openai_completions, openai_embeddings, provider, tap};

use crate::body::Pieces;
use crate::call::{Call, unix_seconds};
use crate::deployment::{Deployment, Lane, home_format};
use crate::intake::Payload;
use crate::made::{self, Words};
use crate::refusal::Refusal;
use crate::stream::{Flow, Relay, Translation, Voice};
use crate::transport::{Transport, UpstreamBody, UpstreamReply, fault, malformed, timeout_fault};

/// Silence allowed between two reads of a stream, unless a shorter timeout is configured.
const MOST_SILENCE: Duration = Duration::from_secs(600);
/// How much of an upstream's error body is read.
const MOST_ERROR: usize = 256 << 10;

/// An answer that has begun.
#[derive(Debug)]
pub struct Answer {
    /// Who answers.
    pub deployment: Arc<Deployment>,
    /// The upstream's response headers.
    pub headers: HeaderMap,
    /// The reply.
    pub reply: Reply,
    /// What the upstream's format could not say and was dropped.
    pub losses: Vec<Loss>,
}

/// A reply, in the client's format.
#[derive(Debug)]
pub enum Reply {
    /// Complete.
    Whole { body: Pieces, usage: Option<Usage> },
    /// Begun.
    Stream(Box<Flow>),
}

/// Why an attempt did not begin an answer.
#[derive(Debug)]
pub enum Failure {
    /// The upstream failed; another attempt may do better.
    Fault { fault: Fault, headers: Box<HeaderMap> },
    /// The request cannot be sent there at all.
    Refused(Refusal),
}

/// How the answer to a prepared request is read.
enum Reading {
    /// It is in the client's format already.
    Relay,
    /// It is translated.
    Translate { reader: Box<dyn ReplyReader>, writer: Box<dyn ReplyWriter> },
    /// Ollama's vectors.
    Vectors(Encoding),
}

struct Prepared {
    body: Pieces,
    reading: Reading,
    losses: Vec<Loss>,
}

/// Sends the call to `deployment` and waits for the answer to begin.
///
/// # Errors
/// See [`Failure`].
pub async fn attempt(
    transport: &Transport,
    call: &mut Call,
    payload: &Payload,
    deployment: &Arc<Deployment>,
) -> Result<Answer, Failure> {
    if let Some(text) = &deployment.settings.mock_response {
        let made =
            made::reply(call.operation, &payload.asked, Words::Text(text), &payload.envelope, call.id());
        return answer(call, payload, deployment, std::future::ready(Ok(made)), Reading::Relay, Vec::new())
            .await;
    }
    if let Some(trouble) = &deployment.trouble {
        return Err(Failure::Fault {
            fault: fault(FaultKind::Authentication, 401, trouble.clone()),
            headers: Box::default(),
        });
    }
    let lane = deployment.lane(call.operation).ok_or_else(|| Failure::Refused(no_lane(call, deployment)))?;
    let prepared = prepare(call, payload, deployment, lane).map_err(Failure::Refused)?;
    if !prepared.losses.is_empty() && !payload.controls.drop_params.unwrap_or(deployment.drop_params) {
        return Err(Failure::Refused(unsupported(&prepared.losses, deployment)));
    }
    let Prepared { body, reading, losses } = prepared;
    let Some(to) = &lane.to else {
        let made = made::reply(call.operation, &deployment.model, Words::Echo, &payload.envelope, call.id());
        return answer(call, payload, deployment, std::future::ready(Ok(made)), reading, losses).await;
    };
    // Pinned here and passed on by reference: futures of this size should not be moved about.
    let sent = pin!(transport.send(to, Method::POST, lane.headers.clone(), body));
    answer(call, payload, deployment, sent, reading, losses).await
}

/// How long the answer may take to begin (a stream) or to be complete (a whole reply).
fn patience(payload: &Payload, deployment: &Deployment) -> Duration {
    let configured = if payload.stream { deployment.stream_timeout } else { deployment.timeout };
    payload.controls.timeout.unwrap_or(configured)
}

/// What has arrived when the client can be answered.
enum Arrived {
    Whole(Bytes),
    Stream(Box<Flow>),
}

/// Waits for the answer up to the point where the client can be answered, all within one patience.
async fn answer(
    call: &mut Call,
    payload: &Payload,
    deployment: &Arc<Deployment>,
    sent: impl Future<Output = Result<UpstreamReply, Fault>>,
    reading: Reading,
    losses: Vec<Loss>,
) -> Result<Answer, Failure> {
    let patience = patience(payload, deployment);
    let begun = Instant::now();
    let mut head = (StatusCode::OK, HeaderMap::new());
    let mut reading = Some(reading);
    let arrived = {
        let arriving = pin!(async {
            let reply = sent.await?;
            head = (reply.status, reply.headers);
            arrive(call, payload, deployment, reply.body, &head, &mut reading).await
        });
        tokio::time::timeout(patience, arriving).await
    };
    call.waited += begun.elapsed();
    let (status, headers) = head;
    let result = match arrived.unwrap_or_else(|_| Err(timeout_fault(patience))) {
        Ok(Arrived::Stream(flow)) => Ok(Reply::Stream(flow)),
        Ok(Arrived::Whole(bytes)) if status.is_success() => whole(call, payload, bytes, &headers, reading),
        Ok(Arrived::Whole(bytes)) => Err(openai_chat::fault::read(status.as_u16(), &bytes)),
        Err(_) if !status.is_success() => Err(openai_chat::fault::read(status.as_u16(), &[])),
        Err(fault) => Err(fault),
    };
    match result {
        Ok(reply) => Ok(Answer { deployment: Arc::clone(deployment), headers, reply, losses }),
        Err(mut fault) => {
            deployment.hide_secrets(&mut fault);
            Err(Failure::Fault { fault, headers: Box::new(headers) })
        }
    }
}

/// A stream up to its first event, or a whole body. A stream takes the `reading` with it.
async fn arrive(
    call: &Call,
    payload: &Payload,
    deployment: &Deployment,
    body: UpstreamBody,
    (status, headers): &(StatusCode, HeaderMap),
    reading: &mut Option<Reading>,
) -> Result<Arrived, Fault> {
    let streamed = payload.stream && status.is_success() && is_stream(headers);
    if let Some(reading) = if streamed { reading.take() } else { None } {
        let mut flow = Box::new(flow(call, payload, deployment, body, reading));
        flow.prime().await?;
        return Ok(Arrived::Stream(flow));
    }
    let limit = if status.is_success() { call.snapshot.general.max_response_bytes } else { MOST_ERROR };
    body.whole(limit).await.map(Arrived::Whole)
}

/// Anything but a JSON document may be a stream; servers label NDJSON and SSE in many ways.
fn is_stream(headers: &HeaderMap) -> bool {
    if compression(headers).is_some() {
        return false;
    }
    !content_type(headers).trim_start().to_ascii_lowercase().starts_with("application/json")
}

fn content_type(headers: &HeaderMap) -> &str {
    headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default()
}

/// The compression of an answer: none was asked for, and what it would inflate to is not known.
fn compression(headers: &HeaderMap) -> Option<&str> {
    let encoding = headers.get(CONTENT_ENCODING).filter(|encoding| *encoding != "identity")?;
    Some(encoding.to_str().unwrap_or("unknown"))
}

/// A JSON document where a stream was asked for: an error inside a success, or a server that cannot stream.
fn not_a_stream(bytes: &Bytes, headers: &HeaderMap) -> Fault {
    let seen = std::str::from_utf8(bytes).ok().and_then(|text| tap::look(text).ok());
    seen.and_then(|seen| seen.fault).unwrap_or_else(|| {
        malformed(format!("a stream was asked for, and the answer is {}", content_type(headers)))
    })
}

/// A complete reply in the client's format.
fn whole(
    call: &Call,
    payload: &Payload,
    bytes: Bytes,
    headers: &HeaderMap,
    reading: Option<Reading>,
) -> Result<Reply, Fault> {
    if let Some(name) = compression(headers) {
        return Err(malformed(format!("the answer is compressed ({name}), which was not asked for")));
    }
    if payload.stream {
        return Err(not_a_stream(&bytes, headers));
    }
    let unreadable =
        |error: TranslateError| malformed(format!("the answer is not what the API documents: {error}"));
    match reading.unwrap_or(Reading::Relay) {
        Reading::Relay => relayed(payload, bytes),
        Reading::Translate { reader, writer } => {
            let response = reader.whole(&bytes).map_err(unreadable)?;
            Ok(Reply::Whole {
                body: writer.whole(&response, &stamp(call, payload)).into(),
                usage: response.usage,
            })
        }
        Reading::Vectors(encoding) => {
            let response = ollama::embed::read(&bytes).map_err(unreadable)?;
            let body = openai_embeddings::write(&response, encoding, &payload.asked);
            Ok(Reply::Whole { body: body.into(), usage: response.usage })
        }
    }
}

/// A same-format reply: the client's model name spliced in, everything else as it came.
fn relayed(payload: &Payload, bytes: Bytes) -> Result<Reply, Fault> {
    let text =
        std::str::from_utf8(&bytes).map_err(|_| malformed("the answer is not valid UTF-8".to_owned()))?;
    let seen =
        tap::look(text).map_err(|error| malformed(format!("the answer is not valid JSON: {error}")))?;
    if let Some(fault) = seen.fault {
        return Err(fault);
    }
    let is_asked = |range: &Range<usize>| text.get(range.start + 1..range.end - 1) == Some(&payload.asked);
    let body = match seen.model.filter(|range| !is_asked(range)) {
        None => bytes.into(),
        Some(range) => {
            let asked = envelope::json(&payload.asked);
            vec![bytes.slice(..range.start), asked, bytes.slice(range.end..)].into()
        }
    };
    Ok(Reply::Whole { body, usage: seen.usage })
}

fn flow(
    call: &Call,
    payload: &Payload,
    deployment: &Deployment,
    body: UpstreamBody,
    reading: Reading,
) -> Flow {
    let silence = payload.controls.timeout.unwrap_or(deployment.timeout).min(MOST_SILENCE);
    let exception = deployment.exception.clone();
    match reading {
        Reading::Translate { reader, writer } => {
            let framing = reader.framing();
            let encoder = writer.stream(stamp(call, payload));
            let translation = Translation::new(reader.stream(), encoder, exception);
            Flow::new(body, framing, Voice::Translation(translation), silence)
        }
        Reading::Relay | Reading::Vectors(_) => {
            let relay = Relay {
                model: envelope::json(&payload.asked),
                hide_usage: !payload.stream_usage,
                choices: payload.envelope.get::<usize>("n").unwrap_or(1),
                finished: 0,
                exception,
            };
            Flow::new(body, Framing::Sse, Voice::Relay(relay), silence)
        }
    }
}

fn stamp(call: &Call, payload: &Payload) -> Stamp {
    let prefix = if call.operation == Operation::Completion { "cmpl-" } else { "chatcmpl-" };
    Stamp { model: payload.asked.clone(), created: unix_seconds(), id: format!("{prefix}{}", call.id()) }
}

/// The request in the format of `lane`.
fn prepare(
    call: &Call,
    payload: &Payload,
    deployment: &Deployment,
    lane: &Lane,
) -> Result<Prepared, Refusal> {
    let pieces = edited(call, payload, deployment, lane);
    if lane.format == home_format(call.operation) {
        if !is_quirky(payload, deployment) {
            return Ok(Prepared { body: pieces.into(), reading: Reading::Relay, losses: Vec::new() });
        }
        return quirked(payload, deployment, pieces, Reading::Relay, Vec::new());
    }
    let route = call.operation.route();
    let refuse = |error: TranslateError| Refusal::untranslatable(route, &error);
    let body = contiguous(pieces);
    if lane.format == Format::OllamaEmbed {
        let request = openai_embeddings::decode(&body).map_err(refuse)?;
        let encoding = request.encoding;
        let body = ollama::embed::encode(&request, &lane.model).map_err(refuse)?;
        return Ok(Prepared { body: body.into(), reading: Reading::Vectors(encoding), losses: Vec::new() });
    }
    let client = client_codec(call.operation);
    let inbound = client.decode(&body).map_err(refuse)?;
    let target = Target { model: &lane.model, call_id: call.id() };
    let upstream = upstream_codec(lane.format).ok_or_else(|| {
        Refusal::new(500, format!("{} cannot be spoken to an upstream yet", lane.format.title()))
    })?;
    let outbound = upstream.encode(&inbound.request, &target).map_err(refuse)?;
    let reading = Reading::Translate { reader: outbound.reader, writer: inbound.writer };
    quirked(payload, deployment, vec![outbound.body], reading, outbound.losses)
}

fn client_codec(operation: Operation) -> &'static dyn wire::codec::ClientCodec {
    match operation {
        Operation::Completion => &openai_completions::CompletionClient,
        Operation::Chat | Operation::Embedding => &openai_chat::ChatClient,
    }
}

fn upstream_codec(format: Format) -> Option<&'static dyn wire::codec::UpstreamCodec> {
    match format {
        Format::OpenAiChat => Some(&openai_chat::ChatUpstream),
        Format::OllamaChat => Some(&ollama::OllamaChat),
        Format::OllamaGenerate => Some(&ollama::OllamaGenerate),
        Format::AnthropicMessages => Some(&wire::anthropic_messages::MessagesUpstream),
        Format::OpenAiResponses
        | Format::Gemini
        | Format::BedrockConverse
        | Format::CohereChat
        | Format::OpenAiCompletions
        | Format::OpenAiEmbeddings
        | Format::OllamaEmbed => None,
    }
}

/// The client's body with what the configuration and the gateway change, everything else byte for byte.
fn edited(call: &Call, payload: &Payload, deployment: &Deployment, lane: &Lane) -> Vec<Bytes> {
    let envelope = &payload.envelope;
    let mut edits = envelope.edit();
    for name in envelope.names() {
        let ours = crate::intake::steers_the_gateway(name) || is_unstored_metadata(name, envelope);
        let unwanted =
            deployment.settings.additional_drop_params.iter().chain(&payload.controls.additional_drop_params);
        if ours || unwanted.into_iter().any(|unwanted| unwanted == name) {
            edits.remove(name);
        }
    }
    for (name, json) in &deployment.defaults {
        if envelope.raw(name).is_none() {
            edits.set(name, json.clone());
        }
    }
    for (name, json) in deployment.overrides.iter().chain(&payload.controls.extra_body) {
        edits.set(name, json.clone());
    }
    if envelope.text("model").is_none_or(|model| model != lane.model) {
        edits.set("model", lane.model_json.clone());
    }
    if payload.stream && call.operation != Operation::Embedding && lane.format == home_format(call.operation)
    {
        ask_for_usage(envelope, &mut edits);
    }
    edits.finish()
}

/// OpenAI takes `metadata` only with `store`; elsewhere it is the gateway's field.
fn is_unstored_metadata(name: &str, envelope: &Envelope) -> bool {
    name == "metadata" && envelope.raw("store") != Some("true")
}

/// Usage of a stream is wanted whether or not the client wants to see it.
fn ask_for_usage(envelope: &Envelope, edits: &mut envelope::Edits<'_>) {
    let Some(mut options) = envelope.get::<serde_json::Map<String, serde_json::Value>>("stream_options")
    else {
        edits.set("stream_options", Bytes::from_static(b"{\"include_usage\":true}"));
        return;
    };
    if options.get("include_usage") != Some(&serde_json::Value::Bool(true)) {
        options.insert("include_usage".to_owned(), true.into());
        edits.set("stream_options", envelope::json(&options));
    }
}

/// Whether a quirk of the provider may concern this request; most requests need no second look.
fn is_quirky(payload: &Payload, deployment: &Deployment) -> bool {
    let envelope = &payload.envelope;
    let added =
        |name: &str| deployment.defaults.iter().chain(&deployment.overrides).any(|(added, _)| added == name);
    let has = |name: &str| {
        envelope.has(name)
            || added(name)
            || !payload.controls.extra_body.is_empty()
            || (payload.stream && name == "stream_options")
    };
    deployment.concerns.any(has, envelope.body())
}

/// Applies the provider's quirks to a body in its format.
fn quirked(
    payload: &Payload,
    deployment: &Deployment,
    pieces: Vec<Bytes>,
    reading: Reading,
    mut losses: Vec<Loss>,
) -> Result<Prepared, Refusal> {
    let quirks = deployment.provider.quirks;
    if quirks.is_empty() {
        return Ok(Prepared { body: pieces.into(), reading, losses });
    }
    let body = contiguous(pieces);
    let allowed = if payload.controls.allowed_openai_params.is_empty() {
        &deployment.settings.allowed_openai_params
    } else {
        &payload.controls.allowed_openai_params
    };
    let quirked = provider::quirks::apply(quirks, deployment.rules_model(), &body, allowed)
        .map_err(|error| Refusal::untranslatable("request", &error))?;
    losses.extend(quirked.losses);
    Ok(Prepared { body: quirked.body.map_or(body, Bytes::from).into(), reading, losses })
}

fn contiguous(mut pieces: Vec<Bytes>) -> Bytes {
    match pieces.len() {
        1 => pieces.swap_remove(0),
        _ => pieces.concat().into(),
    }
}

fn no_lane(call: &Call, deployment: &Deployment) -> Refusal {
    Refusal::new(
        400,
        format!(
            "litellm.BadRequestError: {} does not serve {}: model={}",
            deployment.provider.title,
            call.operation.route(),
            deployment.group
        ),
    )
    .with_param("model")
}

fn unsupported(losses: &[Loss], deployment: &Deployment) -> Refusal {
    let named: Vec<String> = losses.iter().map(|loss| format!("{} ({})", loss.field, loss.why)).collect();
    Refusal::new(
        400,
        format!(
            "litellm.UnsupportedParamsError: {} does not support parameters: {}, for model={}. To drop them, set \
             `litellm_settings: {{drop_params: true}}` or send `drop_params: true`.",
            deployment.provider.name,
            named.join(", "),
            deployment.model
        ),
    )
    .with_param(losses.first().map(|loss| loss.field.clone()).unwrap_or_default())
}
