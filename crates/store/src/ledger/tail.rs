//! One segment that is being written: its file, and those of its records that are not durable.
//! When to write and when to sync is decided in [`super::queue`] and [`super::writer`].

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::frame;
use super::segment;

/// A segment and those of its records that are not durable. They are kept until they are, because a failed sync
/// leaves nothing to rely on.
#[derive(Debug)]
pub(super) struct Tail {
    directory: PathBuf,
    number: u64,
    /// Opened by the first write, and again after a failure.
    file: Option<Arc<File>>,
    /// Readers are not to see it yet, because the segment before is not durable.
    hidden: bool,
    /// The directory has it for good under the name that readers know.
    named: bool,
    /// Everything before is durable.
    start: u64,
    /// Stamped records from `start` on.
    bytes: Vec<u8>,
    /// How many of `bytes` were handed to the system.
    written: usize,
    records: u64,
}

/// What a sync of a tail makes durable.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) file: Arc<File>,
    /// The directory has to be synced, too.
    pub(super) named: bool,
    pub(super) records: u64,
    pub(super) bytes: usize,
}

impl Tail {
    pub(super) fn begin(directory: &Path, number: u64, hidden: bool) -> Self {
        let directory = directory.to_owned();
        let bytes = Vec::new();
        Self { directory, number, file: None, hidden, named: false, start: 0, bytes, written: 0, records: 0 }
    }

    /// Whether the segment has no more than `limit` bytes with such a record. An empty segment takes anything.
    pub(super) const fn fits(&self, record: &[u8], limit: u64) -> bool {
        self.end() == 0 || self.end() + record.len() as u64 <= limit
    }

    /// Gives an unstamped record its place.
    pub(super) fn place(&mut self, mut record: Vec<u8>) {
        frame::stamp(&mut record, self.number, self.end());
        self.records += 1;
        self.bytes.extend_from_slice(&record);
    }

    pub(super) const fn is_durable(&self) -> bool {
        self.bytes.is_empty()
    }

    pub(super) const fn is_written(&self) -> bool {
        self.written == self.bytes.len()
    }

    /// Hands what is placed to the system, `most` bytes at once.
    pub(super) fn write(&mut self, most: usize) -> io::Result<()> {
        let end = self.bytes.len().min(self.written.saturating_add(most));
        let file = match &self.file {
            Some(file) => file,
            None => self.file.insert(Arc::new(open(&self.path())?)),
        };
        write_at(file, &self.bytes[self.written..end], self.start + self.written as u64)?;
        self.written = end;
        Ok(())
    }

    /// Shows the segment to readers. To be done when the one before is durable.
    pub(super) fn show(&mut self) -> io::Result<()> {
        if self.hidden {
            fs::rename(self.path(), segment::path(&self.directory, self.number))?;
            self.hidden = false;
        }
        Ok(())
    }

    /// What a sync that begins now will have made durable; `None` if there is nothing to sync.
    pub(super) fn pending(&self) -> Option<Pending> {
        let file = self.file.as_ref().filter(|_| !self.is_durable() && self.is_written())?;
        Some(Pending {
            file: Arc::clone(file),
            named: self.named,
            records: self.records,
            bytes: self.bytes.len(),
        })
    }

    /// Lets go of what was synced.
    pub(super) fn settle(&mut self, synced: &Pending) {
        self.named = true;
        self.start += synced.bytes as u64;
        self.bytes.drain(..synced.bytes);
        // Less than that is written if a write failed while the sync was under way.
        self.written = self.written.saturating_sub(synced.bytes);
        self.records -= synced.records;
    }

    /// After a failure: everything since `start` is to be written again, through a new handle.
    pub(super) fn distrust(&mut self) {
        self.file = None;
        self.written = 0;
    }

    fn path(&self) -> PathBuf {
        if self.hidden {
            segment::hidden_path(&self.directory, self.number)
        } else {
            segment::path(&self.directory, self.number)
        }
    }

    const fn end(&self) -> u64 {
        self.start + self.bytes.len() as u64
    }
}

fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(unix)]
fn write_at(file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::write_all_at(file, bytes, offset)
}

#[cfg(not(unix))]
fn write_at(mut file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
    io::Seek::seek(&mut file, io::SeekFrom::Start(offset))?;
    io::Write::write_all(&mut file, bytes)
}

#[cfg(test)]
#[path = "tail_tests.rs"]
mod tests;
