//! Tests that start the real program on a free port and an empty folder, and drive it as its users do.
//!
//! Here is what they share; the tests themselves are in `tests/it/`.

pub mod client;
pub mod credentials;
pub mod server;
pub mod tools;

pub use client::{Client, Reply};
pub use credentials::Credentials;
pub use server::Server;
