//! From an address to an open database whose schema is up to date.

use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};

use super::error::DbError;
use super::{Db, Pools, migrate};

/// Which database it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// A file.
    Sqlite,
    /// A server.
    Postgres,
}

/// How long SQLite waits for a lock of another process, such as a backup.
const BUSY: Duration = Duration::from_secs(5);
const READERS: u32 = 4;
const CONNECT: Duration = Duration::from_secs(5);

impl Db {
    /// Opens the file, making it if there is none, and brings it up to date.
    ///
    /// # Errors
    /// A file that cannot be used, or one of a newer program.
    pub async fn sqlite(file: &Path) -> Result<Self, DbError> {
        let options = SqliteConnectOptions::new()
            .filename(file)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Normal)
            .foreign_keys(true)
            .busy_timeout(BUSY);
        let write = SqlitePoolOptions::new().max_connections(1).connect_with(options.clone()).await?;
        migrate::up_to_date(Engine::Sqlite, &write).await?;
        let read = SqlitePoolOptions::new().max_connections(READERS).connect_with(options).await?;
        Ok(Self { pools: Pools::Lite { read, write } })
    }

    /// Connects to a server by its address, `postgresql://…`, and brings its schema up to date. `connections` is the
    /// most that are open at once.
    ///
    /// # Errors
    /// An address that is none, a server that does not answer, a schema of a newer program.
    pub async fn postgres_at(address: &str, connections: u32) -> Result<Self, DbError> {
        let options = PgConnectOptions::from_str(address)
            .map_err(|error| DbError::Address(error.to_string()))?
            .application_name("tollgate");
        let pool = PgPoolOptions::new()
            .max_connections(connections)
            .acquire_timeout(CONNECT)
            .connect_with(options)
            .await?;
        migrate::up_to_date(Engine::Postgres, &pool).await?;
        Ok(Self { pools: Pools::Pg(pool) })
    }
}
