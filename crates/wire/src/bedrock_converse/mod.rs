//! Amazon Bedrock's Converse API, towards the upstream: `POST /model/ID/converse` and, with the same body,
//! `/converse-stream`. Not here: where a model is served, see [`crate::bedrock`]; Claude in its own words, see
//! [`crate::anthropic_messages`].
//!
//! `encode` writes the settings, `turns` the conversation, `media` pictures and documents, `tools` tools and the
//! answer's shape, `additional` what only the model itself understands; `reader` and `stream` read. `family` says
//! which model takes what: the API is one, its models are many.
//!
//! Not carried: the `trace` of a guardrail and the `metrics` of a reply.

mod additional;
mod block;
mod encode;
mod family;
pub mod fault;
mod inline;
mod media;
mod reader;
mod reasoning;
mod stream;
mod tools;
mod turns;
mod usage;
mod wire;

pub use encode::ConverseUpstream;
