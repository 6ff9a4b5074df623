//! The input of a request, read into turns. What belongs to one answer (reasoning, a message, calls) is one turn of
//! the assistant; every other item is a turn of its own. An item that is not modelled stays whole, so that only a
//! translation into another format can lose it, and then says so.

use std::fmt::Arguments;

use serde_json::value::RawValue;

use super::request_tools::Spaces;
use super::wire::reasoning_text;
use super::{custom, item, reasoning};
use crate::chat::{Block, Role, Source, Turn};
use crate::fault::TranslateError;
use crate::format::Format;
use crate::openai_chat::{Fields, address, list, malformed, typed};
use crate::raw::Raw;

/// Adds the turns that `raw` says.
pub(super) fn read(raw: &RawValue, spaces: &Spaces, turns: &mut Vec<Turn>) -> Result<(), TranslateError> {
    let path = "input";
    if !raw.get().starts_with('[') {
        let text: Option<String> = typed(raw, path, "a string or a list of items")?;
        let blocks = text.map(Block::Text).into_iter().collect();
        turns.push(Turn::new(Role::User, blocks));
        return Ok(());
    }
    for (at, raw) in list(raw, path)?.into_iter().enumerate() {
        let mut turn = read_item(raw, format_args!("{path}[{at}]"), spaces)?;
        // `instructions` are the first system turn, so one of the input's own is told apart by its newer name.
        if turn.role == Role::System && turns.is_empty() {
            turn.role = Role::Developer;
        }
        match turns.last_mut().filter(|last| joins(last, &turn)) {
            Some(last) => {
                last.blocks.extend(turn.blocks);
                last.phase = last.phase.take().or(turn.phase);
            }
            None => turns.push(turn),
        }
    }
    Ok(())
}

/// Whether `more` goes on with the answer that `said` began: a second message is a second answer.
fn joins(said: &Turn, more: &Turn) -> bool {
    let answers = said.role == Role::Assistant && more.role == Role::Assistant;
    answers && !(more.blocks.iter().any(Block::is_prose) && said.blocks.iter().any(Block::is_prose))
}

fn read_item(raw: &RawValue, path: Arguments<'_>, spaces: &Spaces) -> Result<Turn, TranslateError> {
    let item = Fields::read(raw, path)?;
    let kind: Option<String> = item.typed("type", path, "a string")?;
    let whole = |role| {
        Ok(Turn::new(role, vec![Block::Opaque { from: Format::OpenAiResponses, raw: Raw::from(raw) }]))
    };
    let block = match kind.as_deref() {
        None if item.get("role").is_none() && item.get("id").is_some() => return whole(Role::User),
        None | Some("message") => return message(&item, path),
        Some("reasoning") => {
            let said = |name| Ok(item.typed::<String>(name, path, "a string")?.unwrap_or_default());
            let text = reasoning_text(item.get("summary"), item.get("content"));
            reasoning::block(text, &said("id")?, &said("encrypted_content")?)
        }
        Some("function_call") => {
            let name = item.required_text("name", path)?;
            let space: Option<String> = item.typed("namespace", path, "a string")?;
            Block::ToolCall {
                id: item.required_text("call_id", path)?,
                name: space.map_or_else(|| name.clone(), |space| spaces.flat(&space, &name)),
                input: item.typed("arguments", path, "a string")?.unwrap_or_default(),
            }
        }
        Some("custom_tool_call") => Block::ToolCall {
            id: item.required_text("call_id", path)?,
            name: item.required_text("name", path)?,
            input: custom::arguments(&item.required_text("input", path)?),
        },
        Some("function_call_output" | "custom_tool_call_output") => {
            let output = item.required("output", path)?;
            let content = parts(output, format_args!("{path}.output"))?;
            let result =
                Block::ToolResult { id: item.required_text("call_id", path)?, content, failed: false };
            return Ok(Turn::new(Role::Tool, vec![result]));
        }
        Some(kind) if kind.ends_with("_call") || kind == "compaction" => return whole(Role::Assistant),
        Some(kind) if super::wire::is_part_type(kind) => {
            return Err(malformed(format_args!("{path}.type"), "is a part of a message, not an item"));
        }
        Some(_) => return whole(Role::User),
    };
    Ok(Turn::new(Role::Assistant, vec![block]))
}

