//! Replies too large to hold: made block by block while they are sent, inflated or gzipped.

use std::collections::VecDeque;
use std::io::Write;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use memchr::memmem::find_iter;

use super::play::Output;
use super::script::Chunk;

const BLOCK: usize = 16 * 1024;
/// Input between two pieces of a gzip body: at a ratio of about 1:1000 a piece is then about 1 KB.
const GZIP_BLOCKS: usize = 64;
/// Stands for the filler in a reply that is written without it.
const MARK: &str = "@filler@";
/// A binary frame carries its length and checksum, so its text is made at once and kept to this size.
const MOST_FRAMED: u64 = 16 * 1024 * 1024;

/// The text of a reply that will be filled.
pub(crate) fn chunk(framed: bool, text_bytes: u64) -> Chunk {
    let framed_bytes = || usize::try_from(text_bytes.min(MOST_FRAMED)).unwrap_or(BLOCK);
    Chunk::Text(if framed { "a".repeat(framed_bytes()) } else { MARK.to_owned() })
}

/// A valid reply, and the length of the text, without a line end, that takes the place of its marks.
pub(crate) struct Fill {
    pub(crate) around: Vec<u8>,
    pub(crate) text_bytes: u64,
}

impl Fill {
    pub(crate) fn plain(self) -> Output {
        Output::endless(self.blocks())
    }

    pub(crate) fn gzip(self) -> Output {
        let mut blocks = self.blocks();
        let mut encoder = Some(GzEncoder::new(Vec::new(), Compression::best()));
        Output::endless(std::iter::from_fn(move || {
            let mut open = encoder.take()?;
            for _ in 0..GZIP_BLOCKS {
                // Writing to a Vec cannot fail; if it did, the body would end early, which the reader sees.
                let Some(block) = blocks.next() else { return open.finish().ok().map(Bytes::from) };
                open.write_all(&block).ok()?;
            }
            let piece = std::mem::take(open.get_mut());
            encoder = Some(open);
            Some(piece.into())
        }))
    }

    fn blocks(self) -> impl Iterator<Item = Bytes> + Send + 'static {
        let around = Bytes::from(self.around);
        let mut fixed = VecDeque::new();
        let mut start = 0;
        for mark in find_iter(&around, MARK) {
            fixed.push_back(around.slice(start..mark));
            start = mark + MARK.len();
        }
        fixed.push_back(around.slice(start..));
        let block = Bytes::from(vec![b'a'; BLOCK]);
        let mut left = 0;
        std::iter::from_fn(move || {
            if left > 0 {
                let size = usize::try_from(left).unwrap_or(usize::MAX).min(BLOCK);
                left -= size as u64;
                return Some(block.slice(..size));
            }
            let next = fixed.pop_front()?;
            left = if fixed.is_empty() { 0 } else { self.text_bytes };
            Some(next)
        })
    }
}
