//! What goes wrong with a database, by what a caller can do about it.

/// Why a statement or a connection failed.
#[derive(Debug, thiserror::Error)]
pub enum DbError {
    /// Down, frozen, full or unreachable: it may work again later.
    #[error("the database is not available: {0}")]
    Unavailable(String),
    /// There is such a row already.
    #[error("there is one already: {0}")]
    Duplicate(String),
    /// The database was written by a newer program.
    #[error(
        "the database has schema version {found}, this program knows versions up to {known}: start the newer program"
    )]
    Newer {
        /// The version found.
        found: i64,
        /// The last one this program knows.
        known: i64,
    },
    /// A migration did not work, or was changed after it was applied.
    #[error("the database's schema cannot be brought up to date: {0}")]
    Migration(String),
    /// The address is none that a database could have.
    #[error("the database address is not usable: {0}")]
    Address(String),
    /// A row that does not hold what it must.
    #[error("the database holds something unreadable: {0}")]
    Corrupt(String),
    /// A value that the schema has no room for, such as a sum that is too large.
    #[error("the database cannot keep a value: {0}")]
    Unfit(String),
    /// The statement is wrong: a mistake of ours.
    #[error("the database refused a statement: {0}")]
    Statement(String),
}

impl DbError {
    /// Whether the same may work later without anybody changing anything.
    #[must_use]
    pub const fn may_pass(&self) -> bool {
        matches!(self, Self::Unavailable(_))
    }
}

impl From<sqlx::Error> for DbError {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::Database(told) if told.is_unique_violation() => {
                Self::Duplicate(told.constraint().unwrap_or(told.message()).to_owned())
            }
            sqlx::Error::Database(told) if is_passing(told.code().as_deref()) => {
                Self::Unavailable(told.message().to_owned())
            }
            sqlx::Error::Database(told) if is_unfit(told.code().as_deref()) => {
                Self::Unfit(told.message().to_owned())
            }
            sqlx::Error::Database(_) | sqlx::Error::InvalidArgument(_) | sqlx::Error::Encode(_) => {
                Self::Statement(error.to_string())
            }
            sqlx::Error::ColumnDecode { .. }
            | sqlx::Error::Decode(_)
            | sqlx::Error::ColumnNotFound(_)
            | sqlx::Error::ColumnIndexOutOfBounds { .. }
            | sqlx::Error::TypeNotFound { .. } => Self::Corrupt(error.to_string()),
            _ => Self::Unavailable(error.to_string()),
        }
    }
}

/// PostgreSQL's classes 08 (connection), 53 (resources), 57 (operator intervention), 40 (rolled back), 25006 (read
/// only: a replica that is not the primary any more) and 55P03 (lock timeout); SQLite's primary codes BUSY, LOCKED,
/// IOERR, FULL, CANTOPEN and READONLY.
fn is_passing(code: Option<&str>) -> bool {
    let Some(code) = code else { return false };
    if code.len() == 5 {
        return ["08", "53", "57", "40"].iter().any(|class| code.starts_with(class))
            || matches!(code, "25006" | "55P03");
    }
    code.parse::<u32>().is_ok_and(|code| matches!(code & 0xff, 5 | 6 | 8 | 10 | 13 | 14))
}

/// PostgreSQL's classes 22 (data) and 23 (constraints); SQLite's primary codes TOOBIG, CONSTRAINT and MISMATCH.
fn is_unfit(code: Option<&str>) -> bool {
    let Some(code) = code else { return false };
    if code.len() == 5 {
        return code.starts_with("22") || code.starts_with("23");
    }
    code.parse::<u32>().is_ok_and(|code| matches!(code & 0xff, 18..=20))
}
