//! Bytes in, sealed bytes out: the KMS v2 envelope of Kubernetes under keys that never leave this crate in clear.
#![deny(missing_docs)]

mod key;
mod keyring;
mod provider;

pub use key::Key32;
pub use keyring::{Keyring, KeyringError, OpenError, SealError};
pub use provider::{Provider, ProviderError, Wrapped};
