//! What tests and benchmarks of every floor stand on: a provider and a database
//! server that do as they are told.
//!
//! Not here: assertions, fixtures, or anything that knows the gateway. A test that wants a broken
//! upstream describes the breakage as a [`Script`] and reads back what was received.
//!
//! - [`FakeProvider`]: started in-process on a free port, stopped on drop
//! - [`Script`]: the behaviour of one model, as JSON
//! - [`RecordedRequest`]: what the provider received, and whether its client stayed to the end
//! - [`serve`]: the same server as a process of its own (`fake-provider`, the benchmark's upstream)
//! - [`payload_part`]: a frame of SageMaker's streams, for scripts that write them raw
//! - [`postgres`]: a database server for the tests of a process
//! - [`bench`]: the prebuilt replies that a benchmark asks for by model name
//! - [`redis::RedisServer`]: a real Redis server that can be frozen and killed

mod fake;
#[cfg(unix)]
pub mod postgres;
#[cfg(unix)]
pub mod redis;

pub use fake::{
    Chunk, Ending, FakeProvider, Raw, RecordedRequest, Script, ScriptError, ToolCall, bench, payload_part,
    serve,
};
