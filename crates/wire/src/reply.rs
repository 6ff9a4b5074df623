//! The canonical reply and what it used.

use crate::chat::Block;
use crate::raw::Raw;

/// A whole reply to a [`crate::chat::ChatRequest`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ChatResponse {
    /// The provider's id; empty when it gives none.
    pub id: String,
    /// The model that answered, in the provider's name; empty when it says nothing.
    pub model: String,
    /// The alternatives, by index.
    pub choices: Vec<Choice>,
    /// What it used, if the provider said.
    pub usage: Option<Usage>,
    /// What the provider's guardrails found, verbatim.
    pub trace: Option<Raw>,
}

/// One alternative of a reply.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Choice {
    /// What the model said, in order.
    pub blocks: Vec<Block>,
    /// Why it stopped; absent when the reply was cut.
    pub stop: Option<Stop>,
    /// The stop text that the model met, where the provider says which.
    pub stop_text: Option<String>,
    /// Log-probabilities in OpenAI's shape, verbatim.
    pub logprobs: Option<Raw>,
}

/// Why a choice ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The model was done, or met a stop text.
    End,
    /// The token bound was reached.
    Length,
    /// The model wants tools to be called.
    ToolUse,
    /// A filter cut it.
    Filtered,
    /// The provider paused a long turn; the caller sends the conversation back to go on.
    Paused,
}

/// What a call used, in tokens unless a field says otherwise.
///
/// `input` always includes cached and audio tokens and `output` always includes reasoning: each codec
/// normalises, so that nothing downstream asks which provider it was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// All tokens of the prompt.
    pub input: u64,
    /// All generated tokens.
    pub output: u64,
    /// The part of `input` that was read from the provider's prompt cache.
    pub cache_read: u64,
    /// The part of `input` that was written to the cache (short retention).
    pub cache_write: u64,
    /// The part of `input` that was written to the cache for an hour; not in `cache_write`.
    pub cache_write_1h: u64,
    /// The part of `output` that was reasoning.
    pub reasoning: u64,
    /// The part of `input` that was sound.
    pub audio_input: u64,
    /// The part of `output` that was sound.
    pub audio_output: u64,
    /// Web searches made while answering.
    pub searches: u64,
    /// Units of search that a reranker bills: a question over up to 100 documents is one.
    pub search_units: u64,
    /// The service tier that served the call, where the provider says.
    pub tier: Tier,
    /// What the provider says the call cost, in nano-dollars, where it says.
    pub reported_cost_nano: Option<u64>,
}

/// The service tier a call was served under; it selects the price.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Tier {
    /// Nothing was said, or the standard tier.
    #[default]
    Standard,
    /// Cheaper and slower.
    Flex,
    /// Dearer and faster.
    Priority,
}
