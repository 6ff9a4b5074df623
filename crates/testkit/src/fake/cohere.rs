//! Cohere's chat, version 2: replies whole and streamed, and what a request may hold.

use serde_json::{Value, json};

use super::draft::{Draft, halves};
use super::play::{Frames, Output};
use super::prompt::Prompt;
use super::rules::{Checked, Flaw, Kind, Rejection, Shape, at, ensure, from, has, items, list, shaped};
use super::script::{Chunk, ToolCall};

const REQUEST: &Shape = &[
    ("model", Kind::Text),
    ("messages", Kind::List),
    ("stream", Kind::Flag),
    ("tools", Kind::List),
    ("strict_tools", Kind::Flag),
    ("documents", Kind::List),
    ("citation_options", Kind::Object),
    ("response_format", Kind::Object),
    ("safety_mode", Kind::OneOf(&["CONTEXTUAL", "STRICT", "OFF", "NONE"])),
    ("max_tokens", from(1)),
    ("stop_sequences", Kind::Texts),
    ("temperature", Kind::Number(0.0, 1.0)),
    ("seed", from(0)),
    ("frequency_penalty", Kind::Number(0.0, 1.0)),
    ("presence_penalty", Kind::Number(0.0, 1.0)),
    ("k", Kind::Integer(0, 500)),
    ("p", Kind::Number(0.01, 0.99)),
    ("logprobs", Kind::Flag),
    ("tool_choice", Kind::OneOf(&["REQUIRED", "NONE"])),
    ("thinking", Kind::Object),
    ("priority", Kind::Integer(0, 999)),
    ("raw_prompting", Kind::Flag),
];
const MESSAGE: &Shape = &[
    ("role", Kind::OneOf(&["user", "assistant", "system", "tool"])),
    ("content", Kind::TextOrList),
    ("tool_calls", Kind::List),
    ("tool_plan", Kind::Text),
    ("tool_call_id", Kind::Text),
    ("citations", Kind::List),
];

pub(crate) fn check(prompt: &Prompt) -> Checked {
    let body = &prompt.body;
    shaped(body, "", REQUEST, &["model", "messages"])?;
    ensure(
        !list(&body["messages"]).is_empty(),
        "messages",
        "invalid request: list of messages must not be empty",
    )?;
    ensure(
        list(&body["stop_sequences"]).len() <= 5,
        "stop_sequences",
        "invalid request: stop_sequences must have at most 5 items",
    )?;
    for (path, tool) in items(&body["tools"], "tools") {
        shaped(
            tool,
            &path,
            &[("type", Kind::OneOf(&["function"])), ("function", Kind::Object)],
            &["type", "function"],
        )?;
        let shape = [("name", Kind::Text), ("description", Kind::Text), ("parameters", Kind::Object)];
        shaped(&tool["function"], &at(&path, "function"), &shape, &["name", "parameters"])?;
    }
    let tools = !list(&body["tools"]).is_empty();
    ensure(
        tools || !has(body, "tool_choice"),
        "tool_choice",
        "invalid request: tool_choice can only be specified if tools are specified",
    )?;
    if has(body, "response_format") {
        let shape = [
            ("type", Kind::OneOf(&["text", "json_object"])),
            ("json_schema", Kind::Object),
            ("schema", Kind::Object),
        ];
        shaped(&body["response_format"], "response_format", &shape, &["type"])?;
        let json = body["response_format"]["type"] == "json_object";
        let alone = !tools && list(&body["documents"]).is_empty();
        ensure(
            !json || alone,
            "response_format",
            "invalid request: response_format of type json_object cannot be used with tools or documents",
        )?;
    }
    if has(body, "thinking") {
        let shape = [("type", Kind::OneOf(&["enabled", "disabled"])), ("token_budget", from(1))];
        shaped(&body["thinking"], "thinking", &shape, &["type"])?;
    }
    turns(body)
}

fn turns(body: &Value) -> Checked {
    let mut calls: Vec<&str> = Vec::new();
    for (path, message) in items(&body["messages"], "messages") {
        shaped(message, &path, MESSAGE, &["role"])?;
        let role = message["role"].as_str().unwrap_or_default();
        ensure(
            has(message, "content") || role == "assistant" && has(message, "tool_calls"),
            &path,
            format!("invalid request: message at {path} must have content or tool calls"),
        )?;
        let known: &'static [&'static str] = match role {
            "user" => &["text", "image_url"],
            "assistant" => &["text", "thinking"],
            "tool" => &["text", "document"],
            _ => &["text"],
        };
        for (path, part) in items(&message["content"], &at(&path, "content")) {
            let kind = part["type"].as_str().unwrap_or_default();
            if !known.contains(&kind) {
                return Err(Rejection::new(at(&path, "type"), Flaw::NotOneOf(known)));
            }
        }
        if role == "tool" {
            let id = message["tool_call_id"]
                .as_str()
                .ok_or_else(|| Rejection::new(at(&path, "tool_call_id"), Flaw::Missing))?;
            ensure(calls.contains(&id), &path, format!("invalid request: no tool call found with id {id}"))?;
            calls.retain(|call| *call != id);
            continue;
        }
        ensure(
            calls.is_empty(),
            &path,
            format!("invalid request: tool call {} has no tool message", calls.join(", ")),
        )?;
        for (path, call) in items(&message["tool_calls"], &at(&path, "tool_calls")) {
            shaped(
                call,
                &path,
                &[("id", Kind::Text), ("type", Kind::Text), ("function", Kind::Object)],
                &["id", "function"],
            )?;
            let shape = [("name", Kind::Text), ("arguments", Kind::Text)];
            shaped(&call["function"], &at(&path, "function"), &shape, &["name", "arguments"])?;
            calls.extend(call["id"].as_str());
        }
    }
    ensure(
        calls.is_empty(),
        "messages",
        format!("invalid request: tool call {} has no tool message", calls.join(", ")),
    )
}

