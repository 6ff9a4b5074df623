//! Anthropic's Messages API, both halves.
//!
//! Not for same-format traffic: that is spliced, see [`crate::envelope`]. What a tap needs to know of it: a whole
//! reply and `message_start.message` name `model`; usage stands in `message_start.message.usage` and,
//! cumulative, in each `message_delta.usage`, where it wins member by member ([`usage::Counted`] merges them);
//! `message_stop` ends a complete stream; `ping` may come anywhere; `error` is a failure and the last event.
//!
//! Towards the client: `request` and `request_blocks` read, `writer` and `stream_writer` write. Towards the
//! upstream: `encode`, `turns`, `sources` and `tools` write, `reader` and `stream` read what `wire` picks out. `claude` says which model takes what,
//! `hosts` how others than Anthropic serve it.
//!
//! Not carried: the `caller` of a tool call, and the billing header that Claude Code puts among its system
//! blocks, which changes with every build and would spoil the prompt cache of any upstream.

pub(crate) mod betas;
mod block;
mod cited;
pub(crate) mod claude;
pub(crate) mod client_tools;
mod encode;
pub mod fault;
mod finish;
mod hosts;
mod meter;
mod reader;
mod request;
mod request_blocks;
pub(crate) mod schema;
mod sources;
mod stream;
mod stream_writer;
pub(crate) mod thinking;
mod tools;
mod turns;
pub mod usage;
mod wire;
mod writer;

pub(crate) use block::input as arguments;
pub use encode::MessagesUpstream;
pub(crate) use encode::{BOOKKEEPING, JSON_ONLY, UNSAYABLE};
pub use hosts::{BedrockInvoke, VertexRaw};
pub use meter::MessagesMeter;
pub use request::MessagesClient;
pub(crate) use turns::{CONTINUE, LATE_SYSTEM, NO_RESULT};

use crate::openai_chat::{object, text};
use crate::raw::Raw;

/// The tool whose arguments are the answer, for models that can be held to a schema no other way.
pub(crate) const ANSWER_TOOL: &str = "json_tool_call";
pub(crate) const ANSWER_WORDS: &str =
    "Give the final answer by calling this tool, once, with the answer as its input.";

/// Stands in where a tool must be declared because one was once called, and none can be called now.
pub(crate) const UNAVAILABLE: &str = "unavailable_tool";
pub(crate) const UNAVAILABLE_WORDS: &str = "No tool can be called now.";

/// Whether the top-level field `name` of the Messages API changes nothing in the answer: hints, bookkeeping,
/// and what only trims the context. Other formats leave it out without a loss.
pub(crate) fn has_no_effect(name: &str) -> bool {
    const NAMES: [&str; 7] = [
        "anthropic_beta",
        "anthropic_version",
        "betas",
        "cache_control",
        "context_management",
        "inference_geo",
        "speed",
    ];
    NAMES.contains(&name)
}

/// The `type` of a block; empty when it has none.
pub(crate) fn block_type(raw: &Raw) -> String {
    #[derive(serde::Deserialize)]
    struct Typed<'a> {
        #[serde(borrow)]
        r#type: Option<&'a serde_json::value::RawValue>,
    }
    let kind = raw.value();
    object::<Typed<'_>>(kind).and_then(|typed| Some(text(typed.r#type?).into_owned())).unwrap_or_default()
}
