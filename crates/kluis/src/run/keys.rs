//! The keys that seal the store.

use anyhow::{Context, Result};
use encryption::{KeyFileError, Keyring, LocalKey, Provider};

use crate::data_dir::DataDir;

/// The keyring of this folder, and the id of the key that seals what is written now. The first start makes a key;
/// beside a store there must be one already.
pub(super) fn open(data: &DataDir) -> Result<(Keyring, String)> {
    let folder = data.keys();
    let found = match LocalKey::load(&folder) {
        Err(KeyFileError::Missing(_)) if !data.database().exists() => LocalKey::create(&folder).map(|key| vec![key]),
        found => found,
    };
    let mut keys = found.context("cannot use the encryption keys")?.into_iter();
    let newest = keys.next().context("there is no encryption key")?;
    let id = newest.id().to_owned();
    let readers = keys.map(|key| Box::new(key) as Box<dyn Provider>).collect();
    Ok((Keyring::new(Box::new(newest), readers).context("cannot use the encryption keys")?, id))
}
