//! Ordered, revisioned, sealed key-value store: what is committed here survives, and nothing reaches the disk in clear.
//!
//! The only door is [`Store::open`]. Writes go through one writer thread, which seals them, groups all that wait
//! into one durable transaction, shows them to the [`Observer`] and then acknowledges them.
#![deny(missing_docs)]

mod change;
mod check;
mod checkpoint;
#[cfg(feature = "conformance")]
pub mod conformance;
mod error;
mod group;
mod index;
mod load;
mod lock;
mod metrics;
mod observer;
mod queue;
mod read;
mod record;
mod retention;
mod snapshot;
mod sqlite;
mod store;
mod writer;

pub use change::{
    Attachment, Change, ChangeKind, Changes, Committed, Expect, Key, Mutation, Page, Record, Revision, Unreadable,
    Value, Write,
};
pub use check::Report;
pub use error::{CommitError, OpenError, ReadError, RecordError, SnapshotError};
pub use metrics::{Distribution, Metrics, MetricsSnapshot};
pub use observer::Observer;
pub use store::{Config, History, Store};
