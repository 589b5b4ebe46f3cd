//! The writer thread: seals and appends all waiting writes in one transaction, shows them, acknowledges them.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use encryption::Keyring;
use parking_lot::RwLock;

use crate::change::{Committed, Expect, Key, Mutation, Revision, Write};
use crate::error::CommitError;
use crate::index::{Index, Stamp};
use crate::metrics::Metrics;
use crate::observer::Observer;
use crate::queue::{Compaction, Pending, Queue, Waiting};
use crate::record::Header;
use crate::retention::Retention;
use crate::sqlite::{self, Writer};

/// What the writer thread shares with readers.
pub(crate) struct Shared {
    pub(crate) state: RwLock<State>,
    pub(crate) metrics: Metrics,
    pub(crate) keyring: Arc<Keyring>,
}

/// What there is to read.
pub(crate) struct State {
    pub(crate) index: Index,
    pub(crate) newest: Revision,
    pub(crate) compacted: Revision,
}

/// The state of the writer thread.
pub(crate) struct WriterThread {
    database: Writer,
    shared: Arc<Shared>,
    queue: Arc<Queue>,
    observer: Arc<dyn Observer>,
    retention: Retention,
    compactions: Vec<Compaction>,
    buffers: Buffers,
    /// Bytes appended since the write-ahead log was last copied.
    since_checkpoint: u64,
}

/// Room for one record, used again and again.
#[derive(Default)]
struct Buffers {
    aad: Vec<u8>,
    sealed: Vec<u8>,
}

/// A write of the group that may happen.
struct Accepted {
    revision: Revision,
    previous: Option<Revision>,
    pending: Pending,
}

/// What is decided of a group before anything is written.
#[derive(Default)]
struct Group {
    accepted: Vec<Accepted>,
    /// What each key of the group will be at; the index is changed when the group is durable.
    overlay: HashMap<Key, Option<Revision>>,
    /// Refused because of a write in this very group, with the answer if that write succeeds.
    dependent: Vec<(Pending, CommitError)>,
}

impl WriterThread {
    pub(crate) fn new(
        database: Writer,
        shared: Arc<Shared>,
        queue: Arc<Queue>,
        observer: Arc<dyn Observer>,
        retention: Retention,
    ) -> Self {
        let (compactions, buffers) = (Vec::new(), Buffers::default());
        Self { database, shared, queue, observer, retention, compactions, buffers, since_checkpoint: 0 }
    }

    /// Works until the queue is closed and empty.
    pub(crate) fn run(mut self) {
        loop {
            let Waiting { writes, compactions, closed } = self.queue.take(self.retention.next_look(Instant::now()));
            self.compactions.extend(compactions);
            let idle = writes.is_empty();
            if !idle {
                self.commit(writes);
            }
            self.tidy();
            if closed && idle {
                break;
            }
        }
        self.close();
    }

    fn commit(&mut self, writes: Vec<Pending>) {
        let started = Instant::now();
        let group = self.decide(writes);
        if group.accepted.is_empty() {
            return;
        }
        match self.append(&group.accepted) {
            Ok(()) => self.publish(group, started),
            Err(error) => self.refuse(group, &error),
        }
    }

    /// Checks the writes in order, each against what those before it leave.
    fn decide(&self, writes: Vec<Pending>) -> Group {
        let state = self.shared.state.read();
        let (mut group, mut revision) = (Group::default(), state.newest);
        for pending in writes {
            let key = &pending.write.key;
            let planned = group.overlay.get(key).copied();
            let actual = planned.unwrap_or_else(|| state.index.current(key));
            match (is_met(&pending.write, actual), planned) {
                (true, _) => {
                    revision = revision.next();
                    let after = matches!(pending.write.mutation, Mutation::Put(..)).then_some(revision);
                    group.overlay.insert(Key::clone(key), after);
                    group.accepted.push(Accepted { revision, previous: actual, pending });
                }
                (false, Some(_)) => group.dependent.push((pending, CommitError::Conflict { actual })),
                (false, None) => {
                    self.shared.metrics.conflicts.fetch_add(1, Ordering::Relaxed);
                    answer(pending, Err(CommitError::Conflict { actual }));
                }
            }
        }
        group
    }

    /// Makes the group durable, or leaves the database as it was.
    fn append(&mut self, accepted: &[Accepted]) -> Result<(), CommitError> {
        let done = self.append_all(accepted);
        if done.is_err()
            && let Err(error) = self.database.roll_back()
        {
            tracing::error!(%error, "roll back a failed write");
        }
        done
    }

    fn append_all(&mut self, accepted: &[Accepted]) -> Result<(), CommitError> {
        self.database.begin().map_err(engine_error)?;
        let mut bytes = 0;
        for Accepted { revision, previous, pending } in accepted {
            let Write { key, mutation, .. } = &pending.write;
            let header = Header { key, revision: *revision, previous: *previous, kind: mutation.kind() };
            let Buffers { aad, sealed } = &mut self.buffers;
            header
                .seal(&self.shared.keyring, mutation.bytes(), aad, sealed)
                .map_err(|error| CommitError::Seal(Arc::new(error)))?;
            self.database.append(&header, sealed).map_err(engine_error)?;
            bytes += sealed.len() as u64;
        }
        self.database.commit().map_err(engine_error)?;
        self.since_checkpoint += bytes;
        self.shared.metrics.sealed_bytes.fetch_add(bytes, Ordering::Relaxed);
        Ok(())
    }

