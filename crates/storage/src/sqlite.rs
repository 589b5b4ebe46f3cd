//! The embedded engine: the database file, its tables and statements. Nothing here knows keys or clear values.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, Row, ffi};

use crate::change::{ChangeKind, Revision};
use crate::error::OpenError;
use crate::record::{Header, kind_number, kind_of};

/// The connection that writes. There is one.
pub(crate) struct Writer {
    connection: Connection,
}

/// A connection that reads.
pub(crate) struct Reader {
    connection: Connection,
}

/// A connection that copies the write-ahead log into the database file.
pub(crate) struct Checkpoints {
    connection: Connection,
}

/// A row as it lies on the disk: nothing in it is believed before its value opens.
pub(crate) struct RawRow<'a> {
    pub(crate) revision: Revision,
    pub(crate) previous: Option<Revision>,
    /// `None`: not a kind that we know.
    pub(crate) kind: Option<ChangeKind>,
    pub(crate) key: &'a [u8],
    pub(crate) sealed: &'a [u8],
}

/// What the database remembers beside the log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Meta {
    /// States before this revision are forgotten.
    pub(crate) compacted: Revision,
    /// Revisions go on above this one.
    pub(crate) floor: Revision,
}

/// How far a checkpoint came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Progress {
    /// Pages in the write-ahead log.
    pub(crate) pages: u32,
    /// How many of them are in the database file.
    pub(crate) done: u32,
}

impl Writer {
    /// Opens the database, and makes it if it is not there.
    pub(crate) fn open(path: &Path) -> Result<Self, OpenError> {
        let io = |source| OpenError::Io { path: path.to_owned(), source };
        if !fs::exists(path).map_err(io)? {
            make(path)?;
        }
        let engine = |error| open_error(path, error);
        let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(engine)?;
        check_format(&connection, path)?;
        connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(())).map_err(engine)?;
        connection.pragma_update_and_check(None, "secure_delete", true, |_| Ok(())).map_err(engine)?;
        connection.pragma_update_and_check(None, "wal_autocheckpoint", 0, |_| Ok(())).map_err(engine)?;
        connection.pragma_update_and_check(None, "journal_size_limit", LOG_LIMIT, |_| Ok(())).map_err(engine)?;
        Ok(Self { connection })
    }

    /// What the database remembers.
    pub(crate) fn meta(&self) -> rusqlite::Result<Meta> {
        let number = |name| {
            let sql = "SELECT value FROM meta WHERE name = ?1";
            let value: Option<i64> = self.connection.query_row(sql, [name], |row| row.get(0)).optional()?;
            Ok::<_, rusqlite::Error>(Revision(value.unwrap_or(0).cast_unsigned()))
        };
        Ok(Meta { compacted: number("compacted")?, floor: number("floor")? })
    }

    /// The whole log, from its new end.
    pub(crate) fn scan(&self, each: impl FnMut(RawRow<'_>)) -> rusqlite::Result<()> {
        scan(&self.connection, each)
    }

    pub(crate) fn begin(&self) -> rusqlite::Result<()> {
        self.roll_back()?;
        self.run("BEGIN IMMEDIATE")
    }

    pub(crate) fn commit(&self) -> rusqlite::Result<()> {
        self.run("COMMIT")
    }

    /// Takes back what was begun. The engine may have done so itself when it failed.
    pub(crate) fn roll_back(&self) -> rusqlite::Result<()> {
        if self.connection.is_autocommit() { Ok(()) } else { self.run("ROLLBACK") }
    }

    pub(crate) fn append(&self, header: &Header<'_>, sealed: &[u8]) -> rusqlite::Result<()> {
        let sql = "INSERT INTO log (revision, previous, kind, key, value) VALUES (?1, ?2, ?3, ?4, ?5)";
        let Header { key, revision, previous, kind } = *header;
        let previous = previous.unwrap_or_default();
        let values = (revision.0.cast_signed(), previous.0.cast_signed(), kind_number(kind), key, sealed);
        self.connection.prepare_cached(sql)?.execute(values).map(|_| ())
    }

    pub(crate) fn remove(&self, revision: Revision) -> rusqlite::Result<()> {
        let sql = "DELETE FROM log WHERE revision = ?1";
        self.connection.prepare_cached(sql)?.execute([revision.0.cast_signed()]).map(|_| ())
    }

    pub(crate) fn set_compacted(&self, revision: Revision) -> rusqlite::Result<()> {
        set_meta(&self.connection, "compacted", revision)
    }

    /// Copies pages from the write-ahead log into the database file, without waiting for anyone.
    pub(crate) fn checkpoint(&self) -> rusqlite::Result<Progress> {
        checkpoint(&self.connection, "PASSIVE")
    }

    /// Copies all of the write-ahead log into the database file and empties it.
    pub(crate) fn checkpoint_all(&self) -> rusqlite::Result<Progress> {
        checkpoint(&self.connection, "TRUNCATE")
    }

    fn run(&self, sql: &str) -> rusqlite::Result<()> {
        self.connection.prepare_cached(sql)?.execute([]).map(|_| ())
    }
}

