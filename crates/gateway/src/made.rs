//! Replies made inside this process: the built-in demo provider and `mock_response`.
//!
//! They are OpenAI-format bytes like any upstream's, so that everything behind the transport treats them
//! alike. The demo's words say that they are a demo.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use http::header::{CONTENT_TYPE, HeaderValue};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::Sleep;
use wire::codec::Stamp;
use wire::embed::{EmbedResponse, Encoding, Vector};
use wire::envelope::Envelope;
use wire::format::{Format, Operation};
use wire::openai_embeddings;
use wire::reply::Usage;
use wire::rerank::{Ranked, RerankResponse};

use crate::call::unix_seconds;
use crate::fields::Fields;
use crate::transport::{UpstreamBody, UpstreamReply};

/// Pause between the chunks of a demo stream, so that streaming can be seen.
const PACE: Duration = Duration::from_millis(15);
/// How much of the prompt the demo repeats.
const MOST_ECHO: usize = 2000;
/// Length of a demo embedding where the request does not ask for one.
const DIMENSIONS: usize = 256;

/// A body made here, in chunks, some time apart.
#[derive(Debug, Default)]
pub struct Made {
    chunks: VecDeque<Bytes>,
    pause: Option<Pin<Box<Sleep>>>,
}

impl Made {
    pub(crate) fn whole(bytes: impl Into<Bytes>) -> Self {
        Self { chunks: VecDeque::from([bytes.into()]), pause: None }
    }

    /// The next chunk, `None` at the end.
    pub fn poll_bytes(&mut self, context: &mut Context<'_>) -> Poll<Option<Bytes>> {
        if let Some(pause) = &mut self.pause {
            std::task::ready!(pause.as_mut().poll(context));
            self.pause = None;
        }
        let next = self.chunks.pop_front();
        if self.chunks.len() > 1 {
            self.pause = Some(Box::pin(tokio::time::sleep(PACE)));
        }
        Poll::Ready(next)
    }
}

/// What the words of a made reply are.
#[derive(Clone, Copy, Debug)]
pub enum Words<'a> {
    /// The demo: a label and the caller's own last words.
    Echo,
    /// The configured text of `mock_response`.
    Text(&'a str),
}

/// The format that made replies are in.
#[must_use]
pub fn format(operation: Operation) -> Format {
    match operation {
        Operation::Chat => Format::OpenAiChat,
        Operation::Completion => Format::OpenAiCompletions,
        Operation::Embedding => Format::OpenAiEmbeddings,
        Operation::Rerank => Format::CohereRerank,
    }
}

/// Answers an OpenAI-format request without calling anyone. The same request gets the same reply.
#[must_use]
pub fn reply(
    operation: Operation,
    model: &str,
    words: Words<'_>,
    request: &Envelope,
    call_id: &str,
) -> UpstreamReply {
    let prompt = prompt(request);
    let text = match words {
        Words::Text(text) => text.to_owned(),
        Words::Echo => echo(&prompt),
    };
    let stream = request.get::<bool>("stream").unwrap_or(false)
        && matches!(operation, Operation::Chat | Operation::Completion);
    let usage = match words {
        // LiteLLM's fixed counts for mocked replies.
        Words::Text(_) => json!({"prompt_tokens": 10, "completion_tokens": 20, "total_tokens": 30}),
        Words::Echo => usage(&prompt, &text),
    };
    let id = format!("chatcmpl-{call_id}");
    let made = match operation {
        Operation::Embedding => Made::whole(embedding(model, request)),
        Operation::Rerank => Made::whole(ranking(request, &id)),
        Operation::Chat | Operation::Completion if stream => streamed(operation, &id, model, &text, &usage),
        Operation::Chat | Operation::Completion => Made::whole(whole(operation, &id, model, &text, &usage)),
    };
    let mut headers = Fields::default();
    let kind = if stream { "text/event-stream" } else { "application/json" };
    headers.push(&CONTENT_TYPE, &HeaderValue::from_static(kind));
    UpstreamReply { status: StatusCode::OK, headers, body: UpstreamBody::Made(made) }
}

fn echo(prompt: &str) -> String {
    let shown: String = prompt.chars().take(MOST_ECHO).collect();
    format!("This is Tollgate's built-in demo model, not a language model. You said: {shown}")
}

fn words(text: &str) -> usize {
    text.split_whitespace().count()
}

fn usage(prompt: &str, text: &str) -> Value {
    let (input, output) = (words(prompt), words(text));
    json!({"prompt_tokens": input, "completion_tokens": output, "total_tokens": input + output})
}

fn whole(operation: Operation, id: &str, model: &str, text: &str, usage: &Value) -> Vec<u8> {
    let choice = if operation == Operation::Completion {
        json!({"index": 0, "text": text, "logprobs": null, "finish_reason": "stop"})
    } else {
        json!({"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"})
    };
    let object = if operation == Operation::Completion { "text_completion" } else { "chat.completion" };
    json!({"id": id, "object": object, "created": unix_seconds(), "model": model, "choices": [choice], "usage": usage})
        .to_string()
        .into_bytes()
}

