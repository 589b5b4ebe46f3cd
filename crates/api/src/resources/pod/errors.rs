//! What the rules of Pods share: a list of errors and ways to fill it.

use crate::field::{FieldError, Path, Shown};
use crate::names;
use crate::value::Value;

/// The errors found so far, in the order in which Kubernetes finds them.
pub(in crate::resources) type Errors = Vec<FieldError>;

/// The end of the messages about numbers that may not be negative (`IsNegativeErrorMsg`).
pub(super) const NEGATIVE: &str = "must be greater than or equal to 0";
/// `isNotPositiveErrorMsg`
pub(super) const NOT_POSITIVE: &str = "must be greater than zero";
/// The largest number of a Go `int32`.
pub(super) const MOST_INT32: i64 = 2_147_483_647;

/// One `Invalid` for each fault of a text.
pub(super) fn faults(path: &Path, text: &str, faults: Vec<String>, errors: &mut Errors) {
    errors.extend(faults.into_iter().map(|fault| FieldError::invalid(path, text, fault)));
}

/// `ValidateDNS1123Label`
pub(super) fn label(path: &Path, text: &str, errors: &mut Errors) {
    faults(path, text, names::label(text), errors);
}

/// `ValidateDNS1123Subdomain`
pub(super) fn subdomain(path: &Path, text: &str, errors: &mut Errors) {
    faults(path, text, names::subdomain(text), errors);
}

/// `ValidateQualifiedName` and `ValidateLabelName`
pub(super) fn qualified(path: &Path, text: &str, errors: &mut Errors) {
    faults(path, text, names::qualified(text), errors);
}

/// `IsInRange` of a number.
pub(super) fn range(path: &Path, value: i64, least: i64, most: i64, errors: &mut Errors) {
    let found = names::in_range(value, least, most);
    errors.extend(found.into_iter().map(|fault| FieldError::invalid(path, value, fault)));
}

/// `ValidateNonnegativeField`
pub(super) fn not_negative(path: &Path, value: i64, errors: &mut Errors) {
    if value < 0 {
        errors.push(FieldError::invalid(path, value, NEGATIVE));
    }
}

/// A text that must be there.
pub(super) fn required(path: Path, text: &str, errors: &mut Errors) {
    if text.is_empty() {
        errors.push(FieldError::required(&path, ""));
    }
}

/// A text that must be one of these.
pub(super) fn one_of(path: &Path, text: &str, supported: &[&str], errors: &mut Errors) {
    if !supported.contains(&text) {
        errors.push(FieldError::not_supported(path, text, supported));
    }
}

/// A text that must be there and one of these.
pub(super) fn required_one_of(path: &Path, text: &str, supported: &[&str], errors: &mut Errors) {
    if text.is_empty() {
        errors.push(FieldError::required(path, ""));
    } else {
        one_of(path, text, supported, errors);
    }
}

/// An optional text (a Go pointer) that must be one of these.
pub(super) fn optional_one_of(parent: &Value, field: &str, path: &Path, supported: &[&str], errors: &mut Errors) {
    if let Some(text) = parent.get(field).and_then(Value::as_str) {
        one_of(&path.child(field), text, supported, errors);
    }
}

/// The whole number in a field, 0 if it is absent, as a Go field is.
pub(super) fn number(parent: &Value, field: &str) -> i64 {
    parent.integer(&[field]).unwrap_or_default()
}

/// Whether a boolean field is set and true.
pub(super) fn is_true(parent: &Value, path: &[&str]) -> bool {
    parent.boolean(path).unwrap_or_default()
}

/// Whether a field is given.
pub(super) fn has(parent: &Value, field: &str) -> bool {
    parent.get(field).is_some()
}

/// A bad value that Kubernetes shows as JSON.
pub(super) struct Json<'a>(pub(super) &'a Value);

impl Shown for Json<'_> {
    fn shown(&self) -> String {
        let mut text = String::new();
        write_json(self.0, &mut text);
        text
    }
}

fn write_json(value: &Value, text: &mut String) {
    match value {
        Value::Null | Value::Bytes(_) => text.push_str("null"),
        Value::Bool(value) => text.push_str(&value.to_string()),
        Value::Integer(value) => text.push_str(&value.to_string()),
        Value::Float(value) => text.push_str(&value.to_string()),
        Value::String(value) => text.push_str(&crate::field::quote(value)),
        Value::List(items) => {
            text.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    text.push(',');
                }
                write_json(item, text);
            }
            text.push(']');
        }
        Value::Object(fields) => {
            text.push('{');
            for (at, (name, field)) in fields.iter().enumerate() {
                if at > 0 {
                    text.push(',');
                }
                text.push_str(&crate::field::quote(name));
                text.push(':');
                write_json(field, text);
            }
            text.push('}');
        }
    }
}
