//! The body of a plain call, read from its connection as it is wanted.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use http_body::{Body, Frame, SizeHint};
use tokio::net::TcpStream;

/// Room for one read, and about the size of one frame, at most.
const MOST_ROOM: usize = 256 << 10;

/// A body of known length.
pub(super) struct Incoming<'a> {
    pub(super) stream: &'a TcpStream,
    /// What was read together with the head.
    pub(super) input: &'a mut BytesMut,
    /// Bytes of the body that were not taken yet. Shared with the connection, which waits for its end.
    pub(super) left: &'a AtomicU64,
}

impl Body for Incoming<'_> {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let this = self.get_mut();
        let left = usize::try_from(this.left.load(Ordering::Relaxed)).unwrap_or(usize::MAX);
        if left == 0 {
            return Poll::Ready(None);
        }
        // All that has come by now, so that a body is few frames.
        while this.input.len() < left.min(MOST_ROOM) {
            let room = (left - this.input.len()).min(MOST_ROOM);
            match super::poll_read(this.stream, context, this.input, room) {
                Poll::Pending if this.input.is_empty() => return Poll::Pending,
                Poll::Pending => break,
                Poll::Ready(Ok(0)) => return Poll::Ready(Some(Err(io::ErrorKind::UnexpectedEof.into()))),
                Poll::Ready(Ok(_)) => {}
                Poll::Ready(Err(error)) => return Poll::Ready(Some(Err(error))),
            }
        }
        let here = left.min(this.input.len());
        this.left.fetch_sub(here as u64, Ordering::Relaxed);
        Poll::Ready(Some(Ok(Frame::data(this.input.split_to(here).freeze()))))
    }

    fn is_end_stream(&self) -> bool {
        self.left.load(Ordering::Relaxed) == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left.load(Ordering::Relaxed))
    }
}
