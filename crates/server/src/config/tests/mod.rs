//! What files come to, and what is said about those that are wrong.

mod files;
mod scalars;
mod settings;
mod shown;
