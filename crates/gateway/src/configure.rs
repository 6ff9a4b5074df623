//! What the process does for those who change its configuration while it serves. The process itself knows how to read
//! a configuration; this is how it is asked to.

use std::fmt::Debug;

use futures_util::future::BoxFuture;
use store::entity::{ModelFields, Object};

/// The process, to those who change its configuration.
pub trait Configure: Debug + Send + Sync {
    /// Whether a deployment could be served as it is; secrets in it are open.
    ///
    /// # Errors
    /// What is wrong with it, for the person who wrote it.
    fn check(&self, model: &ModelFields) -> Result<(), String>;

    /// Whether the files could be served with these sections over them, each under its name; secrets are open.
    ///
    /// # Errors
    /// What is wrong, for the person who wrote it.
    fn check_settings(&self, sections: &[(String, Object)]) -> Result<(), String>;

    /// The keys of a section, and whether they have an effect. Empty for what is no section.
    fn keys(&self, section: &str) -> Vec<(&'static str, bool)>;

    /// Takes over what the files and the database say now, so that the next call knows of it.
    fn reload(&self) -> BoxFuture<'_, Result<(), String>>;
}
