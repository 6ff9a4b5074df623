//! The turns of a conversation written as Converse's `system` and `messages`.
//!
//! | of the conversation | here |
//! | --- | --- |
//! | the system turns it begins with | `system` |
//! | a later system turn | a user message that says whose words it is |
//! | neighbours of one side (results of tools are the user's) | one message |
//! | results of tools | before whatever else their message says |
//! | a call without a result | gets one that says so, for the API insists |
//! | a message without text beside its documents, or with nothing in it | a full stop |
//! | a conversation that begins with the model or not at all | a few words of ours before it |
//! | reasoning that is not signed, or of a model that takes none back | left out |
//!
//! What is written for a turn depends on nothing after it, except at the very end: a prompt that was cached stays a
//! prefix.

use std::borrow::Cow;
use std::collections::HashSet;

use serde::Serialize;

use super::block::{CachePoint, Guarded, Piece, Reasoning};
use super::family::Family;
use super::media::{self, unsupported};
use crate::anthropic_messages::{CONTINUE, LATE_SYSTEM, NO_RESULT, arguments};
use crate::chat::{Block, ChatRequest, Role};
use crate::fault::{Loss, TranslateError};
use crate::format::Format;
use crate::gemini::signature::{is_googles, plain_id};
use crate::openai_chat::Fields;
use crate::openai_chat::renames::Renames;
use crate::openai_responses::reasoning;
use crate::raw::Raw;

/// Stands where the API wants a text and there is none.
const NOTHING: &str = ".";

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
    family: Family,
    names: &'a Renames,
    /// Calls written so far: a second one with the same id is dropped, the API would refuse both.
    called: HashSet<&'a str>,
    documents: HashSet<String>,
}

/// Writes the turns of `request`.
pub(super) fn write<'a>(
    request: &'a ChatRequest,
    family: Family,
    names: &'a Renames,
) -> Result<Script<'a>, TranslateError> {
    let mut script = Script {
        system: Vec::new(),
        messages: Vec::with_capacity(request.turns.len()),
        losses: Vec::new(),
        family,
        names,
        called: HashSet::new(),
        documents: HashSet::new(),
    };
    for (path, turn) in request.placed() {
        let path = path.to_string();
        let mut pieces = script.pieces(&turn.blocks, &path)?;
        match turn.role {
            Role::System | Role::Developer if script.messages.is_empty() => {
                let takes = |piece: &Piece<'_>| piece.is_text() || matches!(piece, Piece::CachePoint(_));
                if !pieces.iter().all(takes) {
                    return Err(unsupported(&path));
                }
                script.system.extend(pieces);
            }
            Role::System | Role::Developer => {
                pieces.insert(0, Piece::text(LATE_SYSTEM));
                script.say("user", pieces);
            }
            Role::User | Role::Tool => script.say("user", pieces),
            Role::Assistant => script.say("assistant", pieces),
        }
    }
    script.complete();
    Ok(script)
}

/// The id of a call as Bedrock takes it: up to 64 letters, digits, `_`, `.`, `:` and `-`. The same id is always
/// spelled the same.
pub(super) fn call_id(id: &str) -> String {
    const LONGEST: usize = 64;
    let id = plain_id(id);
    let fits = |letter: char| letter.is_ascii_alphanumeric() || "_.:-".contains(letter);
    if (1..=LONGEST).contains(&id.len()) && id.chars().all(fits) {
        return id.to_owned();
    }
    let plain = id.chars().map(|letter| if fits(letter) { letter } else { '_' }).take(LONGEST - 9);
    format!("{}_{:08x}", plain.collect::<String>(), crc32fast::hash(id.as_bytes()))
}