    /// Index, observer, answers: in this order, so that who has an answer finds its write in both.
    fn publish(&mut self, group: Group, started: Instant) {
        let metrics = &self.shared.metrics;
        add(&metrics.commits, 1);
        add(&metrics.writes, group.accepted.len() as u64);
        metrics.group_size.record(group.accepted.len() as u64);
        metrics.commit_micros.record(micros(started));

        let (mut batch, mut answers) = (Vec::new(), Vec::new());
        let mut state = self.shared.state.write();
        for Accepted { revision, previous, pending } in group.accepted {
            let Write { key, mutation, .. } = pending.write;
            let key = state.index.shared(&key).unwrap_or(key);
            let kind = mutation.kind();
            state.index.push(&key, Stamp::new(revision, kind));
            state.newest = revision;
            self.retention.note(&key, revision, previous, kind);
            batch.push(Committed { key, revision, previous, mutation });
            answers.push((pending.answer, revision));
        }
        let newest = state.newest;
        metrics.keys.store(state.index.live, Ordering::Relaxed);
        drop(state);
        metrics.history.store(self.retention.len() as u64, Ordering::Relaxed);
        self.retention.note_time(started, newest);

        let observed = Instant::now();
        self.observer.committed(batch);
        metrics.observe_micros.record(micros(observed));
        for (answer, revision) in answers {
            // Who no longer waits need not know.
            answer.send(Ok(revision)).unwrap_or_default();
        }
        add(&metrics.conflicts, group.dependent.len() as u64);
        for (pending, conflict) in group.dependent {
            answer(pending, Err(conflict));
        }
    }

    fn refuse(&self, group: Group, error: &CommitError) {
        add(&self.shared.metrics.failures, 1);
        tracing::error!(writes = group.accepted.len(), %error, cause = ?std::error::Error::source(error), "write failed");
        let dependent = group.dependent.into_iter().map(|(pending, _)| pending);
        for pending in group.accepted.into_iter().map(|accepted| accepted.pending).chain(dependent) {
            answer(pending, Err(error.clone()));
        }
    }

    /// What is done between groups: history that is no longer kept, and the write-ahead log.
    fn tidy(&mut self) {
        self.advance();
        self.remove_some();
        if self.since_checkpoint >= CHECKPOINT_BYTES {
            self.checkpoint();
        }
    }

    fn advance(&mut self) {
        for compaction in &self.compactions {
            self.retention.forget(compaction.revision);
        }
        self.retention.advance(Instant::now());
        if self.shared.state.read().compacted < self.retention.compacted {
            self.shared.state.write().compacted = self.retention.compacted;
        }
    }

    fn remove_some(&mut self) {
        loop {
            let rows: Vec<_> = self.retention.removable(REMOVE).cloned().collect();
            if rows.is_empty() {
                break;
            }
            if let Err(error) = self.remove(rows.iter().map(|row| row.revision)) {
                tracing::warn!(%error, "remove old history; tried again later");
                return;
            }
            let mut state = self.shared.state.write();
            for row in &rows {
                state.index.remove(&row.key, row.revision);
            }
            drop(state);
            self.retention.removed(rows.len());
            add(&self.shared.metrics.compacted_rows, rows.len() as u64);
            self.shared.metrics.history.store(self.retention.len() as u64, Ordering::Relaxed);
            if self.queue.is_wanted() {
                return;
            }
        }
        for compaction in self.compactions.drain(..) {
            // Who no longer waits need not know.
            compaction.done.send(()).unwrap_or_default();
        }
    }

    fn remove(&mut self, rows: impl Iterator<Item = Revision>) -> rusqlite::Result<()> {
        let done = self.database.begin().and_then(|()| {
            for revision in rows {
                self.database.remove(revision)?;
                self.since_checkpoint += sqlite::PAGE_BYTES;
            }
            self.database.set_compacted(self.retention.compacted)?;
            self.database.commit()
        });
        done.inspect_err(|_| {
            if let Err(error) = self.database.roll_back() {
                tracing::error!(%error, "roll back a failed removal");
            }
        })
    }

    fn checkpoint(&mut self) {
        self.since_checkpoint = 0;
        match self.database.checkpoint() {
            Ok(_) => add(&self.shared.metrics.checkpoints, 1),
            Err(error) => tracing::warn!(%error, "checkpoint; tried again later"),
        }
    }

    fn close(&self) {
        if let Err(error) = self.database.checkpoint_all() {
            tracing::warn!(%error, "checkpoint at the end; done at the next start");
        }
    }
}

/// A deletion of what is not there is not met either.
fn is_met(write: &Write, actual: Option<Revision>) -> bool {
    match (write.expect, &write.mutation) {
        (Expect::Absent, Mutation::Put(..)) => actual.is_none(),
        (Expect::Absent, Mutation::Delete(..)) => false,
        (Expect::Revision(expected), _) => actual == Some(expected),
    }
}

fn answer(pending: Pending, result: Result<Revision, CommitError>) {
    // Who no longer waits need not know.
    pending.answer.send(result).unwrap_or_default();
}

fn engine_error(error: rusqlite::Error) -> CommitError {
    if sqlite::is_full(&error) { CommitError::Full } else { CommitError::Io(Arc::new(error)) }
}

fn micros(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_micros()).unwrap_or(u64::MAX)
}

fn add(counter: &AtomicU64, count: u64) {
    counter.fetch_add(count, Ordering::Relaxed);
}

/// Rows of history removed in one transaction.
const REMOVE: usize = 64;
const CHECKPOINT_BYTES: u64 = 16 << 20;
