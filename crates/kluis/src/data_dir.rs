//! The folder that holds everything a server keeps, and the lock that makes it one server's.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

/// The folder and the names in it.
#[derive(Debug, Clone)]
pub(crate) struct DataDir(PathBuf);

impl DataDir {
    /// This folder, whether it is there or not.
    pub(crate) fn new(path: &Path) -> Result<Self> {
        std::path::absolute(path).map(Self).with_context(|| format!("cannot use {}", path.display()))
    }

    /// Makes the folder, for the owner alone.
    pub(crate) fn create(&self) -> Result<()> {
        self.make(&self.0)?;
        self.make(&self.pki())
    }

    fn make(&self, path: &Path) -> Result<()> {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
        made.with_context(|| format!("cannot create {}", path.display()))
    }

    /// Fails where there is no such folder.
    pub(crate) fn existing(self) -> Result<Self> {
        if self.0.is_dir() {
            return Ok(self);
        }
        bail!("there is no data directory {}: give the one of the server with --data-dir", self.0.display())
    }

    pub(crate) fn pki(&self) -> PathBuf {
        self.0.join("pki")
    }

    pub(crate) fn keys(&self) -> PathBuf {
        self.0.join("keys")
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.0.join("kluis.db")
    }

    pub(crate) fn admin_kubeconfig(&self) -> PathBuf {
        self.0.join("admin.kubeconfig")
    }

    fn lock_file(&self) -> PathBuf {
        self.0.join("lock")
    }

    /// Makes the folder this process' own until the lock is dropped.
    pub(crate) fn lock(&self) -> Result<Lock> {
        let path = self.lock_file();
        let opened = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(&path);
        let file = opened.with_context(|| format!("cannot write {}", path.display()))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => bail!("{} is in use by {}", self.0.display(), holder(file)),
            Err(TryLockError::Error(error)) => {
                return Err(error).with_context(|| format!("cannot lock {}", path.display()));
            }
        }
        let mut lock = Lock { file, path };
        lock.write(&format!("{}\n", std::process::id()))?;
        Ok(lock)
    }

    /// Where the server of this folder is, or was when it ran last.
    pub(crate) fn server_url(&self) -> Option<String> {
        let text = std::fs::read_to_string(self.lock_file()).ok()?;
        text.lines().nth(1).map(str::to_owned)
    }
}

/// Says who holds the lock.
fn holder(mut file: File) -> String {
    let mut text = String::new();
    match file.read_to_string(&mut text).ok().and_then(|_| text.lines().next()) {
        Some(pid) => format!("another kluis (pid {pid})"),
        None => "another process".to_owned(),
    }
}

/// Held while a server runs on the folder. Its file has the pid and the URL of the server.
#[derive(Debug)]
pub(crate) struct Lock {
    file: File,
    path: PathBuf,
}

impl Lock {
    /// Leaves a note of where the server is, for `kluis recover`.
    pub(crate) fn announce(&mut self, url: &str) -> Result<()> {
        self.write(&format!("{}\n{url}\n", std::process::id()))
    }

    fn write(&mut self, text: &str) -> Result<()> {
        let mut written = self.file.rewind();
        written = written.and_then(|()| self.file.set_len(0)).and_then(|()| self.file.write_all(text.as_bytes()));
        written.with_context(|| format!("cannot write {}", self.path.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::DataDir;

    #[test]
    fn a_second_lock_is_refused_with_the_pid() {
        let folder = tempfile::tempdir().unwrap();
        let data = DataDir::new(folder.path()).unwrap();
        let mut lock = data.lock().unwrap();
        let refused = data.lock().unwrap_err().to_string();
        assert!(refused.ends_with(&format!("is in use by another kluis (pid {})", std::process::id())), "{refused}");
        lock.announce("https://127.0.0.1:6443").unwrap();
        assert_eq!(data.server_url().unwrap(), "https://127.0.0.1:6443");
        drop(lock);
        data.lock().unwrap();
    }
}
