//! The binary as its users meet it: a real process, a real socket, and a provider that does as it is told.
//!
//! Every test starts what it needs and ends it. Not here: what a unit test can say closer to the code.

#[cfg(test)]
mod auth;
#[cfg(test)]
mod bounds;
#[cfg(test)]
mod budgets;
#[cfg(test)]
mod clouds;
#[cfg(test)]
mod connections;
#[cfg(test)]
mod cooldowns;
#[cfg(test)]
mod cost;
mod customers;
#[cfg(test)]
mod demo;
#[cfg(test)]
mod embeddings;
#[cfg(test)]
mod errors;
#[cfg(test)]
mod fallbacks;
mod google;
#[cfg(test)]
mod harness;
#[cfg(test)]
mod keys;
#[cfg(test)]
mod killed;
#[cfg(test)]
mod login;
#[cfg(test)]
mod messages;
#[cfg(test)]
mod models;
#[cfg(test)]
mod organizations;
#[cfg(test)]
mod passthrough;
#[cfg(test)]
mod predictions;
#[cfg(test)]
mod projects;
#[cfg(test)]
mod proxy;
#[cfg(test)]
mod refusals;
#[cfg(test)]
mod reload;
#[cfg(test)]
mod rerank;
#[cfg(test)]
mod responses;
#[cfg(test)]
mod routing;
#[cfg(test)]
mod run_time_settings;
#[cfg(test)]
mod sign_in;
#[cfg(test)]
mod spend;
#[cfg(test)]
mod spending;
#[cfg(test)]
mod stored_models;
#[cfg(test)]
mod streaming;
#[cfg(test)]
mod tags;
#[cfg(test)]
mod teams;
#[cfg(test)]
mod users;
#[cfg(test)]
mod utils;
