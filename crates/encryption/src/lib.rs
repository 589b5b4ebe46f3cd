//! Bytes in, sealed bytes out: the KMS v2 envelope of Kubernetes, under keys that never leave this crate in clear.
//!
//! The bytes are drawn in `docs/storage-format.md`.
#![deny(missing_docs)]

mod envelope;
mod key;
mod keyring;
mod local;
mod provider;
mod seed;

pub use key::Key32;
pub use keyring::{Keyring, KeyringError, OpenError, Origin, SealError, Status};
pub use local::{KeyFileError, LocalKey};
pub use provider::{Provider, ProviderError, Wrapped};
