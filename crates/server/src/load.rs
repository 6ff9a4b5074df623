//! From what was asked on the command line to a snapshot ready to be published. Fallible; publishes nothing.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{anyhow, bail};
use gateway::credential::Surroundings;
use gateway::settings::Settings;
use gateway::snapshot::{Flaw, Snapshot};
use gateway::tracks::Tracks;
use gateway::transport::Tls;
use policy::catalog::Catalog;
use secrecy::ExposeSecret;
use store::db::Db;

use crate::cli::ServeOptions;
use crate::config::problem::{self, Notice};
use crate::config::{self, Additions, keys};
use crate::discover::{self, OLLAMA};
use crate::env::Environment;
use crate::{kept, say};

/// A configuration, compiled, and what there is to say about it.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) snapshot: Snapshot,
    /// The files it was read from: what to watch.
    pub(crate) files: Vec<PathBuf>,
    /// What was found in the environment, where there is no file.
    pub(crate) found: Vec<String>,
    notices: Vec<Notice>,
    flaws: Vec<Flaw>,
}

impl Prepared {
    /// Prints the warnings.
    pub(crate) fn tell(&self) {
        use std::io::IsTerminal;
        if !self.notices.is_empty() {
            say(&format!("{}\n", problem::render_all(&self.notices, std::io::stderr().is_terminal())));
        }
        self.flaws.iter().for_each(tell);
    }
}

/// What was asked for, before it is compiled.
struct Read {
    settings: Settings,
    files: Vec<PathBuf>,
    found: Vec<String>,
    notices: Vec<Notice>,
}

/// Reads and compiles the configuration, and what `db` has over it.
///
/// # Errors
/// Everything that is wrong, as one text.
pub(crate) async fn prepare(
    options: &ServeOptions,
    environment: &Environment,
    catalog: Arc<Catalog>,
    tracks: Arc<Tracks>,
    tls: &Tls,
    db: Option<&Db>,
) -> anyhow::Result<Prepared> {
    let mut read = read(options, environment, &Additions::default()).await?;
    if let Some(db) = db {
        read = with_kept(read, options, environment, db).await?;
    }
    let Read { mut settings, files, found, notices } = read;
    options.overrides.amend(&mut settings);
    check_master_key(&settings, options)?;
    settings.tracks = tracks;
    settings.surroundings = Some(Surroundings::new(environment.variables(), tls));
    let (snapshot, flaws) = Snapshot::prepare(settings, catalog).map_err(|problem| anyhow!(problem))?;
    Ok(Prepared { snapshot, files, found, notices, flaws })
}

/// The same, read again with what the database says. Settings that were changed at run time and fit no more are left
/// out: whoever broke them must be able to start the process to mend them.
async fn with_kept(
    plain: Read,
    options: &ServeOptions,
    environment: &Environment,
    db: &Db,
) -> anyhow::Result<Read> {
    let mut additions = kept::read(db, &plain.settings.general).await?;
    if additions.is_empty() {
        return Ok(plain);
    }
    match read(options, environment, &additions).await {
        Err(error) if !additions.settings.is_empty() => {
            tracing::error!("settings that were changed at run time are left out: {error:#}");
            additions.settings.clear();
            read(options, environment, &additions).await
        }
        read => read,
    }
}

async fn read(
    options: &ServeOptions,
    environment: &Environment,
    additions: &Additions,
) -> anyhow::Result<Read> {
    use std::io::IsTerminal;
    let Some(file) = &options.config else {
        let discovered = discover::discover(environment, discover::tcp_probe(OLLAMA).await);
        let mut settings = discovered.settings;
        if !additions.is_empty() {
            let added = config::without_file(environment, additions);
            settings.deployments.extend(added.deployments);
            settings = Settings { deployments: settings.deployments, ..added };
        }
        config::from_environment(&mut settings.general, environment);
        return Ok(Read { settings, files: Vec::new(), found: discovered.lines, notices: Vec::new() });
    };
    match config::load_with(file, environment, additions) {
        Ok(loaded) => Ok(Read {
            settings: loaded.settings,
            files: loaded.files,
            found: Vec::new(),
            notices: loaded.notices,
        }),
        Err(report) => {
            let color = std::io::stderr().is_terminal();
            bail!("{} is not usable\n\n{}", file.display(), report.text(color))
        }
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
