//! Objects for tests from JSON texts, and what the rules say of them.

use crate::decode::{self, Expect, FieldValidation, Media};
use crate::field::FieldError;
use crate::resources::{self, Part, Resource};
use crate::value::Value;

/// The object of a JSON text with a kind; core `v1` unless it says otherwise.
pub(crate) fn object(json: &str) -> Value {
    let untyped: serde_json::Value = serde_json::from_str(json).expect("a test's JSON");
    let row = row_of(untyped["kind"].as_str().expect("a kind"), untyped["apiVersion"].as_str());
    let expect = Expect { group: row.group, version: row.version, kind: row.kind, definition: row.type_id() };
    let decoded = decode::object(&expect, Media::Json, json.as_bytes(), FieldValidation::Strict);
    decoded.expect("a test's object").value
}

/// The row of a kind, the face of its apiVersion if that is given.
pub(crate) fn row_of(kind: &str, api_version: Option<&str>) -> &'static Resource {
    let fits = |row: &&Resource| row.kind == kind && api_version.is_none_or(|wanted| row.api_version() == wanted);
    resources::all().iter().copied().find(fits).expect("a served kind")
}

/// The first row of a kind.
pub(crate) fn row(kind: &str) -> &'static Resource {
    row_of(kind, None)
}

/// What creating this object finds wrong, as the registry asks: metadata, then the kind.
pub(crate) fn create_errors(json: &str) -> Vec<String> {
    let mut object = object(json);
    let row = row_of(object.text(&["kind"]), Some(object.text(&["apiVersion"])));
    row.rules.default(&mut object);
    row.rules.prepare_create(&mut object);
    let mut errors = crate::meta::validate_create(row, &object);
    errors.extend(row.rules.validate(&object));
    errors.iter().map(FieldError::to_string).collect()
}

/// What changing `old` to `new` finds wrong.
pub(crate) fn update_errors(part: Part, old: &str, new: &str) -> Vec<String> {
    let (mut old, mut new) = (object(old), object(new));
    let row = row_of(new.text(&["kind"]), Some(new.text(&["apiVersion"])));
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
