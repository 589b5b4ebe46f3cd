//! `pods/binding`: how a scheduler gives a pod to a node (`BindingREST` of `pkg/registry/core/pod/storage`).

use thiserror::Error;

use crate::field::{FieldError, Path};
use crate::value::Value;

/// Why a pod cannot be bound.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BindError {
    /// The Binding is of another pod: 400.
    #[error("name in URL does not match name in Binding object")]
    Name,
    /// The Binding says no node. Kubernetes answers 500 here.
    #[error("{0}")]
    Target(String),
    /// The pod is bound or not to be bound: 409, as a conflict on `pods/binding`.
    #[error("{0}")]
    Conflict(String),
}

/// Whether a Binding for the pod of this name is one (`ValidatePodBinding`).
///
/// # Errors
/// The name is another, or the target is no node.
pub fn check(name: &str, binding: &Value) -> Result<(), BindError> {
    if binding.name() != name {
        return Err(BindError::Name);
    }
    let target = Path::new("target");
    let mut errors = Vec::new();
    let kind = binding.text(&["target", "kind"]);
    if !matches!(kind, "" | "Node") {
        errors.push(FieldError::not_supported(&target.child("kind"), kind, &["Node", "<empty>"]));
    }
    if binding.text(&["target", "name"]).is_empty() {
        errors.push(FieldError::required(&target.child("name"), ""));
    }
    let texts: Vec<String> = errors.iter().map(FieldError::to_string).collect();
    match texts.as_slice() {
        [] => Ok(()),
        [one] => Err(BindError::Target(one.clone())),
        several => Err(BindError::Target(format!("[{}]", several.join(", ")))),
    }
}

/// Gives the pod to the node of the Binding, with its annotations; `now` is the time of the condition.
///
/// # Errors
/// The pod is another than the Binding says, has a node, is being deleted or is held back by gates.
pub fn bind(pod: &mut Value, binding: &Value, now: &str) -> Result<(), BindError> {
    if let Some(fault) = refusal(pod, binding) {
        return Err(BindError::Conflict(fault));
    }
    pod.set(&["spec", "nodeName"], binding.text(&["target", "name"]));
    for (key, value) in binding.entries(&["metadata", "annotations"]) {
        pod.set(&["metadata", "annotations", key], value.clone());
    }
    pod.remove(&["status", "nominatedNodeName"]);
    let mut condition = Value::object();
    condition.set(&["type"], "PodScheduled");
    condition.set(&["status"], "True");
    set_condition(pod, condition, now);
    Ok(())
}

fn refusal(pod: &Value, binding: &Value) -> Option<String> {
    let name = pod.name();
    let (wanted, uid) = (binding.uid(), pod.uid());
    if !wanted.is_empty() && wanted != uid {
        return Some(format!("Precondition failed: UID in precondition: {wanted}, UID in object meta: {uid}"));
    }
    if pod.is_deleting() {
        return Some(format!("pod {name} is being deleted, cannot be assigned to a host"));
    }
    let node = pod.text(&["spec", "nodeName"]);
    if !node.is_empty() {
        return Some(format!("pod {name} is already assigned to node {}", crate::field::quote(node)));
    }
    let is_gated = !pod.list(&["spec", "schedulingGates"]).is_empty();
    is_gated.then(|| format!("pod {name} has non-empty .spec.schedulingGates"))
}

/// `UpdatePodCondition`: the time of a transition stays while the status does.
pub fn set_condition(pod: &mut Value, mut condition: Value, now: &str) {
    condition.set_if_absent(&["lastProbeTime"], Value::Null);
    pod.set_if_absent(&["status", "conditions"], Vec::new());
    let Some(conditions) = pod.at_mut(&["status", "conditions"]).and_then(Value::as_list_mut) else { return };
    let same = conditions.iter_mut().find(|one| one.text(&["type"]) == condition.text(&["type"]));
    let since = same.as_ref().filter(|one| one.text(&["status"]) == condition.text(&["status"]));
    let since = since.and_then(|one| one.get("lastTransitionTime")).cloned();
    condition.set(&["lastTransitionTime"], since.unwrap_or_else(|| now.into()));
    match same {
        Some(same) => *same = condition,
        None => conditions.push(condition),
    }
}
