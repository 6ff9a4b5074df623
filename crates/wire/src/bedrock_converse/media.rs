//! Pictures, documents, videos and sounds of a request, with where their bytes are: in the request, or in S3.
//! Everything else has to be fetched before, see [`crate::bedrock::needs_bytes`].

use std::borrow::Cow;
use std::collections::HashSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::block::{Document, Location, Media, Piece};
use crate::bedrock::needs_bytes;
use crate::chat::{Block, Source};
use crate::fault::TranslateError;
use crate::format::Format;
use crate::openai_chat::{Fields, malformed};
use crate::raw::Raw;

const ONLY_S3: &str = "Bedrock fetches only s3:// addresses: send the data inline";
const NO_VIDEO: &str = "Bedrock reads no videos of this kind";

/// The error for what the format has no way to say.
pub(super) fn unsupported(path: &str) -> TranslateError {
    TranslateError::Unsupported { field: path.to_owned(), by: Format::BedrockConverse }
}

/// A picture.
pub(super) fn picture<'a>(source: &'a Source, path: &str) -> Result<Piece<'a>, TranslateError> {
    let format = match kind(source, None).as_ref() {
        "png" => "png",
        "jpeg" | "jpg" => "jpeg",
        "gif" => "gif",
        "webp" => "webp",
        _ => return Err(malformed(path, "Bedrock reads PNG, JPEG, GIF and WebP pictures")),
    };
    Ok(Piece::Image(Media { format: Cow::Borrowed(format), source: located(source, path)? }))
}

/// A video.
fn video<'a>(source: &'a Source, path: &str) -> Result<Piece<'a>, TranslateError> {
    let format = video_format(&kind(source, None)).ok_or_else(|| malformed(path, NO_VIDEO))?;
    Ok(Piece::Video(Media { format: Cow::Borrowed(format), source: located(source, path)? }))
}

/// A `video_url` part of a chat completion.
pub(super) fn video_part<'a>(raw: &Raw, path: &str) -> Result<Piece<'a>, TranslateError> {
    let path = format!("{path}.video_url");
    let part = Fields::read(raw.value(), &path)?;
    let video = Fields::read(part.required("video_url", &path)?, &path)?;
    let url = video.required_text("url", &path)?;
    let data = url.strip_prefix("data:").and_then(|rest| rest.split_once(";base64,"));
    let (kind, source) = match data {
        Some((media_type, data)) => {
            (media_type.trim_start_matches("video/").to_owned(), Location::Bytes(Cow::Owned(data.to_owned())))
        }
        None if needs_bytes(&url) => return Err(malformed(&path, ONLY_S3)),
        None => {
            let ending = url.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase());
            (ending.unwrap_or_default(), Location::S3Location { uri: Cow::Owned(url) })
        }
    };
    let format = video_format(&kind).ok_or_else(|| malformed(&path, NO_VIDEO))?;
    Ok(Piece::Video(Media { format: Cow::Borrowed(format), source }))
}

fn video_format(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "mkv" | "x-matroska" => "mkv",
        "mov" | "quicktime" => "mov",
        "mp4" => "mp4",
        "webm" => "webm",
        "flv" | "x-flv" => "flv",
        "mpeg" => "mpeg",
        "mpg" => "mpg",
        "wmv" | "x-ms-wmv" => "wmv",
        "3gp" | "3gpp" => "three_gp",
        _ => return None,
    })
}

/// A sound.
pub(super) fn sound<'a>(data: &'a str, format: &'a str) -> Piece<'a> {
    Piece::Audio(Media { format: Cow::Borrowed(format), source: Location::Bytes(Cow::Borrowed(data)) })
}

