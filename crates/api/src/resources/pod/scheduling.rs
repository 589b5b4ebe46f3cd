//! Where a pod may run: tolerations, gates, spreading, and selectors of labels.

use std::collections::BTreeSet;

use super::errors::{Errors, NOT_POSITIVE, number, one_of, optional_one_of, qualified};
use crate::field::{FieldError, Path};
use crate::names;
use crate::value::Value;

const EFFECTS: &[&str] = &["NoSchedule", "PreferNoSchedule", "NoExecute"];
const BY_NAME: &str = "operator must be Exists when `key` is empty, which means \"match all values and all keys\"";

/// `ValidateTolerations`
pub(super) fn validate_tolerations(tolerations: &[Value], path: &Path, errors: &mut Errors) {
    for (at, toleration) in tolerations.iter().enumerate() {
        let path = path.index(at);
        let text = |field: &str| toleration.text(&[field]);
        let (key, operator, effect) = (text("key"), text("operator"), text("effect"));
        if !key.is_empty() {
            qualified(&path.child("key"), key, errors);
        } else if operator != "Exists" {
            errors.push(FieldError::invalid(&path.child("operator"), operator, BY_NAME));
        }
        if toleration.get("tolerationSeconds").is_some() && effect != "NoExecute" {
            let fault = "effect must be 'NoExecute' when `tolerationSeconds` is set";
            errors.push(FieldError::invalid(&path.child("effect"), effect, fault));
        }
        validate_operator(operator, text("value"), &path, errors);
        if !effect.is_empty() {
            one_of(&path.child("effect"), effect, EFFECTS, errors);
        }
    }
}

fn validate_operator(operator: &str, value: &str, path: &Path, errors: &mut Errors) {
    match operator {
        "" | "Equal" => {
            let faults = names::label_value(value);
            if !faults.is_empty() {
                errors.push(FieldError::invalid(&path.child("operator"), value, faults.join(";")));
            }
        }
        "Exists" if value.is_empty() => {}
        "Exists" => {
            let fault = "value must be empty when `operator` is 'Exists'";
            errors.push(FieldError::invalid(&path.child("operator"), value, fault));
        }
        "Lt" | "Gt" => {
            if !is_decimal(value) {
                let fault = "must be a valid decimal integer in canonical form";
                errors.push(FieldError::invalid(&path.child("value"), value, fault));
            }
            if value.parse::<i64>().is_err() {
                let quoted = crate::field::quote(value);
                let digits = value.strip_prefix(['-', '+']).unwrap_or(value);
                let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
                let why = if is_number { "value out of range" } else { "invalid syntax" };
                let fault = format!("strconv.ParseInt: parsing {quoted}: {why}");
                errors.push(FieldError::invalid(&path.child("value"), value, fault));
            }
        }
        other => errors.push(FieldError::not_supported(&path.child("operator"), other, &["Equal", "Exists"])),
    }
}

/// `content.IsDecimalInteger`: no sign but a minus, no leading zeros.
fn is_decimal(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    plain && (digits == "0" && text == "0" || !digits.starts_with('0'))
}

/// `validateSchedulingGates`
pub(super) fn validate_gates(gates: &[Value], path: &Path, errors: &mut Errors) {
    let mut seen = BTreeSet::new();
    for (at, gate) in gates.iter().enumerate() {
        let name = gate.text(&["name"]);
        qualified(&path.index(at), name, errors);
        if !seen.insert(name) {
            errors.push(FieldError::duplicate(&path.index(at), name));
        }
    }
}

/// `validateReadinessGates`
pub(super) fn validate_readiness(gates: &[Value], path: &Path, errors: &mut Errors) {
    for (at, gate) in gates.iter().enumerate() {
        qualified(&path.index(at).child("conditionType"), gate.text(&["conditionType"]), errors);
    }
}

