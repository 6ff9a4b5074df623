//! Google's Gemini, on its own host and on Vertex: the replies. What a request may hold is in
//! [`super::gemini_rules`].

use bytes::Bytes;
use serde_json::{Value, json};

use super::draft::{Draft, signature};
use super::embedding::vector;
use super::play::Output;
use super::prompt::{Prompt, count_words};
use super::rules::{Flaw, Rejection, bracketed, list};
use super::script::{Chunk, Script, ToolCall};

/// What follows the model and the colon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    Generate,
    CountTokens,
    EmbedContent,
    BatchEmbedContents,
    Predict,
}

impl Verb {
    pub(crate) fn of(text: &str) -> Option<Self> {
        Some(match text {
            "generateContent" | "streamGenerateContent" => Self::Generate,
            "countTokens" => Self::CountTokens,
            "embedContent" => Self::EmbedContent,
            "batchEmbedContents" => Self::BatchEmbedContents,
            "predict" => Self::Predict,
            _ => return None,
        })
    }
}

pub(crate) fn error(status: u16, message: &str) -> Value {
    let name = match status {
        400 => "INVALID_ARGUMENT",
        401 => "UNAUTHENTICATED",
        403 => "PERMISSION_DENIED",
        404 => "NOT_FOUND",
        409 => "ABORTED",
        429 => "RESOURCE_EXHAUSTED",
        499 => "CANCELLED",
        500 => "INTERNAL",
        501 => "UNIMPLEMENTED",
        503 => "UNAVAILABLE",
        504 => "DEADLINE_EXCEEDED",
        _ => "UNKNOWN",
    };
    json!({"error": {"code": status, "message": message, "status": name}})
}

pub(crate) fn phrase(rejection: &Rejection) -> String {
    let path = bracketed(&rejection.path);
    match &rejection.flaw {
        Flaw::Unknown => {
            let (name, parent) = (rejection.name(), bracketed(rejection.parent()));
            let place = if parent.is_empty() { String::new() } else { format!(" at '{parent}'") };
            format!("Invalid JSON payload received. Unknown name \"{name}\"{place}: Cannot find field.")
        }
        Flaw::Missing => format!("* GenerateContentRequest.{path}: missing field."),
        Flaw::Type(expected) => format!("Invalid value at '{path}' (expected {expected})"),
        Flaw::Below(least) => format!("* GenerateContentRequest.{path}: must be at least {least}."),
        Flaw::Above(most) => format!("* GenerateContentRequest.{path}: must be at most {most}."),
        Flaw::NotOneOf(known) => format!("Invalid value at '{path}' (expected one of {})", known.join(", ")),
        Flaw::Rule(rule) => format!("* GenerateContentRequest.{path}: {rule}"),
    }
}

pub(crate) fn whole(draft: &Draft) -> Value {
    let mut parts = Vec::new();
    if let Some(thinking) = &draft.thinking {
        parts.push(json!({"text": thinking, "thought": true}));
    }
    if draft.speaks() {
        parts.push(json!({"text": draft.text()}));
    }
    parts.extend(draft.tools.iter().enumerate().map(|(index, tool)| call(draft, index, tool)));
    let candidate = |index| candidate(index, &parts, Some(finish_reason(draft)));
    response(draft, (0..draft.choices).map(candidate).collect(), true)
}

/// The first call of a step carries the signature of the thinking before it.
fn call(draft: &Draft, index: usize, tool: &ToolCall) -> Value {
    let id = draft.tool_id("call", index, tool);
    let mut part = json!({"functionCall": {"id": id, "name": tool.name, "args": tool.arguments_value()}});
    if index == 0
        && let Some(thinking) = &draft.thinking
    {
        part["thoughtSignature"] = json!(signature(thinking));
    }
    part
}

fn candidate(index: u64, parts: &[Value], finish_reason: Option<&str>) -> Value {
    let mut candidate = json!({"content": {"parts": parts, "role": "model"}, "index": index});
    if let Some(reason) = finish_reason {
        candidate["finishReason"] = json!(reason);
    }
    candidate
}

/// Google says STOP for calls too.
fn finish_reason(draft: &Draft) -> &str {
    draft.finish_as(&[
        ("stop", "STOP"),
        ("tool_calls", "STOP"),
        ("length", "MAX_TOKENS"),
        ("content_filter", "SAFETY"),
    ])
}

