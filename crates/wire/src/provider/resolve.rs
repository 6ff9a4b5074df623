//! From the model name somebody configured or asked for to a provider's row and the name the upstream knows.
//!
//! Not here: model groups, aliases, wildcards. They are names of ours and are resolved before.

use super::base_url::BaseUrl;
use super::{NOT_YET, Provider, all, find};

/// A provider, and the model as it is configured there.
#[derive(Clone, Debug)]
pub struct Resolved {
    /// The row.
    pub provider: &'static Provider,
    /// The name without the provider in front.
    pub model: String,
}

/// Why no provider was found. The texts say what to write instead.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ResolveError {
    /// A provider of LiteLLM's that is not reachable from here.
    #[error("the provider {name:?} is not available: {reason}")]
    NotYet { name: &'static str, reason: &'static str },
    /// `custom_llm_provider` names nothing we know.
    #[error(
        "custom_llm_provider: there is no provider {name:?}{}; for a server that speaks OpenAI's API use openai_like with api_base",
        did_you_mean(.nearest)
    )]
    UnknownProvider { name: String, nearest: Option<&'static str> },
    /// Nothing says which provider serves the model.
    #[error(
        "LLM Provider NOT provided: nothing says who serves the model {model:?}{}. Write PROVIDER/MODEL, such as openai/{model}, or set custom_llm_provider",
        did_you_mean(.nearest)
    )]
    NoProvider { model: String, nearest: Option<&'static str> },
    /// The model is empty.
    #[error("model: must not be empty")]
    NoModel,
}

fn did_you_mean(nearest: &Option<&'static str>) -> String {
    nearest.map_or_else(String::new, |name| format!(" (did you mean {name}/…?)"))
}

/// Finds the provider of `model`. The first that answers of:
///
/// 1. `provider`, when the configuration names it
/// 2. the first segment of `model`, when it is a provider's name; only that segment is taken off
/// 3. `api_base`, when it is an address of a provider in the table
/// 4. `catalog_provider`, which knows the provider of a model by its bare name
/// 5. the families of names that are OpenAI's
///
/// # Errors
/// When none answers, or the one that does cannot be reached; the text is for whoever wrote the name.
pub fn resolve(
    model: &str,
    provider: Option<&str>,
    api_base: Option<&str>,
    catalog_provider: impl Fn(&str) -> Option<String>,
) -> Result<Resolved, ResolveError> {
    let found = |provider: &'static Provider, model: &str| match model {
        "" => Err(ResolveError::NoModel),
        model => Ok(Resolved { provider, model: model.to_owned() }),
    };
    if let Some(name) = provider.map(str::trim).filter(|name| !name.is_empty()) {
        let row = named(name)?;
        return found(row, without_prefix(row, model));
    }
    if let Some((prefix, _)) = model.split_once('/') {
        if let Some(row) = find(prefix) {
            return found(row, without_prefix(row, model));
        }
        not_yet(prefix)?;
    }
    if let Some(row) = api_base.and_then(at_address) {
        return found(row, model);
    }
    if let Some(name) = catalog_provider(model) {
        // The catalog splits some providers in families, such as `vertex_ai-language-models`.
        let of_family =
            |row: &&Provider| name.strip_prefix(row.name).is_some_and(|rest| rest.starts_with('-'));
        let family = || all().iter().filter(of_family).max_by_key(|row| row.name.len());
        if let Some(row) = find(&name).or_else(family) {
            return found(row, model);
        }
        let family =
            NOT_YET.iter().filter(|(known, _)| name.starts_with(known)).max_by_key(|(known, _)| known.len());
        not_yet(family.map_or(name.as_str(), |(known, _)| known))?;
    }
    match find("openai").filter(|_| is_openai_name(model)) {
        Some(row) => found(row, model),
        None if model.is_empty() => Err(ResolveError::NoModel),
        None => Err(ResolveError::NoProvider {
            model: shortened(model),
            nearest: model.split_once('/').and_then(|(prefix, _)| nearest(prefix)),
        }),
    }
}

fn named(name: &str) -> Result<&'static Provider, ResolveError> {
    if let Some(row) = find(name) {
        return Ok(row);
    }
    not_yet(name)?;
    Err(ResolveError::UnknownProvider { name: shortened(name), nearest: nearest(name) })
}

fn not_yet(name: &str) -> Result<(), ResolveError> {
    match NOT_YET.iter().find(|(known, _)| *known == name) {
        Some(&(name, reason)) => Err(ResolveError::NotYet { name, reason }),
        None => Ok(()),
    }
}

/// `model` without its provider in front. OpenRouter's own models (`openrouter/auto`) keep it: the upstream
/// knows them by the whole name.
fn without_prefix<'m>(row: &Provider, model: &'m str) -> &'m str {
    match model.strip_prefix(row.name).and_then(|rest| rest.strip_prefix('/')) {
        Some(rest) if row.name == "openrouter" && !rest.contains('/') && !rest.is_empty() => model,
        Some(rest) => rest,
        None => model,
    }
}

/// The row at `api_base`: the same scheme, host and port, and a path that continues the row's at a segment's
/// border. Anything looser would send one vendor's key to another host. Local servers do not count: a port
/// does not tell what listens on it.
fn at_address(api_base: &str) -> Option<&'static Provider> {
    let given = BaseUrl::parse(api_base.trim()).ok()?;
    let rows = all().iter().filter(|row| !row.local).filter_map(|row| {
        let own = BaseUrl::parse(row.base_url?).ok()?;
        let same_place = given.secure == own.secure
            && given.host.eq_ignore_ascii_case(own.host)
            && given.port_or_default() == own.port_or_default();
        let rest = given.path.strip_prefix(own.path).filter(|_| same_place)?;
        (rest.is_empty() || rest.starts_with('/')).then_some((own.path.len(), row))
    });
    // Of rows at one address the first stands for all.
    rows.rev().max_by_key(|(length, _)| *length).map(|(_, row)| row)
}

/// Whether a bare name belongs to a family that only OpenAI names so.
fn is_openai_name(model: &str) -> bool {
    let model = model.strip_prefix("ft:").unwrap_or(model);
    let family =
        |name: &str| model.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'));
    let families =
        ["gpt", "chatgpt", "o1", "o3", "o4", "text-embedding", "text-davinci", "davinci", "babbage"];
    !model.contains('/') && families.into_iter().any(family)
}

/// The provider whose name differs from `name` by a slip of the hand.
fn nearest(name: &str) -> Option<&'static str> {
    let name = name.to_ascii_lowercase();
    if name.len() > 40 {
        return None;
    }
    let slips = if name.len() < 4 { 1 } else { 2 };
    let names = all().iter().map(|row| row.name);
    let (distance, nearest) = names.map(|known| (distance(&name, known), known)).min()?;
    (distance <= slips).then_some(nearest)
}

/// Edits of one letter between two words, by rows of the usual matrix.
fn distance(left: &str, right: &str) -> usize {
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (at, left) in left.bytes().enumerate() {
        let mut diagonal = at;
        let mut before = at + 1;
        if let Some(first) = row.first_mut() {
            *first = before;
        }
        for (cell, right) in row.iter_mut().skip(1).zip(right.bytes()) {
            let changed = diagonal + usize::from(left != right);
            diagonal = *cell;
            *cell = changed.min(diagonal + 1).min(before + 1);
            before = *cell;
        }
    }
    row.last().copied().unwrap_or_default()
}

/// A name fit for a message: callers can send names of any length.
fn shortened(name: &str) -> String {
    name.chars().take(120).collect()
}

#[cfg(test)]
#[path = "resolve_tests.rs"]
mod tests;
