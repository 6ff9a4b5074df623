//! Rows that operators manage.

use policy::money::Cost;
use serde_json::json;
use tollgate_store::entity::{Filter, KeyFields, Kind, Order, Page, Record, TagFields, TeamFields};

use crate::stage::{Stage, on_both};

fn key(number: i64, team: &str) -> Record<KeyFields> {
    let fields = KeyFields {
        key_alias: Some(format!("Alias {number:02}%")),
        team_id: Some(team.to_owned()),
        user_id: Some(format!("u{}", number % 2)),
        blocked: number % 5 == 0,
        expires: (number % 3 == 0).then_some(number * 1_000),
        ..KeyFields::default()
    };
    Record::new(format!("k{number:02}"), fields, number, Some("admin"))
}

async fn with_keys(stage: &Stage) {
    let mut tx = stage.db.begin().await.unwrap();
    for number in 0..20 {
        tx.insert(&key(number, if number < 15 { "a" } else { "b" })).await.unwrap();
    }
    tx.commit().await.unwrap();
}

fn ids<T>(rows: &[Record<T>]) -> Vec<&str> {
    rows.iter().map(|row| row.id.as_str()).collect()
}

#[tokio::test]
async fn rows_are_made_read_changed_and_deleted() {
    on_both(async |stage| {
        let db = &stage.db;
        let mut fields = TeamFields { team_alias: Some("Blue\0".to_owned()), ..TeamFields::default() };
        fields.metadata.insert("free".to_owned(), json!({"deep": [1, "é", null]}));
        let mut team = Record::new("t1", fields, 7, Some("admin"));
        let mut tx = db.begin().await.unwrap();
        tx.insert(&team).await.unwrap();
        assert_eq!(tx.get::<TeamFields>("t1").await.unwrap().unwrap().fields.metadata, team.fields.metadata);
        tx.commit().await.unwrap();
        assert_eq!(db.get::<TeamFields>("t1").await.unwrap().unwrap(), team);
        assert_eq!(db.get::<TeamFields>("nobody").await.unwrap(), None);

        let mut tx = db.begin().await.unwrap();
        assert!(tx.insert(&team).await.unwrap_err().to_string().contains("one already"));
        drop(tx);

        let mut tx = db.begin().await.unwrap();
        assert!(tx.set_spend(Kind::Team, "t1", Cost::from_nano(5), Some(99), 8).await.unwrap());
        team.fields.blocked = true;
        team.budget_reset_at = Some(99);
        assert!(tx.update(&team).await.unwrap());
        tx.commit().await.unwrap();
        let read = db.get::<TeamFields>("t1").await.unwrap().unwrap();
        assert_eq!(
            (read.spend, read.fields.blocked, read.budget_reset_at),
            (Cost::from_nano(5), true, Some(99))
        );

        let mut tx = db.begin().await.unwrap();
        assert!(tx.rename(Kind::Team, "t1", "t2", 9).await.unwrap());
        assert!(!tx.rename(Kind::Team, "t1", "t3", 9).await.unwrap());
        tx.commit().await.unwrap();
        let mut tx = db.begin().await.unwrap();
        let gone = tx.delete::<TeamFields>("t2", 10, Some("root")).await.unwrap().unwrap();
        assert_eq!(gone.spend, Cost::from_nano(5));
        assert!(tx.delete::<TeamFields>("t2", 10, None).await.unwrap().is_none());
        tx.commit().await.unwrap();
        let (archive, total) = db.deleted::<TeamFields>(1, 10).await.unwrap();
        assert_eq!((total, archive[0].deleted_at, archive[0].deleted_by.as_deref()), (1, 10, Some("root")));
        assert_eq!((archive[0].record.spend, archive[0].record.fields.blocked), (Cost::from_nano(5), true));
    })
    .await;
}

#[tokio::test]
async fn rows_are_found_page_by_page() {
    on_both(async |stage| {
        with_keys(&stage).await;
        let db = &stage.db;
        let of_a = Filter { team_id: Some("a"), ..Filter::default() };
        let page = Page { number: 2, size: 4, order: Order::Alias, descending: true };
        let (rows, total) = db.page::<KeyFields>(&of_a, page).await.unwrap();
        assert_eq!((ids(&rows), total), (vec!["k10", "k09", "k08", "k07"], 15));

        let find = async |filter: Filter<'_>| {
            let rows = db.find::<KeyFields>(&filter).await.unwrap();
            ids(&rows).join(" ")
        };
        assert_eq!(find(Filter { search: Some("S 07%"), ..Filter::default() }).await, "k07");
        assert_eq!(find(Filter { search: Some("_"), ..Filter::default() }).await, "");
        assert_eq!(find(Filter { blocked: Some(true), ..Filter::default() }).await, "k00 k05 k10 k15");
        assert_eq!(find(Filter { expired: Some((3_000, true)), ..Filter::default() }).await, "k00 k03");
        assert_eq!(
            find(Filter { expired: Some((9_000, false)), team_id: Some("b"), ..Filter::default() }).await,
            "k15 k16 k17 k18 k19"
        );
        let teams = ["b".to_owned(), "c".to_owned()];
        let of_teams = Filter { any_team: Some(&teams), user_id: Some("u0"), ..Filter::default() };
        assert_eq!(find(of_teams).await, "k16 k18");
        assert_eq!(find(Filter { any_team: Some(&[]), ..Filter::default() }).await, "");
        assert_eq!(
            find(Filter { alias: Some("Alias 03%"), id: Some("k03"), ..Filter::default() }).await,
            "k03"
        );
        let rows = db.after::<KeyFields>("k17", 5).await.unwrap();
        assert_eq!(ids(&rows), ["k18", "k19"]);
    })
    .await;
}

#[tokio::test]
async fn replicas_see_changes_in_the_order_of_commits() {
    on_both(async |stage| {
        let other = stage.again().await;
        let before = other.last_change().await.unwrap();
        with_keys(&stage).await;
        let mut tx = stage.db.begin().await.unwrap();
        tx.insert(&Record::new("undone", TagFields::default(), 1, None)).await.unwrap();
        drop(tx);
        let mut tx = stage.db.begin().await.unwrap();
        tx.delete::<KeyFields>("k01", 5, None).await.unwrap();
        tx.reset_spend(Kind::Key, 6, "root", None).await.unwrap();
        tx.commit().await.unwrap();
        let changes = other.changes_after(before, 100).await.unwrap();
        let seen: Vec<_> = changes.iter().map(|change| (change.kind, change.id.as_str())).collect();
        assert_eq!(seen.len(), 21, "{seen:?}");
        assert_eq!((seen[0], seen[20]), ((Kind::Key, "k00"), (Kind::Key, "k01")));
        assert_eq!(other.changes_after(changes[9].number, 3).await.unwrap().len(), 3);
    })
    .await;
}
