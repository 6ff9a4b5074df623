//! What goes back to the client of a plain call: a head, and a whole body or the chunks of a stream.

use std::cell::RefCell;
use std::io::{self, IoSlice};
use std::task::Poll;
use std::time::SystemTime;

use bytes::{Buf, BytesMut};
use gateway::body::{Content, ReplyBody};
use gateway::stream::Flow;
use http::header::{self, HeaderMap};
use http::{Response, StatusCode};
use tokio::net::tcp::OwnedWriteHalf;

use super::Reading;

/// Chunks that are ready together are written together, up to about this many bytes.
const MOST_TOGETHER: usize = 32 << 10;
/// Slices handed to the system in one write.
const MOST_SLICES: usize = 16;

/// Sends a response, the `last` one of its connection or not. `false` when the client has left; what it sends
/// ahead is kept.
pub(super) async fn send(
    writer: &OwnedWriteHalf,
    response: Response<ReplyBody>,
    last: bool,
    reading: &mut Reading,
) -> io::Result<bool> {
    let (parts, ReplyBody { fields, content }) = response.into_parts();
    let mut out = head(parts.status, fields.as_bytes(), &parts.headers, last);
    match content {
        Content::Whole(pieces) => {
            out.extend_from_slice(b"content-length: ");
            out.extend_from_slice(itoa::Buffer::new().format(pieces.len()).as_bytes());
            out.extend_from_slice(b"\r\n\r\n");
            write(writer, &mut out.chain(pieces)).await?;
            Ok(true)
        }
        Content::Stream(flow) => {
            out.extend_from_slice(b"transfer-encoding: chunked\r\n\r\n");
            stream_out(writer, out, flow, reading).await
        }
    }
}

/// Passes a stream on as it comes, `out` first.
async fn stream_out(
    writer: &OwnedWriteHalf,
    mut out: BytesMut,
    mut flow: Box<Flow>,
    reading: &mut Reading,
) -> io::Result<bool> {
    loop {
        let gathered = std::future::poll_fn(|context| {
            while out.len() < MOST_TOGETHER {
                match flow.poll_next(context) {
                    Poll::Ready(Some(bytes)) => chunk(&mut out, &bytes),
                    Poll::Ready(None) => {
                        out.extend_from_slice(b"0\r\n\r\n");
                        return Poll::Ready(Some(true));
                    }
                    Poll::Pending if reading.is_gone(context) => return Poll::Ready(None),
                    Poll::Pending if out.is_empty() => return Poll::Pending,
                    Poll::Pending => break,
                }
            }
            Poll::Ready(Some(false))
        });
        let Some(ended) = gathered.await else { return Ok(false) };
        write(writer, &mut out).await?;
        if ended {
            return Ok(true);
        }
        out.clear();
    }
}

/// One chunk. Never an empty one, which would end the body.
fn chunk(out: &mut BytesMut, bytes: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    if bytes.is_empty() {
        return;
    }
    let mut size = [0; 16];
    let (mut at, mut rest) = (size.len(), bytes.len());
    while rest > 0 {
        at -= 1;
        size[at] = DIGITS[rest % 16];
        rest /= 16;
    }
    out.reserve(bytes.len() + 24);
    for part in [&size[at..], b"\r\n", bytes, b"\r\n"] {
        out.extend_from_slice(part);
    }
}

/// A response's head up to the field that says how long the body is.
fn head(status: StatusCode, fields: &[u8], headers: &HeaderMap, last: bool) -> BytesMut {
    let mut out = BytesMut::with_capacity(2048);
    let reason = status.canonical_reason().unwrap_or("Unknown");
    for part in ["HTTP/1.1 ", status.as_str(), " ", reason, "\r\n"] {
        out.extend_from_slice(part.as_bytes());
    }
    out.extend_from_slice(fields);
    for (name, value) in headers {
        // These are between us and the client.
        if matches!(
            *name,
            header::CONTENT_LENGTH | header::TRANSFER_ENCODING | header::CONNECTION | header::DATE
        ) {
            continue;
        }
        for part in [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"] {
            out.extend_from_slice(part);
        }
    }
    if last {
        out.extend_from_slice(b"connection: close\r\n");
    }
    date(&mut out);
    out
}

/// The date field, written once a second and thread.
fn date(out: &mut BytesMut) {
    thread_local! {
        static WRITTEN: RefCell<(u64, String)> = const { RefCell::new((0, String::new())) };
    }
    let now = SystemTime::now();
    let seconds = now.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs());
    WRITTEN.with_borrow_mut(|(written, text)| {
        if *written != seconds || text.is_empty() {
            *written = seconds;
            *text = format!("date: {}\r\n", httpdate::fmt_http_date(now));
        }
        out.extend_from_slice(text.as_bytes());
    });
}

/// Writes all of `out`, as fast as the client takes it.
async fn write(writer: &OwnedWriteHalf, out: &mut impl Buf) -> io::Result<()> {
    while out.has_remaining() {
        let sent = {
            let mut slices = [IoSlice::new(&[]); MOST_SLICES];
            let count = out.chunks_vectored(&mut slices);
            writer.try_write_vectored(&slices[..count])
        };
        match sent {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(count) => out.advance(count),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => writer.writable().await?,
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
