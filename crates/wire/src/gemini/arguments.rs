//! The arguments of a call and the result of a tool as the objects that Google's API takes.

use serde::Serialize;
use serde_json::value::RawValue;

use crate::raw::Raw;

#[cfg(test)]
#[path = "arguments_tests.rs"]
mod tests;

#[derive(Serialize)]
struct Invalid<'a> {
    invalid_arguments: &'a str,
}

#[derive(Serialize)]
struct Content<'a> {
    content: &'a str,
}

#[derive(Serialize)]
struct Failure<'a> {
    error: &'a str,
}

/// The arguments as an object. Text that is no object (a call that was cut) is kept as its one member.
pub(super) fn of_call(arguments: &str) -> Option<Raw> {
    let arguments = arguments.trim();
    let text = if arguments.is_empty() { "{}" } else { arguments };
    object(text).or_else(|| Raw::of(&Invalid { invalid_arguments: arguments }).ok())
}

/// A result as an object: a JSON object is one, other text becomes the one member of one.
pub(super) fn of_result(text: &str, failed: bool) -> Option<Raw> {
    if failed {
        return Raw::of(&Failure { error: text }).ok();
    }
    object(text).or_else(|| Raw::of(&Content { content: text }).ok())
}

/// The text of a result, and whether the tool failed.
pub(super) fn result_text(raw: &Raw) -> (String, bool) {
    let members: Option<serde_json::Map<String, serde_json::Value>> = serde_json::from_str(raw.text()).ok();
    let only = members.filter(|members| members.len() == 1).and_then(|members| members.into_iter().next());
    match only {
        Some((name, serde_json::Value::String(text))) if name == "content" => (text, false),
        Some((name, serde_json::Value::String(text))) if name == "error" => (text, true),
        _ => (raw.text().to_owned(), false),
    }
}

/// The arguments that a model gave, without the white space that Google's servers lay out whole replies with:
/// every number keeps its digits and every member its place.
pub(super) fn text(args: &RawValue) -> String {
    let mut text = String::with_capacity(args.get().len());
    let (mut quoted, mut escaped) = (false, false);
    for letter in args.get().chars() {
        if quoted || !letter.is_ascii_whitespace() {
            text.push(letter);
        }
        quoted ^= letter == '"' && !escaped;
        escaped = quoted && letter == '\\' && !escaped;
    }
    if text == "null" { "{}".to_owned() } else { text }
}

fn object(text: &str) -> Option<Raw> {
    let text = text.trim();
    text.starts_with('{').then(|| Raw::parse(text.to_owned()).ok()).flatten()
}
