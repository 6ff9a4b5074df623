//! The directory of segments: names, order, repair, deletion. What stands in a segment is in [`super::frame`].

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use super::scan::{Scan, Step};

const EXTENSION: &str = ".charges";
/// A segment that was begun before the one in front of it was durable. Only the writing process looks at it.
const HIDDEN_EXTENSION: &str = ".begun";
const NUMBER_DIGITS: usize = 20;

/// A place in the log, between two records. Ordered; the default is before everything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// The segment's number.
    pub segment: u64,
    /// Bytes from its start.
    pub offset: u64,
}

/// Where the segment `number` is.
pub(super) fn path(directory: &Path, number: u64) -> PathBuf {
    directory.join(format!("{number:0NUMBER_DIGITS$}{EXTENSION}"))
}

/// Where the segment `number` is as long as the one before is not durable.
pub(super) fn hidden_path(directory: &Path, number: u64) -> PathBuf {
    directory.join(format!("{number:0NUMBER_DIGITS$}{HIDDEN_EXTENSION}"))
}

/// The numbers of all segments that readers see, ascending. Other files are left alone.
pub(super) fn list(directory: &Path) -> io::Result<Vec<u64>> {
    list_named(directory, EXTENSION)
}

fn list_named(directory: &Path, extension: &str) -> io::Result<Vec<u64>> {
    let mut numbers = Vec::new();
    for entry in fs::read_dir(directory)? {
        numbers.extend(entry?.file_name().to_str().and_then(|name| number(name, extension)));
    }
    numbers.sort_unstable();
    Ok(numbers)
}

fn number(name: &str, extension: &str) -> Option<u64> {
    let digits = name.strip_suffix(extension)?;
    let plain = digits.len() == NUMBER_DIGITS && digits.bytes().all(|byte| byte.is_ascii_digit());
    if plain { digits.parse().ok() } else { None }
}

/// Makes `directory` if it is missing, so that it outlives the machine.
pub(super) fn make_directory(directory: &Path) -> io::Result<()> {
    if directory.is_dir() {
        return Ok(());
    }
    fs::create_dir_all(directory)?;
    match directory.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => sync_directory(parent),
        _ => Ok(()),
    }
}

/// Makes the names in `directory` durable.
pub(super) fn sync_directory(directory: &Path) -> io::Result<()> {
    // Elsewhere a directory cannot be opened as a file, and its names need no sync of their own.
    if cfg!(unix) { File::open(directory)?.sync_all() } else { Ok(()) }
}

/// Cuts the newest segment after its last valid record, shows those that were hidden after it, and cuts them in
/// the same way. Returns the newest number.
pub(super) fn repair(directory: &Path) -> io::Result<Option<u64>> {
    let mut newest = list(directory)?.last().copied();
    if let Some(number) = newest {
        cut(directory, number)?;
    }
    for number in list_named(directory, HIDDEN_EXTENSION)? {
        fs::rename(hidden_path(directory, number), path(directory, number))?;
        sync_directory(directory)?;
        cut(directory, number)?;
        newest = newest.max(Some(number));
    }
    Ok(newest)
}

/// Ends a segment after its last valid record, for good: what a killed process wrote may not be on the disk yet,
/// and a segment that has a successor is complete.
fn cut(directory: &Path, number: u64) -> io::Result<()> {
    let path = path(directory, number);
    let mut scan = Scan::open(&path, number, 0)?;
    let torn_bytes = loop {
        if let Step::End { rest } = scan.step()? {
            break rest;
        }
    };
    let file = OpenOptions::new().write(true).open(&path)?;
    if torn_bytes > 0 {
        file.set_len(scan.offset())?;
        tracing::warn!(segment = %path.display(), offset = scan.offset(), torn_bytes, "cut off an unfinished record");
    }
    file.sync_all()
}

/// Deletes the segments wholly before `position`. The newest stays in any case: it may be open.
pub(super) fn delete_before(directory: &Path, position: Position) -> io::Result<usize> {
    let mut numbers = list(directory)?;
    numbers.pop();
    numbers.retain(|&number| number < position.segment);
    for &number in &numbers {
        fs::remove_file(path(directory, number))?;
    }
    Ok(numbers.len())
}
