//! Cohere's chat API, version 2, towards the upstream.
//!
//! `encode` writes the settings and `message` the conversation; `reader` and `stream` read what `wire` picks out
//! of a reply, `logprobs` turns log-probabilities into OpenAI's shape. Errors of Cohere have a shape that
//! [`crate::openai_chat::fault`] reads.
//!
//! A plan of the model for its tools (`tool_plan`) is reasoning here, as is what it says while thinking.

mod encode;
mod logprobs;
mod message;
mod reader;
mod stream;
mod wire;

pub use encode::CohereUpstream;
