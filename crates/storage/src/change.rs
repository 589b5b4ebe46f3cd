//! What goes into the store and what comes out of it.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use zeroize::Zeroizing;

use crate::error::RecordError;

/// Where a record lies, for example `/registry/secrets/default/db`. Shared between the store's index and the caller's
/// cache, so that a name is in memory once.
pub type Key = Arc<str>;

/// The clear bytes of a record as they come from the disk; wiped when dropped.
pub type Value = Zeroizing<Vec<u8>>;

/// What the caller already knows of a value; handed to the observer unchanged.
pub type Attachment = Option<Arc<dyn Any + Send + Sync>>;

/// The number of a write: one counter for all keys, the first write of a fresh store is 1. Kubernetes shows it as
/// resourceVersion.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Revision(pub u64);

/// One conditional write.
pub struct Write {
    /// What to write.
    pub key: Key,
    /// What must be true of the key for the write to happen.
    pub expect: Expect,
    /// What to do.
    pub mutation: Mutation,
}

/// The condition of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expect {
    /// The key has no record.
    Absent,
    /// The current record of the key was written by this revision.
    Revision(Revision),
}

/// What a write does. The bytes are shared, not copied; a caller who wants them wiped passes
/// `Bytes::from_owner(Zeroizing<Vec<u8>>)`.
pub enum Mutation {
    /// The new value.
    Put(Bytes, Attachment),
    /// Deletes the record. The bytes are its last state, which a watch shows.
    Delete(Bytes, Attachment),
}

/// A write that is durable.
pub struct Committed {
    /// What was written.
    pub key: Key,
    /// The number that the write got.
    pub revision: Revision,
    /// The revision that it replaced; `None` when the key had no record.
    pub previous: Option<Revision>,
    /// What was done, as the caller gave it.
    pub mutation: Mutation,
}

/// A current record, read from the disk.
pub struct Record {
    /// Where it lies.
    pub key: Key,
    /// Which write made it.
    pub revision: Revision,
    /// Its clear bytes.
    pub value: Value,
}

/// A record that is there but cannot be opened.
#[derive(Debug)]
pub struct Unreadable {
    /// Where it lies.
    pub key: Key,
    /// Which write made it.
    pub revision: Revision,
    /// Why it cannot be read.
    pub error: RecordError,
}

/// A part of the state at one revision, in the order of keys.
#[derive(Default)]
pub struct Page {
    /// The records that could be opened.
    pub records: Vec<Record>,
    /// The records that could not; they count towards the limit.
    pub unreadable: Vec<Unreadable>,
    /// The last key of this page (read or unreadable) if there are more.
    pub next: Option<Key>,
    /// How many records of the prefix come after this page.
    pub remaining: u64,
}

/// What a past write did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeKind {
    /// It wrote a value.
    Put,
    /// It deleted the record; the value is the last state.
    Delete,
}

/// A past write, read from the log.
pub struct Change {
    /// What was written.
    pub key: Key,
    /// The number of the write.
    pub revision: Revision,
    /// The revision that it replaced; `None` when the key had no record.
    pub previous: Option<Revision>,
    /// What was done.
    pub kind: ChangeKind,
    /// The value written, or of a deletion the last state.
    pub value: Result<Value, RecordError>,
    /// The value that it replaced; `None` when there was none.
    pub before: Option<Result<Value, RecordError>>,
}

/// A part of the history, in the order of revisions.
pub struct Changes {
    /// The changes.
    pub changes: Vec<Change>,
    /// No change of the prefix after the revision asked for and up to this one is missing. The observer may see the
    /// last of them only a moment later.
    pub through: Revision,
}

impl Mutation {
    /// The bytes of the mutation.
    pub fn bytes(&self) -> &Bytes {
        match self {
            Self::Put(bytes, _) | Self::Delete(bytes, _) => bytes,
        }
    }

    /// What the caller attached.
    pub fn attachment(&self) -> &Attachment {
        match self {
            Self::Put(_, attachment) | Self::Delete(_, attachment) => attachment,
        }
    }

    /// Whether it writes or deletes.
    pub fn kind(&self) -> ChangeKind {
        match self {
            Self::Put(..) => ChangeKind::Put,
            Self::Delete(..) => ChangeKind::Delete,
        }
    }
}

impl Revision {
    /// Before the first write.
    pub const ZERO: Self = Self(0);

    /// The revision after this one.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl From<u64> for Revision {
    fn from(number: u64) -> Self {
        Self(number)
    }
}

impl From<Revision> for u64 {
    fn from(revision: Revision) -> Self {
        revision.0
    }
}

/// Shows where and how much, never what.
impl fmt::Debug for Mutation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}(<{} bytes>)", self.kind(), self.bytes().len())
    }
}

impl fmt::Debug for Write {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key, expect, mutation } = self;
        f.debug_struct("Write").field("key", key).field("expect", expect).field("mutation", mutation).finish()
    }
}

impl fmt::Debug for Committed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Committed")
            .field("key", &self.key)
            .field("revision", &self.revision)
            .field("previous", &self.previous)
            .field("mutation", &self.mutation)
            .finish()
    }
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Record({}@{}, <{} bytes>)", self.key, self.revision, self.value.len())
    }
}

impl fmt::Debug for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Change")
            .field("key", &self.key)
            .field("revision", &self.revision)
            .field("previous", &self.previous)
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}
