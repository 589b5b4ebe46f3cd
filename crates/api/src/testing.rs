//! Objects for tests from JSON texts, without the decoder: what it normalises is not normalised here.

use base64::Engine as _;

use crate::field::FieldError;
use crate::resources::{self, Part, Resource};
use crate::value::{SecretBytes, Value};

/// The object of a JSON text; the byte fields of Secrets and ConfigMaps are decoded.
pub(crate) fn object(json: &str) -> Value {
    let mut object = convert(&serde_json::from_str(json).expect("a test's JSON"));
    let bytes: &[&str] = match object.text(&["kind"]) {
        "Secret" => &["data"],
        "ConfigMap" => &["binaryData"],
        _ => &[],
    };
    for field in bytes {
        for value in object.get_mut(field).and_then(Value::as_object_mut).into_iter().flat_map(|map| map.values_mut()) {
            let text = value.as_str().unwrap_or_default();
            let decoded = base64::engine::general_purpose::STANDARD.decode(text).expect("a test's base64");
            *value = Value::Bytes(SecretBytes::new(decoded));
        }
    }
    object
}

fn convert(json: &serde_json::Value) -> Value {
    match json {
        serde_json::Value::Null => Value::Null,
        serde_json::Value::Bool(value) => Value::Bool(*value),
        serde_json::Value::Number(number) => {
            number.as_i64().map_or_else(|| Value::Float(number.as_f64().unwrap_or_default()), Value::Integer)
        }
        serde_json::Value::String(text) => Value::from(text.as_str()),
        serde_json::Value::Array(items) => Value::List(items.iter().map(convert).collect()),
        serde_json::Value::Object(fields) => {
            Value::Object(fields.iter().map(|(name, value)| (name.clone(), convert(value))).collect())
        }
    }
}

/// The row that a JSON text's apiVersion and kind name; core when it says nothing.
pub(crate) fn row(kind: &str) -> &'static Resource {
    resources::all().iter().copied().find(|row| row.kind == kind).expect("a served kind")
}

/// What creating this object finds wrong, as the registry asks: metadata, then the kind.
pub(crate) fn create_errors(json: &str) -> Vec<String> {
    let mut object = object(json);
    let row = row(object.text(&["kind"]));
    row.rules.default(&mut object);
    row.rules.prepare_create(&mut object);
    let mut errors = crate::meta::validate_create(row, &object);
    errors.extend(row.rules.validate(&object));
    errors.iter().map(FieldError::to_string).collect()
}

/// What changing `old` to `new` finds wrong.
pub(crate) fn update_errors(part: Part, old: &str, new: &str) -> Vec<String> {
    let (mut old, mut new) = (object(old), object(new));
    let row = row(new.text(&["kind"]));
    row.rules.default(&mut old);
    row.rules.default(&mut new);
    row.rules.prepare_update(part, &mut new, &old);
    let mut errors = crate::meta::validate_update(row, part, &new, &old);
    errors.extend(row.rules.validate_update(part, &new, &old));
    errors.iter().map(FieldError::to_string).collect()
}

/// Compares the errors with the wanted beginnings, in order.
pub(crate) fn check(name: &str, got: &[String], wanted: &[&str]) {
    let right = got.len() == wanted.len() && got.iter().zip(wanted).all(|(got, wanted)| got.starts_with(wanted));
    assert!(right, "{name}:\n got {got:#?}\n wanted {wanted:#?}");
}
