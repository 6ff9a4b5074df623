//! What bytes mean: the canonical values of a call, the codecs between them and each wire format,
//! the framing of streams and the table of providers.
//!
//! Not here, on purpose: sockets, clocks, randomness, environment variables, logging. Everything is a
//! pure function or a state machine fed by its caller, so all of it is tested without a network.
//!
//! Map, in reading order:
//! - [mod@format]: the wire dialects by name, and the operation each one carries
//! - [`chat`], [`reply`], [`event`], [`embed`], [`rerank`]: the canonical values
//! - [`codec`], [`embed_codec`]: the seam every format implements, both directions
//! - [`codecs`], [`embeddings`], [`rerank`]: who implements it, as tables; [`dialect`]: the ways of single vendors
//! - [`wording`]: what a translation cannot say, in the caller's words
//! - [`envelope`], [`tap`], [`meter`], [`scan`]: same-format traffic, spliced and metered without building a tree
//! - [`frame`]: bytes of a stream cut into frames, resumable at any byte
//! - [`bedrock`], [`sigv4`]: where Amazon serves a model, and how a call to it is signed
//! - [`provider`]: vendors as rows of a table
//! - [`fault`]: what an upstream's failure means

pub mod anthropic_messages;
pub mod bedrock;
pub mod bedrock_converse;
pub mod chat;
mod check;
pub mod codec;
pub mod codecs;
pub mod cohere_chat;
pub mod dialect;
pub mod embed;
pub mod embed_codec;
pub mod embeddings;
pub mod envelope;
pub mod event;
mod extras;
pub mod fault;
pub mod fold;
pub mod format;
pub mod frame;
pub mod gemini;
mod in_turn;
pub mod laws;
mod members;
pub mod meter;
pub mod ollama;
pub mod openai_chat;
pub mod openai_completions;
pub mod openai_embeddings;
pub mod openai_responses;
pub mod oracle;
pub mod prompted;
pub mod provider;
pub mod raw;
pub mod replicate;
pub mod reply;
pub mod rerank;
pub mod sagemaker;
pub mod scan;
pub mod sigv4;
pub mod tap;
pub mod watsonx;
pub mod wording;
