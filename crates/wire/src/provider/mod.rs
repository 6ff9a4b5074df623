//! Vendors as rows of a table: where they are, how they take a key, which formats they speak and what is odd
//! about them.
//!
//! Not here: sending anything, reading the environment, keys themselves, prices. A question about a provider
//! is a column of its row, never a `match` on its name somewhere else.
//!
//! - [`resolve`]: from a configured model name to a row and the name the upstream knows
//! - [`address`]: from a row and a base URL to the URL of one operation
//! - [`quirks`]: what the row changes in an otherwise fitting request body

pub mod address;
mod auth;
mod base_url;
mod hooks;
pub(crate) mod members;
mod model_name;
pub(crate) mod nested;
mod not_yet;
pub mod paths;
pub mod quirks;
pub mod resolve;
mod row;
mod speaks;
mod table;
mod ways;

use crate::format::{Format, Operation};
use quirks::Quirk;

pub use auth::{Auth, SignIn};
pub use not_yet::NOT_YET;
pub use speaks::{Host, Speaks};

/// One vendor, or one kind of server.
#[derive(Clone, Copy, Debug)]
pub struct Provider {
    /// The prefix in front of a model name (`groq` in `groq/llama-3.3-70b-versatile`).
    pub name: &'static str,
    /// The name shown to people.
    pub title: &'static str,
    /// Where it is when nothing else is said; `None` when only the operator can know. A `{NAME}` in it stands
    /// for the environment variable of that name. Never ends with a slash.
    pub base_url: Option<&'static str>,
    /// Environment variables that may hold the key; the first one set wins.
    pub key_env: &'static [&'static str],
    /// Environment variables that may hold another base URL; the first one set wins.
    pub base_env: &'static [&'static str],
    /// Whether a key is needed.
    pub key: KeyRule,
    /// How the key is shown to the upstream.
    pub auth: Auth,
    /// Fixed headers of every request.
    pub headers: &'static [(&'static str, &'static str)],
    /// The formats spoken, the preferred one of each operation first.
    pub speaks: &'static [Speaks],
    /// What is odd about it, in the order it is applied; said of bodies in OpenAI's and Ollama's formats.
    pub quirks: &'static [Quirk],
    /// How URLs are built from the base URL.
    pub addressing: Addressing,
    /// What the upstream calls a model where that is not the configured name; `None` from the function: as given.
    pub model_name: Option<fn(&str) -> Option<String>>,
    /// The header that names an organization, where accounts have several.
    pub organization: Option<&'static str>,
    /// The models are the vendor's own chat models, which refuse text completions unless they are made for them.
    pub chat_models: bool,
    /// Runs on the operator's own machines: a model without a price costs nothing.
    pub local: bool,
}

/// Whether a provider needs a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyRule {
    /// Calls without a key cannot succeed. (Azure also takes an Entra token in its place.)
    Required,
    /// Sent when there is one.
    Optional,
    /// Never sent.
    None,
}

/// How the URL of an operation is built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Addressing {
    /// The path appended to the base URL.
    Joined,
    /// Azure OpenAI: the deployment in the path and a version in the query, or its v1 API.
    Azure,
    /// Azure AI Foundry: depends on the kind of host.
    AzureAi,
    /// RAGFlow: the chat or agent, named in the model, is part of the path.
    RagFlow,
    /// No URL: answered inside the gateway.
    BuiltIn,
}

/// Every row, sorted by name.
#[must_use]
pub fn all() -> &'static [Provider] {
    table::ROWS
}

/// The row called `name`.
#[must_use]
pub fn find(name: &str) -> Option<&'static Provider> {
    let at = table::ROWS.binary_search_by(|row| row.name.cmp(name)).ok()?;
    table::ROWS.get(at)
}

impl Provider {
    /// The ways `model`, as it is configured, can be asked for something, the preferred one of each operation first.
    pub fn ways(&self, model: &str) -> impl Iterator<Item = &'static Speaks> + Clone {
        self.speaks.iter().filter(move |speaks| speaks.fits(model))
    }

    /// The way to ask `model` for `operation`: in the caller's own format if it is spoken, else in the preferred one.
    #[must_use]
    pub fn speak(&self, operation: Operation, caller: Format, model: &str) -> Option<&'static Speaks> {
        let mut fitting = self.ways(model).filter(|speaks| speaks.format.operation() == operation);
        let first = fitting.clone().next();
        fitting.find(|speaks| speaks.format == caller).or(first)
    }

    /// The base URL where the configuration names none: the first variable of `base_env` that is set, else the
    /// row's own with its `{NAME}` filled in. `None` when neither gives one.
    pub fn base(&self, environment: impl Fn(&str) -> Option<String>) -> Option<String> {
        let set = |name: &str| environment(name).filter(|value| !value.is_empty());
        if let Some(given) = self.base_env.iter().find_map(|name| set(name)) {
            return Some(given);
        }
        let base_url = self.base_url?;
        let Some((before, name, after)) = placeholder(base_url) else { return Some(base_url.to_owned()) };
        // A value that could end the host or open a path would send the key elsewhere.
        let value = set(name)
            .filter(|value| value.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b)))?;
        Some(format!("{before}{value}{after}"))
    }

    /// The tag LiteLLM puts in front of an upstream's error message: `GroqException`, `Together_aiException`.
    #[must_use]
    pub fn exception_name(&self) -> String {
        if self.name == "openai" {
            return "OpenAIException".to_owned();
        }
        let mut letters = self.name.chars();
        let first = letters.next().map(|letter| letter.to_ascii_uppercase());
        first.into_iter().chain(letters).chain("Exception".chars()).collect()
    }
}

/// The parts around the `{NAME}` of a base URL.
fn placeholder(base_url: &'static str) -> Option<(&'static str, &'static str, &'static str)> {
    let (before, rest) = base_url.split_once('{')?;
    let (name, after) = rest.split_once('}')?;
    Some((before, name, after))
}

#[cfg(test)]
#[path = "mod_tests.rs"]
mod tests;
