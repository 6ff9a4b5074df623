//! A `generateContent` request as clients write it, read into a [`ChatRequest`]. Its contents are
//! `request_parts`', its settings `request_settings`'.
//!
//! Every field is either modelled or kept in `extras` verbatim, in OpenAI's words where OpenAI has one (`top_k`,
//! `modalities`, `web_search_options`); members of `generationConfig` that are not modelled wait there under that name.

use super::members;
use super::request_parts;
use super::request_settings;
use super::writer::GeminiWriter;
use crate::chat::{ChatRequest, Role, Turn};
use crate::codec::{ClientCodec, Inbound};
use crate::fault::TranslateError;
use crate::format::Format;
use crate::openai_chat::{Fields, malformed};
use crate::raw::Raw;

#[cfg(test)]
#[path = "request_tests.rs"]
mod tests;

/// Callers speak `generateContent` to us. What is wanted stands in the path and the query of their request, not in
/// its body; [`super::path::read`] takes the path apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GeminiClient {
    /// The model that the path names.
    pub model: String,
    /// How to stream, for `:streamGenerateContent`; `None` for `:generateContent`.
    pub streamed: Option<Streamed>,
}

/// How a streamed reply is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Streamed {
    /// As server-sent events, for `?alt=sse`.
    Events,
    /// As a JSON array that grows, for everyone else.
    Array,
}

impl ClientCodec for GeminiClient {
    fn format(&self) -> Format {
        Format::Gemini
    }

    fn decode(&self, body: &[u8]) -> Result<Inbound, TranslateError> {
        let fields = members::camel(Fields::of_body(body)?, "body")?;
        let mut request = ChatRequest {
            format: Format::Gemini,
            model: self.model.clone(),
            stream: self.streamed.is_some(),
            // Google's streams always tell.
            stream_usage: true,
            ..ChatRequest::default()
        };
        let mut shows_thoughts = false;
        for (name, raw) in &fields.0 {
            match name.as_ref() {
                // The path says which model.
                "systemInstruction" | "contents" | "model" | "toolConfig" => {}
                _ if raw.get() == "null" => {}
                "generationConfig" => shows_thoughts = request_settings::config(&mut request, raw)?,
                "tools" => request_settings::tools(&mut request, raw)?,
                _ => request.extras.push((name.clone().into_owned(), Raw::from(*raw))),
            }
        }
        if let Some(raw) = fields.get("toolConfig") {
            request_settings::tool_config(&mut request, raw)?;
        }
        if let Some(raw) = fields.get("systemInstruction") {
            let blocks = request_parts::instruction(raw)?;
            request.turns.push(Turn::new(Role::System, blocks));
        }
        let contents = fields.get("contents").ok_or_else(|| malformed("contents", "is required"))?;
        request.turns.extend(request_parts::turns(contents)?);
        let writer = GeminiWriter { shows_thoughts, streamed: self.streamed };
        Ok(Inbound { request, writer: Box::new(writer) })
    }
}
