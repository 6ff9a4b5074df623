//! A JSON Schema made fit for `toolSpec.inputSchema`: the root is an object, and definitions stand where they are
//! used, for some models behind Converse follow no reference.

use serde_json::{Map, Value};

use crate::fault::TranslateError;
use crate::openai_chat::malformed;
use crate::raw::Raw;

#[cfg(test)]
#[path = "inline_tests.rs"]
mod tests;

/// A schema that grows past this many values by inlining is left as it was.
const MOST_VALUES: usize = 20_000;
/// References within references, at most: each takes a little stack.
const DEEPEST: usize = 64;

/// `schema`, made fit. One without references and with a type stays as it was written, letter by letter.
pub(super) fn cleaned(schema: &str, path: &str) -> Result<Raw, TranslateError> {
    let raw = Raw::parse(schema.to_owned()).map_err(|error| malformed(path, &error.to_string()))?;
    let mut value: Value =
        serde_json::from_str(schema).map_err(|error| malformed(path, &error.to_string()))?;
    let Value::Object(members) = &mut value else { return Err(malformed(path, "must be an object")) };
    let typed = members.get("type").is_some_and(|kind| kind == "object");
    let refers = schema.contains("\"$ref\"");
    if typed && !refers {
        return Ok(raw);
    }
    if !typed {
        let mut with_type = Map::new();
        with_type.insert("type".to_owned(), Value::from("object"));
        if members.is_empty() {
            with_type.insert("properties".to_owned(), Value::Object(Map::new()));
        }
        members.shift_remove("type");
        with_type.append(members);
        *members = with_type;
    }
    if refers && let Some(inlined) = inlined(&value) {
        value = inlined;
    }
    Raw::of(&value).map_err(|error| malformed(path, &error.to_string()))
}

/// `root` without references, or `None` when it refers to itself, to somewhere else, or would grow too large.
fn inlined(root: &Value) -> Option<Value> {
    let mut inliner = Inliner { root, within: Vec::new(), values: 0 };
    let mut whole = inliner.copy(root)?;
    if let Value::Object(members) = &mut whole {
        members.shift_remove("$defs");
        members.shift_remove("definitions");
    }
    Some(whole)
}

struct Inliner<'a> {
    root: &'a Value,
    /// The references being followed.
    within: Vec<&'a str>,
    values: usize,
}

impl<'a> Inliner<'a> {
    fn copy(&mut self, value: &'a Value) -> Option<Value> {
        self.values += 1;
        if self.values > MOST_VALUES {
            return None;
        }
        match value {
            Value::Array(values) => {
                values.iter().map(|value| self.copy(value)).collect::<Option<_>>().map(Value::Array)
            }
            Value::Object(members) => match members.get("$ref").and_then(Value::as_str) {
                Some(target) => self.follow(target, members),
                None => self.members(members).map(Value::Object),
            },
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Some(value.clone()),
        }
    }

    fn members(&mut self, members: &'a Map<String, Value>) -> Option<Map<String, Value>> {
        let is_definition = |name: &str| matches!(name, "$defs" | "definitions");
        let mut copy = Map::new();
        for (name, value) in members {
            // Definitions are copied where they are used; those that nobody uses need no copy.
            let value = if is_definition(name) { value.clone() } else { self.copy(value)? };
            copy.insert(name.clone(), value);
        }
        Some(copy)
    }

    /// The definition at `target`, with what stands beside the reference.
    fn follow(&mut self, target: &'a str, beside: &'a Map<String, Value>) -> Option<Value> {
        if self.within.contains(&target) || self.within.len() >= DEEPEST {
            return None;
        }
        let definition = self.root.pointer(target.strip_prefix('#')?)?;
        self.within.push(target);
        let mut copy = self.copy(definition)?;
        self.within.pop();
        if let Value::Object(copy) = &mut copy {
            for (name, value) in beside.iter().filter(|(name, _)| *name != "$ref") {
                let value = self.copy(value)?;
                copy.insert(name.clone(), value);
            }
        }
        Some(copy)
    }
}
