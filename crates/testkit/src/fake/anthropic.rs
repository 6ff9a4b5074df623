//! Anthropic Messages, direct, on Vertex and on Bedrock: the replies. What a request may hold is in
//! [`super::anthropic_rules`].

use serde_json::{Value, json};

use super::draft::{Draft, halves, signature};
use super::event_stream;
use super::play::{Frames, Output};
use super::rules::{Flaw, Rejection};
use super::script::{Chunk, ToolCall};

/// Who serves the model: the fields of the body differ, the reply's framing on Bedrock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Host {
    Direct,
    Vertex,
    Bedrock,
}

pub(crate) fn error(status: u16, message: &str, index: u64) -> Value {
    let kind = match status {
        400 => "invalid_request_error",
        401 => "authentication_error",
        402 => "billing_error",
        403 => "permission_error",
        404 => "not_found_error",
        413 => "request_too_large",
        429 => "rate_limit_error",
        504 => "timeout_error",
        529 => "overloaded_error",
        _ => "api_error",
    };
    json!({"type": "error", "error": {"type": kind, "message": message}, "request_id": format!("req_fake_{index}")})
}

/// Dotted paths and pydantic's sentences.
pub(crate) fn phrase(rejection: &Rejection) -> String {
    let path = &rejection.path;
    match &rejection.flaw {
        Flaw::Unknown => format!("{path}: Extra inputs are not permitted"),
        Flaw::Missing => format!("{path}: Field required"),
        Flaw::Type("object") => format!("{path}: Input should be a valid dictionary"),
        Flaw::Type("array" | "array of strings") => format!("{path}: Input should be a valid list"),
        Flaw::Type(expected) => format!("{path}: Input should be a valid {expected}"),
        Flaw::Below(least) => format!("{path}: Input should be greater than or equal to {least}"),
        Flaw::Above(most) => format!("{path}: Input should be less than or equal to {most}"),
        Flaw::NotOneOf(known) => {
            let known: Vec<String> = known.iter().map(|known| format!("'{known}'")).collect();
            format!("{path}: Input should be {}", known.join(" or "))
        }
        Flaw::Rule(rule) if path.is_empty() => rule.clone(),
        Flaw::Rule(rule) => format!("{path}: {rule}"),
    }
}

pub(crate) fn whole(draft: &Draft) -> Value {
    let mut content = Vec::new();
    if let Some(thinking) = &draft.thinking {
        content.push(json!({"type": "thinking", "thinking": thinking, "signature": signature(thinking)}));
    }
    if draft.speaks() && !draft.text().is_empty() {
        content.push(json!({"type": "text", "text": draft.text()}));
    }
    let call = |(index, tool): (usize, &ToolCall)| {
        let id = draft.tool_id("toolu", index, tool);
        json!({"type": "tool_use", "id": id, "name": tool.name, "input": tool.arguments_value()})
    };
    content.extend(draft.tools.iter().enumerate().map(call));
    let mut message = message(draft);
    message["content"] = json!(content);
    message["stop_reason"] = json!(stop_reason(draft));
    if let Some(usage) = usage(draft) {
        message["usage"] = usage;
    }
    message
}

fn message(draft: &Draft) -> Value {
    json!({
        "id": format!("msg_fake_{}", draft.index), "type": "message", "role": "assistant", "model": draft.model,
        "content": [], "stop_reason": null, "stop_sequence": null,
    })
}

fn usage(draft: &Draft) -> Option<Value> {
    draft.usage(|counts| {
        json!({
            "input_tokens": counts.input, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0,
            "output_tokens": counts.output,
        })
    })
}

fn stop_reason(draft: &Draft) -> &str {
    draft.finish_as(&[
        ("stop", "end_turn"),
        ("length", "max_tokens"),
        ("tool_calls", "tool_use"),
        ("content_filter", "refusal"),
    ])
}

pub(crate) fn streamed(draft: &Draft, host: Host) -> Output {
    let mut stream = Stream { frames: Frames::default(), host, block: 0 };
    let mut start = message(draft);
    if let Some(mut usage) = usage(draft) {
        // The real number at the start is what the first token cost; the whole comes with `message_delta`.
        if usage.get("output_tokens").is_some() {
            usage["output_tokens"] = json!(1);
        }
        start["usage"] = usage;
    }
    stream.event(&json!({"type": "message_start", "message": start}));
    if let Some(thinking) = &draft.thinking {
        stream.open(&json!({"type": "thinking", "thinking": "", "signature": ""}));
        stream.ping();
        stream.delta(&json!({"type": "thinking_delta", "thinking": thinking}));
        stream.delta(&json!({"type": "signature_delta", "signature": signature(thinking)}));
        stream.close();
    }
    if draft.speaks() {
        stream.open(&json!({"type": "text", "text": ""}));
        if draft.thinking.is_none() {
            stream.ping();
        }
        for chunk in &draft.chunks {
            match chunk {
                Chunk::Text(text) => stream.delta(&json!({"type": "text_delta", "text": text})),
                Chunk::Raw { raw } => stream.frames.chunk(raw.0.clone()),
            }
        }
        stream.close();
    }
    for (index, tool) in draft.tools.iter().enumerate() {
        let id = draft.tool_id("toolu", index, tool);
        stream.open(&json!({"type": "tool_use", "id": id, "name": tool.name, "input": {}}));
        let arguments = tool.arguments_text();
        let (first, second) = halves(&arguments);
        // The API opens with an empty fragment.
        for part in ["", first, second] {
            stream.delta(&json!({"type": "input_json_delta", "partial_json": part}));
        }
        stream.close();
    }
    if draft.done {
        stream.finish(draft);
    }
    stream.frames.end()
}

struct Stream {
    frames: Frames,
    host: Host,
    /// The open block, or the next.
    block: usize,
}

impl Stream {
    fn bytes(&self, event: &Value) -> Vec<u8> {
        if self.host == Host::Bedrock {
            return event_stream::chunk(event);
        }
        format!("event: {}\ndata: {event}\n\n", event["type"].as_str().unwrap_or_default()).into_bytes()
    }

    fn event(&mut self, event: &Value) {
        let bytes = self.bytes(event);
        self.frames.frame(bytes);
    }

    /// Bedrock sends none.
    fn ping(&mut self) {
        if self.host != Host::Bedrock {
            self.event(&json!({"type": "ping"}));
        }
    }

    fn open(&mut self, block: &Value) {
        self.event(&json!({"type": "content_block_start", "index": self.block, "content_block": block}));
    }

    fn delta(&mut self, delta: &Value) {
        let event = json!({"type": "content_block_delta", "index": self.block, "delta": delta});
        let bytes = self.bytes(&event);
        self.frames.chunk(bytes);
    }

    fn close(&mut self) {
        self.event(&json!({"type": "content_block_stop", "index": self.block}));
        self.block += 1;
    }

    fn finish(&mut self, draft: &Draft) {
        let delta = json!({"stop_reason": stop_reason(draft), "stop_sequence": null});
        let mut end = json!({"type": "message_delta", "delta": delta});
        if let Some(usage) = usage(draft) {
            end["usage"] = usage;
        }
        self.event(&end);
        let mut stop = json!({"type": "message_stop"});
        if self.host == Host::Bedrock
            && let Some(usage) = usage(draft)
        {
            stop["amazon-bedrock-invocationMetrics"] = json!({
                "inputTokenCount": usage["input_tokens"], "outputTokenCount": usage["output_tokens"],
                "invocationLatency": 9, "firstByteLatency": 5,
            });
        }
        self.event(&stop);
    }
}
