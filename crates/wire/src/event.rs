//! The stream grammar: `Start` (and perhaps a count before it), then blocks opened, fed and closed, then one `Stop` per choice.
//! [`crate::laws`] checks a sequence, [`crate::fold`] turns one into a whole reply.

use crate::chat::Citation;
use crate::format::Format;
use crate::raw::Raw;
use crate::reply::{Stop, Usage};

/// One step of a streamed reply.
#[derive(Clone, Debug, PartialEq)]
pub enum ChatEvent {
    /// The reply begins. Both fields may be empty when the provider does not say.
    Start { id: String, model: String },
    /// A block of choice `choice` begins. Block numbers are unique within the stream.
    Open { block: u32, choice: u32, kind: BlockKind },
    /// More text (or more of a tool call's arguments) for an open block.
    Delta { block: u32, text: String },
    /// The signature of an open block of reasoning; a later one replaces an earlier one.
    Signature { block: u32, signature: String },
    /// A source of the text of an open block.
    Cited { block: u32, citation: Citation },
    /// The block is complete.
    Close { block: u32 },
    /// What the call used; a later one replaces an earlier one. The one event that may come before `Start`:
    /// some providers have counted the prompt by then, and their clients want to know at once.
    Usage(Usage),
    /// Log-probabilities for the tokens just sent of a choice, in OpenAI's shape.
    Logprobs { choice: u32, raw: Raw },
    /// The stop text that the choice met; before its `Stop`.
    Met { choice: u32, text: String },
    /// The choice ends.
    Stop { choice: u32, reason: Stop },
    /// What the provider's guardrails found, verbatim.
    Trace(Raw),
    /// A valid upstream frame that is not modelled. Never interpreted, never logged with its content.
    Unmodeled { tag: String, raw: Raw },
}

/// What a block holds.
#[derive(Clone, Debug, PartialEq)]
pub enum BlockKind {
    /// Text.
    Text,
    /// Reasoning.
    Thinking,
    /// Reasoning that only its provider can read, whole; it has no deltas.
    RedactedThinking(String),
    /// The model declining.
    Refusal,
    /// A tool call; its deltas are the arguments' JSON text.
    ToolCall { id: String, name: String },
    /// A block that no other kind models, whole; it has no deltas.
    Opaque { from: Format, raw: Raw },
}
