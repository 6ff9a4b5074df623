//! OpenAI's Responses API, both halves.
//!
//! Not for same-format traffic: that is spliced, see [`crate::envelope`]. What a tap needs to know of it: `usage`
//! stands in the whole reply and in the `response` of the last event ([`usage::read`]); `response.completed` and
//! `response.incomplete` end a complete stream, `response.failed` and `error` are failures and the last event.
//!
//! Towards the client: `request`, `request_items` and `request_tools` read, `writer` and `stream_writer` write what
//! `response` and `told` frame. Towards the upstream: `encode`, `input` and `tools` write, `reader` and `stream` read what
//! `wire` picks out. [`chain`] continues a response that is kept. `reasoning` says how reasoning comes back intact.
//!
//! Not carried through a translation: ids of items besides reasoning, the `phase` of a message in a reply, and the split
//! of a summary of reasoning into parts (they are joined by an empty line).

pub mod chain;
mod custom;
mod encode;
pub mod fault;
mod input;
mod item;
mod meter;
mod reader;
pub(crate) mod reasoning;
mod request;
mod request_items;
mod request_tools;
mod response;
pub mod routed;
mod stream;
mod stream_writer;
mod told;
mod tools;
pub mod usage;
mod wire;
mod writer;

pub use encode::ResponsesUpstream;
pub use meter::ResponsesMeter;
pub use request::ResponsesClient;
pub use response::response_id;

/// Whether the top-level field `name` of the Responses API changes nothing in the answer: bookkeeping, and what
/// only says how it is told. Other formats leave it out without a loss. A `background` of false never gets here.
pub(crate) fn has_no_effect(name: &str) -> bool {
    const NAMES: [&str; 9] = [
        "client_metadata",
        "context_management",
        "include",
        "metadata",
        "reasoning",
        "store",
        "stream_options",
        "text",
        "truncation",
    ];
    NAMES.contains(&name)
}

/// Whether only the Responses API knows the top-level field `name`, and the answer depends on it.
pub(crate) fn is_only_ours(name: &str) -> bool {
    const NAMES: [&str; 7] = [
        "background",
        "conversation",
        "max_tool_calls",
        "previous_response_id",
        "prompt",
        "tool_choice",
        "tools",
    ];
    NAMES.contains(&name)
}
