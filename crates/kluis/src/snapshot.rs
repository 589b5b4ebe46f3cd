//! `kluis store snapshot` and `kluis store restore`.

use anyhow::{Result, bail};

use crate::cli::CopyFlags;

/// Writes a copy of the store, also while a server runs on it.
pub(crate) fn take(flags: &CopyFlags) -> Result<()> {
    let data = flags.data.folder()?.existing()?;
    bail!("cannot copy {} to {}", data.database().display(), flags.file.display())
}

/// Puts a copy in the place of the store.
pub(crate) fn restore(flags: &CopyFlags) -> Result<()> {
    let data = flags.data.folder()?.existing()?;
    let _lock = data.lock()?;
    bail!("cannot restore {} from {}", data.database().display(), flags.file.display())
}
