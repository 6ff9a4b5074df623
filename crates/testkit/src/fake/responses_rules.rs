//! What OpenAI Responses refuses, in its words, as its reference and its error messages document it.

use serde_json::Value;

use super::draft::signature_fits;
use super::prompt::Prompt;
use super::rules::{
    Checked, Flaw, Kind, Rejection, Shape, at, bracketed, ensure, from, has, is_plain_name, items, list,
    refuse, shaped,
};

const REQUEST: &Shape = &[
    ("model", Kind::Text),
    ("input", Kind::TextOrList),
    ("instructions", Kind::Text),
    ("background", Kind::Flag),
    ("client_metadata", Kind::Object),
    ("context_management", Kind::List),
    ("conversation", Kind::TextOrObject),
    ("include", Kind::Texts),
    ("max_output_tokens", from(16)),
    ("max_tool_calls", from(1)),
    ("metadata", Kind::Object),
    ("parallel_tool_calls", Kind::Flag),
    ("previous_response_id", Kind::Text),
    ("prompt", Kind::Object),
    ("prompt_cache_key", Kind::Text),
    ("prompt_cache_retention", Kind::Text),
    ("reasoning", Kind::Object),
    ("safety_identifier", Kind::Text),
    ("service_tier", Kind::OneOf(&["auto", "default", "flex", "scale", "priority"])),
    ("store", Kind::Flag),
    ("stream", Kind::Flag),
    ("stream_options", Kind::Object),
    ("temperature", Kind::Number(0.0, 2.0)),
    ("text", Kind::Object),
    ("tool_choice", Kind::TextOrObject),
    ("tools", Kind::List),
    ("top_logprobs", Kind::Integer(0, 20)),
    ("top_p", Kind::Number(0.0, 1.0)),
    ("truncation", Kind::OneOf(&["auto", "disabled"])),
    ("user", Kind::Text),
];
const MESSAGE: &Shape = &[
    ("type", Kind::OneOf(&["message"])),
    ("role", Kind::OneOf(&["user", "assistant", "system", "developer"])),
    ("content", Kind::TextOrList),
    ("id", Kind::Text),
    ("status", Kind::Text),
    ("phase", Kind::Text),
];
const CALL: &Shape = &[
    ("type", Kind::Text),
    ("call_id", Kind::Text),
    ("name", Kind::Text),
    ("namespace", Kind::Text),
    ("arguments", Kind::Text),
    ("id", Kind::Text),
    ("status", Kind::Text),
];
const RESULT: &Shape = &[
    ("type", Kind::Text),
    ("call_id", Kind::Text),
    ("output", Kind::TextOrList),
    ("id", Kind::Text),
    ("status", Kind::Text),
];
const REASONING: &Shape = &[
    ("type", Kind::Text),
    ("id", Kind::Text),
    ("summary", Kind::List),
    ("content", Kind::List),
    ("encrypted_content", Kind::Text),
];
const FUNCTION: &Shape = &[
    ("type", Kind::Text),
    ("name", Kind::Text),
    ("description", Kind::Text),
    ("parameters", Kind::Object),
    ("strict", Kind::Flag),
    ("defer_loading", Kind::Flag),
];
const EFFORTS: &[&str] = &["none", "minimal", "low", "medium", "high", "xhigh", "max"];

pub(crate) fn check(prompt: &Prompt) -> Checked {
    let body = &prompt.body;
    shaped(body, "", REQUEST, &["model"])?;
    let asks = ["input", "prompt", "previous_response_id", "conversation"].iter().any(|name| has(body, name));
    ensure(asks, "input", "Missing required parameter: 'input'.")?;
    if has(body, "reasoning") {
        let shape = [
            ("effort", Kind::OneOf(EFFORTS)),
            ("summary", Kind::OneOf(&["auto", "concise", "detailed"])),
            ("generate_summary", Kind::Text),
        ];
        shaped(&body["reasoning"], "reasoning", &shape, &[])?;
    }
    if has(body, "stream_options") {
        shaped(&body["stream_options"], "stream_options", &[("include_obfuscation", Kind::Flag)], &[])?;
    }
    sampling(body, &prompt.model)?;
    text(&body["text"])?;
    tools(body)?;
    for (path, item) in items(&body["input"], "input") {
        check_item(item, &path)?;
    }
    pairs(prompt)
}

fn sampling(body: &Value, model: &str) -> Checked {
    let reasons = ["o1", "o3", "o4"].iter().any(|name| model.starts_with(name))
        || (model.starts_with("gpt-5") && body["reasoning"]["effort"] != "none" && !model.contains("chat"));
    let refused = ["temperature", "top_p"].into_iter().find(|name| reasons && has(body, name));
    if let Some(name) = refused.filter(|name| body[*name].as_f64() != Some(1.0)) {
        return refuse(name, format!("Unsupported parameter: '{name}' is not supported with this model."));
    }
    let most = body["metadata"].as_object().map_or(0, serde_json::Map::len);
    ensure(
        most <= 16,
        "metadata",
        "Invalid 'metadata': too many properties. Expected an object with at most 16 properties.",
    )?;
    match body["metadata"].as_object().into_iter().flatten().find(|(_, value)| !value.is_string()) {
        Some((name, _)) => Err(Rejection::new(at("metadata", name), Flaw::Type("string"))),
        None => Ok(()),
    }
}

