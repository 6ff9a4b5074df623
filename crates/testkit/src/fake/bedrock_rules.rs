//! What Converse refuses, in its words, as its reference and its error messages document it.

use serde_json::Value;

use super::anthropic_rules::is_base64;
use super::bedrock::Call;
use super::draft::signature_fits;
use super::prompt::Prompt;
use super::rules::{
    Checked, Flaw, Kind, Rejection, Shape, at, ensure, from, has, is_plain_name, items, list, object, refuse,
    shaped,
};

const REQUEST: &Shape = &[
    ("messages", Kind::List),
    ("system", Kind::List),
    ("inferenceConfig", Kind::Object),
    ("toolConfig", Kind::Object),
    ("guardrailConfig", Kind::Object),
    ("additionalModelRequestFields", Kind::Object),
    ("additionalModelResponseFieldPaths", Kind::Texts),
    ("promptVariables", Kind::Object),
    ("requestMetadata", Kind::Object),
    ("performanceConfig", Kind::Object),
    ("serviceTier", Kind::Object),
    ("outputConfig", Kind::Object),
];
const CONFIG: &Shape = &[
    ("maxTokens", from(1)),
    ("temperature", Kind::Number(0.0, 1.0)),
    ("topP", Kind::Number(0.0, 1.0)),
    ("stopSequences", Kind::Texts),
];
const TOOL_USE: &Shape =
    &[("toolUseId", Kind::Text), ("name", Kind::Text), ("input", Kind::Any), ("type", Kind::Text)];
const TOOL_RESULT: &Shape = &[
    ("toolUseId", Kind::Text),
    ("content", Kind::List),
    ("status", Kind::OneOf(&["success", "error"])),
    ("type", Kind::Text),
];
const DOCUMENT: &Shape = &[
    ("format", Kind::OneOf(&["pdf", "csv", "doc", "docx", "xls", "xlsx", "html", "txt", "md"])),
    ("name", Kind::Text),
    ("source", Kind::Object),
    ("context", Kind::Text),
    ("citations", Kind::Object),
];
const IMAGES: Kind = Kind::OneOf(&["png", "jpeg", "gif", "webp"]);
const VIDEOS: Kind = Kind::OneOf(&["mkv", "mov", "mp4", "webm", "flv", "mpeg", "mpg", "wmv", "three_gp"]);
const AUDIOS: Kind = Kind::OneOf(&[
    "mp3", "opus", "wav", "aac", "flac", "mp4", "ogg", "mkv", "mka", "x-aac", "m4a", "mpeg", "mpga", "pcm",
    "webm",
]);

pub(crate) fn check(prompt: &Prompt, call: Call) -> Checked {
    let body = &prompt.body;
    if call == Call::Count {
        shaped(body, "", &[("input", Kind::Object)], &["input"])?;
        let shape = [("converse", Kind::Object), ("invokeModel", Kind::Object)];
        shaped(&body["input"], "input", &shape, &[])?;
        return match body["input"].get("converse") {
            Some(request) => converse(request),
            None => shaped(&body["input"], "input", &shape, &["invokeModel"]),
        };
    }
    converse(body)
}

fn converse(body: &Value) -> Checked {
    shaped(body, "", REQUEST, &["messages"])?;
    if has(body, "inferenceConfig") {
        shaped(&body["inferenceConfig"], "inferenceConfig", CONFIG, &[])?;
        for (path, stop) in items(&body["inferenceConfig"]["stopSequences"], "inferenceConfig.stopSequences")
        {
            ensure(
                stop != "",
                &path,
                format!(
                    "1 validation error detected: Value at '{path}' failed to satisfy constraint: Member must have length greater than or equal to 1"
                ),
            )?;
        }
    }
    for (path, block) in items(&body["system"], "system") {
        shaped(
            block,
            &path,
            &[("text", Kind::Text), ("guardContent", Kind::Object), ("cachePoint", Kind::Object)],
            &[],
        )?;
        ensure(
            block["text"] != "",
            &path,
            format!("The text field in the SystemContentBlock object at {path} is blank."),
        )?;
    }
    turns(body)?;
    tools(body)
}

