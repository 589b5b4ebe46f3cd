//! Rules of Endpointss.

use super::Rules;

/// The rules of Endpointss.
pub(super) struct Endpoints;

impl Rules for Endpoints {}
