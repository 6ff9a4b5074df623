//! What the process was given: environment variables and the `.env` file, read once.
//!
//! This is the only module that looks at the process environment. Everything else is handed an
//! [`Environment`], so a configuration file can add variables to it (`environment_variables`) without
//! changing the process, and tests can make one from pairs.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::path::Path;

mod dotenv;
#[cfg(test)]
#[path = "env/env_tests.rs"]
mod tests;

/// A `.env` file larger than this is not a `.env` file.
const DOTENV_MAX_BYTES: u64 = 1 << 20;

/// The variables a process sees. Its `Debug` counts them and shows none: most of them are secrets.
#[derive(Clone, Default)]
pub(crate) struct Environment {
    variables: HashMap<String, String>,
}

impl Environment {
    /// The variables of this process. Those that are not UTF-8 are left out.
    pub(crate) fn of_process() -> Self {
        std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect()
    }

    /// Adds the `.env` file of `directory`, unless `LITELLM_MODE` is `PRODUCTION` or there is none.
    /// Variables that are already set keep their value. Returns whether a file was read.
    ///
    /// # Errors
    /// The file exists and cannot be read, is larger than 1 MiB or is not UTF-8.
    pub(crate) fn read_dotenv(&mut self, directory: &Path) -> std::io::Result<bool> {
        if self.get("LITELLM_MODE") == Some("PRODUCTION") {
            return Ok(false);
        }
        let path = directory.join(".env");
        match std::fs::metadata(&path) {
            Ok(metadata) if !metadata.is_file() => return Ok(false),
            Ok(metadata) if metadata.len() > DOTENV_MAX_BYTES => {
                return Err(std::io::Error::other(".env is larger than 1 MiB"));
            }
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(error),
        }
        let text = std::fs::read_to_string(&path)?;
        for (name, value) in dotenv::pairs(&text, |name| self.get(name).map(str::to_owned)) {
            self.variables.entry(name).or_insert(value);
        }
        Ok(true)
    }

    /// All of them.
    pub(crate) fn variables(&self) -> BTreeMap<String, String> {
        self.variables.iter().map(|(name, value)| (name.clone(), value.clone())).collect()
    }

    /// The value as it is set, which may be empty.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str)
    }

    /// The value without surrounding space, where something is left of it.
    pub(crate) fn filled(&self, name: &str) -> Option<&str> {
        self.get(name).map(str::trim).filter(|value| !value.is_empty())
    }

    /// The first of `names` that is filled, with its value.
    pub(crate) fn first_filled<'a>(&self, names: &[&'a str]) -> Option<(&'a str, &str)> {
        names.iter().find_map(|name| Some((*name, self.filled(name)?)))
    }

    /// Whether a variable says yes, in the spellings LiteLLM and Docker users write.
    pub(crate) fn is_on(&self, name: &str) -> bool {
        self.filled(name)
            .is_some_and(|value| ["1", "true", "yes", "on"].iter().any(|yes| value.eq_ignore_ascii_case(yes)))
    }

    /// Sets a variable for those that are handed this environment; the process keeps its own.
    pub(crate) fn set(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.variables.insert(name.into(), value.into());
    }
}

impl<Name: Into<String>, Value: Into<String>> FromIterator<(Name, Value)> for Environment {
    fn from_iter<I: IntoIterator<Item = (Name, Value)>>(pairs: I) -> Self {
        Self { variables: pairs.into_iter().map(|(name, value)| (name.into(), value.into())).collect() }
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Environment({} variables)", self.variables.len())
    }
}
