//! What operators and tools ask the gateway about itself: models, health, and the description of the API.
//!
//! Every route is in [`router`]; a handler carries its own OpenAPI description, so a route cannot exist
//! without one. The routes that call models belong to the gateway crate and are described from its table.
//!
//! Not here: what happens to a call of a model (gateway), the process (server).

mod access;
mod access_groups;
mod budgets;
mod credentials;
mod customers;
mod docs;
mod edit;
mod health;
mod invitations;
mod keys;
mod login;
mod model_groups;
mod model_info;
mod models;
mod operator;
mod organizations;
mod part;
mod passwords;
mod projects;
mod providers;
mod router;
mod secrets;
mod sessions;
mod settings;
mod shown;
mod spend;
mod stored_models;
mod tags;
mod teams;
mod terms;
mod throttle;
mod users;
mod utils;

pub use router::router;
