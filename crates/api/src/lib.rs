//! Kubernetes object rules, pure and synchronous: no I/O, no clock, no HTTP.
#![deny(missing_docs)]

#[cfg(test)]

pub mod decode;
pub mod encode;
pub mod field;
pub mod generated;
pub mod meta;
pub mod names;
pub mod quantity;
pub mod resources;
pub mod schema;
pub mod table;
mod testing;
pub mod time;
pub mod value;
