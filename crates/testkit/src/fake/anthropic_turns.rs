//! What Anthropic refuses in a conversation: roles, blocks, and tool calls without results.

use serde_json::Value;

use super::anthropic::Host;
use super::anthropic_rules::is_base64;
use super::draft::signature_fits;
use super::rules::{
    Checked, Flaw, Kind, Rejection, Shape, at, ensure, is_plain_name, items, list, refuse, shaped,
};

const TEXT: &Shape =
    &[("type", Kind::Text), ("text", Kind::Text), ("cache_control", Kind::Object), ("citations", Kind::Any)];
const IMAGE: &Shape = &[("type", Kind::Text), ("source", Kind::Object), ("cache_control", Kind::Object)];
const DOCUMENT: &Shape = &[
    ("type", Kind::Text),
    ("source", Kind::Object),
    ("cache_control", Kind::Object),
    ("title", Kind::Text),
    ("context", Kind::Text),
    ("citations", Kind::Object),
];
const TOOL_USE: &Shape = &[
    ("type", Kind::Text),
    ("id", Kind::Text),
    ("name", Kind::Text),
    ("input", Kind::Object),
    ("cache_control", Kind::Object),
    ("caller", Kind::Object),
];
const TOOL_RESULT: &Shape = &[
    ("type", Kind::Text),
    ("tool_use_id", Kind::Text),
    ("content", Kind::TextOrList),
    ("is_error", Kind::Flag),
    ("cache_control", Kind::Object),
];
const THINKING: &Shape = &[("type", Kind::Text), ("thinking", Kind::Text), ("signature", Kind::Text)];
/// Blocks of the vendor's own tools, which come back as they were sent.
const HOSTED: &[&str] = &[
    "redacted_thinking",
    "search_result",
    "container_upload",
    "server_tool_use",
    "web_search_tool_result",
    "web_fetch_tool_result",
    "code_execution_tool_result",
    "bash_code_execution_tool_result",
    "text_editor_code_execution_tool_result",
    "tool_search_tool_result",
    "tool_reference",
    "mcp_tool_use",
    "mcp_tool_result",
    "compaction",
];

pub(crate) fn check(model: &str, body: &Value, host: Host) -> Checked {
    let messages = list(&body["messages"]);
    ensure(!messages.is_empty(), "messages", "at least one message is required")?;
    ensure(messages[0]["role"] != "assistant", "messages", "first message must use the \"user\" role")?;
    for (path, message) in items(&body["messages"], "messages") {
        shaped(message, &path, &[("role", Kind::Text), ("content", Kind::TextOrList)], &["role", "content"])?;
        role(&path, message, model)?;
        if message["content"].as_str() == Some("") || message["content"].as_array().is_some_and(Vec::is_empty)
        {
            let last_of_assistant =
                message["role"] == "assistant" && path == at("messages", messages.len() - 1);
            ensure(
                last_of_assistant,
                path,
                "all messages must have non-empty content except for the optional final assistant message",
            )?;
            continue;
        }
        for (path, block) in items(&message["content"], &at(&path, "content")) {
            check_block(block, &path, message["role"] == "assistant", host)?;
        }
    }
    ending(body, messages)?;
    pairs(messages)
}

fn role(path: &str, message: &Value, model: &str) -> Checked {
    // Newer models take an operator's note in the middle; these do not.
    let older = ["claude-3", "-4-0", "-4-1", "-4-5", "-4-2025"].iter().any(|name| model.contains(name));
    match message["role"].as_str() {
        Some("user" | "assistant") => Ok(()),
        Some("system") if !older && path != "messages.0" => Ok(()),
        Some("system") => refuse(
            "messages",
            "Unexpected role \"system\". The Messages API accepts a top-level `system` parameter, not \"system\" as an input message role.",
        ),
        Some(other) => refuse(
            "messages",
            format!("Unexpected role \"{other}\". Allowed roles are \"user\" or \"assistant\"."),
        ),
        None => Err(Rejection::new(at(path, "role"), Flaw::Missing)),
    }
}

