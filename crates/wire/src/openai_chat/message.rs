//! The `messages` of a request, read into turns.
//!
//! A `cache_control` on a message, part or tool becomes a cache point behind it. Other members that belong to
//! an earlier answer (`annotations`, `provider_specific_fields`, `audio`) are not carried.

use std::fmt::{Arguments, Display};

use serde_json::value::RawValue;

use super::fields::{Fields, list, malformed, objects, typed};
use crate::chat::{Block, Role, Source, Turn};
use crate::fault::TranslateError;
use crate::format::Format;
use crate::raw::Raw;

/// The turns of a conversation, oldest first.
pub(super) fn read(messages: &[Fields<'_>]) -> Result<Vec<Turn>, TranslateError> {
    let mut turns = Vec::with_capacity(messages.len());
    // A legacy `function` message answers the call before it; those calls have no ids of their own.
    let mut function_call = String::new();
    for (at, message) in messages.iter().enumerate() {
        let path = format_args!("messages[{at}]");
        turns.push(turn(message, path, at, &mut function_call)?);
    }
    Ok(turns)
}

fn turn(
    message: &Fields<'_>,
    path: Arguments<'_>,
    at: usize,
    function_call: &mut String,
) -> Result<Turn, TranslateError> {
    let role = message.required_word("role", path)?;
    let content = blocks(message.get("content"), format_args!("{path}.content"))?;
    let (role, mut blocks) = match role.as_ref() {
        "system" => (Role::System, content),
        "developer" => (Role::Developer, content),
        "user" => (Role::User, content),
        "assistant" => (Role::Assistant, assistant(message, path, at, content, function_call)?),
        "tool" => {
            let id = message.required_text("tool_call_id", path)?;
            (Role::Tool, vec![Block::ToolResult { id, content, failed: false }])
        }
        "function" => {
            (Role::Tool, vec![Block::ToolResult { id: function_call.clone(), content, failed: false }])
        }
        _ => {
            let problem = "must be system, developer, user, assistant, tool or function";
            return Err(malformed(format_args!("{path}.role"), problem));
        }
    };
    blocks.extend(message.get("cache_control").map(|raw| Block::CachePoint(Raw::from(raw))));
    Ok(Turn { role, name: message.typed("name", path, "a string")?, phase: None, blocks })
}

fn assistant(
    message: &Fields<'_>,
    path: Arguments<'_>,
    at: usize,
    content: Vec<Block>,
    function_call: &mut String,
) -> Result<Vec<Block>, TranslateError> {
    let mut blocks = thinking(message, path)?;
    blocks.extend(content.into_iter().filter(|block| !matches!(block, Block::Text(text) if text.is_empty())));
    if let Some(refusal) = message.typed("refusal", path, "a string")? {
        blocks.push(Block::Refusal(refusal));
    }
    if let Some(calls) = message.get("tool_calls") {
        let path = format_args!("{path}.tool_calls");
        for (at, call) in objects(calls, path)?.into_iter().enumerate() {
            let path = format_args!("{path}[{at}]");
            let id = call.required_text("id", path)?;
            let function = call.required("function", path)?;
            blocks.push(tool_call(id, function, format_args!("{path}.function"))?);
        }
    }
    if let Some(function) = message.get("function_call") {
        *function_call = format!("call_{at}");
        blocks.push(tool_call(function_call.clone(), function, format_args!("{path}.function_call"))?);
    }
    Ok(blocks)
}

fn tool_call(id: String, function: &RawValue, path: Arguments<'_>) -> Result<Block, TranslateError> {
    let function = Fields::read(function, path)?;
    let input = match function.get("arguments") {
        // Some clients send the arguments back as the object they parsed.
        Some(raw) if raw.get().starts_with('{') => raw.get().to_owned(),
        Some(raw) => typed(raw, format_args!("{path}.arguments"), "a string")?.unwrap_or_default(),
        None => String::new(),
    };
    Ok(Block::ToolCall { id, name: function.required_text("name", path)?, input })
}

/// Reasoning of an earlier answer: signed blocks where the client kept them, else the plain text.
fn thinking(message: &Fields<'_>, path: Arguments<'_>) -> Result<Vec<Block>, TranslateError> {
    if let Some(raw) = message.get("thinking_blocks") {
        let path = format_args!("{path}.thinking_blocks");
        let mut blocks = Vec::new();
        for (at, raw) in list(raw, path)?.into_iter().enumerate() {
            let path = format_args!("{path}[{at}]");
            let part = Fields::read(raw, path)?;
            if let Some(data) = part.typed("data", path, "a string")? {
                blocks.push(Block::RedactedThinking(data));
            }
            let Some(text) = part.typed("thinking", path, "a string")? else { continue };
            blocks.push(Block::Thinking { text, signature: part.typed("signature", path, "a string")? });
        }
        if !blocks.is_empty() {
            return Ok(blocks);
        }
    }
    let text: Option<String> = message.typed("reasoning_content", path, "a string")?;
    Ok(text
        .filter(|text| !text.is_empty())
        .map(|text| Block::Thinking { text, signature: None })
        .into_iter()
        .collect())
}

fn blocks(content: Option<&RawValue>, path: Arguments<'_>) -> Result<Vec<Block>, TranslateError> {
    let Some(raw) = content else { return Ok(Vec::new()) };
    if !raw.get().starts_with('[') {
        let text: Option<String> = typed(raw, path, "a string or a list of parts")?;
        return Ok(text.map(Block::Text).into_iter().collect());
    }
    let parts = list(raw, path)?;
    let mut blocks = Vec::with_capacity(parts.len());
    for (at, raw) in parts.into_iter().enumerate() {
        let path = format_args!("{path}[{at}]");
        if raw.get().starts_with('"') {
            blocks.push(Block::Text(typed(raw, path, "a string")?.unwrap_or_default()));
            continue;
        }
        let fields = Fields::read(raw, path)?;
        blocks.push(part(raw, &fields, path)?);
        blocks.extend(fields.get("cache_control").map(|mark| Block::CachePoint(Raw::from(mark))));
    }
    Ok(blocks)
}

fn part(raw: &RawValue, part: &Fields<'_>, path: Arguments<'_>) -> Result<Block, TranslateError> {
    Ok(match part.required_word("type", path)?.as_ref() {
        "text" => Block::Text(part.required_text("text", path)?),
        "refusal" => Block::Refusal(part.required_text("refusal", path)?),
        "image_url" => image(part.required("image_url", path)?, format_args!("{path}.image_url"))?,
        "input_audio" => {
            let raw = part.required("input_audio", path)?;
            let path = format_args!("{path}.input_audio");
            let audio = Fields::read(raw, path)?;
            Block::Audio {
                data: audio.required_text("data", path)?,
                format: audio.required_text("format", path)?,
            }
        }
        "file" => file(part.required("file", path)?, format_args!("{path}.file"))?,
        _ => Block::Opaque { from: Format::OpenAiChat, raw: Raw::from(raw) },
    })
}

fn image(raw: &RawValue, path: Arguments<'_>) -> Result<Block, TranslateError> {
    if raw.get().starts_with('"') {
        let url = typed(raw, path, "a string")?.unwrap_or_default();
        return Ok(Block::Image { source: address(url, None, path)?, detail: None });
    }
    let image = Fields::read(raw, path)?;
    let format = image.typed("format", path, "a string")?;
    let source = address(image.required_text("url", path)?, format, format_args!("{path}.url"))?;
    Ok(Block::Image { source, detail: image.typed("detail", path, "a string")? })
}

fn file(raw: &RawValue, path: Arguments<'_>) -> Result<Block, TranslateError> {
    let file = Fields::read(raw, path)?;
    let name = file.typed("filename", path, "a string")?;
    let format: Option<String> = file.typed("format", path, "a string")?;
    let source = match file.typed::<String>("file_data", path, "a string")? {
        Some(data) if data.starts_with("data:") => address(data, format, format_args!("{path}.file_data"))?,
        Some(data) => Source::Inline {
            media_type: format.unwrap_or_else(|| "application/octet-stream".to_owned()),
            data,
        },
        None => match file.required_text("file_id", path)? {
            url if url.contains("://") => Source::Url(url),
            id => Source::Id(id),
        },
    };
    let mut hints = file.others(&["filename", "file_data", "file_id"]);
    // What is here says itself what it is; what is elsewhere may not.
    if matches!(source, Source::Inline { .. }) {
        hints.retain(|(name, _)| name != "format");
    }
    Ok(Block::File { source, name, hints })
}

/// A `data:` URI taken apart, or the address as it is. `format` overrides the URI's own media type.
pub(crate) fn address(
    url: String,
    format: Option<String>,
    path: impl Display,
) -> Result<Source, TranslateError> {
    let Some(rest) = url.strip_prefix("data:") else { return Ok(Source::Url(url)) };
    let parts = rest.split_once(',').and_then(|(head, data)| Some((head.strip_suffix(";base64")?, data)));
    let Some((head, data)) = parts else {
        return Err(malformed(path, "must be a data: URI in base64 (data:image/png;base64,…)"));
    };
    let own = head.split(';').next().unwrap_or_default();
    let media_type = match format.as_deref().unwrap_or(own) {
        "image/jpg" => "image/jpeg",
        "" => "application/octet-stream",
        named => named,
    };
    Ok(Source::Inline { media_type: media_type.to_owned(), data: data.to_owned() })
}
