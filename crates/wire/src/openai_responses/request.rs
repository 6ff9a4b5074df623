//! A Responses request as clients write it, read into a [`ChatRequest`]. Its input is `request_items`', its tools
//! are `request_tools`'.
//!
//! Every field is either modelled or kept in `extras` verbatim. What an object holds besides a modelled member waits
//! there under the object's name (`reasoning`, `text`); `text.verbosity` does as `verbosity`, OpenAI's other name for it.

use serde_json::value::RawValue;

use super::request_items;
use super::request_tools::{self, Spaces};
use super::response::Echo;
use super::writer::ResponsesWriter;
use crate::chat::{Block, ChatRequest, Role, Shape, Turn};
use crate::codec::{ClientCodec, Inbound};
use crate::fault::TranslateError;
use crate::format::Format;
use crate::openai_chat::{Fields, malformed, typed};
use crate::raw::Raw;

#[cfg(test)]
#[path = "request_tests.rs"]
mod tests;

/// Callers speak the Responses API to us.
#[derive(Clone, Copy, Debug, Default)]
pub struct ResponsesClient;

/// With one of these there may be nothing new to say.
const CONTEXT: [&str; 3] = ["conversation", "previous_response_id", "prompt"];

impl ClientCodec for ResponsesClient {
    fn format(&self) -> Format {
        Format::OpenAiResponses
    }

    fn decode(&self, body: &[u8]) -> Result<Inbound, TranslateError> {
        let fields = Fields::of_body(body)?;
        let mut request = ChatRequest {
            format: Format::OpenAiResponses,
            // These streams always tell.
            stream_usage: true,
            ..ChatRequest::default()
        };
        let mut spaces = Spaces::default();
        for (name, raw) in fields.0.iter().filter(|(_, raw)| raw.get() != "null") {
            match name.as_ref() {
                "instructions" | "input" => {}
                "tools" => spaces = request_tools::tools(&mut request, raw)?,
                _ => field(&mut request, name, raw)?,
            }
        }
        if let Some(raw) = fields.get("instructions") {
            let text = typed(raw, "instructions", "a string")?.map(Block::Text);
            let blocks = text.into_iter().collect();
            request.turns.push(Turn::new(Role::System, blocks));
        }
        match fields.get("input") {
            Some(raw) => request_items::read(raw, &spaces, &mut request.turns)?,
            None if CONTEXT.iter().any(|name| fields.get(name).is_some()) => {}
            None => return Err(malformed("input", "is required")),
        }
        let writer = ResponsesWriter { echo: Echo::of(&fields), customs: customs(&request), spaces };
        Ok(Inbound { request, writer: Box::new(writer) })
    }
}

fn customs(request: &ChatRequest) -> Vec<String> {
    let customs = request.tools.iter().filter(|tool| super::custom::declared(tool).is_some());
    customs.map(|tool| tool.name.clone()).collect()
}

fn field(request: &mut ChatRequest, name: &str, raw: &RawValue) -> Result<(), TranslateError> {
    let sampling = &mut request.sampling;
    match name {
        "model" => request.model = typed(raw, name, "a string")?.unwrap_or_default(),
        "stream" => request.stream = typed(raw, name, "true or false")?.unwrap_or_default(),
        "max_output_tokens" => sampling.max_tokens = typed(raw, name, "a whole number")?,
        "temperature" => sampling.temperature = typed(raw, name, "a number")?,
        "top_p" => sampling.top_p = typed(raw, name, "a number")?,
        "top_logprobs" => sampling.top_logprobs = typed(raw, name, "a whole number")?,
        "parallel_tool_calls" => request.parallel_tool_calls = typed(raw, name, "true or false")?,
        "user" => request.user = typed(raw, name, "a string")?,
        "tool_choice" => request_tools::choice(request, raw)?,
        "text" => text(request, raw)?,
        "reasoning" => {
            let reasoning = Fields::read(raw, name)?;
            request.reasoning_effort = reasoning.typed("effort", name, "a string")?;
            if !reasoning.others(&["effort"]).is_empty() {
                request.extras.push((name.to_owned(), Raw::from(raw)));
            }
        }
        "include" => {
            let include: Vec<String> = typed(raw, name, "a list of strings")?.unwrap_or_default();
            if include.iter().any(|what| what == "message.output_text.logprobs") {
                sampling.logprobs = Some(true);
            }
            request.extras.push((name.to_owned(), Raw::from(raw)));
        }
        "background" => {
            if typed(raw, name, "true or false")? == Some(true) {
                request.extras.push((name.to_owned(), Raw::from(raw)));
            }
        }
        _ => request.extras.push((name.to_owned(), Raw::from(raw))),
    }
    Ok(())
}

fn text(request: &mut ChatRequest, raw: &RawValue) -> Result<(), TranslateError> {
    let text = Fields::read(raw, "text")?;
    let mut kept = !text.others(&["format", "verbosity"]).is_empty();
    if let Some(raw) = text.get("format") {
        let path = "text.format";
        let format = Fields::read(raw, path)?;
        request.shape = match format.required_text("type", path)?.as_str() {
            "text" => Shape::Text,
            "json_object" => Shape::Json,
            "json_schema" => Shape::Schema {
                name: format.typed("name", path, "a string")?,
                schema: Raw::from(format.required("schema", path)?),
                strict: format.typed("strict", path, "true or false")?,
            },
            // A grammar: only this API has it.
            _ => {
                kept = true;
                Shape::Text
            }
        };
    }
    if let Some(raw) = text.get("verbosity") {
        request.extras.push(("verbosity".to_owned(), Raw::from(raw)));
    }
    if kept {
        request.extras.push(("text".to_owned(), Raw::from(raw)));
    }
    Ok(())
}
