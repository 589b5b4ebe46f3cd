//! What can go wrong, one type for each operation.

use std::path::PathBuf;
use std::sync::Arc;

use thiserror::Error;

use crate::change::Revision;

/// The database could not be opened.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum OpenError {
    /// A newer Kluis wrote it.
    #[error(
        "{path} has storage format {found}, this version reads up to {known}: start the newer version that wrote it"
    )]
    NewerFormat {
        /// The database.
        path: PathBuf,
        /// The format it has.
        found: i64,
        /// The newest format that we read.
        known: i64,
    },
    /// Another program's database.
    #[error("{path} is not a Kluis database")]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// Another process has it open.
    #[error("{path} is in use by process {pid}")]
    InUse {
        /// The database.
        path: PathBuf,
        /// Who has it, as far as the lock file tells.
        pid: String,
    },
    /// No record opens, because the key that sealed them is missing.
    #[error("{path} is sealed with key {key_id} of provider {provider}, which is not at hand: put that key back")]
    KeyMissing {
        /// The database.
        path: PathBuf,
        /// Who holds the key.
        provider: String,
        /// The key.
        key_id: String,
    },
    /// The structure of the file is broken.
    #[error("{path} is damaged ({detail}): restore a snapshot")]
    Damaged {
        /// The database.
        path: PathBuf,
        /// What was found.
        detail: String,
    },
    /// A file could not be made or read.
    #[error("open {path}")]
    Io {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// The engine refused.
    #[error("open {path}")]
    Engine {
        /// The database.
        path: PathBuf,
        /// The cause.
        #[source]
        source: rusqlite::Error,
    },
}

/// A write did not happen.
#[derive(Debug, Clone, Error)]
#[non_exhaustive]
pub enum CommitError {
    /// The key is not as the writer expected.
    #[error("the record is at another revision")]
    Conflict {
        /// The current revision of the key, if it has a record.
        actual: Option<Revision>,
    },
    /// The disk is full. The store is intact and takes writes again when there is room.
    #[error("the disk is full")]
    Full,
    /// The disk failed; whether the write will be there after a restart is unknown.
    #[error("write to the store")]
    Io(#[source] Arc<dyn std::error::Error + Send + Sync>),
    /// The value could not be sealed.
    #[error("seal the record")]
    Seal(#[source] Arc<encryption::SealError>),
    /// The store is closed.
    #[error("the store is closed")]
    Closed,
}

/// A past state could not be read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The revision is older than what is kept.
    #[error("revision {asked} is older than {oldest}, the oldest that is kept")]
    Compacted {
        /// The revision asked for.
        asked: Revision,
        /// The oldest revision whose state is known.
        oldest: Revision,
    },
    /// The revision was not reached yet.
    #[error("revision {asked} is newer than {newest}, the newest")]
    Future {
        /// The revision asked for.
        asked: Revision,
        /// The newest revision.
        newest: Revision,
    },
    /// The disk failed.
    #[error("read the store")]
    Engine(#[source] rusqlite::Error),
    /// The store is closed.
    #[error("the store is closed")]
    Closed,
}

/// One record is there but cannot be read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RecordError {
    /// It does not open with the keys at hand at the place where it lies.
    #[error("open the sealed record")]
    Sealed(#[source] encryption::OpenError),
    /// What the database says of it contradicts itself.
    #[error("the record is damaged: {0}")]
    Damaged(String),
}

impl RecordError {
    /// A row whose kind we do not know.
    pub(crate) fn kind() -> Self {
        Self::Damaged("its kind is neither put nor delete".to_owned())
    }
}

/// A snapshot could not be taken or restored.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SnapshotError {
    /// There is a file already, which is not overwritten.
    #[error("{0} exists: it is not overwritten")]
    Exists(PathBuf),
    /// The snapshot or its source is not whole.
    #[error("{path} is damaged: {detail}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What was found.
        detail: String,
    },
    /// A newer Kluis wrote it, or it is another program's file.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// A file could not be read or written.
    #[error("{action} {path}")]
    Io {
        /// What we were doing.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// The engine refused.
    #[error("copy the database to {path}")]
    Engine {
        /// The target.
        path: PathBuf,
        /// The cause.
        #[source]
        source: rusqlite::Error,
    },
    /// The store is closed.
    #[error("the store is closed")]
    Closed,
}