impl Checkpoints {
    pub(crate) fn open(path: &Path) -> Result<Self, OpenError> {
        let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(|error| open_error(path, error))?;
        Ok(Self { connection })
    }

    /// Copies what is in the log now, without holding up who writes.
    pub(crate) fn copy(&self) -> rusqlite::Result<Progress> {
        checkpoint(&self.connection, "PASSIVE")
    }
}

impl Reader {
    pub(crate) fn open(path: &Path) -> rusqlite::Result<Self> {
        connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY).map(|connection| Self { connection })
    }

    /// Refuses what is not a database of ours.
    pub(crate) fn open_checked(path: &Path) -> Result<Self, OpenError> {
        File::open(path).map_err(|source| OpenError::Io { path: path.to_owned(), source })?;
        let reader = Self::open(path).map_err(|error| open_error(path, error))?;
        check_format(&reader.connection, path).map(|()| reader)
    }

    /// The whole log, from its new end.
    pub(crate) fn scan(&self, each: impl FnMut(RawRow<'_>)) -> rusqlite::Result<()> {
        scan(&self.connection, each)
    }

    /// What is wrong with the structure of the file, if anything is: lost pages and rows, which reading does not show.
    pub(crate) fn check(&self) -> rusqlite::Result<Option<String>> {
        first_complaint(&self.connection, "quick_check")
    }

    /// The row of a revision, if it is there.
    pub(crate) fn row<T>(&self, revision: Revision, read: impl FnOnce(RawRow<'_>) -> T) -> rusqlite::Result<Option<T>> {
        let sql = "SELECT revision, previous, kind, key, value FROM log WHERE revision = ?1";
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query([revision.0.cast_signed()])?;
        rows.next()?.map(raw).transpose().map(|row| row.map(read))
    }
}

/// The first line of a check, unless it is "ok".
pub(crate) fn first_complaint(connection: &Connection, check: &str) -> rusqlite::Result<Option<String>> {
    let mut said = Vec::new();
    connection.pragma(None, check, 1, |row| {
        said.push(row.get::<_, String>(0)?);
        Ok(())
    })?;
    Ok(said.into_iter().next().filter(|line| line != "ok"))
}

/// What an error of the engine means for a write.
pub(crate) fn is_full(error: &rusqlite::Error) -> bool {
    let extended = error.sqlite_error().map(|error| error.extended_code);
    error.sqlite_error_code() == Some(ErrorCode::DiskFull) || extended == Some(ffi::SQLITE_IOERR_SHMSIZE)
}

/// Tells a damaged file and one that is not ours from other failures.
pub(crate) fn open_error(path: &Path, error: rusqlite::Error) -> OpenError {
    let path = path.to_owned();
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => OpenError::Foreign { path },
        Some(ErrorCode::DatabaseCorrupt) => OpenError::Damaged { path, detail: error.to_string() },
        _ => OpenError::Engine { path, source: error },
    }
}

/// Refuses files of other programs and of newer versions of this one.
pub(crate) fn check_format(connection: &Connection, path: &Path) -> Result<(), OpenError> {
    let number = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let (application, format) = number("application_id")
        .and_then(|id| Ok((id, number("user_version")?)))
        .map_err(|error| open_error(path, error))?;
    let path = path.to_owned();
    match (application, format) {
        (APPLICATION, FORMAT) => Ok(()),
        (APPLICATION, found) if found > FORMAT => Err(OpenError::NewerFormat { path, found, known: FORMAT }),
        _ => Err(OpenError::Foreign { path }),
    }
}

