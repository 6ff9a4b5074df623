//! What happens to a call: from the request's head to the settlement of its cost.
//!
//! Read [`life`] first: one call, top to bottom, one line a phase. Then, in the order of that line:
//! [`call`], [`auth`], [`intake`], [`admit`], [`route`] with [`exchange`], [`stream`], [`deliver`], [`settle`]; [`count`] instead of all that for a call that
//! only wants its prompt counted.
//! What a call runs on: [`settings`] compiled to a [`snapshot`] of [`deployment`]s, published through
//! [`live`]; [`transport`], the only way out. Beside the line: [`credential`]s that must be fetched or signed
//! with, and [`media`] that callers name by address.
//!
//! Not here: files, flags and signals (the server crate), management routes (the admin crate), formats (wire),
//! decisions (policy).

pub mod admit;
pub mod auth;
pub mod body;
pub mod books;
pub mod call;
pub mod configure;
mod connection;
pub mod controls;
pub mod count;
pub mod credential;
pub mod deliver;
pub mod deployment;
mod detour;
pub mod directory;
pub mod endpoint;
mod estimate;
pub mod exchange;
pub mod fields;
pub mod hash;
pub mod intake;
pub mod kept;
mod labels;
pub mod life;
mod limits;
pub mod live;
pub mod made;
mod marks;
pub mod media;
mod nobody;
mod parts;
mod prediction;
mod prepare;
pub mod preview;
pub mod probe;
pub mod refusal;
pub mod responses;
mod road;
pub mod route;
pub mod settings;
pub mod settle;
mod sign_in;
pub mod snapshot;
pub mod stream;
pub mod tracks;
pub mod transport;
mod waiting;
pub mod watch;
mod web;

#[cfg(test)]
mod stand_in;
