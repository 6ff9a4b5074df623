//! Plain calls: HTTP/1.1 requests for a model with a body of known length, which is nearly all traffic, are
//! read and answered here. Whatever else comes on a connection (other routes and methods, chunked bodies, anything
//! odd or malformed) makes it the general server's, with the bytes read so far; see [`crate::door`].
//!
//! - [`head`]: which requests are plain
//! - [`incoming`]: their bodies
//! - [`reply`]: what goes back

mod head;
mod incoming;
mod reply;

use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use bytes::{Buf, Bytes, BytesMut};
use gateway::body::ReplyBody;
use http::Response;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::Sleep;
use tokio_util::sync::{CancellationToken, WaitForCancellationFuture};

use self::head::{Ask, Next};
use self::incoming::Incoming;
use crate::door::{HEAD_PATIENCE, House, MOST_HEAD};

/// Room for one read.
const ROOM: usize = 8 << 10;
/// Bytes a client may send ahead of the reply to its last request.
const MOST_AHEAD: usize = 64 << 10;
/// How long a client may go on sending a body that nobody will read; cut off at once it might never see why.
const LINGER: Duration = Duration::from_secs(1);

/// How a connection ended here.
#[derive(Debug)]
pub(crate) enum Ended {
    /// It is closed.
    Closed,
    /// Something that is not a plain call has come: here are its first bytes.
    Other(TcpStream, Bytes),
}

/// Serves a connection as long as only plain calls come.
pub(crate) async fn serve(
    house: &House,
    stream: TcpStream,
    peer: SocketAddr,
    stop: &CancellationToken,
) -> io::Result<Ended> {
    let mut client = Client { stream, input: BytesMut::new() };
    let mut stopped = pin!(stop.cancelled());
    let mut alarm = pin!(tokio::time::sleep(HEAD_PATIENCE));
    loop {
        let ask = match client.next(&mut stopped, &mut alarm).await? {
            Some(Next::Plain(ask)) => ask,
            Some(Next::More | Next::Other) => return Ok(Ended::Other(client.stream, client.input.freeze())),
            None => return Ok(Ended::Closed),
        };
        let left = AtomicU64::new(ask.length);
        let Some(response) = client.answer(house, ask, peer, &left).await else { return Ok(Ended::Closed) };
        let unread = client.skip(left.into_inner());
        let last = unread > 0 || stop.is_cancelled();
        let sent = reply::send(&client.stream, response, last, &mut client.input).await?;
        if last {
            client.close().await;
        }
        if last || !sent {
            return Ok(Ended::Closed);
        }
    }
}

struct Client {
    stream: TcpStream,
    /// Read, not used yet.
    input: BytesMut,
}

impl Client {
    /// The next request; `None` when the connection has ended, was idle too long or shall be closed.
    async fn next(
        &mut self,
        stopped: &mut Pin<&mut WaitForCancellationFuture<'_>>,
        alarm: &mut Pin<&mut Sleep>,
    ) -> io::Result<Option<Next>> {
        let since = Instant::now();
        let mut tries = 0;
        loop {
            if !self.input.is_empty() {
                match head::take(&mut self.input) {
                    // A head in many small pieces is read again and again: the general server does that better.
                    Next::More if tries == 0 && self.input.len() < MOST_HEAD => tries += 1,
                    next => return Ok(Some(next)),
                }
            } else if self.input.capacity() > 0 {
                // An idle connection holds no memory.
                self.input = BytesMut::new();
            }
            let more = std::future::poll_fn(|context| {
                if let Poll::Ready(count) = poll_read(&self.stream, context, &mut self.input, ROOM) {
                    return Poll::Ready(count.map(|count| count > 0));
                }
                if self.input.is_empty() && stopped.as_mut().poll(context).is_ready() {
                    return Poll::Ready(Ok(false));
                }
                // One timer for the whole connection, moved only when it goes off.
                while alarm.as_mut().poll(context).is_ready() {
                    if since.elapsed() >= HEAD_PATIENCE {
                        return Poll::Ready(Ok(false));
                    }
                    alarm.as_mut().reset((since + HEAD_PATIENCE).into());
                }
                Poll::Pending
            });
            if !more.await? {
                return Ok(None);
            }
        }
    }

    /// The response to a call; `None` when the client has left meanwhile. `left` is what is left of the
    /// request's body.
    async fn answer(
        &mut self,
        house: &House,
        ask: Ask,
        peer: SocketAddr,
        left: &AtomicU64,
    ) -> Option<Response<ReplyBody>> {
        let stream = &self.stream;
        let mut ahead = BytesMut::new();
        let response = {
            let body = Incoming { stream, input: &mut self.input, left };
            let mut call = pin!(house.call(ask.endpoint, ask.head, body, peer));
            std::future::poll_fn(|context| {
                if let Poll::Ready(response) = call.as_mut().poll(context) {
                    return Poll::Ready(Some(response));
                }
                if left.load(Ordering::Relaxed) == 0 && is_gone(stream, context, &mut ahead) {
                    return Poll::Ready(None);
                }
                Poll::Pending
            })
            .await
        };
        self.input.extend_from_slice(&ahead);
        response
    }

    /// Drops what has come of the `left` bytes of a body; how many are still to come.
    fn skip(&mut self, left: u64) -> u64 {
        let here = usize::try_from(left).unwrap_or(usize::MAX).min(self.input.len());
        self.input.advance(here);
        left - here as u64
    }

    /// Closes the connection after the client has had time to read the reply.
    async fn close(&mut self) {
        let drained = async {
            self.stream.shutdown().await?;
            loop {
                self.input.clear();
                let read =
                    |context: &mut Context<'_>| poll_read(&self.stream, context, &mut self.input, ROOM);
                if std::future::poll_fn(read).await? == 0 {
                    return Ok::<(), io::Error>(());
                }
            }
        };
        let _ = tokio::time::timeout(LINGER, drained).await;
    }
}

/// Reads once, at most about `room` bytes. 0 at the end. Memory is taken only when there is something to read.
fn poll_read(
    stream: &TcpStream,
    context: &mut Context<'_>,
    into: &mut BytesMut,
    room: usize,
) -> Poll<io::Result<usize>> {
    loop {
        ready!(stream.poll_read_ready(context))?;
        into.reserve(room);
        match stream.try_read_buf(into) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            result => return Poll::Ready(result),
        }
    }
}

/// Whether the client has left. What it sends ahead is kept.
fn is_gone(stream: &TcpStream, context: &mut Context<'_>, ahead: &mut BytesMut) -> bool {
    while ahead.len() < MOST_AHEAD {
        match poll_read(stream, context, ahead, ROOM) {
            Poll::Pending => return false,
            Poll::Ready(Ok(0) | Err(_)) => return true,
            Poll::Ready(Ok(_)) => {}
        }
    }
    false
}