/// Remembers a number.
pub(crate) fn set_meta(connection: &Connection, name: &str, revision: Revision) -> rusqlite::Result<()> {
    let sql = "INSERT INTO meta (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = excluded.value";
    connection.prepare_cached(sql)?.execute((name, revision.0.cast_signed())).map(|_| ())
}

/// Makes sure that a new file's name survives.
pub(crate) fn sync_folder_of(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

/// The files of a database beside the database itself.
pub(crate) fn companions(path: &Path) -> [PathBuf; 2] {
    ["-wal", "-shm"].map(|suffix| {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        PathBuf::from(name)
    })
}

/// Makes a database under another name and syncs it once it is whole: what a crash leaves is no database yet.
fn make(path: &Path) -> Result<(), OpenError> {
    let mut name = path.as_os_str().to_owned();
    name.push(".draft");
    let draft = PathBuf::from(name);
    let io = |source| OpenError::Io { path: draft.clone(), source };
    for left in companions(&draft).iter().chain([&draft]).filter(|left| left.exists()) {
        fs::remove_file(left).map_err(io)?;
    }
    // The engine gives its other files the mode of this one.
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft).map_err(io)?;
    create(&draft).map_err(|error| open_error(&draft, error))?;
    file.sync_all().and_then(|()| fs::rename(&draft, path)).and_then(|()| sync_folder_of(path)).map_err(io)
}

fn create(path: &Path) -> rusqlite::Result<()> {
    let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    connection.pragma_update(None, "synchronous", "OFF")?;
    connection.pragma_update(None, "page_size", PAGE)?;
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    let created = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    connection.execute_batch(&format!(
        "BEGIN IMMEDIATE;
         PRAGMA application_id = {APPLICATION};
         PRAGMA user_version = {FORMAT};
         CREATE TABLE log (
             revision INTEGER PRIMARY KEY,
             previous INTEGER NOT NULL,
             kind     INTEGER NOT NULL,
             key      TEXT    NOT NULL,
             value    BLOB    NOT NULL
         ) STRICT;
         CREATE TABLE meta (
             name  TEXT PRIMARY KEY,
             value INTEGER NOT NULL
         ) STRICT, WITHOUT ROWID;
         INSERT INTO meta VALUES ('compacted', 0), ('floor', 0), ('created', {created});
         COMMIT;"
    ))?;
    connection.close().map_err(|(_, error)| error)
}

fn connect(path: &Path, mode: OpenFlags) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(path, mode | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(BUSY)?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    // A damaged page is found when it is read, not when it is used.
    connection.pragma_update(None, "cell_size_check", true)?;
    connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    Ok(connection)
}

fn checkpoint(connection: &Connection, mode: &str) -> rusqlite::Result<Progress> {
    let mut statement = connection.prepare_cached(&format!("PRAGMA wal_checkpoint({mode})"))?;
    statement.query_row([], |row| {
        let count = |column| row.get(column).map(|pages: i64| u32::try_from(pages).unwrap_or(0));
        Ok(Progress { pages: count(1)?, done: count(2)? })
    })
}

fn scan(connection: &Connection, mut each: impl FnMut(RawRow<'_>)) -> rusqlite::Result<()> {
    let mut statement =
        connection.prepare("SELECT revision, previous, kind, key, value FROM log ORDER BY revision DESC")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        each(raw(row)?);
    }
    Ok(())
}

fn raw<'a>(row: &'a Row<'_>) -> rusqlite::Result<RawRow<'a>> {
    let revision: i64 = row.get(0)?;
    let previous: i64 = row.get(1)?;
    Ok(RawRow {
        revision: Revision(revision.cast_unsigned()),
        previous: (previous != 0).then(|| Revision(previous.cast_unsigned())),
        kind: kind_of(row.get(2)?),
        key: row.get_ref(3)?.as_bytes()?,
        sealed: row.get_ref(4)?.as_bytes()?,
    })
}

/// "Klui".
const APPLICATION: i64 = 0x4b6c_7569;
const FORMAT: i64 = 1;
const PAGE: i64 = 16384;
/// What a changed row costs in the write-ahead log.
pub(crate) const PAGE_BYTES: u64 = PAGE as u64;
const CACHE_KIB: i64 = 2048;
/// To what the write-ahead log is cut when it starts again, after a long read has let it grow.
const LOG_LIMIT: i64 = 64 << 20;
const BUSY: Duration = Duration::from_secs(10);
