//! A [`ChatRequest`] written for Ollama's `/api/chat`.
//!
//! A message has one string of content, so text parts are joined. Names of speakers are not sent: Ollama
//! has no place for them, and no model is told them.

use std::collections::HashMap;

use serde::Serialize;

use super::reader::{OllamaReader, Operation};
use super::request::{picture, settings};
use crate::chat::{Block, ChatRequest, Role, Source, ToolChoice};
use crate::codec::{Outbound, Target, UpstreamCodec};
use crate::fault::{Loss, TranslateError};
use crate::format::Format;
use crate::members::Members;
use crate::openai_chat::function_tool;
use crate::raw::Raw;

/// We speak Ollama's chat API to a provider.
#[derive(Clone, Copy, Debug, Default)]
pub struct OllamaChat;

impl UpstreamCodec for OllamaChat {
    fn format(&self) -> Format {
        Format::OllamaChat
    }

    fn encode(&self, request: &ChatRequest, target: &Target<'_>) -> Result<Outbound, TranslateError> {
        let mut losses = Vec::new();
        let mut body = Members::default();
        body.set("model", target.model)?;
        body.set("stream", &request.stream)?;
        body.set("messages", &messages(request, &mut losses)?)?;
        if !request.tools.is_empty() && request.tool_choice != Some(ToolChoice::Never) {
            let tools: Vec<_> = request.tools.iter().map(|tool| function_tool(tool, &tool.name)).collect();
            body.set("tools", &tools)?;
        }
        settings(request, target.model, &[], &mut body, &mut losses)?;
        let reader = OllamaReader { call_id: target.call_id.to_owned(), operation: Operation::Chat };
        Ok(Outbound { body: body.body()?, reader: Box::new(reader), losses })
    }
}

#[derive(Default, Serialize)]
struct Message<'a> {
    role: &'static str,
    /// What stands between two texts.
    #[serde(skip)]
    border: &'static str,
    content: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    thinking: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    images: Vec<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_calls: Vec<ToolCall<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_call_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_name: Option<&'a str>,
}

#[derive(Serialize)]
struct ToolCall<'a> {
    id: &'a str,
    function: Function<'a>,
}

#[derive(Serialize)]
struct Function<'a> {
    name: &'a str,
    arguments: Raw,
}

fn messages<'a>(
    request: &'a ChatRequest,
    losses: &mut Vec<Loss>,
) -> Result<Vec<Message<'a>>, TranslateError> {
    let mut messages = Vec::with_capacity(request.turns.len());
    // Ollama's templates want the name of the tool beside its result; OpenAI's messages have only the id.
    let mut names: HashMap<&str, &str> = HashMap::new();
    for (path, turn) in request.placed() {
        let path = path.to_string();
        let role = match turn.role {
            Role::System | Role::Developer => "system",
            Role::User | Role::Tool => "user",
            Role::Assistant => "assistant",
        };
        // Callers of Anthropic's API write blocks that stand apart; OpenAI's write one text in pieces.
        let apart = request.format == Format::AnthropicMessages && turn.role != Role::Assistant;
        let border = if apart { "\n" } else { "" };
        let mut message = Message { role, border, ..Message::default() };
        let mut said = turn.blocks.is_empty();
        for (at, block) in turn.blocks.iter().enumerate() {
            match block {
                Block::ToolResult { id, content, failed } => {
                    let tool_name = names.get(id.as_str()).copied();
                    let mut result =
                        Message { role: "tool", tool_call_id: Some(id), tool_name, ..Message::default() };
                    if *failed {
                        result.content.push_str("Error: ");
                    } else {
                        result.border = border;
                    }
                    for (at, block) in content.iter().enumerate() {
                        result.add(block, &path, at, losses)?;
                    }
                    messages.push(result);
                }
                Block::CachePoint(_) => {}
                Block::ToolCall { id, name, .. } => {
                    names.insert(id, name);
                    said = true;
                    message.add(block, &path, at, losses)?;
                }
                _ => {
                    said = true;
                    message.add(block, &path, at, losses)?;
                }
            }
        }
        if said {
            messages.push(message);
        }
    }
    Ok(messages)
}

impl<'a> Message<'a> {
    fn add(
        &mut self,
        block: &'a Block,
        path: &str,
        at: usize,
        losses: &mut Vec<Loss>,
    ) -> Result<(), TranslateError> {
        let path = format!("{path}.content[{at}]");
        let why = match block {
            Block::Text(text) | Block::Refusal(text) => {
                if !self.content.is_empty() {
                    self.content.push_str(self.border);
                }
                self.content.push_str(text);
                return Ok(());
            }
            Block::CachePoint(_) | Block::Citation(_) | Block::RedactedThinking(_) => return Ok(()),
            Block::File { source: Source::Text(text), .. } => {
                self.content.push_str(text);
                return Ok(());
            }
            Block::Thinking { text, .. } => {
                self.thinking.push_str(text);
                return Ok(());
            }
            Block::Image { source, .. } => {
                self.images.push(picture(source, &path)?);
                return Ok(());
            }
            Block::ToolCall { id, name, input } => {
                let (arguments, whole) = arguments(input)?;
                self.tool_calls.push(ToolCall { id, function: Function { name, arguments } });
                if whole {
                    return Ok(());
                }
                "the arguments of a tool call are not a JSON object"
            }
            Block::Audio { .. } => "Ollama takes no sound",
            Block::File { .. } => "Ollama takes no files",
            Block::ToolResult { .. } | Block::Opaque { .. } => "Ollama has no such part",
        };
        losses.push(Loss { field: path, why });
        Ok(())
    }
}

/// The arguments as an object, which is all that Ollama takes, and whether they were one.
fn arguments(input: &str) -> Result<(Raw, bool), TranslateError> {
    let input = input.trim();
    if input.starts_with('{')
        && let Ok(raw) = Raw::parse(input.to_owned())
    {
        return Ok((raw, true));
    }
    let empty = Raw::parse("{}".to_owned());
    let empty = empty.map_err(|error| crate::openai_chat::malformed("arguments", &error.to_string()))?;
    Ok((empty, input.is_empty()))
}
