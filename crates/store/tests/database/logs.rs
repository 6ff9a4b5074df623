//! What was spent, as it is asked for.

use std::time::Duration;

use policy::money::Cost;
use serde_json::json;
use tollgate_store::ledger::{Charge, Ending, Pricing};
use tollgate_store::spend::daily::{By, DailyFilter, Of, SumOrder};
use tollgate_store::spend::log::SpendLog;
use tollgate_store::spend::redact::Redaction;
use tollgate_store::spend::search::{Edge, LogFilter, LogOrder, LogPage};
use tollgate_store::spend::transcript::Transcripts;

use crate::stage::{DAY, JUNE, MINUTE, Stage, charge, on_both};

const PAGE: LogPage = LogPage { number: 1, size: 10, order: LogOrder::Start, descending: true, behind: None };

fn names(logs: &[SpendLog]) -> Vec<u64> {
    logs.iter().map(|log| log.request_id["call-".len()..].parse().unwrap()).collect()
}

#[tokio::test]
async fn a_row_says_everything_that_the_charge_did() {
    on_both(async |stage| {
        let whole = Charge {
            organization: "org".into(),
            project: "project".into(),
            end_user: "customer".into(),
            tags: vec!["a \"b\"".to_owned(), "c%".to_owned()].into(),
            api_base: "https://api.example/v1".into(),
            session: "s1".into(),
            requester_ip: "10.1.2.3".into(),
            response_id: "chatcmpl-1".into(),
            error_class: "RateLimitError".into(),
            error_message: "slow down".into(),
            status: 429,
            first_token_ms: Some(300),
            stream: true,
            cache_hit: Some(false),
            ending: Ending::Failed,
            pricing: Pricing::Free,
            retries: 2,
            ..charge(1)
        };
        let unpriced = Charge { cost: None, pricing: Pricing::Unpriced, usage: None, ..charge(2) };
        stage.apply([whole.clone(), unpriced.clone()]).await;
        let (logs, total) = stage.db.spend_logs(&LogFilter::default(), &PAGE).await.unwrap();
        assert_eq!(total, 2);
        assert_eq!(logs, [SpendLog::of(&unpriced), SpendLog::of(&whole)]);
        assert_eq!((logs[0].pricing.as_str(), logs[0].spend), ("unpriced", Cost::ZERO));
        let log = &logs[1];
        assert_eq!((log.ended_at - log.started_at, log.first_token_at), (1_500, Some(log.started_at + 300)));
    })
    .await;
}

#[tokio::test]
async fn every_filter_finds_its_rows_and_no_others() {
    on_both(async |stage| {
        let odd = Charge {
            end_user: "customer".into(),
            tags: vec!["a \"b\"".to_owned(), "c%".to_owned()].into(),
            session: "s1".into(),
            response_id: "chatcmpl-1".into(),
            error_class: "RateLimitError".into(),
            error_message: "Slow DOWN".into(),
            organization: "org".into(),
            status: 429,
            cache_hit: Some(true),
            ending: Ending::Failed,
            deployment: "d2".into(),
            cost: Some(Cost::from_nano(5)),
            ..charge(7)
        };
        stage.apply((0..12).map(charge).filter(|it| it.call != odd.call).chain([odd.clone()])).await;
        let found = async |filter: LogFilter<'_>| {
            let (logs, total) = stage.db.spend_logs(&filter, &LogPage { size: 100, ..PAGE }).await.unwrap();
            assert_eq!(logs.len() as u64, total);
            names(&logs)
        };
        let all = LogFilter::default;
        let text = Some;
        for filter in [
            LogFilter { request_id: text("call-0000007"), ..all() },
            LogFilter { request_id: text("chatcmpl-1"), ..all() },
            LogFilter { organization_id: text("org"), ..all() },
            LogFilter { end_user: text("customer"), ..all() },
            LogFilter { session_id: text("s1"), ..all() },
            LogFilter { model_id: text("d2"), ..all() },
            LogFilter { tag: text("a \"b\""), ..all() },
            LogFilter { tag: text("c%"), ..all() },
            LogFilter { failed: Some(true), ..all() },
            LogFilter { cache_hit: Some(true), ..all() },
            LogFilter { max_spend: Some(Cost::from_nano(5)), ..all() },
            LogFilter { error_code: text("429"), ..all() },
            LogFilter { error_code: text("RateLimitError"), ..all() },
            LogFilter { error_message: text("slow down"), ..all() },
            LogFilter { search: text("CUSTOM"), ..all() },
        ] {
            assert_eq!(found(filter).await, [7], "{filter:?}");
        }
        assert_eq!(found(LogFilter { api_key: text("key1"), ..all() }).await, [10, 7, 4, 1]);
        assert_eq!(
            found(LogFilter { key_alias: text("alias1"), user_id: text("user0"), ..all() }).await,
            [10, 4]
        );
        assert_eq!(found(LogFilter { model: text("claude"), ..all() }).await, [8, 4, 0]);
        assert_eq!(found(LogFilter { model_group: text("claude"), ..all() }).await, [8, 4, 0]);
        assert_eq!(found(LogFilter { model: text("upstream"), ..all() }).await.len(), 12);
        assert_eq!(found(LogFilter { failed: Some(false), team_id: text("team"), ..all() }).await.len(), 11);
        assert_eq!(found(LogFilter { cache_hit: Some(false), ..all() }).await.len(), 11);
        assert_eq!(found(LogFilter { min_spend: Some(Cost::from_nano(6)), ..all() }).await.len(), 11);
        for nothing in [text("c"), text("a"), text("%")] {
            assert_eq!(found(LogFilter { tag: nothing, ..all() }).await, Vec::<u64>::new());
        }
        let minute = |call: u64| Some((JUNE + call * MINUTE).cast_signed());
        let between = LogFilter { from_ms: minute(3), to_ms: minute(5), ..all() };
        assert_eq!(found(between).await, [5, 4, 3]);
    })
    .await;
}