/// `validateTopologySpreadConstraints`
pub(super) fn validate_spread(constraints: &[Value], path: &Path, errors: &mut Errors) {
    for (at, constraint) in constraints.iter().enumerate() {
        let path = path.index(at);
        positive(&path.child("maxSkew"), number(constraint, "maxSkew"), errors);
        let (key, action) = (constraint.text(&["topologyKey"]), constraint.text(&["whenUnsatisfiable"]));
        if key.is_empty() {
            errors.push(FieldError::required(&path.child("topologyKey"), "can not be empty"));
        }
        one_of(&path.child("whenUnsatisfiable"), action, &["DoNotSchedule", "ScheduleAnyway"], errors);
        let same = |other: &Value| other.text(&["topologyKey"]) == key && other.text(&["whenUnsatisfiable"]) == action;
        if constraints.iter().skip(at + 1).any(same) {
            let pair = format!("{{{key}, {action}}}");
            errors.push(FieldError::duplicate(&path.child("{topologyKey, whenUnsatisfiable}"), &pair));
        }
        if let Some(least) = constraint.integer(&["minDomains"]) {
            let path = path.child("minDomains");
            positive(&path, least, errors);
            if action != "DoNotSchedule" {
                let fault = format!("can only use minDomains if whenUnsatisfiable=DoNotSchedule, not {action}");
                errors.push(FieldError::invalid(&path, least, fault));
            }
        }
        for field in ["nodeAffinityPolicy", "nodeTaintsPolicy"] {
            optional_one_of(constraint, field, &path, &["Honor", "Ignore"], errors);
        }
        validate_label_keys(constraint, &path, errors);
        validate_label_selector(constraint.get("labelSelector"), &path.child("labelSelector"), errors);
    }
}

fn positive(path: &Path, value: i64, errors: &mut Errors) {
    if value <= 0 {
        errors.push(FieldError::invalid(path, value, NOT_POSITIVE));
    }
}

/// `ValidateMatchLabelKeysAndMismatchLabelKeys` of what has these fields and a `labelSelector`.
pub(super) fn validate_label_keys(term: &Value, path: &Path, errors: &mut Errors) {
    let selector = term.get("labelSelector");
    for field in ["matchLabelKeys", "mismatchLabelKeys"] {
        let keys = term.list(&[field]);
        if selector.is_none() && !keys.is_empty() {
            let fault = "must not be specified when labelSelector is not set";
            errors.push(FieldError::forbidden(&path.child(field), fault));
            continue;
        }
        for (at, key) in keys.iter().filter_map(Value::as_str).enumerate() {
            qualified(&path.child(field).index(at), key, errors);
        }
    }
    let matched = term.list(&["matchLabelKeys"]);
    if let Some(selector) = selector {
        let mut selected: BTreeSet<&str> = selector.entries(&["matchLabels"]).map(|(key, _)| key.as_str()).collect();
        for expression in selector.list(&["matchExpressions"]) {
            let key = expression.text(&["key"]);
            let at = matched.iter().rposition(|one| one.as_str() == Some(key));
            if let Some(at) = at.filter(|_| selected.contains(key)) {
                let fault = "exists in both matchLabelKeys and labelSelector";
                errors.push(FieldError::invalid(&path.index(at), key, fault));
            }
            selected.insert(key);
        }
    }
    for (at, key) in matched.iter().enumerate().filter(|(_, key)| term.list(&["mismatchLabelKeys"]).contains(key)) {
        let fault = "exists in both matchLabelKeys and mismatchLabelKeys";
        let key = key.as_str().unwrap_or_default();
        errors.push(FieldError::invalid(&path.child("matchLabelKeys").index(at), key, fault));
    }
}

/// `metav1validation.ValidateLabelSelector`
pub(super) fn validate_label_selector(selector: Option<&Value>, path: &Path, errors: &mut Errors) {
    let Some(selector) = selector else { return };
    errors.extend(crate::meta::labels(&path.child("matchLabels"), selector.get("matchLabels")));
    for (at, expression) in selector.list(&["matchExpressions"]).iter().enumerate() {
        let path = path.child("matchExpressions").index(at);
        let values = expression.list(&["values"]);
        match expression.text(&["operator"]) {
            "In" | "NotIn" if values.is_empty() => {
                let fault = "must be specified when `operator` is 'In' or 'NotIn'";
                errors.push(FieldError::required(&path.child("values"), fault));
            }
            "Exists" | "DoesNotExist" if !values.is_empty() => {
                let fault = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
                errors.push(FieldError::forbidden(&path.child("values"), fault));
            }
            "In" | "NotIn" | "Exists" | "DoesNotExist" => {}
            other => {
                errors.push(FieldError::invalid(&path.child("operator"), other, "not a valid selector operator"));
            }
        }
        qualified(&path.child("key"), expression.text(&["key"]), errors);
        label_values(values, &path.child("values"), errors);
    }
}

/// Values that must look as those of labels.
pub(super) fn label_values(values: &[Value], path: &Path, errors: &mut Errors) {
    for (at, value) in values.iter().filter_map(Value::as_str).enumerate() {
        super::errors::faults(&path.index(at), value, names::label_value(value), errors);
    }
}
