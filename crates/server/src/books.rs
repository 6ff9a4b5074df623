//! Where this process keeps its books: which directory, which database, which part of the ledger.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, anyhow};
use gateway::books::Books;
use gateway::live::Live;
use gateway::periods::Periods;
use gateway::settings::GeneralSettings;
use secrecy::ExposeSecret;
use store::changes::Change;
use store::db::{Db, DbError};
use store::ledger::{Ledger, OpenError, Options};

use crate::cli::ServeOptions;
use crate::env::Environment;

/// How long until a database that does not answer is tried again.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// The books, and what it takes to open their database.
pub(crate) struct Kept {
    pub(crate) books: Arc<Books>,
    home: PathBuf,
    general: GeneralSettings,
}

/// Processes that may share one home.
const MOST_PROCESSES: u32 = 64;

/// Opens the books. `None` where there is no place for them: then only the master key is served.
///
/// # Errors
/// A database that was asked for and cannot be used.
pub(crate) async fn open(
    options: &ServeOptions,
    environment: &Environment,
    general: &GeneralSettings,
) -> anyhow::Result<Option<Kept>> {
    let asked = general.database_url.is_some() || environment.filled("TOLLGATE_HOME").is_some();
    let Some(home) = home(options, environment) else {
        anyhow::ensure!(
            !asked,
            "there is no place for charges that wait for the database: set TOLLGATE_HOME"
        );
        return Ok(None);
    };
    match at(&home, general).await {
        Ok(books) => Ok(Some(Kept { books: Arc::new(books), home, general: general.clone() })),
        Err(error) if asked => Err(error),
        Err(error) => {
            tracing::warn!(
                home = %home.display(),
                "nothing is stored, so there are no virtual keys and no spend records: {error:#}. Set TOLLGATE_HOME to \
                 a directory that can be written"
            );
            Ok(None)
        }
    }
}

async fn at(home: &Path, general: &GeneralSettings) -> anyhow::Result<Books> {
    std::fs::create_dir_all(home).with_context(|| format!("making {}", home.display()))?;
    let books = Books::new(ledger(&home.join("tollgate-ledger"))?);
    match connect(home, general, &books).await {
        Err(error) if error.may_pass() && general.database_url.is_some() => {
            tracing::error!(%error, "starting without the database; it is tried again until it answers");
        }
        connected => connected.context("opening the database")?,
    }
    Ok(books)
}

async fn connect(home: &Path, general: &GeneralSettings, books: &Books) -> Result<(), DbError> {
    let db = match &general.database_url {
        Some(url) => Db::postgres_at(url.expose_secret(), general.database_connections).await?,
        None => Db::sqlite(&home.join("tollgate.db")).await?,
    };
    books.adopt(db).await
}

/// Keeps the books true for as long as the process serves: waits for the database if it has not answered yet, then
/// follows what is changed in it.
pub(crate) async fn keep(books: Option<Kept>, live: &Arc<Live>, changed: impl FnMut(&[Change])) {
    let Some(Kept { books, home, general }) = books else { return std::future::pending().await };
    let mut pause = FIRST_PAUSE;
    while books.db().is_none() {
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
        match connect(&home, &general, &books).await {
            Ok(()) => tracing::info!("the database answers; keys and spend are stored"),
            Err(error) => tracing::debug!(%error, "the database does not answer yet"),
        }
    }
    tokio::join!(Arc::clone(&books).project(Periods::of(live)), books.follow(changed));
}

/// The first part of the ledger that no other process writes: what a process left behind is taken up by the next.
fn ledger(directory: &Path) -> anyhow::Result<Ledger> {
    for number in 0..MOST_PROCESSES {
        match Ledger::open(&directory.join(number.to_string()), Options::default()) {
            Ok(ledger) => return Ok(ledger),
            Err(OpenError::InUse(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(anyhow!("{MOST_PROCESSES} processes use {} already", directory.display()))
}

/// `TOLLGATE_HOME`, else beside the configuration file, else where programs keep their data.
fn home(options: &ServeOptions, environment: &Environment) -> Option<PathBuf> {
    if let Some(home) = environment.filled("TOLLGATE_HOME") {
        return Some(PathBuf::from(home));
    }
    if let Some(file) = &options.config {
        let parent = file.parent().filter(|parent| !parent.as_os_str().is_empty());
        return Some(parent.map_or_else(|| PathBuf::from("."), Path::to_owned));
    }
    let data = environment.filled("XDG_DATA_HOME").map(PathBuf::from);
    let data = data.or_else(|| Some(Path::new(environment.filled("HOME")?).join(".local/share")));
    Some(data?.join("tollgate"))
}
