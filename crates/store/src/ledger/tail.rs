//! The segment that is being written. When to write and when to sync is decided in [`super::writer`].

use std::fs::{File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::frame;
use super::segment;

/// A segment and those of its records that are not durable. They are kept until they are, because a failed sync
/// leaves nothing to rely on.
#[derive(Debug)]
pub(super) struct Tail {
    directory: PathBuf,
    number: u64,
    /// Opened by the first write, and again after a failure.
    file: Option<File>,
    /// Everything before is durable.
    start: u64,
    /// Stamped records from `start` on.
    bytes: Vec<u8>,
    /// How many of `bytes` were handed to the system.
    written: usize,
    records: u64,
}

impl Tail {
    pub(super) fn begin(directory: &Path, number: u64) -> Self {
        let directory = directory.to_owned();
        Self { directory, number, file: None, start: 0, bytes: Vec::new(), written: 0, records: 0 }
    }

    /// Whether the segment has fewer than `limit` bytes with `chunk`. An empty segment takes anything.
    pub(super) fn fits(&self, chunk: &[u8], limit: u64) -> bool {
        self.end() == 0 || self.end() + chunk.len() as u64 <= limit
    }

    /// Gives unstamped records their place.
    pub(super) fn place(&mut self, mut chunk: Vec<u8>) {
        self.records += frame::stamp(&mut chunk, self.number, self.end());
        self.bytes.extend_from_slice(&chunk);
    }

    pub(super) const fn is_durable(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Hands what is placed to the system.
    pub(super) fn write(&mut self) -> io::Result<()> {
        if self.written == self.bytes.len() {
            return Ok(());
        }
        let file = match &mut self.file {
            Some(file) => file,
            None => self.file.insert(open(&self.directory, self.number)?),
        };
        file.seek(SeekFrom::Start(self.start + self.written as u64))?;
        file.write_all(&self.bytes[self.written..])?;
        self.written = self.bytes.len();
        Ok(())
    }

    /// Brings what was written to the disk.
    pub(super) fn sync(&self) -> io::Result<()> {
        self.file.as_ref().map_or(Ok(()), File::sync_data)
    }

    /// Lets go of what was written. Returns how many records and bytes that was.
    pub(super) fn settle(&mut self) -> (u64, u64) {
        let (records, bytes) = (self.records, self.bytes.len() as u64);
        self.start += bytes;
        self.bytes.clear();
        self.written = 0;
        self.records = 0;
        (records, bytes)
    }

    /// After a failure: everything since `start` is to be written again, through a new handle.
    pub(super) fn distrust(&mut self) {
        self.file = None;
        self.written = 0;
    }

    const fn end(&self) -> u64 {
        self.start + self.bytes.len() as u64
    }
}

fn open(directory: &Path, number: u64) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(segment::path(directory, number))?;
    segment::sync_directory(directory)?;
    Ok(file)
}

#[cfg(test)]
#[path = "tail_tests.rs"]
mod tests;
