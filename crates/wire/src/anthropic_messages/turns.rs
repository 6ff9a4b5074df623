//! The turns of a conversation written as Anthropic's `system` and `messages`.
//!
//! | of the conversation | here |
//! | --- | --- |
//! | the system turns it begins with | `system` |
//! | a later system turn | a system message where the model takes one, else a user message that says whose words it is |
//! | neighbours of one side (results of tools are the user's) | one message |
//! | results of tools | before whatever else their message says |
//! | a call without a result | gets one that says so, for the API insists |
//! | a message with nothing in it, a conversation that begins with the model or not at all | a few words of ours |
//! | reasoning that is not signed | left out: it cannot be replayed |
//!
//! What is written for a turn depends on nothing after it, except at the very end: a prompt that was cached stays a prefix.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt::Arguments;

use serde::Serialize;

use super::block::{self, Content, Piece, WireBlock};
use super::claude::Claude;
use super::sources::{document, picture, unsupported};
use crate::chat::{Block, ChatRequest, Role};
use crate::fault::{Loss, TranslateError};
use crate::format::Format;
use crate::gemini::signature::{is_googles, plain_id};
use crate::openai_chat::renames::Renames;
use crate::openai_responses::reasoning;

const EMPTY: &str = "(empty)";
pub(crate) const CONTINUE: &str = "Please continue.";
pub(crate) const NO_RESULT: &str = "No result was given.";
pub(crate) const LATE_SYSTEM: &str = "[Instruction of the operator, not of the user]\n";

/// One message.
#[derive(Serialize)]
pub(super) struct Message<'a> {
    role: &'static str,
    content: Vec<Piece<'a>>,
}

/// What was written so far.
pub(super) struct Script<'a> {
    pub(super) system: Vec<Piece<'a>>,
    pub(super) messages: Vec<Message<'a>>,
    pub(super) losses: Vec<Loss>,
    names: &'a Renames,
    ids: &'a Renames,
    /// Calls written so far: a second one with the same id is dropped, the API would refuse both.
    called: HashSet<&'a str>,
}

/// How the ids of calls are spelled: the API takes ASCII letters, digits, `_` and `-`.
pub(super) fn call_ids(request: &ChatRequest) -> Renames {
    let blocks = request.turns.iter().flat_map(|turn| &turn.blocks);
    let ids = blocks.filter_map(|block| match block {
        Block::ToolCall { id, .. } | Block::ToolResult { id, .. } => Some(plain_id(id)),
        _ => None,
    });
    Renames::of(ids, usize::MAX)
}

/// Writes the turns of `request`.
pub(super) fn write<'a>(
    request: &'a ChatRequest,
    claude: Claude,
    names: &'a Renames,
    ids: &'a Renames,
) -> Result<Script<'a>, TranslateError> {
    let mut script = Script {
        system: Vec::new(),
        messages: Vec::with_capacity(request.turns.len()),
        losses: Vec::new(),
        names,
        ids,
        called: HashSet::new(),
    };
    for (path, turn) in request.placed() {
        let mut pieces = script.pieces(&turn.blocks, format_args!("{path}"))?;
        match turn.role {
            Role::System | Role::Developer if script.messages.is_empty() => script.system.extend(pieces),
            Role::System | Role::Developer if claude.takes_late_system() => script.say("system", pieces),
            Role::System | Role::Developer => {
                pieces.insert(0, WireBlock::text(LATE_SYSTEM).piece());
                script.say("user", pieces);
            }
            Role::User | Role::Tool => script.say("user", pieces),
            Role::Assistant => script.say("assistant", pieces),
        }
    }
    script.complete();
    Ok(script)
}

impl<'a> Script<'a> {
    /// Whether the conversation goes on after a call that no reasoning precedes.
    pub(super) fn ends_in_bare_call(&self) -> bool {
        let answered = self.messages.last().is_some_and(|last| last.role == "user");
        let assistant = self.messages.iter().rev().find(|message| message.role == "assistant");
        let has = |kinds: &[&str]| {
            let content = assistant.map(|message| message.content.as_slice()).unwrap_or_default();
            content.iter().any(|piece| kinds.contains(&kind(piece)))
        };
        let results = self.messages.last().is_some_and(|last| last.content.iter().any(is_result));
        answered && results && has(&["tool_use"]) && !has(&["thinking", "redacted_thinking"])
    }

    fn say(&mut self, role: &'static str, pieces: Vec<Piece<'a>>) {
        match self.messages.last_mut() {
            Some(last) if last.role == role => last.content.extend(pieces),
            _ => self.messages.push(Message { role, content: pieces }),
        }
    }

