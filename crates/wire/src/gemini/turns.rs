//! The turns of a conversation written as Google's `systemInstruction` and `contents`.
//!
//! | of the conversation | here |
//! | --- | --- |
//! | the system turns it begins with | `systemInstruction` |
//! | a later system turn | a user's content that says whose words it is |
//! | neighbours of one side (results of tools are the user's) | one content |
//! | results of tools | before whatever else their content says, in the order of the calls; pictures behind them |
//! | a call without a result | gets one that says so, for the API wants as many results as calls |
//! | a content with nothing in it, a conversation without one | a word of ours |
//! | a call that Gemini did not sign, for a model that insists | the signature that Google documents for this |
//!
//! What is written for a turn depends on nothing after it, except at the very end: a prompt that was cached stays a prefix.

use std::borrow::Cow;
use std::collections::HashMap;

use serde::Serialize;

use super::arguments;
use super::encode::GeminiUpstream;
use super::model::Gemini;
use super::part::{FunctionCall, FunctionResponse, Part, Piece, Resolution};
use super::signature::{UNSIGNED_CALL, split_id, unmarked};
use super::sources::{media, unsupported};
use crate::chat::{Block, ChatRequest, Role};
use crate::fault::{Loss, TranslateError};
use crate::format::Format;
use crate::openai_chat::renames::Renames;

const EMPTY: &str = " ";
const SILENT_USER: &str = ".";
const NO_RESULT: &str = "No result was given.";
const LATE_SYSTEM: &str = "[Instruction of the operator, not of the user]\n";

/// One content.
#[derive(Serialize)]
pub(super) struct Content<'a> {
    role: &'static str,
    parts: Vec<Piece<'a>>,
}

/// What was written so far.
pub(super) struct Script<'a> {
    pub(super) system: Vec<Piece<'a>>,
    pub(super) contents: Vec<Content<'a>>,
    pub(super) losses: Vec<Loss>,
    /// The finest resolution that a picture was wanted in, for models that take one for all.
    pub(super) resolution: Option<&'static str>,
    model: Gemini,
    upstream: GeminiUpstream,
    names: &'a Renames,
    /// The function that each call so far calls, by the call's id.
    called: HashMap<&'a str, &'a str>,
}

/// Writes the turns of `request`.
pub(super) fn write<'a>(
    request: &'a ChatRequest,
    model: Gemini,
    upstream: GeminiUpstream,
    names: &'a Renames,
) -> Result<Script<'a>, TranslateError> {
    let mut script = Script {
        system: Vec::new(),
        contents: Vec::with_capacity(request.turns.len()),
        losses: Vec::new(),
        resolution: None,
        model,
        upstream,
        names,
        called: HashMap::new(),
    };
    for (path, turn) in request.placed() {
        let name = turn.name.as_deref();
        let mut parts = script.pieces(&turn.blocks, name, &path.to_string())?;
        match turn.role {
            Role::System | Role::Developer if script.contents.is_empty() => script.system.extend(parts),
            Role::System | Role::Developer => {
                parts.insert(0, Part::text(LATE_SYSTEM).piece());
                script.say("user", parts);
            }
            Role::User | Role::Tool => script.say("user", parts),
            Role::Assistant => script.say("model", parts),
        }
    }
    script.complete();
    Ok(script)
}

impl<'a> Script<'a> {
    fn say(&mut self, role: &'static str, parts: Vec<Piece<'a>>) {
        match self.contents.last_mut() {
            Some(last) if last.role == role => last.parts.extend(parts),
            _ => self.contents.push(Content { role, parts }),
        }
    }

