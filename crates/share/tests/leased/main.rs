//! Limits leased from a real PostgreSQL server by several replicas.

#[cfg(test)]
mod cases;
