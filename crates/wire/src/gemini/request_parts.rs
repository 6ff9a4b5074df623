//! The contents of a request and their parts, read. A kind of part that is not modelled stays whole, so that only a
//! translation into another format can lose it, and then says so.

use serde_json::value::RawValue;

use super::members::read;
use super::signature::{Held, marked, signed_id};
use super::{arguments, signature};
use crate::chat::{Block, Role, Source, Turn};
use crate::fault::TranslateError;
use crate::format::Format;
use crate::openai_chat::{Fields, list, malformed, typed};
use crate::raw::Raw;

/// Members of a part that are modelled.
const MODELLED: [&str; 8] = [
    "text",
    "thought",
    "thoughtSignature",
    "inlineData",
    "fileData",
    "functionCall",
    "functionResponse",
    "mediaResolution",
];

/// The turns of a conversation, oldest first: one for each content.
pub(super) fn turns(raw: &RawValue) -> Result<Vec<Turn>, TranslateError> {
    // One content, or the words of one, may stand for a list.
    let contents = if raw.get().starts_with('[') { list(raw, "contents")? } else { vec![raw] };
    let mut reader = Reader::default();
    let mut turns = Vec::with_capacity(contents.len());
    for (at, raw) in contents.into_iter().enumerate() {
        let path = format!("contents[{at}]");
        if raw.get().starts_with('"') {
            let blocks = reader.parts(raw, &path, at)?;
            turns.push(Turn::new(Role::User, blocks));
            continue;
        }
        let content = read(raw, &path)?;
        let role: Option<String> = content.typed("role", &path, "a string")?;
        let role = match role.as_deref() {
            None | Some("" | "user" | "function") => Role::User,
            Some("model") => Role::Assistant,
            Some("system") => Role::System,
            Some(_) => return Err(malformed(format_args!("{path}.role"), "must be user or model")),
        };
        let blocks = match content.get("parts") {
            Some(parts) => reader.parts(parts, &format!("{path}.parts"), at)?,
            None => Vec::new(),
        };
        turns.push(Turn::new(role, blocks));
    }
    Ok(turns)
}

/// The system instruction: a string, a content, or parts.
pub(super) fn instruction(raw: &RawValue) -> Result<Vec<Block>, TranslateError> {
    let path = "systemInstruction";
    let mut reader = Reader::default();
    if raw.get().starts_with('{') {
        let content = read(raw, path)?;
        if let Some(parts) = content.get("parts") {
            return reader.parts(parts, "systemInstruction.parts", 0);
        }
    }
    reader.parts(raw, path, 0)
}

/// What later parts need to know of earlier ones.
#[derive(Default)]
struct Reader {
    /// Calls that have no result yet: the function, its own id, and the id we gave it.
    waiting: Vec<(String, Option<String>, String)>,
}

impl Reader {
    /// A list of parts, or one alone; each may be a string.
    fn parts(&mut self, raw: &RawValue, path: &str, content: usize) -> Result<Vec<Block>, TranslateError> {
        let parts = if raw.get().starts_with('[') { list(raw, path)? } else { vec![raw] };
        let mut blocks = Vec::new();
        for (at, raw) in parts.into_iter().enumerate() {
            let path = format!("{path}[{at}]");
            if raw.get().starts_with('"') {
                blocks.extend(typed(raw, &path, "a string")?.map(Block::Text));
                continue;
            }
            self.part(raw, &path, &format!("call_{content}_{at}"), &mut blocks)?;
        }
        Ok(blocks)
    }

    fn part(
        &mut self,
        raw: &RawValue,
        path: &str,
        id: &str,
        blocks: &mut Vec<Block>,
    ) -> Result<(), TranslateError> {
        let part = read(raw, path)?;
        let signature: Option<String> = part.typed("thoughtSignature", path, "a string")?;
        let signature = signature.filter(|signature| !signature.is_empty());
        let text: Option<String> = part.typed("text", path, "a string")?;
        let foreign =
            part.0.iter().any(|(name, raw)| !MODELLED.contains(&name.as_ref()) && raw.get() != "null");
        if let Some(text) = text.filter(|_| !foreign) {
            let thought: Option<bool> = part.typed("thought", path, "true or false")?;
            said(text, thought.unwrap_or_default(), signature.as_deref().map(Held::read), blocks);
        } else if let Some(call) = part.get("functionCall").filter(|_| !foreign) {
            blocks.push(self.call(call, signature, &format!("{path}.functionCall"), id)?);
        } else if let Some(response) = part.get("functionResponse").filter(|_| !foreign) {
            blocks.push(self.response(response, &format!("{path}.functionResponse"), id)?);
        } else {
            let kept = || Block::Opaque { from: Format::Gemini, raw: Raw::from(raw) };
            let media = if foreign || signature.is_some() { None } else { media(&part, path)? };
            blocks.push(media.unwrap_or_else(kept));
        }
        Ok(())
    }

    fn call(
        &mut self,
        raw: &RawValue,
        signature: Option<String>,
        path: &str,
        made_up: &str,
    ) -> Result<Block, TranslateError> {
        let call = read(raw, path)?;
        let name = call.required_text("name", path)?;
        let own: Option<String> = call.typed("id", path, "a string")?;
        let own = own.filter(|id| !id.is_empty());
        let plain = own.clone().unwrap_or_else(|| made_up.to_owned());
        let id = signature.map_or_else(|| plain.clone(), |signature| signed_id(&plain, &signature));
        let input = match call.get("args") {
            Some(raw) => Fields::read(raw, format_args!("{path}.args")).map(|_| raw.get())?,
            None => "{}",
        };
        self.waiting.push((name.clone(), own, id.clone()));
        Ok(Block::ToolCall { id, name, input: input.to_owned() })
    }

