//! What we decide: which models a caller may use and how much of them, what a call costs, which deployment
//! answers it, whether a failure is tried again, and who may change what.
//!
//! Not here, on purpose: clocks, randomness, sockets, storage. Time and random numbers are arguments, so
//! every decision is a table in a test.
//!
//! Map, in reading order:
//! - [`money`]: exact amounts, [`money::Rate`] a unit and [`money::Cost`] a call
//! - [`catalog`]: the models the world knows, their prices and abilities
//! - [`price`]: usage → charge
//! - [`access`]: wildcard names and lists of allowed models
//! - [`period`]: how long a budget runs and when it begins anew
//! - [`account`]: what an account may use, and what it has used
//! - [`roles`]: who may call which management route, and the routes a key is limited to
//! - [`bounds`]: nobody grants more than they have
//! - [`choose`]: which deployment of a group
//! - [`retry`]: what to do after a fault
//! - [`route`]: who of many answers, who rests after failures, and who is next
//! - [`suggest`]: "did you mean …?"

pub mod access;
pub mod account;
pub mod bounds;
pub mod catalog;
pub mod choose;
pub mod money;
pub mod period;
pub mod price;
pub mod retry;
pub mod roles;
pub mod route;
pub mod suggest;
