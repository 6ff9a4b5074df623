//! Virtual keys: made, shown, changed, replaced, blocked, deleted. A key's text is shown once and kept nowhere; it is
//! known by its hash.

mod bounds;
mod change;
mod find;
mod generate;
mod health;
mod list;
pub(crate) mod mint;
mod regenerate;
mod state;

pub(crate) use change::*;
pub(crate) use generate::*;
pub(crate) use health::*;
pub(crate) use list::*;
pub(crate) use regenerate::*;
pub(crate) use state::*;
