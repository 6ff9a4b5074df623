//! What Gemini refuses in tools and schemas: it knows a part of OpenAPI's schema language, by name.

use serde_json::{Map, Value};

use super::gemini_rules::Request;
use super::rules::{Checked, Flaw, Kind, Rejection, at, ensure, has, items, list, shaped};

const SCHEMA: &[&str] = &[
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
    "default",
];
const VERTEX_SCHEMA: &[&str] = &["additionalProperties", "ref", "defs"];
const TYPES: &[&str] = &["STRING", "NUMBER", "INTEGER", "BOOLEAN", "ARRAY", "OBJECT", "NULL"];

impl Request<'_> {
    pub(crate) fn tools(&self, body: &Value) -> Checked {
        let mut declared = Vec::new();
        for (path, tool) in items(&body["tools"], "tools") {
            let known = [
                "functionDeclarations",
                "googleSearch",
                "googleSearchRetrieval",
                "codeExecution",
                "urlContext",
                "googleMaps",
                "computerUse",
                "enterpriseWebSearch",
                "fileSearch",
                "mcpServers",
                "retrieval",
            ];
            shaped(tool, &path, &known.map(|name| (name, Kind::Any)), &[])?;
            for (path, function) in items(&tool["functionDeclarations"], &at(&path, "functionDeclarations")) {
                self.function(function, &path)?;
                declared.push(function["name"].as_str().unwrap_or_default());
            }
        }
        let hosted = list(&body["tools"]).iter().any(|tool| {
            tool.as_object().is_some_and(|tool| tool.keys().any(|name| name != "functionDeclarations"))
        });
        let mixed = self.is_older() && hosted && !declared.is_empty();
        ensure(!mixed, "tools", "Tool use with function calling is unsupported")?;
        let choice = &body["toolConfig"]["functionCallingConfig"];
        if choice.is_null() {
            return Ok(());
        }
        let path = "toolConfig.functionCallingConfig";
        let modes = ("mode", Kind::OneOf(&["MODE_UNSPECIFIED", "AUTO", "ANY", "NONE", "VALIDATED"]));
        shaped(choice, path, &[modes, ("allowedFunctionNames", Kind::Texts)], &[])?;
        ensure(!declared.is_empty(), path, "Function calling config is set without function_declarations.")?;
        let allowed = list(&choice["allowedFunctionNames"]);
        let restricts = matches!(choice["mode"].as_str(), Some("ANY" | "VALIDATED"));
        ensure(
            allowed.is_empty() || restricts,
            at(path, "allowedFunctionNames"),
            "allowed_function_names should only be set when mode is ANY or VALIDATED.",
        )?;
        let stray = allowed.iter().filter_map(Value::as_str).find(|name| !declared.contains(name));
        ensure(
            stray.is_none(),
            at(path, "allowedFunctionNames"),
            format!("[{}] is not declared", stray.unwrap_or_default()),
        )
    }

    fn function(&self, function: &Value, path: &str) -> Checked {
        let shape = [
            ("name", Kind::Text),
            ("description", Kind::Text),
            ("parameters", Kind::Object),
            ("parametersJsonSchema", Kind::Any),
            ("response", Kind::Object),
            ("responseJsonSchema", Kind::Any),
            ("behavior", Kind::Text),
        ];
        shaped(function, path, &shape, &["name"])?;
        let name = function["name"].as_str().unwrap_or_default();
        let starts = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
        let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.:-".contains(&byte));
        ensure(
            starts && plain && name.len() <= 64,
            at(path, "name"),
            "Invalid function name. Must start with a letter or an underscore. Must be alphanumeric (a-z, A-Z, 0-9), underscores (_), dots (.), colons (:), or dashes (-), with a maximum length of 64.",
        )?;
        let both = has(function, "parameters") && has(function, "parametersJsonSchema");
        ensure(!both, path, "parameters and parameters_json_schema must not both be set")?;
        if !has(function, "parameters") {
            return Ok(());
        }
        let (path, parameters) = (at(path, "parameters"), &function["parameters"]);
        let empty = parameters["properties"].as_object().is_none_or(Map::is_empty);
        ensure(!empty, at(&path, "properties"), "should be non-empty for OBJECT type")?;
        self.schema(parameters, &path)
    }

    pub(crate) fn schema(&self, schema: &Value, path: &str) -> Checked {
        for name in schema.as_object().into_iter().flat_map(Map::keys) {
            let known =
                SCHEMA.contains(&name.as_str()) || self.vertex && VERTEX_SCHEMA.contains(&name.as_str());
            if !known {
                return Err(Rejection::new(at(path, name), Flaw::Unknown));
            }
        }
        let kind = &schema["type"];
        ensure(!kind.is_array(), at(path, "type"), "Proto field is not repeating, cannot start list.")?;
        let kind = kind.as_str().unwrap_or_default().to_uppercase();
        ensure(
            kind.is_empty() || TYPES.contains(&kind.as_str()),
            at(path, "type"),
            format!("Invalid value \"{kind}\""),
        )?;
        ensure(kind != "ARRAY" || has(schema, "items"), at(path, "items"), "missing field.")?;
        ensure(!has(schema, "enum") || kind == "STRING", at(path, "enum"), "only allowed for STRING type")?;
        ensure(!list(&schema["enum"]).iter().any(|word| word == ""), at(path, "enum"), "cannot be empty")?;
        let format = schema["format"].as_str().unwrap_or("enum");
        ensure(
            kind != "STRING" || matches!(format, "enum" | "date-time"),
            at(path, "format"),
            "only 'enum' and 'date-time' are supported for STRING type",
        )?;
        for (path, name) in items(&schema["required"], &at(path, "required")) {
            let defined = name.as_str().is_some_and(|name| schema["properties"].get(name).is_some());
            ensure(defined, path, "property is not defined")?;
        }
        for (name, inner) in schema["properties"].as_object().into_iter().flatten() {
            self.schema(inner, &at(&at(path, "properties"), name))?;
        }
        if has(schema, "items") {
            self.schema(&schema["items"], &at(path, "items"))?;
        }
        items(&schema["anyOf"], &at(path, "anyOf")).try_for_each(|(path, inner)| self.schema(inner, &path))
    }
}