fn turns(body: &Value) -> Checked {
    let messages = list(&body["messages"]);
    let mut calls: Vec<&str> = Vec::new();
    for (index, (path, message)) in items(&body["messages"], "messages").enumerate() {
        let roles = Kind::OneOf(&["user", "assistant"]);
        shaped(message, &path, &[("role", roles), ("content", Kind::List)], &["role", "content"])?;
        let expected = if index % 2 == 0 { "user" } else { "assistant" };
        if message["role"] != expected {
            let rule = if index == 0 {
                "A conversation must start with a user message. Try again with a conversation that starts with a user message."
            } else {
                "A conversation must alternate between user and assistant roles. Make sure the conversation alternates between user and assistant roles and try again."
            };
            return refuse(path, rule);
        }
        let content = list(&message["content"]);
        let empty = format!(
            "The content field in the Message object at {path} is empty. Add a ContentBlock object to the content field and try again."
        );
        ensure(!content.is_empty(), &path, empty)?;
        items(&message["content"], &at(&path, "content"))
            .try_for_each(|(path, found)| block(found, &path))?;
        let documents = content.iter().any(|block| has(block, "document"));
        ensure(
            !documents || content.iter().any(|block| has(block, "text")),
            &path,
            "A text block must be included with a document.",
        )?;
        let ids = |kind: &str| {
            content.iter().filter_map(|block| block[kind]["toolUseId"].as_str()).collect::<Vec<_>>()
        };
        let results = ids("toolResult");
        let missing: Vec<&str> = calls.iter().copied().filter(|id| !results.contains(id)).collect();
        ensure(
            missing.is_empty(),
            &path,
            format!(
                "Expected toolResult blocks at {path}.content for the following Ids: {}",
                missing.join(", ")
            ),
        )?;
        ensure(
            results.len() <= calls.len(),
            &path,
            format!(
                "The number of toolResult blocks at {path}.content exceeds the number of toolUse blocks of previous turn."
            ),
        )?;
        calls = ids("toolUse");
        ensure(
            calls.is_empty() || expected == "assistant",
            &path,
            format!("The toolUse block at {path}.content is only allowed in an assistant message."),
        )?;
    }
    ensure(
        !messages.is_empty(),
        "messages",
        "A conversation must start with a user message. Try again with a conversation that starts with a user message.",
    )?;
    let used = messages
        .iter()
        .flat_map(|message| list(&message["content"]))
        .any(|block| has(block, "toolUse") || has(block, "toolResult"));
    ensure(
        !used || has(body, "toolConfig"),
        "toolConfig",
        "The toolConfig field must be defined when using toolUse and toolResult content blocks.",
    )
}

/// A block is a union: one member, named by its kind.
fn block(block: &Value, path: &str) -> Checked {
    let members = object(block, path)?;
    let Some((kind, value)) = members.iter().next().filter(|_| members.len() == 1) else {
        return refuse(path, format!("The ContentBlock object at {path} must set one of its members."));
    };
    let inner = at(path, kind);
    match kind.as_str() {
        "text" => {
            let blank = value.as_str().is_none_or(|text| text.trim().is_empty());
            ensure(
                !blank,
                path,
                format!(
                    "The text field in the ContentBlock object at {path} is blank. Add text to the text field, and try again."
                ),
            )
        }
        "image" => media(value, &inner, IMAGES),
        "video" => media(value, &inner, VIDEOS),
        "audio" => media(value, &inner, AUDIOS),
        "document" => {
            shaped(value, &inner, DOCUMENT, &["name", "source"])?;
            let name = value["name"].as_str().unwrap_or_default();
            let plain = name.chars().all(|letter| letter.is_alphanumeric() || " -()[]".contains(letter));
            ensure(
                plain && !name.is_empty() && !name.contains("  "),
                &inner,
                "The document file name can only contain alphanumeric characters, whitespace characters, hyphens, parentheses, and square brackets. The name can't contain more than one consecutive whitespace character.",
            )?;
            source(&value["source"], &at(&inner, "source"), &["bytes", "s3Location", "text", "content"])
        }
        "toolUse" => {
            shaped(value, &inner, TOOL_USE, &["toolUseId", "name", "input"])?;
            let id = value["toolUseId"].as_str().unwrap_or_default();
            let plain = id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.:-".contains(&byte));
            ensure(
                plain && (1..=64).contains(&id.len()),
                &inner,
                format!(
                    "1 validation error detected: Value '{id}' at '{inner}.toolUseId' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_.:-]+"
                ),
            )?;
            ensure(
                value["input"].is_object(),
                &inner,
                format!(
                    "The format of the value at {inner}.input is invalid. Provide a json object for the field and try again."
                ),
            )
        }
        "toolResult" => {
            shaped(value, &inner, TOOL_RESULT, &["toolUseId", "content"])?;
            let empty = value["status"] == "error" && list(&value["content"]).is_empty();
            ensure(
                !empty,
                &inner,
                format!("The content field at {inner} cannot be empty when status value is error."),
            )?;
            items(&value["content"], &at(&inner, "content")).try_for_each(|(path, part)| result(part, &path))
        }
        "reasoningContent" => {
            let shape = [("reasoningText", Kind::Object), ("redactedContent", Kind::Text)];
            shaped(value, &inner, &shape, &[])?;
            let text = &value["reasoningText"];
            let [said, signature] = ["text", "signature"].map(|name| text[name].as_str());
            ensure(
                text.is_null() || signature_fits(signature.unwrap_or("none"), said.unwrap_or_default()),
                &inner,
                format!(
                    "The model returned the following errors: {path}: Invalid `signature` in `thinking` block"
                ),
            )
        }
        "guardContent" | "cachePoint" | "citationsContent" | "searchResult" => Ok(()),
        _ => Err(Rejection::new(inner, Flaw::Unknown)),
    }
}

