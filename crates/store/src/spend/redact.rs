//! Bodies of requests and replies as they may be kept: long texts are cut, files are measured instead of shown, and
//! secrets are left out.

use serde_json::{Map, Value};

/// A text that looks like encoded bytes and is at least so long is one.
const LONG_ENCODED: usize = 256;
/// Members whose values are secrets, whatever they are in.
const SECRET_NAMES: [&str; 10] = [
    "api_key",
    "apikey",
    "authorization",
    "password",
    "secret",
    "access_token",
    "client_secret",
    "aws_secret_access_key",
    "aws_session_token",
    "x-api-key",
];
/// How texts begin that are secrets themselves.
const SECRET_STARTS: [&str; 8] = ["sk-", "Bearer ", "AKIA", "AIza", "ghp_", "xoxb-", "gsk_", "eyJ"];
/// What secrets are replaced with.
const REDACTED: &str = "REDACTED";
/// Deeper values are not kept.
const MOST_DEPTH: usize = 64;

/// How bodies are shortened.
#[derive(Clone, Copy, Debug)]
pub struct Redaction {
    /// Characters of a text that are kept.
    pub longest_text: usize,
}

impl Default for Redaction {
    fn default() -> Self {
        Self { longest_text: 2_048 }
    }
}

impl Redaction {
    /// A body: JSON as JSON, a stream of events as a list of their data, anything else as a text.
    #[must_use]
    pub fn body(&self, bytes: &[u8]) -> Value {
        if bytes.is_empty() {
            return Value::Object(Map::new());
        }
        let mut value = serde_json::from_slice(bytes)
            .unwrap_or_else(|_| events(bytes).unwrap_or_else(|| String::from_utf8_lossy(bytes).into()));
        self.value(&mut value, MOST_DEPTH);
        value
    }

    fn value(&self, value: &mut Value, depth: usize) {
        if depth == 0 {
            *value = Value::from("too deep to be kept");
            return;
        }
        match value {
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
            Value::String(text) => *text = self.text(text),
            Value::Array(list) => list.iter_mut().for_each(|it| self.value(it, depth - 1)),
            Value::Object(members) => {
                for (name, member) in members.iter_mut() {
                    if member.is_string() && is_secret_name(name) {
                        *member = Value::from(REDACTED);
                    } else {
                        self.value(member, depth - 1);
                    }
                }
            }
        }
    }

    fn text(&self, text: &str) -> String {
        if let Some((head, encoded)) = text.split_once(";base64,")
            && head.starts_with("data:")
        {
            return format!("{head};base64,({} characters)", encoded.len());
        }
        if text.len() >= LONG_ENCODED && is_encoded(text) {
            return format!("({} characters of base64)", text.len());
        }
        let clean = without_secrets(text);
        let length = clean.chars().count();
        if length <= self.longest_text {
            return clean;
        }
        // The end of a conversation says more than its beginning.
        let head = self.longest_text * 35 / 100;
        let tail = self.longest_text - head;
        let skipped = length - self.longest_text;
        let first: String = clean.chars().take(head).collect();
        let last: String = clean.chars().skip(length - tail).collect();
        format!("{first}... (litellm_truncated skipped {skipped} chars) ...{last}")
    }
}

fn is_secret_name(name: &str) -> bool {
    SECRET_NAMES.iter().any(|secret| name.eq_ignore_ascii_case(secret))
}

fn is_encoded(text: &str) -> bool {
    text.bytes().all(|byte| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_' | b'=' | b'\r' | b'\n')
    })
}

/// Words that look like secrets are replaced, the rest is as it was.
fn without_secrets(text: &str) -> String {
    if !SECRET_STARTS.iter().any(|start| text.contains(start.trim_end())) {
        return text.to_owned();
    }
    let mut clean = String::with_capacity(text.len());
    let mut after_bearer = false;
    for piece in text.split_inclusive([' ', '\n', '\t', '"', '\'', ',', '=', ':', '(', ')']) {
        let word = piece.trim_end_matches([' ', '\n', '\t', '"', '\'', ',', '=', ':', '(', ')']);
        let looks = SECRET_STARTS.iter().any(|start| word.len() >= 16 && word.starts_with(start));
        if looks || (after_bearer && word.len() >= 16) {
            clean.push_str(REDACTED);
            clean.push_str(&piece[word.len()..]);
        } else {
            clean.push_str(piece);
        }
        after_bearer = word.eq_ignore_ascii_case("bearer");
    }
    clean
}

/// The data of a stream of events; `None` when it is none.
fn events(bytes: &[u8]) -> Option<Value> {
    let text = str::from_utf8(bytes).ok()?;
    let data = text.lines().filter_map(|line| line.strip_prefix("data:")).map(str::trim);
    let events: Vec<Value> =
        data.filter(|data| *data != "[DONE]").filter_map(|data| serde_json::from_str(data).ok()).collect();
    (!events.is_empty()).then_some(Value::Array(events))
}

#[cfg(test)]
#[path = "redact_tests.rs"]
mod tests;
