//! Kubernetes object rules, pure and synchronous: no I/O, no clock, no HTTP.
#![deny(missing_docs)]

pub mod field;
pub mod generated;
pub mod resources;
pub mod schema;
pub mod table;
pub mod time;
pub mod value;
