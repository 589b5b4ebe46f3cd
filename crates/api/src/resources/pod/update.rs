//! Changes of pods: `ValidatePodUpdate`, `ValidatePodEphemeralContainersUpdate`.

use super::errors::{Errors, MOST_INT32};
use super::{annotations, containers, scheduling};
use crate::field::{FieldError, Path, Verbatim, quote};
use crate::value::Value;

/// `updatablePodSpecFields`
const UPDATABLE: &str = "`spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,\
                         `spec.tolerations` (only additions to existing tolerations),\
                         `spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)";
const NODE_TERMS: &[&str] =
    &["affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution", "nodeSelectorTerms"];

/// What `ValidatePodUpdate` asks beyond a right pod; `new` is valid by itself or its errors are told already.
pub(super) fn validate(new: &Value, old: &Value, errors: &mut Errors) {
    annotations::validate_update(new, old, errors);
    let path = Path::new("spec");
    let (Some(spec), Some(before)) = (new.get("spec"), old.get("spec")) else { return };
    for list in ["containers", "initContainers"] {
        if !validate_images(spec.list(&[list]), before.list(&[list]), &path.child(list), errors) {
            return;
        }
    }
    if !validate_deadline(spec, before, &path.child("activeDeadlineSeconds"), errors) {
        return;
    }
    validate_tolerations(spec, before, &path.child("tolerations"), errors);
    validate_gates(spec, before, &path.child("schedulingGates"), errors);
    if spec == before {
        return;
    }
    let mut munged = munge(spec, before);
    if !before.list(&["schedulingGates"]).is_empty() {
        munge_gated(&mut munged, before, &path, errors);
    }
    if munged != *before {
        let diff = difference(before, &munged);
        let fault = format!("pod updates may not change fields other than {UPDATABLE}\n{diff}");
        errors.push(FieldError::forbidden(&path, fault));
    }
}

/// `ValidateContainerUpdates`; false if the containers cannot be compared.
fn validate_images(new: &[Value], old: &[Value], path: &Path, errors: &mut Errors) -> bool {
    if new.len() != old.len() {
        errors.push(FieldError::forbidden(path, "pod updates may not add or remove containers"));
        return false;
    }
    for (at, container) in new.iter().enumerate() {
        let path = path.index(at);
        if container.text(&["image"]).is_empty() {
            errors.push(FieldError::required(&path.child("image"), ""));
        }
        containers::validate_image_padding(container, &path, errors);
    }
    true
}

/// A deadline may be set and made shorter; false if the rest is not worth a look.
fn validate_deadline(spec: &Value, before: &Value, path: &Path, errors: &mut Errors) -> bool {
    let field = &["activeDeadlineSeconds"];
    match (spec.integer(field), before.integer(field)) {
        (Some(new), _) if !(0..=MOST_INT32).contains(&new) => {
            let fault = format!("must be between 0 and {MOST_INT32}, inclusive");
            errors.push(FieldError::invalid(path, new, fault));
            false
        }
        (Some(new), Some(old)) if old < new => {
            errors.push(FieldError::invalid(path, new, "must be less than or equal to previous value"));
            false
        }
        (None, Some(_)) => {
            let fault = "must not update from a positive integer to nil value";
            errors.push(FieldError::invalid(path, Verbatim("null"), fault));
            true
        }
        _ => true,
    }
}

/// `validateOnlyAddedTolerations`
fn validate_tolerations(spec: &Value, before: &Value, path: &Path, errors: &mut Errors) {
    let plain = |toleration: &Value| {
        let mut plain = toleration.clone();
        plain.remove(&["tolerationSeconds"]);
        plain
    };
    let new = spec.list(&["tolerations"]);
    let stays = |old: &Value| new.iter().any(|one| plain(one) == plain(old));
    if before.list(&["tolerations"]).iter().all(stays) {
        scheduling::validate_tolerations(new, path, errors);
    } else {
        let fault = "existing toleration can not be modified except its tolerationSeconds";
        errors.push(FieldError::forbidden(path, fault));
    }
}

/// `validateOnlyDeletedSchedulingGates`
fn validate_gates(spec: &Value, before: &Value, path: &Path, errors: &mut Errors) {
    let old = before.list(&["schedulingGates"]);
    for (at, gate) in spec.list(&["schedulingGates"]).iter().enumerate() {
        let name = gate.text(&["name"]);
        if !old.iter().any(|one| one.text(&["name"]) == name) {
            let fault = format!("only deletion is allowed, but found new scheduling gate '{name}'");
            errors.push(FieldError::forbidden(&path.index(at).child("name"), fault));
        }
    }
}

/// The new spec with what may change put back.
fn munge(spec: &Value, before: &Value) -> Value {
    let mut munged = spec.clone();
    for list in ["containers", "initContainers"] {
        let containers = munged.get_mut(list).and_then(Value::as_list_mut);
        for (container, old) in containers.into_iter().flatten().zip(before.list(&[list])) {
            put_back(container, old, "image");
        }
    }
    for field in ["activeDeadlineSeconds", "schedulingGates", "tolerations"] {
        put_back(&mut munged, before, field);
    }
    let grace = &["terminationGracePeriodSeconds"];
    if before.integer(grace).is_some_and(|seconds| seconds < 0) && munged.integer(grace) == Some(1) {
        put_back(&mut munged, before, "terminationGracePeriodSeconds");
    }
    munged
}

