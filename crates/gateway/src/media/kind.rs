//! What media are: told by their first bytes, else by what their host says.

use super::{Media, MediaError};

/// What media are wanted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Expect {
    /// A picture.
    Image,
    /// Anything a model may be shown.
    Any,
}

impl Expect {
    pub(super) fn admit(self, media: Media) -> Result<Media, MediaError> {
        let kind = media.media_type.split('/').next().unwrap_or_default();
        let (fits, expected) = match self {
            Self::Image => (kind == "image", "image/*"),
            Self::Any => (
                matches!(kind, "image" | "text" | "audio" | "video") || media.media_type == "application/pdf",
                "image/*, audio/*, video/*, text/* or application/pdf",
            ),
        };
        if fits { Ok(media) } else { Err(MediaError::Type { found: media.media_type, expected }) }
    }
}

/// The media type of `bytes`, where `said` is what a header says.
pub(super) fn of(bytes: &[u8], said: Option<&str>) -> String {
    if let Some(told) = told(bytes) {
        return told.to_owned();
    }
    let said = said.and_then(|said| said.split(';').next()).unwrap_or_default().trim().to_ascii_lowercase();
    let plain = |c: char| c.is_ascii_alphanumeric() || "/+-._".contains(c);
    if said.contains('/') && said.len() <= 100 && said.chars().all(plain) {
        said
    } else {
        "application/octet-stream".to_owned()
    }
}

fn told(bytes: &[u8]) -> Option<&'static str> {
    let at = |from: usize, len: usize| bytes.get(from..from + len).unwrap_or_default();
    let starts = [
        (&b"\x89PNG\r\n\x1a\n"[..], "image/png"),
        (b"\xff\xd8\xff", "image/jpeg"),
        (b"GIF87a", "image/gif"),
        (b"GIF89a", "image/gif"),
        (b"II*\0", "image/tiff"),
        (b"MM\0*", "image/tiff"),
        (b"%PDF-", "application/pdf"),
        (b"ID3", "audio/mpeg"),
        (b"fLaC", "audio/flac"),
        (b"OggS", "audio/ogg"),
        (b"\x1a\x45\xdf\xa3", "video/webm"),
    ];
    if let Some((_, told)) = starts.iter().find(|(start, _)| bytes.starts_with(start)) {
        return Some(told);
    }
    match (at(0, 4), at(4, 4), at(8, 4)) {
        (b"RIFF", _, b"WEBP") => Some("image/webp"),
        (b"RIFF", _, b"WAVE") => Some("audio/wav"),
        (_, b"ftyp", b"avif" | b"avis") => Some("image/avif"),
        (_, b"ftyp", b"heic" | b"heix" | b"mif1") => Some("image/heic"),
        (_, b"ftyp", b"M4A ") => Some("audio/mp4"),
        (_, b"ftyp", b"qt  ") => Some("video/quicktime"),
        (_, b"ftyp", b"isom" | b"iso2" | b"mp41" | b"mp42" | b"avc1") => Some("video/mp4"),
        _ => None,
    }
}
