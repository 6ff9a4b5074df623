//! Servers that continue a text, or answer with nothing but a text: the conversation is written as one prompt, and a
//! reply is a text with a reason for its end. Tools, pictures and schemas cannot be said there and are losses.
//!
//! Each file has one dialect; `prompt` writes the conversation, `reader` reads every reply.

mod bytez;
mod custom_server;
mod nlp_cloud;
pub(crate) mod prompt;
pub(crate) mod reader;
pub(crate) mod text_generation;
mod triton;
mod watsonx_text;

pub use bytez::Bytez;
pub use custom_server::CustomServer;
pub use nlp_cloud::NlpCloud;
pub use text_generation::TextGeneration;
pub use triton::TritonGenerate;
pub use watsonx_text::WatsonxText;
