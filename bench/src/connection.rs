//! One kept HTTP/1.1 connection: writes prebuilt bytes, reads the reply just far enough to know where it
//! ends, and when its first body byte came. A client this thin leaves the machine to what is measured.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::{Buf, BytesMut};
use memchr::memchr_iter;
use memchr::memmem::find;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const READ_BYTES: usize = 16 * 1024;
const MOST_HEAD_BYTES: usize = 64 * 1024;

/// A reply, read to its end.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    /// From before the request was written to the first byte of the reply's body.
    pub(crate) first_byte: Duration,
    pub(crate) total: Duration,
    /// Blank lines in the body: the SSE events.
    pub(crate) events: u64,
}

pub(crate) struct Connection {
    address: SocketAddr,
    stream: Option<TcpStream>,
    buffer: BytesMut,
}

impl Connection {
    pub(crate) fn new(address: SocketAddr) -> Self {
        Self { address, stream: None, buffer: BytesMut::new() }
    }

    /// Sends the request and reads its reply; connects first when there is no connection left to use.
    pub(crate) async fn exchange(&mut self, request: &[u8]) -> io::Result<Reply> {
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => {
                self.buffer.clear();
                let stream = TcpStream::connect(self.address).await?;
                stream.set_nodelay(true)?;
                stream
            }
        };
        let (reply, reusable) = exchange(&mut stream, &mut self.buffer, request).await?;
        if reusable {
            self.stream = Some(stream);
        }
        Ok(reply)
    }
}

async fn exchange(
    stream: &mut TcpStream,
    buffer: &mut BytesMut,
    request: &[u8],
) -> io::Result<(Reply, bool)> {
    let start = Instant::now();
    stream.write_all(request).await?;
    let head = loop {
        if let Some(head) = Head::take(buffer)? {
            break head;
        }
        more(stream, buffer).await?;
    };
    let mut body = BodyReader::new(head.length);
    let mut first_byte = None;
    loop {
        if !buffer.is_empty() && first_byte.is_none() {
            first_byte = Some(start.elapsed());
        }
        if body.feed(buffer)? {
            break;
        }
        more(stream, buffer).await?;
    }
    let total = start.elapsed();
    let reply =
        Reply { status: head.status, first_byte: first_byte.unwrap_or(total), total, events: body.events };
    Ok((reply, head.keep_alive))
}

async fn more(stream: &mut TcpStream, buffer: &mut BytesMut) -> io::Result<()> {
    buffer.reserve(READ_BYTES);
    match stream.read_buf(buffer).await? {
        0 => Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the connection ended inside a reply")),
        _ => Ok(()),
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Length {
    Exact(u64),
    Chunked,
}

#[derive(Debug)]
struct Head {
    status: u16,
    length: Length,
    keep_alive: bool,
}

impl Head {
    /// Takes a whole head off the buffer, if there is one.
    fn take(buffer: &mut BytesMut) -> io::Result<Option<Self>> {
        let Some(end) = find(buffer, b"\r\n\r\n") else {
            return if buffer.len() > MOST_HEAD_BYTES { Err(invalid("head too long")) } else { Ok(None) };
        };
        let head = buffer.split_to(end + 4);
        let text = std::str::from_utf8(&head).map_err(|_| invalid("head is not text"))?;
        let mut lines = text.split("\r\n");
        let status = lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|code| code.parse().ok());
        let status = status.ok_or_else(|| invalid("no status"))?;
        let (mut length, mut keep_alive) = (None, true);
        for (name, value) in lines.filter_map(|line| line.split_once(':')) {
            let value = value.trim();
            if name.eq_ignore_ascii_case("content-length") {
                length = value.parse().ok().map(Length::Exact);
            } else if name.eq_ignore_ascii_case("transfer-encoding") {
                length = Some(Length::Chunked);
            } else if name.eq_ignore_ascii_case("connection") {
                keep_alive = !value.eq_ignore_ascii_case("close");
            }
        }
        let length = length.ok_or_else(|| invalid("neither content-length nor transfer-encoding"))?;
        Ok(Some(Self { status, length, keep_alive }))
    }
}

/// Finds the end of a body, fed with any cut of its bytes.
struct BodyReader {
    state: State,
    events: u64,
    after_line_end: bool,
}

enum State {
    Exact(u64),
    ChunkSize,
    ChunkData(u64),
    /// The line end after a chunk's data.
    ChunkEnd,
    /// The empty line after the last chunk; trailers are not expected from anything measured here.
    LastLine,
    Done,
}

impl BodyReader {
    fn new(length: Length) -> Self {
        let state = match length {
            Length::Exact(0) => State::Done,
            Length::Exact(bytes) => State::Exact(bytes),
            Length::Chunked => State::ChunkSize,
        };
        Self { state, events: 0, after_line_end: false }
    }

    /// Consumes what it can. True when the body is complete; what follows it stays in the buffer.
    fn feed(&mut self, buffer: &mut BytesMut) -> io::Result<bool> {
        loop {
            self.state = match self.state {
                State::Done => return Ok(true),
                State::Exact(left) => match self.data(buffer, left) {
                    0 => State::Done,
                    left => {
                        self.state = State::Exact(left);
                        return Ok(false);
                    }
                },
                State::ChunkData(left) => match self.data(buffer, left) {
                    0 => State::ChunkEnd,
                    left => {
                        self.state = State::ChunkData(left);
                        return Ok(false);
                    }
                },
                State::ChunkSize | State::ChunkEnd | State::LastLine => {
                    let Some(end) = find(buffer, b"\r\n") else { return Ok(false) };
                    let line = buffer.split_to(end + 2);
                    self.after_line(line.get(..end).unwrap_or_default())?
                }
            };
        }
    }

    fn after_line(&self, line: &[u8]) -> io::Result<State> {
        match self.state {
            State::ChunkSize => {
                let size = std::str::from_utf8(line).ok().and_then(|line| line.split(';').next());
                let size = size.and_then(|size| u64::from_str_radix(size.trim(), 16).ok());
                match size.ok_or_else(|| invalid("a chunk without a size"))? {
                    0 => Ok(State::LastLine),
                    size => Ok(State::ChunkData(size)),
                }
            }
            State::ChunkEnd if line.is_empty() => Ok(State::ChunkSize),
            State::LastLine if line.is_empty() => Ok(State::Done),
            _ => Err(invalid("bytes after a chunk's end")),
        }
    }

    /// Consumes up to `left` bytes of content; returns how many are still to come.
    fn data(&mut self, buffer: &mut BytesMut, left: u64) -> u64 {
        let size = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
        let data = buffer.get(..size).unwrap_or_default();
        let mut previous = self.after_line_end.then_some(0);
        for at in memchr_iter(b'\n', data) {
            self.events += u64::from(previous == Some(at));
            previous = Some(at + 1);
        }
        if size > 0 {
            self.after_line_end = previous == Some(size);
        }
        buffer.advance(size);
        left - size as u64
    }
}

fn invalid(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

#[cfg(test)]
#[path = "connection_tests.rs"]
mod tests;
