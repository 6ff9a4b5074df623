//! The prose of one choice of a stream: text, reasoning and refusals, of which one block is open at a time.

use super::think::{Piece, Splitter};
use crate::chat::Citation;
use crate::event::{BlockKind, ChatEvent};

/// Where the events of one choice go, and the number its next block gets.
pub(crate) struct Sink<'a> {
    pub(crate) choice: u32,
    pub(crate) next: &'a mut u32,
    pub(crate) out: &'a mut Vec<ChatEvent>,
}

impl Sink<'_> {
    /// Begins a block and returns its number.
    pub(crate) fn open(&mut self, kind: BlockKind) -> u32 {
        let block = *self.next;
        *self.next = block.saturating_add(1);
        self.out.push(ChatEvent::Open { block, choice: self.choice, kind });
        block
    }
}

/// What has been said so far, as far as the next words need it.
#[derive(Default)]
pub(crate) struct Speech {
    splitter: Splitter,
    open: Option<(BlockKind, u32)>,
}

impl Speech {
    /// Text of the answer, which may begin with `<think>`.
    pub(crate) fn text(&mut self, text: &str, sink: &mut Sink<'_>) {
        let open = &mut self.open;
        self.splitter.push(text, &mut |piece, text| say(open, kind_of(piece), text, sink));
    }

    /// Reasoning that arrives as such: tags in the text are then the answer's own.
    pub(crate) fn thinking(&mut self, text: &str, sink: &mut Sink<'_>) {
        self.splitter.off();
        say(&mut self.open, BlockKind::Thinking, text, sink);
    }

    /// Words of a refusal.
    pub(crate) fn refusal(&mut self, text: &str, sink: &mut Sink<'_>) {
        say(&mut self.open, BlockKind::Refusal, text, sink);
    }

    /// The signature of the reasoning just said, which is complete with it.
    pub(crate) fn sign(&mut self, signature: String, sink: &mut Sink<'_>) {
        if let Some((_, block)) = self.open.take_if(|(kind, _)| *kind == BlockKind::Thinking) {
            sink.out.extend([ChatEvent::Signature { block, signature }, ChatEvent::Close { block }]);
        }
    }

    /// Reasoning that only its provider can read.
    pub(crate) fn redacted(&mut self, data: String, sink: &mut Sink<'_>) {
        self.close(sink);
        let block = sink.open(BlockKind::RedactedThinking(data));
        sink.out.push(ChatEvent::Close { block });
    }

    /// A source of the text being said. One that comes when none is open has nothing to stand behind.
    pub(crate) fn cite(&mut self, citation: Citation, sink: &mut Sink<'_>) {
        if let Some((BlockKind::Text, block)) = self.open {
            sink.out.push(ChatEvent::Cited { block, citation });
        }
    }

    /// Closes what is open; what was held back as a possible tag is none.
    pub(crate) fn close(&mut self, sink: &mut Sink<'_>) {
        let open = &mut self.open;
        self.splitter.end(&mut |piece, text| say(open, kind_of(piece), text, sink));
        if let Some((_, block)) = self.open.take() {
            sink.out.push(ChatEvent::Close { block });
        }
    }
}

/// Adds to the open block of this kind, or closes the other one and opens this.
fn say(open: &mut Option<(BlockKind, u32)>, kind: BlockKind, text: &str, sink: &mut Sink<'_>) {
    let block = match open {
        Some((same, block)) if *same == kind => *block,
        other => {
            if let Some((_, block)) = other.take() {
                sink.out.push(ChatEvent::Close { block });
            }
            let block = sink.open(kind.clone());
            *other = Some((kind, block));
            block
        }
    };
    sink.out.push(ChatEvent::Delta { block, text: text.to_owned() });
}

fn kind_of(piece: Piece) -> BlockKind {
    match piece {
        Piece::Thinking => BlockKind::Thinking,
        Piece::Answer => BlockKind::Text,
    }
}
