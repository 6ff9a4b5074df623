//! An empty database of each engine, and charges to put into it.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use policy::money::Cost;
use tempfile::TempDir;
use tollgate_store::db::{Db, DbError};
use tollgate_store::ledger::{Charge, Ending, Ledger, Options, Pricing, Sync};
use tollgate_store::projector::{NoWindows, Projector, Windows};
use wire::reply::Usage;

/// An empty database and a directory for a ledger.
pub(crate) struct Stage {
    pub(crate) db: Db,
    /// How to open it once more.
    address: Option<String>,
    directory: TempDir,
}

impl Stage {
    pub(crate) async fn sqlite() -> Self {
        let directory = TempDir::new().unwrap();
        let db = Db::sqlite(&directory.path().join("db")).await.unwrap();
        Self { db, address: None, directory }
    }

    pub(crate) async fn postgres() -> Self {
        let address = testkit::postgres::database().unwrap();
        let db = Db::postgres_at(&address, 4).await.unwrap();
        Self { db, address: Some(address), directory: TempDir::new().unwrap() }
    }

    /// The same database as another process sees it.
    pub(crate) async fn again(&self) -> Db {
        self.try_again().await.unwrap()
    }

    pub(crate) async fn try_again(&self) -> Result<Db, DbError> {
        match &self.address {
            Some(address) => Db::postgres_at(address, 4).await,
            None => Db::sqlite(&self.directory.path().join("db")).await,
        }
    }

    pub(crate) fn ledger_directory(&self) -> PathBuf {
        self.directory.path().join("ledger")
    }

    pub(crate) fn ledger(&self) -> Ledger {
        let options = Options { sync: Sync::Os, segment_bytes: 64 << 10, ..Options::default() };
        Ledger::open(&self.ledger_directory(), options).unwrap()
    }

    pub(crate) async fn projector(&self) -> Projector {
        self.projector_with(Arc::new(NoWindows)).await
    }

    pub(crate) async fn projector_with(&self, windows: Arc<dyn Windows>) -> Projector {
        Projector::open(self.db.clone(), self.ledger_directory(), windows).await.unwrap()
    }

    /// Records charges and applies them.
    pub(crate) async fn apply(&self, charges: impl IntoIterator<Item = Charge<'static>>) {
        record(&self.ledger(), charges);
        apply_all(&mut self.projector().await).await;
    }

    /// The number that a query answers.
    pub(crate) async fn number(&self, sql: &str) -> i64 {
        self.db.row(sql, &[]).await.unwrap().unwrap().int("n").unwrap()
    }
}

pub(crate) fn record(ledger: &Ledger, charges: impl IntoIterator<Item = Charge<'static>>) {
    charges.into_iter().for_each(|charge| ledger.record(&charge));
    ledger.close(Duration::from_secs(30)).unwrap();
}

pub(crate) async fn apply_all(projector: &mut Projector) {
    while projector.step().await.unwrap() {}
}

/// Runs a test on both engines.
pub(crate) async fn on_both(test: impl AsyncFn(Stage)) {
    eprintln!("on SQLite");
    test(Stage::sqlite().await).await;
    eprintln!("on PostgreSQL");
    test(Stage::postgres().await).await;
}

/// 2026-06-01 00:00 UTC.
pub(crate) const JUNE: u64 = 1_780_272_000_000;
/// Milliseconds.
pub(crate) const MINUTE: u64 = 60_000;
pub(crate) const DAY: u64 = 1_440 * MINUTE;

/// A call a minute, of three keys, two users and one team, in turn.
pub(crate) fn charge(call: u64) -> Charge<'static> {
    Charge {
        call: format!("call-{call:07}").into(),
        ended_unix_ms: JUNE + call * MINUTE + 1_500,
        model_group: if call.is_multiple_of(4) { "claude" } else { "gpt" }.into(),
        deployment: "d1".into(),
        provider: if call.is_multiple_of(4) { "anthropic" } else { "openai" }.into(),
        upstream_model: "upstream".into(),
        operation: "chat".into(),
        caller: format!("key{}", call % 3).into(),
        usage: Some(Usage { input: 100, output: 10, cache_read: 5, ..Usage::default() }),
        cost: Some(Cost::from_nano(1_000_000_007)),
        ending: Ending::Complete,
        duration_ms: 1_500,
        route: "acompletion".into(),
        key_alias: format!("alias{}", call % 3).into(),
        user: format!("user{}", call % 2).into(),
        team: "team".into(),
        status: 200,
        pricing: Pricing::Priced,
        ..Charge::default()
    }
}