    /// A result belongs to the call with its id; without one, to the first call of its function that has none.
    fn response(&mut self, raw: &RawValue, path: &str, made_up: &str) -> Result<Block, TranslateError> {
        let response = read(raw, path)?;
        let name = response.required_text("name", path)?;
        let own: Option<String> = response.typed("id", path, "a string")?;
        let own = own.filter(|id| !id.is_empty());
        let place = self.waiting.iter().position(|(called, id, _)| match &own {
            Some(own) => id.as_ref() == Some(own),
            None => *called == name,
        });
        let id = match place {
            Some(place) => self.waiting.remove(place).2,
            None => own.unwrap_or_else(|| made_up.to_owned()),
        };
        let given = response.get("response").map(Raw::from);
        let (text, failed) = given.as_ref().map(arguments::result_text).unwrap_or_default();
        let mut content = vec![Block::Text(text)];
        let shown = response.get("parts").map(|raw| list(raw, path)).transpose()?.unwrap_or_default();
        for (at, raw) in shown.into_iter().enumerate() {
            self.part(raw, &format!("{path}.parts[{at}]"), made_up, &mut content)?;
        }
        Ok(Block::ToolResult { id, content, failed })
    }
}

fn said(text: String, thought: bool, signature: Option<Held>, blocks: &mut Vec<Block>) {
    let signed = |text, signature| Block::Thinking { text, signature: Some(signature) };
    match (thought, signature) {
        (false, None) => blocks.push(Block::Text(text)),
        (true, None) => blocks.push(Block::Thinking { text, signature: None }),
        (true, Some(Held::Googles(signature))) => blocks.push(signed(text, marked(&signature))),
        (true, Some(Held::Signed(signature))) => {
            // A stream gave it in pieces, with the signature at the end; it signs them all.
            let mut whole = String::new();
            let unsigned = |block: &Block| matches!(block, Block::Thinking { signature: None, .. });
            let from = blocks.iter().rposition(|block| !unsigned(block)).map_or(0, |at| at + 1);
            for block in blocks.drain(from..) {
                if let Block::Thinking { text, .. } = block {
                    whole.push_str(&text);
                }
            }
            blocks.push(signed(whole + &text, signature));
        }
        (_, Some(Held::Redacted(data))) => blocks.push(Block::RedactedThinking(data)),
        (false, Some(held)) => {
            if !text.is_empty() {
                blocks.push(Block::Text(text));
            }
            let signature = match held {
                Held::Googles(signature) => signature::marked(&signature),
                Held::Signed(signature) | Held::Redacted(signature) => signature,
            };
            blocks.push(signed(String::new(), signature));
        }
    }
}

/// A picture, sound or document; `None` for a part that is none.
fn media(part: &Fields<'_>, path: &str) -> Result<Option<Block>, TranslateError> {
    if let Some(raw) = part.get("inlineData") {
        let path = format!("{path}.inlineData");
        let inline = read(raw, &path)?;
        let media_type = inline.required_text("mimeType", &path)?;
        let data = inline.required_text("data", &path)?;
        let name = inline.typed("displayName", &path, "a string")?;
        if let Some(format) = media_type.strip_prefix("audio/") {
            // OpenAI's words for the two formats that it takes.
            let format = match format {
                "mpeg" => "mp3",
                "x-wav" | "wave" => "wav",
                other => other,
            };
            return Ok(Some(Block::Audio { data, format: format.to_owned() }));
        }
        if media_type.starts_with("image/") {
            let source = Source::Inline { media_type, data };
            return Ok(Some(Block::Image { source, detail: detail(part, &path)? }));
        }
        return Ok(Some(Block::File {
            source: Source::Inline { media_type, data },
            name,
            hints: Vec::new(),
        }));
    }
    let Some(raw) = part.get("fileData") else { return Ok(None) };
    let path = format!("{path}.fileData");
    let file = read(raw, &path)?;
    let source = Source::Url(file.required_text("fileUri", &path)?);
    let name = file.typed("displayName", &path, "a string")?;
    let mime: Option<String> = file.typed("mimeType", &path, "a string")?;
    Ok(Some(match mime {
        Some(mime) if mime.starts_with("image/") => Block::Image { source, detail: detail(part, &path)? },
        _ => {
            let hint = file.get("mimeType").map(|raw| ("mimeType".to_owned(), Raw::from(raw)));
            Block::File { source, name, hints: hint.into_iter().collect() }
        }
    }))
}

fn detail(part: &Fields<'_>, path: &str) -> Result<Option<String>, TranslateError> {
    let Some(raw) = part.get("mediaResolution") else { return Ok(None) };
    let level: Option<String> = read(raw, path)?.typed("level", path, "a string")?;
    let word = match level.as_deref() {
        Some("MEDIA_RESOLUTION_LOW") => "low",
        Some("MEDIA_RESOLUTION_HIGH" | "MEDIA_RESOLUTION_ULTRA_HIGH") => "high",
        _ => return Ok(None),
    };
    Ok(Some(word.to_owned()))
}
