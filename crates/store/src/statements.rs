//! Every statement about charges and logs is understood by both engines. Those about managed rows are run on both by
//! the suite `database`.

use crate::db::Db;

fn all() -> Vec<String> {
    [crate::projector::statements(), crate::spend::statements()].concat()
}

async fn assert_prepared(db: &Db) {
    for sql in all() {
        if let Err(error) = db.prepare(&sql).await {
            panic!("{:?}: {error}\n{sql}", db.engine());
        }
    }
}

#[tokio::test]
async fn sqlite_understands_every_statement() {
    let directory = tempfile::tempdir().unwrap();
    assert_prepared(&Db::sqlite(&directory.path().join("db")).await.unwrap()).await;
}

#[cfg(unix)]
#[tokio::test]
async fn postgres_understands_every_statement() {
    let address = testkit::postgres::database().unwrap();
    assert_prepared(&Db::postgres_at(&address, 2).await.unwrap()).await;
}
