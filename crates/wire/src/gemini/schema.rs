//! JSON Schema made fit for Google's older `parameters` and `responseSchema`, which take a subset of OpenAPI's
//! schemas; and the other way, what Google's callers write there as JSON Schema.

use serde_json::{Map, Value};

use crate::fault::TranslateError;
use crate::openai_chat::malformed;
use crate::raw::Raw;

#[cfg(test)]
#[path = "schema_tests.rs"]
mod tests;

/// The keywords that Google's reference of `Schema` lists.
const KNOWN: [&str; 21] = [
    "type",
    "format",
    "title",
    "description",
    "nullable",
    "enum",
    "items",
    "properties",
    "required",
    "minItems",
    "maxItems",
    "minProperties",
    "maxProperties",
    "minimum",
    "maximum",
    "minLength",
    "maxLength",
    "pattern",
    "example",
    "anyOf",
    "propertyOrdering",
];

/// A schema that refers to itself again and again could grow without bound.
const MOST_NODES: usize = 10_000;

/// `schema`, made fit. References are inlined; one that leads back to itself ends in any object.
pub(super) fn cleaned(schema: &Raw, path: &str) -> Result<Raw, TranslateError> {
    let root: Value =
        serde_json::from_str(schema.text()).map_err(|error| malformed(path, &error.to_string()))?;
    let mut cleaner = Cleaner { root: &root, within: Vec::new(), nodes: 0 };
    let clean = cleaner.clean(&root).map_err(|problem| malformed(path, problem))?;
    Raw::of(&clean).map_err(|error| malformed(path, &error.to_string()))
}

struct Cleaner<'a> {
    root: &'a Value,
    /// The references that are being inlined.
    within: Vec<&'a str>,
    nodes: usize,
}

impl<'a> Cleaner<'a> {
    fn clean(&mut self, schema: &'a Value) -> Result<Value, &'static str> {
        self.nodes += 1;
        if self.nodes > MOST_NODES || self.within.len() > 64 {
            return Err("refers to itself too often");
        }
        let Value::Object(members) = schema else { return Ok(any_object()) };
        if let Some(Value::String(reference)) = members.get("$ref") {
            return self.resolve(reference, members);
        }
        let mut out = Map::new();
        for part in members.get("allOf").and_then(Value::as_array).into_iter().flatten() {
            if let Value::Object(part) = self.clean(part)? {
                merge(&mut out, part);
            }
        }
        for (name, value) in members {
            self.member(name, value, &mut out)?;
        }
        let choices = members.get("anyOf").or_else(|| members.get("oneOf")).and_then(Value::as_array);
        let nullable = types(members, &mut out);
        if let Some(choices) = choices {
            self.choices(choices, &mut out)?;
        }
        if nullable {
            out.insert("nullable".to_owned(), Value::Bool(true));
        }
        Ok(Value::Object(finished(out)))
    }

    fn resolve(
        &mut self,
        reference: &'a str,
        members: &'a Map<String, Value>,
    ) -> Result<Value, &'static str> {
        let root = self.root;
        let target = reference.strip_prefix('#').and_then(|pointer| root.pointer(pointer));
        let target = target.ok_or("has a $ref that leads nowhere")?;
        if self.within.contains(&reference) {
            return Ok(any_object());
        }
        self.within.push(reference);
        let mut schema = self.clean(target)?;
        self.within.pop();
        if let (Value::Object(schema), Some(description)) = (&mut schema, members.get("description")) {
            schema.insert("description".to_owned(), description.clone());
        }
        Ok(schema)
    }

    fn member(
        &mut self,
        name: &str,
        value: &'a Value,
        out: &mut Map<String, Value>,
    ) -> Result<(), &'static str> {
        let value = match (name, value) {
            ("type" | "anyOf", _) => return Ok(()),
            ("properties", Value::Object(named)) => {
                let mut properties = Map::new();
                for (name, schema) in named {
                    properties.insert(name.clone(), self.clean(schema)?);
                }
                let mut part = Map::new();
                part.insert(name.to_owned(), Value::Object(properties));
                merge(out, part);
                return Ok(());
            }
            ("items", _) => self.clean(value)?,
            ("const", _) => {
                out.insert("enum".to_owned(), Value::Array(vec![value.clone()]));
                return Ok(());
            }
            _ if KNOWN.contains(&name) => value.clone(),
            _ => return Ok(()),
        };
        out.insert(name.to_owned(), value);
        Ok(())
    }

    /// `anyOf` must stand alone: what describes the whole goes to the branches, and `null` becomes `nullable`.
    fn choices(&mut self, choices: &'a [Value], out: &mut Map<String, Value>) -> Result<(), &'static str> {
        let null = |choice: &Value| choice.get("type").is_some_and(|kind| kind == "null");
        let nullable = choices.iter().any(null);
        let mut branches = Vec::new();
        for choice in choices.iter().filter(|choice| !null(choice)) {
            if let Value::Object(mut branch) = self.clean(choice)? {
                for (name, value) in
                    out.iter().filter(|(name, _)| matches!(name.as_str(), "title" | "description"))
                {
                    branch.entry(name.clone()).or_insert_with(|| value.clone());
                }
                if nullable {
                    branch.insert("nullable".to_owned(), Value::Bool(true));
                }
                branches.push(branch);
            }
        }
        if branches.len() < 2 {
            merge(out, branches.pop().unwrap_or_default());
        } else {
            out.clear();
            out.insert("anyOf".to_owned(), branches.into_iter().map(Value::Object).collect());
        }
        Ok(())
    }
}

