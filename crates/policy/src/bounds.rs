//! Nobody grants more than they have: what a key, a team or a user is given is within what the giver has.
//!
//! Not here: what is filled in where nothing is asked for. No limit asked is unlimited, and more than any limit.

use std::collections::HashSet;
use std::fmt;

use crate::access::Pattern;
use crate::money::Cost;
use crate::roles::RouteList;

/// No list is quoted further in an error.
const MAX_QUOTED: usize = 10;

/// What somebody is given, or has. Lists mean everything when empty, limits when absent.
#[derive(Clone, Copy, Debug, Default)]
pub struct Grant<'a> {
    /// The entries of a [`crate::access::ModelList`]; `all-team-models` replaced by those of the team.
    pub models: &'a [String],
    pub max_budget: Option<Cost>,
    pub requests_per_minute: Option<u64>,
    pub tokens_per_minute: Option<u64>,
    pub parallel: Option<u64>,
    /// The entries of a [`RouteList`].
    pub routes: &'a [String],
    /// Whether guardrails that hold for everybody are off.
    pub guardrails_off: bool,
}

/// Why something may not be granted. `field` is as clients write it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BoundsError {
    #[error("{field} of {asked} is more than the {allowed} that may be granted")]
    Limit { field: &'static str, asked: String, allowed: String },
    #[error("{field}: {asked} may not be granted; allowed: {allowed}")]
    Entry { field: &'static str, asked: String, allowed: String },
    #[error("disable_global_guardrails may not be granted: guardrails are on for whoever grants it")]
    Guardrails,
}

/// Whether what is granted is within what its giver has of their own; the error is about the first field that is not.
pub fn within(granted: &Grant<'_>, own: &Grant<'_>) -> Result<(), BoundsError> {
    models_within(granted.models, own.models)?;
    limit("max_budget", granted.max_budget, own.max_budget)?;
    limit("rpm_limit", granted.requests_per_minute, own.requests_per_minute)?;
    limit("tpm_limit", granted.tokens_per_minute, own.tokens_per_minute)?;
    limit("max_parallel_requests", granted.parallel, own.parallel)?;
    routes_within(granted.routes, own.routes)?;
    if granted.guardrails_off && !own.guardrails_off { Err(BoundsError::Guardrails) } else { Ok(()) }
}

fn limit<T: Copy + Ord + fmt::Display>(
    field: &'static str,
    asked: Option<T>,
    allowed: Option<T>,
) -> Result<(), BoundsError> {
    let Some(allowed) = allowed else { return Ok(()) };
    match asked {
        Some(asked) if asked <= allowed => Ok(()),
        Some(asked) => {
            Err(BoundsError::Limit { field, asked: asked.to_string(), allowed: allowed.to_string() })
        }
        None => {
            Err(BoundsError::Limit { field, asked: "unlimited".to_owned(), allowed: allowed.to_string() })
        }
    }
}

fn models_within(granted: &[String], own: &[String]) -> Result<(), BoundsError> {
    let nothing = |entries: &[String]| entries.iter().any(|entry| entry == "no-default-models");
    let is_everything = |entry: &String| {
        entry == "all-proxy-models" || (!entry.is_empty() && entry.bytes().all(|letter| letter == b'*'))
    };
    if nothing(granted) || (!nothing(own) && (own.is_empty() || own.iter().any(is_everything))) {
        return Ok(());
    }
    // A wildcard is within another just if that one matches its text: only a star can match a star.
    let (wild, names): (Vec<&String>, Vec<&String>) =
        own.iter().partition(|entry| Pattern::is_wildcard(entry));
    let names: HashSet<&String> = names.into_iter().collect();
    let patterns: Vec<Pattern> = wild.into_iter().map(|entry| Pattern::new(entry)).collect();
    let covered = |entry: &String| {
        let named = names.contains(entry) || patterns.iter().any(|pattern| pattern.matches(entry));
        named && !nothing(own) && !is_everything(entry)
    };
    entries("models", granted, own, covered)
}

fn routes_within(granted: &[String], own: &[String]) -> Result<(), BoundsError> {
    if own.is_empty() {
        return Ok(());
    }
    let list = RouteList::new(own);
    entries("allowed_routes", granted, own, |entry| list.covers(entry))
}

/// Checks every entry of a list; an empty one asks for everything, which is more than any other.
fn entries(
    field: &'static str,
    granted: &[String],
    own: &[String],
    covered: impl Fn(&String) -> bool,
) -> Result<(), BoundsError> {
    let asked = match granted.iter().find(|entry| !covered(entry)) {
        Some(entry) => entry.clone(),
        None if granted.is_empty() => "everything".to_owned(),
        None => return Ok(()),
    };
    Err(BoundsError::Entry { field, asked, allowed: quoted(own) })
}

fn quoted(entries: &[String]) -> String {
    let mut text = entries.iter().take(MAX_QUOTED).map(String::as_str).collect::<Vec<_>>().join(", ");
    if entries.len() > MAX_QUOTED {
        text.push_str(", …");
    }
    text
}

#[cfg(test)]
#[path = "bounds_tests.rs"]
mod tests;
