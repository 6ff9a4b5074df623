//! The bodies that cross the gateway: ready pieces, and the three kinds of reply.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::io::IoSlice;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Buf, Bytes};
use http_body::{Body, Frame, SizeHint};

use crate::fields::Fields;
use crate::stream::Flow;

/// A body whose bytes are all there, possibly as several slices.
#[derive(Clone, Debug, Default)]
pub struct Pieces {
    queue: VecDeque<Bytes>,
    length: u64,
}

impl Pieces {
    /// The bytes still to be sent.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.length
    }

    /// Whether nothing is left to send.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }
}

impl From<Vec<Bytes>> for Pieces {
    fn from(pieces: Vec<Bytes>) -> Self {
        let length = pieces.iter().map(|piece| piece.len() as u64).sum();
        Self { queue: pieces.into(), length }
    }
}

impl From<Pieces> for Vec<Bytes> {
    fn from(pieces: Pieces) -> Self {
        pieces.queue.into()
    }
}

impl From<Bytes> for Pieces {
    fn from(bytes: Bytes) -> Self {
        Self::from(vec![bytes])
    }
}

impl Buf for Pieces {
    fn remaining(&self) -> usize {
        usize::try_from(self.length).unwrap_or(usize::MAX)
    }

    fn chunk(&self) -> &[u8] {
        self.queue.iter().find(|piece| !piece.is_empty()).map_or(&[], |piece| piece)
    }

    fn chunks_vectored<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        let pieces = self.queue.iter().filter(|piece| !piece.is_empty());
        slices.iter_mut().zip(pieces).map(|(slice, piece)| *slice = IoSlice::new(piece)).count()
    }

    fn advance(&mut self, count: usize) {
        self.length = self.length.saturating_sub(count as u64);
        let mut left = count;
        while let Some(piece) = self.queue.front_mut() {
            if left < piece.len() {
                piece.advance(left);
                return;
            }
            left -= piece.len();
            self.queue.pop_front();
        }
    }
}

impl Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let next = self.queue.pop_front();
        if let Some(piece) = &next {
            self.length -= piece.len() as u64;
        }
        Poll::Ready(next.map(|piece| Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.queue.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.length)
    }
}

/// What a caller is answered with.
#[derive(Debug)]
pub struct ReplyBody {
    /// Fields of the head that are ready to be written. They are not among the response's headers, nor is any
    /// name of theirs; whoever needs all of the head in one map spreads them, see [`Fields::spread`].
    pub fields: Fields,
    /// The body.
    pub content: Content,
}

/// The bytes a caller is answered with.
#[derive(Debug)]
pub enum Content {
    /// Everything is there.
    Whole(Pieces),
    /// Bytes as the upstream produces them.
    Stream(Box<Flow>),
}

impl From<Bytes> for ReplyBody {
    fn from(bytes: Bytes) -> Self {
        Self { fields: Fields::default(), content: Content::Whole(bytes.into()) }
    }
}

impl Body for ReplyBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match &mut self.content {
            Content::Whole(pieces) => Pin::new(pieces).poll_frame(context),
            Content::Stream(flow) => {
                flow.poll_next(context).map(|next| next.map(|bytes| Ok(Frame::data(bytes))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.content {
            Content::Whole(pieces) => pieces.is_end_stream(),
            Content::Stream(_) => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.content {
            Content::Whole(pieces) => pieces.size_hint(),
            Content::Stream(_) => SizeHint::default(),
        }
    }
}
