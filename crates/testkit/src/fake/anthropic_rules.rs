//! What Anthropic Messages refuses, in its words, as its reference and its error messages document it.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http::HeaderMap;
use serde_json::Value;

use super::anthropic::Host;
use super::anthropic_turns as turns;
use super::prompt::Prompt;
use super::rules::{
    Checked, Flaw, Kind, Rejection, Shape, at, ensure, from, has, is_plain_name, items, list, refuse, shaped,
};

const REQUEST: &Shape = &[
    ("model", Kind::Text),
    ("messages", Kind::List),
    ("max_tokens", from(1)),
    ("system", Kind::TextOrList),
    ("stop_sequences", Kind::Texts),
    ("stream", Kind::Flag),
    ("temperature", Kind::Number(0.0, 1.0)),
    ("top_k", from(0)),
    ("top_p", Kind::Number(0.0, 1.0)),
    ("tools", Kind::List),
    ("tool_choice", Kind::Object),
    ("thinking", Kind::Object),
    ("metadata", Kind::Object),
    ("service_tier", Kind::OneOf(&["auto", "standard_only"])),
    ("output_config", Kind::Object),
    ("output_format", Kind::Object),
    ("cache_control", Kind::Object),
    ("inference_geo", Kind::Text),
    ("container", Kind::TextOrObject),
    ("context_management", Kind::Object),
    ("mcp_servers", Kind::List),
    ("speed", Kind::Text),
    ("anthropic_version", Kind::Text),
    ("anthropic_beta", Kind::Texts),
];
/// Fields that exist only with a beta of that name.
const BETA_FIELDS: &[(&str, &[&str])] = &[
    ("output_format", &["structured-outputs"]),
    ("container", &["code-execution", "skills"]),
    ("context_management", &["context-management", "compact"]),
    ("mcp_servers", &["mcp-client"]),
    ("speed", &["fast-mode"]),
];
const TOOL: &Shape = &[
    ("type", Kind::Text),
    ("name", Kind::Text),
    ("description", Kind::Text),
    ("input_schema", Kind::Object),
    ("cache_control", Kind::Object),
    ("strict", Kind::Flag),
    ("defer_loading", Kind::Flag),
    ("allowed_callers", Kind::Texts),
    ("input_examples", Kind::List),
    ("eager_input_streaming", Kind::Flag),
];
/// Structured output is grammar-constrained: these have no form in the grammar.
const SCHEMA_REFUSED: &[&str] = &[
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "maxItems",
    "uniqueItems",
    "oneOf",
    "not",
    "patternProperties",
];

pub(crate) fn check(prompt: &Prompt, headers: &HeaderMap, host: Host) -> Checked {
    let body = &prompt.body;
    let required: &[&str] = match host {
        Host::Direct => &["model", "max_tokens", "messages"],
        Host::Vertex | Host::Bedrock => &["anthropic_version", "max_tokens", "messages"],
    };
    let refused: &[&str] = match host {
        Host::Direct => &["anthropic_version", "anthropic_beta"],
        Host::Vertex => &["model"],
        Host::Bedrock => &["model", "stream"],
    };
    shaped(body, "", REQUEST, required)?;
    if let Some(field) = refused.iter().find(|field| body.get(**field).is_some()) {
        return Err(Rejection::new(*field, Flaw::Unknown));
    }
    if host == Host::Direct && !headers.contains_key("anthropic-version") {
        return refuse("anthropic-version", "header is required");
    }
    betas(body, headers)?;
    common(prompt, host)?;
    sampling(body, &prompt.model)
}

/// Counting takes a request that has no reply to bound.
pub(crate) fn check_count(prompt: &Prompt) -> Checked {
    let reply = ["max_tokens", "stream", "temperature", "top_p", "top_k", "stop_sequences", "metadata"];
    if let Some(field) = reply.iter().find(|field| prompt.body.get(**field).is_some()) {
        return Err(Rejection::new(*field, Flaw::Unknown));
    }
    shaped(&prompt.body, "", REQUEST, &["model", "messages"])?;
    common(prompt, Host::Direct)
}

