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
