//! What we decide: which models a caller may use, what a call costs, which deployment answers it and
//! whether a failure is tried again.
//!
//! Not here, on purpose: clocks, randomness, sockets, storage. Time and random numbers are arguments, so
//! every decision is a table in a test.
//!
//! Map, in reading order:
//! - [`money`]: exact amounts, [`money::Rate`] a unit and [`money::Cost`] a call
//! - [`catalog`]: the models the world knows, their prices and abilities
//! - [`price`]: usage → charge
//! - [`access`]: wildcard names and lists of allowed models
//! - [`choose`]: which deployment of a group
//! - [`retry`]: what to do after a fault
//! - [`route`]: who of many answers, who rests after failures, and who is next
//! - [`suggest`]: "did you mean …?"

pub mod access;
pub mod catalog;
pub mod choose;
pub mod money;
pub mod price;
pub mod retry;
pub mod route;
pub mod suggest;