fn common(prompt: &Prompt, host: Host) -> Checked {
    let body = &prompt.body;
    for (path, block) in items(&body["system"], "system") {
        turns::text(block, &path)?;
    }
    tools(body)?;
    tool_choice(body)?;
    thinking(body)?;
    turns::check(&prompt.model, body, host)?;
    let marks = cache_marks(body);
    ensure(
        marks <= 4,
        "",
        format!("A maximum of 4 blocks with cache_control may be provided. Found {marks}."),
    )?;
    if has(body, "metadata") {
        shaped(&body["metadata"], "metadata", &[("user_id", Kind::Text)], &[])?;
    }
    let formats = [
        ("output_format", &body["output_format"]),
        ("output_config.format", &body["output_config"]["format"]),
    ];
    for (path, format) in formats.into_iter().filter(|(_, format)| !format.is_null()) {
        shaped(
            format,
            path,
            &[("type", Kind::OneOf(&["json_schema"])), ("schema", Kind::Object)],
            &["type", "schema"],
        )?;
        schema(&format["schema"], &at(path, "schema"))?;
    }
    Ok(())
}

fn betas(body: &Value, headers: &HeaderMap) -> Checked {
    let sent = headers.get_all("anthropic-beta").iter().filter_map(|value| value.to_str().ok());
    let sent: Vec<&str> = sent.flat_map(|value| value.split(',')).map(str::trim).collect();
    let named = |beta: &str| {
        let in_body = || list(&body["anthropic_beta"]).iter().filter_map(Value::as_str);
        sent.iter().copied().chain(in_body()).any(|name| name.starts_with(beta))
    };
    let missing =
        |(field, betas): &&(&str, &[&str])| has(body, field) && !betas.iter().any(|beta| named(beta));
    match BETA_FIELDS.iter().find(missing) {
        Some((field, _)) => Err(Rejection::new(*field, Flaw::Unknown)),
        None => Ok(()),
    }
}

fn sampling(body: &Value, model: &str) -> Checked {
    for (path, stop) in items(&body["stop_sequences"], "stop_sequences") {
        let blank = stop.as_str().is_some_and(|stop| stop.trim().is_empty());
        ensure(!blank, path, "each stop sequence must contain non-whitespace")?;
    }
    let newer = ["opus-4-1", "sonnet-4-5", "haiku-4-5", "opus-4-5"].iter().any(|name| model.contains(name));
    ensure(
        !(newer && has(body, "temperature") && has(body, "top_p")),
        "",
        "`temperature` and `top_p` cannot both be specified for this model. Please use only one.",
    )
}

fn thinking(body: &Value) -> Checked {
    let thinking = &body["thinking"];
    let Some(kind) = thinking["type"].as_str() else {
        return if has(body, "thinking") {
            Err(Rejection::new("thinking.type", Flaw::Missing))
        } else {
            Ok(())
        };
    };
    let budget = ("budget_tokens", from(1024));
    let display = ("display", Kind::Text);
    match kind {
        "enabled" => {
            shaped(
                thinking,
                "thinking.enabled",
                &[("type", Kind::Text), budget, display],
                &["budget_tokens"],
            )?;
            let most = body["max_tokens"].as_i64().unwrap_or(i64::MAX);
            ensure(
                thinking["budget_tokens"].as_i64() < Some(most),
                "",
                "`max_tokens` must be greater than `thinking.budget_tokens`. Please consult our documentation.",
            )?;
        }
        "adaptive" => shaped(thinking, "thinking.adaptive", &[("type", Kind::Text), display], &[])?,
        "disabled" => return shaped(thinking, "thinking.disabled", &[("type", Kind::Text)], &[]),
        _ => {
            return Err(Rejection::new(
                "thinking.type",
                Flaw::NotOneOf(&["adaptive", "enabled", "disabled"]),
            ));
        }
    }
    let temperature = body["temperature"].as_f64().unwrap_or(1.0);
    ensure(
        (temperature - 1.0).abs() < f64::EPSILON,
        "",
        "`temperature` may only be set to 1 when thinking is enabled.",
    )?;
    let top_p = body["top_p"].as_f64().unwrap_or(1.0);
    ensure(
        top_p >= 0.95,
        "",
        "`top_p` must be greater than or equal to 0.95 or unset when thinking is enabled.",
    )?;
    ensure(!has(body, "top_k"), "", "`top_k` must be unset when thinking is enabled.")?;
    let forced = matches!(body["tool_choice"]["type"].as_str(), Some("any" | "tool"));
    ensure(!forced, "", "Thinking may not be enabled when tool_choice forces tool use.")
}

