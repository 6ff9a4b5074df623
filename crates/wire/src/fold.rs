//! Events of a stream folded into the whole reply they amount to.

use std::collections::BTreeMap;

use crate::chat::Block;
use crate::event::{BlockKind, ChatEvent};
use crate::reply::{ChatResponse, Choice};

/// The whole reply that `events` amount to. For paired recordings it equals what the reader makes of the
/// same answer unstreamed. Log-probabilities are not folded.
#[must_use]
pub fn fold(events: &[ChatEvent]) -> ChatResponse {
    let mut reply = ChatResponse::default();
    let mut places: BTreeMap<u32, (usize, usize)> = BTreeMap::new();
    for event in events {
        match event {
            ChatEvent::Start { id, model } => {
                reply.id.clone_from(id);
                reply.model.clone_from(model);
            }
            ChatEvent::Open { block, choice, kind } => {
                let choice = grow(&mut reply, *choice);
                places.insert(*block, (choice, reply.choices[choice].blocks.len()));
                reply.choices[choice].blocks.push(empty(kind));
            }
            ChatEvent::Delta { block, text } => {
                if let Some((choice, at)) = places.get(block) {
                    append(&mut reply.choices[*choice].blocks[*at], text);
                }
            }
            ChatEvent::Signature { block, signature } => {
                if let Some((choice, at)) = places.get(block)
                    && let Block::Thinking { signature: old, .. } = &mut reply.choices[*choice].blocks[*at]
                {
                    *old = Some(signature.clone());
                }
            }
            ChatEvent::Cited { block, citation } => {
                if let Some((choice, _)) = places.get(block) {
                    reply.choices[*choice].blocks.push(Block::Citation(citation.clone()));
                }
            }
            ChatEvent::Met { choice, text } => {
                let choice = grow(&mut reply, *choice);
                reply.choices[choice].stop_text = Some(text.clone());
            }
            ChatEvent::Usage(usage) => reply.usage = Some(*usage),
            ChatEvent::Trace(raw) => reply.trace = Some(raw.clone()),
            ChatEvent::Stop { choice, reason } => {
                let choice = grow(&mut reply, *choice);
                reply.choices[choice].stop = Some(*reason);
            }
            ChatEvent::Close { .. } | ChatEvent::Logprobs { .. } | ChatEvent::Unmodeled { .. } => {}
        }
    }
    reply
}

/// Makes room for choice `index`. Indices come from an upstream, so they are bounded here.
fn grow(reply: &mut ChatResponse, index: u32) -> usize {
    const MOST_CHOICES: usize = 128;
    let index = (index as usize).min(MOST_CHOICES - 1);
    if reply.choices.len() <= index {
        reply.choices.resize_with(index + 1, Choice::default);
    }
    index
}

fn empty(kind: &BlockKind) -> Block {
    match kind {
        BlockKind::Text => Block::Text(String::new()),
        BlockKind::Thinking => Block::Thinking { text: String::new(), signature: None },
        BlockKind::RedactedThinking(data) => Block::RedactedThinking(data.clone()),
        BlockKind::Opaque { from, raw } => Block::Opaque { from: *from, raw: raw.clone() },
        BlockKind::Refusal => Block::Refusal(String::new()),
        BlockKind::ToolCall { id, name } => {
            Block::ToolCall { id: id.clone(), name: name.clone(), input: String::new() }
        }
    }
}

fn append(block: &mut Block, more: &str) {
    match block {
        Block::Text(text)
        | Block::Refusal(text)
        | Block::Thinking { text, .. }
        | Block::ToolCall { input: text, .. } => text.push_str(more),
        Block::RedactedThinking(_)
        | Block::Citation(_)
        | Block::CachePoint(_)
        | Block::ToolResult { .. }
        | Block::Image { .. }
        | Block::Audio { .. }
        | Block::File { .. }
        | Block::Opaque { .. } => {}
    }
}
