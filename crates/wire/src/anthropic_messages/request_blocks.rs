//! The messages of a request and their blocks, read. A kind of block that is not modelled stays whole, so that
//! only a translation into another format can lose it, and then says so.

use std::fmt::Arguments;

use serde_json::value::RawValue;

use crate::chat::{Block, Citation, Role, Source, Turn};
use crate::fault::TranslateError;
use crate::format::Format;
use crate::openai_chat::{Fields, list, malformed, objects, typed};
use crate::raw::Raw;

/// The turns of a conversation, oldest first.
pub(super) fn turns(messages: &[Fields<'_>]) -> Result<Vec<Turn>, TranslateError> {
    let mut turns = Vec::with_capacity(messages.len());
    for (at, message) in messages.iter().enumerate() {
        let path = format_args!("messages[{at}]");
        let role = match message.required_word("role", path)?.as_ref() {
            "user" => Role::User,
            "assistant" => Role::Assistant,
            "system" => Role::System,
            _ => return Err(malformed(format_args!("{path}.role"), "must be user, assistant or system")),
        };
        let blocks = blocks(message.required("content", path)?, format_args!("{path}.content"))?;
        turns.push(Turn::new(role, blocks));
    }
    Ok(turns)
}

/// A string, or a list of blocks.
pub(super) fn blocks(raw: &RawValue, path: Arguments<'_>) -> Result<Vec<Block>, TranslateError> {
    if !raw.get().starts_with('[') {
        let text: Option<String> = typed(raw, path, "a string or a list of blocks")?;
        return Ok(text.map(Block::Text).into_iter().collect());
    }
    let wire = objects(raw, path)?;
    let mut blocks = Vec::with_capacity(wire.len());
    // The blocks as they came, for those that are not modelled.
    let mut whole = Vec::new();
    for (at, fields) in wire.iter().enumerate() {
        if !block(fields, format_args!("{path}[{at}]"), &mut blocks)? {
            if whole.is_empty() {
                whole = list(raw, path)?;
            }
            let raw = whole.get(at).map(|raw| Raw::from(*raw));
            blocks.extend(raw.map(|raw| Block::Opaque { from: Format::AnthropicMessages, raw }));
        }
    }
    Ok(blocks)
}

/// Reads one block; false when it is not modelled.
fn block(fields: &Fields<'_>, path: Arguments<'_>, blocks: &mut Vec<Block>) -> Result<bool, TranslateError> {
    let kind = fields.required_word("type", path)?;
    blocks.push(match kind.as_ref() {
        "text" => Block::Text(fields.required_text("text", path)?),
        "thinking" => {
            let signature: Option<String> = fields.typed("signature", path, "a string")?;
            let text = fields.required_text("thinking", path)?;
            Block::Thinking { text, signature: signature.filter(|signature| !signature.is_empty()) }
        }
        "redacted_thinking" => Block::RedactedThinking(fields.required_text("data", path)?),
        "tool_use" => Block::ToolCall {
            id: fields.required_text("id", path)?,
            name: fields.required_text("name", path)?,
            input: fields.get("input").map_or("{}", RawValue::get).to_owned(),
        },
        "tool_result" => Block::ToolResult {
            id: fields.required_text("tool_use_id", path)?,
            content: match fields.get("content") {
                Some(raw) => self::blocks(raw, format_args!("{path}.content"))?,
                None => Vec::new(),
            },
            failed: fields.typed("is_error", path, "true or false")?.unwrap_or_default(),
        },
        "image" => match source(fields, path)? {
            Some(source) => Block::Image { source, detail: None },
            None => return Ok(false),
        },
        "document" => match source(fields, path)? {
            Some(source) => Block::File {
                source,
                name: fields.typed("title", path, "a string")?,
                hints: fields.others(&["type", "source", "title", "cache_control"]),
            },
            None => return Ok(false),
        },
        _ => return Ok(false),
    });
    if kind == "text"
        && let Some(raw) = fields.get("citations")
    {
        let sources = list(raw, format_args!("{path}.citations"))?.into_iter().map(|raw| {
            Block::Citation(Citation {
                url: None,
                title: None,
                from: Format::AnthropicMessages,
                raw: Raw::from(raw),
            })
        });
        blocks.extend(sources);
    }
    blocks.extend(fields.get("cache_control").map(|raw| Block::CachePoint(Raw::from(raw))));
    Ok(true)
}

/// Where a picture or document is; `None` for a kind of source that is not modelled.
fn source(fields: &Fields<'_>, path: Arguments<'_>) -> Result<Option<Source>, TranslateError> {
    let raw = fields.required("source", path)?;
    let path = format_args!("{path}.source");
    let source = Fields::read(raw, path)?;
    Ok(Some(match source.required_word("type", path)?.as_ref() {
        "base64" => Source::Inline {
            media_type: source.required_text("media_type", path)?,
            data: source.required_text("data", path)?,
        },
        "text" => Source::Text(source.required_text("data", path)?),
        "url" => Source::Url(source.required_text("url", path)?),
        "file" => Source::Id(source.required_text("file_id", path)?),
        _ => return Ok(None),
    }))
}
