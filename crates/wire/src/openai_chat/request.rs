//! A chat completion request as clients write it, read into a [`ChatRequest`].
//!
//! Every field of the OpenAI API is either modelled or kept in `extras` verbatim. A modelled field in a shape
//! that the canonical value has no word for (a `custom` tool, a `tool_choice` of `allowed_tools`) is kept in
//! `extras` under its own name as well, so that an OpenAI upstream still gets it and others report a loss.

use serde_json::value::RawValue;

use super::fields::{Fields, list, malformed, typed};
use super::message;
use super::writer::ChatWriter;
use crate::anthropic_messages::thinking;
use crate::chat::{ChatRequest, Shape, Tool, ToolChoice};
use crate::codec::{ClientCodec, Inbound};
use crate::fault::TranslateError;
use crate::format::Format;
use crate::raw::Raw;

#[cfg(test)]
#[path = "request_tests.rs"]
mod tests;

/// Callers speak OpenAI chat completions to us.
#[derive(Clone, Copy, Debug, Default)]
pub struct ChatClient;

impl ClientCodec for ChatClient {
    fn format(&self) -> Format {
        Format::OpenAiChat
    }

    fn decode(&self, body: &[u8]) -> Result<Inbound, TranslateError> {
        let (fields, messages) = Fields::of_body_and(body, "messages")?;
        let mut request = ChatRequest::default();
        let mut functions = false;
        for (name, raw) in &fields.0 {
            match name.as_ref() {
                "messages" => {}
                "functions" | "function_call" if raw.get() != "null" => {
                    functions = true;
                    legacy(&mut request, name, raw)?;
                }
                _ => field(&mut request, name, raw)?,
            }
        }
        request.turns = message::read(&messages)?;
        let writer = ChatWriter { stream_usage: request.stream_usage, functions };
        Ok(Inbound { request, writer: Box::new(writer) })
    }
}

/// Reads a field that chat and text completions share; what is not modelled becomes an extra.
pub(crate) fn field(request: &mut ChatRequest, name: &str, raw: &RawValue) -> Result<(), TranslateError> {
    let sampling = &mut request.sampling;
    match name {
        "model" => request.model = typed(raw, name, "a string")?.unwrap_or_default(),
        "stream" => request.stream = typed(raw, name, "true or false")?.unwrap_or_default(),
        "stream_options" => request.stream_usage = include_usage(raw)?,
        "temperature" => sampling.temperature = typed(raw, name, "a number")?,
        "top_p" => sampling.top_p = typed(raw, name, "a number")?,
        "max_completion_tokens" => {
            sampling.max_tokens = typed(raw, name, "a whole number")?.or(sampling.max_tokens);
        }
        // The newer name wins wherever it stands, so the older one only fills a gap.
        "max_tokens" => {
            let bound = typed(raw, name, "a whole number")?;
            sampling.max_tokens = sampling.max_tokens.or(bound);
        }
        "n" => sampling.choices = typed(raw, name, "a whole number")?,
        "stop" => sampling.stop = texts(raw, name)?,
        "seed" => sampling.seed = typed(raw, name, "a whole number")?,
        "presence_penalty" => sampling.presence_penalty = typed(raw, name, "a number")?,
        "frequency_penalty" => sampling.frequency_penalty = typed(raw, name, "a number")?,
        "logprobs" => sampling.logprobs = typed(raw, name, "true or false")?,
        "top_logprobs" => sampling.top_logprobs = typed(raw, name, "a whole number")?,
        "user" => request.user = typed(raw, name, "a string")?,
        "thinking" => match thinking::read(raw) {
            Some(said) => request.thinking = Some(said),
            None => request.extras.push((name.to_owned(), Raw::from(raw))),
        },
        "reasoning_effort" if !raw.get().starts_with('{') => {
            request.reasoning_effort = typed(raw, name, "a string")?;
        }
        "tools" => tools(request, raw)?,
        "tool_choice" => tool_choice(request, raw)?,
        "parallel_tool_calls" => request.parallel_tool_calls = typed(raw, name, "true or false")?,
        "response_format" => response_format(request, raw)?,
        _ => request.extras.push((name.to_owned(), Raw::from(raw))),
    }
    Ok(())
}

fn include_usage(raw: &RawValue) -> Result<bool, TranslateError> {
    let Some(options) = Fields::optional(raw, "stream_options")? else { return Ok(false) };
    let wanted: Option<bool> = options.typed("include_usage", "stream_options", "true or false")?;
    Ok(wanted.unwrap_or_default())
}

