//! Many rows in one statement: lists of values of few different lengths, so that prepared statements are found again.

use super::error::DbError;
use super::row::Param;
use super::tx::Tx;

/// The longest list. A statement may have 32,766 parameters.
const MOST_ROWS: usize = 64;

/// A column of a list of values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Column {
    /// A number.
    Int,
    /// A text.
    Text,
}

/// `($1, $2), ($3, $4)`, each cast to the type of its column: PostgreSQL takes a bare parameter for a text.
pub(crate) fn values(columns: &[Column], rows: usize) -> String {
    let mut number = 0;
    let row = |_| {
        let casts = columns.iter().map(|column| {
            number += 1;
            match column {
                Column::Int => format!("CAST(${number} AS BIGINT)"),
                Column::Text => format!("CAST(${number} AS TEXT)"),
            }
        });
        format!("({})", casts.collect::<Vec<_>>().join(", "))
    };
    (0..rows).map(row).collect::<Vec<_>>().join(", ")
}

/// The lengths of lists that are sent, longest first.
pub(crate) fn lengths() -> impl Iterator<Item = usize> {
    std::iter::successors(Some(MOST_ROWS), |length| (*length > 1).then_some(length / 2))
}

impl Tx {
    /// Runs what `sql` makes of a list of values, for all `rows`.
    pub(crate) async fn execute_many<const N: usize>(
        &mut self,
        columns: &[Column; N],
        sql: impl Fn(&str) -> String,
        rows: &[[Param<'_>; N]],
    ) -> Result<u64, DbError> {
        let mut left = rows;
        let mut touched = 0;
        for length in lengths() {
            while let Some((now, later)) = left.split_at_checked(length) {
                touched += self.execute(&sql(&values(columns, length)), now.as_flattened()).await?;
                left = later;
                if left.is_empty() {
                    return Ok(touched);
                }
            }
        }
        Ok(touched)
    }
}
