//! What waits for the writer thread. Bounded, so that writers are slowed down when the disk is slower than they are.

use std::sync::Arc;
use std::time::Instant;

use parking_lot::{Condvar, Mutex};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use crate::change::{Revision, Write};
use crate::error::CommitError;

/// Hands writes and requests to the writer thread.
pub(crate) struct Queue {
    waiting: Mutex<Waiting>,
    /// Signalled when something waits or the queue was closed.
    changed: Condvar,
    room: Arc<Semaphore>,
}

/// A write and whoever waits for its revision.
pub(crate) struct Pending {
    pub(crate) write: Write,
    answer: Answer,
    _room: OwnedSemaphorePermit,
}

/// Where the revision of a write is awaited.
pub(crate) type Answer = oneshot::Sender<Result<Revision, CommitError>>;

/// Forget the history up to a revision.
pub(crate) struct Compaction {
    pub(crate) revision: Revision,
    pub(crate) done: oneshot::Sender<()>,
}

/// What the writer thread finds when it looks.
#[derive(Default)]
pub(crate) struct Waiting {
    pub(crate) writes: Vec<Pending>,
    pub(crate) compactions: Vec<Compaction>,
    pub(crate) closed: bool,
}

impl Queue {
    pub(crate) fn new() -> Self {
        Self { waiting: Mutex::default(), changed: Condvar::new(), room: Arc::new(Semaphore::new(LIMIT)) }
    }

    /// Waits for room, then hands over a write. The answer comes by the receiver.
    pub(crate) async fn write(
        &self,
        write: Write,
    ) -> Result<oneshot::Receiver<Result<Revision, CommitError>>, CommitError> {
        let units = (write.mutation.bytes().len() / UNIT + 1).min(LIMIT);
        let units = u32::try_from(units).unwrap_or(u32::MAX);
        let room = Arc::clone(&self.room).acquire_many_owned(units).await.map_err(|_| CommitError::Closed)?;
        let (answer, receiver) = oneshot::channel();
        let mut waiting = self.waiting.lock();
        if waiting.closed {
            return Err(CommitError::Closed);
        }
        waiting.writes.push(Pending { write, answer, _room: room });
        drop(waiting);
        self.changed.notify_one();
        Ok(receiver)
    }

    /// Hands over the wish to compact; the receiver fails if the store closes first.
    pub(crate) fn compact(&self, revision: Revision) -> oneshot::Receiver<()> {
        let (done, receiver) = oneshot::channel();
        let mut waiting = self.waiting.lock();
        if !waiting.closed {
            waiting.compactions.push(Compaction { revision, done });
        }
        drop(waiting);
        self.changed.notify_one();
        receiver
    }

    /// No more writes are taken; those that wait are still done.
    pub(crate) fn close(&self) {
        self.waiting.lock().closed = true;
        self.room.close();
        self.changed.notify_one();
    }

    /// Refuses what waits and what comes: the writer thread has ended, however it did.
    pub(crate) fn abandon(&self) {
        self.close();
        let waiting = self.waiting.lock().take();
        // Whoever waits learns it from the answer that can no longer come.
        drop(waiting);
    }

    /// Takes all that waits. Without any, waits until the deadline.
    pub(crate) fn take(&self, deadline: Instant) -> Waiting {
        let mut waiting = self.waiting.lock();
        while waiting.is_idle() {
            if self.changed.wait_until(&mut waiting, deadline).timed_out() {
                break;
            }
        }
        waiting.take()
    }

    /// Whether somebody waits to write.
    pub(crate) fn is_wanted(&self) -> bool {
        !self.waiting.lock().is_idle()
    }
}

impl Pending {
    /// Tells how it ended.
    pub(crate) fn answer(self, result: Result<Revision, CommitError>) {
        // Who no longer waits need not know.
        self.answer.send(result).unwrap_or_default();
    }

    /// The write, and where its revision is awaited.
    pub(crate) fn into_parts(self) -> (Write, Answer) {
        (self.write, self.answer)
    }
}

impl Waiting {
    fn is_idle(&self) -> bool {
        self.writes.is_empty() && self.compactions.is_empty() && !self.closed
    }

    /// What is there; that the queue is closed stays.
    fn take(&mut self) -> Self {
        Self {
            writes: std::mem::take(&mut self.writes),
            compactions: std::mem::take(&mut self.compactions),
            closed: self.closed,
        }
    }
}

/// Room is counted in units of bytes.
const UNIT: usize = 4096;
/// How many units may wait: 64 MiB.
const LIMIT: usize = 16384;
