//! What operators and tools ask the gateway about itself: models, health, and the description of the API.
//!
//! Every route is in [`router`]; a handler carries its own OpenAPI description, so a route cannot exist
//! without one. The routes that call models belong to the gateway crate and are described from its table.
//!
//! Not here: what happens to a call of a model (gateway), the process (server).

mod access;
mod docs;
mod edit;
mod health;
mod model_info;
mod models;
mod providers;
mod router;
mod spend;
mod utils;

pub use router::router;
