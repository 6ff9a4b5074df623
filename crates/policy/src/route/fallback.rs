//! Which model group a call goes to when one has failed for good. LiteLLM's lists and order.
//!
//! Not here: retries within a group, and whether the caller may use the next one; the gateway skips those.
//!
//! After a failure the first of these that has entries is walked, each entry as a whole call of its own, whose failure
//! looks up *its* fallbacks before the list goes on:
//! 1. the request's own `fallbacks`, for the group that was asked for
//! 2. `context_window_fallbacks` or `content_policy_fallbacks`, if that is the fault. Where such a list is configured but
//!    has nothing for the group, the call ends
//! 3. `fallbacks`, then `default_fallbacks`
//!
//! No group is tried twice, at most `max_fallbacks` deep, [`MOST`] in all.

use serde_json::{Map, Value};
use wire::fault::FaultKind;

use crate::access::Pattern;

/// Groups tried for one call, however the lists refer to each other and however long a request's own is.
pub const MOST: usize = 32;

/// Where a call goes next.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Target {
    /// The model group.
    pub group: String,
    /// Fields of the request that are set for this target: the other keys of `{model: …, …}`.
    pub overrides: Map<String, Value>,
}

/// One list: `[{group: [targets]}, …]`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lists(Vec<(Pattern, Vec<Target>)>);

impl Lists {
    /// A list of groups, whose names may hold `*`, and their targets.
    #[must_use]
    pub fn new(entries: Vec<(String, Vec<Target>)>) -> Self {
        Self(entries.into_iter().map(|(group, targets)| (Pattern::new(&group), targets)).collect())
    }

    /// Whether nothing is configured.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The targets of a group: its exact name, then its name without or with a provider's prefix, then the most
    /// specific pattern, `*` last.
    #[must_use]
    pub fn find(&self, group: &str) -> Option<&[Target]> {
        let exact = self.0.iter().find(|(key, _)| key.as_str() == group);
        let alike = || {
            let same = |key: &str| !Pattern::is_wildcard(key) && (key == bare(group) || bare(key) == group);
            self.0.iter().find(|(key, _)| same(key.as_str()))
        };
        let wild = || {
            let covering =
                self.0.iter().filter(|(key, _)| Pattern::is_wildcard(key.as_str()) && key.matches(group));
            covering.min_by(|(one, _), (other, _)| one.specificity().cmp(&other.specificity()))
        };
        exact.or_else(alike).or_else(wild).map(|(_, targets)| targets.as_slice())
    }
}

/// A name without its provider's prefix.
fn bare(name: &str) -> &str {
    name.split_once('/').map_or(name, |(_, bare)| bare)
}

/// All lists of the configuration.
#[derive(Clone, Debug, PartialEq)]
pub struct Fallbacks {
    /// `fallbacks`.
    pub general: Lists,
    /// `default_fallbacks`.
    pub default: Vec<Target>,
    /// `context_window_fallbacks`.
    pub context_window: Lists,
    /// `content_policy_fallbacks`.
    pub content_policy: Lists,
    /// `max_fallbacks`.
    pub most_depth: u32,
}

impl Default for Fallbacks {
    fn default() -> Self {
        Self {
            general: Lists::default(),
            default: Vec::new(),
            context_window: Lists::default(),
            content_policy: Lists::default(),
            most_depth: 5,
        }
    }
}

impl Fallbacks {
    /// The targets after a fault of this kind in this group.
    #[must_use]
    pub fn after(&self, kind: FaultKind, group: &str) -> &[Target] {
        let special = match kind {
            FaultKind::ContextWindow => Some(&self.context_window),
            FaultKind::ContentPolicy => Some(&self.content_policy),
            _ => None,
        };
        if let Some(special) = special.filter(|special| !special.is_empty()) {
            return special.find(group).unwrap_or_default();
        }
        self.general.find(group).unwrap_or(&self.default)
    }
}

/// What a request says about its own fallbacks.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Wishes {
    /// `disable_fallbacks`.
    pub disabled: bool,
    /// `fallbacks`.
    pub general: Option<Vec<Target>>,
    /// `context_window_fallbacks`.
    pub context_window: Option<Vec<Target>>,
    /// `content_policy_fallbacks`.
    pub content_policy: Option<Vec<Target>>,
}

impl Wishes {
    fn after(&self, kind: FaultKind) -> Option<&[Target]> {
        let special = match kind {
            FaultKind::ContextWindow => &self.context_window,
            FaultKind::ContentPolicy => &self.content_policy,
            _ => &None,
        };
        self.general.as_deref().or(special.as_deref())
    }
}

/// The way of one call through groups.
#[derive(Clone, Debug)]
pub struct Journey<'a> {
    lists: &'a Fallbacks,
    wishes: &'a Wishes,
    visited: Vec<&'a str>,
    depth: u32,
    /// What is left of each list that was begun, with its depth; the innermost last.
    left: Vec<(u32, std::slice::Iter<'a, Target>)>,
}

impl<'a> Journey<'a> {
    /// The way of a call that begins at `group`.
    #[must_use]
    pub fn new(lists: &'a Fallbacks, wishes: &'a Wishes, group: &'a str) -> Self {
        Self { lists, wishes, visited: vec![group], depth: 0, left: Vec::new() }
    }

    /// Fallbacks made, one within another: `x-litellm-attempted-fallbacks`.
    #[must_use]
    pub fn depth(&self) -> u32 {
        self.depth
    }

    /// Whether a failure where the call is now would lead anywhere.
    #[must_use]
    pub fn has_next(&self, kind: FaultKind) -> bool {
        self.clone().next(kind).is_some()
    }

    /// Where to go after the group where the call is has failed for good.
    pub fn next(&mut self, kind: FaultKind) -> Option<&'a Target> {
        if self.wishes.disabled || self.visited.len() > MOST {
            return None;
        }
        let here = *self.visited.last()?;
        if self.depth < self.lists.most_depth {
            let own = if self.depth == 0 && self.visited.len() == 1 { self.wishes.after(kind) } else { None };
            let targets = own.unwrap_or_else(|| self.lists.after(kind, here));
            self.left.push((self.depth + 1, targets.iter()));
        }
        while let Some((depth, list)) = self.left.last_mut() {
            let Some(target) = list.find(|target| !self.visited.contains(&target.group.as_str())) else {
                self.left.pop();
                continue;
            };
            self.depth = *depth;
            self.visited.push(&target.group);
            return Some(target);
        }
        None
    }
}

#[cfg(test)]
#[path = "fallback_tests.rs"]
mod tests;
