//! The body of a plain call, read from its connection as it is wanted.

use std::io;
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use super::Reading;

/// Room for one read, and about the size of one frame, at most.
const MOST_ROOM: usize = 256 << 10;

/// A body of known length.
pub(super) struct Incoming<'a>(pub(super) &'a Mutex<&'a mut Reading>);

impl<'a> Incoming<'a> {
    fn reading(&self) -> MutexGuard<'_, &'a mut Reading> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Body for Incoming<'_> {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let mut reading = self.reading();
        let left = usize::try_from(reading.left).unwrap_or(usize::MAX);
        if left == 0 {
            return Poll::Ready(None);
        }
        // All that has come by now, so that a body is few frames.
        while reading.input.len() < left.min(MOST_ROOM) {
            let room = (left - reading.input.len()).min(MOST_ROOM);
            match reading.poll_read(context, room) {
                Poll::Pending if reading.input.is_empty() => return Poll::Pending,
                Poll::Pending => break,
                Poll::Ready(Ok(0)) => return Poll::Ready(Some(Err(io::ErrorKind::UnexpectedEof.into()))),
                Poll::Ready(Ok(_)) => {}
                Poll::Ready(Err(error)) => return Poll::Ready(Some(Err(error))),
            }
        }
        let here = left.min(reading.input.len());
        reading.left -= here as u64;
        Poll::Ready(Some(Ok(Frame::data(reading.input.split_to(here).freeze()))))
    }

    fn is_end_stream(&self) -> bool {
        self.reading().left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.reading().left)
    }
}
