//! Rules of Namespaces: `pkg/apis/core/validation` `ValidateNamespace`, `pkg/registry/core/namespace/strategy.go`.

use super::{Cell, NameRule, Part, Rules};
use crate::field::{FieldError, Path};
use crate::meta::{self, Repeats};
use crate::names;
use crate::time;
use crate::value::Value;

/// The rules of Namespaces.
pub(super) struct Namespace;

/// The label that every namespace has: its own name.
const NAME_LABEL: &str = "kubernetes.io/metadata.name";

impl Rules for Namespace {
    /// `SetDefaults_Namespace` and `SetDefaults_NamespaceStatus`
    fn default(&self, object: &mut Value) {
        label_with_name(object);
        object.set_if_absent(&["status", "phase"], "Active");
    }

    fn prepare_create(&self, object: &mut Value) {
        label_with_name(object);
        object.set(&["status"], Value::object());
        object.set(&["status", "phase"], "Active");
        object.set_if_absent(&["spec", "finalizers"], Vec::new());
        let Some(finalizers) = object.at_mut(&["spec", "finalizers"]).and_then(Value::as_list_mut) else { return };
        if !finalizers.iter().any(|one| one.as_str() == Some("kubernetes")) {
            finalizers.push("kubernetes".into());
        }
    }

    fn validate(&self, object: &Value) -> Vec<FieldError> {
        let path = Path::new("spec").child("finalizers");
        finalizer_texts(object).flat_map(|text| finalizer(&path, text)).collect()
    }

    fn prepare_update(&self, part: Part, new: &mut Value, old: &Value) {
        let kept: &[&[&str]] = match part {
            Part::Whole => &[&["spec", "finalizers"], &["status"]],
            Part::Status => &[&["spec"]],
            Part::Named(_) => &[&["status"]],
        };
        for path in kept {
            keep(path, new, old);
        }
    }

    fn validate_update(&self, part: Part, new: &Value, _old: &Value) -> Vec<FieldError> {
        match part {
            Part::Whole => self.validate(new),
            Part::Status => phase(new).into_iter().collect(),
            Part::Named(_) => {
                let path = Path::new("spec").child("finalizers");
                finalizer_texts(new).enumerate().flat_map(|(at, text)| finalizer(&path.index(at), text)).collect()
            }
        }
    }

    fn name_rule(&self) -> NameRule {
        NameRule::DnsLabel
    }

    fn repeats(&self, part: Part) -> Repeats {
        Repeats { update: true, create: part == Part::Whole }
    }

    fn selectable(&self, object: &Value) -> Vec<(&'static str, String)> {
        vec![("status.phase", object.text(&["status", "phase"]).to_owned())]
    }

    fn selectable_names(&self) -> &'static [&'static str] {
        &["status.phase"]
    }

    fn cells(&self, object: &Value) -> Vec<Cell> {
        vec![
            Cell::Text(object.name().into()),
            Cell::Text(object.text(&["status", "phase"]).into()),
            Cell::Age(time::creation(object)),
        ]
    }

    fn is_held(&self, object: &Value) -> bool {
        finalizer_texts(object).next().is_some()
    }

    /// The delete of `pkg/registry/core/namespace/storage`, which knows no grace period.
    fn mark_deleting(&self, object: &mut Value) {
        if self.is_held(object) {
            object.set(&["status", "phase"], "Terminating");
            object.remove(&["metadata", "deletionGracePeriodSeconds"]);
        }
    }

    fn reset_fields(&self, part: Part) -> &'static [&'static [&'static str]] {
        match part {
            Part::Whole => &[&["status"]],
            Part::Status => &[&["spec"]],
            Part::Named(_) => &[&["status"]],
        }
    }
}

/// Puts back what the old object has at this path, or takes away what it has not.
pub(super) fn keep(path: &[&str], new: &mut Value, old: &Value) {
    match old.at(path) {
        Some(value) => new.set(path, value.clone()),
        None => {
            new.remove(path);
        }
    }
}

