//! Names (of tools, of calls) respelled for an upstream that takes fewer letters, and undone in its reply.
//!
//! A name that is acceptable keeps its spelling; the others get one that no other name has. The same names in
//! the same order are always spelled the same, so that a conversation that grows stays cached.

use std::collections::{HashMap, HashSet};

#[cfg(test)]
#[path = "renames_tests.rs"]
mod tests;

/// The names that had to change, both ways.
#[derive(Debug, Default)]
pub(crate) struct Renames {
    sent: HashMap<String, String>,
    meant: HashMap<String, String>,
}

impl Renames {
    /// Spells `names` in ASCII letters, digits, `_` and `-`, with at most `longest` of them.
    pub(crate) fn of<'a>(names: impl Iterator<Item = &'a str> + Clone, longest: usize) -> Self {
        Self::spelled(names, longest, "", true)
    }

    /// The same, with a letter at the beginning.
    pub(crate) fn lettered<'a>(names: impl Iterator<Item = &'a str> + Clone, longest: usize) -> Self {
        Self::spelled(names, longest, "t", true)
    }

    /// The same for upstreams that take identifiers: no `-`, and a letter or `_` at the beginning.
    pub(crate) fn identifiers<'a>(names: impl Iterator<Item = &'a str> + Clone, longest: usize) -> Self {
        Self::spelled(names, longest, "_", false)
    }

    /// `letter` goes before a name that begins with none, unless it is empty.
    fn spelled<'a>(
        names: impl Iterator<Item = &'a str> + Clone,
        longest: usize,
        letter: &str,
        dashes: bool,
    ) -> Self {
        let is_letter = |first: char| first.is_ascii_alphabetic() || letter.starts_with(first);
        let begins = |name: &str| letter.is_empty() || name.starts_with(is_letter);
        let fits = |name: &str, longest| begins(name) && fits(name, longest, dashes);
        let mut renames = Self::default();
        if names.clone().all(|name| fits(name, longest)) {
            return renames;
        }
        let mut taken: HashSet<String> = HashSet::new();
        taken.extend(names.clone().filter(|name| fits(name, longest)).map(str::to_owned));
        for name in names.filter(|name| !fits(name, longest)) {
            if renames.sent.contains_key(name) {
                continue;
            }
            let prefix = if begins(name) { "" } else { letter };
            let spelled = free(&format!("{prefix}{name}"), longest, dashes, &taken);
            taken.insert(spelled.clone());
            renames.meant.insert(spelled.clone(), name.to_owned());
            renames.sent.insert(name.to_owned(), spelled);
        }
        renames
    }

    /// What the upstream is told for `name`.
    pub(crate) fn sent<'a>(&'a self, name: &'a str) -> &'a str {
        self.sent.get(name).map_or(name, String::as_str)
    }

    /// What the caller knows as the upstream's `name`.
    pub(crate) fn meant<'a>(&'a self, name: &'a str) -> &'a str {
        self.meant.get(name).map_or(name, String::as_str)
    }
}

fn fits(name: &str, longest: usize, dashes: bool) -> bool {
    (1..=longest).contains(&name.len()) && name.bytes().all(|byte| is_plain(byte, dashes))
}

fn is_plain(byte: u8, dashes: bool) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || (dashes && byte == b'-')
}

fn free(name: &str, longest: usize, dashes: bool, taken: &HashSet<String>) -> String {
    let plain = |letter: char| if letter.is_ascii() && is_plain(letter as u8, dashes) { letter } else { '_' };
    let mut stem: String = name.chars().map(plain).take(longest).collect();
    if stem.is_empty() {
        stem.push('_');
    }
    let numbered = (2_usize..).map(|number| {
        let suffix = format!("_{number}");
        format!("{}{suffix}", &stem[..stem.len().min(longest.saturating_sub(suffix.len()))])
    });
    std::iter::once(stem.clone()).chain(numbered).find(|name| !taken.contains(name)).unwrap_or_default()
}