    fn pieces(&mut self, blocks: &'a [Block], path: Arguments<'_>) -> Result<Vec<Piece<'a>>, TranslateError> {
        let mut pieces: Vec<Piece<'a>> = Vec::with_capacity(blocks.len());
        for (at, block) in blocks.iter().enumerate() {
            match block {
                Block::CachePoint(raw) => mark(&mut pieces, |last| {
                    // Reasoning cannot carry a mark.
                    if !matches!(last.r#type, "thinking" | "redacted_thinking") {
                        last.cache_control = Some(raw);
                    }
                }),
                Block::Citation(citation) if citation.from == Format::AnthropicMessages => {
                    mark(&mut pieces, |last| last.citations.push(Cow::Borrowed(&citation.raw)));
                }
                Block::Citation(_) => {}
                _ => pieces.extend(self.piece(block, format_args!("{path}.content[{at}]"))?),
            }
        }
        Ok(pieces)
    }

    fn piece(&mut self, block: &'a Block, path: Arguments<'_>) -> Result<Option<Piece<'a>>, TranslateError> {
        let block = match block {
            Block::Text(text) | Block::Refusal(text) if text.trim().is_empty() => return Ok(None),
            Block::Text(text) | Block::Refusal(text) => WireBlock::text(text.as_str()),
            // What OpenAI signed only OpenAI takes.
            Block::Thinking { signature: Some(signature), .. } if reasoning::is_openais(signature) => {
                return Ok(None);
            }
            Block::Thinking { signature: Some(signature), .. } if is_googles(signature) => return Ok(None),
            Block::Thinking { text, signature: Some(signature) } => WireBlock::thinking(text, signature),
            Block::RedactedThinking(data) => WireBlock::redacted(data),
            Block::ToolCall { id, name, input } => {
                if !self.called.insert(id) {
                    return Ok(None);
                }
                WireBlock::tool_use(self.ids.sent(plain_id(id)), self.names.sent(name), block::input(input))
            }
            Block::ToolResult { id, content, failed } => WireBlock {
                r#type: "tool_result",
                tool_use_id: Some(Cow::Borrowed(self.ids.sent(plain_id(id)))),
                content: self.result(content, path)?,
                is_error: failed.then_some(true),
                ..WireBlock::default()
            },
            Block::Image { source, .. } => picture(source, path)?,
            Block::File { .. } => document(block, path)?,
            Block::Opaque { from: Format::AnthropicMessages, raw } => return Ok(Some(Piece::Verbatim(raw))),
            Block::Audio { .. } => return Err(unsupported(path)),
            Block::Opaque { .. } => {
                self.losses.push(Loss { field: path.to_string(), why: "a part of another format" });
                return Ok(None);
            }
            Block::Thinking { signature: None, .. } | Block::Citation(_) | Block::CachePoint(_) => {
                return Ok(None);
            }
        };
        Ok(Some(block.piece()))
    }

    fn result(
        &mut self,
        content: &'a [Block],
        path: Arguments<'_>,
    ) -> Result<Option<Content<'a>>, TranslateError> {
        if let [Block::Text(text)] = content {
            return Ok((!text.is_empty()).then_some(Content::Text(text)));
        }
        let pieces = self.pieces(content, path)?;
        Ok((!pieces.is_empty()).then_some(Content::Pieces(pieces)))
    }

    fn complete(&mut self) {
        if self.messages.first().is_none_or(|message| message.role == "assistant") {
            let content = vec![WireBlock::text(CONTINUE).piece()];
            self.messages.insert(0, Message { role: "user", content });
        }
        self.answer_calls();
        for message in &mut self.messages {
            message.content.sort_by_key(|piece| !is_result(piece));
            if message.content.is_empty() {
                message.content.push(WireBlock::text(EMPTY).piece());
            }
        }
        // The API refuses a beginning of the answer that ends in white space.
        if let Some(Message { role: "assistant", content }) = self.messages.last_mut()
            && let Some(Piece::Block(last)) = content.last_mut()
            && let Some(text) = &mut last.text
        {
            *text = Cow::Owned(text.trim_end().to_owned());
        }
    }

    fn answer_calls(&mut self) {
        let mut at = 0;
        while at < self.messages.len() {
            let calls: Vec<String> = self.messages[at].content.iter().filter_map(call_id).collect();
            at += 1;
            if calls.is_empty() {
                continue;
            }
            if self.messages.get(at).is_none_or(|next| next.role != "user") {
                self.messages.insert(at, Message { role: "user", content: Vec::new() });
            }
            let content = &mut self.messages[at].content;
            let given: HashSet<String> = content.iter().filter_map(result_id).collect();
            let missing = calls.into_iter().filter(|id| !given.contains(id)).map(|id| {
                let tool_use_id = Some(Cow::Owned(id));
                let content = Some(Content::Text(NO_RESULT));
                WireBlock { r#type: "tool_result", tool_use_id, content, ..WireBlock::default() }.piece()
            });
            let missing: Vec<Piece<'a>> = missing.collect();
            content.extend(missing);
        }
    }
}

fn mark<'a>(pieces: &mut [Piece<'a>], change: impl FnOnce(&mut WireBlock<'a>)) {
    if let Some(Piece::Block(last)) = pieces.last_mut() {
        change(last);
    }
}

fn kind<'a>(piece: &Piece<'a>) -> &'a str {
    match piece {
        Piece::Block(block) => block.r#type,
        Piece::Verbatim(_) => "",
    }
}

fn is_result(piece: &Piece<'_>) -> bool {
    kind(piece) == "tool_result"
}

fn call_id(piece: &Piece<'_>) -> Option<String> {
    match piece {
        Piece::Block(block) => block.id.as_ref().map(|id| id.clone().into_owned()),
        Piece::Verbatim(_) => None,
    }
}

fn result_id(piece: &Piece<'_>) -> Option<String> {
    match piece {
        Piece::Block(block) => block.tool_use_id.as_ref().map(|id| id.clone().into_owned()),
        Piece::Verbatim(_) => None,
    }
}