/// A [`Block::File`]: documents, and pictures and videos that came as files. `taken` are names used so far.
pub(super) fn file<'a>(
    block: &'a Block,
    taken: &mut HashSet<String>,
    path: &str,
) -> Result<Piece<'a>, TranslateError> {
    let Block::File { source, name, hints } = block else { return Err(unsupported(path)) };
    let hint = |wanted: &str| hints.iter().find(|(name, _)| name == wanted).map(|(_, raw)| raw);
    match source {
        Source::Inline { media_type, .. } if media_type.starts_with("image/") => {
            return picture(source, path);
        }
        Source::Inline { media_type, .. } if media_type.starts_with("video/") => return video(source, path),
        _ => {}
    }
    let format = match kind(source, name.as_deref()).as_ref() {
        "pdf" => "pdf",
        "csv" => "csv",
        "msword" | "doc" => "doc",
        "vnd.openxmlformats-officedocument.wordprocessingml.document" | "docx" => "docx",
        "vnd.ms-excel" | "xls" => "xls",
        "vnd.openxmlformats-officedocument.spreadsheetml.sheet" | "xlsx" => "xlsx",
        "html" => "html",
        "plain" | "txt" => "txt",
        "markdown" | "md" => "md",
        _ => return Err(malformed(path, "Bedrock reads no documents of this kind")),
    };
    let bytes = match source {
        Source::Inline { data, .. } => data.as_bytes(),
        Source::Text(text) | Source::Url(text) | Source::Id(text) => text.as_bytes(),
    };
    Ok(Piece::Document(Document {
        format,
        name: document_name(name.as_deref(), bytes, taken),
        source: located(source, path)?,
        context: hint("context"),
        citations: hint("citations").filter(|raw| is_object(raw)),
    }))
}

fn is_object(raw: &Raw) -> bool {
    raw.text().starts_with('{')
}

fn located<'a>(source: &'a Source, path: &str) -> Result<Location<'a>, TranslateError> {
    Ok(match source {
        Source::Inline { data, .. } => Location::Bytes(Cow::Borrowed(data)),
        Source::Text(text) => Location::Bytes(Cow::Owned(STANDARD.encode(text))),
        Source::Url(url) if !needs_bytes(url) => Location::S3Location { uri: Cow::Borrowed(url) },
        Source::Url(_) => {
            return Err(malformed(path, ONLY_S3));
        }
        Source::Id(_) => return Err(unsupported(path)),
    })
}

/// What a source holds: the second half of its media type or, where that says nothing, the ending of a name.
fn kind<'a>(source: &'a Source, name: Option<&'a str>) -> Cow<'a, str> {
    let ending = |name: &'a str| {
        let (_, ending) = name.rsplit_once('.').unwrap_or_default();
        Cow::Owned(ending.to_ascii_lowercase())
    };
    match source {
        Source::Inline { media_type, .. } if media_type == "application/octet-stream" => {
            ending(name.unwrap_or_default())
        }
        Source::Inline { media_type, .. } => {
            let media_type = media_type.split(';').next().unwrap_or_default();
            Cow::Borrowed(media_type.split_once('/').map_or(media_type, |(_, kind)| kind).trim())
        }
        Source::Url(url) => ending(url),
        Source::Text(_) => Cow::Borrowed("plain"),
        Source::Id(_) => ending(name.unwrap_or_default()),
    }
}

/// A name that Bedrock takes, that no other document of the request has, and that is the same in every request with
/// this document at this place: caches depend on it.
fn document_name(name: Option<&str>, bytes: &[u8], taken: &mut HashSet<String>) -> String {
    /// Bedrock takes 200; the rest is for what tells documents apart.
    const LONGEST: usize = 150;
    let stem = name.unwrap_or("document");
    let stem = stem.rsplit_once('.').map_or(stem, |(stem, _)| stem);
    let letter = |letter: char| match letter {
        'a'..='z' | 'A'..='Z' | '0'..='9' | '-' | '(' | ')' | '[' | ']' => letter,
        _ => ' ',
    };
    let plain: String = stem.chars().take(LONGEST).map(letter).collect();
    let words: Vec<&str> = plain.split_whitespace().collect();
    let stem = if words.is_empty() { "document".to_owned() } else { words.join(" ") };
    let base = format!("{stem} {:08x}", crc32fast::hash(bytes));
    let mut name = base.clone();
    let mut number = 2_usize;
    while !taken.insert(name.clone()) {
        name = format!("{base}-{number}");
        number += 1;
    }
    name
}
