//! Reads of the past, from the index and the log. Each works on states that no longer change, so nothing is held
//! while the disk is read.

use std::path::PathBuf;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::change::{Change, Changes, Key, Page, Record, Revision, Unreadable, Value};
use crate::error::{ReadError, RecordError};
use crate::index::{Stamp, Versions};
use crate::record::Header;
use crate::sqlite::{RawRow, Reader};
use crate::writer::Shared;

/// Reads the log on connections of its own.
pub(crate) struct Past {
    pub(crate) path: PathBuf,
    pub(crate) shared: Arc<Shared>,
    pub(crate) idle: Mutex<Vec<Reader>>,
}

impl Past {
    /// The state of a prefix at a revision.
    pub(crate) fn at(
        &self,
        prefix: &str,
        revision: Revision,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page, ReadError> {
        let limit = if limit == 0 { usize::MAX } else { limit };
        let mut page = Page::default();
        let mut found: Vec<(Key, Revision)> = Vec::new();
        self.walk(prefix, after, revision, |key, versions| {
            let Some(live) = versions.newest_at(revision).and_then(Stamp::live) else { return };
            if found.len() < limit {
                found.push((Key::clone(key), live));
            } else {
                page.remaining += 1;
            }
        })?;
        page.next = found.last().filter(|_| page.remaining > 0).map(|(key, _)| Key::clone(key));
        self.with_reader(|reader| {
            for (key, at) in found {
                match self.value(reader, &key, at, revision)? {
                    Ok(value) => page.records.push(Record { key, revision: at, value }),
                    Err(error) => page.unreadable.push(Unreadable { key, revision: at, error }),
                }
            }
            Ok(page)
        })
    }

    /// The changes of a prefix after a revision.
    pub(crate) fn history(&self, prefix: &str, after: Revision, limit: usize) -> Result<Changes, ReadError> {
        let mut through = self.shared.state.read().newest;
        let mut found: Vec<(Key, Option<Stamp>, Stamp)> = Vec::new();
        self.walk(prefix, None, after, |key, versions| {
            found.extend(versions.between(after, through).map(|(before, stamp)| (Key::clone(key), before, stamp)));
        })?;
        found.sort_unstable_by_key(|(_, _, stamp)| *stamp);
        if limit != 0 && found.len() > limit {
            found.truncate(limit);
            through = found.last().map_or(through, |(_, _, stamp)| stamp.revision());
        }
        self.with_reader(|reader| {
            let changes = found.into_iter().map(|(key, before, stamp)| self.change(reader, key, before, stamp, after));
            Ok(Changes { changes: changes.collect::<Result<_, _>>()?, through })
        })
    }

    fn change(
        &self,
        reader: &Reader,
        key: Key,
        before: Option<Stamp>,
        stamp: Stamp,
        asked: Revision,
    ) -> Result<Change, ReadError> {
        let previous = before.and_then(Stamp::live);
        let value = self.value(reader, &key, stamp.revision(), asked)?;
        let before = previous.map(|previous| self.value(reader, &key, previous, asked)).transpose()?;
        Ok(Change { key, revision: stamp.revision(), previous, kind: stamp.kind(), value, before })
    }

    /// Visits the keys of a prefix. The lock is let go in between, so that writers pass: what a past state shows does
    /// not change, unless it is forgotten meanwhile.
    fn walk(
        &self,
        prefix: &str,
        after: Option<&str>,
        asked: Revision,
        mut visit: impl FnMut(&Key, &Versions),
    ) -> Result<(), ReadError> {
        let mut from: Option<Key> = after.map(Key::from);
        loop {
            let state = self.shared.state.read();
            if asked < state.compacted {
                return Err(ReadError::Compacted { asked, oldest: state.compacted });
            }
            if asked > state.newest {
                return Err(ReadError::Future { asked, newest: state.newest });
            }
            let mut last = None;
            for (key, versions) in state.index.range(prefix, from.as_deref()).take(STRIDE) {
                visit(key, versions);
                last = Some(key);
            }
            match last.map(Key::clone) {
                Some(key) => from = Some(key),
                None => return Ok(()),
            }
        }
    }

    /// Reads and opens one value. The row can only be missing when the history was forgotten since the index was read.
    fn value(
        &self,
        reader: &Reader,
        key: &Key,
        revision: Revision,
        asked: Revision,
    ) -> Result<Result<Value, RecordError>, ReadError> {
        let row = reader.row(revision, |row| self.open(key, &row)).map_err(ReadError::Engine)?;
        if let Some(value) = row {
            return Ok(value);
        }
        let oldest = self.shared.state.read().compacted;
        if asked < oldest {
            return Err(ReadError::Compacted { asked, oldest });
        }
        Ok(Err(RecordError::Damaged("its row is missing".into())))
    }

    fn open(&self, key: &Key, row: &RawRow<'_>) -> Result<Value, RecordError> {
        let kind = row.kind.ok_or_else(RecordError::kind)?;
        let header = Header { key, revision: row.revision, previous: row.previous, kind };
        header.open(&self.shared.keyring, row.sealed)
    }

    fn with_reader<T>(&self, read: impl FnOnce(&Reader) -> Result<T, ReadError>) -> Result<T, ReadError> {
        let idle = self.idle.lock().pop();
        let reader = match idle {
            Some(reader) => reader,
            None => Reader::open(&self.path).map_err(ReadError::Engine)?,
        };
        let done = read(&reader);
        let mut idle = self.idle.lock();
        if done.is_ok() && idle.len() < IDLE {
            idle.push(reader);
        }
        done
    }
}

/// Keys visited under one lock.
const STRIDE: usize = 2048;
/// Connections that are kept open for the next read.
const IDLE: usize = 4;
