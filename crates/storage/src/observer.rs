//! Who sees every record and every write: the cache of the layer above.

use crate::change::{Committed, Key, Record, Revision};
use crate::error::RecordError;

/// Sees the state at the start and then every write, each exactly once.
pub trait Observer: Send + Sync {
    /// A current record at the start. Called by several threads at once, in no order; all calls have returned when
    /// [`Store::open`](crate::Store::open) returns.
    fn load(&self, record: Record);

    /// A current record that cannot be read. It is in the store: it can be deleted or replaced by naming its revision.
    fn load_failed(&self, key: &Key, revision: Revision, error: &RecordError);

    /// Writes that are durable, in the order of revisions. Called on the writer thread, after the commit and before
    /// the writes are acknowledged: what takes long here holds up all writers.
    fn committed(&self, batch: Vec<Committed>);
}
