//! A Messages request as clients write it, read into a [`ChatRequest`]. Its messages are `request_blocks`'.
//!
//! Every field is either modelled or kept in `extras` verbatim; tools that Anthropic runs itself wait there under
//! `tools`, and members of `output_config` that are not modelled under `output_config`.

use serde_json::value::RawValue;

use super::request_blocks::{blocks, turns};
use super::thinking;
use super::writer::MessagesWriter;
use crate::chat::{ChatRequest, Role, Shape, Tool, ToolChoice, Turn};
use crate::codec::{ClientCodec, Inbound};
use crate::fault::TranslateError;
use crate::format::Format;
use crate::openai_chat::{Fields, list, malformed, typed};
use crate::raw::Raw;

#[cfg(test)]
#[path = "request_tests.rs"]
mod tests;

/// Callers speak the Messages API to us.
#[derive(Clone, Copy, Debug, Default)]
pub struct MessagesClient;

impl ClientCodec for MessagesClient {
    fn format(&self) -> Format {
        Format::AnthropicMessages
    }

    fn decode(&self, body: &[u8]) -> Result<Inbound, TranslateError> {
        let (fields, messages) = Fields::of_body_and(body, "messages")?;
        let mut request = ChatRequest {
            format: Format::AnthropicMessages,
            // Anthropic's streams always tell.
            stream_usage: true,
            ..ChatRequest::default()
        };
        for (name, raw) in &fields.0 {
            match name.as_ref() {
                "system" | "messages" => {}
                _ => field(&mut request, name, raw)?,
            }
        }
        if let Some(raw) = fields.get("system") {
            let blocks = system(raw)?;
            request.turns.push(Turn::new(Role::System, blocks));
        }
        request.turns.extend(turns(&messages)?);
        Ok(Inbound { request, writer: Box::new(MessagesWriter) })
    }
}

fn system(raw: &RawValue) -> Result<Vec<crate::chat::Block>, TranslateError> {
    /// What Claude Code says about its own build; no model is meant to read it.
    const BILLING: &str = "x-anthropic-billing-header:";
    let mut blocks = blocks(raw, format_args!("system"))?;
    blocks.retain(|block| !matches!(block, crate::chat::Block::Text(text) if text.starts_with(BILLING)));
    Ok(blocks)
}

fn field(request: &mut ChatRequest, name: &str, raw: &RawValue) -> Result<(), TranslateError> {
    let sampling = &mut request.sampling;
    match name {
        "model" => request.model = typed(raw, name, "a string")?.unwrap_or_default(),
        "stream" => request.stream = typed(raw, name, "true or false")?.unwrap_or_default(),
        "max_tokens" => sampling.max_tokens = typed(raw, name, "a whole number")?,
        "temperature" => sampling.temperature = typed(raw, name, "a number")?,
        "top_p" => sampling.top_p = typed(raw, name, "a number")?,
        "stop_sequences" => sampling.stop = typed(raw, name, "a list of strings")?.unwrap_or_default(),
        "metadata" => {
            if let Some(metadata) = Fields::optional(raw, name)? {
                request.user = metadata.typed("user_id", name, "a string")?;
            }
        }
        "thinking" if raw.get() != "null" => {
            let problem = "must be enabled with budget_tokens, adaptive or disabled";
            request.thinking = Some(thinking::read(raw).ok_or_else(|| malformed("thinking.type", problem))?);
        }
        "tools" => tools(request, raw)?,
        "tool_choice" => tool_choice(request, raw)?,
        "output_format" => output_format(request, raw, name)?,
        "output_config" => output_config(request, raw)?,
        _ if raw.get() == "null" => {}
        _ => request.extras.push((name.to_owned(), Raw::from(raw))),
    }
    Ok(())
}

fn tools(request: &mut ChatRequest, raw: &RawValue) -> Result<(), TranslateError> {
    let mut hosted = Vec::new();
    for (at, raw) in list(raw, "tools")?.into_iter().enumerate() {
        let path = format!("tools[{at}]");
        let tool = Fields::read(raw, &path)?;
        let kind: Option<String> = tool.typed("type", &path, "a string")?;
        if kind.is_some_and(|kind| kind != "custom") {
            hosted.push(Raw::from(raw));
            continue;
        }
        request.tools.push(Tool {
            name: tool.required_text("name", &path)?,
            description: tool.typed("description", &path, "a string")?,
            parameters: tool.get("input_schema").map(Raw::from),
            strict: tool.typed("strict", &path, "true or false")?,
            hints: tool.others(&["type", "name", "description", "input_schema", "strict"]),
        });
    }
    if !hosted.is_empty() {
        let raw = Raw::of(&hosted).map_err(|error| malformed("tools", &error.to_string()))?;
        request.extras.push(("tools".to_owned(), raw));
    }
    Ok(())
}

fn tool_choice(request: &mut ChatRequest, raw: &RawValue) -> Result<(), TranslateError> {
    let path = "tool_choice";
    let Some(choice) = Fields::optional(raw, path)? else { return Ok(()) };
    request.tool_choice = Some(match choice.required_text("type", path)?.as_str() {
        "auto" => ToolChoice::Auto,
        "any" => ToolChoice::Required,
        "none" => ToolChoice::Never,
        "tool" => ToolChoice::Named(choice.required_text("name", path)?),
        _ => return Err(malformed("tool_choice.type", "must be auto, any, tool or none")),
    });
    let single: Option<bool> = choice.typed("disable_parallel_tool_use", path, "true or false")?;
    request.parallel_tool_calls = single.map(|single| !single);
    Ok(())
}

fn output_format(request: &mut ChatRequest, raw: &RawValue, path: &str) -> Result<(), TranslateError> {
    let Some(format) = Fields::optional(raw, path)? else { return Ok(()) };
    if format.required_text("type", path)? != "json_schema" {
        return Err(malformed(format_args!("{path}.type"), "must be json_schema"));
    }
    let schema = Raw::from(format.required("schema", path)?);
    request.shape = Shape::Schema { name: None, schema, strict: Some(true) };
    Ok(())
}

fn output_config(request: &mut ChatRequest, raw: &RawValue) -> Result<(), TranslateError> {
    let path = "output_config";
    let Some(config) = Fields::optional(raw, path)? else { return Ok(()) };
    request.reasoning_effort = config.typed("effort", path, "a string")?;
    if let Some(format) = config.get("format") {
        output_format(request, format, "output_config.format")?;
    }
    if !config.others(&["effort", "format"]).is_empty() {
        request.extras.push((path.to_owned(), Raw::from(raw)));
    }
    Ok(())
}