fn streamed(operation: Operation, id: &str, model: &str, text: &str, usage: &Value) -> Made {
    let completion = operation == Operation::Completion;
    let object = if completion { "text_completion" } else { "chat.completion.chunk" };
    let created = unix_seconds();
    let frame = |choices: Value, usage: Option<&Value>| {
        let mut chunk =
            json!({"id": id, "object": object, "created": created, "model": model, "choices": choices});
        if let (Some(usage), Some(fields)) = (usage, chunk.as_object_mut()) {
            fields.insert("usage".to_owned(), usage.clone());
        }
        Bytes::from(format!("data: {chunk}\n\n"))
    };
    let choice = |piece: &str, first: bool| {
        if completion {
            return json!([{"index": 0, "text": piece, "finish_reason": null}]);
        }
        let delta =
            if first { json!({"role": "assistant", "content": piece}) } else { json!({"content": piece}) };
        json!([{"index": 0, "delta": delta, "finish_reason": null}])
    };
    let mut chunks: VecDeque<Bytes> = text
        .split_inclusive(' ')
        .enumerate()
        .map(|(at, piece)| frame(choice(piece, at == 0), None))
        .collect();
    let end = if completion {
        json!([{"index": 0, "text": "", "finish_reason": "stop"}])
    } else {
        json!([{"index": 0, "delta": {}, "finish_reason": "stop"}])
    };
    chunks.push_back(frame(end, None));
    chunks.push_back(frame(json!([]), Some(usage)));
    chunks.push_back(Bytes::from_static(b"data: [DONE]\n\n"));
    Made { chunks, pause: None }
}

/// The caller's last words, whichever of the three operations this is.
fn prompt(request: &Envelope) -> String {
    #[derive(Deserialize)]
    struct Message {
        #[serde(default)]
        content: Value,
    }
    if let Some(text) = request.text("prompt") {
        return text.into_owned();
    }
    let last = request.get::<Vec<Message>>("messages").and_then(|mut messages| messages.pop());
    match last.map(|message| message.content) {
        Some(Value::String(text)) => text,
        Some(Value::Array(parts)) => {
            let texts: Vec<&str> = parts.iter().filter_map(|part| part.get("text")?.as_str()).collect();
            texts.join(" ")
        }
        _ => String::new(),
    }
}

/// Vectors that are the same for the same text and differ for different texts; they mean nothing.
fn embedding(model: &str, request: &Envelope) -> Bytes {
    let inputs = match request.get::<Value>("input") {
        Some(Value::Array(items)) if items.iter().any(|item| !item.is_number()) => items,
        Some(one) => vec![one],
        None => Vec::new(),
    };
    let dimensions = request.get::<usize>("dimensions").unwrap_or(DIMENSIONS).clamp(1, 4096);
    let encoding = match request.text("encoding_format").as_deref() {
        Some("base64") => Encoding::Base64,
        _ => Encoding::Float,
    };
    let texts: Vec<String> = inputs.iter().map(Value::to_string).collect();
    let tokens: usize = texts.iter().map(|text| words(text)).sum();
    let response = EmbedResponse {
        model: model.to_owned(),
        vectors: texts.iter().map(|text| Vector::from(vector(text, dimensions).as_slice())).collect(),
        usage: Some(Usage { input: tokens as u64, ..Usage::default() }),
    };
    openai_embeddings::write(&response, encoding, model)
}

/// Documents ordered by the words they share with the question.
fn ranking(request: &Envelope, id: &str) -> Bytes {
    let documents: Vec<Value> = request.get("documents").unwrap_or_default();
    let query = vector(&request.text("query").unwrap_or_default(), DIMENSIONS);
    let near = |document: &Value| {
        let text = document["text"].as_str().or(document.as_str()).unwrap_or_default();
        let sum: f32 = vector(text, DIMENSIONS).iter().zip(&query).map(|(one, other)| one * other).sum();
        f64::from(sum)
    };
    let mut results: Vec<Ranked> = documents
        .iter()
        .enumerate()
        .map(|(index, document)| Ranked { index, relevance_score: near(document), document: None })
        .collect();
    results.sort_by(|one, other| other.relevance_score.total_cmp(&one.relevance_score));
    results.truncate(request.get::<usize>("top_n").unwrap_or(usize::MAX));
    let usage = Some(Usage { search_units: 1, ..Usage::default() });
    let response = RerankResponse { id: id.to_owned(), results, usage };
    wire::rerank::write(&response, &Stamp::default())
}

/// A bag of hashed words, of length 1: texts that share words are near each other.
fn vector(text: &str, dimensions: usize) -> Vec<f32> {
    let mut vector = vec![0.0_f32; dimensions];
    for word in text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
        let hash = word.to_lowercase().bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        vector[(hash % dimensions as u64) as usize] += 1.0;
    }
    let length = vector.iter().map(|number| number * number).sum::<f32>().sqrt();
    if length > 0.0 {
        vector.iter_mut().for_each(|number| *number /= length);
    } else {
        vector[0] = 1.0;
    }
    vector
}