#[tokio::test]
async fn pages_join_without_gaps_in_both_directions() {
    on_both(async |stage| {
        // Several calls began at once.
        stage
            .apply((0..57).map(|call| Charge { ended_unix_ms: JUNE + call / 4 * MINUTE, ..charge(call) }))
            .await;
        for descending in [true, false] {
            for filter in [LogFilter::default(), LogFilter { team_id: Some("team"), ..LogFilter::default() }]
            {
                let mut seen = Vec::new();
                for number in 1..=7 {
                    let page = LogPage { number, descending, ..PAGE };
                    let (logs, total) = stage.db.spend_logs(&filter, &page).await.unwrap();
                    assert_eq!(total, 57);
                    seen.extend(names(&logs));
                }
                let mut expected: Vec<u64> = (0..57).collect();
                if descending {
                    expected.reverse();
                }
                assert_eq!(seen, expected);
            }
        }
        let first = stage.db.spend_logs_behind(&LogFilter::default(), &PAGE).await.unwrap();
        let last = &first[9];
        let behind = Some(Edge { started_at: last.started_at, request_id: last.request_id.clone() });
        let next =
            stage.db.spend_logs_behind(&LogFilter::default(), &LogPage { behind, ..PAGE }).await.unwrap();
        assert_eq!(names(&next), (37..47).rev().collect::<Vec<_>>());
    })
    .await;
}

