//! Affinity of pods to nodes and to each other: its structure.

use super::errors::{Errors, number, qualified};
use super::scheduling::{label_values, validate_label_keys, validate_label_selector};
use crate::field::{FieldError, Path};
use crate::names;
use crate::value::Value;

const REQUIRED: &str = "requiredDuringSchedulingIgnoredDuringExecution";
const PREFERRED: &str = "preferredDuringSchedulingIgnoredDuringExecution";

/// `validateAffinity`
pub(super) fn validate(affinity: Option<&Value>, path: &Path, errors: &mut Errors) {
    let Some(affinity) = affinity else { return };
    if let Some(nodes) = affinity.get("nodeAffinity") {
        validate_nodes(nodes, &path.child("nodeAffinity"), errors);
    }
    for field in ["podAffinity", "podAntiAffinity"] {
        if let Some(pods) = affinity.get(field) {
            validate_pods(pods, &path.child(field), errors);
        }
    }
}

/// `validateNodeAffinity`
fn validate_nodes(affinity: &Value, path: &Path, errors: &mut Errors) {
    if let Some(selector) = affinity.get(REQUIRED) {
        let path = path.child(REQUIRED).child("nodeSelectorTerms");
        let terms = selector.list(&["nodeSelectorTerms"]);
        if terms.is_empty() {
            errors.push(FieldError::required(&path, "must have at least one node selector term"));
        }
        for (at, term) in terms.iter().enumerate() {
            validate_term(term, Values::Checked, &path.index(at), errors);
        }
    }
    for (at, term) in affinity.list(&[PREFERRED]).iter().enumerate() {
        let path = path.child(PREFERRED).index(at);
        validate_weight(term, &path, errors);
        if let Some(preference) = term.get("preference") {
            validate_term(preference, Values::Any, &path.child("preference"), errors);
        }
    }
}

/// Whether values must look as those of labels; what is only preferred may name others.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Values {
    Checked,
    Any,
}

/// `ValidateNodeSelectorTerm`
fn validate_term(term: &Value, values: Values, path: &Path, errors: &mut Errors) {
    for (at, requirement) in term.list(&["matchExpressions"]).iter().enumerate() {
        validate_requirement(requirement, values, &path.child("matchExpressions").index(at), errors);
    }
    for (at, requirement) in term.list(&["matchFields"]).iter().enumerate() {
        validate_field(requirement, &path.child("matchFields").index(at), errors);
    }
}

/// `ValidateNodeSelectorRequirement`
fn validate_requirement(requirement: &Value, check: Values, path: &Path, errors: &mut Errors) {
    let values = requirement.list(&["values"]);
    let at = path.child("values");
    match requirement.text(&["operator"]) {
        "In" | "NotIn" if values.is_empty() => {
            errors.push(FieldError::required(&at, "must be specified when `operator` is 'In' or 'NotIn'"));
        }
        "Exists" | "DoesNotExist" if !values.is_empty() => {
            let fault = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
            errors.push(FieldError::forbidden(&at, fault));
        }
        "Gt" | "Lt" if values.len() != 1 => {
            let fault = "must be specified single value when `operator` is 'Lt' or 'Gt'";
            errors.push(FieldError::required(&at, fault));
        }
        "In" | "NotIn" | "Exists" | "DoesNotExist" | "Gt" | "Lt" => {}
        other => errors.push(FieldError::invalid(&path.child("operator"), other, "not a valid selector operator")),
    }
    qualified(&path.child("key"), requirement.text(&["key"]), errors);
    if check == Values::Checked {
        label_values(values, &at, errors);
    }
}

/// `ValidateNodeFieldSelectorRequirement`
fn validate_field(requirement: &Value, path: &Path, errors: &mut Errors) {
    let values = requirement.list(&["values"]);
    match requirement.text(&["operator"]) {
        "In" | "NotIn" if values.len() == 1 => {}
        "In" | "NotIn" => {
            let fault = "must be only one value when `operator` is 'In' or 'NotIn' for node field selector";
            errors.push(FieldError::required(&path.child("values"), fault));
        }
        other => errors.push(FieldError::invalid(&path.child("operator"), other, "not a valid selector operator")),
    }
    let key = requirement.text(&["key"]);
    if key != "metadata.name" {
        errors.push(FieldError::invalid(&path.child("key"), key, "not a valid field selector key"));
        return;
    }
    for (at, value) in values.iter().filter_map(Value::as_str).enumerate() {
        super::errors::faults(&path.child("values").index(at), value, names::subdomain(value), errors);
    }
}

/// `validatePodAffinity`, `validatePodAntiAffinity`
fn validate_pods(affinity: &Value, path: &Path, errors: &mut Errors) {
    for (at, term) in affinity.list(&[REQUIRED]).iter().enumerate() {
        validate_pod_term(term, &path.child(REQUIRED).index(at), errors);
    }
    for (at, term) in affinity.list(&[PREFERRED]).iter().enumerate() {
        let path = path.child(PREFERRED).index(at);
        validate_weight(term, &path, errors);
        if let Some(term) = term.get("podAffinityTerm") {
            validate_pod_term(term, &path.child("podAffinityTerm"), errors);
        }
    }
}

fn validate_weight(term: &Value, path: &Path, errors: &mut Errors) {
    let weight = number(term, "weight");
    if !(1..=100).contains(&weight) {
        errors.push(FieldError::invalid(&path.child("weight"), weight, "must be in the range 1-100"));
    }
}

/// `validatePodAffinityTerm`
fn validate_pod_term(term: &Value, path: &Path, errors: &mut Errors) {
    for field in ["labelSelector", "namespaceSelector"] {
        validate_label_selector(term.get(field), &path.child(field), errors);
    }
    for name in term.list(&["namespaces"]).iter().filter_map(Value::as_str) {
        super::errors::faults(&path.child("namespace"), name, names::label(name), errors);
    }
    validate_label_keys(term, path, errors);
    let key = term.text(&["topologyKey"]);
    if key.is_empty() {
        errors.push(FieldError::required(&path.child("topologyKey"), "can not be empty"));
    }
    qualified(&path.child("topologyKey"), key, errors);
}
