//! Where this process keeps its books: which directory, which database, which part of the ledger.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use anyhow::{Context, anyhow};
use gateway::books::Books;
use gateway::directory::Copy;
use gateway::settings::{GeneralSettings, Settings, SharingSettings};
use secrecy::ExposeSecret;
use share::Shared;
use share::leased::LeasedOptions;
use store::db::Db;
use store::ledger::{Ledger, OpenError, Options};
use store::projector::{ProjectError, Projector};
use tokio_util::sync::CancellationToken;

use crate::cli::ServeOptions;
use crate::env::Environment;

/// How long until a database that does not answer is tried again.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// How long the process stays to bring its last charges to the database.
pub(crate) const LAST_WORDS: Duration = Duration::from_secs(10);
/// A change may be this old before it is in the copy.
const BETWEEN_COPIES: Duration = Duration::from_secs(10);

/// The books, and what it takes to open their database.
pub(crate) struct Kept {
    pub(crate) books: Arc<Books>,
    home: PathBuf,
    general: GeneralSettings,
    sharing: SharingSettings,
    /// Brings charges to the database, once that is open.
    projector: Option<Projector>,
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
    settings: &Settings,
) -> anyhow::Result<Option<Kept>> {
    let general = &settings.general;
    let asked = general.database_url.is_some() || environment.filled("TOLLGATE_HOME").is_some();
    let Some(home) = home(options, environment) else {
        anyhow::ensure!(
            !asked,
            "there is no place for charges that wait for the database: set TOLLGATE_HOME"
        );
        return Ok(None);
    };
    match at(home.clone(), settings).await {
        Ok(kept) => Ok(Some(kept)),
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

async fn at(home: PathBuf, settings: &Settings) -> anyhow::Result<Kept> {
    let general = &settings.general;
    std::fs::create_dir_all(&home).with_context(|| format!("making {}", home.display()))?;
    let (ledger, directory) = ledger(&home.join("tollgate-ledger"))?;
    let books = Arc::new(Books::new(ledger, directory, general.calendar.clone()));
    let mut kept =
        Kept { books, home, general: general.clone(), sharing: settings.sharing.clone(), projector: None };
    match kept.connect().await {
        Err(error) if may_pass(&error) && general.database_url.is_some() => {
            let known = match kept.copy().map(|copy| kept.books.directory.load_copy(&copy)) {
                Some(Ok(known)) => known,
                Some(Err(problem)) => {
                    tracing::error!(%problem, "no key is known until the database answers");
                    0
                }
                None => 0,
            };
            tracing::error!(
                %error, known_keys = known, "starting without the database; it is tried again until it answers"
            );
        }
        connected => connected.context("opening the database")?,
    }
    Ok(kept)
}

const fn may_pass(error: &ProjectError) -> bool {
    matches!(error, ProjectError::Db(error) if error.may_pass())
}

impl Kept {
    async fn connect(&mut self) -> Result<(), ProjectError> {
        let db = match &self.general.database_url {
            Some(url) => Db::postgres_at(url.expose_secret(), self.general.database_connections).await?,
            None => Db::sqlite(&self.home.join("tollgate.db")).await?,
        };
        self.projector = Some(self.books.adopt(db).await?);
        Ok(())
    }

    /// Keeps the books for as long as the process serves, and a little longer: waits for the database if it has not
    /// answered yet, follows what is changed in it, and brings charges there.
    pub(crate) async fn keep(mut self, stop: CancellationToken) {
        let mut pause = FIRST_PAUSE;
        while self.projector.is_none() {
            tokio::select! {
                () = tokio::time::sleep(pause) => pause = (pause * 2).min(LONGEST_PAUSE),
                () = stop.cancelled() => return,
            }
            match self.connect().await {
                Ok(()) => tracing::info!("the database answers; keys and spend are stored"),
                Err(error) => tracing::debug!(%error, "the database does not answer yet"),
            }
        }
        let Some(projector) = self.projector.take() else { return };
        self.share().await;
        let follow = async {
            tokio::select! {
                ((), (), ()) = async {
                    tokio::join!(self.books.follow(), keep_copy(&self.books, self.copy()), self.forget())
                } => {}
                () = stop.cancelled() => {}
            }
        };
        let project = projector.run(&self.books.ledger, stop.cancelled());
        tokio::join!(follow, project);
        if let Some(shared) = self.books.shared() {
            shared.close(LAST_WORDS / 2).await;
        }
    }

    /// Counts limits together with other replicas.
    async fn share(&self) {
        let SharingSettings { redis, deadline, strictness } = self.sharing.clone();
        let slices = LeasedOptions { deadline, strictness, ..LeasedOptions::default() };
        let shared = Shared::start(redis, self.books.db(), slices, self.general.calendar.clone()).await;
        match shared {
            Ok(shared) => self.books.share(shared),
            Err(error) => tracing::error!(%error, "limits are counted by this process alone"),
        }
    }

    /// Deletes rows of the log that are older than the operator wants them.
    async fn forget(&self) {
        let (Some(age), Some(db)) = (self.general.logs_kept, self.books.db()) else { return };
        loop {
            let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
            let before = now.saturating_sub(age).as_millis();
            match db.forget_logs(i64::try_from(before).unwrap_or(i64::MAX)).await {
                Ok(0) => {}
                Ok(rows) => tracing::info!(rows, "old rows of the log are deleted"),
                Err(error) => tracing::warn!(%error, "old rows of the log are still there"),
            }
            tokio::time::sleep(self.general.logs_looked_at).await;
        }
    }

    /// A file needs no copy; without a master key there is nothing to sign one with.
    fn copy(&self) -> Option<Copy> {
        let secret = self.general.database_url.as_ref().and(self.general.master_key.as_ref())?;
        Copy::new(self.home.join("tollgate-known.jsonl"), secret)
    }
}

/// Keeps the copy for a start without the database not much older than what it is of.
async fn keep_copy(books: &Books, copy: Option<Copy>) {
    let Some(copy) = copy else { return };
    let mut reached = books.reached();
    loop {
        // What changes while it is written is written again.
        reached.mark_unchanged();
        if let Err(error) = books.copy_to(&copy).await {
            tracing::warn!(%error, "a start without the database would not know the latest keys");
        }
        tokio::time::sleep(BETWEEN_COPIES).await;
        let Ok(()) = reached.changed().await else { return };
    }
}

/// The first part of the ledger that no other process writes: what a process left behind is taken up by the next.
fn ledger(directory: &Path) -> anyhow::Result<(Ledger, PathBuf)> {
    for number in 0..MOST_PROCESSES {
        let part = directory.join(number.to_string());
        match Ledger::open(&part, Options::default()) {
            Ok(ledger) => return Ok((ledger, part)),
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
