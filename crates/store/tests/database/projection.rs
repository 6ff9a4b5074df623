//! From the ledger to the database: every charge once, whatever happens in between.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use policy::money::Cost;
use tollgate_store::db::Engine;
use tollgate_store::entity::{
    CustomerFields, Entity, KeyFields, Kind, OrganizationMemberFields, ProjectFields, Record, TagFields,
    TeamFields, TeamMemberFields, UserFields,
};
use tollgate_store::ledger::{Charge, Ending, Ledger, Options};
use tollgate_store::projector::{Fed, Target, Windows};

use crate::stage::{DAY, JUNE, MINUTE, Stage, apply_all, charge, on_both, record};

const COST: i64 = 1_000_000_007;

async fn insert<T: Entity + Default>(stage: &Stage, id: &str) {
    let mut tx = stage.db.begin().await.unwrap();
    tx.insert(&Record::new(id, T::default(), 1, None)).await.unwrap();
    tx.commit().await.unwrap();
}

async fn spent<T: Entity>(stage: &Stage, id: &str) -> (i64, i64, Option<i64>) {
    let row = stage.db.get::<T>(id).await.unwrap().unwrap();
    (row.spend.nano(), row.total_spend.nano(), row.budget_reset_at)
}

#[tokio::test]
async fn ten_thousand_charges_are_applied_exactly_once() {
    on_both(async |stage| {
        for key in ["key0", "key1", "key2"] {
            insert::<KeyFields>(&stage, key).await;
        }
        let ledger = stage.ledger();
        record(&ledger, (0..10_000).map(charge));
        let mut steps = 0;
        // Another process takes over after each batch, as after a crash.
        while stage.projector().await.step().await.unwrap() {
            steps += 1;
        }
        assert_eq!(steps, 10);
        let mut projector = stage.projector().await;
        assert!(!projector.step().await.unwrap());
        assert_eq!(projector.progress().get().applied, 0);

        let total = 10_000 * COST;
        assert_eq!(stage.number("SELECT COUNT(*) AS n FROM spend_logs").await, 10_000);
        assert_eq!(stage.number("SELECT CAST(SUM(spend) AS BIGINT) AS n FROM spend_logs").await, total);
        for kind in ["global", "user", "team"] {
            let sum =
                format!("SELECT CAST(SUM(spend) AS BIGINT) AS n FROM daily_spend WHERE kind = '{kind}'");
            assert_eq!(stage.number(&sum).await, total, "{kind}");
        }
        assert_eq!(spent::<KeyFields>(&stage, "key0").await, (3_334 * COST, 3_334 * COST, None));
        assert_eq!(spent::<KeyFields>(&stage, "key2").await, (3_333 * COST, 3_333 * COST, None));
        let forgotten = ledger.forget(projector.progress().get().position).unwrap();
        assert!(forgotten > 10, "{forgotten}");
    })
    .await;
}

#[tokio::test]
async fn a_batch_that_was_not_committed_leaves_nothing_and_one_that_was_is_not_repeated() {
    on_both(async |stage| {
        insert::<KeyFields>(&stage, "key0").await;
        let ledger = stage.ledger();
        record(&ledger, [charge(0)]);
        // The last table that a batch writes is missing: the batch breaks off at its end.
        let last = if stage.db.engine() == Engine::Sqlite { "budget_windows" } else { "spend_feed" };
        rename(&stage, last, "away").await;
        let mut projector = stage.projector_with(Arc::new(Daily)).await;
        assert!(projector.step().await.is_err());
        assert_eq!(stage.number("SELECT COUNT(*) AS n FROM spend_logs").await, 0);
        assert_eq!(stage.number("SELECT COUNT(*) AS n FROM daily_spend").await, 0);
        assert_eq!(stage.number("SELECT COUNT(*) AS n FROM ledger_receipts").await, 0);
        assert_eq!(spent::<KeyFields>(&stage, "key0").await, (0, 0, None));
        rename(&stage, "away", last).await;

        // Two of the same ledger: one of them is told that it is not alone.
        let mut other = stage.projector_with(Arc::new(Daily)).await;
        assert!(projector.step().await.is_ok());
        assert!(other.step().await.unwrap_err().to_string().contains("another process"));
        assert_eq!(stage.number("SELECT COUNT(*) AS n FROM spend_logs").await, 1);
        assert_eq!(spent::<KeyFields>(&stage, "key0").await.1, COST);
    })
    .await;
}

async fn rename(stage: &Stage, from: &str, to: &str) {
    let mut tx = stage.db.begin().await.unwrap();
    tx.execute(&format!("ALTER TABLE {from} RENAME TO {to}"), &[]).await.unwrap();
    tx.commit().await.unwrap();
}

/// Keys have a budget a day, and there is one a day of everything.
struct Daily;

