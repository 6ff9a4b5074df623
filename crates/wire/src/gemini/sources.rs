//! Pictures, sounds and documents of a request, written with where their bytes are.
//!
//! Google's hosts take some addresses themselves: objects of Cloud Storage, files uploaded to the Gemini API,
//! videos of YouTube; Vertex AI also fetches from the web when it is told what it will find. The bytes of
//! anything else have to be there, see [`GeminiUpstream::needs_bytes`].

use std::borrow::Cow;

use super::encode::GeminiUpstream;
use super::part::{FileData, InlineData, Part};
use crate::chat::{Block, Source};
use crate::fault::TranslateError;
use crate::format::Format;
use crate::openai_chat::malformed;

#[cfg(test)]
#[path = "sources_tests.rs"]
mod tests;

const FILES_API: &str = "https://generativelanguage.googleapis.com/";

impl GeminiUpstream {
    /// Whether the host cannot be told to look at `url` itself, so that the picture or document has to be fetched
    /// and put into the request before it is encoded.
    #[must_use]
    pub fn needs_bytes(self, url: &str) -> bool {
        !(is_googles(url) || (self == Self::Vertex && url.starts_with("https://") && mime_of(url).is_some()))
    }
}

fn is_googles(url: &str) -> bool {
    const PLACES: [&str; 6] = [
        "gs://",
        FILES_API,
        "https://www.youtube.com/",
        "https://youtube.com/",
        "https://m.youtube.com/",
        "https://youtu.be/",
    ];
    PLACES.iter().any(|place| url.starts_with(place))
}

/// The error for what the format has no way to say.
pub(super) fn unsupported(path: &str) -> TranslateError {
    TranslateError::Unsupported { field: path.to_owned(), by: Format::Gemini }
}

/// A picture, sound or document.
pub(super) fn media<'a>(
    block: &'a Block,
    upstream: GeminiUpstream,
    path: &str,
) -> Result<Part<'a>, TranslateError> {
    match block {
        Block::Image { source, .. } => located(source, None, upstream, path),
        Block::Audio { data, format } => {
            let mime_type = Cow::Owned(format!("audio/{format}"));
            Ok(Part { inline_data: Some(InlineData { mime_type, data }), ..Part::default() })
        }
        Block::File { source: Source::Text(text), name, .. } => {
            let title = name.as_ref().map(|name| format!("{name}:\n")).unwrap_or_default();
            Ok(Part::text(title + text))
        }
        Block::File { source, hints, .. } => {
            // Google's callers and OpenAI's have a word each for it.
            let mime = hints.iter().find(|(name, _)| name == "mimeType" || name == "format");
            let mime = mime.map(|(_, raw)| crate::openai_chat::text(raw.value()));
            located(source, mime, upstream, path)
        }
        _ => Err(unsupported(path)),
    }
}

fn located<'a>(
    source: &'a Source,
    mime: Option<Cow<'a, str>>,
    upstream: GeminiUpstream,
    path: &str,
) -> Result<Part<'a>, TranslateError> {
    let file = |file_uri: Cow<'a, str>, mime_type| {
        Ok(Part { file_data: Some(FileData { file_uri, mime_type }), ..Part::default() })
    };
    match source {
        Source::Inline { media_type, data } => {
            let mime_type = Cow::Borrowed(media_type.as_str());
            Ok(Part { inline_data: Some(InlineData { mime_type, data }), ..Part::default() })
        }
        Source::Url(url) if upstream.needs_bytes(url) => {
            Err(malformed(path, "Gemini does not fetch this address: send the data inline"))
        }
        Source::Url(url) => file(Cow::Borrowed(url), mime.or_else(|| mime_of(url).map(Cow::Borrowed))),
        Source::Id(id) if id.starts_with("files/") => {
            file(Cow::Owned(format!("{FILES_API}v1beta/{id}")), mime)
        }
        Source::Id(_) | Source::Text(_) => Err(unsupported(path)),
    }
}

/// What the end of an address says about the file there.
fn mime_of(url: &str) -> Option<&'static str> {
    let path = url.split(['?', '#']).next().unwrap_or_default();
    let (_, extension) = path.rsplit('/').next().unwrap_or_default().rsplit_once('.')?;
    Some(match extension.to_ascii_lowercase().as_str() {
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "webp" => "image/webp",
        "gif" => "image/gif",
        "heic" => "image/heic",
        "heif" => "image/heif",
        "pdf" => "application/pdf",
        "txt" | "md" => "text/plain",
        "csv" => "text/csv",
        "html" => "text/html",
        "mp3" => "audio/mp3",
        "wav" => "audio/wav",
        "flac" => "audio/flac",
        "ogg" => "audio/ogg",
        "aac" => "audio/aac",
        "mp4" => "video/mp4",
        "mov" => "video/mov",
        "webm" => "video/webm",
        "mpeg" | "mpg" => "video/mpeg",
        _ => return None,
    })
}
