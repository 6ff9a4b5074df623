//! Which deployment of a group answers a call, what a failure means for it, and where a call goes next.
//!
//! Not here: sending, sleeping, reading clocks. A [`Moment`] and a random number come in, a decision goes out; what is
//! remembered between calls is a [`Track`] per deployment, which takes no lock.
//!
//! A route loop is: [`Pool::take`] → send → [`Ticket::done`] or [`Ticket::failed`] → [`crate::retry::after`] → again,
//! and once that says stop, [`fallback::Journey::next`].
//!
//! Map, in reading order:
//! - [`pool`]: a model group compiled for choosing; [`filter`]: who is skipped and why; [`strategy`]: who of the rest
//! - [`track`] made of [`cells`], [`ticket`]: what is observed
//! - [`class`], [`cooldown`], [`allowance`]: failures, how long a deployment rests, what the upstream says of its limits
//! - [`fallback`]: the next group
//! - [`affinity`], [`hedge`], [`queue`]: sessions, second attempts, calls that wait

pub mod affinity;
pub mod allowance;
pub mod cells;
pub mod class;
pub mod cooldown;
pub mod fallback;
pub mod filter;
pub mod hedge;
mod moment;
pub mod pool;
pub mod queue;
pub mod strategy;
mod tags;
pub mod ticket;
pub mod track;

pub use filter::{Ask, Nobody, Skipped};
pub use moment::{Moment, Random};
pub use pool::{Candidate, Pool, Rules};
pub use strategy::Strategy;
pub use ticket::Ticket;
pub use track::Track;
