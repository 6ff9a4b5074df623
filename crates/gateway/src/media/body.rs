//! The bytes of an answer, counted after decompression.

use std::io::{self, Write};

use bytes::Bytes;
use flate2::write::MultiGzDecoder;
use http::header::{CONTENT_ENCODING, HeaderMap};
use http_body_util::BodyExt;
use hyper::body::Incoming;

use super::MediaError;
use crate::web::innermost;

/// A buffer that does not grow beyond its limit.
struct Bounded {
    bytes: Vec<u8>,
    limit: usize,
    is_over: bool,
}

enum Sink {
    Plain(Bounded),
    Gzip(Box<MultiGzDecoder<Bounded>>),
}

/// Reads `body` to its end.
pub(super) async fn read(
    mut body: Incoming,
    headers: &HeaderMap,
    limit: usize,
    host: &str,
) -> Result<Bytes, MediaError> {
    let mut sink = Sink::new(headers, limit)?;
    while let Some(frame) = body.frame().await {
        let frame = frame
            .map_err(|error| MediaError::Unreachable { host: host.to_owned(), problem: innermost(&error) })?;
        if let Ok(data) = frame.into_data() {
            sink.write(&data)?;
        }
    }
    sink.finish()
}

impl Sink {
    fn new(headers: &HeaderMap, limit: usize) -> Result<Self, MediaError> {
        let bounded = Bounded { bytes: Vec::new(), limit, is_over: false };
        let encoding = headers.get(CONTENT_ENCODING).map(|value| value.as_bytes().trim_ascii());
        match encoding {
            None | Some(b"" | b"identity") => Ok(Self::Plain(bounded)),
            Some(b"gzip" | b"x-gzip") => Ok(Self::Gzip(Box::new(MultiGzDecoder::new(bounded)))),
            Some(_) => Err(MediaError::Broken("are compressed though that was not asked for")),
        }
    }

    fn write(&mut self, data: &[u8]) -> Result<(), MediaError> {
        let written = match self {
            Self::Plain(bounded) => bounded.write_all(data),
            Self::Gzip(decoder) => decoder.write_all(data),
        };
        written.map_err(|_| self.trouble())
    }

    fn finish(mut self) -> Result<Bytes, MediaError> {
        if let Self::Gzip(decoder) = &mut self
            && decoder.try_finish().is_err()
        {
            return Err(self.trouble());
        }
        match self {
            Self::Plain(bounded) => Ok(bounded.bytes.into()),
            Self::Gzip(mut decoder) => Ok(std::mem::take(&mut decoder.get_mut().bytes).into()),
        }
    }

    fn trouble(&self) -> MediaError {
        let bounded = match self {
            Self::Plain(bounded) => bounded,
            Self::Gzip(decoder) => decoder.get_ref(),
        };
        match bounded.is_over {
            true => MediaError::TooLarge { limit: bounded.limit },
            false => MediaError::Broken("are not the gzip they are said to be"),
        }
    }
}

impl Write for Bounded {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + data.len() > self.limit {
            self.is_over = true;
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.bytes.extend_from_slice(data);
        Ok(data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