fn message(item: &Fields<'_>, path: Arguments<'_>) -> Result<Turn, TranslateError> {
    let role = match item.required_word("role", path)?.as_ref() {
        "user" => Role::User,
        "assistant" => Role::Assistant,
        "system" => Role::System,
        "developer" => Role::Developer,
        _ => {
            let problem = "must be user, assistant, system or developer";
            return Err(malformed(format_args!("{path}.role"), problem));
        }
    };
    let blocks = parts(item.required("content", path)?, format_args!("{path}.content"))?;
    Ok(Turn { phase: item.typed("phase", path, "a string")?, ..Turn::new(role, blocks) })
}

/// A string, or a list of parts.
fn parts(raw: &RawValue, path: Arguments<'_>) -> Result<Vec<Block>, TranslateError> {
    if !raw.get().starts_with('[') {
        let text: Option<String> = typed(raw, path, "a string or a list of parts")?;
        return Ok(text.map(Block::Text).into_iter().collect());
    }
    let mut blocks = Vec::new();
    for (at, raw) in list(raw, path)?.into_iter().enumerate() {
        part(raw, format_args!("{path}[{at}]"), &mut blocks)?;
    }
    Ok(blocks)
}

fn part(raw: &RawValue, path: Arguments<'_>, blocks: &mut Vec<Block>) -> Result<(), TranslateError> {
    let part = Fields::read(raw, path)?;
    let kind = part.required_word("type", path)?;
    blocks.push(match kind.as_ref() {
        "input_text" | "text" => Block::Text(part.required_text("text", path)?),
        "output_text" => {
            blocks.push(Block::Text(part.required_text("text", path)?));
            let sources = match part.get("annotations") {
                Some(raw) => list(raw, format_args!("{path}.annotations"))?,
                None => Vec::new(),
            };
            blocks.extend(sources.into_iter().map(|raw| Block::Citation(item::citation(raw))));
            return Ok(());
        }
        "refusal" => Block::Refusal(part.required_text("refusal", path)?),
        "input_image" => {
            let detail = part.typed("detail", path, "a string")?;
            match part.typed::<String>("image_url", path, "a string")? {
                Some(url) => {
                    Block::Image { source: address(url, None, format_args!("{path}.image_url"))?, detail }
                }
                None => Block::Image { source: Source::Id(part.required_text("file_id", path)?), detail },
            }
        }
        "input_file" => file(&part, path)?,
        "input_audio" => {
            let within = format_args!("{path}.input_audio");
            let audio = Fields::read(part.required("input_audio", path)?, within)?;
            Block::Audio {
                data: audio.required_text("data", within)?,
                format: audio.required_text("format", within)?,
            }
        }
        kind if super::wire::is_part_type(kind) => {
            Block::Opaque { from: Format::OpenAiResponses, raw: Raw::from(raw) }
        }
        // Written again it would be an item.
        _ => return Err(malformed(format_args!("{path}.type"), "is not a part of a message")),
    });
    Ok(())
}

fn file(part: &Fields<'_>, path: Arguments<'_>) -> Result<Block, TranslateError> {
    let name: Option<String> = part.typed("filename", path, "a string")?;
    let source = if let Some(data) = part.typed::<String>("file_data", path, "a string")? {
        if data.starts_with("data:") {
            address(data, None, format_args!("{path}.file_data"))?
        } else {
            let pdf = name.as_deref().is_none_or(|name| name.to_ascii_lowercase().ends_with(".pdf"));
            let media_type = if pdf { "application/pdf" } else { "application/octet-stream" };
            Source::Inline { media_type: media_type.to_owned(), data }
        }
    } else if let Some(url) = part.typed("file_url", path, "a string")? {
        Source::Url(url)
    } else {
        Source::Id(part.required_text("file_id", path)?)
    };
    let known = ["type", "filename", "file_data", "file_url", "file_id"];
    Ok(Block::File { source, name, hints: part.others(&known) })
}