fn result(part: &Value, path: &str) -> Checked {
    let known = ["text", "json", "image", "document", "video", "searchResult"];
    shaped(part, path, &known.map(|name| (name, Kind::Any)), &[])?;
    ensure(
        !has(part, "json") || part["json"].is_object(),
        path,
        format!(
            "The format of the value at {path}.json is invalid. Provide a json object for the field and try again."
        ),
    )?;
    if has(part, "image") { media(&part["image"], &at(path, "image"), IMAGES) } else { Ok(()) }
}

fn media(value: &Value, path: &str, formats: Kind) -> Checked {
    shaped(value, path, &[("format", formats), ("source", Kind::Object)], &["format", "source"])?;
    source(&value["source"], &at(path, "source"), &["bytes", "s3Location"])
}

/// Bytes or a place in S3: an URL has no form here.
fn source(source: &Value, path: &str, members: &[&'static str]) -> Checked {
    let shape: Vec<_> = members.iter().map(|name| (*name, Kind::Any)).collect();
    shaped(source, path, &shape, &[])?;
    ensure(
        !has(source, "bytes") || is_base64(&source["bytes"]),
        at(path, "bytes"),
        format!("The value at {path}.bytes is not valid base64."),
    )
}

fn tools(body: &Value) -> Checked {
    let config = &body["toolConfig"];
    if config.is_null() {
        return Ok(());
    }
    shaped(config, "toolConfig", &[("tools", Kind::List), ("toolChoice", Kind::Object)], &["tools"])?;
    ensure(
        !list(&config["tools"]).is_empty(),
        "toolConfig.tools",
        "1 validation error detected: Value '[]' at 'toolConfig.tools' failed to satisfy constraint: Member must have length greater than or equal to 1",
    )?;
    for (path, tool) in items(&config["tools"], "toolConfig.tools") {
        shaped(tool, &path, &["toolSpec", "systemTool", "cachePoint"].map(|name| (name, Kind::Object)), &[])?;
        let spec = &tool["toolSpec"];
        if spec.is_null() {
            continue;
        }
        let path = at(&path, "toolSpec");
        let shape = [
            ("name", Kind::Text),
            ("description", Kind::Text),
            ("inputSchema", Kind::Object),
            ("strict", Kind::Flag),
        ];
        shaped(spec, &path, &shape, &["name", "inputSchema"])?;
        let name = spec["name"].as_str().unwrap_or_default();
        ensure(
            is_plain_name(name, 64),
            &path,
            format!(
                "1 validation error detected: Value '{name}' at '{path}.name' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_-]+"
            ),
        )?;
        ensure(
            spec["description"] != "",
            &path,
            format!(
                "1 validation error detected: Value '' at '{path}.description' failed to satisfy constraint: Member must have length greater than or equal to 1"
            ),
        )?;
        ensure(
            spec["inputSchema"]["json"]["type"] == "object",
            &path,
            format!("The value at {path}.inputSchema.json.type must be one of the following: object."),
        )?;
    }
    let choice = &config["toolChoice"];
    if choice.is_null() {
        return Ok(());
    }
    shaped(choice, "toolConfig.toolChoice", &["auto", "any", "tool"].map(|name| (name, Kind::Object)), &[])?;
    let thinks = matches!(
        body["additionalModelRequestFields"]["thinking"]["type"].as_str(),
        Some("enabled" | "adaptive")
    );
    ensure(
        !thinks || has(choice, "auto"),
        "toolConfig.toolChoice",
        "The model returned the following errors: Thinking may not be enabled when tool_choice forces tool use.",
    )?;
    let name = &choice["tool"]["name"];
    let known = list(&config["tools"]).iter().any(|tool| &tool["toolSpec"]["name"] == name);
    ensure(
        name.is_null() || known,
        "toolConfig.toolChoice.tool.name",
        format!("The toolChoice names a tool that is not in toolConfig.tools: {name}"),
    )
}
