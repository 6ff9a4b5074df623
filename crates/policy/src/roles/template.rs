//! Path templates: `/key/{key}/regenerate`, `/models/{*model}`.
//!
//! `{name}` stands for a piece of one segment, `{*name}` (or `{name:path}`) for anything, slashes included; neither
//! for nothing. A template has at most one `{*name}`, with plain text behind it, and one `{name}` a segment.

/// Whether a path, without its query, is one that the template means.
pub(super) fn matches(template: &str, path: &str) -> bool {
    let (mut template, mut path) = (template, path);
    loop {
        let Some((head, name, tail)) = first_parameter(template) else { return template == path };
        let Some(rest) = path.strip_prefix(head) else { return false };
        if name.starts_with('*') || name.ends_with(":path") {
            return rest.strip_suffix(tail).is_some_and(|taken| !taken.is_empty());
        }
        let (suffix, further) = split_segment(tail);
        let (segment, following) = split_segment(rest);
        if segment.strip_suffix(suffix).is_none_or(str::is_empty) {
            return false;
        }
        (template, path) = (further, following);
    }
}

/// Whether two templates mean the same, whatever their parameters are called.
pub(super) fn same(one: &str, other: &str) -> bool {
    match (first_parameter(one), first_parameter(other)) {
        (None, None) => one == other,
        (Some((head, name, tail)), Some((other_head, other_name, other_tail))) => {
            let deep = |name: &str| name.starts_with('*') || name.ends_with(":path");
            head == other_head && deep(name) == deep(other_name) && same(tail, other_tail)
        }
        (Some(_), None) | (None, Some(_)) => false,
    }
}

/// Whether a text has a parameter.
pub(super) fn is_template(text: &str) -> bool {
    first_parameter(text).is_some()
}

/// The path as routes know it: a slash at its end says nothing.
pub(super) fn trimmed(path: &str) -> &str {
    path.strip_suffix('/').filter(|rest| !rest.is_empty() && !rest.ends_with('/')).unwrap_or(path)
}

/// What stands before the first parameter, its name, and what stands behind it.
fn first_parameter(template: &str) -> Option<(&str, &str, &str)> {
    let (head, rest) = template.split_once('{')?;
    let (name, tail) = rest.split_once('}')?;
    Some((head, name, tail))
}

/// A text up to its first slash, and from there on.
fn split_segment(text: &str) -> (&str, &str) {
    text.split_at(text.find('/').unwrap_or(text.len()))
}

#[cfg(test)]
#[path = "template_tests.rs"]
mod tests;
