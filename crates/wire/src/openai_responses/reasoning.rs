//! How reasoning travels through formats that are not its provider's, so that it comes back to it intact.
//!
//! | reasoning of | to callers of other formats | to callers of the Responses API |
//! | --- | --- | --- |
//! | OpenAI | a signature `openai_reasoning:ID:CONTENT` | an item with its `encrypted_content` |
//! | others, signed | the signature | an item whose `encrypted_content` is `signed:SIGNATURE` |
//! | others, unreadable | the data | an item whose `encrypted_content` is `redacted:DATA` |
//!
//! What OpenAI encrypts has no colon in it. LiteLLM's spelling is read too: its conversations go on here.

use std::borrow::Cow;

use crate::chat::Block;

const OURS: &str = "openai_reasoning:";
const LITELLM: &str = "litellm_encrypted_reasoning:";
const SIGNED: &str = "signed:";
const REDACTED: &str = "redacted:";

/// What OpenAI wants to see again.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Sealed<'a> {
    /// The id of the item; empty where it is not known.
    pub(super) id: &'a str,
    /// The `encrypted_content`; empty where the item was stored instead.
    pub(super) content: &'a str,
}

/// The signature of an item of OpenAI's, if it has anything worth coming back.
pub(super) fn signature(id: &str, content: &str) -> Option<String> {
    (!id.is_empty() || !content.is_empty()).then(|| format!("{OURS}{}:{content}", id.replace(':', "_")))
}

/// What `signature` holds, if it is OpenAI's.
pub(super) fn open(signature: &str) -> Option<Sealed<'_>> {
    if let Some(content) = signature.strip_prefix(LITELLM) {
        return Some(Sealed { id: "", content });
    }
    let (id, content) = signature.strip_prefix(OURS)?.split_once(':')?;
    Some(Sealed { id, content })
}

/// Whether `signature` is OpenAI's: no other provider takes it.
pub(crate) fn is_openais(signature: &str) -> bool {
    open(signature).is_some()
}

/// The `encrypted_content` of an item that holds reasoning with this signature.
pub(super) fn encrypted(signature: &str) -> Option<Cow<'_, str>> {
    match open(signature) {
        Some(Sealed { content: "", .. }) => None,
        Some(Sealed { content, .. }) => Some(Cow::Borrowed(content)),
        None => Some(Cow::Owned(format!("{SIGNED}{signature}"))),
    }
}

/// The `encrypted_content` of an item that holds what only its provider can read.
pub(super) fn redacted(data: &str) -> String {
    format!("{REDACTED}{data}")
}

/// The block that an item means.
pub(super) fn block(text: String, id: &str, content: &str) -> Block {
    if let Some(data) = content.strip_prefix(REDACTED) {
        return Block::RedactedThinking(data.to_owned());
    }
    let signature = match content.strip_prefix(SIGNED) {
        Some(signature) => Some(signature.to_owned()),
        None => signature(id, content),
    };
    Block::Thinking { text, signature }
}
