//! The fake provider. Reading order: [`server`] takes a request, [`prompt`] reads it, [`log`] keeps it,
//! [`script`] says how to behave, [`refusal`] what the vendor would not take, [`draft`] decides the reply,
//! the module of the dialect writes it, [`filler`] makes it monstrous, [`play`] paces it onto the wire.
//!
//! | dialect | replies | what a request may hold |
//! | --- | --- | --- |
//! | OpenAI chat, completions, embeddings | [`openai`], [`embedding`] | anything |
//! | OpenAI Responses | [`responses`], [`kept_responses`] | [`responses_rules`] |
//! | Anthropic Messages, direct, on Vertex, on Bedrock | [`anthropic`] | [`anthropic_rules`], [`anthropic_turns`] |
//! | Gemini, direct and on Vertex | [`gemini`] | [`gemini_rules`], [`gemini_tools`] |
//! | Bedrock Converse | [`bedrock`], [`event_stream`] | [`bedrock_rules`] |
//! | Cohere chat | [`cohere`] | [`cohere`] |
//! | embeddings of Cohere, Titan, Jina, Voyage, Hugging Face | [`embed`] | [`embed`] |
//! | rankings of Cohere, Bedrock, Jina, Voyage, Together, Infinity, Hugging Face | [`rerank`] | [`rerank_rules`] |
//! | Ollama | [`ollama`], [`embedding`] | anything |
//!
//! All of it is written from the vendors' documentation and shares no code with what it tests.

mod anthropic;
mod anthropic_rules;
mod anthropic_turns;
mod bedrock;
mod bedrock_rules;
pub mod bench;
mod cohere;
mod compose;
mod control;
mod draft;
mod embed;
mod embedding;
mod event_stream;
mod filler;
mod gemini;
mod gemini_rules;
mod gemini_tools;
mod kept_responses;
mod log;
mod ollama;
mod openai;
mod play;
mod prompt;
mod provider;
mod refusal;
mod rerank;
mod rerank_rules;
mod responses;
mod responses_rules;
mod rules;
mod script;
mod server;
mod vendor;

pub use event_stream::payload_part;
pub use log::{Ending, RecordedRequest};
pub use provider::FakeProvider;
pub use script::{Chunk, Raw, Script, ScriptError, ToolCall};
pub use server::serve;
