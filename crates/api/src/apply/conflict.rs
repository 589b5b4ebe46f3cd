//! Conflicts of an apply with other managers, and their texts.

use crate::apply::fields::FieldSet;
use crate::apply::managers::{Identity, Operation};
use crate::field::quote;

/// A field that somebody else owns with another value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// Who, as messages print it, e.g. `"kubectl-edit" using v1`.
    manager: String,
    /// The path of the field, e.g. `.data.k`: the `field` of the Status cause.
    pub field: String,
}

impl Conflict {
    /// The `message` of the Status cause; its reason is `FieldManagerConflict`.
    pub fn message(&self) -> String {
        format!("conflict with {}", self.manager)
    }
}

/// The fields that a manager would lose.
pub(super) fn with(who: &Identity, fields: &FieldSet) -> Vec<Conflict> {
    let manager = show(who);
    fields.paths().into_iter().map(|field| Conflict { manager: manager.clone(), field }).collect()
}

fn show(who: &Identity) -> String {
    let mut text = quote(&who.name);
    if !who.subresource.is_empty() {
        text.push_str(&format!(" with subresource {}", quote(&who.subresource)));
    }
    if who.operation == Operation::Update {
        text.push_str(&format!(" using {}", who.api_version));
    }
    text
}

/// The message of the Status; conflicts come grouped by manager.
pub(super) fn message(conflicts: &[Conflict]) -> String {
    if let [one] = conflicts {
        return format!("Apply failed with 1 conflict: {}: {}", one.message(), one.field);
    }
    let mut lines = Vec::new();
    let mut last = "";
    for conflict in conflicts {
        if conflict.manager != last {
            lines.push(format!("conflicts with {}:", conflict.manager));
            last = &conflict.manager;
        }
        lines.push(format!("- {}", conflict.field));
    }
    format!("Apply failed with {} conflicts: {}", conflicts.len(), lines.join("\n"))
}
