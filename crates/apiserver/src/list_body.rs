//! The body of a long list: its pieces are made when the connection takes them, so that a list of any length needs the
//! memory of one piece, and a piece is still in the processor's cache when it is encrypted.

use std::sync::Arc;

use api::resources::Resource;
use api::table::{self, ListMeta};
use bytes::Bytes;

use crate::cache::Entry;
use crate::error::Result;
use crate::registry::{List, face};

/// How much is made ready at a time.
const PIECE: usize = 64 << 10;

/// A list of whole objects as JSON. The objects in it have no kind of their own.
pub struct ListBody {
    row: &'static Resource,
    opening: Vec<u8>,
    entries: std::vec::IntoIter<Arc<Entry>>,
    /// Bytes that are still to come.
    left: usize,
}

impl ListBody {
    pub(crate) fn new(row: &'static Resource, list: List) -> Result<Self> {
        let revision = list.revision.to_string();
        let meta = ListMeta { revision: &revision, token: &list.continue_token, remaining: list.remaining };
        let (kind, version) = (row.kind, row.api_version());
        let mut opening = format!("{{\"kind\":\"{kind}List\",\"apiVersion\":\"{version}\",\"metadata\":").into_bytes();
        table::list_meta(&mut opening, meta);
        opening.extend_from_slice(b",\"items\":[");
        let entries = match row.conversion {
            None => list.entries,
            Some(_) => list.entries.iter().map(|entry| face(row, entry)).collect::<Result<_>>()?,
        };
        // An item loses its head and gains a brace; commas stand between, `]}` ends.
        let items: usize = entries.iter().map(|entry| entry.item(row).len() + 1).sum();
        let left = opening.len() + items + entries.len().saturating_sub(1) + 2;
        Ok(Self { row, opening, entries: entries.into_iter(), left })
    }

    /// The bytes that are still to come.
    pub(crate) fn len(&self) -> usize {
        self.left
    }
}

impl Iterator for ListBody {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        if self.left == 0 {
            return None;
        }
        let mut piece = Vec::with_capacity(self.left.min(PIECE + (8 << 10)));
        piece.append(&mut self.opening);
        while piece.len() < PIECE {
            let Some(entry) = self.entries.next() else {
                piece.extend_from_slice(b"]}");
                break;
            };
            piece.push(b'{');
            piece.extend_from_slice(entry.item(self.row));
            if self.entries.len() > 0 {
                piece.push(b',');
            }
        }
        self.left = self.left.saturating_sub(piece.len());
        Some(piece.into())
    }
}