fn response(draft: &Draft, candidates: Vec<Value>, last: bool) -> Value {
    let mut response =
        json!({"candidates": candidates, "modelVersion": draft.model, "responseId": draft.id("gen")});
    let usage = draft.usage(|counts| {
        let said = counts.output - counts.reasoning;
        let mut usage =
            json!({"promptTokenCount": counts.input, "totalTokenCount": counts.input + counts.output});
        if last {
            usage["candidatesTokenCount"] = json!(said);
        }
        if counts.reasoning > 0 {
            usage["thoughtsTokenCount"] = json!(counts.reasoning);
        }
        usage["promptTokensDetails"] = json!([{"modality": "TEXT", "tokenCount": counts.input}]);
        usage
    });
    if let Some(usage) = usage {
        response["usageMetadata"] = usage;
    }
    response
}

pub(crate) fn streamed(draft: &Draft, alt_sse: bool) -> Output {
    let mut framing = Framing { alt_sse, opened: false };
    let mut content = Vec::new();
    let push = |content: &mut Vec<Bytes>, framing: &mut Framing, part: &Value| {
        for index in 0..draft.choices {
            let candidates = vec![candidate(index, std::slice::from_ref(part), None)];
            content.push(framing.frame(&response(draft, candidates, false)));
        }
    };
    if let Some(thinking) = &draft.thinking {
        push(&mut content, &mut framing, &json!({"text": thinking, "thought": true}));
    }
    for chunk in draft.chunks.iter().filter(|_| draft.speaks()) {
        match chunk {
            Chunk::Text(text) => push(&mut content, &mut framing, &json!({"text": text})),
            Chunk::Raw { raw } => content.push(raw.0.clone()),
        }
    }
    for (index, tool) in draft.tools.iter().enumerate() {
        push(&mut content, &mut framing, &call(draft, index, tool));
    }
    let mut tail = Vec::new();
    if draft.done {
        let end = |index| candidate(index, &[json!({"text": ""})], Some(finish_reason(draft)));
        tail.push(framing.frame(&response(draft, (0..draft.choices).map(end).collect(), true)));
    }
    if !alt_sse {
        tail.push(Bytes::from_static(if framing.opened { b"\n]\n" } else { b"[]\n" }));
    }
    Output::stream(content, tail)
}

/// Without `alt=sse` the stream is one JSON array, written as it grows.
struct Framing {
    alt_sse: bool,
    opened: bool,
}

impl Framing {
    fn frame(&mut self, response: &Value) -> Bytes {
        if self.alt_sse {
            return format!("data: {response}\r\n\r\n").into();
        }
        let before = if std::mem::replace(&mut self.opened, true) { ",\r\n" } else { "[" };
        format!("{before}{response}").into()
    }
}

/// Everything but generation.
pub(crate) fn other(verb: Verb, script: &Script, prompt: &Prompt) -> Value {
    let body = &prompt.body;
    let values = |request: &Value| {
        let asked = request.get("outputDimensionality").or_else(|| request.get("output_dimensionality"));
        vector(&text(&request["content"]), script.dimensions_or(asked))
    };
    match verb {
        Verb::Generate | Verb::CountTokens => {
            let inner = body.get("generateContentRequest").unwrap_or(body);
            let contents = list(&inner["contents"]).iter().chain([&inner["systemInstruction"]]);
            let words: u64 = contents.map(|content| count_words(&text(content))).sum();
            json!({"totalTokens": words, "promptTokensDetails": [{"modality": "TEXT", "tokenCount": words}]})
        }
        Verb::EmbedContent => json!({"embedding": {"values": values(body)}}),
        Verb::BatchEmbedContents => {
            let embeddings = list(&body["requests"]).iter().map(|request| json!({"values": values(request)}));
            json!({"embeddings": embeddings.collect::<Vec<_>>()})
        }
        Verb::Predict => {
            let dimensions = script.dimensions_or(body.pointer("/parameters/outputDimensionality"));
            let prediction = |instance: &Value| {
                let text = instance["content"].as_str().unwrap_or_default();
                let statistics = json!({"token_count": count_words(text), "truncated": false});
                json!({"embeddings": {"values": vector(text, dimensions), "statistics": statistics}})
            };
            let texts = list(&body["instances"]).iter().filter_map(|instance| instance["content"].as_str());
            let billed = texts.flat_map(str::chars).filter(|character| !character.is_whitespace()).count();
            let predictions: Vec<Value> = list(&body["instances"]).iter().map(prediction).collect();
            json!({"predictions": predictions, "metadata": {"billableCharacterCount": billed}})
        }
    }
}

fn text(content: &Value) -> String {
    let parts = list(&content["parts"]).iter().filter_map(|part| part["text"].as_str());
    parts.collect::<Vec<_>>().join(" ")
}
