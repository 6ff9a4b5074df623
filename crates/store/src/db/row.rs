//! Values that go into a statement and rows that come out, the same for both engines.

use policy::money::Cost;
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::query::Query;
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{Postgres, Row as _, Sqlite};

use super::error::DbError;

/// A value for `$1`, `$2`, ….
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Param<'a> {
    /// A number, or nothing.
    Int(Option<i64>),
    /// A text, or nothing.
    Text(Option<&'a str>),
}

impl From<i64> for Param<'_> {
    fn from(value: i64) -> Self {
        Self::Int(Some(value))
    }
}

impl From<Option<i64>> for Param<'_> {
    fn from(value: Option<i64>) -> Self {
        Self::Int(value)
    }
}

impl From<bool> for Param<'_> {
    fn from(value: bool) -> Self {
        Self::Int(Some(i64::from(value)))
    }
}

impl From<Cost> for Param<'_> {
    fn from(value: Cost) -> Self {
        Self::Int(Some(value.nano()))
    }
}

impl<'a> From<&'a str> for Param<'a> {
    fn from(value: &'a str) -> Self {
        Self::Text(Some(value))
    }
}

impl<'a> From<&'a String> for Param<'a> {
    fn from(value: &'a String) -> Self {
        Self::Text(Some(value))
    }
}

impl<'a> From<Option<&'a str>> for Param<'a> {
    fn from(value: Option<&'a str>) -> Self {
        Self::Text(value)
    }
}

impl<'a> From<&'a Option<String>> for Param<'a> {
    fn from(value: &'a Option<String>) -> Self {
        Self::Text(value.as_deref())
    }
}

/// A row. Columns are read by name.
#[derive(Debug)]
pub enum Row {
    /// SQLite's.
    Lite(SqliteRow),
    /// PostgreSQL's.
    Pg(PgRow),
}

impl Row {
    /// A number.
    ///
    /// # Errors
    /// No such column, or something else in it.
    pub fn int(&self, column: &str) -> Result<i64, DbError> {
        Ok(match self {
            Self::Lite(row) => row.try_get(column)?,
            Self::Pg(row) => row.try_get(column)?,
        })
    }

    /// A number, if there is one.
    ///
    /// # Errors
    /// As [`Row::int`].
    pub fn maybe_int(&self, column: &str) -> Result<Option<i64>, DbError> {
        Ok(match self {
            Self::Lite(row) => row.try_get(column)?,
            Self::Pg(row) => row.try_get(column)?,
        })
    }

    /// A text.
    ///
    /// # Errors
    /// As [`Row::int`].
    pub fn text(&self, column: &str) -> Result<String, DbError> {
        Ok(match self {
            Self::Lite(row) => row.try_get(column)?,
            Self::Pg(row) => row.try_get(column)?,
        })
    }

    /// A text, if there is one.
    ///
    /// # Errors
    /// As [`Row::int`].
    pub fn maybe_text(&self, column: &str) -> Result<Option<String>, DbError> {
        Ok(match self {
            Self::Lite(row) => row.try_get(column)?,
            Self::Pg(row) => row.try_get(column)?,
        })
    }

    /// An amount of money, kept as nano-dollars.
    ///
    /// # Errors
    /// As [`Row::int`].
    pub fn cost(&self, column: &str) -> Result<Cost, DbError> {
        self.int(column).map(Cost::from_nano)
    }
}

/// PostgreSQL cannot keep a zero byte in a text; it is shown as the replacement character, on both engines alike.
fn storable(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

pub(super) fn bind_lite<'q>(
    mut query: Query<'q, Sqlite, SqliteArguments>,
    params: &[Param<'_>],
) -> Query<'q, Sqlite, SqliteArguments> {
    for param in params {
        query = match param {
            Param::Int(value) => query.bind(*value),
            Param::Text(value) => query.bind(value.map(storable)),
        };
    }
    query
}

pub(super) fn bind_pg<'q>(
    mut query: Query<'q, Postgres, PgArguments>,
    params: &[Param<'_>],
) -> Query<'q, Postgres, PgArguments> {
    for param in params {
        query = match param {
            Param::Int(value) => query.bind(*value),
            Param::Text(value) => query.bind(value.map(storable)),
        };
    }
    query
}
