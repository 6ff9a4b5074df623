//! Brings charges from the ledger's directory to the database, at its own pace: rows of the log, sums of days, what
//! rows and budgets have spent, and the news for other replicas.
//!
//! A batch is one transaction. In it the ledger's receipt (how far it is applied) is compared and set, so that a batch
//! whose commit was not answered is neither lost nor applied twice. While the database cannot be written, charges
//! wait on the disk; nothing here is in the way of a call.

mod feed;
mod receipt;
mod sums;
mod target;
mod write;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use crate::db::{Db, DbError};
use crate::ledger::{Charge, Ledger, Position, ReadError, Trouble, read};
use crate::spend::log::{self, SpendLog};

pub use self::feed::Fed;
pub use self::target::{NoWindows, Target, Windows};

pub(crate) use self::sums::NEVER;
use self::sums::Sums;

/// Charges of one transaction.
const BATCH: usize = 1_000;
/// How often the ledger is looked at.
const PACE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// How long news wait for replicas that are slow.
const NEWS_LAST_MS: i64 = 600_000;
/// Batches between two looks for old news.
const PRUNE_EACH: u32 = 500;

/// Why a batch was not applied. It will be tried again.
#[derive(Debug, thiserror::Error)]
pub enum ProjectError {
    /// The database did not take it.
    #[error(transparent)]
    Db(#[from] DbError),
    /// The ledger cannot be read.
    #[error(transparent)]
    Read(ReadError),
    /// The ledger's own name cannot be read or written.
    #[error("the ledger's name cannot be kept: {0}")]
    Name(std::io::Error),
    /// Somebody else applies the same ledger.
    #[error("another process applies the charges of this ledger")]
    Overtaken,
}

/// How far charges are applied, and why not further.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Charges applied since the start.
    pub applied: u64,
    /// Damaged or unknown records that were left out since the start.
    pub damaged: u64,
    /// Charges that the database cannot hold, since the start. Each is in the log of the process.
    pub refused: u64,
    /// Everything before is applied.
    pub position: Position,
    /// Why charges wait; `None` when they do not.
    pub trouble: Option<Trouble>,
}

/// The progress of a projector that runs elsewhere. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct ProgressHandle(Arc<Mutex<Progress>>);