    fn pieces(
        &mut self,
        blocks: &'a [Block],
        name: Option<&'a str>,
        path: &str,
    ) -> Result<Vec<Piece<'a>>, TranslateError> {
        let mut pieces: Vec<Piece<'a>> = Vec::with_capacity(blocks.len());
        let mut results = Vec::new();
        // The signature of a text that has not come yet: OpenAI's clients put reasoning first.
        let mut waiting: Option<&'a str> = None;
        for (at, block) in blocks.iter().enumerate() {
            let path = format!("{path}.content[{at}]");
            match block {
                Block::Thinking { text, signature } => {
                    let signature = signature.as_deref().and_then(unmarked);
                    match (text.as_str(), signature) {
                        ("", None) => {}
                        ("", Some(signature)) => waiting = sign(&mut pieces, signature),
                        (text, signature) => {
                            pieces.push(Part::thought(text, signature.map(Cow::Borrowed)).piece());
                        }
                    }
                }
                Block::ToolResult { id, content, failed } => {
                    self.result(id, content, *failed, name, &path, &mut results)?;
                }
                _ => pieces.extend(self.piece(block, &path)?),
            }
            if let Some(signature) = waiting {
                waiting = match sign_bare(&mut pieces, signature) {
                    true => None,
                    false => Some(signature),
                };
            }
        }
        if let Some(signature) = waiting {
            let thought_signature = Some(Cow::Borrowed(signature));
            pieces.push(Part { thought_signature, ..Part::text("") }.piece());
        }
        results.extend(pieces);
        Ok(results)
    }

    fn piece(&mut self, block: &'a Block, path: &str) -> Result<Option<Piece<'a>>, TranslateError> {
        Ok(Some(match block {
            Block::Text(text) | Block::Refusal(text) if text.is_empty() => return Ok(None),
            Block::Text(text) | Block::Refusal(text) => Part::text(text.as_str()).piece(),
            Block::ToolCall { id, name, input } => self.call(id, name, input),
            Block::Image { detail, .. } => self.picture(block, detail.as_deref(), path)?,
            Block::File { .. } | Block::Audio { .. } => media(block, self.upstream, path)?.piece(),
            Block::Opaque { from: Format::Gemini, raw } => Piece::Verbatim(raw),
            Block::Opaque { .. } => {
                self.losses.push(Loss { field: path.to_owned(), why: "a part of another format" });
                return Ok(None);
            }
            // Reasoning and caching of another provider; sources of a text, which are not said again.
            Block::RedactedThinking(_)
            | Block::CachePoint(_)
            | Block::Citation(_)
            | Block::Thinking { .. } => {
                return Ok(None);
            }
            Block::ToolResult { .. } => return Err(unsupported(path)),
        }))
    }

    fn call(&mut self, id: &'a str, name: &'a str, input: &str) -> Piece<'a> {
        let (key, signature) = split_id(id);
        let name = self.names.sent(name);
        self.called.insert(key, name);
        let id = Some(key).filter(|key| self.model.is_third() && !key.is_empty());
        let function_call = Some(FunctionCall { id, name, args: arguments::of_call(input), key });
        Part { function_call, thought_signature: signature.map(Cow::Owned), ..Part::default() }.piece()
    }

    fn picture(
        &mut self,
        block: &'a Block,
        detail: Option<&str>,
        path: &str,
    ) -> Result<Piece<'a>, TranslateError> {
        let level = match detail {
            Some("low") => Some("MEDIA_RESOLUTION_LOW"),
            Some("high") => Some("MEDIA_RESOLUTION_HIGH"),
            _ => None,
        };
        let mut part = media(block, self.upstream, path)?;
        if self.model.is_third() {
            part.media_resolution = level.map(|level| Resolution { level });
        } else if self.resolution != Some("MEDIA_RESOLUTION_HIGH") {
            self.resolution = level.or(self.resolution);
        }
        Ok(part.piece())
    }

    /// A result and, behind it, what it shows.
    fn result(
        &mut self,
        id: &'a str,
        content: &'a [Block],
        failed: bool,
        name: Option<&'a str>,
        path: &str,
        pieces: &mut Vec<Piece<'a>>,
    ) -> Result<(), TranslateError> {
        let (key, _) = split_id(id);
        let (mut texts, mut shown) = (Vec::new(), Vec::new());
        for block in content {
            match block {
                Block::Text(text) | Block::Refusal(text) => texts.push(text.as_str()),
                _ => shown.extend(self.piece(block, path)?),
            }
        }
        let named = self.called.get(key).copied();
        let name = named.or(name.map(|name| self.names.sent(name))).unwrap_or(key);
        let response = arguments::of_result(&texts.join("\n"), failed);
        let id = Some(key).filter(|key| self.model.is_third() && !key.is_empty());
        let function_response = Some(FunctionResponse { id, name, response, key });
        pieces.push(Part { function_response, ..Part::default() }.piece());
        pieces.append(&mut shown);
        Ok(())
    }

    fn complete(&mut self) {
        if self.contents.is_empty() {
            self.say("user", vec![Part::text(SILENT_USER).piece()]);
        }
        self.answer_calls();
        for content in &mut self.contents {
            if content.parts.is_empty() {
                content.parts.push(Part::text(EMPTY).piece());
            }
            if self.model.is_third()
                && let Some(Piece::Part(part)) = content.parts.iter_mut().find(|part| part.call().is_some())
            {
                part.thought_signature.get_or_insert(Cow::Borrowed(UNSIGNED_CALL));
            }
        }
    }

    fn answer_calls(&mut self) {
        let mut at = 0;
        while at < self.contents.len() {
            let calls = self.contents[at].parts.iter().filter_map(Piece::call);
            let calls: Vec<(&'a str, &'a str)> = calls.map(|call| (call.key, call.name)).collect();
            at += 1;
            if calls.is_empty() {
                self.contents.get_mut(at).into_iter().for_each(results_first);
                continue;
            }
            if self.contents.get(at).is_none_or(|next| next.role != "user") {
                self.contents.insert(at, Content { role: "user", parts: Vec::new() });
            }
            let parts = &mut self.contents[at].parts;
            for (key, name) in &calls {
                if !parts.iter().any(|part| part.response().is_some_and(|response| response.key == *key)) {
                    let id = Some(*key).filter(|key| self.model.is_third() && !key.is_empty());
                    let response = arguments::of_result(NO_RESULT, true);
                    let function_response = Some(FunctionResponse { id, name, response, key });
                    parts.push(Part { function_response, ..Part::default() }.piece());
                }
            }
            // The API pairs results with calls by their order where it takes no ids.
            parts.sort_by_key(|part| match part.response() {
                Some(response) => {
                    calls.iter().position(|(key, _)| *key == response.key).unwrap_or(calls.len())
                }
                None => usize::MAX,
            });
        }
    }
}

fn results_first(content: &mut Content<'_>) {
    content.parts.sort_by_key(|part| part.response().is_none());
}

/// Puts `signature` on the last text of `pieces`; gives it back when there is none.
fn sign<'a>(pieces: &mut [Piece<'a>], signature: &'a str) -> Option<&'a str> {
    (!sign_bare(pieces, signature)).then_some(signature)
}

fn sign_bare<'a>(pieces: &mut [Piece<'a>], signature: &'a str) -> bool {
    let last = pieces.iter_mut().rev().find_map(|piece| match piece {
        Piece::Part(part) if part.is_bare_text() => Some(part),
        _ => None,
    });
    if let Some(part) = last {
        part.thought_signature = Some(Cow::Borrowed(signature));
        return true;
    }
    false
}
