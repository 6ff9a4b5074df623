//! "Did you mean …?": the known name that a mistyped one is closest to. Used on error paths only.

/// Longer names are not typed by hand, and comparing them costs quadratic time.
const MAX_BYTES: usize = 100;

/// The name nearest to `wanted`, or `None` when nothing is close enough to be a slip: at most one edit for
/// every three letters, and at most four. Letter case is ignored; the first of equals wins.
pub fn nearest<'n>(wanted: &str, names: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    if wanted.len() > MAX_BYTES {
        return None;
    }
    let wanted: Vec<char> = letters(wanted).collect();
    let mut bound = (wanted.len() / 3).clamp(1, 4);
    let mut best = None;
    for name in names.into_iter().filter(|name| name.len() <= MAX_BYTES) {
        let letters: Vec<char> = letters(name).collect();
        if let Some(distance) = distance(&wanted, &letters, bound) {
            best = Some(name);
            match distance.checked_sub(1) {
                Some(closer) => bound = closer,
                None => break,
            }
        }
    }
    best
}

fn letters(name: &str) -> impl Iterator<Item = char> {
    name.chars().map(|letter| letter.to_ascii_lowercase())
}

/// Edits (a letter inserted, removed, replaced, or swapped with its neighbour) between two names, if at most
/// `bound`.
fn distance(from: &[char], to: &[char], bound: usize) -> Option<usize> {
    if from.len().abs_diff(to.len()) > bound {
        return None;
    }
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=to.len()).collect();
    for (row, letter) in from.iter().enumerate() {
        let mut next = vec![row + 1];
        for (column, other) in to.iter().enumerate() {
            let replaced = last[column] + usize::from(letter != other);
            let mut edits = replaced.min(last[column + 1] + 1).min(next[column] + 1);
            if row > 0 && column > 0 && *letter == to[column - 1] && from[row - 1] == *other {
                edits = edits.min(before[column - 1] + 1);
            }
            next.push(edits);
        }
        before = std::mem::replace(&mut last, next);
    }
    last.last().copied().filter(|edits| *edits <= bound)
}

#[cfg(test)]
#[path = "suggest_tests.rs"]
mod tests;
