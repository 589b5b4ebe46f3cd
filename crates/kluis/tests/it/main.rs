//! The program from outside: flags, files, signals, certificates and the ways in which a start fails.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod certificates;
mod client;
mod config;
mod controllers;
mod errors;
mod flags;
mod limits;
mod pods;
mod program;
mod recover;
mod signals;
mod store;
mod tls;
