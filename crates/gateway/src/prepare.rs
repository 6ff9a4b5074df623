//! The request as one deployment will see it: the client's bytes with what the configuration changes, or their
//! translation into the format spoken there; and what it takes to read the answer.

use std::borrow::Cow;

use bytes::Bytes;
use http::header::{HeaderMap, HeaderName};
use wire::chat::{Block, Source};
use wire::codec::{Inbound, ReplyReader, ReplyWriter, Target};
use wire::codecs::Spoken;
use wire::embed::Encoding;
use wire::embed_codec::{EmbedOutbound, EmbedReader};
use wire::envelope::{self, Envelope};
use wire::fault::{Loss, TranslateError};
use wire::format::{Format, Operation};
use wire::provider::Host;
use wire::provider::paths::Path;
use wire::rerank::{RerankOutbound, RerankReader};
use wire::{codecs, embeddings, openai_embeddings, provider, rerank, wording};

use crate::body::Pieces;
use crate::call::Call;
use crate::deployment::{Deployment, Lane};
use crate::intake::{self, Payload, Previous};
use crate::media;
use crate::refusal::Refusal;

/// How the answer to a prepared request is read.
pub(crate) enum Reading {
    /// It is in the client's format already.
    Relay,
    /// It is translated.
    Translate { reader: Box<dyn ReplyReader>, writer: Box<dyn ReplyWriter> },
    /// Vectors in a format of their own; `rest` are the bodies of the requests after the first.
    Vectors { reader: Box<dyn EmbedReader>, encoding: Encoding, rest: Vec<Bytes> },
    /// A ranking in a format of its own.
    Ranking(Box<dyn RerankReader>),
}

/// A request, ready to be sent.
pub(crate) struct Prepared {
    pub(crate) body: Pieces,
    pub(crate) reading: Reading,
    pub(crate) losses: Vec<Loss>,
}

/// The request in the format of `lane`.
///
/// # Errors
/// 400 when it is not a request of the client's format, or cannot be said at all in the format of `lane`.
pub(crate) fn request(
    call: &Call,
    payload: &Payload,
    deployment: &Deployment,
    lane: &Lane,
) -> Result<Step, Refusal> {
    let pieces = pruned(payload, deployment, edited(call, payload, deployment, lane));
    let client = call.endpoint.format;
    if passes(call, payload, lane) {
        if !has_quirks(client) || !is_quirky(payload, deployment) {
            let prepared = Prepared { body: pieces.into(), reading: Reading::Relay, losses: Vec::new() };
            return Ok(Step::Ready(prepared));
        }
        return quirked(payload, deployment, pieces, Reading::Relay, Vec::new()).map(Step::Ready);
    }
    let body = contiguous(pieces);
    if let Some(upstream) = embeddings::upstream(lane.format) {
        let refuse = |error: TranslateError| Refusal::untranslatable(call.endpoint.route(), &error);
        let request = openai_embeddings::decode(&body).map_err(refuse)?;
        let target = Target { model: &lane.model, call_id: call.id() };
        let EmbedOutbound { mut bodies, reader, losses } =
            upstream.encode(&request, &target).map_err(refuse)?;
        let rest = bodies.split_off(bodies.len().min(1));
        let reading = Reading::Vectors { reader, encoding: request.encoding, rest };
        return Ok(Step::Ready(Prepared { body: contiguous(bodies).into(), reading, losses }));
    }
    if let Some(upstream) = rerank::upstream(lane.format) {
        let refuse = |error: TranslateError| Refusal::untranslatable(call.endpoint.route(), &error);
        let request = rerank::decode(&body).map_err(refuse)?;
        let target = Target { model: &lane.model, call_id: call.id() };
        let RerankOutbound { body, reader, losses } = upstream.encode(&request, &target).map_err(refuse)?;
        let reading = Reading::Ranking(reader);
        return Ok(Step::Ready(Prepared { body: body.into(), reading, losses }));
    }
    decoded(call, payload, deployment, lane, &body)
}

/// What the request says beside its body.
pub(crate) fn spoken<'a>(call: &Call, payload: &'a Payload) -> Spoken<'a> {
    let format = call.endpoint.format;
    Spoken { format, model: &payload.asked, stream: payload.stream, events: call.events }
}

