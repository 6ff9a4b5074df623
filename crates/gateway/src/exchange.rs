//! One attempt on one deployment: the request in the upstream's format, the answer up to its first event.

use std::ops::Range;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http::{Method, StatusCode};
use wire::codec::Stamp;
use wire::embed::Encoding;
use wire::envelope::{self, Envelope};
use wire::fault::{Fault, FaultKind, Loss, TranslateError};
use wire::format::Format;
use wire::frame::Framing;
use wire::reply::Usage;
use wire::{codecs, openai_embeddings, rerank, scan, tap};

use crate::body::Pieces;
use crate::call::{Call, unix_seconds};
use crate::deployment::{Deployment, Lane};
use crate::fields::Fields;
use crate::intake::Payload;
use crate::made::{self, Words};
use crate::marks::{self, Marks};
use crate::parts::{self, Parts};
use crate::prediction::Prediction;
use crate::prepare::{self, Prepared, Reading, Step};
use crate::refusal::Refusal;
use crate::sign_in;
use crate::stream::{Flow, Passing, Relay, Translation, Voice};
use crate::transport::{Transport, UpstreamBody, UpstreamReply, timeout_fault};

/// Silence allowed between two reads of a stream, unless a shorter timeout is configured.
const MOST_SILENCE: Duration = Duration::from_secs(600);
/// How much of an upstream's error body is read.
const MOST_ERROR: usize = 256 << 10;
/// Nesting of a translated request; what came in is bounded already.
const MOST_DEPTH: usize = 256;

/// An answer that has begun.
#[derive(Debug)]
pub struct Answer {
    /// Who answers.
    pub deployment: Arc<Deployment>,
    /// The upstream's response headers.
    pub headers: Fields,
    /// The reply.
    pub reply: Reply,
    /// The format that the upstream spoke.
    pub spoken: Format,
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
    Fault { fault: Fault, headers: Fields },
    /// The request cannot be sent there at all.
    Refused(Refusal),
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
    if let Some(text) = payload.controls.mock_response.as_ref().or(deployment.settings.mock_response.as_ref())
    {
        return mocked(call, payload, deployment, text).await;
    }
    if let Some(trouble) = &deployment.trouble {
        return Err(Failure::Fault {
            fault: Fault::new(FaultKind::Authentication, 401, trouble.clone()),
            headers: Fields::default(),
        });
    }
    let format = call.endpoint.format;
    let lane = deployment.lane(format).ok_or_else(|| Failure::Refused(no_lane(call, deployment)))?;
    let step = prepare::request(call, payload, deployment, lane).map_err(Failure::Refused)?;
    let prepared = match step {
        Step::Ready(prepared) => prepared,
        Step::Needy(inbound) => {
            // Boxed: most calls name no media, and its state would make every call's future larger.
            let fetching = Box::pin(prepare::with_media(inbound, call, payload, deployment, lane));
            fetching.await.map_err(Failure::Refused)?
        }
    };
    if !prepared.losses.is_empty() && !payload.controls.drop_params.unwrap_or(deployment.drop_params) {
        return Err(Failure::Refused(unsupported(&prepared.losses, deployment)));
    }
    let Some(to) = lane.address(payload.stream) else {
        return made_here(call, payload, deployment, lane, prepared, Words::Echo).await;
    };
    let Prepared { mut body, reading, losses } = prepared;
    let mut headers = prepare::headers(call, lane);
    let reading = match reading {
        // Google AI Studio counts nothing, and what was used must be charged.
        Reading::Vectors { reader, encoding, rest } if lane.format == Format::GeminiEmbed => {
            let reader = Box::pin(parts::counted_here(reader, &payload.envelope)).await;
            Reading::Vectors { reader, encoding, rest }
        }
        reading => reading,
    };
    let reading = match reading {
        Reading::Vectors { reader, encoding, rest } if !rest.is_empty() => {
            let bodies = std::iter::once(prepare::contiguous(body.into())).chain(rest).collect();
            let credential = deployment.credential.as_ref();
            let (headers, reader) = (&headers, &*reader);
            let parts = Parts { to, headers, credential, spoken: lane.format, bodies, reader };
            return Box::pin(in_parts(transport, call, payload, deployment, parts, encoding, losses)).await;
        }
        reading => reading,
    };
    if let Some(credential) = &deployment.credential {
        let whole = prepare::contiguous(body.into());
        let signing = Box::pin(sign_in::sign(credential, to, &Method::POST, headers.to_mut(), &whole));
        signing.await.map_err(|fault| Failure::Fault { fault, headers: Fields::default() })?;
        body = whole.into();
    }
    let limit = call.snapshot.general.max_response_bytes;
    let prediction = Prediction::of(lane.format, transport, to, &mut headers, payload.stream, limit);
    let expected = Expected { spoken: lane.format, reading, losses, prediction };
    // Pinned here and passed on by reference: futures of this size should not be moved about.
    let sent = pin!(transport.send(to, Method::POST, &headers, body));
    answer(call, payload, deployment, sent, expected).await
}

