//! Which names a list of names allows: wildcards, access groups, "everything".
//!
//! Not here: who the caller is, and the intersection of the lists of key, team and organization; those
//! are several [`ModelList`]s asked in turn.

use std::cmp::Reverse;
use std::collections::HashSet;

/// A name with `*`s, each of which stands for any run of characters, the empty one included.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Pattern {
    text: Box<str>,
}

impl Pattern {
    /// A pattern; a text without `*` matches itself.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self { text: text.into() }
    }

    /// Whether a name has any `*`.
    #[must_use]
    pub fn is_wildcard(text: &str) -> bool {
        text.contains('*')
    }

    /// The text it was made of.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it covers `name`. Linear in practice: each piece of the pattern is looked for once.
    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        self.walk(name, |_| {})
    }

    /// What each `*` stands for in `name`, in order; where that is ambiguous, earlier ones take all they can.
    #[must_use]
    pub fn captures<'n>(&self, name: &'n str) -> Option<Vec<&'n str>> {
        let mut found = Vec::new();
        self.walk(name, |capture| found.push(capture)).then(|| {
            found.reverse();
            found
        })
    }

    /// `target` with its `*`s replaced by what this pattern's `*`s stand for in `name`, in order. A target without
    /// `*` is returned as it is; surplus `*`s stay.
    #[must_use]
    pub fn substitute(&self, name: &str, target: &str) -> Option<String> {
        let captures = self.captures(name)?;
        let mut pieces = target.split('*');
        let mut result = pieces.next().unwrap_or_default().to_owned();
        for (index, piece) in pieces.enumerate() {
            result.push_str(captures.get(index).copied().unwrap_or("*"));
            result.push_str(piece);
        }
        Some(result)
    }

    /// Sorts the most specific pattern first: the longer one, then the one with more literal pieces, then by
    /// text, so that the order never depends on where a pattern was written.
    #[must_use]
    pub fn specificity(&self) -> (Reverse<usize>, Reverse<usize>, &str) {
        let literals = self.text.split('*').filter(|piece| !piece.is_empty()).count();
        (Reverse(self.text.len()), Reverse(literals), &self.text)
    }

    /// Matches from the right, so that every `*` but the last is as long as can be. Captures come out last first.
    fn walk<'n>(&self, name: &'n str, mut capture: impl FnMut(&'n str)) -> bool {
        let Some((first, rest)) = self.text.split_once('*') else { return *self.text == *name };
        let Some(mut name) = name.strip_prefix(first) else { return false };
        let mut pieces = rest.rsplit('*');
        match pieces.next().and_then(|last| name.strip_suffix(last)) {
            Some(before) => name = before,
            None => return false,
        }
        for piece in pieces {
            let Some(at) = name.rfind(piece) else { return false };
            capture(&name[at + piece.len()..]);
            name = &name[..at];
        }
        capture(name);
        true
    }
}

/// A model name as a caller asks for it, with what is known about it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Asked<'a> {
    /// The name.
    pub model: &'a str,
    /// The access groups that deployments of this name carry.
    pub groups: &'a [String],
    /// The routing prefix of a bare provider model, so that `openai/*` covers `gpt-5`.
    pub provider: Option<&'a str>,
}

/// The models a key, a team or a user may use.
///
/// An empty list, `*` and `all-proxy-models` allow everything; `no-default-models` allows nothing, whatever
/// else the list says. `all-team-models` is the caller's to replace: it stands for another list.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ModelList {
    everything: bool,
    nothing: bool,
    /// Model names and access groups, which share a namespace.
    names: HashSet<Box<str>>,
    patterns: Box<[Pattern]>,
}

impl ModelList {
    /// Compiles the entries of a list.
    #[must_use]
    pub fn new<S: AsRef<str>>(entries: &[S]) -> Self {
        let has = |wanted: &str| entries.iter().any(|entry| entry.as_ref() == wanted);
        let (wild, exact): (Vec<&str>, Vec<&str>) =
            entries.iter().map(AsRef::as_ref).partition(|entry| Pattern::is_wildcard(entry));
        Self {
            everything: entries.is_empty() || has("*") || has("all-proxy-models"),
            nothing: has("no-default-models"),
            names: exact.into_iter().map(Box::from).collect(),
            patterns: wild.into_iter().map(Pattern::new).collect(),
        }
    }

    /// The entries of a list that allows the same, in no order; empty for one that allows everything.
    #[must_use]
    pub fn entries(&self) -> Vec<String> {
        if self.nothing {
            return vec!["no-default-models".to_owned()];
        }
        if self.everything {
            return Vec::new();
        }
        let patterns = self.patterns.iter().map(Pattern::as_str);
        self.names.iter().map(|name| &**name).chain(patterns).map(str::to_owned).collect()
    }

    /// Whether a caller with this list may use a model.
    #[must_use]
    pub fn allows(&self, asked: Asked<'_>) -> bool {
        if self.nothing || self.everything {
            return !self.nothing;
        }
        self.names.contains(asked.model)
            || asked.groups.iter().any(|group| self.names.contains(group.as_str()))
            || self.patterns.iter().any(|pattern| {
                pattern.matches(asked.model)
                    || asked.provider.is_some_and(|provider| covers(pattern, provider, asked.model))
            })
    }
}

/// Whether `pattern` covers `provider/model`, without building that text.
fn covers(pattern: &Pattern, provider: &str, model: &str) -> bool {
    let own = pattern.as_str().strip_prefix(provider).and_then(|rest| rest.strip_prefix('/'));
    own.is_some_and(|rest| Pattern::new(rest).matches(model))
}

#[cfg(test)]
#[path = "access_tests.rs"]
mod tests;