fn decoded(
    call: &Call,
    payload: &Payload,
    deployment: &Deployment,
    lane: &Lane,
    body: &[u8],
) -> Result<Step, Refusal> {
    let decoded = codecs::decode(spoken(call, payload), body);
    let mut inbound = decoded.map_err(|error| Refusal::untranslatable(call.endpoint.route(), &error))?;
    if call.endpoint.format == Format::Gemini {
        let default =
            |names: &[&str]| deployment.defaults.iter().find(|(name, _)| names.contains(&name.as_str()));
        let number = |names: &[&str]| serde_json::from_slice::<f64>(&default(names)?.1).ok();
        let sampling = &mut inbound.request.sampling;
        sampling.temperature = sampling.temperature.or_else(|| number(&["temperature"]));
        sampling.top_p = sampling.top_p.or_else(|| number(&["top_p"]));
        let most = || serde_json::from_slice(&default(&["max_tokens", "max_completion_tokens"])?.1).ok();
        sampling.max_tokens = sampling.max_tokens.or_else(most);
    }
    if call.endpoint.format == Format::AnthropicMessages {
        // Claude's own clients ask for as much as Claude can answer with; other models refuse more than they have.
        let most = deployment.fact("max_output_tokens").and_then(serde_json::Value::as_u64);
        let asked = &mut inbound.request.sampling.max_tokens;
        *asked = asked.map(|asked| most.map_or(asked, |most| asked.min(most)));
    }
    if matches!(payload.previous, Some(Previous::Ours)) {
        inbound.request.extras.retain(|(name, _)| name != "previous_response_id");
    }
    if inbound.request.turns.iter().any(|turn| needs_bytes(&turn.blocks, lane)) {
        return Ok(Step::Needy(Box::new(inbound)));
    }
    encoded(call, payload, deployment, lane, inbound).map(Step::Ready)
}

/// Whether an address among `blocks` is one that the upstream will not fetch.
fn needs_bytes(blocks: &[Block], lane: &Lane) -> bool {
    blocks.iter().any(|block| match block {
        Block::Image { source: Source::Url(url), .. } | Block::File { source: Source::Url(url), .. } => {
            codecs::needs_bytes(lane.format, lane.host, url)
        }
        Block::ToolResult { content, .. } => needs_bytes(content, lane),
        _ => false,
    })
}

fn encoded(
    call: &Call,
    payload: &Payload,
    deployment: &Deployment,
    lane: &Lane,
    inbound: Inbound,
) -> Result<Prepared, Refusal> {
    let upstream = codecs::upstream(lane.format, lane.host)
        .ok_or_else(|| Refusal::new(501, format!("{} is not translated to here yet", lane.format.title())))?;
    let target = Target { model: &lane.model, call_id: call.id() };
    let outbound = wording::encode(upstream, &inbound.request, &target)
        .map_err(|error| Refusal::untranslatable(call.endpoint.route(), &error))?;
    let reading = Reading::Translate { reader: outbound.reader, writer: inbound.writer };
    if has_quirks(lane.format) {
        return quirked(payload, deployment, vec![outbound.body], reading, outbound.losses);
    }
    Ok(Prepared { body: outbound.body.into(), reading, losses: outbound.losses })
}

/// How far a request has come without opening a connection.
pub(crate) enum Step {
    /// All the way.
    Ready(Prepared),
    /// The upstream needs the bytes of media that the request only names by their addresses.
    Needy(Box<Inbound>),
}

impl Step {
    /// The request without fetching anything.
    ///
    /// # Errors
    /// As [`request`], and for a medium whose bytes are not there.
    pub(crate) fn unfetched(
        self,
        call: &Call,
        payload: &Payload,
        deployment: &Deployment,
        lane: &Lane,
    ) -> Result<Prepared, Refusal> {
        match self {
            Self::Ready(prepared) => Ok(prepared),
            Self::Needy(inbound) => encoded(call, payload, deployment, lane, *inbound),
        }
    }
}

/// A request whose media are fetched first.
///
/// # Errors
/// 400 naming the medium that was not to be had, and what [`request`] refuses.
pub(crate) async fn with_media(
    mut inbound: Box<Inbound>,
    call: &Call,
    payload: &Payload,
    deployment: &Deployment,
    lane: &Lane,
) -> Result<Prepared, Refusal> {
    if let Some(fetcher) = &call.snapshot.fetcher {
        let must = |_: &Block, url: &str| codecs::needs_bytes(lane.format, lane.host, url);
        media::inline::inline(&mut inbound.request, fetcher, must)
            .await
            .map_err(|problem| Refusal::new(400, problem.to_string()).with_param(problem.field))?;
    }
    encoded(call, payload, deployment, lane, *inbound)
}

/// Whether the client's bytes and the upstream's pass through: both speak one format, in one framing.
fn passes(call: &Call, payload: &Payload, lane: &Lane) -> bool {
    let one_framing = call.events || !payload.stream || lane.format != Format::Gemini;
    // Hosts of Anthropic's models want other members in the body than Anthropic does.
    let own_body = lane.format == Format::AnthropicMessages && lane.host != Host::Vendor;
    // Callers may speak Cohere's older API to the same routes, which its newer one refuses.
    let one_version = lane.format != Format::CohereRerank || rerank::is_second_version(&payload.envelope);
    lane.format == call.endpoint.format && one_framing && !own_body && one_version
}

