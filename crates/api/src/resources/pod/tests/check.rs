//! How the tests ask the rules.

use crate::decode::{self, Expect, FieldValidation, Media};
use crate::field::FieldError;
use crate::meta;
use crate::resources::pod::Pod;
use crate::resources::{Part, Rules};
use crate::testing::row;
use crate::value::Value;

/// A decoded and defaulted Pod.
pub(super) fn pod(json: &serde_json::Value) -> Value {
    let definition = row("Pod").type_id();
    let expect = Expect { group: "", version: "v1", kind: "Pod", definition };
    let decoded = decode::object(&expect, Media::Json, json.to_string().as_bytes(), FieldValidation::Strict);
    let mut object = decoded.expect("a Pod").value;
    object.set(&["metadata", "namespace"], "default");
    Pod.default(&mut object);
    object
}

/// A Pod named `p` with this spec; a container `c` unless the spec has its own.
pub(super) fn with_spec(spec: serde_json::Value) -> Value {
    let mut spec = spec;
    let fields = spec.as_object_mut().expect("a spec");
    fields.entry("containers").or_insert_with(|| serde_json::json!([{ "name": "c", "image": "i" }]));
    fields.entry("serviceAccountName").or_insert_with(|| "x".into());
    pod(&serde_json::json!({ "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "p" }, "spec": spec }))
}

/// The Pod as it would be stored.
pub(super) fn created(mut pod: Value) -> Value {
    Pod.prepare_create(&mut pod);
    pod
}

/// The errors of a create, as the message of the Status has them.
pub(super) fn create_errors(pod: &Value) -> Vec<String> {
    let pod = created(pod.clone());
    let mut errors = meta::validate_create(row("Pod"), &pod);
    errors.extend(Pod.validate(&pod));
    errors.iter().map(FieldError::to_string).collect()
}

/// The errors of a change of this part.
pub(super) fn update_errors(part: Part, old: &Value, new: &Value) -> Vec<String> {
    let mut new = new.clone();
    Pod.prepare_update(part, &mut new, old);
    Pod.validate_update(part, &new, old).iter().map(FieldError::to_string).collect()
}

/// Compares errors with the wanted ones; a wanted one that ends in `...` need only begin so.
pub(super) fn same(name: &str, got: &[String], wanted: &[&str]) {
    let fits = |(got, wanted): (&String, &&str)| match wanted.strip_suffix("...") {
        Some(start) => got.starts_with(start),
        None => got == wanted,
    };
    let right = got.len() == wanted.len() && got.iter().zip(wanted).all(fits);
    assert!(right, "{name}:\n got {got:#?}\n wanted {wanted:#?}");
}

/// The message of the Status of these errors.
pub(super) fn message(name: &str, errors: &[String]) -> String {
    match errors {
        [one] => format!("Pod \"{name}\" is invalid: {one}"),
        several => format!("Pod \"{name}\" is invalid: [{}]", several.join(", ")),
    }
}
