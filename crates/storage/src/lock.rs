//! One process at a time: a lock that the operating system lets go when the process ends, however it ends.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::error::OpenError;

/// Held while the database is open.
pub(crate) struct Lock {
    file: File,
}

impl Lock {
    /// Locks `<path>.lock` and writes the process id into it.
    pub(crate) fn take(path: &Path) -> Result<Self, OpenError> {
        let lock_path = lock_path(path);
        let io = |source| OpenError::Io { path: lock_path.clone(), source };
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o600);
        let mut file = options.open(&lock_path).map_err(io)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(OpenError::InUse { path: path.to_owned(), pid: read_pid(&mut file).map_err(io)? });
            }
            Err(TryLockError::Error(source)) => return Err(io(source)),
        }
        write_pid(&mut file).map_err(io)?;
        Ok(Self { file })
    }
}

impl Drop for Lock {
    /// Closing the file is not enough: a program that is being started has a copy of it for a moment.
    fn drop(&mut self) {
        if let Err(error) = self.file.unlock() {
            tracing::warn!(%error, "unlock the database");
        }
    }
}

fn lock_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    PathBuf::from(name)
}

fn read_pid(file: &mut File) -> io::Result<String> {
    let mut text = String::new();
    file.take(20).read_to_string(&mut text)?;
    Ok(text.trim().to_owned())
}

fn write_pid(file: &mut File) -> io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "{}", std::process::id())
}
