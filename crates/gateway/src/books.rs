//! What is known and what is owed: the directory of who there is, the ledger of what calls cost, and the database
//! behind both. A gateway without books serves the master key only.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use store::changes::{Change, Watch};
use store::db::{Db, DbError};
use store::ledger::Ledger;
use store::projector::{Progress, ProgressHandle, ProjectError, Projector};
use tokio::sync::Mutex;

use crate::directory::Directory;
use crate::periods::Periods;

/// Until a database that does not answer is asked again.
const PAUSE: Duration = Duration::from_secs(1);

/// The books of one process.
#[derive(Debug)]
pub struct Books {
    /// Who there is.
    pub directory: Directory,
    /// What calls cost.
    pub ledger: Ledger,
    db: ArcSwapOption<Db>,
    /// The change up to which the directory is true.
    position: Mutex<i64>,
    progress: OnceLock<ProgressHandle>,
}

impl Books {
    /// Books whose database has not answered yet.
    #[must_use]
    pub fn new(ledger: Ledger) -> Self {
        Self {
            directory: Directory::default(),
            ledger,
            db: ArcSwapOption::empty(),
            position: Mutex::new(0),
            progress: OnceLock::new(),
        }
    }

    /// Brings charges to the database for as long as the process serves.
    pub async fn project(self: Arc<Self>, periods: Periods) {
        let Some(db) = self.db() else { return };
        let windows = Arc::new(periods);
        let projector = loop {
            let directory = self.ledger.directory().to_owned();
            let windows: Arc<Periods> = Arc::clone(&windows);
            match Projector::open(db.clone(), directory, windows).await {
                Ok(projector) => break projector,
                Err(error) => Self::wait_after(&error).await,
            }
        };
        // Set once: there is one projector a process.
        let _ = self.progress.set(projector.progress());
        projector.run(&self.ledger, std::future::pending()).await;
    }

    async fn wait_after(error: &ProjectError) {
        tracing::warn!(%error, "charges wait");
        tokio::time::sleep(PAUSE).await;
    }

    /// How far charges have been brought to the database, once that has begun.
    #[must_use]
    pub fn progress(&self) -> Option<Progress> {
        self.progress.get().map(ProgressHandle::get)
    }

    /// Puts an open database behind them.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn adopt(&self, db: Db) -> Result<(), DbError> {
        let mut position = self.position.lock().await;
        *position = self.directory.load(&db).await?;
        self.db.store(Some(Arc::new(db)));
        Ok(())
    }

    /// The database, once there is one.
    #[must_use]
    pub fn db(&self) -> Option<Db> {
        self.db.load().as_deref().cloned()
    }

    /// Takes over what was changed since, and returns it.
    ///
    /// # Errors
    /// The database's.
    pub async fn catch_up(&self) -> Result<Vec<Change>, DbError> {
        let Some(db) = self.db() else { return Ok(Vec::new()) };
        let mut position = self.position.lock().await;
        let (reached, changes) = self.directory.follow(&db, *position).await?;
        *position = reached;
        Ok(changes)
    }

    /// Follows the database for as long as the process serves. `changed` is told what was changed.
    pub async fn follow(self: Arc<Self>, mut changed: impl FnMut(&[Change])) {
        let Some(db) = self.db() else { return };
        let mut watch = Watch::new(&db).await;
        let mut well = true;
        loop {
            watch.next().await;
            match self.catch_up().await {
                Ok(changes) => {
                    if !std::mem::replace(&mut well, true) {
                        tracing::info!("the database answers again");
                    }
                    if !changes.is_empty() {
                        changed(&changes);
                    }
                }
                Err(error) => {
                    if std::mem::replace(&mut well, false) {
                        tracing::error!(%error, "changes in the database are not seen; known keys keep working");
                    }
                }
            }
        }
    }
}
