//! `kluis store snapshot` and `kluis store restore`.

use std::io::{self, Write};

use anyhow::{Context, Result};
use storage::Store;

use crate::cli::CopyFlags;

/// Writes a copy of the store. It reads the database beside the server, which goes on writing meanwhile.
pub(crate) fn take(flags: &CopyFlags) -> Result<()> {
    let data = flags.data.folder()?.existing()?;
    Store::snapshot_file(&data.database(), &flags.file).context("cannot take a snapshot")?;
    print(&format!(
        "{} holds the store, sealed. It opens only with the keys in {}: keep a copy of those elsewhere.\n",
        flags.file.display(),
        data.keys().display()
    ))
}

/// Makes the store of a folder from a copy.
pub(crate) fn restore(flags: &CopyFlags) -> Result<()> {
    let data = flags.data.folder()?;
    data.create()?;
    let _lock = data.lock()?;
    Store::restore(&flags.file, &data.database()).context("cannot restore the store")?;
    let keys = data.keys();
    let advice = if keys.exists() { "" } else { ": put the keys there before the next start" };
    print(&format!(
        "{} is restored. It opens with the keys in {}{advice}.\n",
        data.database().display(),
        keys.display()
    ))
}

fn print(text: &str) -> Result<()> {
    io::stdout().write_all(text.as_bytes()).context("cannot print")
}
