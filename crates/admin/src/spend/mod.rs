//! What was spent: rows of the log, sums of days, reports. Everybody sees what is their own, admins of a team what is
//! its own, and those who may see everything, everything.
//!
//! Not here: how charges get there (`store::projector`).

pub(crate) mod activity;
pub(crate) mod day;
pub(crate) mod estimate;
pub(crate) mod global;
pub(crate) mod graphs;
pub(crate) mod logs;
pub(crate) mod providers;
pub(crate) mod report;
pub(crate) mod reset;
pub(crate) mod row;
pub(crate) mod sight;
pub(crate) mod summary;

use axum::Json;
use serde_json::Value;

use crate::access::Refused;

/// What a route answers.
pub(crate) type Answer = Result<Json<Value>, Refused>;

/// Sums that one answer may have.
const MOST_SUMS: u64 = 100_000;
