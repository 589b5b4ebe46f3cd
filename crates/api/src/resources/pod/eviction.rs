//! `pods/eviction`: a delete that asks the disruption budgets (`pkg/registry/core/pod/storage/eviction.go`). Budgets
//! are not served, so nothing holds an eviction back.

use thiserror::Error;

use crate::value::Value;

/// Why an Eviction is refused: 400.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum EvictError {
    /// The Eviction is of another pod.
    #[error("name in URL does not match name in Eviction object")]
    Name,
}

/// The options of the delete that evicts the pod of this name: those in the Eviction, or none.
///
/// # Errors
/// The Eviction names another pod.
pub fn delete_options(name: &str, eviction: &Value) -> Result<Value, EvictError> {
    if eviction.name() != name {
        return Err(EvictError::Name);
    }
    Ok(eviction.get("deleteOptions").cloned().unwrap_or_else(Value::object))
}
