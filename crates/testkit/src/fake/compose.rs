//! From a script and a request to a response: what is said. When it is said is [`super::play`]'s.

use std::sync::Arc;

use http::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderName};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use serde_json::{Value, json};

use super::draft::Draft;
use super::kept_responses::KeptResponses;
use super::log::Watch;
use super::play::{Body, Output};
use super::prompt::{Dialect, Prompt};
use super::refusal::Refusal;
use super::script::Script;
use super::{anthropic, bedrock, cohere, embedding, event_stream, filler, gemini, ollama, openai, responses};

const JSON: &str = "application/json";

pub(crate) fn respond(
    kept: &KeptResponses,
    script: Arc<Script>,
    mut prompt: Prompt,
    headers: &HeaderMap,
    watch: Watch,
) -> Response<Body> {
    let (mut status, mut extra) = match script.head() {
        Ok(head) => head,
        Err(unusable) => (StatusCode::INTERNAL_SERVER_ERROR, note(&unusable.to_string())),
    };
    let answers = script.raw.is_none() && status.as_u16() < 400;
    if prompt.dialect == Dialect::Other && answers {
        status = StatusCode::NOT_FOUND;
    }
    let refusal = if script.raw.is_some() {
        None
    } else if status.as_u16() >= 400 {
        Some(Refusal::scripted(&script, status.as_u16()))
    } else {
        continued(kept, &mut prompt).err().or_else(|| Refusal::of(&script, &prompt, headers))
    };
    let (media_type, output) = match &refusal {
        Some(refusal) => {
            status = StatusCode::from_u16(refusal.status).unwrap_or(StatusCode::BAD_REQUEST);
            let named = extra;
            extra = refusal.headers(prompt.dialect);
            extra.extend(named);
            let scripted = script.error.as_ref().filter(|error| !error.is_string() && answers_with(&script));
            let body = scripted.cloned().unwrap_or_else(|| refusal.body(&prompt, watch.index));
            (JSON, Output::whole(body.to_string()))
        }
        None => body(kept, &script, &prompt, headers, watch.index),
    };
    let mut response = Response::new(output.play(Arc::clone(&script), watch));
    *response.status_mut() = status;
    let own = response.headers_mut();
    own.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    if script.gzip_bytes.is_some() && refusal.is_none() {
        own.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    own.extend(extra);
    response
}

/// Whether the script itself is a failure, so that its error is the body.
fn answers_with(script: &Script) -> bool {
    script.error.is_some() && script.status.is_none_or(|status| status >= 400)
}

/// Puts the conversation that a request continues in front of it.
fn continued(kept: &KeptResponses, prompt: &mut Prompt) -> Result<(), Refusal> {
    if !matches!(prompt.dialect, Dialect::Responses | Dialect::ResponsesCount) {
        return Ok(());
    }
    let Some(id) = prompt.body["previous_response_id"].as_str() else { return Ok(()) };
    prompt.earlier = kept.conversation(id).ok_or_else(|| Refusal::unknown_response(id))?;
    Ok(())
}

fn media_type(prompt: &Prompt) -> &'static str {
    let event_stream =
        matches!(prompt.dialect, Dialect::Bedrock(_) | Dialect::Anthropic(anthropic::Host::Bedrock));
    match prompt.dialect {
        _ if !prompt.streams() => JSON,
        dialect if dialect.is_ollama() => "application/x-ndjson",
        Dialect::Gemini(_) if !prompt.alt_sse => JSON,
        _ if event_stream => event_stream::MEDIA_TYPE,
        _ => "text/event-stream",
    }
}

fn body(
    kept: &KeptResponses,
    script: &Script,
    prompt: &Prompt,
    headers: &HeaderMap,
    index: u64,
) -> (&'static str, Output) {
    let media_type = media_type(prompt);
    if let Some(raw) = &script.raw {
        return (media_type, Output::whole(raw.0.clone()));
    }
    let mut draft = Draft::new(script, prompt, headers, index);
    let output = if let Some(bytes) = script.gzip_bytes.or(script.big_line_bytes) {
        let framed = media_type == event_stream::MEDIA_TYPE;
        draft.chunks = vec![filler::chunk(framed, bytes)];
        let around = said(script, prompt, &draft).into_bytes();
        let fill = filler::Fill { around, text_bytes: bytes };
        if script.gzip_bytes.is_some() { fill.gzip() } else { fill.plain() }
    } else {
        if prompt.dialect == Dialect::Responses {
            kept.keep(prompt, responses::whole(&draft, prompt));
        }
        said(script, prompt, &draft)
    };
    (media_type, output)
}

fn said(script: &Script, prompt: &Prompt, draft: &Draft) -> Output {
    let whole = |value: Value| Output::whole(value.to_string());
    let streams = prompt.streams();
    match prompt.dialect {
        Dialect::Embeddings | Dialect::OllamaEmbed => whole(embedding::reply(script, prompt)),
        dialect @ (Dialect::OllamaChat | Dialect::OllamaGenerate) if streams => {
            ollama::streamed(draft, dialect)
        }
        dialect @ (Dialect::OllamaChat | Dialect::OllamaGenerate) => whole(ollama::whole(draft, dialect)),
        dialect @ (Dialect::Chat | Dialect::Completions | Dialect::Other) if streams => {
            openai::streamed(draft, dialect)
        }
        dialect @ (Dialect::Chat | Dialect::Completions | Dialect::Other) => {
            whole(openai::whole(draft, dialect))
        }
        Dialect::Anthropic(host) if streams => anthropic::streamed(draft, host),
        Dialect::Anthropic(_) => whole(anthropic::whole(draft)),
        Dialect::AnthropicCount => whole(json!({"input_tokens": prompt.words()})),
        Dialect::Responses if streams => responses::streamed(draft, prompt),
        Dialect::Responses => whole(responses::whole(draft, prompt)),
        Dialect::ResponsesCount => {
            whole(json!({"object": "response.input_tokens", "input_tokens": prompt.words()}))
        }
        Dialect::Gemini(gemini::Verb::Generate) if streams => gemini::streamed(draft, prompt.alt_sse),
        Dialect::Gemini(gemini::Verb::Generate) => whole(gemini::whole(draft)),
        Dialect::Gemini(verb) => whole(gemini::other(verb, script, prompt)),
        Dialect::Bedrock(bedrock::Call::Count) => whole(bedrock::count(prompt)),
        Dialect::Bedrock(bedrock::Call::Converse) if streams => bedrock::streamed(draft),
        Dialect::Bedrock(bedrock::Call::Converse) => whole(bedrock::whole(draft)),
        Dialect::Cohere if streams => cohere::streamed(draft),
        Dialect::Cohere => whole(cohere::whole(draft)),
        Dialect::Embed(embed) => whole(embed.reply(script, prompt, draft.index)),
        Dialect::Rerank(rerank) => whole(rerank.reply(script, prompt, draft.index)),
    }
}

/// Tells the reader of a failing test why the script was not followed.
fn note(text: &str) -> HeaderMap {
    let value = HeaderValue::from_str(text).unwrap_or_else(|_| HeaderValue::from_static("unusable script"));
    HeaderMap::from_iter([(HeaderName::from_static("x-fake-script"), value)])
}
