//! What we keep. For now its first floor: the [`ledger`], where the charge of every call goes before any
//! database is asked.
//!
//! Not here, on purpose: what a call costs (`policy`), who is asked and when (`gateway`).

pub mod ledger;