impl Windows for Daily {
    fn of(&self, charge: &Charge<'_>) -> Vec<Target> {
        let ends = (charge.ended_unix_ms / DAY + 1) * DAY;
        let resets_at_ms = Some(ends.cast_signed());
        vec![
            Target::Entity { kind: Kind::Key, id: charge.caller.clone().into_owned(), resets_at_ms },
            Target::Window { account: "proxy".to_owned(), period: "1d".to_owned(), resets_at_ms },
            Target::Window { account: "proxy".to_owned(), period: String::new(), resets_at_ms: None },
        ]
    }
}

#[tokio::test]
async fn periods_begin_anew_and_late_charges_do_not_count_twice() {
    on_both(async |stage| {
        insert::<KeyFields>(&stage, "key0").await;
        let ledger = stage.ledger();
        let at =
            |call: u64, ended_unix_ms: u64| Charge { ended_unix_ms, caller: "key0".into(), ..charge(call) };
        let end = |day: u64| Some((JUNE + day * DAY).cast_signed());
        let mut projector = stage.projector_with(Arc::new(Daily)).await;
        record(&ledger, [at(0, JUNE + 5), at(1, JUNE + 6)]);
        apply_all(&mut projector).await;
        assert_eq!(spent::<KeyFields>(&stage, "key0").await, (2 * COST, 2 * COST, end(1)));

        // Two days in one batch, and a straggler of the first in the next.
        record(&ledger, [at(2, JUNE + 7), at(3, JUNE + DAY), at(4, JUNE + DAY + 1)]);
        apply_all(&mut projector).await;
        assert_eq!(spent::<KeyFields>(&stage, "key0").await, (2 * COST, 5 * COST, end(2)));
        record(&ledger, [at(5, JUNE + 8)]);
        apply_all(&mut projector).await;
        assert_eq!(spent::<KeyFields>(&stage, "key0").await, (2 * COST, 6 * COST, end(2)));

        let window = async |period: &str| {
            stage.number(&format!("SELECT spent AS n FROM budget_windows WHERE period = '{period}'")).await
        };
        assert_eq!((window("1d").await, window("").await), (2 * COST, 6 * COST));
        let windows = stage.db.budget_windows().await.unwrap();
        let daily = windows.iter().find(|window| window.period == "1d").unwrap();
        assert_eq!(
            (daily.account.as_str(), daily.spent.nano(), daily.resets_at),
            ("proxy", 2 * COST, end(2))
        );
    })
    .await;
}

#[tokio::test]
async fn everybody_in_a_charge_pays() {
    on_both(async |stage| {
        insert::<KeyFields>(&stage, "key0").await;
        insert::<UserFields>(&stage, "user0").await;
        insert::<TeamFields>(&stage, "team").await;
        insert::<TeamMemberFields>(&stage, "team/user0").await;
        insert::<OrganizationMemberFields>(&stage, "org/user0").await;
        insert::<ProjectFields>(&stage, "project").await;
        insert::<TagFields>(&stage, "red").await;
        let full = Charge {
            organization: "org".into(),
            project: "project".into(),
            end_user: "lazy".into(),
            tags: vec!["red".to_owned(), "red".to_owned(), "unknown".to_owned()].into(),
            ..charge(0)
        };
        let free = Charge { end_user: "poor".into(), cost: Some(Cost::ZERO), ..charge(1) };
        stage.apply([full, free]).await;
        let once = (COST, COST, None);
        assert_eq!(spent::<KeyFields>(&stage, "key0").await, once);
        assert_eq!(spent::<UserFields>(&stage, "user0").await, once);
        assert_eq!(spent::<TeamFields>(&stage, "team").await, once);
        assert_eq!(spent::<TeamMemberFields>(&stage, "team/user0").await, once);
        assert_eq!(spent::<OrganizationMemberFields>(&stage, "org/user0").await, once);
        assert_eq!(spent::<ProjectFields>(&stage, "project").await, once);
        assert_eq!(spent::<TagFields>(&stage, "red").await, once);
        assert_eq!(spent::<CustomerFields>(&stage, "lazy").await, once);
        assert_eq!(spent::<CustomerFields>(&stage, "poor").await, (0, 0, None));
        let tags = stage.number("SELECT COUNT(*) AS n FROM daily_spend WHERE kind = 'tag'").await;
        assert_eq!(tags, 2);
    })
    .await;
}

