//! A million rows: what a page, a search and a dashboard cost then.

use std::time::Instant;

use tollgate_store::db::Db;
use tollgate_store::ledger::Charge;
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
        let hour = LogFilter { from_ms: at(500_000), to_ms: at(500_059), ..none };
        let failed = LogFilter { failed: Some(true), ..none };
        for number in [1, 100, 10_000, 20_000] {
            took(&format!("page {number} of 50"), page(db, &none, number)).await;
        }
        took("page 1 of one key", page(db, &key, 1)).await;
        took("page 100 of one key", page(db, &key, 100)).await;
        took("page 1 of one hour", page(db, &hour, 1)).await;
        took("page 1 of failures", page(db, &failed, 1)).await;
        let begun = Instant::now();
        let gone = db.forget_logs((JUNE + 50_000 * MINUTE).cast_signed()).await.unwrap();
        println!("| retention of {gone} rows | {} ms |", begun.elapsed().as_millis());
    })
    .await;
}

fn at(minute: u64) -> Option<i64> {
    Some((JUNE + minute * MINUTE).cast_signed())
}

/// The first by the projector, as they would come; the rest at once, so that the test is about a table that is full.
const PROJECTED: u64 = 20_000;
const CHUNK: u64 = 20_000;

async fn fill(stage: &Stage) {
    println!("| {:?} | |", stage.db.engine());
    let begun = Instant::now();
    record(
        &stage.ledger(),
        (0..PROJECTED).map(|call| Charge {
            caller: format!("key{}", call % 100).into(),
            user: format!("user{}", call % 40).into(),
            ..charge(call)
        }),
    );
    apply_all(&mut stage.projector().await).await;
    println!("| charges applied a second | {:.0} |", PROJECTED as f64 / begun.elapsed().as_secs_f64());
    for start in (PROJECTED..ROWS).step_by(usize::try_from(CHUNK).unwrap()) {
        let mut tx = stage.db.begin_apart().await.unwrap();
        let params =
            [start.cast_signed().into(), (start + CHUNK - 1).cast_signed().into(), JUNE.cast_signed().into()];
        tx.execute(FILL, &params).await.unwrap();
        tx.commit().await.unwrap();
    }
    if stage.db.engine() == tollgate_store::db::Engine::Postgres {
        stage.db.rows("VACUUM ANALYZE spend_logs", &[]).await.unwrap();
    }
}

const FILL: &str = "
    WITH RECURSIVE numbers (i) AS (
        SELECT CAST($1 AS BIGINT) UNION ALL SELECT i + 1 FROM numbers WHERE i < CAST($2 AS BIGINT)
    )
    INSERT INTO spend_logs (request_id, started_at, ended_at, call_type, api_key, user_id, team_id, model, model_group,
        model_id, provider, spend, pricing, input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, failed,
        ending, status_code, stream, retries)
    SELECT 'call-' || CAST(i AS TEXT), CAST($3 AS BIGINT) + i * 60000, CAST($3 AS BIGINT) + i * 60000 + 1500, 'acompletion',
        'key' || CAST(i % 100 AS TEXT), 'user' || CAST(i % 40 AS TEXT), 'team', 'upstream', 'gpt', 'd1', 'openai',
        1000000007, 'priced', 100, 10, 5, 0, CASE WHEN i % 1000 = 0 THEN 1 ELSE 0 END, 'complete', 200, 0, 0
    FROM numbers";

async fn page(db: &Db, filter: &LogFilter<'_>, number: u64) -> usize {
    let page = LogPage { number, size: 50, order: LogOrder::Start, descending: true, behind: None };
    db.spend_logs(filter, &page).await.unwrap().0.len()
}

async fn took(what: &str, work: impl Future<Output = usize>) {
    let begun = Instant::now();
    let rows = work.await;
    println!("| {what} ({rows} rows) | {:.1} ms |", begun.elapsed().as_secs_f64() * 1e3);
}
