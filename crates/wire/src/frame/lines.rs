//! One JSON value a line.

use memchr::memchr;

use super::{Frame, Scan};

/// One past the end of the first line, if it is complete.
pub(super) fn end(bytes: &[u8], scan: &mut Scan) -> Option<usize> {
    match memchr(b'\n', bytes.get(scan.position..)?) {
        Some(at) => Some(scan.position + at + 1),
        None => {
            scan.position = bytes.len();
            None
        }
    }
}

/// The line's value, or `None` for a blank line.
pub(super) fn read(text: &str) -> Option<Frame<'_>> {
    let data = text.trim_start_matches('\u{feff}').trim();
    (!data.is_empty()).then_some(Frame { event: "", data })
}
