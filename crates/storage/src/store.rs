//! The door of the store: here disk meets async.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use encryption::Keyring;

use crate::change::{Changes, Key, Page, Revision, Write};
use crate::error::{CommitError, OpenError, ReadError, SnapshotError};
use crate::metrics::Metrics;
use crate::observer::Observer;

/// How a store is opened.
#[derive(Debug, Clone)]
pub struct Config {
    /// The database file; made if it is not there. Its folder must exist.
    pub path: PathBuf,
    /// How much history is kept.
    pub history: History,
}

/// How much history is kept for reads and watches of the past: what is older than `age` goes, and of the rest what
/// exceeds `count`.
#[derive(Debug, Clone, Copy)]
pub struct History {
    /// How long a replaced or deleted record is kept.
    pub age: Duration,
    /// How many replaced or deleted records are kept at most.
    pub count: u64,
}

/// An open store. Dropping the last clone closes it, after all accepted writes are done.
#[derive(Clone)]
pub struct Store {
    metrics: Arc<Metrics>,
}

impl Config {
    /// The defaults at this path.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), history: History::default() }
    }
}

impl Default for History {
    /// As kube-apiserver's compaction interval: five minutes.
    fn default() -> Self {
        Self { age: Duration::from_secs(300), count: 100_000 }
    }
}

impl Store {
    /// Opens or makes the database, shows every current record to the observer and starts the writer thread.
    pub fn open(config: Config, keyring: Arc<Keyring>, observer: Arc<dyn Observer>) -> Result<Self, OpenError> {
        let _ = (config, keyring, observer);
        unimplemented!()
    }

    /// Writes. When it returns the revision, the write is durable and the observer has seen it.
    ///
    /// Not cancel safe: dropping the future leaves open whether the write happens.
    pub async fn commit(&self, write: Write) -> Result<Revision, CommitError> {
        let _ = write;
        unimplemented!()
    }

    /// The newest revision.
    pub fn revision(&self) -> Revision {
        unimplemented!()
    }

    /// The oldest revision whose state can still be read.
    pub fn compacted(&self) -> Revision {
        unimplemented!()
    }

    /// The records whose key starts with `prefix` as they were at `revision`, at most `limit` (0: all), from the first
    /// key after `after`.
    pub async fn at(
        &self,
        prefix: &str,
        revision: Revision,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page, ReadError> {
        let _ = (prefix, revision, after, limit);
        unimplemented!()
    }

    /// The changes after a revision of the keys that start with `prefix`, at most `limit` (0: all).
    pub async fn history(&self, prefix: &str, after: Revision, limit: usize) -> Result<Changes, ReadError> {
        let _ = (prefix, after, limit);
        unimplemented!()
    }

    /// Forgets the history up to `revision`: past states before it can no longer be read. Returns when the rows are gone.
    pub async fn compact(&self, revision: Revision) -> Result<(), ReadError> {
        let _ = revision;
        unimplemented!()
    }

    /// Writes a consistent copy, sealed as the store is, to a file that does not exist yet; writers go on meanwhile.
    pub async fn snapshot(&self, to: &Path) -> Result<(), SnapshotError> {
        let _ = to;
        unimplemented!()
    }

    /// Makes a database at `to` from a snapshot. Refuses when there is one.
    ///
    /// Revisions go on far above those of the snapshot, so that no client takes a new revision for one it saw before.
    pub fn restore(from: &Path, to: &Path) -> Result<(), SnapshotError> {
        let _ = (from, to);
        unimplemented!()
    }

    /// The revision of the current record of a key.
    pub fn current(&self, key: &Key) -> Option<Revision> {
        let _ = key;
        unimplemented!()
    }

    /// What the store counted.
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }
}
