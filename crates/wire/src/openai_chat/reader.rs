//! A whole reply of an OpenAI-compatible server, read into a [`ChatResponse`].

use serde_json::value::RawValue;

use super::chunk::{Prose, Reply, WireChoice, object, text};
use super::fields::malformed;
use super::renames::Renames;
use super::stream::ChatDecoder;
use super::think::{Piece, Splitter};
use super::{fault, finish, tool_call_id};
use crate::chat::Block;
use crate::codec::{ReplyReader, StreamDecoder};
use crate::fault::TranslateError;
use crate::frame::Framing;
use crate::raw::Raw;
use crate::reply::{ChatResponse, Choice};

/// Reads the reply to one request.
pub(super) struct ChatReader {
    /// Where ids of tool calls come from when the server gives none.
    pub(super) call_id: String,
    /// How the request spelled the names of tools.
    pub(super) names: Renames,
}

impl ReplyReader for ChatReader {
    fn framing(&self) -> Framing {
        Framing::Sse
    }

    fn whole(&self, body: &[u8]) -> Result<ChatResponse, TranslateError> {
        let raw: &RawValue =
            serde_json::from_slice(body).map_err(|error| malformed("body", &error.to_string()))?;
        let reply: Reply<'_> = object(raw).ok_or_else(|| malformed("body", "must be an object"))?;
        if let Some(error) = reply.failure() {
            return Err(malformed("error", &fault::of_frame(error).message));
        }
        let choices = reply.choices().ok_or_else(|| malformed("choices", "is required"))?;
        let mut response = ChatResponse {
            id: reply.id.map(text).unwrap_or_default().into_owned(),
            model: reply.model.map(text).unwrap_or_default().into_owned(),
            usage: reply.usage(&choices),
            ..ChatResponse::default()
        };
        let mut calls = 0;
        for (place, choice) in choices.iter().enumerate() {
            let index = choice.index(place).ok_or_else(|| malformed("choices.index", "is out of range"))?;
            let index = index as usize;
            if response.choices.len() <= index {
                response.choices.resize_with(index + 1, Choice::default);
            }
            response.choices[index] = self.choice(choice, &mut calls);
        }
        Ok(response)
    }

    fn stream(self: Box<Self>) -> Box<dyn StreamDecoder> {
        Box::new(ChatDecoder::new(self.call_id, self.names))
    }
}

impl ChatReader {
    fn choice(&self, wire: &WireChoice<'_>, called: &mut usize) -> Choice {
        let message = wire.message();
        let mut blocks = Vec::new();
        let mut splitter = Splitter::default();
        message.prose(&mut |prose, text| match prose {
            Prose::Thinking => {
                splitter.off();
                append(&mut blocks, Block::Thinking { text: text.to_owned(), signature: None });
            }
            Prose::Text => splitter.push(text, &mut |piece, text| append(&mut blocks, of_piece(piece, text))),
            Prose::Refusal => append(&mut blocks, Block::Refusal(text.to_owned())),
        });
        splitter.end(&mut |piece, text| append(&mut blocks, of_piece(piece, text)));
        let calls = message.calls();
        blocks = signed(message.thinking_blocks(), blocks);
        blocks.extend(message.citations().into_iter().map(Block::Citation));
        let any = !calls.is_empty();
        for call in calls {
            let id =
                if call.id.is_empty() { tool_call_id(&self.call_id, *called) } else { call.id.into_owned() };
            *called += 1;
            blocks.push(Block::ToolCall {
                id,
                name: self.names.meant(&call.name).to_owned(),
                input: call.arguments.into_owned(),
            });
        }
        let stop = wire.finish_reason().map(|word| finish::read(&word, any));
        let logprobs = wire.logprobs.filter(|raw| raw.get() != "null").map(Raw::from);
        Choice { blocks, stop, stop_text: None, logprobs }
    }
}

/// The signed blocks of an upstream that gives them (LiteLLM, say) in place of the same reasoning as plain text.
fn signed(thinking: Vec<Block>, blocks: Vec<Block>) -> Vec<Block> {
    if thinking.is_empty() {
        return blocks;
    }
    let others = blocks.into_iter().filter(|block| !matches!(block, Block::Thinking { .. }));
    thinking.into_iter().chain(others).collect()
}

fn of_piece(piece: Piece, text: &str) -> Block {
    match piece {
        Piece::Thinking => Block::Thinking { text: text.to_owned(), signature: None },
        Piece::Answer => Block::Text(text.to_owned()),
    }
}

/// Adds `block`, or its text to the block before it when both are of one kind, as a stream would.
fn append(blocks: &mut Vec<Block>, block: Block) {
    match (blocks.last_mut(), block) {
        (Some(Block::Text(before)), Block::Text(more))
        | (Some(Block::Refusal(before)), Block::Refusal(more))
        | (Some(Block::Thinking { text: before, .. }), Block::Thinking { text: more, .. }) => {
            before.push_str(&more)
        }
        (_, block) => blocks.push(block),
    }
}
