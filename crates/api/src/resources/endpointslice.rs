//! Rules of EndpointSlices.

use super::Rules;

/// The rules of EndpointSlices.
pub(super) struct EndpointSlice;

impl Rules for EndpointSlice {}
