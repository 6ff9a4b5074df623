//! Ollama's own API towards the upstream: chat, text generation, embeddings. Errors of Ollama have a shape
//! that [`crate::openai_chat::fault`] reads.

mod chat;
pub mod embed;
mod generate;
mod reader;
mod request;

pub use chat::OllamaChat;
pub use generate::OllamaGenerate;
