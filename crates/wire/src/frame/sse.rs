//! Server-sent events, as the WHATWG HTML standard (section 9.2) cuts and reads them: lines end in LF, CRLF
//! or CR, a blank line ends an event, several `data` lines are joined, a leading byte order mark is ignored.

use memchr::memchr2;

use super::{Frame, Scan};

/// One past the blank line that ends the first event, if it is complete. A carriage return as the very last
/// byte stays undecided, for a line feed may follow.
pub(super) fn end(bytes: &[u8], scan: &mut Scan) -> Option<usize> {
    while let Some(at) = bytes.get(scan.position..).and_then(|rest| memchr2(b'\n', b'\r', rest)) {
        let at = scan.position + at;
        let next = match (bytes[at], bytes.get(at + 1)) {
            (b'\r', Some(b'\n')) => at + 2,
            (b'\r', None) => {
                scan.position = at;
                return None;
            }
            _ => at + 1,
        };
        if at == scan.line_start {
            return Some(next);
        }
        *scan = Scan { position: next, line_start: next };
    }
    scan.position = bytes.len();
    None
}

/// The event's type and data, or `None` when it has no data.
pub(super) fn read<'a>(text: &'a str, scratch: &'a mut String) -> Option<Frame<'a>> {
    let mut event = "";
    let mut first: Option<&'a str> = None;
    let mut many = false;
    for line in text.trim_start_matches('\u{feff}').split(['\n', '\r']) {
        if let Some(value) = field(line, "data") {
            match first {
                None => first = Some(value),
                Some(before) => {
                    if !many {
                        scratch.clear();
                        scratch.push_str(before);
                        many = true;
                    }
                    scratch.push('\n');
                    scratch.push_str(value);
                }
            }
        } else if let Some(value) = field(line, "event") {
            event = value;
        }
    }
    let data = if many { scratch.as_str() } else { first? };
    Some(Frame { event, data })
}

/// The value of `line` if it is the field `name`; one space after the colon is not part of it.
fn field<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    let rest = line.strip_prefix(name)?;
    if rest.is_empty() {
        return Some("");
    }
    let value = rest.strip_prefix(':')?;
    Some(value.strip_prefix(' ').unwrap_or(value))
}
