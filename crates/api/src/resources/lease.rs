//! Rules of Leases: `pkg/apis/coordination/validation`, `pkg/registry/coordination/lease/strategy.go`.

use super::{Cell, Part, Rules};
use crate::field::{FieldError, Path};
use crate::meta::{MetaStyle, Repeats};
use crate::names;
use crate::time;
use crate::value::Value;

/// The rules of Leases.
pub(super) struct Lease;

/// Fields of coordinated leader election, a feature that is off in 1.36 and whose fields are dropped then.
const COORDINATED: [&str; 2] = ["strategy", "preferredHolder"];

impl Rules for Lease {
    fn prepare_create(&self, object: &mut Value) {
        for name in COORDINATED {
            object.remove(&["spec", name]);
        }
    }

    fn prepare_update(&self, _part: Part, new: &mut Value, old: &Value) {
        for name in COORDINATED {
            if old.at(&["spec", name]).is_none() {
                new.remove(&["spec", name]);
            }
        }
    }

    /// `ValidateLeaseSpec`
    fn validate(&self, object: &Value) -> Vec<FieldError> {
        let path = |name: &str| Path::new("spec").child(name);
        let number = |name: &str| object.integer(&["spec", name]);
        let mut errors = Vec::new();
        if let Some(seconds) = number("leaseDurationSeconds").filter(|seconds| *seconds <= 0) {
            errors.push(FieldError::invalid(&path("leaseDurationSeconds"), seconds, "must be greater than 0"));
        }
        if let Some(count) = number("leaseTransitions").filter(|count| *count < 0) {
            let detail = "must be greater than or equal to 0";
            errors.push(FieldError::invalid(&path("leaseTransitions"), count, detail));
        }
        let strategy = object.text(&["spec", "strategy"]);
        if object.at(&["spec", "strategy"]).is_some() {
            errors.extend(validate_strategy(strategy));
        }
        if !object.text(&["spec", "preferredHolder"]).is_empty() && strategy.is_empty() {
            let detail = "may only be specified if `strategy` is defined";
            errors.push(FieldError::forbidden(&path("preferredHolder"), detail));
        }
        errors
    }

    fn meta_style(&self) -> MetaStyle {
        MetaStyle::Plain
    }

    fn repeats(&self, _part: Part) -> Repeats {
        Repeats { update: true, create: false }
    }

    fn cells(&self, object: &Value) -> Vec<Cell> {
        vec![
            Cell::Text(object.name().into()),
            Cell::Text(object.text(&["spec", "holderIdentity"]).into()),
            Cell::Age(time::creation(object)),
        ]
    }
}

/// `ValidateCoordinatedLeaseStrategy`, which names the field twice.
fn validate_strategy(strategy: &str) -> Vec<FieldError> {
    let path = Path::new("spec").child("strategy").child("strategy");
    if strategy.contains('/') {
        return FieldError::each(&path, strategy, names::qualified(strategy));
    }
    let supported = ["OldestEmulationVersion"];
    let known = supported.contains(&strategy);
    (!known).then(|| FieldError::not_supported(&path, strategy, &supported)).into_iter().collect()
}

#[cfg(test)]
mod tests {
    use crate::resources::Part;
    use crate::testing::{check, create_errors, object, row, update_errors};

    fn lease(spec: &str) -> String {
        format!(
            r#"{{"apiVersion":"coordination.k8s.io/v1","kind":"Lease","metadata":{{"name":"l","namespace":"n","resourceVersion":"1"}},"spec":{{{spec}}}}}"#
        )
    }

    #[test]
    fn on_create_and_update() {
        // TestValidateLease, TestValidateLeaseSpec, TestValidateLeaseSpecUpdate
        let table: &[(&str, &[&str])] = &[
            (r#""holderIdentity":"me","leaseDurationSeconds":10,"leaseTransitions":0"#, &[]),
            (
                r#""leaseDurationSeconds":0,"leaseTransitions":-1"#,
                &[
                    "spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0",
                    "spec.leaseTransitions: Invalid value: -1: must be greater than or equal to 0",
                ],
            ),
            (r#""strategy":"Odd","preferredHolder":"me""#, &[]),
        ];
        for (spec, wanted) in table {
            check(spec, &create_errors(&lease(spec)), wanted);
            check(spec, &update_errors(Part::Whole, &lease(""), &lease(spec)), wanted);
        }
        let owned = lease("").replace(r#""name":"l""#, r#""name":"l","finalizers":["hold"]"#);
        check("a finalizer needs no domain here", &create_errors(&owned), &[]);
    }

    #[test]
    fn fields_of_coordinated_election_stay_only_where_they_were() {
        let rules = row("Lease").rules;
        let old = object(&lease(r#""strategy":"Odd""#));
        let mut new = object(&lease(r#""strategy":"Odd","preferredHolder":"me""#));
        rules.prepare_update(Part::Whole, &mut new, &old);
        assert!(new.at(&["spec", "strategy"]).is_some() && new.at(&["spec", "preferredHolder"]).is_none());
        let errors = rules.validate_update(Part::Whole, &new, &old);
        let wanted = r#"spec.strategy.strategy: Unsupported value: "Odd": supported values: "OldestEmulationVersion""#;
        assert_eq!(errors.first().map(ToString::to_string).as_deref(), Some(wanted));
    }
}
