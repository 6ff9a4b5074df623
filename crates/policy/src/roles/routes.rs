//! The routes a key is limited to: paths, `/x/*`, `{}` templates and names of groups, compiled once.
//!
//! Not here: whether its holder may call a management route about a certain object; see [`super::may`].

use std::collections::HashSet;
use std::sync::LazyLock;

use super::groups::GROUPS;
use super::{RULES, template};
use crate::access::Pattern;

/// The name of the group that consists of what needs no key.
const PUBLIC: &str = "public_routes";

static COMPILED: LazyLock<Vec<Group>> = LazyLock::new(|| {
    let public = Group { name: PUBLIC, routes: Routes::new(public_routes()) };
    GROUPS
        .iter()
        .map(|(name, _)| Group { name, routes: Routes::new(entries_of(name)) })
        .chain([public])
        .collect()
});

/// A list of routes. An empty one, and one with `*`, allow everything.
#[derive(Clone, Debug)]
pub struct RouteList {
    everything: bool,
    own: Routes,
    groups: Box<[&'static Group]>,
}

#[derive(Debug)]
struct Group {
    name: &'static str,
    routes: Routes,
}

/// Routes without groups.
#[derive(Clone, Debug, Default)]
struct Routes {
    paths: HashSet<Box<str>>,
    wild: Box<[Pattern]>,
    templates: Box<[Box<str>]>,
}

impl RouteList {
    /// Compiles the entries of a list. One that is neither a path nor the name of a group allows nothing.
    #[must_use]
    pub fn new<S: AsRef<str>>(entries: &[S]) -> Self {
        let (mut groups, mut own) = (Vec::new(), Vec::new());
        for entry in entries.iter().map(AsRef::as_ref) {
            match group(entry) {
                Some(group) => groups.push(group),
                None => own.push(entry),
            }
        }
        Self {
            everything: entries.is_empty() || own.contains(&"*"),
            own: Routes::new(own),
            groups: groups.into_boxed_slice(),
        }
    }

    /// Whether an entry says anything: a path, a wildcard, a template or the name of a group.
    #[must_use]
    pub fn is_known(entry: &str) -> bool {
        entry == "*" || entry.starts_with('/') || group(entry).is_some()
    }

    /// Whether a path, without its query, may be called.
    #[must_use]
    pub fn allows(&self, path: &str) -> bool {
        self.everything || (!climbs(path) && self.lists().any(|routes| routes.allow(path)))
    }

    /// Whether everything that an entry allows is allowed here.
    #[must_use]
    pub fn covers(&self, entry: &str) -> bool {
        if self.everything {
            return true;
        }
        if let Some(group) = group(entry) {
            return self.groups.iter().any(|own| own.name == group.name)
                || group.routes.entries().all(|entry| self.lists().any(|routes| routes.cover(entry)));
        }
        self.lists().any(|routes| routes.cover(entry))
    }

    fn lists(&self) -> impl Iterator<Item = &Routes> {
        std::iter::once(&self.own).chain(self.groups.iter().map(|group| &group.routes))
    }
}

impl Routes {
    fn new<'a>(entries: impl IntoIterator<Item = &'a str>) -> Self {
        let (mut paths, mut wild, mut templates) = (HashSet::new(), Vec::new(), Vec::<Box<str>>::new());
        for entry in entries {
            let entry = template::trimmed(entry);
            if template::is_template(entry) {
                templates.push(match entry.strip_suffix("/*") {
                    Some(start) => format!("{start}/{{*rest}}").into(),
                    None => entry.into(),
                });
            } else if Pattern::is_wildcard(entry) {
                wild.push(Pattern::new(entry));
            } else {
                paths.insert(entry.into());
            }
        }
        Self { paths, wild: wild.into(), templates: templates.into() }
    }

    fn allow(&self, path: &str) -> bool {
        let path = template::trimmed(path);
        self.paths.contains(path)
            || self.wild.iter().any(|pattern| pattern.matches(path))
            || self.templates.iter().any(|template| template::matches(template, path))
    }

    /// Read as a text, an entry is one that a pattern matches just if all that it means are: a `*` or a
    /// parameter can only be matched by a `*`.
    fn cover(&self, entry: &str) -> bool {
        let entry = template::trimmed(entry);
        if !template::is_template(entry) && !Pattern::is_wildcard(entry) {
            return self.allow(entry);
        }
        self.wild.iter().any(|pattern| pattern.matches(entry))
            || self.templates.iter().any(|template| template::same(template, entry))
    }

    fn entries(&self) -> impl Iterator<Item = &str> {
        let wild = self.wild.iter().map(Pattern::as_str);
        self.paths.iter().chain(&self.templates).map(AsRef::as_ref).chain(wild)
    }
}

fn group(name: &str) -> Option<&'static Group> {
    COMPILED.iter().find(|group| group.name == name)
}

/// All that a group consists of, its groups taken apart.
fn entries_of(name: &str) -> Vec<&'static str> {
    let members = GROUPS.iter().find(|(group, _)| *group == name).map_or(&[][..], |(_, members)| members);
    members
        .iter()
        .flat_map(|member| match *member {
            PUBLIC => public_routes(),
            path if path.starts_with('/') => vec![path],
            group => entries_of(group),
        })
        .collect()
}

fn public_routes() -> Vec<&'static str> {
    RULES.iter().filter(|rule| rule.is_public()).map(|rule| rule.path).collect()
}

/// Whether a path has a segment that means "here" or "up", which a wildcard must not be led astray by.
fn climbs(path: &str) -> bool {
    let suspicious = path.contains("/.") || path.contains('%');
    suspicious
        && path.split('/').any(|segment| {
            let dots = segment.to_ascii_lowercase().replace("%2e", ".");
            dots == "." || dots == ".."
        })
}

#[cfg(test)]
#[path = "routes_tests.rs"]
mod tests;
