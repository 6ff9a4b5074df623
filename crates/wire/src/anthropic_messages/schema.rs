//! A JSON Schema made fit for `output_config.format`: objects are closed, `oneOf` becomes `anyOf`, and what the API
//! does not enforce is told to the model in the description instead of being lost.

use serde_json::{Map, Value};

use crate::fault::TranslateError;
use crate::openai_chat::malformed;
use crate::raw::Raw;

#[cfg(test)]
#[path = "schema_tests.rs"]
mod tests;

/// Keywords that Anthropic's documentation of structured outputs lists as not supported.
const UNSUPPORTED: [&str; 15] = [
    "contains",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "maxContains",
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minContains",
    "minLength",
    "minProperties",
    "minimum",
    "multipleOf",
    "patternProperties",
    "uniqueItems",
];

/// Members that hold schemas by name.
const NAMED: [&str; 3] = ["properties", "$defs", "definitions"];

/// `schema`, made fit.
pub(crate) fn cleaned(schema: &Raw) -> Result<Raw, TranslateError> {
    let path = "response_format.json_schema.schema";
    // The parser bounds the depth, so the recursion below is bounded too.
    let mut value: Value =
        serde_json::from_str(schema.text()).map_err(|error| malformed(path, &error.to_string()))?;
    clean(&mut value);
    Raw::of(&value).map_err(|error| malformed(path, &error.to_string()))
}

fn clean(schema: &mut Value) {
    match schema {
        Value::Array(schemas) => schemas.iter_mut().for_each(clean),
        Value::Object(members) => clean_object(members),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn clean_object(members: &mut Map<String, Value>) {
    let dropped: Vec<String> = members
        .iter()
        .filter(|(name, value)| is_unsupported(name, value))
        .map(|(name, _)| name.clone())
        .collect();
    let mut said = Vec::new();
    for name in dropped {
        if let Some(value) = members.shift_remove(&name) {
            said.push(format!("{name}: {value}"));
        }
    }
    if !said.is_empty() {
        let description = members.get("description").and_then(Value::as_str).unwrap_or_default();
        let description = format!("{description} ({})", said.join(", ")).trim_start().to_owned();
        members.insert("description".to_owned(), Value::String(description));
    }
    if let Some(choices) = members.shift_remove("oneOf") {
        members.insert("anyOf".to_owned(), choices);
    }
    if members.get("type").is_some_and(is_object) || members.contains_key("properties") {
        members.insert("additionalProperties".to_owned(), Value::Bool(false));
    }
    for (name, value) in members.iter_mut() {
        match value {
            Value::Object(named) if NAMED.contains(&name.as_str()) => named.values_mut().for_each(clean),
            _ if matches!(name.as_str(), "items" | "prefixItems" | "anyOf" | "allOf" | "not") => clean(value),
            _ => {}
        }
    }
}

fn is_object(kind: &Value) -> bool {
    kind == "object" || kind.as_array().is_some_and(|kinds| kinds.iter().any(|kind| kind == "object"))
}

fn is_unsupported(name: &str, value: &Value) -> bool {
    match name {
        "minItems" => value.as_u64().is_none_or(|least| least > 1),
        // Look-arounds, back-references and word boundaries are what the documentation excludes.
        "pattern" => value
            .as_str()
            .is_none_or(|pattern| ["(?", "\\b", "\\B", "\\1"].iter().any(|part| pattern.contains(part))),
        _ => UNSUPPORTED.contains(&name),
    }
}
