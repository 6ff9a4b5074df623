//! The ledger: a local write-ahead log of [`Charge`]s. A call hands its charge to the system and goes on; one
//! thread brings it to the disk; whoever applies charges to a database reads them from there, at its own pace.
//! It knows nothing of databases, budgets or transcripts.
//!
//! # Constraints
//!
//! - What was recorded survives the death of the process from the moment [`Ledger::record`] returns, because the
//!   reply is delivered then. Only while the disk fails does it not: then charges are in memory.
//! - Recording never waits for a sync, never fails, and never drops a charge. What bounds the memory is
//!   admission: it asks [`Ledger::has_room`] and refuses new calls while the disk cannot follow. The calls
//!   already under way are still recorded, so memory is bounded by [`Options::room_bytes`] and one charge for
//!   each call in flight.
//! - A charge that counts as [`State::durable`] survives the machine, too, with [`Sync::Group`] and [`Sync::Each`].
//! - A disk that is full or broken is a state, not an error: charges wait in memory and the same bytes are
//!   written to the same place again until it works. After a failed sync nothing is believed to be written,
//!   because the system may have dropped the pages and would report success the next time.
//! - One process writes a directory (the file `lock` is locked), any number may read it.
//! - Any bytes on the disk can be read: damage is an error value that says where, never a panic, never a
//!   charge that was not written, and it costs the records it touches and no others.
//!
//! # Format
//!
//! ```text
//! <directory>/lock
//! <directory>/<number, 20 digits>.charges          a segment: records, nothing else
//! <directory>/<number, 20 digits>.begun            the same, until the segment before is durable
//!
//! record   = length: u32 | checksum: u32 | payload  little-endian; length is that of the payload, 1 to 16384
//! checksum = CRC-32C of number: u64, offset of the record: u64, length, payload
//! payload  = version: u8 | fields                   see `codec`; a reader skips what follows the fields it knows
//! ```
//!
//! The place is part of the checksum, so a record is valid in one place only and stale or misplaced blocks are
//! never taken for charges. It also makes a header unnecessary, so there is no header to be damaged.
//!
//! A segment's number is the Unix time in milliseconds when it was begun, or the last number plus one if that
//! is more. Unless the clock is set back, numbers therefore grow even when the directory was lost in between,
//! and a [`Position`] that a database remembers is never ahead of a charge that was not applied.
//!
//! # Operations
//!
//! - **Record**: the caller's thread encodes the charge, gives it its place and checksum, and writes it to the
//!   newest segment: one system call that copies it to the system's memory. The thread of the ledger syncs as
//!   [`Sync`] says. A killed process loses nothing, a lost machine one group.
//! - **Begin a segment**: by the first record that needs it, without a wait for the one before, which is full and
//!   may not be durable yet. Until it is, the new one has a name that readers do not know, so a segment that has
//!   a successor is complete. The directory is synced before the record counts as durable.
//! - **Write again**: after a failure the thread writes everything that is not durable to the same places,
//!   through new handles; what is recorded meanwhile waits behind it.
//! - **Read**: [`read()`] yields charges in order from a position, also while the directory is written.
//! - **Forget**: [`Ledger::forget`] deletes segments that lie wholly before a position, never the newest.
//!
//! # Recovery
//!
//! Opening cuts the newest segment after its last valid record: what follows is a write that was under way. It
//! does the same with segments that have just been begun, which then get their names. What is newest is not written to again; the next charge begins a segment, because a reader may have got further in the
//! old one than the disk did. Damage *between* valid records stays and is reported to whoever reads past it.

mod charge;
mod codec;
mod frame;
mod queue;
mod read;
mod scan;
mod segment;
mod tail;
mod writer;

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

pub use self::charge::{Charge, Ending, Pricing};
pub use self::codec::CodecError;
pub use self::queue::{State, Trouble};
pub use self::read::{Charges, ReadError, read};
pub use self::segment::Position;

use self::queue::Queue;
use self::writer::Writer;

/// When a charge is brought from the system's memory to the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sync {
    /// Once for all charges of such a time.
    Group(Duration),
    /// At once, though [`Ledger::record`] does not wait for it; charges that arrive during a sync share the next.
    Each,
    /// When the system likes to. Survives the death of the process, not of the machine.
    Os,
}

/// A directory that has a higher number was tampered with; from here on, no process can begin too many segments.
const LAST_NUMBER: u64 = u64::MAX / 2;

