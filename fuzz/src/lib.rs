//! Bytes that nobody meant to send, for everything in `tollgate-wire` that reads bytes.
//!
//! - [`seeds`]: what mutation starts from: the fixtures of `tollgate-wire`
//! - [`mutate`], [`places`]: how bytes are changed
//! - [`targets`]: what reads them, and what must hold
//! - [`engine`]: the loop, and the bounds on time and memory
//!
//! Runs on stable Rust. Nothing measures coverage: an input that an outcome of a new kind came of is kept and mutated
//! further, and that finds its way past parsers. Not here: regression tests, which belong beside what was mended.

pub mod engine;
pub mod mutate;
pub mod places;
pub mod seeds;
pub mod targets;

/// Counts what is allocated, so that an input that asks for far more than its size is noticed.
#[global_allocator]
static ALLOCATOR: peak_alloc::PeakAlloc = peak_alloc::PeakAlloc;
