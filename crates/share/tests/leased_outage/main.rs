//! Leased limits while the database is frozen: a process of its own, because its server is.

#[cfg(test)]
mod cases;