fn text(text: &Value) -> Checked {
    if text.is_null() {
        return Ok(());
    }
    let shape = [("format", Kind::Object), ("verbosity", Kind::OneOf(&["low", "medium", "high"]))];
    shaped(text, "text", &shape, &[])?;
    let format = &text["format"];
    if format["type"] != "json_schema" {
        let plain = [("type", Kind::OneOf(&["text", "json_object", "json_schema"]))];
        return if format.is_null() { Ok(()) } else { shaped(format, "text.format", &plain, &["type"]) };
    }
    let shape = [
        ("type", Kind::Text),
        ("name", Kind::Text),
        ("description", Kind::Text),
        ("schema", Kind::Object),
        ("strict", Kind::Flag),
    ];
    shaped(format, "text.format", &shape, &["name", "schema"])?;
    let name = format["name"].as_str().unwrap_or_default();
    ensure(is_plain_name(name, 64), "text.format.name", pattern("text.format.name"))?;
    if format["strict"] == true {
        strict(&format["schema"], "text.format.schema", &format!("response_format '{name}'"))?;
    }
    Ok(())
}

fn pattern(path: &str) -> String {
    let path = bracketed(path);
    format!(
        "Invalid '{path}': string does not match pattern. Expected a string that matches the pattern '^[a-zA-Z0-9_-]+$'."
    )
}

fn tools(body: &Value) -> Checked {
    let mut names = Vec::new();
    for (path, tool) in items(&body["tools"], "tools") {
        let kind = tool["type"].as_str().ok_or_else(|| Rejection::new(at(&path, "type"), Flaw::Missing))?;
        if kind != "function" {
            continue;
        }
        // The nested form of Chat Completions is the usual mistake: it has no name here.
        if tool["name"].as_str().is_none() {
            return Err(Rejection::new(at(&path, "name"), Flaw::Missing));
        }
        shaped(tool, &path, FUNCTION, &["name"])?;
        let name = tool["name"].as_str().unwrap_or_default();
        ensure(is_plain_name(name, 64), at(&path, "name"), pattern(&at(&path, "name")))?;
        names.push(name);
        let parameters = &tool["parameters"];
        let at_parameters = at(&path, "parameters");
        if !parameters.is_null() {
            let holds = parameters["type"] == "object";
            schema_rule(
                holds,
                &at_parameters,
                &format!("function '{name}'"),
                "schema must be a JSON Schema of 'type: \"object\"'",
            )?;
        }
        // Strict is the default of this API, but a schema that cannot be strict is then taken as it is.
        if tool["strict"] == true {
            strict(parameters, &at_parameters, &format!("function '{name}'"))?;
        }
    }
    let choice = &body["tool_choice"];
    if let Some(word) = choice.as_str() {
        let known = matches!(word, "auto" | "none" | "required");
        ensure(known, "tool_choice", "Invalid value: supported values are: 'none', 'auto', and 'required'.")?;
        ensure(
            word != "required" || !list(&body["tools"]).is_empty(),
            "tool_choice",
            "Tool choice 'required' must be specified with 'tools' parameter.",
        )?;
    }
    if choice["type"] == "function" {
        let Some(name) = choice["name"].as_str() else {
            return Err(Rejection::new("tool_choice.name", Flaw::Missing));
        };
        ensure(
            names.contains(&name),
            "tool_choice",
            format!("Tool choice '{name}' not found in 'tools' parameter."),
        )?;
    }
    Ok(())
}

fn schema_rule(holds: bool, path: &str, of: &str, rule: &str) -> Checked {
    ensure(holds, path, format!("Invalid schema for {of}: {rule}.")).map_err(|mut refused| {
        refused.code = Some(if of.starts_with("function") {
            "invalid_function_parameters"
        } else {
            "invalid_json_schema"
        });
        refused
    })
}

/// Strict schemas: every object is closed, and every property of it required.
fn strict(schema: &Value, path: &str, of: &str) -> Checked {
    if let Some(properties) = schema["properties"].as_object() {
        let closed = schema["additionalProperties"] == false;
        schema_rule(closed, path, of, "'additionalProperties' is required to be supplied and to be false")?;
        let missing =
            properties.keys().find(|name| !list(&schema["required"]).iter().any(|word| word == *name));
        if let Some(name) = missing {
            schema_rule(
                false,
                path,
                of,
                &format!(
                    "'required' is required to be supplied and to be an array including every key in properties. Missing '{name}'"
                ),
            )?;
        }
    }
    for word in ["oneOf", "allOf", "not", "if", "patternProperties"] {
        schema_rule(schema.get(word).is_none(), path, of, &format!("'{word}' is not permitted"))?;
    }
    for name in ["properties", "$defs"] {
        for inner in schema[name].as_object().into_iter().flat_map(|inner| inner.values()) {
            strict(inner, path, of)?;
        }
    }
    list(&schema["anyOf"]).iter().chain(schema.get("items")).try_for_each(|inner| strict(inner, path, of))
}

