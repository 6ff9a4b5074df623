//! SHA-256 and hexadecimal: how keys and other secrets are known without being kept.

use aws_lc_rs::digest::{SHA256, digest};

/// A SHA-256.
pub type Hash = [u8; 32];

/// The hash of some bytes.
#[must_use]
pub fn hash(bytes: &[u8]) -> Hash {
    let mut out = [0; 32];
    out.copy_from_slice(digest(&SHA256, bytes).as_ref());
    out
}

/// Bytes in lower-case hexadecimal.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        let digit = |value: u8| char::from_digit(u32::from(value), 16).unwrap_or('0');
        text.extend([digit(byte >> 4), digit(byte & 15)]);
        text
    })
}

/// The hash that a hexadecimal text is of.
#[must_use]
pub fn hash_of(hexadecimal: &str) -> Option<Hash> {
    let bytes = hexadecimal.as_bytes();
    let mut hash = [0; 32];
    if bytes.len() != 64 {
        return None;
    }
    for (byte, pair) in hash.iter_mut().zip(bytes.chunks_exact(2)) {
        let digit = |at: usize| char::from(pair[at]).to_digit(16);
        *byte = u8::try_from(digit(0)? * 16 + digit(1)?).ok()?;
    }
    Some(hash)
}

/// What a virtual key is known by, in hexadecimal: of its text, or what is that already.
#[must_use]
pub fn key_id(key: &str) -> String {
    if key.starts_with("sk-") { hex(&hash(key.as_bytes())) } else { key.to_owned() }
}
