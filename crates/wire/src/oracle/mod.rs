//! Oracle Cloud's generative AI: `POST /20231130/actions/chat` in its generic format. Cohere's models at Oracle have
//! another one, which is not spoken.
//!
//! `encode` writes, `reader` reads by way of OpenAI's shape, which replies have but for the spelling of their names;
//! `signature` signs requests.

mod encode;
mod reader;
pub mod signature;

pub use encode::OracleChat;
