//! Rules of Leases.

use super::Rules;

/// The rules of Leases.
pub(super) struct Lease;

impl Rules for Lease {}
