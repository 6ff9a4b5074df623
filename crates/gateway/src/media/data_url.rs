//! `data:` URLs (RFC 2397): media that are their own address.

use base64::Engine as _;
use base64::alphabet::{Alphabet, STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::{Media, MediaError, kind};

/// What follows `data:`.
pub(super) fn strip(url: &str) -> Option<&str> {
    let (scheme, rest) = url.trim_start().split_at_checked(5)?;
    scheme.eq_ignore_ascii_case("data:").then_some(rest)
}

/// The medium in `[type][;base64],data`.
pub(super) fn decode(rest: &str, limit: usize) -> Result<Media, MediaError> {
    let (head, data) = rest.split_once(',').ok_or(MediaError::Url("is a data: URL without a comma"))?;
    let head = head.trim();
    let (said, is_base64) = match head.rsplit_once(';') {
        Some((said, last)) if last.trim().eq_ignore_ascii_case("base64") => (said, true),
        _ => (head, false),
    };
    // Three bytes come from four characters of base64, one from three of percent-encoding.
    let least = if is_base64 { data.len() / 4 * 3 } else { data.len() / 3 };
    if limit > 0 && least > limit.saturating_add(3) && !data.contains(['\n', '\r', ' ']) {
        return Err(MediaError::TooLarge { limit });
    }
    let bytes = unescape(data);
    let bytes = if is_base64 { from_base64(bytes)? } else { bytes };
    if limit > 0 && bytes.len() > limit {
        return Err(MediaError::TooLarge { limit });
    }
    let said = if said.is_empty() { "text/plain" } else { said };
    Ok(Media { media_type: kind::of(&bytes, Some(said)), bytes: bytes.into() })
}

fn from_base64(mut text: Vec<u8>) -> Result<Vec<u8>, MediaError> {
    text.retain(|byte| !byte.is_ascii_whitespace());
    let alphabet: &Alphabet =
        if text.iter().any(|byte| matches!(byte, b'-' | b'_')) { &URL_SAFE } else { &STANDARD };
    let config = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    GeneralPurpose::new(alphabet, config)
        .decode(text)
        .map_err(|_| MediaError::Broken("are not the base64 they are said to be"))
}

fn unescape(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let escaped = match (byte, after) {
            (b'%', [high, low, ..]) => hex(*high).zip(hex(*low)).map(|(high, low)| high << 4 | low),
            _ => None,
        };
        out.push(escaped.unwrap_or(byte));
        rest = if escaped.is_some() { &after[2..] } else { after };
    }
    out
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16)?.try_into().ok()
}