#[tokio::test]
async fn replicas_are_told_what_others_charged() {
    let stage = Stage::postgres().await;
    let other = stage.again().await;
    let before = other.last_fed().await.unwrap();
    let ledger = stage.ledger();
    let mut projector = stage.projector_with(Arc::new(Daily)).await;
    record(&ledger, (0..4).map(charge));
    apply_all(&mut projector).await;
    let news = other.fed_after(before, 100).await.unwrap();
    assert!(news.iter().all(|it| it.replica == projector.name()), "{news:?}");
    let of = |kind: Option<Kind>, id: &str| {
        let mine: Vec<&Fed> = news.iter().filter(|it| it.kind == kind && it.id == id).collect();
        (mine.len(), mine[0].cost.nano(), mine[0].ended_at)
    };
    let last = (JUNE + 3 * MINUTE + 1_500).cast_signed();
    assert_eq!(of(Some(Kind::Key), "key0"), (1, 2 * COST, last));
    assert_eq!(of(Some(Kind::Team), "team"), (1, 4 * COST, last));
    assert_eq!(of(None, "proxy"), (1, 4 * COST, last));
    assert!(other.fed_after(news.last().unwrap().number, 100).await.unwrap().is_empty());
    assert_eq!(other.prune_feed(i64::MAX).await.unwrap(), news.len() as u64);
}

#[tokio::test]
async fn damage_is_skipped_and_said() {
    on_both(async |stage| {
        record(&stage.ledger(), (0..10).map(charge));
        let segment = fs::read_dir(stage.ledger_directory())
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .find(|path| path.extension().is_some_and(|extension| extension == "charges"))
            .unwrap();
        let mut bytes = fs::read(&segment).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::write(&segment, bytes).unwrap();
        let mut projector = stage.projector().await;
        apply_all(&mut projector).await;
        let progress = projector.progress().get();
        assert_eq!((progress.applied, progress.damaged, progress.refused), (9, 1, 0));
        assert_eq!(stage.number("SELECT COUNT(*) AS n FROM spend_logs").await, 9);
    })
    .await;
}

#[tokio::test]
async fn a_charge_that_cannot_be_held_does_not_hold_up_the_others() {
    on_both(async |stage| {
        let absurd = |call| Charge { cost: Some(Cost::from_nano(i64::MAX)), ..charge(call) };
        let charges = (0..40).map(|call| if call == 7 || call == 8 { absurd(call) } else { charge(call) });
        record(&stage.ledger(), charges);
        let mut projector = stage.projector().await;
        apply_all(&mut projector).await;
        let progress = projector.progress().get();
        // The first fits into the sums, which then have no room for more.
        assert_eq!(progress.applied + progress.refused, 40);
        assert!(progress.refused > 0, "{progress:?}");
        assert_eq!(progress.trouble, None);
    })
    .await;
}

#[tokio::test]
async fn names_are_kept_as_far_as_a_database_can() {
    on_both(async |stage| {
        let odd = |call, user: &str| Charge {
            user: user.to_owned().into(),
            ending: Ending::Failed,
            cost: None,
            tags: vec!["a\0b".to_owned()].into(),
            ..charge(call)
        };
        stage.apply([odd(0, "a\0"), odd(1, "a\u{fffd}")]).await;
        assert_eq!(stage.number("SELECT COUNT(*) AS n FROM daily_spend WHERE kind = 'tag'").await, 2);
        assert_eq!(stage.number("SELECT COUNT(*) AS n FROM spend_logs WHERE failed = 1").await, 2);
    })
    .await;
}

#[tokio::test]
async fn charges_wait_while_the_database_is_frozen_and_go_on_by_themselves() {
    let stage = Stage::postgres().await;
    let ledger = Arc::new(stage.ledger());
    let projector = stage.projector().await;
    let progress = projector.progress();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let running = {
        let ledger = Arc::clone(&ledger);
        tokio::spawn(async move { projector.run(&ledger, async { drop(stopped.await) }).await })
    };
    record(&ledger, (0..10).map(charge));
    until(|| progress.get().applied == 10).await;
    testkit::postgres::freeze(true).unwrap();
    record(&ledger, (10..20).map(charge));
    until(|| progress.get().trouble.is_some()).await;
    assert_eq!(progress.get().applied, 10);
    testkit::postgres::freeze(false).unwrap();
    until(|| progress.get().applied == 20 && progress.get().trouble.is_none()).await;
    record(&ledger, (20..25).map(charge));
    stop.send(()).unwrap();
    running.await.unwrap();
    assert_eq!(stage.number("SELECT COUNT(*) AS n FROM spend_logs").await, 25);
}

async fn until(condition: impl Fn() -> bool) {
    for _ in 0..600 {
        if condition() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("waited a minute");
}

#[tokio::test]
async fn a_restored_database_gets_what_the_ledger_still_has() {
    let stage = Stage::sqlite().await;
    let ledger = Ledger::open(&stage.ledger_directory(), Options::default()).unwrap();
    record(&ledger, (0..5).map(charge));
    apply_all(&mut stage.projector().await).await;
    let empty = Stage::sqlite().await;
    let mut projector = tollgate_store::projector::Projector::open(
        empty.db.clone(),
        stage.ledger_directory(),
        Arc::new(Daily),
    )
    .await
    .unwrap();
    apply_all(&mut projector).await;
    assert_eq!(empty.number("SELECT COUNT(*) AS n FROM spend_logs").await, 5);
}
