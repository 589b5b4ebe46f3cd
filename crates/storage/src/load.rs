//! The start: the whole log into the index, and every current record, opened on all cores, to the observer.

use std::collections::{HashMap, VecDeque};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;

use encryption::{Keyring, Origin, ProviderError};
use parking_lot::Mutex;

use crate::change::{ChangeKind, Key, Record, Revision, Value};
use crate::error::{OpenError, RecordError};
use crate::index::{Index, Place, Stamp};
use crate::observer::Observer;
use crate::record::Header;
use crate::retention::Obsolete;
use crate::sqlite::{RawRow, Reader, Writer, open_error};

/// What the start found.
#[derive(Default)]
pub(crate) struct Loaded {
    pub(crate) index: Index,
    pub(crate) newest: Revision,
    pub(crate) obsolete: VecDeque<Obsolete>,
    pub(crate) unreadable: u64,
}

/// Reads the log from its new end: the first row of a key that is met is its current one.
///
/// One thread reads, the others open values; the channels between are short, so that the sealed bytes are never all in
/// memory.
pub(crate) fn load(
    path: &Path,
    writer: &Writer,
    keyring: &Keyring,
    observer: &Arc<dyn Observer>,
) -> Result<Loaded, OpenError> {
    let outcome = Outcome::new(observer.as_ref());
    let open = |sealed: Sealed| match sealed.header().open(keyring, &sealed.bytes) {
        Ok(value) => outcome.opened(sealed, value),
        Err(error) => outcome.sealed(&sealed, &error),
    };
    let failed = |key: &Key, revision, error: &RecordError| outcome.failed(key, revision, error);
    let mut scan = thread::scope(|scope| {
        let threads = thread::available_parallelism().map_or(1, usize::from);
        let senders = (0..threads).map(|_| {
            let (sender, receiver) = sync_channel(BATCHES);
            scope.spawn(move || receiver.iter().flatten().for_each(open));
            sender
        });
        let structure = scope.spawn(|| check(path));
        let mut scan = Scan { senders: senders.collect(), ..Scan::default() };
        writer.scan(|row| scan.row(&row, &failed)).map_err(|error| open_error(path, error))?;
        scan.send();
        scan.senders.clear();
        structure.join().unwrap_or(Ok(()))?;
        Ok::<_, OpenError>(scan)
    })?;
    scan.loaded.obsolete.make_contiguous().sort_by_key(|obsolete| obsolete.from);
    scan.loaded.unreadable = outcome.finish(path)?;
    Ok(scan.loaded)
}

/// What became of the records, told by several threads.
struct Outcome<'a> {
    observer: &'a dyn Observer,
    opened: AtomicU64,
    unreadable: AtomicU64,
    /// A key that was missing.
    missing: Mutex<Option<Origin>>,
}

impl<'a> Outcome<'a> {
    fn new(observer: &'a dyn Observer) -> Self {
        Self { observer, opened: AtomicU64::new(0), unreadable: AtomicU64::new(0), missing: Mutex::new(None) }
    }

    fn opened(&self, sealed: Sealed, value: Value) {
        self.opened.fetch_add(1, Ordering::Relaxed);
        if sealed.kind == ChangeKind::Put {
            self.observer.load(Record { key: sealed.key, revision: sealed.revision, value });
        }
    }

    fn sealed(&self, sealed: &Sealed, error: &RecordError) {
        let is_missing = |error: &encryption::OpenError| {
            let unwrap = matches!(error, encryption::OpenError::Unwrap { source: ProviderError::UnknownKey(_), .. });
            unwrap || matches!(error, encryption::OpenError::NoProvider(_))
        };
        if let RecordError::Sealed(cause) = error
            && is_missing(cause)
        {
            *self.missing.lock() = Keyring::origin(&sealed.bytes).ok();
        }
        self.failed(&sealed.key, sealed.revision, error);
    }

    fn failed(&self, key: &Key, revision: Revision, error: &RecordError) {
        // With a wrong key it would be all of them.
        if self.unreadable.fetch_add(1, Ordering::Relaxed) < LOGGED {
            tracing::error!(%key, %revision, %error, cause = cause(error), "record cannot be read");
        }
        self.observer.load_failed(key, revision, error);
    }

