//! The messages of a request and their blocks, read. A kind of block that is not modelled stays whole, so that
//! only a translation into another format can lose it, and then says so.

use serde_json::value::RawValue;

use crate::chat::{Block, Citation, Role, Source, Turn};
use crate::fault::TranslateError;
use crate::format::Format;
use crate::openai_chat::{Fields, list, malformed, objects, typed};
use crate::raw::Raw;

/// The turns of a conversation, oldest first.
pub(super) fn turns(raw: &RawValue) -> Result<Vec<Turn>, TranslateError> {
    let messages = objects(raw, "messages")?;
    let mut turns = Vec::with_capacity(messages.len());
    for (at, message) in messages.into_iter().enumerate() {
        let path = format!("messages[{at}]");
        let role = match message.required_text("role", &path)?.as_str() {
            "user" => Role::User,
            "assistant" => Role::Assistant,
            "system" => Role::System,
            _ => return Err(malformed(&format!("{path}.role"), "must be user, assistant or system")),
        };
        let blocks = blocks(message.required("content", &path)?, &format!("{path}.content"))?;
        turns.push(Turn { role, name: None, blocks });
    }
    Ok(turns)
}

/// A string, or a list of blocks.
pub(super) fn blocks(raw: &RawValue, path: &str) -> Result<Vec<Block>, TranslateError> {
    if !raw.get().starts_with('[') {
        let text: Option<String> = typed(raw, path, "a string or a list of blocks")?;
        return Ok(text.map(Block::Text).into_iter().collect());
    }
    let mut blocks = Vec::new();
    for (at, raw) in list(raw, path)?.into_iter().enumerate() {
        block(raw, &format!("{path}[{at}]"), &mut blocks)?;
    }
    Ok(blocks)
}

fn block(raw: &RawValue, path: &str, blocks: &mut Vec<Block>) -> Result<(), TranslateError> {
    let fields = Fields::read(raw, path)?;
    let kind = fields.required_text("type", path)?;
    blocks.push(match kind.as_str() {
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
                Some(raw) => self::blocks(raw, &format!("{path}.content"))?,
                None => Vec::new(),
            },
            failed: fields.typed("is_error", path, "true or false")?.unwrap_or_default(),
        },
        "image" => match source(&fields, path)? {
            Some(source) => Block::Image { source, detail: None },
            None => Block::Opaque { from: Format::AnthropicMessages, raw: Raw::from(raw) },
        },
        "document" => match source(&fields, path)? {
            Some(source) => Block::File {
                source,
                name: fields.typed("title", path, "a string")?,
                hints: fields.others(&["type", "source", "title", "cache_control"]),
            },
            None => Block::Opaque { from: Format::AnthropicMessages, raw: Raw::from(raw) },
        },
        _ => Block::Opaque { from: Format::AnthropicMessages, raw: Raw::from(raw) },
    });
    if matches!(blocks.last(), Some(Block::Opaque { .. })) {
        return Ok(());
    }
    if kind == "text"
        && let Some(raw) = fields.get("citations")
    {
        let sources = list(raw, &format!("{path}.citations"))?.into_iter().map(|raw| {
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
    Ok(())
}

/// Where a picture or document is; `None` for a kind of source that is not modelled.
fn source(fields: &Fields<'_>, path: &str) -> Result<Option<Source>, TranslateError> {
    let raw = fields.required("source", path)?;
    let path = format!("{path}.source");
    let source = Fields::read(raw, &path)?;
    Ok(Some(match source.required_text("type", &path)?.as_str() {
        "base64" => Source::Inline {
            media_type: source.required_text("media_type", &path)?,
            data: source.required_text("data", &path)?,
        },
        "text" => Source::Text(source.required_text("data", &path)?),
        "url" => Source::Url(source.required_text("url", &path)?),
        "file" => Source::Id(source.required_text("file_id", &path)?),
        _ => return Ok(None),
    }))
}
