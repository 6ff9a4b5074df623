//! Models without a configuration file: what the environment has keys for, and an Ollama on this machine.

use std::time::Duration;

use gateway::settings::{DeploymentSettings, Settings};
use tokio::net::TcpStream;
use wire::provider::{self, KeyRule};

use crate::config::providers;
use crate::env::Environment;

/// Where Ollama listens unless told otherwise.
pub(crate) const OLLAMA: &str = "localhost:11434";

/// The settings found, and a line for each finding.
#[derive(Debug)]
pub(crate) struct Discovered {
    pub(crate) settings: Settings,
    /// `found OPENAI_API_KEY → openai/*`
    pub(crate) lines: Vec<String>,
}

/// A wildcard deployment for every provider that can be called, and the built-in demo.
/// `ollama_answers` is the result of [`tcp_probe`] on [`OLLAMA`].
pub(crate) fn discover(environment: &Environment, ollama_answers: bool) -> Discovered {
    let mut settings =
        Settings { providers: providers::from_environment(environment), ..Settings::default() };
    settings.general.master_key = environment.filled("LITELLM_MASTER_KEY").map(Into::into);
    let mut lines = Vec::new();
    for row in provider::all() {
        let key = environment.first_filled(row.key_env).map(|(name, _)| name);
        let base = environment.first_filled(row.base_env).map(|(name, _)| name);
        let has_address = row.base(|name| environment.filled(name).map(str::to_owned)).is_some();
        let found = match row.key {
            // A vendor is called with a key; a server of one's own by its address.
            KeyRule::Required => key,
            KeyRule::Optional | KeyRule::None => base.or(key.filter(|_| !row.local)),
        };
        if let Some(found) = found.filter(|_| has_address) {
            settings.deployments.push(everything_of(row.name));
            lines.push(format!("found {found} → {}/*", row.name));
        } else if row.name == "ollama" && ollama_answers {
            settings.deployments.push(everything_of(row.name));
            lines.push(format!("found Ollama on {OLLAMA} → ollama/*"));
        }
    }
    settings.deployments.push(DeploymentSettings {
        model_name: "demo/echo".to_owned(),
        model: "demo/echo".to_owned(),
        ..DeploymentSettings::default()
    });
    lines.push("built in → demo/echo".to_owned());
    Discovered { settings, lines }
}

fn everything_of(provider: &str) -> DeploymentSettings {
    let name = format!("{provider}/*");
    DeploymentSettings { model_name: name.clone(), model: name, ..DeploymentSettings::default() }
}

/// Whether something accepts connections at `address` (`host:port`) within 300 ms.
pub(crate) async fn tcp_probe(address: &str) -> bool {
    matches!(tokio::time::timeout(Duration::from_millis(300), TcpStream::connect(address)).await, Ok(Ok(_)))
}

#[cfg(test)]
#[path = "discover_tests.rs"]
mod tests;