pub(crate) fn text(block: &Value, path: &str) -> Checked {
    shaped(block, &at(path, "text"), TEXT, &["text"])?;
    ensure(block["text"] != "", "messages", "text content blocks must be non-empty")?;
    let blank = block["text"].as_str().is_some_and(|text| text.trim().is_empty());
    ensure(!blank, "messages", "text content blocks must contain non-whitespace text")?;
    let mark = &block["cache_control"];
    if mark.is_null() {
        return Ok(());
    }
    let shape = [("type", Kind::OneOf(&["ephemeral"])), ("ttl", Kind::OneOf(&["5m", "1h"]))];
    shaped(mark, &at(path, "text.cache_control"), &shape, &["type"])
}

fn check_block(block: &Value, path: &str, of_assistant: bool, host: Host) -> Checked {
    let kind = block["type"].as_str().ok_or_else(|| Rejection::new(at(path, "type"), Flaw::Missing))?;
    let inner = at(path, kind);
    match kind {
        "text" => text(block, path),
        "image" => {
            shaped(block, &inner, IMAGE, &["source"])?;
            source(
                &block["source"],
                &at(&inner, "source"),
                host,
                &["image/jpeg", "image/png", "image/gif", "image/webp"],
            )
        }
        "document" => {
            shaped(block, &inner, DOCUMENT, &["source"])?;
            source(&block["source"], &at(&inner, "source"), host, &["application/pdf", "text/plain"])
        }
        "tool_use" => {
            ensure(of_assistant, path, "`tool_use` blocks can only be in `assistant` messages")?;
            shaped(block, &inner, TOOL_USE, &["id", "name", "input"])?;
            let (id, name) =
                (block["id"].as_str().unwrap_or_default(), block["name"].as_str().unwrap_or_default());
            ensure(
                is_plain_name(id, usize::MAX),
                at(&inner, "id"),
                "String should match pattern '^[a-zA-Z0-9_-]+$'",
            )?;
            ensure(
                is_plain_name(name, 200),
                at(&inner, "name"),
                "String should match pattern '^[a-zA-Z0-9_-]{1,200}$'",
            )
        }
        "tool_result" => {
            ensure(!of_assistant, path, "`tool_result` blocks can only be in `user` messages")?;
            shaped(block, &inner, TOOL_RESULT, &["tool_use_id"])?;
            let mut parts = items(&block["content"], &at(&inner, "content"));
            parts.try_for_each(|(path, part)| check_block(part, &path, false, host))
        }
        "thinking" => {
            ensure(of_assistant, path, "`thinking` blocks can only be in `assistant` messages")?;
            shaped(block, &inner, THINKING, &["thinking", "signature"])?;
            let [thinking, signature] =
                ["thinking", "signature"].map(|name| block[name].as_str().unwrap_or_default());
            ensure(signature_fits(signature, thinking), path, "Invalid `signature` in `thinking` block")
        }
        known if HOSTED.contains(&known) => Ok(()),
        other => refuse(
            path,
            format!("Input tag '{other}' found using 'type' does not match any of the expected tags"),
        ),
    }
}

fn source(source: &Value, path: &str, host: Host, media_types: &'static [&'static str]) -> Checked {
    let kind = ("type", Kind::Text);
    match source["type"].as_str() {
        Some("base64") => {
            shaped(
                source,
                path,
                &[kind, ("media_type", Kind::OneOf(media_types)), ("data", Kind::Text)],
                &["media_type", "data"],
            )?;
            ensure(is_base64(&source["data"]), at(path, "base64.data"), "Invalid base64 data")
        }
        Some("text" | "content") => Ok(()),
        Some("url") if host == Host::Direct => {
            shaped(source, path, &[kind, ("url", Kind::Text)], &["url"])?;
            let secure = source["url"].as_str().is_some_and(|url| url.starts_with("https://"));
            ensure(secure, at(path, "url.url"), "Only HTTPS URLs are supported.")
        }
        Some("file") if host == Host::Direct => {
            shaped(source, path, &[kind, ("file_id", Kind::Text)], &["file_id"])
        }
        Some("url" | "file") => refuse(at(path, "type"), "URL sources are not supported; use base64"),
        _ => refuse(
            at(path, "type"),
            "Input tag does not match any of the expected tags: 'base64', 'url', 'file'",
        ),
    }
}