impl ProgressHandle {
    /// As it is now.
    #[must_use]
    pub fn get(&self) -> Progress {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Progress> {
        // Plain numbers: a poisoned lock says nothing about them.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Applies the charges of one ledger to one database.
pub struct Projector {
    db: Db,
    directory: PathBuf,
    name: String,
    windows: Arc<dyn Windows>,
    position: Position,
    /// Charges that the next batch may have: less while one is looked for that the database cannot hold.
    most: usize,
    progress: ProgressHandle,
    until_prune: u32,
}

/// Charges of a batch, and where they end.
struct Batch {
    charges: Vec<Charge<'static>>,
    damaged: u64,
    end: Position,
    /// There may be more at once.
    full: bool,
}

impl Projector {
    /// A projector of the ledger in `directory`, from where its last batch ended.
    ///
    /// # Errors
    /// A database that does not answer, or a directory that cannot be read.
    pub async fn open(db: Db, directory: PathBuf, windows: Arc<dyn Windows>) -> Result<Self, ProjectError> {
        let name = receipt::name(&directory).map_err(ProjectError::Name)?;
        let position = receipt::read(&db, &name).await?;
        let progress = ProgressHandle::default();
        progress.lock().position = position;
        Ok(Self { db, directory, name, windows, position, most: BATCH, progress, until_prune: 0 })
    }

    /// What it is called among replicas: its own news in [`Db::fed_after`] carry this name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How far it is, also while it runs.
    #[must_use]
    pub fn progress(&self) -> ProgressHandle {
        self.progress.clone()
    }

    /// Applies the next batch. Returns whether there may be more at once.
    ///
    /// # Errors
    /// Why it was not applied; the same charges come again.
    pub async fn step(&mut self) -> Result<bool, ProjectError> {
        let batch = self.read().await?;
        if batch.end == self.position {
            return Ok(false);
        }
        let applied = match self.apply(&batch, &batch.charges).await {
            Err(ProjectError::Db(DbError::Unfit(_))) if batch.charges.len() > 1 => {
                self.most = batch.charges.len() / 2;
                return Ok(true);
            }
            Err(ProjectError::Db(DbError::Unfit(reason))) => {
                self.apply(&batch, &[]).await?;
                // The only place left where it can be found.
                tracing::error!(charge = ?batch.charges, %reason, "the database cannot hold a charge");
                self.progress.lock().refused += 1;
                0
            }
            outcome => outcome.map(|()| batch.charges.len() as u64)?,
        };
        self.most = BATCH.min(self.most * 2);
        self.position = batch.end;
        let mut progress = self.progress.lock();
        progress.applied += applied;
        progress.damaged += batch.damaged;
        progress.position = batch.end;
        Ok(batch.full)
    }

    /// Applies batches until `stop` says so, and once more after that. Segments that are applied are forgotten.
    pub async fn run(mut self, ledger: &Ledger, stop: impl Future<Output = ()>) {
        let mut stop = std::pin::pin!(stop);
        let mut pause = PACE;
        loop {
            let wait = match self.step().await {
                Ok(more) => {
                    self.recovered(ledger);
                    pause = PACE;
                    self.prune().await;
                    if more { Duration::ZERO } else { PACE }
                }
                Err(error) => {
                    self.failed(&error).await;
                    pause = LONGEST_PAUSE.min(pause * 2);
                    pause
                }
            };
            tokio::select! {
                biased;
                () = &mut stop => break,
                () = tokio::time::sleep(wait) => {}
            }
        }
        // What was recorded while the last calls ended. A database that is down keeps nobody waiting.
        while let Ok(true) = self.step().await {}
    }

    async fn read(&self) -> Result<Batch, ProjectError> {
        let (directory, from, most) = (self.directory.clone(), self.position, self.most);
        let reading = tokio::task::spawn_blocking(move || {
            let mut charges = read(&directory, from);
            let mut batch = Batch { charges: Vec::new(), damaged: 0, end: from, full: false };
            while batch.charges.len() < most {
                match charges.next() {
                    None => break,
                    Some(Ok(charge)) => batch.charges.push(storable(charge)),
                    Some(Err(error @ ReadError::Io { .. })) => return Err(ProjectError::Read(error)),
                    Some(Err(error)) => {
                        tracing::error!(%error, "a record of the ledger is left out");
                        batch.damaged += 1;
                    }
                }
            }
            batch.full = batch.charges.len() == most;
            batch.end = charges.position();
            Ok(batch)
        });
        match reading.await {
            Ok(batch) => batch,
            Err(error) => Err(ProjectError::Read(ReadError::Io {
                path: self.directory.clone(),
                error: std::io::Error::other(error),
            })),
        }
    }

    async fn apply(&self, batch: &Batch, charges: &[Charge<'_>]) -> Result<(), ProjectError> {
        let now_ms = now_ms();
        let mut sums = Sums::default();
        charges.iter().for_each(|charge| sums.add(charge, &*self.windows));
        if sums.overflown {
            return Err(DbError::Unfit("the sum of a batch is too large".to_owned()).into());
        }
        let logs: Vec<SpendLog> = charges.iter().map(SpendLog::of).collect();
        let mut tx = self.db.begin_apart().await?;
        if !receipt::advance(&mut tx, &self.name, self.position, batch.end, now_ms).await? {
            return Err(ProjectError::Overtaken);
        }
        log::insert(&mut tx, &logs).await?;
        write::days(&mut tx, &sums).await?;
        write::entities(&mut tx, &sums, now_ms).await?;
        write::windows(&mut tx, &sums).await?;
        write::feed(&mut tx, &self.name, &sums, now_ms).await?;
        tx.commit().await?;
        Ok(())
    }

    /// A commit that was not answered may have happened, so the receipt is asked where to go on.
    async fn failed(&mut self, error: &ProjectError) {
        if let Ok(position) = receipt::read(&self.db, &self.name).await {
            self.position = position;
        }
        let mut progress = self.progress.lock();
        if progress.trouble.is_none() {
            tracing::warn!(%error, "charges wait for the database");
        }
        let since = progress.trouble.as_ref().map_or_else(SystemTime::now, |trouble| trouble.since);
        progress.trouble = Some(Trouble { since, reason: error.to_string() });
    }

    fn recovered(&self, ledger: &Ledger) {
        if self.progress.lock().trouble.take().is_some() {
            tracing::info!("charges are brought to the database again");
        }
        if let Err(error) = ledger.forget(self.position) {
            tracing::warn!(%error, "applied segments of the ledger cannot be deleted");
        }
    }

    async fn prune(&mut self) {
        self.until_prune = self.until_prune.checked_sub(1).unwrap_or(PRUNE_EACH);
        if self.until_prune == PRUNE_EACH
            && self.db.postgres().is_some()
            && let Err(error) = self.db.prune_feed(now_ms() - NEWS_LAST_MS).await
        {
            tracing::debug!(%error, "old news of replicas are still there");
        }
    }
}

/// Names as the database can hold them, so that equal ones are equal before they are added up.
fn storable(mut charge: Charge<'static>) -> Charge<'static> {
    let clean = |text: &mut String| {
        if text.contains('\0') {
            *text = text.replace('\0', "\u{fffd}");
        }
    };
    let texts = [
        &mut charge.caller,
        &mut charge.user,
        &mut charge.team,
        &mut charge.organization,
        &mut charge.project,
        &mut charge.end_user,
        &mut charge.upstream_model,
        &mut charge.model_group,
        &mut charge.provider,
    ];
    for text in texts {
        clean(text.to_mut());
    }
    charge.tags.to_mut().iter_mut().for_each(clean);
    charge
}

fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// Every statement of these files.
#[cfg(test)]
pub(crate) fn statements() -> Vec<String> {
    [feed::statements(), receipt::statements(), write::statements()].concat()
}
