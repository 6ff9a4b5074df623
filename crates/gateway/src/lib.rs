//! What happens to a call. To be written.
pub mod settings;
