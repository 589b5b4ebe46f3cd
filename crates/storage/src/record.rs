//! A row of the log and what binds its value to it. The bytes are drawn in `docs/storage-format.md`, section 3.

use encryption::{Keyring, SealError};

use crate::change::{ChangeKind, Revision, Value};
use crate::error::RecordError;

/// What the log says of a write, beside the value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Header<'a> {
    pub(crate) key: &'a str,
    pub(crate) revision: Revision,
    pub(crate) previous: Option<Revision>,
    pub(crate) kind: ChangeKind,
}

impl Header<'_> {
    /// Seals a value for this row, replacing what is in `out`. `aad` is room for the additional data.
    pub(crate) fn seal(
        &self,
        keyring: &Keyring,
        value: &[u8],
        aad: &mut Vec<u8>,
        out: &mut Vec<u8>,
    ) -> Result<(), SealError> {
        out.clear();
        self.bind(aad);
        keyring.seal_into(value, aad, out)
    }

    /// Opens the value of this row.
    pub(crate) fn open(&self, keyring: &Keyring, sealed: &[u8]) -> Result<Value, RecordError> {
        let mut aad = Vec::with_capacity(self.key.len() + BOUND);
        self.bind(&mut aad);
        keyring.open(sealed, &aad).map_err(RecordError::Sealed)
    }

    /// The additional data: everything that the row says, so that no column can be changed and no value moved.
    fn bind(&self, aad: &mut Vec<u8>) {
        aad.clear();
        aad.extend_from_slice(self.key.as_bytes());
        aad.push(0);
        aad.extend_from_slice(&self.revision.0.to_be_bytes());
        aad.extend_from_slice(&self.previous.unwrap_or_default().0.to_be_bytes());
        aad.push(kind_number(self.kind));
    }
}

/// The number of a kind on the disk.
pub(crate) fn kind_number(kind: ChangeKind) -> u8 {
    match kind {
        ChangeKind::Put => 1,
        ChangeKind::Delete => 2,
    }
}

/// The kind of a number on the disk.
pub(crate) fn kind_of(number: i64) -> Option<ChangeKind> {
    match number {
        1 => Some(ChangeKind::Put),
        2 => Some(ChangeKind::Delete),
        _ => None,
    }
}

/// A byte between the key and three numbers.
const BOUND: usize = 1 + 8 + 8 + 1;
