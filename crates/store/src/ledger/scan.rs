//! Reads one segment, whatever its bytes are, in bounded memory. Which segment comes next is not decided here
//! but in [`super::read()`].

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use super::charge::Charge;
use super::codec::{self, CodecError};
use super::frame;

const WINDOW_BYTES: usize = 256 << 10;

/// What the next bytes are.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "nearly all are records, and none is kept")]
pub(super) enum Step {
    /// A valid record.
    Record(Result<Charge<'static>, CodecError>),
    /// So many bytes that are none, with a valid record behind them.
    Gap(u64),
    /// No valid record follows, only so many bytes. The next step looks again from the same place.
    End { rest: u64 },
}

/// A place in an open segment.
#[derive(Debug)]
pub(super) struct Scan {
    file: File,
    number: u64,
    /// Where the next record is expected.
    offset: u64,
    /// Bytes around `offset`, which is at `used`.
    window: Vec<u8>,
    used: usize,
    /// The window ended at the end of the file when it was read.
    exhausted: bool,
}

impl Scan {
    pub(super) fn open(path: &Path, number: u64, offset: u64) -> io::Result<Self> {
        let file = File::open(path)?;
        Ok(Self { file, number, offset, window: Vec::new(), used: 0, exhausted: false })
    }

    pub(super) const fn offset(&self) -> u64 {
        self.offset
    }

    pub(super) fn step(&mut self) -> io::Result<Step> {
        if let Some(record) = self.record()? {
            return Ok(Step::Record(record));
        }
        let from = self.offset;
        while !self.fill()?.is_empty() {
            self.skip(1);
            let (number, offset) = (self.number, self.offset);
            if frame::open(self.fill()?, number, offset).is_none() {
                continue;
            }
            // Where a record follows, what is before it has been written, but perhaps only since it was looked
            // at: a reader may catch the writer copying.
            self.look_again(from);
            if let Some(record) = self.record()? {
                return Ok(Step::Record(record));
            }
            self.look_again(offset);
            return Ok(Step::Gap(offset - from));
        }
        let rest = self.offset - from;
        self.look_again(from);
        Ok(Step::End { rest })
    }

    fn record(&mut self) -> io::Result<Option<Result<Charge<'static>, CodecError>>> {
        let (number, offset) = (self.number, self.offset);
        let Some(payload) = frame::open(self.fill()?, number, offset) else { return Ok(None) };
        let (bytes, charge) = (frame::bytes(payload), codec::decode(payload));
        self.skip(bytes);
        Ok(Some(charge))
    }

    /// What follows: a whole record, unless the file ends before.
    fn fill(&mut self) -> io::Result<&[u8]> {
        if !self.exhausted && self.window.len() - self.used < frame::MAX_BYTES {
            self.window.drain(..self.used);
            self.used = 0;
            self.file.seek(SeekFrom::Start(self.offset + self.window.len() as u64))?;
            let missing = WINDOW_BYTES - self.window.len();
            let read = self.file.by_ref().take(missing as u64).read_to_end(&mut self.window)?;
            self.exhausted = read < missing;
        }
        Ok(&self.window[self.used..])
    }

    fn skip(&mut self, bytes: usize) {
        self.used += bytes;
        self.offset += bytes as u64;
    }

    fn look_again(&mut self, offset: u64) {
        self.window.clear();
        self.used = 0;
        self.offset = offset;
        self.exhausted = false;
    }
}