fn check_item(item: &Value, path: &str) -> Checked {
    let prefixed = |prefix: &str| {
        let id = item["id"].as_str().unwrap_or(prefix);
        let path = at(path, "id");
        let rule =
            format!("Invalid '{}': '{id}'. Expected an ID that begins with '{prefix}'.", bracketed(&path));
        ensure(id.starts_with(prefix), path, rule)
    };
    match item["type"].as_str() {
        None | Some("message") => {
            shaped(item, path, MESSAGE, &["role", "content"])?;
            items(&item["content"], &at(path, "content"))
                .try_for_each(|(path, part)| check_part(part, &path, &item["role"]))
        }
        Some("function_call") => {
            shaped(item, path, CALL, &["call_id", "name", "arguments"])?;
            prefixed("fc")?;
            let short = item["call_id"].as_str().is_some_and(|id| !id.is_empty() && id.len() <= 64);
            let path = at(path, "call_id");
            let rule = format!(
                "Invalid '{}': string too long. Expected a string with maximum length 64.",
                bracketed(&path)
            );
            ensure(short, path, rule)
        }
        Some("function_call_output") => {
            shaped(item, path, RESULT, &["call_id", "output"])?;
            items(&item["output"], &at(path, "output"))
                .try_for_each(|(path, part)| check_part(part, &path, &Value::Null))
        }
        Some("reasoning") => {
            shaped(item, path, REASONING, &["summary"])?;
            prefixed("rs")?;
            let Some(encrypted) = item["encrypted_content"].as_str() else { return Ok(()) };
            let summary: String =
                list(&item["summary"]).iter().filter_map(|part| part["text"].as_str()).collect();
            ensure(
                signature_fits(encrypted, &summary),
                at(path, "encrypted_content"),
                "The encrypted content could not be verified.",
            )
        }
        Some(_) => Ok(()),
    }
}

fn check_part(part: &Value, path: &str, role: &Value) -> Checked {
    let known: &'static [&'static str] = if role == "assistant" {
        &["output_text", "refusal"]
    } else {
        &["input_text", "input_image", "input_file", "input_audio"]
    };
    let kind = part["type"].as_str().ok_or_else(|| Rejection::new(at(path, "type"), Flaw::Missing))?;
    if !known.contains(&kind) {
        return Err(Rejection::new(at(path, "type"), Flaw::NotOneOf(known)));
    }
    let text = ("text", Kind::Text);
    let kind_field = ("type", Kind::Text);
    match kind {
        "input_text" => shaped(part, path, &[kind_field, text], &["text"]),
        "output_text" => shaped(
            part,
            path,
            &[kind_field, text, ("annotations", Kind::List), ("logprobs", Kind::List)],
            &["text"],
        ),
        "input_image" => {
            let detail = ("detail", Kind::OneOf(&["low", "high", "auto", "original"]));
            shaped(
                part,
                path,
                &[kind_field, ("image_url", Kind::Text), ("file_id", Kind::Text), detail],
                &[],
            )?;
            let url = part["image_url"].as_str().unwrap_or("https://");
            let valid =
                url.starts_with("https://") || url.starts_with("http://") || url.starts_with("data:image/");
            ensure(
                valid,
                at(path, "image_url"),
                "Invalid 'image_url'. Expected a valid URL or a base64-encoded data URL.",
            )
        }
        _ => Ok(()),
    }
}

/// Calls and results belong together, reasoning to what follows it; the earlier conversation counts.
fn pairs(prompt: &Prompt) -> Checked {
    let all: Vec<&Value> = prompt.earlier.iter().chain(list(&prompt.body["input"])).collect();
    let of = |kind: &'static str| all.iter().filter(move |item| item["type"] == kind);
    if let Some(call) = of("function_call")
        .find(|call| !of("function_call_output").any(|result| result["call_id"] == call["call_id"]))
    {
        let id = call["call_id"].as_str().unwrap_or_default();
        return refuse("input", format!("No tool output found for function call {id}."));
    }
    if let Some(result) = of("function_call_output")
        .find(|result| !of("function_call").any(|call| call["call_id"] == result["call_id"]))
    {
        let id = result["call_id"].as_str().unwrap_or_default();
        return refuse("input", format!("No tool call found for function call output with call_id {id}."));
    }
    let follows = |item: &Value| {
        item["type"] == "function_call" || item["role"] == "assistant" || item["type"] == "reasoning"
    };
    let alone = all.iter().enumerate().find(|(index, item)| {
        item["type"] == "reasoning" && !all.get(index + 1).is_some_and(|next| follows(next))
    });
    match alone {
        Some((_, item)) => {
            let id = item["id"].as_str().unwrap_or_default();
            refuse(
                "input",
                format!("Item '{id}' of type 'reasoning' was provided without its required following item."),
            )
        }
        None => Ok(()),
    }
}
