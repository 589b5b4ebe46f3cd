//! Copies of the database, sealed as it is, and the way back.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

use crate::change::Revision;
use crate::error::SnapshotError;
use crate::sqlite::{check_format, companions, first_complaint, open_error, set_meta, sync_folder_of};

/// Writes a consistent copy of a database, which may be in use, to a file that does not exist yet. The file is there
/// whole or not at all.
pub(crate) fn take(from: &Path, to: &Path) -> Result<(), SnapshotError> {
    let draft = draft_of(to)?;
    copy(from, &draft)?;
    publish(&draft, to)
}

/// Makes a database from a snapshot.
pub(crate) fn restore(from: &Path, to: &Path) -> Result<(), SnapshotError> {
    if let Some(left) = companions(to).into_iter().find(|path| path.exists()) {
        return Err(SnapshotError::Exists(left));
    }
    let draft = draft_of(to)?;
    check(from)?;
    copy(from, &draft)?;
    raise_floor(&draft).map_err(|source| SnapshotError::Engine { path: draft.clone(), source })?;
    publish(&draft, to)
}

/// Refuses what is not a whole database of ours.
fn check(path: &Path) -> Result<(), SnapshotError> {
    let connection = open(path)?;
    match first_complaint(&connection, "integrity_check").map_err(|error| open_error(path, error))? {
        Some(detail) => Err(SnapshotError::Damaged { path: path.to_owned(), detail }),
        None => Ok(()),
    }
}

fn open(path: &Path) -> Result<Connection, SnapshotError> {
    // The engine would say no more than "unable to open database file".
    File::open(path).map_err(|source| SnapshotError::Io { action: "read", path: path.to_owned(), source })?;
    let connection =
        Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)
            .map_err(|error| open_error(path, error))?;
    check_format(&connection, path)?;
    Ok(connection)
}

fn copy(from: &Path, draft: &Path) -> Result<(), SnapshotError> {
    let connection = open(from)?;
    let io = |action| move |source| SnapshotError::Io { action, path: draft.to_owned(), source };
    // An empty file of the right mode: the engine fills it.
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(draft).map_err(io("make"))?;
    let text = draft.to_str().ok_or_else(|| io("name")(io::ErrorKind::InvalidFilename.into()))?;
    let copied = connection.execute("VACUUM INTO ?1", [text]).map_err(|source| {
        let path = draft.to_owned();
        SnapshotError::Engine { path, source }
    });
    let synced = copied.and_then(|_| file.sync_all().map_err(io("sync")));
    synced.inspect_err(|_| discard(draft))
}

fn raise_floor(path: &Path) -> rusqlite::Result<()> {
    let connection = Connection::open(path)?;
    let sql =
        "SELECT max((SELECT coalesce(max(revision), 0) FROM log), (SELECT max(value) FROM meta WHERE name = 'floor'))";
    let newest: i64 = connection.query_row(sql, [], |row| row.get(0))?;
    let floor = Revision(newest.cast_unsigned().saturating_add(LEAP));
    connection.execute_batch("PRAGMA synchronous = EXTRA; BEGIN IMMEDIATE")?;
    set_meta(&connection, "floor", floor)?;
    set_meta(&connection, "compacted", floor)?;
    connection.execute_batch("COMMIT")?;
    connection.close().map_err(|(_, error)| error)
}

/// Gives the draft its name; fails if there is such a file.
fn publish(draft: &Path, to: &Path) -> Result<(), SnapshotError> {
    let named = match fs::hard_link(draft, to) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(SnapshotError::Exists(to.to_owned())),
        // A file system without links, as on memory sticks; that the name is free was seen before.
        Err(_) => {
            fs::rename(draft, to).map_err(|source| SnapshotError::Io { action: "make", path: to.to_owned(), source })
        }
        Ok(()) => Ok(()),
    };
    if draft.exists() {
        discard(draft);
    }
    named?;
    sync_folder_of(to).map_err(|source| SnapshotError::Io { action: "sync the folder of", path: to.to_owned(), source })
}

/// A name beside the target that nobody has.
fn draft_of(to: &Path) -> Result<PathBuf, SnapshotError> {
    if fs::symlink_metadata(to).is_ok() {
        return Err(SnapshotError::Exists(to.to_owned()));
    }
    let mut name = to.as_os_str().to_owned();
    name.push(format!(".{}.draft", std::process::id()));
    Ok(PathBuf::from(name))
}

fn discard(draft: &Path) {
    if let Err(error) = fs::remove_file(draft) {
        tracing::warn!(path = %draft.display(), %error, "remove a draft");
    }
}

/// How far revisions go up at a restore: more than a server writes between a snapshot and its loss.
const LEAP: u64 = 1_000_000_000;
