//! What we keep: what operators manage ([`entity`]) in a database ([`db`]), and the charge of every call in the
//! [`ledger`], which goes to disk before any database is asked. The [`projector`] brings charges from there to the
//! database, where [`spend`] is read. Secrets among what is kept are [`seal`]ed.
//!
//! Not here, on purpose: what a call costs and may do (`policy`), who is asked and when (`gateway`).

pub mod changes;
pub mod db;
pub mod entity;
pub mod leases;
pub mod ledger;
pub mod projector;
pub mod seal;
pub mod spend;

#[cfg(test)]
mod statements;
