//! What was spent in the running period of budgets that are no row of their own, as it was when the process ended.

use policy::money::Cost;

use crate::db::{Db, DbError};

const ALL: &str = "SELECT account, period, spent, resets_at FROM budget_windows ORDER BY account, period";

/// One budget.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    /// Whose.
    pub account: String,
    /// Which of its budgets.
    pub period: String,
    /// Spent in the running period.
    pub spent: Cost,
    /// When that ends, in milliseconds of Unix time; `None` when never.
    pub resets_at: Option<i64>,
}

impl Db {
    /// All of them.
    ///
    /// # Errors
    /// The database's.
    pub async fn budget_windows(&self) -> Result<Vec<Window>, DbError> {
        let rows = self.rows(ALL, &[]).await?;
        rows.iter()
            .map(|row| {
                Ok(Window {
                    account: row.text("account")?,
                    period: row.text("period")?,
                    spent: row.cost("spent")?,
                    resets_at: Some(row.int("resets_at")?).filter(|at| *at != crate::projector::NEVER),
                })
            })
            .collect()
    }
}

/// Every statement of this file.
#[cfg(test)]
pub(super) fn statements() -> Vec<String> {
    vec![ALL.to_owned()]
}
