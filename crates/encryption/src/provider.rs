//! Who holds the key-encryption keys.

use thiserror::Error;

use crate::key::Key32;

/// Wraps and unwraps the seeds from which the keys of values are derived. The local key file is one; a KMS plugin, a TPM
/// or a PKCS#11 token are others.
pub trait Provider: Send + Sync {
    /// Its name in the prefix of what it sealed; without colon.
    fn name(&self) -> &str;

    /// The key that wraps now.
    fn key_id(&self) -> &str;

    /// Wraps a seed under the current key.
    fn wrap(&self, seed: &Key32) -> Result<Wrapped, ProviderError>;

    /// Unwraps what some key of this provider wrapped.
    fn unwrap(&self, wrapped: &Wrapped) -> Result<Key32, ProviderError>;
}

/// A wrapped seed and what the provider needs to unwrap it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Wrapped {
    /// Which key wrapped it (`keyID`).
    pub key_id: String,
    /// The wrapped seed (`encryptedDEKSource`).
    pub source: Vec<u8>,
    /// What the provider wants back at the unwrapping, sorted by name.
    pub annotations: Vec<(String, Vec<u8>)>,
}

/// A seed could not be wrapped or unwrapped.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ProviderError {
    /// The provider has no such key.
    #[error("unknown key id {0:?}")]
    UnknownKey(String),
    /// The wrapped seed was made by another key or is damaged.
    #[error("the wrapped seed is not authentic")]
    Authentication,
    /// The operating system gave no randomness.
    #[error("no randomness from the operating system")]
    Randomness,
    /// The provider cannot be asked now.
    #[error("the provider is not available")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
}
