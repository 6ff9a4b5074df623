//! The database as its users see it, each test on SQLite and on PostgreSQL.
#![cfg(unix)]

#[cfg(test)]
mod entities;
#[cfg(test)]
mod logs;
#[cfg(test)]
mod projection;
#[cfg(test)]
mod schema;
#[cfg(test)]
mod stage;
#[cfg(test)]
mod volume;