fn any_object() -> Value {
    let mut schema = Map::new();
    schema.insert("type".to_owned(), Value::from("object"));
    Value::Object(schema)
}

/// Writes the `type` of `members`, of several ones a choice; true when `null` is among them.
fn types(members: &Map<String, Value>, out: &mut Map<String, Value>) -> bool {
    let kinds: Vec<&str> = match members.get("type") {
        Some(Value::String(kind)) => vec![kind],
        Some(Value::Array(kinds)) => kinds.iter().filter_map(Value::as_str).collect(),
        _ => return false,
    };
    let real: Vec<&str> = kinds.iter().copied().filter(|kind| *kind != "null").collect();
    match real[..] {
        [] => {}
        [kind] => {
            out.insert("type".to_owned(), Value::from(kind));
        }
        _ => {
            let described = out.remove("description");
            let branch = |kind: &str| {
                let mut branch = Map::new();
                branch.insert("type".to_owned(), Value::from(kind));
                for name in if kind == "array" { &["items"][..] } else { &[][..] } {
                    branch.extend(out.get(*name).map(|value| ((*name).to_owned(), value.clone())));
                }
                branch.extend(described.as_ref().map(|value| ("description".to_owned(), value.clone())));
                Value::Object(finished(branch))
            };
            let branches: Value = real.iter().map(|kind| branch(kind)).collect();
            out.clear();
            out.insert("anyOf".to_owned(), branches);
        }
    }
    real.len() < kinds.len()
}

/// Adds what `part` says: properties and required names join, of the rest the first word stays.
fn merge(out: &mut Map<String, Value>, part: Map<String, Value>) {
    for (name, value) in part {
        match (out.get_mut(&name), value) {
            (Some(Value::Object(named)), Value::Object(more)) if name == "properties" => named.extend(more),
            (Some(Value::Array(names)), Value::Array(more)) if name == "required" => names.extend(more),
            (Some(_), _) => {}
            (None, value) => {
                out.insert(name, value);
            }
        }
    }
}

/// What the API refuses about keywords that it knows.
fn finished(mut schema: Map<String, Value>) -> Map<String, Value> {
    if let Some(Value::Array(words)) = schema.get("enum") {
        // Only strings can be enumerated, and none of them may be empty.
        let words: Vec<Value> = words.iter().filter_map(word).map(Value::from).collect();
        if words.is_empty() {
            schema.shift_remove("enum");
        } else {
            schema.insert("enum".to_owned(), Value::Array(words));
            schema.insert("type".to_owned(), Value::from("string"));
        }
    }
    let kind = schema.get("type").and_then(Value::as_str).unwrap_or_default().to_ascii_lowercase();
    let format = schema.get("format").and_then(Value::as_str).unwrap_or_default();
    let known = match kind.as_str() {
        "string" => matches!(format, "enum" | "date-time"),
        "integer" | "number" => matches!(format, "int32" | "int64" | "float" | "double"),
        _ => false,
    };
    if !known {
        schema.shift_remove("format");
    }
    if schema.get("properties").and_then(Value::as_object).is_some_and(Map::is_empty) {
        schema.shift_remove("properties");
    }
    if kind == "array" && !schema.contains_key("items") {
        let mut items = Map::new();
        items.insert("type".to_owned(), Value::from("string"));
        schema.insert("items".to_owned(), Value::Object(items));
    }
    schema
}

fn word(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => (!text.is_empty()).then(|| text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Google's schema as JSON Schema: types in lower case, `nullable` as a type, no order of properties.
pub(super) fn widened(schema: &Raw, path: &str) -> Result<Raw, TranslateError> {
    // The parser bounds the depth, so the recursion below is bounded too.
    let mut value: Value =
        serde_json::from_str(schema.text()).map_err(|error| malformed(path, &error.to_string()))?;
    widen(&mut value);
    Raw::of(&value).map_err(|error| malformed(path, &error.to_string()))
}

fn widen(schema: &mut Value) {
    let Value::Object(members) = schema else { return };
    members.shift_remove("propertyOrdering");
    members.shift_remove("property_ordering");
    let nullable = members.shift_remove("nullable") == Some(Value::Bool(true));
    if let Some(Value::String(kind)) = members.get_mut("type") {
        kind.make_ascii_lowercase();
        if nullable {
            let kinds = Value::Array(vec![Value::from(kind.as_str()), Value::from("null")]);
            members.insert("type".to_owned(), kinds);
        }
    }
    if let Some(choices) = members.shift_remove("any_of") {
        members.insert("anyOf".to_owned(), choices);
    }
    for (name, value) in members.iter_mut() {
        match (name.as_str(), value) {
            ("properties", Value::Object(named)) => named.values_mut().for_each(widen),
            ("items", value) => widen(value),
            ("anyOf", Value::Array(choices)) => choices.iter_mut().for_each(widen),
            // 64-bit numbers are strings in the JSON of Google's messages.
            (
                "minItems" | "maxItems" | "minLength" | "maxLength" | "minProperties" | "maxProperties",
                value,
            ) => {
                if let Some(number) = value.as_str().and_then(|text| text.parse::<u64>().ok()) {
                    *value = Value::from(number);
                }
            }
            _ => {}
        }
    }
}
