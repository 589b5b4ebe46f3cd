//! Kubernetes object rules, pure and synchronous: no I/O, no clock, no HTTP.
#![deny(missing_docs)]

pub mod apply;
pub mod decode;
pub mod discovery;
pub mod encode;
pub mod field;
pub mod generated;
pub mod meta;
pub mod names;
pub mod openapi;
pub mod patch;
mod protobuf;
pub mod quantity;
pub mod resources;
#[cfg(test)]
mod samples;
pub mod schema;
pub mod selector;
pub mod table;
#[cfg(test)]
mod testing;
pub mod time;
pub mod value;
mod yaml;