    /// How many could not be read; refuses when all were sealed with a key that is not there.
    fn finish(self, path: &Path) -> Result<u64, OpenError> {
        let (opened, unreadable) = (self.opened.into_inner(), self.unreadable.into_inner());
        if unreadable > LOGGED {
            tracing::error!(unreadable, opened, "records cannot be read; the first were named");
        }
        match self.missing.into_inner() {
            Some(Origin { provider, key_id }) if opened == 0 => {
                Err(OpenError::KeyMissing { path: path.to_owned(), provider, key_id })
            }
            _ => Ok(unreadable),
        }
    }
}

/// What a scan does not see: pages and rows that the structure has lost.
fn check(path: &Path) -> Result<(), OpenError> {
    let engine = |error| open_error(path, error);
    match Reader::open(path).map_err(engine)?.check().map_err(engine)? {
        Some(detail) => Err(OpenError::Damaged { path: path.to_owned(), detail }),
        None => Ok(()),
    }
}

/// A value on its way to a thread that opens it.
struct Sealed {
    key: Key,
    revision: Revision,
    previous: Option<Revision>,
    kind: ChangeKind,
    bytes: Vec<u8>,
}

impl Sealed {
    fn header(&self) -> Header<'_> {
        let Self { key, revision, previous, kind, .. } = self;
        Header { key, revision: *revision, previous: *previous, kind: *kind }
    }
}

#[derive(Default)]
struct Scan {
    loaded: Loaded,
    /// Rows that a newer one says it replaced, with its key: seen before they are met.
    replaced: HashMap<Revision, (Key, Revision)>,
    batch: Vec<Sealed>,
    senders: Vec<SyncSender<Vec<Sealed>>>,
    turn: usize,
}

impl Scan {
    fn row(&mut self, row: &RawRow<'_>, failed: &impl Fn(&Key, Revision, &RecordError)) {
        let key = Key::from(String::from_utf8_lossy(row.key));
        let Some(kind) = row.kind else {
            return self.distrust(&key, row.revision, &RecordError::kind(), failed);
        };
        self.loaded.newest = self.loaded.newest.max(row.revision);
        let stamp = Stamp::new(row.revision, kind);
        let place = self.loaded.index.push_older(&key, stamp);
        let successor = self.replaced.remove(&row.revision);
        if let Some(previous) = row.previous {
            self.replaced.insert(previous, (Key::clone(&key), row.revision));
        }
        match (place, successor) {
            (Place::Before(newer), _) => {
                let from = if kind == ChangeKind::Delete { row.revision } else { newer.revision() };
                self.loaded.obsolete.push_back(Obsolete { from, revision: row.revision, key });
            }
            (Place::Newest, Some((other, newer))) => {
                let said = format!("revision {newer} replaced it, but lies under another name ({other})");
                failed(&key, row.revision, &RecordError::Damaged(said));
            }
            (Place::Newest, None) => {
                if kind == ChangeKind::Delete {
                    let (from, revision) = (row.revision, row.revision);
                    self.loaded.obsolete.push_back(Obsolete { from, revision, key: Key::clone(&key) });
                }
                self.open(Sealed {
                    key,
                    revision: row.revision,
                    previous: row.previous,
                    kind,
                    bytes: row.sealed.to_vec(),
                });
            }
        }
    }

    /// Takes a row of which nothing is sure for a current record, so that it is not overlooked.
    fn distrust(
        &mut self,
        key: &Key,
        revision: Revision,
        error: &RecordError,
        failed: &impl Fn(&Key, Revision, &RecordError),
    ) {
        self.loaded.newest = self.loaded.newest.max(revision);
        self.loaded.index.push_older(key, Stamp::new(revision, ChangeKind::Put));
        failed(key, revision, error);
    }

    fn open(&mut self, sealed: Sealed) {
        self.batch.push(sealed);
        if self.batch.len() >= BATCH {
            self.send();
        }
    }

    fn send(&mut self) {
        let batch = std::mem::replace(&mut self.batch, Vec::with_capacity(BATCH));
        self.turn = (self.turn + 1) % self.senders.len().max(1);
        if let Some(sender) = self.senders.get(self.turn) {
            // Refused when the thread has panicked, which the end of the scope tells.
            sender.send(batch).unwrap_or_default();
        }
    }
}

fn cause(error: &RecordError) -> String {
    let mut text = String::new();
    let mut next = std::error::Error::source(error);
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    text.split_off(text.len().min(2))
}

/// Records that cannot be read and are named in the log.
const LOGGED: u64 = 20;
/// Values that one message between threads holds.
const BATCH: usize = 64;
/// Messages that may wait for one thread.
const BATCHES: usize = 2;
