//! Blocks for clients that are shown one at a time, where an upstream may write several at once: what comes for a
//! block whose turn has not come waits here. Not here: how a block is written.

use std::collections::VecDeque;

use crate::chat::Citation;
use crate::event::BlockKind;

/// The blocks that were opened behind the one that is being written, in that order.
#[derive(Default)]
pub(crate) struct Queue(VecDeque<Waiting>);

/// A block whose turn has not come, and what has been said for it.
pub(crate) struct Waiting {
    /// The upstream's number.
    pub(crate) block: u32,
    pub(crate) kind: BlockKind,
    pub(crate) said: Vec<Said>,
    /// Whether it is complete already.
    pub(crate) closed: bool,
}

/// A piece of a block.
pub(crate) enum Said {
    Text(String),
    Signature(String),
    Cited(Citation),
}

impl Queue {
    /// `block` is opened.
    pub(crate) fn push(&mut self, block: u32, kind: &BlockKind) {
        self.0.push_back(Waiting { block, kind: kind.clone(), said: Vec::new(), closed: false });
    }

    /// More of `block`; nothing happens when it does not wait here.
    pub(crate) fn say(&mut self, block: u32, said: impl FnOnce() -> Said) {
        if let Some(waiting) = self.find(block) {
            waiting.said.push(said());
        }
    }

    /// `block` is complete.
    pub(crate) fn close(&mut self, block: u32) {
        if let Some(waiting) = self.find(block) {
            waiting.closed = true;
        }
    }

    /// The block whose turn it is.
    pub(crate) fn next(&mut self) -> Option<Waiting> {
        self.0.pop_front()
    }

    fn find(&mut self, block: u32) -> Option<&mut Waiting> {
        self.0.iter_mut().find(|waiting| waiting.block == block)
    }
}
