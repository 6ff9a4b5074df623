//! Signatures of reasoning, carried through formats that know only their own kind.
//!
//! | a signature of Google's on | is carried as |
//! | --- | --- |
//! | a call of a function | the end of the call's id, behind `__thought__`: every client sends ids back |
//! | reasoning | that block's signature |
//! | a text | a block of reasoning without text, behind the text |
//!
//! The latter two are marked, because a provider refuses another's signatures. The other way, what signs another
//! provider's reasoning is wrapped in base64 under a label, for Google's clients take a signature for bytes.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

#[cfg(test)]
#[path = "signature_tests.rs"]
mod tests;

/// What a signature of Google's begins with in the canonical value.
const MARK: &str = "gemini:";
/// LiteLLM's separator, so that conversations begun behind it go on behind us.
const SEPARATOR: &str = "__thought__";
/// What another provider's signature begins with, once decoded.
const SIGNED: &str = "signed:";
/// What another provider's unreadable reasoning begins with, once decoded.
const REDACTED: &str = "redacted:";

/// Base64 of `skip_thought_signature_validator`, which Google documents for calls that Gemini did not make.
pub(super) const UNSIGNED_CALL: &str = "c2tpcF90aG91Z2h0X3NpZ25hdHVyZV92YWxpZGF0b3I=";

/// A signature of Google's, as the canonical value holds it.
pub(super) fn marked(signature: &str) -> String {
    format!("{MARK}{signature}")
}

/// A signature of Google's, as Google wrote it; `None` for another provider's.
pub(super) fn unmarked(signature: &str) -> Option<&str> {
    signature.strip_prefix(MARK)
}

/// Whether only Google's models can read this signature.
pub(crate) fn is_googles(signature: &str) -> bool {
    signature.starts_with(MARK)
}

/// The id of a call that carries its signature, in letters that every provider's ids may have.
pub(super) fn signed_id(id: &str, signature: &str) -> String {
    let letter = |letter| match letter {
        '+' => '-',
        '/' => '_',
        letter => letter,
    };
    let signature: String = signature.trim_end_matches('=').chars().map(letter).collect();
    format!("{id}{SEPARATOR}{signature}")
}

/// The id without a signature, and the signature in standard base64.
pub(super) fn split_id(id: &str) -> (&str, Option<String>) {
    let Some((id, signature)) = id.split_once(SEPARATOR) else { return (id, None) };
    let letter = |letter| match letter {
        '-' => '+',
        '_' => '/',
        letter => letter,
    };
    let mut signature: String = signature.trim_end_matches('=').chars().map(letter).collect();
    while !signature.len().is_multiple_of(4) {
        signature.push('=');
    }
    (id, (!signature.is_empty()).then_some(signature))
}

/// The id of a call for providers that are not Google: without the signature, which would be too long for some.
pub(crate) fn plain_id(id: &str) -> &str {
    id.split_once(SEPARATOR).map_or(id, |(id, _)| id)
}

/// What a signature in the hands of a client of Google's is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Held {
    /// Google's own.
    Googles(String),
    /// Another provider's.
    Signed(String),
    /// Another provider's reasoning that only it can read.
    Redacted(String),
}

impl Held {
    /// Reads what a client sends back.
    pub(super) fn read(text: &str) -> Self {
        let decoded = STANDARD.decode(text).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let labelled = |label: &str| decoded.as_deref()?.strip_prefix(label).map(str::to_owned);
        if let Some(signature) = labelled(SIGNED) {
            return Held::Signed(signature);
        }
        labelled(REDACTED).map_or_else(|| Held::Googles(text.to_owned()), Held::Redacted)
    }

    /// What a client is given for the canonical `signature`.
    pub(super) fn write(signature: &str) -> String {
        match unmarked(signature) {
            Some(signature) => signature.to_owned(),
            None => STANDARD.encode(format!("{SIGNED}{signature}")),
        }
    }

    /// What a client is given for another provider's unreadable reasoning.
    pub(super) fn write_redacted(data: &str) -> String {
        STANDARD.encode(format!("{REDACTED}{data}"))
    }
}