/// How a ledger behaves.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// When charges are synced.
    pub sync: Sync,
    /// The size at which a segment is full. A single larger record still gets a segment. Segments that are not
    /// durable are open files, so this should not be much less than `room_bytes`.
    pub segment_bytes: u64,
    /// Bytes of charges that may wait for the disk before [`Ledger::has_room`] says no. A charge has about 500.
    pub room_bytes: u64,
}

impl Default for Options {
    /// A sync each 20 ms, segments of 16 MiB, room for 64 MiB.
    fn default() -> Self {
        Self { sync: Sync::Group(Duration::from_millis(20)), segment_bytes: 16 << 20, room_bytes: 64 << 20 }
    }
}

/// Why a ledger could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another ledger, most likely of another process, writes this directory.
    #[error("the ledger directory {} is in use by another process; each process needs its own", .0.display())]
    InUse(PathBuf),
    /// The directory cannot be made, read or written.
    #[error("the ledger directory {} cannot be used: {error}", .directory.display())]
    Unusable {
        /// The directory.
        directory: PathBuf,
        /// What the system says.
        #[source]
        error: io::Error,
    },
}

/// Charges that could not be brought to the disk in time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{charges} charges are not on the disk yet: {reason}")]
pub struct Unsaved {
    /// How many.
    pub charges: u64,
    /// What the system says, or that time ran out.
    pub reason: String,
}

/// The writing end of the log. Shared by reference; its drop makes a last attempt to write and sync.
#[derive(Debug)]
pub struct Ledger {
    directory: PathBuf,
    room_bytes: u64,
    queue: Arc<Queue>,
    writer: Option<JoinHandle<()>>,
    lock: File,
}

impl Ledger {
    /// Opens the log in `directory`, which is made if need be, and repairs what a crash left.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn open(directory: &Path, options: Options) -> Result<Self, OpenError> {
        let unusable = |error| OpenError::Unusable { directory: directory.to_owned(), error };
        segment::make_directory(directory).map_err(unusable)?;
        let lock = lock(directory)?;
        let last = segment::repair(directory).map_err(unusable)?;
        if last.is_some_and(|last| last > LAST_NUMBER) {
            return Err(unusable(io::Error::other(
                "the segment numbers are used up; move the segments away",
            )));
        }
        let queue = Arc::new(Queue::new(directory, options.segment_bytes, last));
        let writer = Writer::new(directory.to_owned(), options, Arc::clone(&queue));
        let thread = Builder::new().name("ledger".to_owned()).spawn(|| writer.run()).map_err(unusable)?;
        Ok(Self {
            directory: directory.to_owned(),
            room_bytes: options.room_bytes,
            queue,
            writer: Some(thread),
            lock,
        })
    }

    /// Takes the charge of a call, which survives the process from now on. Never waits for a sync, never refuses.
    pub fn record(&self, charge: &Charge<'_>) {
        self.queue.push(frame::unstamped(charge));
    }

    /// Whether new calls may be admitted. Costs one atomic load.
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.queue.waiting_bytes() < self.room_bytes
    }

    /// How far the disk is behind, and why.
    #[must_use]
    pub fn state(&self) -> State {
        self.queue.state()
    }

    /// Waits until everything recorded so far is durable, `patience` at most. Blocks the thread. A charge that
    /// a straggler records afterwards is still written, at the latest by the drop.
    ///
    /// # Errors
    /// When charges are still in memory only. They are not lost yet: the writer goes on trying.
    pub fn close(&self, patience: Duration) -> Result<(), Unsaved> {
        self.queue.flush(patience)
    }

    /// Where the log is.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Deletes the segments that lie wholly before `position`; returns how many.
    ///
    /// # Errors
    /// What the system says; some segments may be gone already.
    pub fn forget(&self, position: Position) -> io::Result<usize> {
        segment::delete_before(&self.directory, position)
    }
}

impl Drop for Ledger {
    fn drop(&mut self) {
        self.queue.end();
        if self.writer.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!(directory = %self.directory.display(), "the ledger's writer died");
        }
        // Not left to the closing of the file: a child process that was just forked holds a copy of it.
        if let Err(error) = self.lock.unlock() {
            tracing::warn!(directory = %self.directory.display(), %error, "the ledger's lock could not be released");
        }
    }
}

fn lock(directory: &Path) -> Result<File, OpenError> {
    let unusable = |error| OpenError::Unusable { directory: directory.to_owned(), error };
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(directory.join("lock"))
        .map_err(unusable)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse(directory.to_owned())),
        Err(TryLockError::Error(error)) => Err(unusable(error)),
    }
}
