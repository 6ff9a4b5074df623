//! Tools whose input is free text, told to models that know functions only: a function with one string.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::chat::Tool;
use crate::fault::TranslateError;
use crate::openai_chat::{Fields, malformed};
use crate::raw::Raw;

/// Under this name a tool's hints hold its own declaration.
pub(super) const HINT: &str = "custom";
/// The one argument.
const PARAMETERS: &str = r#"{"type":"object","properties":{"content":{"type":"string"}},"required":["content"],"additionalProperties":false}"#;

/// What comes before and after the text in the arguments, where they are written piece by piece.
pub(super) const HEAD: &str = "{\"content\":\"";
pub(super) const TAIL: &str = "\"}";

/// A function that stands for the custom tool at `path`.
pub(super) fn function(tool: &Fields<'_>, raw: Raw, path: &str) -> Result<Tool, TranslateError> {
    let mut description: String = tool.typed("description", path, "a string")?.unwrap_or_default();
    if let Some(format) = tool.get("format") {
        let path = format!("{path}.format");
        let format = Fields::read(format, &path)?;
        if let Some(definition) = format.typed::<String>("definition", &path, "a string")? {
            let syntax = format.typed::<String>("syntax", &path, "a string")?.unwrap_or_default();
            let said = format!("\n\nThe content must follow this {syntax} grammar:\n{definition}");
            description.push_str(&said);
        }
    }
    let parameters =
        Raw::parse(PARAMETERS.to_owned()).map_err(|error| malformed(path, &error.to_string()))?;
    Ok(Tool {
        name: tool.required_text("name", path)?,
        description: Some(description.trim_start().to_owned()).filter(|text| !text.is_empty()),
        parameters: Some(parameters),
        strict: None,
        hints: vec![(HINT.to_owned(), raw)],
    })
}

/// The tool's own declaration, if it is a custom one.
pub(super) fn declared(tool: &Tool) -> Option<&Raw> {
    tool.hints.iter().find(|(name, _)| name == HINT).map(|(_, raw)| raw)
}

#[derive(Deserialize, Serialize)]
struct Arguments<'a> {
    #[serde(borrow)]
    content: Cow<'a, str>,
}

/// The arguments that say `input`.
pub(super) fn arguments(input: &str) -> String {
    format!("{HEAD}{}{TAIL}", escaped(input))
}

/// The text that `arguments` say; arguments of another shape are the text themselves.
pub(super) fn input(arguments: &str) -> Cow<'_, str> {
    match serde_json::from_str::<Arguments<'_>>(arguments) {
        Ok(Arguments { content }) => content,
        Err(_) => Cow::Borrowed(arguments),
    }
}

/// A piece of a text as it stands inside a JSON string.
pub(super) fn escaped(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default().to_owned()
}
