//! OpenAI chat completions, both halves, with the oddities of the servers that imitate it.
//!
//! Not for same-format traffic: that is spliced and tapped, see [`crate::envelope`] and [`crate::tap`];
//! it shares only [`usage`] and [`fault`] with the codecs here.
//!
//! Towards the client: `request` and `message` read, `writer` and `stream_writer` write. Towards the
//! upstream: `encode` writes, `reader` and `stream` read what `chunk` picks out of a reply.

mod beside;
mod chunk;
mod encode;
mod encode_message;
pub mod fault;
mod fields;
pub(crate) mod finish;
mod message;
mod reader;
pub(crate) mod renames;
mod request;
pub(crate) mod search;
pub(crate) mod speech;
mod stream;
mod stream_writer;
pub(crate) mod think;
pub mod usage;
mod writer;
pub(crate) mod written;

pub use encode::ChatUpstream;
pub use request::ChatClient;

pub(crate) use chunk::{object, text};
pub(crate) use encode::function_tool;
pub(crate) use fields::{Fields, list, malformed, objects, typed};
pub(crate) use message::address;
pub(crate) use request::field;
pub(crate) use writer::{frame, json, or};

/// An id for a tool call that the upstream left without one: the same call and position give the same id.
/// At most 40 characters, which is what OpenAI accepts when the id comes back in a later request.
pub(crate) fn tool_call_id(call_id: &str, position: usize) -> String {
    const KEPT: usize = 24;
    let plain: Vec<char> = call_id.chars().filter(char::is_ascii_alphanumeric).collect();
    let tail: String = plain[plain.len().saturating_sub(KEPT)..].iter().collect();
    format!("call_{tail}_{position}")
}
