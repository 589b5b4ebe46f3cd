//! The writer thread: seals and appends all waiting writes in one transaction, shows them, acknowledges them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use encryption::Keyring;
use parking_lot::RwLock;

use crate::change::{Committed, Revision, Write};
use crate::checkpoint::Checkpointer;
use crate::error::CommitError;
use crate::group::{Accepted, Group};
use crate::index::{Index, Stamp};
use crate::metrics::Metrics;
use crate::observer::Observer;
use crate::queue::{Compaction, Pending, Queue, Waiting};
use crate::record::Header;
use crate::retention::{IDLE, Retention};
use crate::sqlite::{self, Writer};

/// What the writer thread shares with readers.
pub(crate) struct Shared {
    pub(crate) state: RwLock<State>,
    /// As in the state, for who cannot wait for it.
    pub(crate) newest: AtomicU64,
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
    pub(crate) database: Writer,
    pub(crate) shared: Arc<Shared>,
    pub(crate) queue: Arc<Queue>,
    pub(crate) observer: Arc<dyn Observer>,
    pub(crate) retention: Retention,
    pub(crate) checkpointer: Checkpointer,
    pub(crate) work: Work,
}

/// What the thread has in hand.
pub(crate) struct Work {
    compactions: Vec<Compaction>,
    /// Additional data and sealed bytes of one record: room that is used again and again.
    buffers: (Vec<u8>, Vec<u8>),
    /// About how much the write-ahead log has grown since it was copied.
    log_bytes: u64,
    /// When history may be removed again.
    next_removal: Instant,
    /// The boundary of the history that is on the disk.
    remembered: Revision,
}

impl Shared {
    pub(crate) fn new(state: State, keyring: Arc<Keyring>) -> Self {
        let newest = AtomicU64::new(state.newest.0);
        Self { state: RwLock::new(state), newest, metrics: Metrics::default(), keyring }
    }
}

impl WriterThread {
    /// Works until the queue is closed and empty.
    pub(crate) fn run(mut self) {
        let _abandoned = Abandon(Arc::clone(&self.queue));
        loop {
            let Waiting { writes, compactions, closed } = self.queue.take(self.next_look());
            self.work.compactions.extend(compactions);
            let idle = writes.is_empty();
            if !idle {
                self.commit(writes);
            }
            self.compact();
            self.checkpoint();
            if closed && idle {
                return self.close();
            }
        }
    }

    fn commit(&mut self, writes: Vec<Pending>) {
        let started = Instant::now();
        let group = Group::decide(&self.shared.state.read(), &self.shared.metrics, writes);
        if !group.accepted.is_empty() {
            match self.append(&group.accepted) {
                Ok(()) => self.publish(group, started),
                Err(error) => self.refuse(group, &error),
            }
        }
    }

    /// Makes the group durable, or leaves the database as it was.
    fn append(&mut self, accepted: &[Accepted]) -> Result<(), CommitError> {
        let done = self.append_all(accepted);
        if done.is_err() {
            self.roll_back();
        }
        done
    }

    fn append_all(&mut self, accepted: &[Accepted]) -> Result<(), CommitError> {
        self.database.begin().map_err(engine_error)?;
        let mut bytes = 0;
        for Accepted { revision, previous, pending } in accepted {
            let Write { key, mutation, .. } = &pending.write;
            let header = Header { key, revision: *revision, previous: *previous, kind: mutation.kind() };
            let (aad, sealed) = &mut self.work.buffers;
            header
                .seal(&self.shared.keyring, mutation.bytes(), aad, sealed)
                .map_err(|error| CommitError::Seal(Arc::new(error)))?;
            self.database.append(&header, sealed).map_err(engine_error)?;
            bytes += sealed.len() as u64;
        }
        self.database.commit().map_err(engine_error)?;
        self.work.log_bytes += bytes + sqlite::PAGE_BYTES;
        add(&self.shared.metrics.sealed_bytes, bytes);
        Ok(())
    }

    /// Index, observer, answers: in this order, so that who has an answer finds its write in both.
    fn publish(&mut self, group: Group, started: Instant) {
        let metrics = &self.shared.metrics;
        add(&metrics.commits, 1);
        add(&metrics.writes, group.accepted.len() as u64);
        metrics.group_size.record(group.accepted.len() as u64);
        metrics.commit_micros.record(micros(started));
        if metrics.failing.swap(false, Ordering::Relaxed) {
            tracing::info!("the store takes writes again");
        }

        let (mut batch, mut answers) = (Vec::new(), Vec::new());
        let mut state = self.shared.state.write();
        for Accepted { revision, previous, pending } in group.accepted {
            let (Write { key, mutation, .. }, answer) = pending.into_parts();
            let key = state.index.shared(&key).unwrap_or(key);
            let kind = mutation.kind();
            state.index.push(&key, Stamp::new(revision, kind));
            state.newest = revision;
            self.retention.note(&key, revision, previous, kind);
            batch.push(Committed { key, revision, previous, mutation });
            answers.push((answer, revision));
        }
        self.shared.newest.store(state.newest.0, Ordering::Release);
        metrics.keys.store(state.index.live, Ordering::Relaxed);
        drop(state);
        metrics.history.store(self.retention.len() as u64, Ordering::Relaxed);

        let observed = Instant::now();
        self.observer.committed(batch);
        metrics.observe_micros.record(micros(observed));
        for (answer, revision) in answers {
            // Who no longer waits need not know.
            answer.send(Ok(revision)).unwrap_or_default();
        }
        add(&metrics.conflicts, group.refused.len() as u64);
        for (pending, conflict) in group.refused {
            pending.answer(Err(conflict));
        }
    }

