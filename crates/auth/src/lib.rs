//! Who are you, may you: pure decisions over what they are given. No store, no HTTP, no clock.
#![deny(missing_docs)]

mod attributes;
mod decide;
mod identity;
mod rights;
pub mod x509;

pub use attributes::Attributes;
pub use decide::{Decision, decide};
pub use identity::{AUTHENTICATED, CLUSTER_ADMINS, Identity, MASTERS};