impl<'a> Script<'a> {
    /// Whether the conversation goes on after a call that no reasoning precedes.
    pub(super) fn ends_in_bare_call(&self) -> bool {
        let last = self.messages.last();
        let results = last.is_some_and(|last| last.role == "user" && last.content.iter().any(is_result));
        let assistant = self.messages.iter().rev().find(|message| message.role == "assistant");
        let content = assistant.map(|message| message.content.as_slice()).unwrap_or_default();
        let has = |kind: fn(&Piece<'_>) -> bool| content.iter().any(kind);
        results
            && has(|piece| matches!(piece, Piece::ToolUse { .. }))
            && !has(|piece| matches!(piece, Piece::ReasoningContent(_)))
    }

    /// Whether a tool was called or answered: then the API wants tools declared.
    pub(super) fn speaks_of_tools(&self) -> bool {
        let mut pieces = self.messages.iter().flat_map(|message| &message.content);
        pieces.any(|piece| matches!(piece, Piece::ToolUse { .. } | Piece::ToolResult { .. }))
    }

    /// Marks what a guardrail is to judge: the texts of the last message, unless the caller marked some.
    pub(super) fn guard(&mut self) {
        let marked = |piece: &Piece<'_>| matches!(piece, Piece::GuardContent(_));
        let mut pieces = self.messages.iter().flat_map(|message| &message.content).chain(&self.system);
        if pieces.any(marked) {
            return;
        }
        let Some(last) = self.messages.last_mut().filter(|last| last.role == "user") else { return };
        for piece in &mut last.content {
            if let Piece::Text(text) = piece {
                *piece = Piece::GuardContent(Guarded::Text { text: std::mem::take(text) });
            }
        }
    }

    fn say(&mut self, role: &'static str, pieces: Vec<Piece<'a>>) {
        match self.messages.last_mut() {
            Some(last) if last.role == role => last.content.extend(pieces),
            _ => self.messages.push(Message { role, content: pieces }),
        }
    }

    fn pieces(&mut self, blocks: &'a [Block], path: &str) -> Result<Vec<Piece<'a>>, TranslateError> {
        let mut pieces: Vec<Piece<'a>> = Vec::with_capacity(blocks.len());
        for (at, block) in blocks.iter().enumerate() {
            let path = format!("{path}.content[{at}]");
            match block {
                Block::CachePoint(raw) => self.mark(raw, &mut pieces),
                Block::ToolResult { id, content, failed } => {
                    self.result(id, content, *failed, &path, &mut pieces)?;
                }
                _ => pieces.extend(self.piece(block, &path)?),
            }
        }
        Ok(pieces)
    }

    fn mark(&self, control: &Raw, pieces: &mut Vec<Piece<'a>>) {
        // Nothing can be cached before something is said, and reasoning cannot be marked.
        let markable = pieces
            .last()
            .is_some_and(|last| !matches!(last, Piece::ReasoningContent(_) | Piece::CachePoint(_)));
        if self.family.caches() && markable {
            pieces.push(Piece::CachePoint(CachePoint::of(control, self.family.caches_an_hour())));
        }
    }

    fn piece(&mut self, block: &'a Block, path: &str) -> Result<Option<Piece<'a>>, TranslateError> {
        Ok(Some(match block {
            Block::Text(text) | Block::Refusal(text) if text.trim().is_empty() => return Ok(None),
            Block::Text(text) | Block::Refusal(text) => Piece::text(text.as_str()),
            Block::Thinking { .. } | Block::RedactedThinking(_) if !self.family.takes_reasoning() => {
                return Ok(None);
            }
            Block::Thinking { signature: Some(signature), .. } if is_googles(signature) => return Ok(None),
            // What OpenAI signed only OpenAI takes.
            Block::Thinking { signature: Some(signature), .. } if reasoning::is_openais(signature) => {
                return Ok(None);
            }
            Block::Thinking { text, signature: Some(signature) } => {
                Piece::ReasoningContent(Reasoning::ReasoningText { text, signature })
            }
            Block::RedactedThinking(data) => Piece::ReasoningContent(Reasoning::RedactedContent(data)),
            Block::ToolCall { id, name, input } => {
                if !self.called.insert(id) {
                    return Ok(None);
                }
                let (tool_use_id, input) = (call_id(id), arguments(input));
                Piece::ToolUse { tool_use_id, name: self.names.sent(name), input }
            }
            Block::Image { source, .. } => media::picture(source, path)?,
            Block::File { .. } => media::file(block, &mut self.documents, path)?,
            Block::Audio { data, format } => media::sound(data, format),
            Block::Opaque { from: Format::BedrockConverse, raw } => Piece::Verbatim(raw),
            Block::Opaque { from, raw } => return self.foreign(*from, raw, path),
            Block::Thinking { signature: None, .. }
            | Block::Citation(_)
            | Block::CachePoint(_)
            | Block::ToolResult { .. } => return Ok(None),
        }))
    }

    /// Parts that LiteLLM's callers add to OpenAI's: a video, a text that the guardrail is to judge.
    fn foreign(
        &mut self,
        from: Format,
        raw: &'a Raw,
        path: &str,
    ) -> Result<Option<Piece<'a>>, TranslateError> {
        let kind = crate::anthropic_messages::block_type(raw);
        match (from, kind.as_str()) {
            (Format::OpenAiChat, "guarded_text") => {
                let text = Fields::read(raw.value(), path)?.required_text("text", path)?;
                Ok(Some(Piece::GuardContent(Guarded::Text { text: Cow::Owned(text) })))
            }
            (Format::OpenAiChat, "video_url") => media::video_part(raw, path).map(Some),
            _ => {
                self.losses.push(Loss { field: path.to_owned(), why: "a part of another format" });
                Ok(None)
            }
        }
    }

    fn result(
        &mut self,
        id: &str,
        content: &'a [Block],
        failed: bool,
        path: &str,
        pieces: &mut Vec<Piece<'a>>,
    ) -> Result<(), TranslateError> {
        let mut inside = self.pieces(content, path)?;
        let marks = inside.iter().filter(|piece| matches!(piece, Piece::CachePoint(_))).count();
        inside.retain(|piece| !matches!(piece, Piece::CachePoint(_)));
        let mut outside = Vec::new();
        if !self.family.takes_result_images() {
            let (lifted, kept) = inside.into_iter().partition(|piece| matches!(piece, Piece::Image(_)));
            (outside, inside) = (lifted, kept);
        }
        if inside.is_empty() {
            inside.push(Piece::text(NOTHING));
        }
        if failed && !self.family.takes_status() {
            let why = "this model's tools cannot say that they failed";
            self.losses.push(Loss { field: format!("{path}.is_error"), why });
        }
        let status = (failed && self.family.takes_status()).then_some("error");
        pieces.push(Piece::ToolResult { tool_use_id: call_id(id), content: inside, status });
        // A result holds no mark, but one can stand behind it.
        let mark = content.iter().rev().find_map(|block| match block {
            Block::CachePoint(raw) if marks > 0 => Some(raw),
            _ => None,
        });
        if let Some(raw) = mark {
            self.mark(raw, pieces);
        }
        pieces.extend(outside);
        Ok(())
    }

    fn complete(&mut self) {
        if self.messages.first().is_none_or(|message| message.role == "assistant") {
            self.messages.insert(0, Message { role: "user", content: vec![Piece::text(CONTINUE)] });
        }
        self.answer_calls();
        for message in &mut self.messages {
            results_first(&mut message.content);
            let document = message.content.iter().any(|piece| matches!(piece, Piece::Document(_)));
            let text = message.content.iter().any(Piece::is_text);
            if message.content.is_empty() || (document && !text) {
                message.content.push(Piece::text(NOTHING));
            }
        }
        // The API refuses a beginning of the answer that ends in white space.
        if let Some(Message { role: "assistant", content }) = self.messages.last_mut()
            && let Some(Piece::Text(text)) = content.last_mut()
        {
            *text = Cow::Owned(text.trim_end().to_owned());
        }
    }

    fn answer_calls(&mut self) {
        let mut at = 0;
        while at < self.messages.len() {
            let calls = self.messages[at].content.iter().filter_map(|piece| match piece {
                Piece::ToolUse { tool_use_id, .. } => Some(tool_use_id.clone()),
                _ => None,
            });
            let calls: Vec<String> = calls.collect();
            at += 1;
            if calls.is_empty() {
                continue;
            }
            if self.messages.get(at).is_none_or(|next| next.role != "user") {
                self.messages.insert(at, Message { role: "user", content: Vec::new() });
            }
            let content = &mut self.messages[at].content;
            let given = content.iter().filter_map(|piece| match piece {
                Piece::ToolResult { tool_use_id, .. } => Some(tool_use_id.clone()),
                _ => None,
            });
            let given: HashSet<String> = given.collect();
            for tool_use_id in calls.into_iter().filter(|id| !given.contains(id)) {
                let content_of = vec![Piece::text(NO_RESULT)];
                content.push(Piece::ToolResult { tool_use_id, content: content_of, status: None });
            }
        }
    }
}

/// Results of tools, each with the mark behind it, go before the rest.
fn results_first(content: &mut Vec<Piece<'_>>) {
    let mut first = Vec::new();
    let mut rest = Vec::with_capacity(content.len());
    for piece in content.drain(..) {
        let behind_result = matches!(piece, Piece::CachePoint(_)) && !first.is_empty() && rest.is_empty();
        if is_result(&piece) || behind_result { first.push(piece) } else { rest.push(piece) }
    }
    content.append(&mut first);
    content.append(&mut rest);
}

fn is_result(piece: &Piece<'_>) -> bool {
    matches!(piece, Piece::ToolResult { .. })
}
