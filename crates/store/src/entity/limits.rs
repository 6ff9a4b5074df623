//! The limits that keys, users, teams, budgets and others have in common, under LiteLLM's names.

use std::collections::BTreeMap;

use policy::money::Cost;
use serde::{Deserialize, Serialize};

/// Limits and budgets. Absent means none.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Limits {
    /// USD for a budget period.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_budget: Option<Cost>,
    /// USD after which somebody is told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub soft_budget: Option<Cost>,
    /// How long a budget period is: `30d`, `1mo`, …. Absent: for ever.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub budget_duration: Option<String>,
    /// More budgets that hold at once.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub budget_limits: Vec<BudgetWindow>,
    /// Tokens a minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tpm_limit: Option<u64>,
    /// Requests a minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rpm_limit: Option<u64>,
    /// Tokens of batches a day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tpd_limit: Option<u64>,
    /// Calls in flight.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_parallel_requests: Option<u64>,
    /// Budgets of single models, by model name, pattern or access group.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub model_max_budget: BTreeMap<String, ModelBudget>,
    /// Requests a minute of single models.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub model_rpm_limit: BTreeMap<String, u64>,
    /// Tokens a minute of single models.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub model_tpm_limit: BTreeMap<String, u64>,
    /// Added to `max_budget` until `temp_budget_expiry`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temp_budget_increase: Option<Cost>,
    /// Milliseconds of Unix time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temp_budget_expiry: Option<i64>,
}

/// One of several budgets that hold at once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BudgetWindow {
    /// `24h`, `30d`, ….
    pub budget_duration: String,
    /// USD.
    pub max_budget: Cost,
}

/// The budget of one model.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ModelBudget {
    /// USD.
    #[serde(alias = "budget_limit", skip_serializing_if = "Option::is_none")]
    pub max_budget: Option<Cost>,
    /// `1d`, `30d`, ….
    #[serde(alias = "time_period", skip_serializing_if = "Option::is_none")]
    pub budget_duration: Option<String>,
    /// Tokens a minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tpm_limit: Option<u64>,
    /// Requests a minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rpm_limit: Option<u64>,
}
