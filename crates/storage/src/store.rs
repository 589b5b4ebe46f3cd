//! The door of the store: here disk meets async.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use encryption::Keyring;
use parking_lot::Mutex;

use crate::change::{Changes, Page, Revision, Write};
use crate::check::{Report, check};
use crate::checkpoint::Checkpointer;
use crate::error::{CommitError, OpenError, ReadError, SnapshotError};
use crate::load::{Loaded, load};
use crate::lock::Lock;
use crate::metrics::Metrics;
use crate::observer::Observer;
use crate::queue::Queue;
use crate::read::Past;
use crate::retention::Retention;
use crate::snapshot;
use crate::sqlite::{self, Writer};
use crate::writer::{Shared, State, Work, WriterThread};

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
    inner: Arc<Inner>,
}

struct Inner {
    queue: Arc<Queue>,
    past: Arc<Past>,
    thread: Option<JoinHandle<()>>,
    // Let go last, when the writer thread has ended.
    _lock: Lock,
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
        let Config { path, history } = config;
        let lock = Lock::take(&path)?;
        let database = Writer::open(&path)?;
        let meta = database.meta().map_err(|error| sqlite::open_error(&path, error))?;
        let Loaded { index, newest, obsolete, unreadable } = load(&path, &database, &keyring, &observer)?;
        // The newest row may have been a deletion that is forgotten.
        let newest = newest.max(meta.floor).max(meta.compacted);
        let retention = Retention::new(history, meta.compacted, newest, obsolete);

        let shared = Arc::new(Shared::new(State { index, newest, compacted: meta.compacted }, keyring));
        shared.metrics.loaded(&shared.state.read().index, retention.len(), unreadable);
        let queue = Arc::new(Queue::new());
        let writer = WriterThread {
            database,
            shared: Arc::clone(&shared),
            queue: Arc::clone(&queue),
            observer,
            retention,
            checkpointer: Checkpointer::start(&path)?,
            work: Work::new(meta.compacted),
        };
        let thread = thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || writer.run())
            .map_err(|source| OpenError::Io { path: path.clone(), source })?;
        let past = Arc::new(Past { path, shared, idle: Mutex::default() });
        Ok(Self { inner: Arc::new(Inner { queue, past, thread: Some(thread), _lock: lock }) })
    }

    /// Writes. When it returns the revision, the write is durable and the observer has seen it.
    ///
    /// Not cancel safe: dropping the future leaves open whether the write happens.
    pub async fn commit(&self, write: Write) -> Result<Revision, CommitError> {
        let answer = self.inner.queue.write(write).await?;
        answer.await.unwrap_or(Err(CommitError::Closed))
    }

    /// The newest revision.
    pub fn revision(&self) -> Revision {
        Revision(self.shared().newest.load(Ordering::Acquire))
    }

    /// The oldest revision whose state can still be read.
    pub fn compacted(&self) -> Revision {
        self.shared().state.read().compacted
    }

    /// The revision of the current record of a key.
    pub fn current(&self, key: &str) -> Option<Revision> {
        self.shared().state.read().index.current(key)
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
        let (prefix, after) = (prefix.to_owned(), after.map(str::to_owned));
        self.read(move |past| past.at(&prefix, revision, after.as_deref(), limit)).await
    }

    /// The changes after a revision of the keys that start with `prefix`, at most `limit` (0: all).
    pub async fn history(&self, prefix: &str, after: Revision, limit: usize) -> Result<Changes, ReadError> {
        let prefix = prefix.to_owned();
        self.read(move |past| past.history(&prefix, after, limit)).await
    }

    /// Forgets the history up to `revision`: past states before it can no longer be read. Returns when the rows are gone.
    pub async fn compact(&self, revision: Revision) -> Result<(), ReadError> {
        let newest = self.revision();
        if revision > newest {
            return Err(ReadError::Future { asked: revision, newest });
        }
        self.inner.queue.compact(revision).await.map_err(|_| ReadError::Closed)
    }

    /// Writes a consistent copy, sealed as the store is, to a file that does not exist yet; writers go on meanwhile.
    pub async fn snapshot(&self, to: &Path) -> Result<(), SnapshotError> {
        let (from, to) = (self.inner.past.path.clone(), to.to_owned());
        let copied = tokio::task::spawn_blocking(move || snapshot::take(&from, &to)).await;
        copied.unwrap_or(Err(SnapshotError::Closed))
    }

    /// The same from a database file that another process may have open.
    pub fn snapshot_file(database: &Path, to: &Path) -> Result<(), SnapshotError> {
        snapshot::take(database, to)
    }

    /// Opens every value of a database file, history included, and counts by which keys they are sealed. Another process
    /// may have it open.
    pub fn check_file(database: &Path, keyring: &Keyring) -> Result<Report, OpenError> {
        check(database, keyring)
    }

    /// Makes a database at `to` from a snapshot. Refuses when there is one.
    ///
    /// Revisions go on far above those of the snapshot, so that no client takes a new revision for one it saw before.
    pub fn restore(from: &Path, to: &Path) -> Result<(), SnapshotError> {
        snapshot::restore(from, to)
    }

    /// What the store counted.
    pub fn metrics(&self) -> &Metrics {
        &self.shared().metrics
    }

    fn shared(&self) -> &Shared {
        &self.inner.past.shared
    }

    async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Past) -> Result<T, ReadError> + Send + 'static,
    ) -> Result<T, ReadError> {
        let past = Arc::clone(&self.inner.past);
        tokio::task::spawn_blocking(move || read(&past)).await.unwrap_or(Err(ReadError::Closed))
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.queue.close();
        // The writer's connection is then the last: it removes the files beside the database.
        self.past.idle.lock().clear();
        // The last clone may be the observer's, dropped by the writer thread itself, which cannot wait for itself.
        if let Some(thread) = self.thread.take().filter(|thread| thread.thread().id() != thread::current().id())
            && thread.join().is_err()
        {
            tracing::error!("the writer thread of the store has panicked");
        }
    }
}
