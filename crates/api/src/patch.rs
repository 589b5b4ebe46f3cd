//! Patches that work on untyped trees: JSON patch, merge patch, strategic merge patch.
//!
//! The caller encodes the stored object with `encode::untyped`, patches it, and decodes the result with
//! `decode::tree`, so that a patched object passes the same checks as one that was sent whole.

use crate::schema::{Schema, Shape, TypeId};
use crate::value::{Map, Value};

pub mod json;
pub mod merge;
pub mod restore;
pub mod strategic;

/// The media types of PATCH that are no apply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// `application/json-patch+json`
    Json,
    /// `application/merge-patch+json`
    Merge,
    /// `application/strategic-merge-patch+json`
    Strategic,
}

/// What a patch made.
#[derive(Debug)]
pub struct Patched {
    /// The patched object, untyped.
    pub value: Value,
    /// Strict decoding errors of the patch itself, e.g. `json patch unknown field "[0].colour"`.
    pub strict: Vec<String>,
}

/// Why a patch could not be applied; the text is the message of the Status where it has one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatchError {
    /// The patch cannot be read: 400, reason BadRequest.
    #[error("{0}")]
    Malformed(String),
    /// The patch is over a limit: 413, reason RequestEntityTooLarge.
    #[error("{0}")]
    TooLarge(String),
    /// The patch does not fit the object: 422, reason Invalid with the generic message of that code; Kubernetes
    /// keeps the text to itself.
    #[error("{0}")]
    Rejected(String),
    /// The patch gave no object of the kind: 422, reason Invalid, as an invalid value of the field `patch`.
    #[error("{0}")]
    Unfit(String),
    /// Anything else: 500 without a reason.
    #[error("{0}")]
    Failed(String),
}

/// Applies a patch to an untyped object of the built-in type.
pub fn apply(form: Form, definition: TypeId, object: Value, patch: Value) -> Result<Patched, PatchError> {
    let schema = crate::generated::schema();
    match form {
        Form::Json => {
            let patch = json::Patch::parse(patch)?;
            let strict = patch.unknown_fields();
            Ok(Patched { value: patch.apply(object)?, strict })
        }
        Form::Merge => Ok(Patched { value: merge::apply(object, patch)?, strict: Vec::new() }),
        Form::Strategic => {
            let value = strategic::apply(schema, definition, object, patch)?;
            restore::check(schema, definition, &value).map_err(PatchError::Unfit)?;
            Ok(Patched { value, strict: Vec::new() })
        }
    }
}

/// The object in a patch that must be one, or Go's complaint about what it is instead.
fn expect_object(patch: Value) -> Result<Map, String> {
    match patch {
        Value::Object(fields) => Ok(fields),
        other => {
            Err(format!("json: cannot unmarshal {} into Go value of type map[string]interface {{}}", json_kind(&other)))
        }
    }
}

/// What `encoding/json` calls a value that it cannot use.
fn json_kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Integer(_) | Value::Float(_) => "number",
        Value::String(_) | Value::Bytes(_) => "string",
        Value::List(_) => "array",
        Value::Object(_) => "object",
    }
}

/// The shape of a field or entry below a shape, with its field if it is one of a type.
fn below<'s>(
    schema: &'s Schema,
    shape: &'s Shape,
    name: &str,
) -> Option<(&'s Shape, Option<&'s crate::schema::Field>)> {
    match shape {
        Shape::Ref(id) => schema.get(*id).field(name).map(|field| (&field.shape, Some(field))),
        Shape::Map(inner) => Some((inner, None)),
        _ => None,
    }
}
