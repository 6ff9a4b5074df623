//! What is known and what is owed: the directory of who there is, the ledger of what calls cost, and the database
//! behind both. A gateway without books serves the master key only.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use arc_swap::ArcSwapOption;
use policy::period::Calendar;
use share::{Shared, State};
use store::changes::Watch;
use store::db::{Db, DbError};
use store::ledger::{Charge, Ledger, read};
use store::projector::{ProgressHandle, ProjectError, Projector, Target, Windows};
use tokio::sync::{Mutex, watch};

use crate::directory::{Copy, CopyError, Directory};

/// The books of one process.
#[derive(Debug)]
pub struct Books {
    /// Who there is.
    pub directory: Directory,
    /// What calls cost.
    pub ledger: Ledger,
    /// Where the ledger is.
    home: PathBuf,
    calendar: Calendar,
    db: ArcSwapOption<Db>,
    /// Where limits are counted with other replicas.
    shared: OnceLock<Shared>,
    /// How far charges are applied.
    progress: ArcSwapOption<ProgressHandle>,
    /// The last changes that were taken over, for whoever waits for some.
    reached: watch::Sender<Reached>,
    /// The database was followed without trouble when that was last tried.
    followed: AtomicBool,
    /// How far the database was followed.
    position: Mutex<Followed>,
}

/// Numbers of the last changes that were taken over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reached {
    /// Of anything.
    pub change: i64,
    /// Of what the configuration is made of.
    pub configuration: i64,
}

/// How far the database was followed.
#[derive(Debug, Default)]
struct Followed {
    /// The last change of what is managed.
    change: i64,
    /// The last charges of other replicas.
    news: i64,
    /// What this process is called among them.
    replica: String,
}

/// News taken over at once.
const MOST_NEWS: u32 = 1_000;

impl Windows for Books {
    fn of(&self, charge: &Charge<'_>) -> Vec<Target> {
        let charged = self.directory.charged(charge);
        let at = charge.ended_unix_ms;
        let targets = charged.iter().flat_map(|account| {
            account.terms.budgets.iter().enumerate().map(move |(index, budget)| {
                let resets_at_ms = budget.period.map(|period| self.calendar.next_reset(period, at));
                let resets_at_ms = resets_at_ms.and_then(|at| i64::try_from(at).ok());
                match (account.kind.row().filter(|_| index == 0), budget.period) {
                    (Some(kind), _) => Target::Entity { kind, id: account.id.to_string(), resets_at_ms },
                    (None, period) => Target::Window {
                        account: account.name(),
                        period: period.map_or_else(|| "ever".to_owned(), |period| period.to_string()),
                        resets_at_ms,
                    },
                }
            })
        });
        targets.collect()
    }
}

impl Books {
    /// Books whose database has not answered yet.
    #[must_use]
    pub fn new(ledger: Ledger, home: PathBuf, calendar: Calendar) -> Self {
        Self {
            directory: Directory::default(),
            ledger,
            home,
            calendar,
            db: ArcSwapOption::empty(),
            shared: OnceLock::new(),
            progress: ArcSwapOption::empty(),
            reached: watch::Sender::default(),
            followed: AtomicBool::new(true),
            position: Mutex::new(Followed::default()),
        }
    }

