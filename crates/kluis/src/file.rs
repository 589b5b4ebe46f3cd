//! Files that are there whole or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use zeroize::Zeroizing;

/// Who may read a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Readers {
    /// The owner alone: keys, and what holds keys.
    Owner,
    /// Everyone: certificates.
    Everyone,
}

impl Readers {
    fn mode(self) -> u32 {
        match self {
            Self::Owner => 0o600,
            Self::Everyone => 0o644,
        }
    }
}

/// Puts the file in place in one step, and returns when it cannot be lost any more.
pub(crate) fn write_for_good(path: &Path, content: &[u8], readers: Readers) -> Result<()> {
    write(path, content, readers)?;
    let synced = path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all());
    synced.with_context(|| format!("cannot write {}", path.display()))
}

/// Puts the file in place in one step: readers see the old content or the new, also after a crash. A crash right
/// after may bring the old one back: for what can be made again.
pub(crate) fn write(path: &Path, content: &[u8], readers: Readers) -> Result<()> {
    let draft = draft(path);
    replace(path, &draft, content, readers)
        .inspect_err(|_| {
            // The error of the write is what the caller reports; a draft that stays behind is overwritten next time.
            drop(fs::remove_file(&draft));
        })
        .with_context(|| format!("cannot write {}", path.display()))
}

fn draft(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    path.with_file_name(name)
}

fn replace(path: &Path, draft: &Path, content: &[u8], readers: Readers) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(readers.mode()).open(draft)?;
    file.set_permissions(fs::Permissions::from_mode(readers.mode()))?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(draft, path)
}

/// The text of a file; `None` where there is no such file.
pub(crate) fn read(path: &Path) -> Result<Option<Zeroizing<String>>> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(Zeroizing::new(text))),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
}

/// The text of a file that holds a key; refused if others than the owner can read it.
pub(crate) fn read_private(path: &Path) -> Result<Option<Zeroizing<String>>> {
    let Some(text) = read(path)? else { return Ok(None) };
    let mode = fs::metadata(path).with_context(|| format!("cannot read {}", path.display()))?.permissions().mode();
    if mode & 0o077 != 0 {
        bail!("{path} can be read by others (mode {:o}): run `chmod 600 {path}`", mode & 0o777, path = path.display());
    }
    Ok(Some(text))
}

#[cfg(test)]
mod tests {
    use super::{Readers, read, read_private, write};
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn files_are_replaced_whole_and_private_ones_stay_private() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        assert!(read(&path).unwrap().is_none());
        write(&path, b"one", Readers::Owner).unwrap();
        write(&path, b"two", Readers::Owner).unwrap();
        assert_eq!(read_private(&path).unwrap().unwrap().as_str(), "two");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(read_private(&path).unwrap_err().to_string().contains("can be read by others (mode 640)"));
    }
}