fn label_with_name(object: &mut Value) {
    let name = object.name().to_owned();
    if !name.is_empty() {
        object.set(&["metadata", "labels", NAME_LABEL], name);
    }
}

fn finalizer_texts(object: &Value) -> impl Iterator<Item = &str> {
    object.list(&["spec", "finalizers"]).iter().filter_map(Value::as_str)
}

/// `validateFinalizerName`
fn finalizer(path: &Path, text: &str) -> Vec<FieldError> {
    let faults = names::qualified(text).into_iter().map(|fault| FieldError::invalid(path, text, fault));
    faults.chain(meta::standard_finalizer(path, text)).collect()
}

/// `ValidateNamespaceStatusUpdate`: the phase follows from deletionTimestamp.
fn phase(new: &Value) -> Option<FieldError> {
    let given = new.text(&["status", "phase"]);
    let (wanted, detail) = if new.is_deleting() {
        ("Terminating", "may only be 'Terminating' if `deletionTimestamp` is not empty")
    } else {
        ("Active", "may only be 'Active' if `deletionTimestamp` is empty")
    };
    (given != wanted).then(|| FieldError::invalid(&Path::new("status").child("Phase"), given, detail))
}

#[cfg(test)]
mod tests {
    use crate::resources::Part;
    use crate::testing::{check, create_errors, object, row, update_errors};

    fn namespace(fields: &str) -> String {
        format!(r#"{{"apiVersion":"v1","kind":"Namespace","metadata":{{"name":"n","resourceVersion":"1"}},{fields}}}"#)
    }

    #[test]
    fn on_create() {
        // TestValidateNamespace
        let table: &[(&str, &[&str])] = &[
            (r#""spec":{"finalizers":["example.com/x"]}"#, &[]),
            (
                r#""spec":{"finalizers":["x y"]}"#,
                &[
                    r#"spec.finalizers: Invalid value: "x y": name part must consist of"#,
                    r#"spec.finalizers: Invalid value: "x y": name is neither a standard finalizer name"#,
                ],
            ),
        ];
        for (fields, wanted) in table {
            check(fields, &create_errors(&namespace(fields)), wanted);
        }
    }

    #[test]
    fn on_update() {
        // TestValidateNamespaceUpdate, TestValidateNamespaceStatusUpdate, TestValidateNamespaceFinalizeUpdate
        let old = namespace(r#""spec":{"finalizers":["kubernetes"]}"#);
        let terminating = namespace(r#""status":{"phase":"Terminating"}"#);
        check(
            "status",
            &update_errors(Part::Status, &old, &terminating),
            &[r#"status.Phase: Invalid value: "Terminating": may only be 'Active' if `deletionTimestamp` is empty"#],
        );
        check("status by the main path is put back", &update_errors(Part::Whole, &old, &terminating), &[]);
        let odd = namespace(r#""spec":{"finalizers":["odd"]}"#);
        check(
            "finalize",
            &update_errors(Part::Named("finalize"), &old, &odd),
            &[r#"spec.finalizers[0]: Invalid value: "odd": name is neither a standard finalizer name"#],
        );
    }

    #[test]
    fn each_part_changes_its_own() {
        // TestNamespaceStrategy, TestNamespaceStatusStrategy, TestNamespaceFinalizeStrategy
        let rules = row("Namespace").rules;
        let old = object(&namespace(r#""spec":{"finalizers":["kubernetes"]},"status":{"phase":"Active"}"#));
        let prepared = |part: Part| {
            let mut new = object(&namespace(r#""spec":{},"status":{"phase":"Terminating"}"#));
            rules.prepare_update(part, &mut new, &old);
            (new.list(&["spec", "finalizers"]).len(), new.text(&["status", "phase"]).to_owned())
        };
        assert_eq!(prepared(Part::Whole), (1, "Active".to_owned()));
        assert_eq!(prepared(Part::Status), (1, "Terminating".to_owned()));
        assert_eq!(prepared(Part::Named("finalize")), (0, "Active".to_owned()));
    }
}
