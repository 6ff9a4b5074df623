//! The fake provider. Reading order: [`server`] takes a request, [`prompt`] reads it, [`log`] keeps it,
//! [`script`] says how to behave, [`draft`] decides the reply, [`openai`], [`ollama`] and [`embedding`]
//! write it, [`filler`] makes it monstrous, [`play`] paces it onto the wire.

pub mod bench;
mod compose;
mod control;
mod draft;
mod embedding;
mod filler;
mod log;
mod ollama;
mod openai;
mod play;
mod prompt;
mod provider;
mod script;
mod server;

pub use log::{Ending, RecordedRequest};
pub use provider::FakeProvider;
pub use script::{Chunk, Raw, Script, ScriptError, ToolCall};
pub use server::serve;
