//! A million rows: what a page, a search and a dashboard cost then.

use std::time::Instant;

use tollgate_store::db::Db;
use tollgate_store::ledger::Charge;
use tollgate_store::spend::daily::{By, DailyFilter, SumOrder};
use tollgate_store::spend::search::{LogFilter, LogOrder, LogPage};

use crate::stage::{JUNE, MINUTE, Stage, apply_all, charge, on_both, record};

const ROWS: u64 = 1_000_000;

#[tokio::test]
#[ignore = "takes minutes; run it with --release --run-ignored all --no-capture"]
async fn a_million_rows() {
    on_both(async |stage| {
        fill(&stage).await;
        let db = &stage.db;
        let none = LogFilter::default();
        let key = LogFilter { api_key: Some("key7"), ..none };
        let hour = LogFilter { from_ms: at(500_000), to_ms: at(500_060), ..none };
        let failed = LogFilter { failed: Some(true), ..none };
        for number in [1, 100, 10_000, 20_000] {
            took(&format!("page {number} of 50"), page(db, &none, number)).await;
        }
        took("page 1 of one key", page(db, &key, 1)).await;
        took("page 100 of one key", page(db, &key, 100)).await;
        took("page 1 of one hour", page(db, &hour, 1)).await;
        took("page 1 of failures", page(db, &failed, 1)).await;
        let by_model = [By::Day, By::ModelGroup];
        let all = DailyFilter::default();
        took("spend by day and model", async {
            db.sums(&all, &by_model, SumOrder::Key, 0, 100_000).await.unwrap().len()
        })
        .await;
        let begun = Instant::now();
        let gone = db.forget_logs((JUNE + 100_000 * MINUTE).cast_signed()).await.unwrap();
        println!("| retention of {gone} rows | {} ms |", begun.elapsed().as_millis());
    })
    .await;
}

fn at(minute: u64) -> Option<i64> {
    Some((JUNE + minute * MINUTE).cast_signed())
}

async fn fill(stage: &Stage) {
    println!("| {:?} | |", stage.db.engine());
    let ledger = stage.ledger();
    let mut projector = stage.projector().await;
    let begun = Instant::now();
    for start in (0..ROWS).step_by(50_000) {
        record(
            &ledger,
            (start..start + 50_000).map(|call| Charge {
                caller: format!("key{}", call % 100).into(),
                user: format!("user{}", call % 40).into(),
                ..charge(call)
            }),
        );
        apply_all(&mut projector).await;
    }
    let rate = ROWS as f64 / begun.elapsed().as_secs_f64();
    println!("| charges applied a second | {rate:.0} |");
    if stage.db.engine() == tollgate_store::db::Engine::Postgres {
        stage.db.row("ANALYZE", &[]).await.unwrap();
    }
}

async fn page(db: &Db, filter: &LogFilter<'_>, number: u64) -> usize {
    let page = LogPage { number, size: 50, order: LogOrder::Start, descending: true, behind: None };
    db.spend_logs(filter, &page).await.unwrap().0.len()
}

async fn took(what: &str, work: impl Future<Output = usize>) {
    let begun = Instant::now();
    let rows = work.await;
    println!("| {what} ({rows} rows) | {:.1} ms |", begun.elapsed().as_secs_f64() * 1e3);
}
