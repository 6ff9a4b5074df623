//! How many tokens a prompt has: the provider's own count where it gives one, else an estimate that says so.
//!
//! The estimate tokenises all text of the request as OpenAI's current models would. Claude, Gemini and open models
//! cut text a little differently; a count that is off by a few percent serves clients better than none.

use bytes::Bytes;
use http::{Method, Response};
use serde::{Deserialize, Serialize};
use tiktoken_rs::CoreBPE;
use wire::chat::{Block, ChatRequest, Source};
use wire::fault::TranslateError;
use wire::format::Format;
use wire::{codecs, envelope, gemini};

use crate::body::ReplyBody;
use crate::call::Call;
use crate::deliver;
use crate::deployment::{Deployment, Lane};
use crate::intake::Payload;
use crate::prepare;
use crate::refusal::Refusal;
use crate::sign_in;
use crate::transport::Transport;

/// How long a provider may take to count.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(10);
/// The longest answer to a count that is read.
const MOST_ANSWER: usize = 64 << 10;
/// Text is tokenised in pieces of this size: the time for one piece grows faster than its length.
const PIECE: usize = 16 << 10;
/// What a picture counts for; the most that Claude and the usual size of OpenAI's tiles come to.
const PICTURE: u64 = 1_568;
/// What a page of a document counts for, by its size in base64.
const DOCUMENT_BYTES_PER_TOKEN: u64 = 20;
/// What a message costs beside its text.
const FRAMING: u64 = 4;

/// A count, and who made it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count {
    /// Tokens of the prompt.
    pub tokens: u64,
    /// `provider`, or `local_estimate`.
    pub source: &'static str,
}

#[derive(Serialize)]
struct Written {
    input_tokens: u64,
    litellm_count_source: &'static str,
}

/// Answers a request to count.
///
/// # Errors
/// 400 when the request is not one of the client's format.
pub async fn answer(
    transport: &Transport,
    call: &Call,
    payload: &Payload,
) -> Result<Response<ReplyBody>, Refusal> {
    let Count { tokens, source } = count(transport, call, payload).await?;
    let body = match call.endpoint.format {
        Format::Gemini => gemini::count::write(tokens),
        _ => envelope::json(&Written { input_tokens: tokens, litellm_count_source: source }),
    };
    Ok(deliver::plain(call, body))
}

/// Counts the tokens of `payload`.
///
/// # Errors
/// 400 when the request is not one of the client's format.
pub async fn count(transport: &Transport, call: &Call, payload: &Payload) -> Result<Count, Refusal> {
    for deployment in &payload.group.deployments {
        if let Some(tokens) = ask(transport, call, payload, deployment).await {
            return Ok(Count { tokens, source: "provider" });
        }
    }
    let request =
        request(call, payload).map_err(|error| Refusal::untranslatable(call.endpoint.route(), &error))?;
    Ok(Count { tokens: estimate(request).await, source: "local_estimate" })
}

/// What is to be counted.
fn request(call: &Call, payload: &Payload) -> Result<ChatRequest, TranslateError> {
    let body = payload.envelope.body();
    if call.endpoint.format == Format::Gemini {
        return gemini::count::decode(body, &payload.asked);
    }
    codecs::decode(prepare::spoken(call, payload), body).map(|inbound| inbound.request)
}

/// The provider's own count, if it counts in the caller's format and does so now.
async fn ask(transport: &Transport, call: &Call, payload: &Payload, deployment: &Deployment) -> Option<u64> {
    if deployment.trouble.is_some() {
        return None;
    }
    let format = call.endpoint.format;
    let lane: &Lane = deployment.lane(format).filter(|lane| lane.format == format)?;
    let to = lane.count_to.as_ref()?;
    let step = prepare::request(call, payload, deployment, lane).ok()?;
    let prepared = step.unfetched(call, payload, deployment, lane).ok()?;
    let mut headers = prepare::headers(call, lane);
    let body = prepare::contiguous(prepared.body.into());
    let sent = async {
        if let Some(credential) = &deployment.credential {
            sign_in::sign(credential, to, &Method::POST, headers.to_mut(), &body).await.ok()?;
        }
        let reply = transport.send(to, Method::POST, &headers, body.into()).await.ok()?;
        reply.body.whole(MOST_ANSWER).await.ok().filter(|_| reply.status.is_success())
    };
    let answer: Bytes = tokio::time::timeout(PATIENCE, sent).await.ok().flatten()?;
    if format == Format::Gemini { gemini::count::read(&answer).ok() } else { input_tokens(&answer) }
}

fn input_tokens(answer: &[u8]) -> Option<u64> {
    #[derive(Deserialize)]
    struct Answer {
        input_tokens: u64,
    }
    serde_json::from_slice::<Answer>(answer).ok().map(|answer| answer.input_tokens)
}

/// An estimate of the tokens of a whole request.
pub async fn estimate(request: ChatRequest) -> u64 {
    let counting =
        tokio::task::spawn_blocking(move || of_request(tiktoken_rs::o200k_base_singleton(), &request));
    counting.await.unwrap_or(0)
}

/// An estimate of the tokens of a text.
pub async fn estimate_text(text: String) -> u64 {
    let counting = tokio::task::spawn_blocking(move || of_text(tiktoken_rs::o200k_base_singleton(), &text));
    counting.await.unwrap_or(0)
}

fn of_request(tokenizer: &CoreBPE, request: &ChatRequest) -> u64 {
    let turns: u64 = request.turns.iter().map(|turn| FRAMING + of_blocks(tokenizer, &turn.blocks)).sum();
    let tools: u64 = request
        .tools
        .iter()
        .map(|tool| {
            let texts = [
                tool.name.as_str(),
                tool.description.as_deref().unwrap_or_default(),
                tool.parameters.as_ref().map(wire::raw::Raw::text).unwrap_or_default(),
            ];
            FRAMING + texts.iter().map(|text| of_text(tokenizer, text)).sum::<u64>()
        })
        .sum();
    turns + tools
}

fn of_blocks(tokenizer: &CoreBPE, blocks: &[Block]) -> u64 {
    let text = |text: &str| of_text(tokenizer, text);
    blocks
        .iter()
        .map(|block| match block {
            Block::Text(said) | Block::Refusal(said) | Block::Thinking { text: said, .. } => text(said),
            Block::ToolCall { name, input, .. } => FRAMING + text(name) + text(input),
            Block::ToolResult { content, .. } => FRAMING + of_blocks(tokenizer, content),
            Block::Image { .. } => PICTURE,
            Block::File { source: Source::Inline { data, .. }, .. } => {
                data.len() as u64 / DOCUMENT_BYTES_PER_TOKEN
            }
            Block::File { source: Source::Text(said), .. } => text(said),
            Block::File { .. } => PICTURE,
            Block::Audio { data, .. } => data.len() as u64 / DOCUMENT_BYTES_PER_TOKEN,
            Block::Opaque { raw, .. } => text(raw.text()),
            Block::RedactedThinking(_) | Block::Citation(_) | Block::CachePoint(_) => 0,
        })
        .sum()
}

fn of_text(tokenizer: &CoreBPE, mut text: &str) -> u64 {
    let mut tokens = 0;
    while !text.is_empty() {
        let (piece, rest) = text.split_at(text.floor_char_boundary(PIECE));
        tokens += tokenizer.count_ordinary(piece) as u64;
        text = rest;
    }
    tokens
}

#[cfg(test)]
#[path = "count_tests.rs"]
mod tests;
