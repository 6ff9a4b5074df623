//! A whole reply as the events of a stream.

use tollgate_wire::chat::Block;
use tollgate_wire::event::{BlockKind, ChatEvent};
use tollgate_wire::reply::ChatResponse;

/// The events of a stream that tells `reply`, its texts in two pieces.
pub(crate) fn events(reply: &ChatResponse) -> Vec<ChatEvent> {
    let mut events = vec![ChatEvent::Start { id: reply.id.clone(), model: reply.model.clone() }];
    for (block, said) in (0..).zip(&reply.choices[0].blocks) {
        let (kind, text, signature) = match said {
            Block::Text(text) => (BlockKind::Text, text.as_str(), None),
            Block::Refusal(text) => (BlockKind::Refusal, text.as_str(), None),
            Block::Thinking { text, signature } => (BlockKind::Thinking, text.as_str(), signature.clone()),
            Block::RedactedThinking(data) => (BlockKind::RedactedThinking(data.clone()), "", None),
            Block::ToolCall { id, name, input } => {
                (BlockKind::ToolCall { id: id.clone(), name: name.clone() }, input.as_str(), None)
            }
            other => panic!("{other:?}"),
        };
        events.push(ChatEvent::Open { block, choice: 0, kind });
        let middle = text.floor_char_boundary(text.len() / 2);
        for piece in [&text[..middle], &text[middle..]].into_iter().filter(|piece| !piece.is_empty()) {
            events.push(ChatEvent::Delta { block, text: piece.to_owned() });
        }
        events.extend(signature.map(|signature| ChatEvent::Signature { block, signature }));
        events.push(ChatEvent::Close { block });
    }
    events.extend(reply.usage.map(ChatEvent::Usage));
    events.extend(reply.choices[0].stop_text.clone().map(|text| ChatEvent::Met { choice: 0, text }));
    events.extend(reply.choices[0].stop.map(|reason| ChatEvent::Stop { choice: 0, reason }));
    events
}