    /// Puts an open database behind them. Returns who brings charges there, which is to be run.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn adopt(self: &Arc<Self>, db: Db) -> Result<Projector, ProjectError> {
        let mut position = self.position.lock().await;
        let windows: Arc<dyn Windows> = Arc::clone(self) as _;
        let projector = Projector::open(db.clone(), self.home.clone(), windows).await?;
        // Asked before rows are read, so that nothing is missed.
        let news = db.last_fed().await?;
        let change = self.directory.load(&db).await?;
        for window in db.budget_windows().await? {
            self.directory.restore(&window);
        }
        // What this process, or one that died here, has charged and the database does not know yet.
        for charge in read(&self.home, projector.progress().get().position).flatten() {
            self.apply(&charge);
        }
        *position = Followed { change, news, replica: projector.name().to_owned() };
        self.progress.store(Some(Arc::new(projector.progress())));
        self.db.store(Some(Arc::new(db)));
        self.reached.send_modify(|reached| reached.change = change);
        Ok(projector)
    }

    fn apply(&self, charge: &Charge<'_>) {
        let Some(cost) = charge.cost else { return };
        for account in self.directory.charged(charge) {
            account.charge(cost, charge.ended_unix_ms, &self.calendar);
        }
    }

    /// Writes the copy that a start without the database begins with.
    ///
    /// # Errors
    /// See [`CopyError`].
    pub async fn copy_to(&self, copy: &Copy) -> Result<(), CopyError> {
        match self.db() {
            Some(db) => copy.write(&db).await,
            None => Ok(()),
        }
    }

    /// From now on limits are counted with other replicas, if there are any. Only the first time counts.
    pub fn share(&self, shared: Shared) {
        let _ = self.shared.set(shared);
    }

    /// Where limits are counted with other replicas; `None` where this one is alone.
    #[must_use]
    pub fn shared(&self) -> Option<&Shared> {
        self.shared.get().filter(|shared| !matches!(shared, Shared::Alone))
    }

    /// What is not as it should be, for people; nothing when all is well. Calls are taken in any case.
    #[must_use]
    pub fn troubles(&self) -> Vec<String> {
        let mut troubles = Vec::new();
        match self.db() {
            None => troubles.push("the database has not answered since the start".to_owned()),
            Some(_) if !self.followed.load(Ordering::Relaxed) => {
                troubles.push("the database does not answer; keys are as they were".to_owned());
            }
            Some(_) => {}
        }
        let progress = self.progress.load();
        if let Some(trouble) = progress.as_ref().and_then(|progress| progress.get().trouble) {
            troubles.push(format!("charges wait on the disk: {}", trouble.reason));
        }
        if let Some(trouble) = self.ledger.state().trouble {
            troubles.push(format!("charges wait in memory: {}", trouble.reason));
        }
        if let Some(State::Degraded { .. }) = self.shared().map(Shared::state) {
            troubles.push("limits are counted by this process alone".to_owned());
        }
        troubles
    }

    /// The database, once there is one.
    #[must_use]
    pub fn db(&self) -> Option<Db> {
        self.db.load().as_deref().cloned()
    }

    /// The last changes that were taken over, now and whenever there are some.
    #[must_use]
    pub fn reached(&self) -> watch::Receiver<Reached> {
        self.reached.subscribe()
    }

    /// Takes over what was changed since.
    ///
    /// # Errors
    /// The database's.
    pub async fn catch_up(&self) -> Result<(), DbError> {
        let Some(db) = self.db() else { return Ok(()) };
        let mut position = self.position.lock().await;
        let (reached, changes) = self.directory.follow(&db, position.change).await?;
        position.change = reached;
        if let Some(last) = changes.last() {
            let configuration = changes.iter().rfind(|change| change.kind.is_configuration());
            self.reached.send_modify(|reached| {
                reached.change = last.number;
                reached.configuration = configuration.map_or(reached.configuration, |change| change.number);
            });
        }
        self.hear(&db, &mut position).await
    }

    /// Takes over what other replicas have charged.
    async fn hear(&self, db: &Db, position: &mut Followed) -> Result<(), DbError> {
        loop {
            let news = db.fed_after(position.news, MOST_NEWS).await?;
            let Some(last) = news.last() else { return Ok(()) };
            for fed in news.iter().filter(|fed| fed.replica != position.replica) {
                let at = u64::try_from(fed.ended_at).unwrap_or(0);
                if let Some(account) = self.directory.account_of(fed.kind, &fed.id) {
                    account.charge(fed.cost, at, &self.calendar);
                }
            }
            position.news = last.number;
        }
    }

    /// Follows the database for as long as the process serves.
    pub async fn follow(&self) {
        let Some(db) = self.db() else { return };
        let mut told = Watch::new(&db).await;
        loop {
            told.next().await;
            match self.catch_up().await {
                Ok(()) => {
                    if !self.followed.swap(true, Ordering::Relaxed) {
                        tracing::info!("the database answers again");
                    }
                }
                Err(error) => {
                    if self.followed.swap(false, Ordering::Relaxed) {
                        tracing::error!(%error, "changes in the database are not seen; known keys keep working");
                    }
                }
            }
        }
    }
}
