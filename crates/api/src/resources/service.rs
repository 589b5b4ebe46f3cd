//! Rules of Services.

use super::Rules;

/// The rules of Services.
pub(super) struct Service;

impl Rules for Service {}
