//! Copies the write-ahead log into the database file, off the way of writers.
//!
//! A thread copies the bulk while writers go on; what they added meanwhile is little, and the writer thread copies it
//! itself, so that the log is copied whole at one moment and starts again from its beginning. That keeps it short, and its
//! blocks allocated: overwriting them costs half of what appending does.

use std::path::Path;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use parking_lot::{Condvar, Mutex};

use crate::error::OpenError;
use crate::sqlite::Checkpoints;

/// The thread that copies the bulk.
pub(crate) struct Checkpointer {
    stage: Arc<(Mutex<Stage>, Condvar)>,
    thread: Option<JoinHandle<()>>,
}

/// Who works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// The log is short.
    Resting,
    /// The thread was asked to copy.
    Asked,
    /// It has copied what was there when it was asked.
    Copied,
    /// The store closes.
    Closed,
}

impl Checkpointer {
    pub(crate) fn start(path: &Path) -> Result<Self, OpenError> {
        let connection = Checkpoints::open(path)?;
        let stage = Arc::new((Mutex::new(Stage::Resting), Condvar::new()));
        let shared = Arc::clone(&stage);
        let thread = thread::Builder::new()
            .name("store-checkpoint".to_owned())
            .spawn(move || copy_when_asked(&connection, &shared))
            .map_err(|source| OpenError::Io { path: path.to_owned(), source })?;
        Ok(Self { stage, thread: Some(thread) })
    }

    /// Asks the thread to copy, unless it does.
    pub(crate) fn ask(&self) {
        let (stage, changed) = &*self.stage;
        let mut stage = stage.lock();
        if *stage == Stage::Resting {
            *stage = Stage::Asked;
            changed.notify_one();
        }
    }

    /// Whether the thread has copied and the rest is to be done; says so once.
    pub(crate) fn take_copied(&self) -> bool {
        let mut stage = self.stage.0.lock();
        let copied = *stage == Stage::Copied;
        if copied {
            *stage = Stage::Resting;
        }
        copied
    }
}

impl Drop for Checkpointer {
    fn drop(&mut self) {
        let (stage, changed) = &*self.stage;
        *stage.lock() = Stage::Closed;
        changed.notify_one();
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the checkpoint thread of the store has panicked");
        }
    }
}

fn copy_when_asked(connection: &Checkpoints, shared: &(Mutex<Stage>, Condvar)) {
    let (stage, changed) = shared;
    let mut now = stage.lock();
    loop {
        match *now {
            Stage::Closed => return,
            Stage::Resting | Stage::Copied => changed.wait(&mut now),
            Stage::Asked => {
                drop(now);
                let copied = connection.copy();
                now = stage.lock();
                if *now == Stage::Asked {
                    *now = match copied {
                        Ok(_) => Stage::Copied,
                        Err(error) => {
                            tracing::warn!(%error, "copy the write-ahead log; tried again later");
                            Stage::Resting
                        }
                    };
                }
            }
        }
    }
}