#[tokio::test]
async fn rows_are_sorted_by_what_they_cost_and_took() {
    on_both(async |stage| {
        let costs = [5, 1, 9, 3];
        let charges = costs.iter().enumerate().map(|(at, cost)| Charge {
            cost: Some(Cost::from_nano(*cost)),
            duration_ms: cost.unsigned_abs() * 10,
            ..charge(at as u64)
        });
        stage.apply(charges).await;
        for order in [LogOrder::Spend, LogOrder::Duration] {
            let page = LogPage { number: 2, size: 2, order, ..PAGE };
            let (logs, _) = stage.db.spend_logs(&LogFilter::default(), &page).await.unwrap();
            assert_eq!(names(&logs), [3, 1], "{order:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn sums_are_those_of_the_rows() {
    on_both(async |stage| {
        let cost = 1_000_000_007_i64;
        let failed = Charge { ending: Ending::Failed, cost: Some(Cost::ZERO), usage: None, ..charge(3_000) };
        let cached = Charge { cache_hit: Some(true), cost: None, pricing: Pricing::Cached, ..charge(3_001) };
        let unpriced = Charge { cost: None, pricing: Pricing::Unpriced, ..charge(3_002) };
        stage.apply((0..3_000).map(charge).chain([failed, cached, unpriced])).await;
        let whole = stage.db.whole_sum(&DailyFilter::default()).await.unwrap();
        assert_eq!(whole.spend.nano(), 3_000 * cost);
        assert_eq!((whole.requests, whole.successful, whole.failed), (3_003, 3_002, 1));
        assert_eq!((whole.cache_hits, whole.unpriced), (1, 1));
        assert_eq!((whole.input_tokens, whole.cache_read_tokens), (3_002 * 100, 3_002 * 5));
        assert_eq!(whole.duration_ms, 3_003 * 1_500);

        let days = stage.db.sums(&DailyFilter::default(), &[By::Day], SumOrder::Key, 0, 10).await.unwrap();
        let days: Vec<_> = days.iter().map(|sum| (sum.day.as_str(), sum.counts.requests)).collect();
        assert_eq!(days, [("2026-06-03", 123), ("2026-06-02", 1_440), ("2026-06-01", 1_440)]);

        let user1 = ["user1".to_owned()];
        let filter = DailyFilter {
            of: Of::User,
            only: Some(&user1),
            from: Some("2026-06-02"),
            to: Some("2026-06-02"),
            model: Some("gpt"),
            ..DailyFilter::default()
        };
        let by_key = stage.db.sums(&filter, &[By::Entity, By::ApiKey], SumOrder::Spend, 0, 2).await.unwrap();
        assert_eq!(stage.db.count_sums(&filter, &[By::ApiKey]).await.unwrap(), 3);
        assert_eq!(by_key.len(), 2);
        assert!(by_key.iter().all(|sum| sum.entity == "user1" && sum.counts.spend.nano() == 240 * cost));
        let rest = DailyFilter { of: Of::User, except: &user1, ..DailyFilter::default() };
        assert_eq!(stage.db.whole_sum(&rest).await.unwrap().requests, 1_502);
        let nobody = DailyFilter { of: Of::User, only: Some(&[]), ..DailyFilter::default() };
        assert_eq!(stage.db.whole_sum(&nobody).await.unwrap().requests, 0);

        let failures =
            stage.db.failures(JUNE.cast_signed(), (JUNE + 3 * DAY).cast_signed(), 10).await.unwrap();
        assert_eq!((failures.len(), failures[0].day.as_str(), failures[0].count), (1, "2026-06-03", 1));
    })
    .await;
}

#[tokio::test]
async fn old_rows_go_and_sums_stay() {
    on_both(async |stage| {
        stage.apply((0..2_500).map(charge)).await;
        let (transcripts, scribe) = Transcripts::new(Redaction::default());
        transcripts.offer("call-0000000", JUNE.cast_signed(), b"{}", b"{}");
        drop(transcripts);
        scribe.run(&stage.db).await;
        let border = (JUNE + 2_000 * MINUTE).cast_signed();
        assert_eq!(stage.db.forget_logs(border).await.unwrap(), 2_001);
        assert_eq!(stage.number("SELECT COUNT(*) AS n FROM spend_logs").await, 500);
        assert_eq!(stage.number("SELECT COUNT(*) AS n FROM transcripts").await, 0);
        assert_eq!(stage.db.whole_sum(&DailyFilter::default()).await.unwrap().requests, 2_500);
    })
    .await;
}

#[tokio::test]
async fn transcripts_are_kept_without_secrets() {
    on_both(async |stage| {
        let (transcripts, scribe) = Transcripts::new(Redaction { longest_text: 100 });
        let request =
            json!({"model": "m", "api_key": "hidden", "messages": [{"content": "a b ".repeat(100)}]});
        transcripts.offer("one", 1, request.to_string().as_bytes(), br#"{"choices": []}"#);
        let too_much = vec![b'x'; 9 << 20];
        transcripts.offer("two", 1, &too_much, b"");
        assert_eq!(transcripts.dropped(), 1);
        drop(transcripts);
        tokio::time::timeout(Duration::from_secs(30), scribe.run(&stage.db)).await.unwrap();
        let kept = stage.db.transcript("one").await.unwrap().unwrap();
        assert_eq!(kept.request["api_key"], "REDACTED");
        assert!(kept.messages[0]["content"].as_str().unwrap().contains("skipped 300 chars"));
        assert_eq!(kept.response, json!({"choices": []}));
        assert_eq!(stage.db.transcript("two").await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn transcripts_that_nobody_writes_are_dropped_and_counted() {
    let (transcripts, scribe) = Transcripts::new(Redaction::default());
    for call in 0..1_100 {
        transcripts.offer(&call.to_string(), 1, b"{}", b"{}");
    }
    assert_eq!(transcripts.dropped(), 100);
    let stage = Stage::sqlite().await;
    stage.db.close().await;
    let watched = transcripts.clone();
    drop(transcripts);
    // A database that is gone takes the rest, one batch after the other.
    let _ = tokio::time::timeout(Duration::from_secs(3), scribe.run(&stage.db)).await;
    assert!(watched.dropped() > 100, "{}", watched.dropped());
}
