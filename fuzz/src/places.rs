//! Where values and frames lie in a text that holds JSON, well-formed or not: one object, lines of them, events with
//! them. Not a parser: what it finds need not be there.

use std::ops::Range;

/// The values of the JSON in `bytes`, inner ones before the ones around them; at most `most`.
#[must_use]
pub fn values(bytes: &[u8], most: usize) -> Vec<Range<usize>> {
    let (mut found, mut open) = (Vec::new(), Vec::new());
    let mut at = 0;
    while let Some(byte) = bytes.get(at).filter(|_| found.len() < most) {
        let start = at;
        at += 1;
        match byte {
            b'{' | b'[' => open.push(start),
            b'}' | b']' => found.extend(open.pop().map(|start| start..at)),
            b'"' => {
                at = string_end(bytes, at);
                if bytes.get(at) != Some(&b':') {
                    found.push(start..at);
                }
            }
            b'-' | b'0'..=b'9' | b't' | b'f' | b'n' if !open.is_empty() => {
                while bytes.get(at).is_some_and(|byte| byte.is_ascii_alphanumeric() || b".+-".contains(byte))
                {
                    at += 1;
                }
                found.push(start..at);
            }
            _ => {}
        }
    }
    found
}

fn string_end(bytes: &[u8], mut at: usize) -> usize {
    while let Some(byte) = bytes.get(at) {
        at += 1;
        match byte {
            b'"' => return at,
            b'\\' => at += 1,
            _ => {}
        }
    }
    bytes.len()
}

/// `place` and the name and comma that go with it, if it is the value of a member.
#[must_use]
pub fn member(bytes: &[u8], place: &Range<usize>) -> Range<usize> {
    let head = bytes.get(..place.start).unwrap_or_default();
    let start = match head {
        [.., b'"', b':'] | [.., b'"', b':', b' '] => {
            let name_end = head.iter().rposition(|byte| *byte == b'"').unwrap_or_default();
            head[..name_end].iter().rposition(|byte| *byte == b'"').unwrap_or(place.start)
        }
        _ => place.start,
    };
    let comma = bytes.get(place.end) == Some(&b',');
    start..place.end + usize::from(comma)
}

/// What lies between blank lines, or between line feeds where there are none; terminators included.
#[must_use]
pub fn frames(bytes: &[u8]) -> Vec<Range<usize>> {
    let blank = bytes.windows(2).any(|pair| pair == b"\n\n");
    let end = |at: usize| bytes[at] == b'\n' && (!blank || at > 0 && bytes[at - 1] == b'\n');
    let mut from = 0;
    let mut frames: Vec<Range<usize>> = Vec::new();
    for at in (0..bytes.len()).filter(|at| end(*at)) {
        frames.push(from..at + 1);
        from = at + 1;
    }
    frames.push(from..bytes.len());
    frames
}