/// A prefill must not end in blanks, and under thinking a turn that is going on must begin with it.
fn ending(body: &Value, messages: &[Value]) -> Checked {
    if let Some(last) = messages.last().filter(|last| last["role"] == "assistant") {
        let text = last["content"].as_str().or_else(|| list(&last["content"]).last()?["text"].as_str());
        let trailing = text.is_some_and(|text| text.trim_end() != text);
        ensure(!trailing, "messages", "final assistant content cannot end with trailing whitespace")?;
    }
    if body["thinking"]["type"] != "enabled" {
        return Ok(());
    }
    let Some(at_turn) = messages.iter().rposition(|message| message["role"] == "assistant") else {
        return Ok(());
    };
    let blocks = list(&messages[at_turn]["content"]);
    let calls = blocks.iter().any(|block| block["type"] == "tool_use");
    let kind = blocks.first().and_then(|block| block["type"].as_str()).unwrap_or("text");
    let holds = !calls || matches!(kind, "thinking" | "redacted_thinking");
    ensure(
        holds,
        format!("messages.{at_turn}.content.0.type"),
        format!(
            "Expected `thinking` or `redacted_thinking`, but found `{kind}`. When `thinking` is enabled, a final `assistant` message must start with a thinking block."
        ),
    )
}

/// Neighbours of one side are one turn to the API.
fn pairs(messages: &[Value]) -> Checked {
    let mut turns: Vec<(usize, &str, Vec<&Value>)> = Vec::new();
    for (index, message) in messages.iter().enumerate() {
        let role = message["role"].as_str().unwrap_or_default();
        let blocks = list(&message["content"]).iter();
        match turns.last_mut() {
            Some((_, last, content)) if *last == role => content.extend(blocks),
            _ => turns.push((index, role, blocks.collect())),
        }
    }
    let ids = |blocks: &[&Value], kind: &str, name: &str| -> Vec<String> {
        let of_kind = blocks.iter().filter(|block| block["type"] == kind);
        of_kind.filter_map(|block| block[name].as_str()).map(str::to_owned).collect()
    };
    let mut calls: Vec<String> = Vec::new();
    let mut seen: Vec<String> = Vec::new();
    for (index, (message, role, blocks)) in turns.iter().enumerate() {
        let results = ids(blocks, "tool_result", "tool_use_id");
        if let Some(stray) = results.iter().find(|id| !calls.contains(id)) {
            return refuse(
                format!("messages.{message}.content"),
                format!(
                    "unexpected `tool_use_id` found in `tool_result` blocks: {stray}. Each `tool_result` block must have a corresponding `tool_use` block in the previous message."
                ),
            );
        }
        let first = blocks.iter().take_while(|block| block["type"] == "tool_result").count();
        let open: Vec<&String> =
            calls.iter().filter(|id| !results[..first.min(results.len())].contains(id)).collect();
        if !open.is_empty() {
            let open: Vec<&str> = open.into_iter().map(String::as_str).collect();
            return refuse(
                format!("messages.{}", message - 1),
                format!(
                    "`tool_use` ids were found without `tool_result` blocks immediately after: {}. Each `tool_use` block must have a corresponding `tool_result` block in the next message.",
                    open.join(", ")
                ),
            );
        }
        let mut single = results.clone();
        single.dedup();
        ensure(
            single.len() == results.len(),
            format!("messages.{message}.content"),
            "each tool_use must have a single result.",
        )?;
        calls = ids(blocks, "tool_use", "id");
        ensure(!calls.iter().any(|id| seen.contains(id)), "messages", "`tool_use` ids must be unique")?;
        seen.extend(calls.iter().cloned());
        let unanswered = index + 1 == turns.len() && !calls.is_empty() && *role == "assistant";
        ensure(
            !unanswered,
            format!("messages.{message}"),
            format!(
                "`tool_use` ids were found without `tool_result` blocks immediately after: {}. Each `tool_use` block must have a corresponding `tool_result` block in the next message.",
                calls.join(", ")
            ),
        )?;
    }
    Ok(())
}
