//! The reading end of the log: all charges from a position on, for tools and for whoever applies them.
//! Needs no lock; a directory may be read while it is written.

use std::io;
use std::path::{Path, PathBuf};

use super::charge::Charge;
use super::codec::CodecError;
use super::scan::{Scan, Step};
use super::segment::{self, Position};

/// Why a charge could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// Bytes that are no records. Reading goes on behind them.
    #[error("segment {} is damaged: {bytes} bytes at offset {} are no records", .at.segment, .at.offset)]
    Damaged {
        /// Where they begin.
        at: Position,
        /// How many they are.
        bytes: u64,
    },
    /// A sound record that this program does not understand. Reading goes on behind it.
    #[error("the record at offset {} of segment {} cannot be understood: {error}", .at.offset, .at.segment)]
    Unknown {
        /// Where it begins.
        at: Position,
        /// What is not understood.
        #[source]
        error: CodecError,
    },
    /// The system cannot read the file or the directory. Reading ends.
    #[error("cannot read {}: {error}", .path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// What the system says.
        #[source]
        error: io::Error,
    },
}

/// The charges behind `position`, in the order they were recorded. They may not be durable yet. Ends where the
/// log ends now; ask again, or read on from [`Charges::position`], when there is more.
#[must_use]
pub fn read(directory: &Path, position: Position) -> Charges {
    Charges { directory: directory.to_owned(), position, current: None, failed: false }
}

/// See [`read`].
#[derive(Debug)]
pub struct Charges {
    directory: PathBuf,
    position: Position,
    current: Option<Current>,
    failed: bool,
}

#[derive(Debug)]
struct Current {
    scan: Scan,
    /// A later segment was seen, so this one grows no more.
    complete: bool,
}

impl Charges {
    /// The place behind everything that was yielded.
    #[must_use]
    pub const fn position(&self) -> Position {
        self.position
    }

    fn advance(&mut self) -> Result<Option<Charge<'static>>, ReadError> {
        loop {
            let Some(mut current) = self.current.take().map_or_else(|| self.begin(), |it| Ok(Some(it)))?
            else {
                return Ok(None);
            };
            let at = self.position;
            let step = current
                .scan
                .step()
                .map_err(|error| ReadError::Io { path: segment::path(&self.directory, at.segment), error })?;
            self.position.offset = current.scan.offset();
            match step {
                Step::End { rest } if current.complete => {
                    self.position = Position { segment: at.segment.saturating_add(1), offset: 0 };
                    if rest > 0 {
                        return Err(ReadError::Damaged { at, bytes: rest });
                    }
                    continue;
                }
                // If there is a successor now, the writer may have finished this one since the step.
                Step::End { .. } if self.numbers()?.last() > Some(&at.segment) => {
                    self.current = Some(Current { complete: true, ..current });
                    continue;
                }
                Step::End { .. } | Step::Record(_) | Step::Gap(_) => self.current = Some(current),
            }
            return match step {
                Step::Record(Ok(charge)) => Ok(Some(charge)),
                Step::Record(Err(error)) => Err(ReadError::Unknown { at, error }),
                Step::Gap(bytes) => Err(ReadError::Damaged { at, bytes }),
                Step::End { .. } => Ok(None),
            };
        }
    }

    /// Opens the segment at the position, or the next there is.
    fn begin(&mut self) -> Result<Option<Current>, ReadError> {
        let numbers = self.numbers()?;
        let Some(&number) = numbers.iter().find(|&&number| number >= self.position.segment) else {
            return Ok(None);
        };
        if number > self.position.segment {
            self.position = Position { segment: number, offset: 0 };
        }
        let path = segment::path(&self.directory, number);
        let scan =
            Scan::open(&path, number, self.position.offset).map_err(|error| ReadError::Io { path, error })?;
        Ok(Some(Current { scan, complete: numbers.last() > Some(&number) }))
    }

    fn numbers(&self) -> Result<Vec<u64>, ReadError> {
        segment::list(&self.directory).map_err(|error| ReadError::Io { path: self.directory.clone(), error })
    }
}

impl Iterator for Charges {
    type Item = Result<Charge<'static>, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let charge = self.advance().transpose();
        self.failed = matches!(charge, Some(Err(ReadError::Io { .. })));
        charge
    }
}
