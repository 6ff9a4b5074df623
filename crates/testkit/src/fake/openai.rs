//! OpenAI's shapes: chat completions, legacy completions and errors, whole and streamed.

use bytes::Bytes;
use serde_json::{Value, json};

use super::draft::{CREATED, Counts, Draft, halves};
use super::play::Output;
use super::prompt::Dialect;
use super::script::{Chunk, ToolCall};

pub(crate) fn error(status: u16, message: &str) -> Value {
    let kind = match status {
        401 => "authentication_error",
        429 => "rate_limit_error",
        500.. => "server_error",
        _ => "invalid_request_error",
    };
    json!({"error": {"message": message, "type": kind, "param": null, "code": null}})
}

pub(crate) fn whole(draft: &Draft, dialect: Dialect) -> Value {
    let choice = |index: u64| {
        let mut choice = json!({"index": index, "logprobs": null, "finish_reason": draft.finish_reason});
        if dialect == Dialect::Completions {
            choice["text"] = json!(draft.text());
        } else {
            choice["message"] = message(draft);
        }
        choice
    };
    let mut body = envelope(draft, dialect, false, (0..draft.choices).map(choice).collect());
    if let Some(usage) = draft.usage(usage) {
        body["usage"] = usage;
    }
    body
}

pub(crate) fn usage(counts: &Counts) -> Value {
    json!({
        "prompt_tokens": counts.input,
        "completion_tokens": counts.output,
        "total_tokens": counts.input + counts.output,
    })
}

fn message(draft: &Draft) -> Value {
    let mut message = json!({"role": "assistant", "content": draft.text()});
    if let Some(thinking) = &draft.thinking {
        message["reasoning_content"] = json!(thinking);
    }
    if !draft.tools.is_empty() {
        if draft.chunks.is_empty() {
            message["content"] = Value::Null;
        }
        let calls = draft.tools.iter().enumerate();
        message["tool_calls"] =
            calls.map(|(index, tool)| tool_call(draft, index, tool, &tool.arguments_text())).collect();
    }
    message
}

/// One frame a chunk and choice. Choices take turns, as they do upstream: a reader that mixes them up shows.
pub(crate) fn streamed(draft: &Draft, dialect: Dialect) -> Output {
    let mut content = Vec::new();
    for piece in pieces(draft) {
        match piece {
            Piece::Raw(bytes) => content.push(bytes),
            Piece::Delta(mut delta) => {
                if content.is_empty() && dialect == Dialect::Chat {
                    delta["role"] = json!("assistant");
                }
                let choice = |index| choice(dialect, index, &delta, None);
                content
                    .extend((0..draft.choices).map(|index| chunk(draft, dialect, vec![choice(index)], None)));
            }
        }
    }
    Output::stream(content, tail(draft, dialect))
}

fn tail(draft: &Draft, dialect: Dialect) -> Vec<Bytes> {
    let end = |index| choice(dialect, index, &json!({}), Some(&draft.finish_reason));
    let mut tail: Vec<Bytes> =
        (0..draft.choices).map(|index| chunk(draft, dialect, vec![end(index)], None)).collect();
    if let Some(usage) = draft.usage(usage).filter(|_| draft.includes_usage) {
        tail.push(chunk(draft, dialect, Vec::new(), Some(&usage)));
    }
    if draft.done {
        tail.push(Bytes::from_static(b"data: [DONE]\n\n"));
    }
    tail
}

enum Piece {
    Delta(Value),
    Raw(Bytes),
}

fn pieces(draft: &Draft) -> Vec<Piece> {
    let thinking = draft.thinking.iter().map(|text| Piece::Delta(json!({"reasoning_content": text})));
    let chunks = draft.chunks.iter().map(|chunk| match chunk {
        Chunk::Text(text) => Piece::Delta(json!({"content": text})),
        Chunk::Raw { raw } => Piece::Raw(raw.0.clone()),
    });
    let tools = draft.tools.iter().enumerate().flat_map(|(index, tool)| tool_deltas(draft, index, tool));
    thinking.chain(chunks).chain(tools).collect()
}

/// The name first, then the arguments in two fragments: a reader that expects them whole shows.
fn tool_deltas(draft: &Draft, index: usize, tool: &ToolCall) -> Vec<Piece> {
    let arguments = tool.arguments_text();
    let (first, second) = halves(&arguments);
    let mut named = tool_call(draft, index, tool, "");
    named["index"] = json!(index);
    let fragment = |part: &str| json!({"tool_calls": [{"index": index, "function": {"arguments": part}}]});
    let deltas = [json!({"tool_calls": [named]}), fragment(first), fragment(second)];
    deltas.into_iter().map(Piece::Delta).collect()
}

fn tool_call(draft: &Draft, index: usize, tool: &ToolCall, arguments: &str) -> Value {
    json!({"id": draft.tool_id("call", index, tool), "type": "function", "function": {"name": tool.name, "arguments": arguments}})
}

fn choice(dialect: Dialect, index: u64, delta: &Value, finish_reason: Option<&str>) -> Value {
    let mut choice = json!({"index": index, "logprobs": null, "finish_reason": finish_reason});
    if dialect == Dialect::Completions {
        choice["text"] = delta.get("content").cloned().unwrap_or_else(|| json!(""));
    } else {
        choice["delta"] = delta.clone();
    }
    choice
}

fn chunk(draft: &Draft, dialect: Dialect, choices: Vec<Value>, usage: Option<&Value>) -> Bytes {
    let mut body = envelope(draft, dialect, true, choices);
    if draft.includes_usage {
        body["usage"] = usage.cloned().unwrap_or_default();
    }
    format!("data: {body}\n\n").into()
}

fn envelope(draft: &Draft, dialect: Dialect, streams: bool, choices: Vec<Value>) -> Value {
    let (prefix, object) = match (dialect, streams) {
        (Dialect::Completions, _) => ("cmpl", "text_completion"),
        (_, true) => ("chatcmpl", "chat.completion.chunk"),
        (_, false) => ("chatcmpl", "chat.completion"),
    };
    json!({"id": draft.id(prefix), "object": object, "created": CREATED, "model": draft.model, "choices": choices})
}