    /// Also those that were refused: what refused them may be a write that did not happen.
    fn refuse(&self, group: Group, error: &CommitError) {
        add(&self.shared.metrics.failures, 1);
        if !self.shared.metrics.failing.swap(true, Ordering::Relaxed) {
            let cause = std::error::Error::source(error);
            tracing::error!(%error, cause, "the store takes no writes");
        }
        let refused = group.refused.into_iter().map(|(pending, _)| pending);
        for pending in group.accepted.into_iter().map(|accepted| accepted.pending).chain(refused) {
            pending.answer(Err(error.clone()));
        }
    }

    /// Forgets history that is no longer kept, and removes some of its rows: all when nobody waits, else a few from time
    /// to time.
    fn compact(&mut self) {
        for compaction in &self.work.compactions {
            self.retention.forget(compaction.revision);
        }
        self.retention.advance(Instant::now());
        self.show_compacted();
        while !self.retention.batch().is_empty() && Instant::now() >= self.work.next_removal {
            if let Err(error) = self.remove_batch() {
                self.roll_back();
                self.work.next_removal = Instant::now() + RETRY;
                tracing::warn!(%error, "remove old history; tried again later");
            } else if self.queue.is_wanted() {
                self.work.next_removal = Instant::now() + PAUSE;
            }
            self.retention.advance(Instant::now());
        }
        self.answer_compactions();
    }

    fn show_compacted(&self) {
        if self.shared.state.read().compacted < self.retention.compacted {
            self.shared.state.write().compacted = self.retention.compacted;
        }
    }

    fn remove_batch(&mut self) -> rusqlite::Result<()> {
        let batch = self.retention.batch();
        self.database.begin()?;
        for obsolete in batch.iter().rev() {
            self.database.remove(obsolete.revision)?;
        }
        self.database.set_compacted(self.retention.compacted)?;
        self.database.commit()?;
        self.work.remembered = self.retention.compacted;
        let mut state = self.shared.state.write();
        for obsolete in batch {
            state.index.remove(&obsolete.key, obsolete.revision);
        }
        drop(state);
        let count = batch.len();
        self.retention.removed(count);
        self.work.log_bytes += count as u64 * sqlite::PAGE_BYTES / 2;
        add(&self.shared.metrics.compacted_rows, count as u64);
        self.shared.metrics.history.store(self.retention.len() as u64, Ordering::Relaxed);
        Ok(())
    }

    fn answer_compactions(&mut self) {
        if !self.work.compactions.is_empty()
            && let Err(error) = self.remember_compacted()
        {
            tracing::warn!(%error, "remember what was forgotten; tried again later");
            self.work.next_removal = Instant::now() + RETRY;
            return;
        }
        let is_done = |compaction: &mut Compaction| self.retention.is_clean(compaction.revision);
        for compaction in self.work.compactions.extract_if(.., is_done) {
            // Who no longer waits need not know.
            compaction.done.send(()).unwrap_or_default();
        }
    }

    /// A boundary that somebody asked for holds after a restart as well, also when no row lay before it.
    fn remember_compacted(&mut self) -> rusqlite::Result<()> {
        if self.work.remembered < self.retention.compacted {
            self.database.set_compacted(self.retention.compacted)?;
            self.work.remembered = self.retention.compacted;
        }
        Ok(())
    }

    /// Has the log copied when it is long, and copies the rest when that is done.
    fn checkpoint(&mut self) {
        if self.checkpointer.take_copied() {
            match self.database.checkpoint() {
                Ok(_) => add(&self.shared.metrics.checkpoints, 1),
                Err(error) => tracing::warn!(%error, "copy the write-ahead log; tried again later"),
            }
        } else if self.work.log_bytes >= LOG_BYTES {
            self.work.log_bytes = 0;
            self.checkpointer.ask();
        }
    }

    fn next_look(&self) -> Instant {
        let now = Instant::now();
        let removal =
            (!self.retention.batch().is_empty() || !self.work.compactions.is_empty()).then_some(self.work.next_removal);
        let next = [removal, self.retention.due()].into_iter().flatten().min().unwrap_or(now + IDLE);
        next.clamp(now, now + IDLE)
    }

    fn roll_back(&self) {
        if let Err(error) = self.database.roll_back() {
            tracing::error!(%error, "roll back; tried again before the next write");
        }
    }

    fn close(self) {
        // First the other connection: the log can then be emptied.
        drop(self.checkpointer);
        if let Err(error) = self.database.checkpoint_all() {
            tracing::warn!(%error, "empty the write-ahead log; done at the next start");
        }
    }
}

/// Without the thread nobody would ever be answered, should an observer panic.
struct Abandon(Arc<Queue>);

impl Drop for Abandon {
    fn drop(&mut self) {
        self.0.abandon();
    }
}

impl Work {
    pub(crate) fn new(remembered: Revision) -> Self {
        let (compactions, buffers) = (Vec::new(), (Vec::new(), Vec::new()));
        Self { compactions, buffers, log_bytes: 0, next_removal: Instant::now(), remembered }
    }
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

/// Between two removals while others wait.
const PAUSE: Duration = Duration::from_millis(10);
/// After a removal that failed.
const RETRY: Duration = Duration::from_secs(1);
/// How long the write-ahead log may get before it is copied.
const LOG_BYTES: u64 = 16 << 20;