/// A request that takes several, as one.
async fn in_parts(
    transport: &Transport,
    call: &mut Call,
    payload: &Payload,
    deployment: &Arc<Deployment>,
    parts: Parts<'_>,
    encoding: Encoding,
    losses: Vec<Loss>,
) -> Result<Answer, Failure> {
    let patience = patience(payload, deployment);
    let begun = Instant::now();
    let spoken = parts.spoken;
    let sent = parts.send(transport, call.snapshot.general.max_response_bytes);
    let (headers, result) = match tokio::time::timeout(patience, sent).await {
        Ok(sent) => sent,
        Err(_) => (Fields::default(), Err(timeout_fault(patience))),
    };
    call.waited += begun.elapsed();
    match result {
        Ok(response) => {
            let body = openai_embeddings::write(&response, encoding, &payload.asked).into();
            let reply = Reply::Whole { body, usage: response.usage };
            Ok(Answer { deployment: Arc::clone(deployment), headers, reply, spoken, losses })
        }
        Err(mut fault) => {
            deployment.hide_secrets(&mut fault);
            Err(Failure::Fault { fault, headers })
        }
    }
}

/// The configured text of `mock_response`, whoever the provider is.
async fn mocked(
    call: &mut Call,
    payload: &Payload,
    deployment: &Arc<Deployment>,
    text: &str,
) -> Result<Answer, Failure> {
    let lane = Lane::made(made::format(call.operation()), &payload.asked);
    let step = prepare::request(call, payload, deployment, &lane).map_err(Failure::Refused)?;
    let prepared = step.unfetched(call, payload, deployment, &lane).map_err(Failure::Refused)?;
    made_here(call, payload, deployment, &lane, prepared, Words::Text(text)).await
}

/// An answer that needs no connection.
async fn made_here(
    call: &mut Call,
    payload: &Payload,
    deployment: &Arc<Deployment>,
    lane: &Lane,
    prepared: Prepared,
    words: Words<'_>,
) -> Result<Answer, Failure> {
    let Prepared { body, reading, losses } = prepared;
    let translated;
    let request = match reading {
        Reading::Relay => &payload.envelope,
        Reading::Translate { .. } | Reading::Vectors { .. } | Reading::Ranking(_) => {
            let read = Envelope::read(prepare::contiguous(body.into()), MOST_DEPTH);
            translated = read.map_err(|error| Failure::Refused(Refusal::new(400, error.to_string())))?;
            &translated
        }
    };
    let made = made::reply(call.operation(), &lane.model, words, request, call.id());
    let expected = Expected { spoken: lane.format, reading, losses, prediction: None };
    answer(call, payload, deployment, std::future::ready(Ok(made)), expected).await
}

/// How long the answer may take to begin (a stream) or to be complete (a whole reply).
fn patience(payload: &Payload, deployment: &Deployment) -> Duration {
    let controls = &payload.controls;
    let own = controls.stream_timeout.filter(|_| payload.stream).or(controls.timeout);
    own.unwrap_or(if payload.stream { deployment.stream_timeout } else { deployment.timeout })
}

/// What has arrived when the client can be answered.
enum Arrived {
    Whole(Bytes),
    Stream(Box<Flow>),
}

/// What is known of an answer before it comes.
struct Expected<'a> {
    /// The format that the upstream speaks.
    spoken: Format,
    reading: Reading,
    losses: Vec<Loss>,
    /// Where the answer may be one that is made later.
    prediction: Option<Box<Prediction<'a>>>,
}

