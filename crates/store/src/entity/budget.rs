//! Limits that several share by name. Each still has its own spend.

use serde::{Deserialize, Serialize};

use super::limits::Limits;
use super::{Columns, Entity, Kind};

/// A budget.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct BudgetFields {
    /// Models that may be used under it; empty: all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub allowed_models: Vec<String>,
    /// Its limits.
    #[serde(flatten)]
    pub limits: Limits,
}

impl Entity for BudgetFields {
    const KIND: Kind = Kind::Budget;

    fn columns(&self) -> Columns<'_> {
        Columns::default()
    }
}