/// The headers of a request on `lane`: prebuilt, and what Anthropic's clients say about versions where Anthropic's
/// API is spoken.
pub(crate) fn headers<'a>(call: &Call, lane: &'a Lane) -> Cow<'a, HeaderMap> {
    static VERSIONS: [HeaderName; 2] =
        [HeaderName::from_static("anthropic-version"), HeaderName::from_static("anthropic-beta")];
    let mut headers = Cow::Borrowed(&lane.headers);
    if lane.format == Format::AnthropicMessages && call.endpoint.format == lane.format {
        for name in &VERSIONS {
            if let Some(value) = call.headers.get(name) {
                headers.to_mut().insert(name, value.clone());
            }
        }
    }
    headers
}

/// The client's body with what the configuration and the gateway change, everything else byte for byte.
fn edited(call: &Call, payload: &Payload, deployment: &Deployment, lane: &Lane) -> Vec<Bytes> {
    let envelope = &payload.envelope;
    let client = call.endpoint.format;
    let mut edits = envelope.edit();
    for name in envelope.names() {
        let ours = intake::steers_the_gateway(name)
            || (client == Format::OpenAiChat && is_unstored_metadata(name, envelope));
        if ours || unwanted(payload, deployment).any(|unwanted| unwanted == name) {
            edits.remove(name);
        }
    }
    for (name, json) in &deployment.defaults {
        let name = match (client, name.as_str()) {
            // Google's callers say it elsewhere: see `decoded`.
            (Format::Gemini, _) => continue,
            (Format::OpenAiResponses, "max_tokens" | "max_completion_tokens") => "max_output_tokens",
            (_, name) => name,
        };
        if envelope.raw(name).is_none() {
            edits.set(name, json.clone());
        }
    }
    for (name, json) in deployment.overrides.iter().chain(&payload.controls.extra_body) {
        edits.set(name, json.clone());
    }
    match &payload.previous {
        Some(Previous::Theirs(id)) => edits.set("previous_response_id", id.clone()),
        Some(Previous::Ours) if lane.format == client => edits.remove("previous_response_id"),
        // Stays where it is translated: the reply repeats it.
        Some(Previous::Ours) | None => {}
    }
    if !lane.names_model {
        edits.remove("model");
    } else if envelope.text("model").is_none_or(|model| model != lane.model) {
        edits.set("model", lane.model_json.clone());
    }
    let counts_when_asked = matches!(client, Format::OpenAiChat | Format::OpenAiCompletions);
    if payload.stream && counts_when_asked && lane.format == client {
        ask_for_usage(envelope, &mut edits);
    }
    edits.finish()
}

/// What the configuration or the caller wants left out.
fn unwanted<'a>(payload: &'a Payload, deployment: &'a Deployment) -> impl Iterator<Item = &'a String> {
    deployment.settings.additional_drop_params.iter().chain(&payload.controls.additional_drop_params)
}

/// The same below the top level of the body.
fn pruned(payload: &Payload, deployment: &Deployment, pieces: Vec<Bytes>) -> Vec<Bytes> {
    let nested = unwanted(payload, deployment).filter(|name| name.contains(['.', '[']));
    let paths: Vec<Path> = nested.filter_map(|name| Path::parse(name)).collect();
    if paths.is_empty() {
        return pieces;
    }
    let body = contiguous(pieces);
    let Ok(text) = std::str::from_utf8(&body) else { return vec![body] };
    let pruned = paths
        .iter()
        .fold(None, |pruned: Option<String>, path| path.remove(pruned.as_deref().unwrap_or(text)).or(pruned));
    vec![pruned.map_or_else(|| body.clone(), Bytes::from)]
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

/// Whether the quirks of rows are said of bodies in `format`.
fn has_quirks(format: Format) -> bool {
    let ranks = format.operation() == Operation::Rerank;
    !ranks
        && !matches!(
            format,
            Format::AnthropicMessages
                | Format::OpenAiResponses
                | Format::Gemini
                | Format::BedrockConverse
                | Format::CohereChat
        )
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
    let (model, version) = (deployment.rules_model(), deployment.api_version.as_deref());
    let quirked = provider::quirks::apply_at(quirks, model, version, &body, allowed)
        .map_err(|error| Refusal::untranslatable("request", &error))?;
    losses.extend(quirked.losses);
    Ok(Prepared { body: quirked.body.map_or(body, Bytes::from).into(), reading, losses })
}

pub(crate) fn contiguous(mut pieces: Vec<Bytes>) -> Bytes {
    match pieces.len() {
        1 => pieces.swap_remove(0),
        _ => pieces.concat().into(),
    }
}
