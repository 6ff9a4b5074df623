//! Limits shared through a real Redis server: over replicas, and while it is frozen, slow or dead.

#[cfg(test)]
mod cases;
