//! Bringing a schema up to date.

use tempfile::TempDir;
use tollgate_store::db::{Db, DbError};

use crate::stage::on_both;

#[tokio::test]
async fn processes_that_start_at_once_agree() {
    let address = testkit::postgres::database().unwrap();
    let open = || Db::postgres_at(&address, 2);
    let (one, other, third) = tokio::join!(open(), open(), open());
    for db in [one.unwrap(), other.unwrap(), third.unwrap()] {
        assert!(db.row("SELECT COUNT(*) AS n FROM spend_logs", &[]).await.unwrap().is_some());
    }
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("db");
    let first = Db::sqlite(&file).await.unwrap();
    let (one, other) = tokio::join!(Db::sqlite(&file), Db::sqlite(&file));
    assert!(one.is_ok() && other.is_ok());
    first.close().await;
}

#[tokio::test]
async fn a_database_of_a_newer_program_is_refused() {
    on_both(async |stage| {
        let mut tx = stage.db.begin().await.unwrap();
        let steps = tx.rows("SELECT MAX(version) AS n FROM _sqlx_migrations", &[]).await.unwrap();
        let known = steps[0].int("n").unwrap();
        tx.execute(
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
             SELECT version + 1, description, success, checksum, execution_time FROM _sqlx_migrations \
             WHERE version = $1",
            &[known.into()],
        )
        .await
        .unwrap();
        tx.commit().await.unwrap();
        match stage.try_again().await {
            Err(DbError::Newer { found, known: told }) => assert_eq!((found, told), (known + 1, known)),
            other => panic!("{other:?}"),
        }
    })
    .await;
}
