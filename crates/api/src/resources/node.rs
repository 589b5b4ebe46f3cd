//! Rules of Nodes.

use super::Rules;

/// The rules of Nodes.
pub(super) struct Node;

impl Rules for Node {}