/// Waits for the answer up to the point where the client can be answered, all within one patience.
async fn answer(
    call: &mut Call,
    payload: &Payload,
    deployment: &Arc<Deployment>,
    sent: impl Future<Output = Result<UpstreamReply, Fault>>,
    expected: Expected<'_>,
) -> Result<Answer, Failure> {
    let Expected { spoken, reading, losses, mut prediction } = expected;
    let patience = patience(payload, deployment);
    let begun = Instant::now();
    let mut head = (StatusCode::OK, Fields::default());
    let mut reading = Some(reading);
    let arrived = {
        let arriving = pin!(async {
            let mut reply = sent.await?;
            if let Some(prediction) = &mut prediction {
                reply = Box::pin(prediction.follow(reply, payload.stream, &mut reading)).await?;
            }
            head = (reply.status, reply.headers);
            arrive(call, payload, deployment, reply.body, &head, &mut reading).await
        });
        tokio::time::timeout(patience, arriving).await
    };
    call.waited += begun.elapsed();
    let (status, headers) = head;
    let result = match arrived.unwrap_or_else(|_| Err(timeout_fault(patience))) {
        Ok(Arrived::Stream(mut flow)) => {
            flow.cancel_with(prediction.and_then(|prediction| prediction.cancel()));
            Ok(Reply::Stream(flow))
        }
        Ok(Arrived::Whole(bytes)) if status.is_success() => {
            whole(call, payload, deployment, bytes, &headers, reading)
        }
        Ok(Arrived::Whole(bytes)) => Err(codecs::fault(spoken, status.as_u16(), exception(&headers), &bytes)),
        Err(_) if !status.is_success() => {
            Err(codecs::fault(spoken, status.as_u16(), exception(&headers), &[]))
        }
        Err(fault) => Err(fault),
    };
    match result {
        Ok(reply) => Ok(Answer { deployment: Arc::clone(deployment), headers, reply, spoken, losses }),
        Err(mut fault) => {
            deployment.hide_secrets(&mut fault);
            Err(Failure::Fault { fault, headers })
        }
    }
}