/// Makes a field what it was.
pub(super) fn put_back(new: &mut Value, old: &Value, field: &str) {
    match old.get(field) {
        Some(value) => new.set(&[field], value.clone()),
        None => drop(new.remove(&[field])),
    }
}

/// What may change beside while gates hold the pod back: where it may run, if it becomes narrower.
fn munge_gated(munged: &mut Value, before: &Value, path: &Path, errors: &mut Errors) {
    let kept = before.entries(&["nodeSelector"]).all(|(key, value)| munged.at(&["nodeSelector", key]) == Some(value));
    if !kept {
        let selector = munged.get("nodeSelector").cloned().unwrap_or(Value::Null);
        let fault = "only additions to spec.nodeSelector are allowed (no mutations or deletions)";
        errors.push(FieldError::invalid(&path.child("nodeSelector"), super::errors::Json(&selector), fault));
    }
    put_back(munged, before, "nodeSelector");
    validate_node_terms(munged, before, path, errors);
    let old = before.at(&["affinity", "nodeAffinity"]).cloned();
    match old {
        Some(old) => munged.set(&["affinity", "nodeAffinity"], old),
        None => drop(munged.remove(&["affinity", "nodeAffinity"])),
    }
    let is_empty = munged.get("affinity").and_then(Value::as_object).is_some_and(|fields| fields.is_empty());
    if is_empty && before.get("affinity").is_none() {
        munged.remove(&["affinity"]);
    }
}

/// `validateNodeAffinityMutation`
fn validate_node_terms(munged: &Value, before: &Value, path: &Path, errors: &mut Errors) {
    let (new, old) = (munged.list(NODE_TERMS), before.list(NODE_TERMS));
    let path = NODE_TERMS.iter().fold(path.clone(), |path, field| path.child(field));
    if old.is_empty() {
        return;
    }
    if new.len() != old.len() {
        let fault = "no additions/deletions to non-empty NodeSelectorTerms list are allowed";
        let shown = munged.at(NODE_TERMS).cloned().unwrap_or(Value::Null);
        errors.push(FieldError::invalid(&path, super::errors::Json(&shown), fault));
        return;
    }
    for (at, (new, old)) in new.iter().zip(old).enumerate() {
        if !has_only_additions(new, old) {
            let fault = "only additions are allowed (no mutations or deletions)";
            errors.push(FieldError::invalid(&path.index(at), super::errors::Json(new), fault));
        }
    }
}

/// `validateNodeSelectorTermHasOnlyAdditions`
fn has_only_additions(new: &Value, old: &Value) -> bool {
    const LISTS: [&str; 2] = ["matchExpressions", "matchFields"];
    let is_empty = |term: &Value| LISTS.iter().all(|list| term.list(&[list]).is_empty());
    if is_empty(old) {
        return is_empty(new);
    }
    LISTS.iter().all(|list| new.list(&[list]).starts_with(old.list(&[list])))
}

/// Which fields differ, without their values: they are for the requester alone to know.
pub(super) fn difference(old: &Value, new: &Value) -> String {
    let mut lines = Vec::new();
    compare(Some(old), Some(new), &Path::root(), &mut lines);
    lines.join("\n")
}

fn compare(old: Option<&Value>, new: Option<&Value>, path: &Path, lines: &mut Vec<String>) {
    match (old, new) {
        (old, new) if old == new => {}
        (Some(Value::Object(old)), Some(Value::Object(new))) => {
            for (name, before) in old {
                compare(Some(before), new.get(name), &path.child(name), lines);
            }
            for (name, after) in new.iter().filter(|(name, _)| !old.contains_key(*name)) {
                compare(None, Some(after), &path.child(name), lines);
            }
        }
        (Some(Value::List(old)), Some(Value::List(new))) => {
            for at in 0..old.len().max(new.len()) {
                compare(old.get(at), new.get(at), &path.index(at), lines);
            }
        }
        (None, _) => lines.push(format!("+ {path}")),
        (_, None) => lines.push(format!("- {path}")),
        _ => lines.push(format!("~ {path}")),
    }
}

/// What `ValidatePodEphemeralContainersUpdate` asks beyond a right pod: what is there stays as it is.
pub(super) fn validate_ephemeral(new: &Value, old: &Value, errors: &mut Errors) {
    annotations::validate_update(new, old, errors);
    if annotations::get(old, annotations::MIRROR).is_some() {
        *errors = vec![FieldError::forbidden(&Path::new(""), "static pods do not support ephemeral containers")];
        return;
    }
    let path = Path::new("spec").child("ephemeralContainers");
    let list = &["spec", "ephemeralContainers"];
    for before in old.list(list) {
        let name = before.text(&["name"]);
        let fault = match new.list(list).iter().rfind(|one| one.text(&["name"]) == name) {
            Some(after) if after == before => continue,
            Some(after) => {
                let diff = difference(before, after);
                format!("existing ephemeral containers {} may not be changed\n{diff}", quote(name))
            }
            None => format!("existing ephemeral containers {} may not be removed\n", quote(name)),
        };
        errors.push(FieldError::forbidden(&path, fault));
    }
}