pub(crate) fn whole(draft: &Draft) -> Value {
    let mut message = json!({"role": "assistant"});
    let mut content = Vec::new();
    if let Some(thinking) = &draft.thinking {
        content.push(json!({"type": "thinking", "thinking": thinking}));
    }
    if draft.speaks() {
        content.push(json!({"type": "text", "text": draft.text()}));
    }
    if !content.is_empty() {
        message["content"] = json!(content);
    }
    if !draft.tools.is_empty() {
        message["tool_calls"] = draft
            .tools
            .iter()
            .enumerate()
            .map(|(index, tool)| call(draft, index, tool, &tool.arguments_text()))
            .collect();
    }
    let mut reply =
        json!({"id": draft.id("chat"), "finish_reason": finish_reason(draft), "message": message});
    if let Some(usage) = usage(draft) {
        reply["usage"] = usage;
    }
    reply
}

fn call(draft: &Draft, index: usize, tool: &ToolCall, arguments: &str) -> Value {
    let id = draft.tool_id(&tool.name, index, tool);
    json!({"id": id, "type": "function", "function": {"name": tool.name, "arguments": arguments}})
}

fn usage(draft: &Draft) -> Option<Value> {
    draft.usage(|counts| {
        json!({
            "billed_units": {"input_tokens": counts.input, "output_tokens": counts.output},
            "tokens": {"input_tokens": counts.input, "output_tokens": counts.output},
        })
    })
}

fn finish_reason(draft: &Draft) -> &str {
    draft.finish_as(&[
        ("stop", "COMPLETE"),
        ("length", "MAX_TOKENS"),
        ("tool_calls", "TOOL_CALL"),
        ("content_filter", "ERROR_TOXIC"),
    ])
}

pub(crate) fn streamed(draft: &Draft) -> Output {
    let mut frames = Frames::default();
    let start = json!({"message": {"role": "assistant", "content": [], "tool_plan": "", "tool_calls": [], "citations": []}});
    frames.frame(frame(&json!({"type": "message-start", "id": draft.id("chat"), "delta": start})));
    let mut block = 0;
    let content = |kind: &str, block: usize, content: Value| {
        frame(&json!({"type": kind, "index": block, "delta": {"message": {"content": content}}}))
    };
    if let Some(thinking) = &draft.thinking {
        frames.frame(content("content-start", block, json!({"type": "thinking", "thinking": ""})));
        frames.chunk(content("content-delta", block, json!({"thinking": thinking})));
        frames.frame(frame(&json!({"type": "content-end", "index": block})));
        block += 1;
    }
    if draft.speaks() {
        frames.frame(content("content-start", block, json!({"type": "text", "text": ""})));
        for chunk in &draft.chunks {
            match chunk {
                Chunk::Text(text) => frames.chunk(content("content-delta", block, json!({"text": text}))),
                Chunk::Raw { raw } => frames.chunk(raw.0.clone()),
            }
        }
        frames.frame(frame(&json!({"type": "content-end", "index": block})));
    }
    for (index, tool) in draft.tools.iter().enumerate() {
        let event = |kind: &str, calls: Value| {
            frame(&json!({"type": kind, "index": index, "delta": {"message": {"tool_calls": calls}}}))
        };
        frames.frame(event("tool-call-start", call(draft, index, tool, "")));
        let arguments = tool.arguments_text();
        let (first, second) = halves(&arguments);
        for part in [first, second] {
            frames.chunk(event("tool-call-delta", json!({"function": {"arguments": part}})));
        }
        frames.frame(frame(&json!({"type": "tool-call-end", "index": index})));
    }
    if draft.done {
        let mut delta = json!({"finish_reason": finish_reason(draft)});
        if let Some(usage) = usage(draft) {
            delta["usage"] = usage;
        }
        frames.frame(frame(&json!({"type": "message-end", "delta": delta})));
    }
    frames.end()
}

fn frame(event: &Value) -> String {
    format!("event: {}\ndata: {event}\n\n", event["type"].as_str().unwrap_or_default())
}
