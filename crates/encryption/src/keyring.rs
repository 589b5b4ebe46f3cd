//! Seals under the newest seed, opens under all.

use thiserror::Error;
use zeroize::Zeroizing;

use crate::provider::{Provider, ProviderError};

/// The keys at hand: one provider that seals, others that only open.
pub struct Keyring {
    _providers: Vec<Box<dyn Provider>>,
}

/// A keyring could not be made.
#[derive(Debug, Error)]
pub enum KeyringError {
    /// The name would not be found again in the prefix.
    #[error("provider name {0:?} is empty or contains a colon")]
    Name(String),
    /// The first seed could not be wrapped.
    #[error("wrap a fresh seed with provider {name}")]
    Wrap {
        /// The provider.
        name: String,
        /// The cause.
        #[source]
        source: ProviderError,
    },
}

/// A value could not be sealed.
#[derive(Debug, Error)]
#[error("seal a value")]
pub struct SealError;

/// A value could not be opened.
#[derive(Debug, Error)]
#[error("open a value")]
pub struct OpenError;

impl Keyring {
    /// Seals with `primary`; opens with all.
    pub fn new(primary: Box<dyn Provider>, readers: Vec<Box<dyn Provider>>) -> Result<Self, KeyringError> {
        let mut providers = vec![primary];
        providers.extend(readers);
        Ok(Self { _providers: providers })
    }

    /// Seals a value.
    pub fn seal(&self, plain: &[u8], aad: &[u8]) -> Result<Vec<u8>, SealError> {
        let _ = (plain, aad);
        Err(SealError)
    }

    /// Opens a value.
    pub fn open(&self, sealed: &[u8], aad: &[u8]) -> Result<Zeroizing<Vec<u8>>, OpenError> {
        let _ = (sealed, aad);
        Err(OpenError)
    }
}
