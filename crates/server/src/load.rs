//! From what was asked on the command line to a snapshot ready to be published. Fallible; publishes nothing.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{anyhow, bail};
use gateway::credential::Surroundings;
use gateway::settings::Settings;
use gateway::snapshot::{Flaw, Snapshot};
use gateway::transport::Tls;
use policy::catalog::Catalog;
use secrecy::ExposeSecret;

use crate::cli::ServeOptions;
use crate::config::{self, keys};
use crate::discover::{self, OLLAMA};
use crate::env::Environment;
use crate::say;

/// A configuration, compiled, and what there is to say about it.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) snapshot: Snapshot,
    /// The files it was read from: what to watch.
    pub(crate) files: Vec<PathBuf>,
    /// What was found in the environment, where there is no file.
    pub(crate) found: Vec<String>,
}

/// Reads and compiles the configuration. Warnings are printed as they are found.
///
/// # Errors
/// Everything that is wrong, as one text.
pub(crate) async fn prepare(
    options: &ServeOptions,
    environment: &Environment,
    catalog: Arc<Catalog>,
    tls: &Tls,
) -> anyhow::Result<Prepared> {
    let (mut settings, files, found) = read(options, environment).await?;
    options.overrides.amend(&mut settings);
    check_master_key(&settings, options)?;
    settings.surroundings = Some(Surroundings::new(environment.variables(), tls));
    let (snapshot, flaws) = Snapshot::prepare(settings, catalog).map_err(|problem| anyhow!(problem))?;
    for flaw in &flaws {
        tell(flaw);
    }
    Ok(Prepared { snapshot, files, found })
}

async fn read(
    options: &ServeOptions,
    environment: &Environment,
) -> anyhow::Result<(Settings, Vec<PathBuf>, Vec<String>)> {
    use std::io::IsTerminal;
    let color = std::io::stderr().is_terminal();
    let Some(file) = &options.config else {
        let discovered = discover::discover(environment, discover::tcp_probe(OLLAMA).await);
        return Ok((discovered.settings, Vec::new(), discovered.lines));
    };
    match config::load(file, environment) {
        Ok(loaded) => {
            if !loaded.notices.is_empty() {
                say(&format!("{}\n", config::problem::render_all(&loaded.notices, color)));
            }
            Ok((loaded.settings, loaded.files, Vec::new()))
        }
        Err(report) => bail!("{} is not usable\n\n{}", file.display(), report.text(color)),
    }
}

/// A well-known master key is as good as none; on an address that others reach, `strict` refuses it.
fn check_master_key(settings: &Settings, options: &ServeOptions) -> anyhow::Result<()> {
    let Some(key) = &settings.general.master_key else { return Ok(()) };
    if !keys::is_well_known(key.expose_secret()) {
        return Ok(());
    }
    if settings.general.strict && !is_loopback(&options.host) {
        bail!(
            "general_settings.master_key is a well-known key, and {} can be reached by others. Choose another key \
             (for example `sk-$(openssl rand -hex 24)`), or listen on 127.0.0.1",
            options.host
        );
    }
    tracing::warn!(
        "THE MASTER KEY IS A WELL-KNOWN ONE: anyone who can reach this port can spend your money. Choose another, \
         for example: sk-$(openssl rand -hex 24)"
    );
    Ok(())
}

/// Whether listening on `host` serves this machine only.
pub(crate) fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn tell(flaw: &Flaw) {
    if flaw.left_out {
        tracing::error!(model = %flaw.model_name, entry = flaw.entry + 1, "left out: {}", flaw.message);
    } else {
        tracing::warn!(model = %flaw.model_name, entry = flaw.entry + 1, "cannot be called yet: {}", flaw.message);
    }
}