/// A stream up to its first event, or a whole body. A stream takes the `reading` with it.
async fn arrive(
    call: &Call,
    payload: &Payload,
    deployment: &Deployment,
    body: UpstreamBody,
    (status, headers): &(StatusCode, Fields),
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

/// What Amazon calls a failure.
pub(crate) fn exception(headers: &Fields) -> Option<&str> {
    headers.get("x-amzn-errortype")
}

/// Anything but a JSON document may be a stream; servers label NDJSON and SSE in many ways.
fn is_stream(headers: &Fields) -> bool {
    if compression(headers).is_some() {
        return false;
    }
    !content_type(headers).trim_start().to_ascii_lowercase().starts_with("application/json")
}

fn content_type(headers: &Fields) -> &str {
    headers.get(CONTENT_TYPE.as_str()).unwrap_or_default()
}

/// The compression of an answer: none was asked for, and what it would inflate to is not known.
fn compression(headers: &Fields) -> Option<&str> {
    headers.get(CONTENT_ENCODING.as_str()).filter(|encoding| *encoding != "identity")
}

/// Refuses an answer that would have to be inflated first.
pub(crate) fn uncompressed(headers: &Fields) -> Result<(), Fault> {
    compression(headers).map_or(Ok(()), |name| {
        Err(Fault::malformed(format!("the answer is compressed ({name}), which was not asked for")))
    })
}

/// A JSON document where a stream was asked for: an error inside a success, or a server that cannot stream.
fn not_a_stream(bytes: &Bytes, headers: &Fields) -> Fault {
    let seen = std::str::from_utf8(bytes).ok().and_then(|text| tap::look(text).ok());
    seen.and_then(|seen| seen.fault).unwrap_or_else(|| {
        Fault::malformed(format!("a stream was asked for, and the answer is {}", content_type(headers)))
    })
}

/// A complete reply in the client's format.
fn whole(
    call: &Call,
    payload: &Payload,
    deployment: &Deployment,
    bytes: Bytes,
    headers: &Fields,
    reading: Option<Reading>,
) -> Result<Reply, Fault> {
    uncompressed(headers)?;
    if payload.stream {
        return Err(not_a_stream(&bytes, headers));
    }
    match reading.unwrap_or(Reading::Relay) {
        Reading::Relay => relayed(call.endpoint.format, payload, deployment, bytes),
        Reading::Translate { reader, writer } => {
            let response = reader.whole(&bytes).map_err(|error| unreadable(&error))?;
            Ok(Reply::Whole {
                body: writer.whole(&response, &stamp(call, payload)).into(),
                usage: response.usage,
            })
        }
        Reading::Vectors { reader, encoding, .. } => {
            let mut response = reader.read(0, &bytes).map_err(|error| unreadable(&error))?;
            response.usage = response.usage.or_else(|| parts::counted_beside(headers));
            let body = openai_embeddings::write(&response, encoding, &payload.asked);
            Ok(Reply::Whole { body: body.into(), usage: response.usage })
        }
        Reading::Ranking(reader) => {
            let response = reader.read(&bytes).map_err(|error| unreadable(&error))?;
            let body = rerank::write(&response, &stamp(call, payload));
            Ok(Reply::Whole { body: body.into(), usage: response.usage })
        }
    }
}

/// The fault of an answer that cannot be read.
pub(crate) fn unreadable(error: &TranslateError) -> Fault {
    Fault::malformed(format!("the answer is not what the API documents: {error}"))
}

/// A same-format reply: the client's model name and ids are spliced in, everything else is as it came.
fn relayed(format: Format, payload: &Payload, deployment: &Deployment, bytes: Bytes) -> Result<Reply, Fault> {
    let text =
        scan::text(&bytes).ok_or_else(|| Fault::malformed("the answer is not valid UTF-8".to_owned()))?;
    if let Some(mut meter) = codecs::meter(format) {
        meter.whole(text)?;
        let usage = meter.usage();
        let splices = Marks::of(payload, deployment).on(text, meter.names());
        return Ok(Reply::Whole { usage, body: marks::spliced(&bytes, splices).into() });
    }
    let seen = tap::look(text)
        .map_err(|error| Fault::malformed(format!("the answer is not valid JSON: {error}")))?;
    if let Some(fault) = seen.fault {
        return Err(fault);
    }
    let usage = if format == Format::CohereRerank { rerank::usage(text) } else { seen.usage };
    let is_asked = |range: &Range<usize>| text.get(range.start + 1..range.end - 1) == Some(&payload.asked);
    let body = match seen.model.filter(|range| !is_asked(range)) {
        None => bytes.into(),
        Some(range) => {
            let asked = envelope::json(&payload.asked);
            vec![bytes.slice(..range.start), asked, bytes.slice(range.end..)].into()
        }
    };
    Ok(Reply::Whole { body, usage })
}

fn flow(
    call: &Call,
    payload: &Payload,
    deployment: &Deployment,
    body: UpstreamBody,
    reading: Reading,
) -> Flow {
    let silence = payload.controls.timeout.unwrap_or(deployment.timeout).min(MOST_SILENCE);
    let (voice, framing) = voice(call, payload, deployment, reading);
    let flow = Flow::new(body, framing, voice, silence);
    let general = &call.snapshot.general;
    let (every, said): (_, &[u8]) = match call.endpoint.format {
        Format::AnthropicMessages => (general.anthropic_ping, b"event: ping\ndata: {\"type\": \"ping\"}\n\n"),
        _ => (general.keepalive.filter(|_| call.events), b": ping\n\n"),
    };
    match every {
        Some(every) => flow.with_heartbeat(every, said),
        None => flow,
    }
}

/// Who speaks to the client, and how the upstream's stream is cut into frames.
fn voice(call: &Call, payload: &Payload, deployment: &Deployment, reading: Reading) -> (Voice, Framing) {
    let exception = deployment.exception.clone();
    let format = call.endpoint.format;
    match reading {
        Reading::Translate { reader, writer } => {
            let framing = reader.framing();
            let encoder = writer.stream(stamp(call, payload));
            (Voice::Translation(Translation::new(reader.stream(), encoder, exception)), framing)
        }
        Reading::Relay | Reading::Vectors { .. } | Reading::Ranking(_) => {
            if let Some(meter) = codecs::meter(format) {
                let marks = Marks::of(payload, deployment);
                return (Voice::Passing(Passing { format, meter, marks, exception }), Framing::Sse);
            }
            let relay = Relay {
                model: envelope::json(&payload.asked),
                hide_usage: !payload.stream_usage,
                choices: payload.envelope.get::<usize>("n").unwrap_or(1),
                finished: 0,
                exception,
            };
            (Voice::Relay(relay), Framing::Sse)
        }
    }
}

fn stamp(call: &Call, payload: &Payload) -> Stamp {
    let prefix = match call.endpoint.format {
        Format::AnthropicMessages => "msg_",
        Format::OpenAiResponses => "resp_",
        Format::OpenAiCompletions => "cmpl-",
        Format::CohereRerank => "rerank-",
        _ => "chatcmpl-",
    };
    Stamp { model: payload.asked.clone(), created: unix_seconds(), id: format!("{prefix}{}", call.id()) }
}

fn no_lane(call: &Call, deployment: &Deployment) -> Refusal {
    Refusal::new(
        400,
        format!(
            "litellm.BadRequestError: {} does not serve {}: model={}",
            deployment.provider.title,
            call.endpoint.route(),
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
