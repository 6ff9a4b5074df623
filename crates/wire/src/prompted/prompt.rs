//! A conversation as one text, and what a text cannot say.
//!
//! A single message is its own text, which is also what a text completion is. Longer conversations are lines of
//! speakers that end where the model is to go on: which marks a model was trained with is known to its server alone,
//! so whoever has a server with a chat endpoint is better served there.

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use crate::chat::{Block, ChatRequest, Role, Shape};
use crate::extras::{BOOKKEEPING, telling};
use crate::fault::{Loss, TranslateError};
use crate::openai_chat::malformed;
use crate::raw::Raw;

/// The conversation as a text.
pub(crate) fn prompt(request: &ChatRequest, losses: &mut Vec<Loss>) -> String {
    let said: Vec<(Role, String)> = (request.placed())
        .map(|(path, turn)| (turn.role, texts(&turn.blocks, &path.to_string(), losses)))
        .collect();
    if let [(Role::User, text)] = said.as_slice() {
        return text.clone();
    }
    let mut prompt = String::new();
    for (role, text) in said.iter().filter(|(_, text)| !text.is_empty()) {
        prompt.push_str(speaker(*role));
        prompt.push_str(text);
        prompt.push('\n');
    }
    // A model that is in the middle of a sentence goes on with it.
    match said.last() {
        Some((Role::Assistant, _)) => drop(prompt.pop()),
        _ => prompt.push_str(speaker(Role::Assistant).trim_end()),
    }
    prompt
}

fn speaker(role: Role) -> &'static str {
    match role {
        Role::System | Role::Developer => "",
        Role::User => "User: ",
        Role::Assistant => "Assistant: ",
        Role::Tool => "Tool: ",
    }
}

/// The text of `blocks`; everything else is lost.
pub(crate) fn texts(blocks: &[Block], path: &str, losses: &mut Vec<Loss>) -> String {
    let mut whole = String::new();
    for (at, block) in blocks.iter().enumerate() {
        match block {
            Block::Text(text) | Block::Refusal(text) => whole.push_str(text),
            Block::ToolResult { content, .. } => {
                whole.push_str(&texts(content, &format!("{path}.content[{at}]"), losses));
            }
            // Hints, and reasoning that only its own model wants to see again.
            Block::CachePoint(_)
            | Block::Citation(_)
            | Block::Thinking { .. }
            | Block::RedactedThinking(_) => {}
            _ => losses
                .push(Loss { field: format!("{path}.content[{at}]"), why: "only text can be sent there" }),
        }
    }
    whole
}

/// The modelled fields that a prompt cannot say, and the extras that are not in `known`.
pub(crate) fn unsaid(request: &ChatRequest, known: &[&str], losses: &mut Vec<Loss>) {
    let sampling = &request.sampling;
    for (lost, field) in [
        (!request.tools.is_empty(), "tools"),
        (request.shape != Shape::Text, "response_format"),
        (sampling.choices.is_some_and(|n| n > 1), "n"),
        (sampling.logprobs == Some(true), "logprobs"),
        (request.effort().is_some_and(|effort| effort != "none"), "reasoning_effort"),
    ] {
        if lost {
            losses
                .push(Loss { field: field.to_owned(), why: "a server that continues text does not know it" });
        }
    }
    for (name, _) in telling(request, losses) {
        let name = name.as_str();
        if !BOOKKEEPING.contains(&name) && !known.contains(&name) {
            losses.push(Loss { field: name.to_owned(), why: "this provider has no such setting" });
        }
    }
}

/// A JSON object in the making, in the order it is written.
#[derive(Default)]
pub(crate) struct Object(Vec<(&'static str, Raw)>);

impl Object {
    pub(crate) fn with<T: Serialize + ?Sized>(
        mut self,
        name: &'static str,
        value: &T,
    ) -> Result<Self, TranslateError> {
        let raw = Raw::of(value).map_err(|error| malformed(name, &error.to_string()))?;
        self.0.push((name, raw));
        Ok(self)
    }

    pub(crate) fn some<T: Serialize>(
        self,
        name: &'static str,
        value: Option<T>,
    ) -> Result<Self, TranslateError> {
        match value {
            Some(value) => self.with(name, &value),
            None => Ok(self),
        }
    }

    /// Takes over the extras of `request` that are called like one of `names`.
    pub(crate) fn extras(mut self, request: &ChatRequest, names: &[&'static str]) -> Self {
        for name in names {
            let given = request.extras.iter().find(|(extra, raw)| extra == name && raw.text() != "null");
            self.0.extend(given.map(|(_, raw)| (*name, raw.clone())));
        }
        self
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn body(&self) -> Result<bytes::Bytes, TranslateError> {
        let body = serde_json::to_vec(self).map_err(|error| malformed("body", &error.to_string()))?;
        Ok(bytes::Bytes::from(body))
    }
}

impl Serialize for Object {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, raw) in &self.0 {
            map.serialize_entry(name, raw)?;
        }
        map.end()
    }
}
