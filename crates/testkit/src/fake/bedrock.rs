//! Bedrock's Converse, whole and as an event stream, and token counting. What a request may hold is in
//! [`super::bedrock_rules`]; models called through InvokeModel have their own dialects.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use super::draft::{Draft, halves, signature};
use super::event_stream;
use super::play::{Frames, Output};
use super::prompt::{Prompt, words};
use super::rules::{Flaw, Rejection};
use super::script::{Chunk, ToolCall};

/// What is asked of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    Converse,
    Count,
}

pub(crate) fn error(message: &str) -> Value {
    json!({"message": message})
}

/// The value of `x-amzn-errortype`.
pub(crate) fn error_type(status: u16) -> &'static str {
    match status {
        400 => "ValidationException",
        401 | 403 => "AccessDeniedException",
        404 => "ResourceNotFoundException",
        408 => "ModelTimeoutException",
        424 => "ModelErrorException",
        429 => "ThrottlingException",
        503 => "ServiceUnavailableException",
        _ => "InternalServerException",
    }
}

pub(crate) fn phrase(rejection: &Rejection) -> String {
    let path = &rejection.path;
    match &rejection.flaw {
        Flaw::Unknown => format!(
            "#/{}: extraneous key [{}] is not permitted",
            rejection.parent().replace('.', "/"),
            rejection.name()
        ),
        Flaw::Missing => format!(
            "1 validation error detected: Value at '{path}' failed to satisfy constraint: Member must not be null"
        ),
        Flaw::Type(expected) => {
            format!("1 validation error detected: Value at '{path}' should be {expected}")
        }
        Flaw::Below(least) => format!(
            "1 validation error detected: Value at '{path}' failed to satisfy constraint: Member must have value greater than or equal to {least}"
        ),
        Flaw::Above(most) => format!(
            "1 validation error detected: Value at '{path}' failed to satisfy constraint: Member must have value less than or equal to {most}"
        ),
        Flaw::NotOneOf(known) => format!(
            "1 validation error detected: Value at '{path}' failed to satisfy constraint: Member must satisfy enum value set: [{}]",
            known.join(", ")
        ),
        Flaw::Rule(rule) => rule.clone(),
    }
}

/// A whole Converse request, or the body of an InvokeModel call.
pub(crate) fn count(prompt: &Prompt) -> Value {
    let input = &prompt.body["input"];
    let body = input.get("converse").cloned().unwrap_or_else(|| {
        let packed = input["invokeModel"]["body"].as_str().unwrap_or_default();
        BASE64_STANDARD
            .decode(packed)
            .ok()
            .and_then(|body| serde_json::from_slice(&body).ok())
            .unwrap_or_default()
    });
    json!({"inputTokens": words(&body)})
}

pub(crate) fn whole(draft: &Draft) -> Value {
    let mut content = Vec::new();
    if let Some(thinking) = &draft.thinking {
        let text = json!({"text": thinking, "signature": signature(thinking)});
        content.push(json!({"reasoningContent": {"reasoningText": text}}));
    }
    if draft.speaks() {
        content.push(json!({"text": draft.text()}));
    }
    let call = |(index, tool): (usize, &ToolCall)| {
        let id = draft.tool_id("tooluse", index, tool);
        json!({"toolUse": {"toolUseId": id, "name": tool.name, "input": tool.arguments_value()}})
    };
    content.extend(draft.tools.iter().enumerate().map(call));
    let mut reply = json!({
        "metrics": {"latencyMs": 9}, "output": {"message": {"content": content, "role": "assistant"}},
        "stopReason": stop_reason(draft),
    });
    if let Some(usage) = usage(draft) {
        reply["usage"] = usage;
    }
    reply
}

fn usage(draft: &Draft) -> Option<Value> {
    draft.usage(|counts| {
        json!({"inputTokens": counts.input, "outputTokens": counts.output, "totalTokens": counts.input + counts.output})
    })
}

fn stop_reason(draft: &Draft) -> &str {
    draft.finish_as(&[
        ("stop", "end_turn"),
        ("length", "max_tokens"),
        ("tool_calls", "tool_use"),
        ("content_filter", "content_filtered"),
    ])
}

pub(crate) fn streamed(draft: &Draft) -> Output {
    let mut stream = Stream { frames: Frames::default(), block: 0 };
    stream.frames.frame(event_stream::event("messageStart", &json!({"role": "assistant"})));
    // Text and reasoning blocks begin with their first delta; only tools are announced.
    if let Some(thinking) = &draft.thinking {
        stream.delta(&json!({"reasoningContent": {"text": thinking}}));
        stream.delta(&json!({"reasoningContent": {"signature": signature(thinking)}}));
        stream.close();
    }
    if draft.speaks() {
        for chunk in &draft.chunks {
            match chunk {
                Chunk::Text(text) => stream.delta(&json!({"text": text})),
                Chunk::Raw { raw } => stream.frames.chunk(raw.0.clone()),
            }
        }
        stream.close();
    }
    for (index, tool) in draft.tools.iter().enumerate() {
        let start =
            json!({"toolUse": {"toolUseId": draft.tool_id("tooluse", index, tool), "name": tool.name}});
        let start = json!({"contentBlockIndex": stream.block, "start": start});
        stream.frames.frame(event_stream::event("contentBlockStart", &start));
        let arguments = tool.arguments_text();
        let (first, second) = halves(&arguments);
        for input in [first, second] {
            stream.delta(&json!({"toolUse": {"input": input}}));
        }
        stream.close();
    }
    if draft.done {
        stream.frames.frame(event_stream::event("messageStop", &json!({"stopReason": stop_reason(draft)})));
        let mut metadata = json!({"metrics": {"latencyMs": 9}});
        if let Some(usage) = usage(draft) {
            metadata["usage"] = usage;
        }
        stream.frames.frame(event_stream::event("metadata", &metadata));
    }
    stream.frames.end()
}

struct Stream {
    frames: Frames,
    block: usize,
}

impl Stream {
    fn delta(&mut self, delta: &Value) {
        let payload = json!({"contentBlockIndex": self.block, "delta": delta});
        self.frames.chunk(event_stream::event("contentBlockDelta", &payload));
    }

    fn close(&mut self) {
        let payload = json!({"contentBlockIndex": self.block});
        self.frames.frame(event_stream::event("contentBlockStop", &payload));
        self.block += 1;
    }
}
