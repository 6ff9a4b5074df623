//! Replies too large to hold: made block by block while they are sent, inflated or gzipped.

use std::io::Write;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;

use super::play::Output;

const BLOCK: usize = 16 * 1024;
/// Input between two pieces of a gzip body: at a ratio of about 1:1000 a piece is then about 1 KB.
const GZIP_BLOCKS: usize = 64;

/// A valid chat reply, or one SSE frame, whose text is `text_bytes` long and holds no line end.
pub(crate) fn big_line(streams: bool, text_bytes: u64) -> Output {
    Output::endless(blocks(streams, text_bytes))
}

/// The same, gzipped.
pub(crate) fn gzip(streams: bool, text_bytes: u64) -> Output {
    let mut blocks = blocks(streams, text_bytes);
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

fn blocks(streams: bool, text_bytes: u64) -> impl Iterator<Item = Bytes> + Send + 'static {
    let (head, tail) = if streams {
        (
            "data: {\"id\":\"chatcmpl-fake\",\"object\":\"chat.completion.chunk\",\"created\":1700000000,\"model\":\"fake\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"",
            "\"},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n",
        )
    } else {
        (
            "{\"id\":\"chatcmpl-fake\",\"object\":\"chat.completion\",\"created\":1700000000,\"model\":\"fake\",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"",
            "\"},\"finish_reason\":\"stop\"}]}",
        )
    };
    let block = Bytes::from(vec![b'a'; BLOCK]);
    let mut left = text_bytes;
    let text = std::iter::from_fn(move || {
        let size = usize::try_from(left).unwrap_or(usize::MAX).min(BLOCK);
        left -= size as u64;
        (size > 0).then(|| block.slice(..size))
    });
    let fixed = |text: &'static str| std::iter::once(Bytes::from_static(text.as_bytes()));
    fixed(head).chain(text).chain(fixed(tail))
}
