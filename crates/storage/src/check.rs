//! Proves what is on the disk: every value sealed, by which key, and that it opens where it lies.

use std::collections::BTreeMap;
use std::path::Path;

use encryption::{Keyring, Origin};

use crate::change::{Key, Revision, Unreadable};
use crate::error::{OpenError, RecordError};
use crate::record::Header;
use crate::sqlite::{RawRow, Reader, open_error};

/// What a check found.
#[derive(Debug, Default)]
pub struct Report {
    /// Rows of the log: current records and history.
    pub rows: u64,
    /// How many values each key sealed: provider, key, count.
    pub sealed: Vec<(String, String, u64)>,
    /// Values that are not sealed at all.
    pub clear: Vec<(Key, Revision)>,
    /// Values that are sealed and do not open where they lie.
    pub unreadable: Vec<Unreadable>,
    /// What is wrong with the structure of the file.
    pub structure: Option<String>,
}

impl Report {
    /// Whether every value is sealed and opens, and the structure is whole.
    pub fn is_sound(&self) -> bool {
        self.clear.is_empty() && self.unreadable.is_empty() && self.structure.is_none()
    }
}

/// Opens every value of a database, history included. Another process may have it open.
pub(crate) fn check(path: &Path, keyring: &Keyring) -> Result<Report, OpenError> {
    let engine = |error| open_error(path, error);
    let reader = Reader::open_checked(path)?;
    let mut report = Report { structure: reader.check().map_err(engine)?, ..Report::default() };
    let mut sealed: BTreeMap<(String, String), u64> = BTreeMap::new();
    reader.scan(|row| report.row(keyring, &row, &mut sealed)).map_err(engine)?;
    report.sealed = sealed.into_iter().map(|((provider, key_id), count)| (provider, key_id, count)).collect();
    Ok(report)
}

impl Report {
    fn row(&mut self, keyring: &Keyring, row: &RawRow<'_>, sealed: &mut BTreeMap<(String, String), u64>) {
        self.rows += 1;
        let key = Key::from(String::from_utf8_lossy(row.key));
        match Keyring::origin(row.sealed) {
            Ok(Origin { provider, key_id }) => *sealed.entry((provider, key_id)).or_default() += 1,
            Err(_) => return self.clear.push((key, row.revision)),
        }
        let opened = match row.kind {
            Some(kind) => {
                Header { key: &key, revision: row.revision, previous: row.previous, kind }.open(keyring, row.sealed)
            }
            None => Err(RecordError::kind()),
        };
        if let Err(error) = opened {
            self.unreadable.push(Unreadable { key, revision: row.revision, error });
        }
    }
}
