//! Pictures and documents of a request, written with where their bytes are. What Anthropic would have to fetch
//! without encryption, and kinds of file it does not read, are errors that name the block.

use std::borrow::Cow;
use std::fmt::Arguments;

use super::block::{WireBlock, WireSource};
use crate::chat::{Block, Source};
use crate::fault::TranslateError;
use crate::format::Format;
use crate::openai_chat::malformed;

/// The error for what the format has no way to say.
pub(super) fn unsupported(path: Arguments<'_>) -> TranslateError {
    TranslateError::Unsupported { field: path.to_string(), by: Format::AnthropicMessages }
}

/// A picture.
pub(super) fn picture<'a>(source: &'a Source, path: Arguments<'_>) -> Result<WireBlock<'a>, TranslateError> {
    Ok(WireBlock { r#type: "image", source: Some(located(source, path)?), ..WireBlock::default() })
}

/// A [`Block::File`]: PDF and text are documents, pictures stay pictures.
pub(super) fn document<'a>(block: &'a Block, path: Arguments<'_>) -> Result<WireBlock<'a>, TranslateError> {
    let Block::File { source, name, hints } = block else { return Err(unsupported(path)) };
    let hint = |wanted: &str| hints.iter().find(|(name, _)| name == wanted).map(|(_, raw)| raw);
    let source = match source {
        Source::Inline { media_type, .. } if media_type.starts_with("image/") => {
            return picture(source, path);
        }
        Source::Inline { media_type, data } if media_type.starts_with("text/") => {
            let text = text_of(data).ok_or_else(|| malformed(path, "must be UTF-8 text in base64"))?;
            plain(Cow::Owned(text))
        }
        Source::Inline { media_type, .. } if media_type != "application/pdf" => {
            return Err(malformed(path, "Claude reads PDF and plain text, not other kinds of file"));
        }
        Source::Text(text) => plain(Cow::Borrowed(text)),
        Source::Inline { .. } | Source::Url(_) | Source::Id(_) => located(source, path)?,
    };
    Ok(WireBlock {
        r#type: "document",
        source: Some(source),
        title: name.as_deref(),
        context: hint("context"),
        citing: hint("citations"),
        ..WireBlock::default()
    })
}

fn plain(text: Cow<'_, str>) -> WireSource<'_> {
    WireSource { r#type: "text", media_type: Some("text/plain"), data: Some(text), ..WireSource::default() }
}

fn located<'a>(source: &'a Source, path: Arguments<'_>) -> Result<WireSource<'a>, TranslateError> {
    let wire = WireSource::default();
    Ok(match source {
        Source::Inline { media_type, data } => WireSource {
            r#type: "base64",
            media_type: Some(media_type),
            data: Some(Cow::Borrowed(data)),
            ..wire
        },
        Source::Url(url) if url.starts_with("https://") => {
            WireSource { r#type: "url", url: Some(url), ..wire }
        }
        Source::Url(_) => {
            return Err(malformed(path, "Anthropic fetches only https:// addresses: send the data inline"));
        }
        Source::Id(id) => WireSource { r#type: "file", file_id: Some(id), ..wire },
        Source::Text(_) => return Err(unsupported(path)),
    })
}

/// The text that `data` is the base64 of.
fn text_of(data: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(data.len() / 4 * 3);
    let (mut bits, mut held) = (0_u32, 0_u32);
    for letter in data.bytes().filter(|letter| !letter.is_ascii_whitespace() && *letter != b'=') {
        let value = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'a'..=b'z' => letter - b'a' + 26,
            b'0'..=b'9' => letter - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return None,
        };
        bits = (bits << 6 | u32::from(value)) & 0xff_ffff;
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push((bits >> held & 0xff) as u8);
        }
    }
    String::from_utf8(bytes).ok()
}
