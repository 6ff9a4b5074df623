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
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use bytes::{Buf, Bytes, BytesMut};
use gateway::body::ReplyBody;
use http::Response;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::time::Sleep;
use tokio_util::sync::{CancellationToken, WaitForCancellationFuture};

use self::head::{Ask, Next};
use self::incoming::Incoming;
use crate::door::{HEAD_PATIENCE, House, MOST_HEAD};

/// Room for one read. The allocator serves larger blocks more slowly.
const ROOM: usize = 4 << 10;
/// Bytes a client may send ahead of the reply to its last request.
const MOST_AHEAD: usize = 64 << 10;
/// How long a client may go on sending a body that nobody will read; cut off at once it might never see why.
const LINGER: Duration = Duration::from_secs(1);

/// How a connection ended here.
#[derive(Debug)]
pub(crate) enum Ended {
    /// It is closed.
    Closed,
    /// Something that is not a plain call has come: here are its first bytes and both directions.
    Other(Bytes, OwnedReadHalf, OwnedWriteHalf),
}

/// Serves a connection as long as only plain calls come.
pub(crate) async fn serve(
    house: &House,
    stream: TcpStream,
    peer: SocketAddr,
    stop: &CancellationToken,
) -> io::Result<Ended> {
    let (reader, writer) = stream.into_split();
    let mut client = Client { reading: Reading { reader, input: BytesMut::new(), left: 0 }, writer };
    let mut stopped = pin!(stop.cancelled());
    let mut alarm = pin!(tokio::time::sleep(HEAD_PATIENCE));
    loop {
        let ask = match client.next(&mut stopped, &mut alarm).await? {
            Some(Next::Plain(ask)) => ask,
            Some(Next::More | Next::Other) => {
                let Reading { reader, input, .. } = client.reading;
                return Ok(Ended::Other(input.freeze(), reader, client.writer));
            }
            None => return Ok(Ended::Closed),
        };
        let Some(response) = client.answer(house, ask, peer).await else { return Ok(Ended::Closed) };
        let last = !client.reading.skip() || stop.is_cancelled();
        let sent = reply::send(&client.writer, response, last, &mut client.reading).await?;
        if last {
            client.close().await;
        }
        if last || !sent {
            return Ok(Ended::Closed);
        }
    }
}

struct Client {
    reading: Reading,
    writer: OwnedWriteHalf,
}

/// What comes from a client.
struct Reading {
    reader: OwnedReadHalf,
    /// Read, not used yet.
    input: BytesMut,
    /// Bytes of the body of the request in hand that were not used yet.
    left: u64,
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
        let reading = &mut self.reading;
        loop {
            if !reading.input.is_empty() {
                match head::take(&mut reading.input) {
                    // A head in many small pieces is read again and again: the general server does that better.
                    Next::More if tries == 0 && reading.input.len() < MOST_HEAD => tries += 1,
                    next => return Ok(Some(next)),
                }
            } else if reading.input.capacity() > 0 {
                // An idle connection holds no memory.
                reading.input = BytesMut::new();
            }
            let more = std::future::poll_fn(|context| {
                if let Poll::Ready(count) = reading.poll_read(context, ROOM) {
                    return Poll::Ready(count.map(|count| count > 0));
                }
                if reading.input.is_empty() && stopped.as_mut().poll(context).is_ready() {
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

    /// The response to a call; `None` when the client has left meanwhile.
    async fn answer(&mut self, house: &House, ask: Ask, peer: SocketAddr) -> Option<Response<ReplyBody>> {
        self.reading.left = ask.length;
        // The call reads the body; whether the client leaves is looked at beside it.
        let reading = Mutex::new(&mut self.reading);
        let mut call = pin!(house.call(ask.endpoint, ask.head, Incoming(&reading), peer));
        std::future::poll_fn(|context| {
            if let Poll::Ready(response) = call.as_mut().poll(context) {
                return Poll::Ready(Some(response));
            }
            let mut reading = reading.lock().unwrap_or_else(PoisonError::into_inner);
            if reading.left == 0 && reading.is_gone(context) { Poll::Ready(None) } else { Poll::Pending }
        })
        .await
    }

    /// Closes the connection after the client has had time to read the reply.
    async fn close(&mut self) {
        let drained = async {
            self.writer.shutdown().await?;
            loop {
                self.reading.input.clear();
                let read = |context: &mut Context<'_>| self.reading.poll_read(context, ROOM);
                if std::future::poll_fn(read).await? == 0 {
                    return Ok::<(), io::Error>(());
                }
            }
        };
        let _ = tokio::time::timeout(LINGER, drained).await;
    }
}

impl Reading {
    /// Reads once, at most about `room` bytes. 0 at the end. Memory is taken only when there is something to
    /// read.
    fn poll_read(&mut self, context: &mut Context<'_>, room: usize) -> Poll<io::Result<usize>> {
        ready!(self.reader.as_ref().poll_read_ready(context))?;
        self.input.reserve(room);
        pin!(self.reader.read_buf(&mut self.input)).poll(context)
    }

    /// Whether the client has left. What it sends ahead is kept. Not before the body has been read.
    fn is_gone(&mut self, context: &mut Context<'_>) -> bool {
        while self.input.len() < MOST_AHEAD {
            match self.poll_read(context, ROOM) {
                Poll::Pending => return false,
                Poll::Ready(Ok(0) | Err(_)) => return true,
                Poll::Ready(Ok(_)) => {}
            }
        }
        false
    }

    /// Drops what has come of the rest of the body. Whether that was all of it.
    fn skip(&mut self) -> bool {
        let here = usize::try_from(self.left).unwrap_or(usize::MAX).min(self.input.len());
        self.input.advance(here);
        self.left -= here as u64;
        self.left == 0
    }
}
