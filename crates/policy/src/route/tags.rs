//! Which deployments serve a call with tags. Not here: where the tags of a call come from.
//!
//! | the call has | served by |
//! | --- | --- |
//! | tags that a deployment matches, any of them or (`tag_filtering_match_any: false`) all | those |
//! | tags that nobody matches | the deployments tagged `default`, else nobody |
//! | no tags | the deployments tagged `default`, else all |

use std::collections::HashMap;

use super::filter::Scope;

const DEFAULT: &str = "default";

/// The deployments of a group by tag.
#[derive(Debug)]
pub(super) struct Tags {
    by_tag: HashMap<Box<str>, Scope>,
    default: Option<Scope>,
    any: bool,
    count: usize,
}

impl Tags {
    pub(super) fn new(tags: &[&[String]], any: bool) -> Self {
        let mut by_tag: HashMap<Box<str>, Scope> = HashMap::new();
        for tag in tags.iter().copied().flatten() {
            let carriers = || Scope::of(tags.len(), |index| tags[index].contains(tag));
            by_tag.entry(tag.as_str().into()).or_insert_with(carriers);
        }
        Self { default: by_tag.get(DEFAULT).cloned(), by_tag, any, count: tags.len() }
    }

    /// Who serves a call with these tags; `None` is everybody. `healthy` says whether any of a set can serve now.
    pub(super) fn choose(&self, asked: &[&str], healthy: impl Fn(&Scope) -> bool) -> Option<Scope> {
        if asked.is_empty() {
            return self.default.clone();
        }
        let nobody = || Scope::of(self.count, |_| false);
        let mut carriers = asked.iter().map(|tag| self.by_tag.get(*tag).cloned().unwrap_or_else(nobody));
        let first = carriers.next()?;
        let join = if self.any {
            |all: Scope, one: Scope| all.or(&one)
        } else {
            |all: Scope, one: Scope| all.and(&one)
        };
        let matching = carriers.fold(first, join);
        let spare = self.default.as_ref().filter(|_| matching.is_empty() || !healthy(&matching));
        Some(spare.cloned().unwrap_or(matching))
    }
}
