//! Quirks below the top level: in messages, their parts, and tools. Each function takes JSON text and returns
//! the text to put in its place, or `None` when nothing in it is concerned.

use memchr::memmem;
use serde_json::value::RawValue;

use super::members::{Members, is};

/// Deeper schemas are left alone: nobody writes them, and each level is another scan.
const SCHEMA_DEPTH: usize = 32;

/// Each message whose content is a list of nothing but text gets that text as one string.
pub(super) fn flatten_text(messages: &str) -> Option<String> {
    elements(messages, |message| {
        let mut members = Members::of(message)?;
        let flat = flat(members.get("content")?)?;
        members.set("content", flat);
        members.edited()
    })
}

/// Removes `keys` from every message whose role is not in `except`.
pub(super) fn strip_messages(messages: &str, keys: &[&str], except: &[&str]) -> Option<String> {
    if !mentions(messages, keys) {
        return None;
    }
    elements(messages, |message| {
        let mut members = Members::of(message)?;
        if except.iter().any(|role| members.says("role", role)) {
            return None;
        }
        members.retain(|key, _| !keys.iter().any(|name| is(key, name)));
        members.edited()
    })
}

/// Removes `keys` from every part of every message.
pub(super) fn strip_parts(messages: &str, keys: &[&str]) -> Option<String> {
    if !mentions(messages, keys) {
        return None;
    }
    elements(messages, |message| {
        let mut members = Members::of(message)?;
        members.rewrite(|key, value| {
            if !is(key, "content") {
                return None;
            }
            elements(value, |part| {
                let mut members = Members::of(part)?;
                members.retain(|key, _| !keys.iter().any(|name| is(key, name)));
                members.edited()
            })
        });
        members.edited()
    })
}

/// Removes what is null from the assistant's messages, except `content`.
pub(super) fn strip_nulls(messages: &str) -> Option<String> {
    if !mentions(messages, &["assistant"]) {
        return None;
    }
    elements(messages, |message| {
        let mut members = Members::of(message)?;
        if !members.says("role", "assistant") {
            return None;
        }
        members.retain(|key, value| value != "null" || is(key, "content"));
        members.edited()
    })
}

/// Gives every message of the assistant that calls tools the reasoning before them, blank where it is not known.
pub(super) fn reason_before_calls(messages: &str) -> Option<String> {
    if !mentions(messages, &["tool_calls"]) {
        return None;
    }
    elements(messages, |message| {
        let mut members = Members::of(message)?;
        let calls = members.given("tool_calls").is_some_and(|calls| calls != "[]");
        let known = members.given("reasoning_content").is_some_and(|reasoning| reasoning != "\"\"");
        if !calls || known || !members.says("role", "assistant") {
            return None;
        }
        // What servers other than these call it.
        let reasoning = members.given("reasoning").filter(|text| text.starts_with('"') && text.len() > 2);
        let reasoning = reasoning.unwrap_or("\" \"").to_owned();
        members.set("reasoning_content", reasoning);
        members.edited()
    })
}

/// The list with one more element, first or last.
pub(super) fn with_element(json: &str, element: &str, first: bool) -> Option<String> {
    let inner = json.strip_prefix('[')?.strip_suffix(']')?.trim();
    Some(match (inner.is_empty(), first) {
        (true, _) => format!("[{element}]"),
        (false, true) => format!("[{element},{inner}]"),
        (false, false) => format!("[{inner},{element}]"),
    })
}

/// Removes `keys` from every tool, its function and the schema of its parameters. `additionalProperties`
/// goes only where it is false: a schema in its place means something. A parameter that happens to be called
/// like one of the keys stays.
pub(crate) fn strip_tools(tools: &str, keys: &[&str]) -> Option<String> {
    if !mentions(tools, keys) {
        return None;
    }
    elements(tools, |tool| {
        let mut members = Members::of(tool)?;
        strip(&mut members, keys);
        members.rewrite(|key, function| {
            if !is(key, "function") {
                return None;
            }
            let mut members = Members::of(function)?;
            strip(&mut members, keys);
            members.rewrite(|key, value| {
                is(key, "parameters").then(|| strip_schema(value, keys, SCHEMA_DEPTH)).flatten()
            });
            members.edited()
        });
        members.edited()
    })
}

fn strip(members: &mut Members<'_>, keys: &[&str]) {
    members.retain(|key, value| {
        !keys.iter().any(|name| is(key, name) && (*name != "additionalProperties" || value == "false"))
    });
}

fn strip_schema(schema: &str, keys: &[&str], depth: usize) -> Option<String> {
    if depth == 0 || !mentions(schema, keys) {
        return None;
    }
    if schema.starts_with('[') {
        return elements(schema, |schema| strip_schema(schema, keys, depth - 1));
    }
    let mut members = Members::of(schema)?;
    strip(&mut members, keys);
    members.rewrite(|key, value| {
        let any = |names: &[&str]| names.iter().any(|name| is(key, name));
        if any(&["properties", "patternProperties", "$defs", "definitions", "dependentSchemas"]) {
            let mut named = Members::of(value)?;
            named.rewrite(|_, schema| strip_schema(schema, keys, depth - 1));
            return named.edited();
        }
        // These hold values, not schemas.
        if any(&["enum", "const", "default", "examples", "required"]) {
            return None;
        }
        strip_schema(value, keys, depth - 1)
    });
    members.edited()
}

/// Whether `json` can hold one of `keys`: spares the parsing of what is not concerned. A key written with
/// escapes is overlooked, and then the upstream judges it.
fn mentions(json: &str, keys: &[&str]) -> bool {
    keys.iter().any(|key| memmem::find(json.as_bytes(), key.as_bytes()).is_some())
}

/// A list of text parts as one JSON string.
fn flat(content: &str) -> Option<String> {
    let mut whole = String::new();
    let mut any = false;
    for part in list(content)? {
        let members = Members::of(part.get())?;
        if !members.says("type", "text") {
            return None;
        }
        whole.push_str(&serde_json::from_str::<String>(members.get("text")?).ok()?);
        any = true;
    }
    if any { serde_json::to_string(&whole).ok() } else { None }
}

/// The list with the elements replaced for which `edit` has another text.
fn elements(json: &str, edit: impl Fn(&str) -> Option<String>) -> Option<String> {
    elements_at(json, |_, element| edit(element))
}

/// The same for edits that depend on where in the list an element stands.
pub(super) fn elements_at(json: &str, edit: impl Fn(usize, &str) -> Option<String>) -> Option<String> {
    let list = list(json)?;
    let edits: Vec<Option<String>> =
        list.iter().enumerate().map(|(at, element)| edit(at, element.get())).collect();
    if edits.iter().all(Option::is_none) {
        return None;
    }
    let mut text = String::with_capacity(json.len());
    for (element, edit) in list.iter().zip(&edits) {
        text.push(if text.is_empty() { '[' } else { ',' });
        text.push_str(edit.as_deref().unwrap_or(element.get()));
    }
    text.push(']');
    Some(text)
}

/// The elements of a list; `None` if it is none.
pub(super) fn list(json: &str) -> Option<Vec<&RawValue>> {
    if !json.starts_with('[') {
        return None;
    }
    serde_json::from_str(json).ok()
}
