//! One connection to an upstream and what is in flight on it: bytes of a request not sent yet, bytes of an
//! answer not read yet. Polled by the call that holds it; no task of its own.

use std::io::{self, IoSlice};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker, ready};

use bytes::buf::Chain;
use bytes::{Buf, Bytes, BytesMut};
use http::Method;
use hyper_rustls::MaybeHttpsStream;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use super::framing::{Framing, Step};
use super::head::{self, Head, NotHttp};
use crate::body::Pieces;

/// Room for one read: at first (the allocator serves larger blocks more slowly), and at most, for bodies whose
/// reads fill it.
const LEAST_ROOM: usize = 4 << 10;
const MOST_ROOM: usize = 256 << 10;
/// Slices handed to the system in one write.
const MOST_SLICES: usize = 16;
/// Interim answers (100, 103) before the final one.
const MOST_INTERIM: u32 = 16;

/// Why an exchange broke off.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Broken {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error(transparent)]
    NotHttp(#[from] NotHttp),
    #[error("the connection was closed before the answer was complete")]
    Closed,
}

/// A request on its way out.
pub(super) type Unsent = Chain<Bytes, Pieces>;

/// An open connection.
pub(super) struct Line {
    stream: Stream,
    unsent: Option<Unsent>,
    input: BytesMut,
    room: usize,
    /// Whether any byte of the request has left.
    begun: bool,
    /// Why no more can be sent; what the upstream has said until then still counts.
    deaf: Option<io::Error>,
}

enum Stream {
    Plain(TcpStream),
    Tls(Box<TokioIo<MaybeHttpsStream<TokioIo<TcpStream>>>>),
}

impl Line {
    pub(super) fn new(stream: MaybeHttpsStream<TokioIo<TcpStream>>) -> Self {
        let stream = match stream {
            MaybeHttpsStream::Http(plain) => Stream::Plain(plain.into_inner()),
            tls @ MaybeHttpsStream::Https(_) => Stream::Tls(Box::new(TokioIo::new(tls))),
        };
        Self { stream, unsent: None, input: BytesMut::new(), room: LEAST_ROOM, begun: false, deaf: None }
    }

    /// Whether the connection is open and silent, as an idle one must be. Costs no system call unless something
    /// has happened on it.
    pub(super) fn is_quiet(&mut self) -> bool {
        let mut byte = [0];
        let mut buffer = ReadBuf::new(&mut byte);
        let mut context = Context::from_waker(Waker::noop());
        self.input.is_empty() && Pin::new(&mut self.stream).poll_read(&mut context, &mut buffer).is_pending()
    }

    /// Puts a request on the line.
    pub(super) fn put(&mut self, request: Unsent) {
        self.unsent = Some(request);
        self.begun = false;
        self.room = LEAST_ROOM;
    }

    /// Takes a request back of which nothing has left.
    pub(super) fn take_back(&mut self) -> Option<Unsent> {
        self.unsent.take().filter(|_| !self.begun)
    }

    /// Sends the request and waits for the head of the answer to its `method`.
    pub(super) async fn exchange(&mut self, method: &Method) -> Result<Head, Broken> {
        let (mut searched, mut interim) = (0, 0);
        std::future::poll_fn(|context| self.poll_head(context, method, &mut searched, &mut interim)).await
    }

    fn poll_head(
        &mut self,
        context: &mut Context<'_>,
        method: &Method,
        searched: &mut usize,
        interim: &mut u32,
    ) -> Poll<Result<Head, Broken>> {
        self.send(context);
        loop {
            while let Some(head) = head::take(&mut self.input, searched, method)? {
                if !head.status.is_informational() {
                    return Poll::Ready(Ok(head));
                }
                *interim += 1;
                if *interim > MOST_INTERIM {
                    return Poll::Ready(Err(NotHttp::Head.into()));
                }
            }
            if !ready!(self.poll_fill(context))? {
                return Poll::Ready(Err(self.deaf.take().map_or(Broken::Closed, Broken::Io)));
            }
        }
    }

    /// The next data of a body, `None` at its end.
    pub(super) fn poll_data(
        &mut self,
        context: &mut Context<'_>,
        framing: &mut Framing,
    ) -> Poll<Option<Result<Bytes, Broken>>> {
        self.send(context);
        loop {
            match framing.step(&mut self.input) {
                Ok(Step::Data(data)) => return Poll::Ready(Some(Ok(data))),
                Ok(Step::End) => return Poll::Ready(None),
                Ok(Step::More) => {}
                Err(error) => return Poll::Ready(Some(Err(error.into()))),
            }
            match ready!(self.poll_fill(context)) {
                Ok(true) => {}
                Ok(false) if framing.ends_by_close() => return Poll::Ready(None),
                Ok(false) => return Poll::Ready(Some(Err(Broken::Closed))),
                Err(error) => return Poll::Ready(Some(Err(error.into()))),
            }
        }
    }

    /// Whether the last exchange left nothing behind, so that another may follow.
    pub(super) fn is_clear(&self) -> bool {
        self.input.is_empty() && self.unsent.is_none() && self.deaf.is_none()
    }

    /// Gives the memory of an idle connection back.
    pub(super) fn shrink(&mut self) {
        self.input = BytesMut::new();
    }

    /// Sends as much as can be sent now. An upstream may answer before it has the whole request, and close
    /// early: so reading goes on meanwhile, and a failure here is told only if there is no answer.
    fn send(&mut self, context: &mut Context<'_>) {
        let Some(request) = &mut self.unsent else { return };
        match self.stream.poll_send(context, request, &mut self.begun) {
            Poll::Pending => {}
            Poll::Ready(Ok(())) => self.unsent = None,
            Poll::Ready(Err(error)) => {
                self.deaf = Some(error);
                if self.begun {
                    self.unsent = None;
                }
            }
        }
    }

    /// Reads once. `false` at the end.
    fn poll_fill(&mut self, context: &mut Context<'_>) -> Poll<io::Result<bool>> {
        self.input.reserve(self.room);
        let count = ready!(pin!(self.stream.read_buf(&mut self.input)).poll(context))?;
        if count >= self.room {
            self.room = (self.room * 2).min(MOST_ROOM);
        }
        Poll::Ready(Ok(count > 0))
    }
}

impl Stream {
    /// Sends `request` to its end. `begun` becomes true with its first byte.
    fn poll_send(
        &mut self,
        context: &mut Context<'_>,
        request: &mut Unsent,
        begun: &mut bool,
    ) -> Poll<io::Result<()>> {
        while request.has_remaining() {
            let mut slices = [IoSlice::new(&[]); MOST_SLICES];
            let count = request.chunks_vectored(&mut slices);
            let sent = ready!(Pin::new(&mut *self).poll_write_vectored(context, &slices[..count]))?;
            if sent == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            *begun = true;
            request.advance(sent);
        }
        Pin::new(self).poll_flush(context)
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(context, buffer),
            Self::Tls(stream) => Pin::new(stream).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(context, &[IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write_vectored(context, slices),
            Self::Tls(stream) => Pin::new(stream).poll_write_vectored(context, slices),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(_) => Poll::Ready(Ok(())),
            Self::Tls(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(context),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}