fn tools(body: &Value) -> Checked {
    let mut names = Vec::new();
    for (path, tool) in items(&body["tools"], "tools") {
        let kind = tool["type"].as_str().unwrap_or("custom");
        if kind == "mcp_toolset" {
            continue;
        }
        let name = tool["name"].as_str().ok_or_else(|| Rejection::new(at(&path, "name"), Flaw::Missing))?;
        ensure(!names.contains(&name), "tools", "Tool names must be unique.")?;
        names.push(name);
        if kind != "custom" {
            continue;
        }
        let path = at(&path, "custom");
        shaped(tool, &path, TOOL, &["name", "input_schema"])?;
        let valid = is_plain_name(name, 128);
        ensure(valid, at(&path, "name"), "String should match pattern '^[a-zA-Z0-9_-]{1,128}$'")?;
        let (schema_path, input) = (at(&path, "input_schema"), &tool["input_schema"]);
        let typed = at(&schema_path, "type");
        match input.get("type").map(|kind| kind == "object") {
            Some(true) => {}
            Some(false) => return refuse(typed, "Input should be 'object'"),
            None => return Err(Rejection::new(typed, Flaw::Missing)),
        }
        let combined = ["oneOf", "allOf", "anyOf"].iter().any(|word| input.get(*word).is_some());
        ensure(
            !combined,
            &schema_path,
            "input_schema does not support oneOf, allOf, or anyOf at the top level",
        )?;
        if tool["strict"] == true {
            schema(input, &schema_path)?;
        }
    }
    Ok(())
}

fn tool_choice(body: &Value) -> Checked {
    let choice = &body["tool_choice"];
    if choice.is_null() {
        return Ok(());
    }
    let offered = !list(&body["tools"]).is_empty();
    ensure(offered, "tool_choice", "may only be specified while providing tools.")?;
    let single = ("disable_parallel_tool_use", Kind::Flag);
    let kind = ("type", Kind::Text);
    match choice["type"].as_str() {
        Some(word @ ("auto" | "any")) => shaped(choice, &format!("tool_choice.{word}"), &[kind, single], &[]),
        Some("none") => shaped(choice, "tool_choice.none", &[kind], &[]),
        Some("tool") => {
            shaped(choice, "tool_choice.tool", &[kind, single, ("name", Kind::Text)], &["name"])?;
            let known = list(&body["tools"]).iter().any(|tool| tool["name"] == choice["name"]);
            let name = choice["name"].as_str().unwrap_or_default();
            ensure(known, "tool_choice.name", format!("Tool '{name}' not found in provided tools"))
        }
        _ => Err(Rejection::new("tool_choice.type", Flaw::NotOneOf(&["auto", "any", "tool", "none"]))),
    }
}

/// A schema that the reply is held to.
fn schema(value: &Value, path: &str) -> Checked {
    if value["type"] == "object" && value["additionalProperties"] != false {
        return refuse(path, "For 'object' type, 'additionalProperties' must be explicitly set to false");
    }
    for (name, inner) in value.as_object().into_iter().flatten() {
        if SCHEMA_REFUSED.contains(&name.as_str()) {
            let kind = value["type"].as_str().unwrap_or_default();
            return refuse(path, format!("For '{kind}' type, property '{name}' is not supported"));
        }
        match name.as_str() {
            "properties" | "$defs" | "definitions" => {
                for (name, inner) in inner.as_object().into_iter().flatten() {
                    schema(inner, &at(path, name))?;
                }
            }
            "items" => schema(inner, &at(path, name))?,
            "anyOf" | "allOf" => {
                items(inner, &at(path, name)).try_for_each(|(path, inner)| schema(inner, &path))?
            }
            _ => {}
        }
    }
    Ok(())
}

/// Marks at the places that take them; a tool's input may hold a field of that name.
fn cache_marks(body: &Value) -> usize {
    let contents = list(&body["messages"]).iter().flat_map(|message| list(&message["content"]));
    let inner = contents.clone().flat_map(|block| list(&block["content"]));
    let places = list(&body["system"]).iter().chain(list(&body["tools"])).chain(contents).chain(inner);
    places.filter(|place| has(place, "cache_control")).count()
}

pub(crate) fn is_base64(value: &Value) -> bool {
    value.as_str().is_some_and(|text| !text.is_empty() && BASE64_STANDARD.decode(text).is_ok())
}
