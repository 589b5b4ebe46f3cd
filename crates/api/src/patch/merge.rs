//! JSON merge patch (RFC 7396).

use crate::patch::{PatchError, expect_object};
use crate::value::{Map, Value};

/// Merges the patch into the object: null removes, objects are merged, everything else replaces.
pub fn apply(mut object: Value, patch: Value) -> Result<Value, PatchError> {
    if patch == Value::Null {
        return Err(PatchError::Malformed("Invalid JSON Patch".to_owned()));
    }
    let patch = expect_object(patch).map_err(|text| PatchError::Malformed(format!("error decoding patch: {text}")))?;
    merge_fields(&mut object, patch);
    Ok(object)
}

/// Merges fields into a value, which becomes an object if it was none.
fn merge_fields(target: &mut Value, patch: Map) {
    if target.as_object().is_none() {
        *target = Value::object();
    }
    let Value::Object(fields) = target else { return };
    for (name, value) in patch {
        match value {
            Value::Null => {
                fields.remove(&name);
            }
            Value::Object(inner) => merge_fields(fields.entry(name).or_insert_with(Value::object), inner),
            other => {
                fields.insert(name, other);
            }
        }
    }
}

#[cfg(test)]
mod tests;