/// A string, or a list of strings.
fn texts(raw: &RawValue, path: &str) -> Result<Vec<String>, TranslateError> {
    if raw.get().starts_with('[') {
        return Ok(typed(raw, path, "a string or a list of strings")?.unwrap_or_default());
    }
    let one: Option<String> = typed(raw, path, "a string or a list of strings")?;
    Ok(one.into_iter().collect())
}

fn tools(request: &mut ChatRequest, raw: &RawValue) -> Result<(), TranslateError> {
    let mut unmodeled = Vec::new();
    for (at, raw) in list(raw, "tools")?.into_iter().enumerate() {
        let path = format!("tools[{at}]");
        let tool = Fields::read(raw, &path)?;
        let kind: Option<String> = tool.typed("type", &path, "a string")?;
        // Google's own tools have no type.
        let untyped = kind.is_none() && tool.get("function").is_none() && !tool.0.is_empty();
        if untyped || kind.as_deref().is_some_and(|kind| kind != "function") {
            unmodeled.push(Raw::from(raw));
            continue;
        }
        let function = tool.required("function", &path)?;
        let mut function = function_tool(function, &format!("{path}.function"))?;
        function.hints.extend(tool.others(&["type", "function"]));
        request.tools.push(function);
    }
    if !unmodeled.is_empty() {
        let raw = Raw::of(&unmodeled).map_err(|error| malformed("tools", &error.to_string()))?;
        request.extras.push(("tools".to_owned(), raw));
    }
    Ok(())
}

fn function_tool(raw: &RawValue, path: &str) -> Result<Tool, TranslateError> {
    let function = Fields::read(raw, path)?;
    Ok(Tool {
        name: function.required_text("name", path)?,
        description: function.typed("description", path, "a string")?,
        parameters: function.get("parameters").map(Raw::from),
        strict: function.typed("strict", path, "true or false")?,
        hints: function.others(&["name", "description", "parameters", "strict"]),
    })
}

fn tool_choice(request: &mut ChatRequest, raw: &RawValue) -> Result<(), TranslateError> {
    let path = "tool_choice";
    if !raw.get().starts_with('{') {
        let word: Option<String> = typed(raw, path, "a string or an object")?;
        request.tool_choice = match word.as_deref() {
            None => None,
            Some("auto") => Some(ToolChoice::Auto),
            Some("none") => Some(ToolChoice::Never),
            Some("required" | "any") => Some(ToolChoice::Required),
            Some(_) => return Err(malformed(path, "must be none, auto, required or an object")),
        };
        return Ok(());
    }
    let choice = Fields::read(raw, path)?;
    match choice.get("function") {
        Some(function) => {
            let path = "tool_choice.function";
            let name = Fields::read(function, path)?.required_text("name", path)?;
            request.tool_choice = Some(ToolChoice::Named(name));
        }
        None => request.extras.push((path.to_owned(), Raw::from(raw))),
    }
    Ok(())
}

fn response_format(request: &mut ChatRequest, raw: &RawValue) -> Result<(), TranslateError> {
    let path = "response_format";
    let Some(format) = Fields::optional(raw, path)? else { return Ok(()) };
    let kind = format.required_text("type", path)?;
    request.shape = match kind.as_str() {
        "text" => Shape::Text,
        "json_object" => Shape::Json,
        "json_schema" => {
            let path = "response_format.json_schema";
            let named = Fields::read(format.required("json_schema", "response_format")?, path)?;
            Shape::Schema {
                name: named.typed("name", path, "a string")?,
                schema: Raw::from(named.required("schema", path)?),
                strict: named.typed("strict", path, "true or false")?,
            }
        }
        _ => {
            request.extras.push((path.to_owned(), Raw::from(raw)));
            return Ok(());
        }
    };
    Ok(())
}

/// `functions` and `function_call`, which OpenAI replaced by `tools` and `tool_choice` in November 2023.
fn legacy(request: &mut ChatRequest, name: &str, raw: &RawValue) -> Result<(), TranslateError> {
    if name == "functions" {
        for (at, raw) in list(raw, name)?.into_iter().enumerate() {
            request.tools.push(function_tool(raw, &format!("functions[{at}]"))?);
        }
        return Ok(());
    }
    request.tool_choice = if raw.get().starts_with('{') {
        Some(ToolChoice::Named(Fields::read(raw, name)?.required_text("name", name)?))
    } else {
        match typed::<String>(raw, name, "a string or an object")?.as_deref() {
            None => None,
            Some("auto") => Some(ToolChoice::Auto),
            Some("none") => Some(ToolChoice::Never),
            Some(_) => return Err(malformed(name, "must be none, auto or an object with a name")),
        }
    };
    Ok(())
}
