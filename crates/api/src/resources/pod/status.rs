//! Changes of the status of a pod: `ValidatePodStatusUpdate`.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::errors::{Errors, Json, MOST_INT32, has, number, one_of, qualified, range, subdomain};
use super::{annotations, totals};
use crate::field::{FieldError, Path};
use crate::meta;
use crate::names;
use crate::value::Value;

/// Lists of statuses and the containers that they are of.
const LISTS: [(&str, &str); 3] = [
    ("containerStatuses", "containers"),
    ("initContainerStatuses", "initContainers"),
    ("ephemeralContainerStatuses", "ephemeralContainers"),
];

/// `PrepareForUpdate` of the status: everything else stays as it was.
pub(super) fn prepare(new: &mut Value, old: &Value) {
    super::update::put_back(new, old, "spec");
    if let (Some(metadata), Some(before)) = (new.get_mut("metadata"), old.get("metadata")) {
        for field in ["deletionGracePeriodSeconds", "deletionTimestamp", "generation", "ownerReferences"] {
            super::update::put_back(metadata, before, field);
        }
    }
    if new.text(&["status", "qosClass"]).is_empty() {
        let class = old.text(&["status", "qosClass"]);
        if !class.is_empty() {
            new.set(&["status", "qosClass"], class);
        }
    }
    keep_observed_generations(new, old);
}

/// `preserveOldObservedGeneration`
fn keep_observed_generations(new: &mut Value, old: &Value) {
    const FIELD: &str = "observedGeneration";
    let keep = |new: &mut Value, generation: i64| {
        if number(new, FIELD) == 0 && generation != 0 {
            new.set(&[FIELD], generation);
        }
    };
    let before = old.integer(&["status", FIELD]).unwrap_or_default();
    if let Some(status) = new.get_mut("status") {
        keep(status, before);
    }
    let mut known: Vec<&Value> = old.list(&["status", "conditions"]).iter().collect();
    let conditions = new.at_mut(&["status", "conditions"]).and_then(Value::as_list_mut);
    for condition in conditions.into_iter().flatten() {
        let same = known.iter().position(|one| one.text(&["type"]) == condition.text(&["type"]));
        if let Some(at) = same {
            keep(condition, number(known.remove(at), FIELD));
        }
    }
}

/// What is wrong with the new status.
pub(super) fn validate(new: &Value, old: &Value, errors: &mut Errors) {
    annotations::validate_update(new, old, errors);
    let path = Path::new("status");
    validate_conditions(new.list(&["status", "conditions"]), &path.child("conditions"), errors);
    if new.text(&["spec", "nodeName"]) != old.text(&["spec", "nodeName"]) {
        errors.push(FieldError::forbidden(&path.child("nodeName"), "may not be changed directly"));
    }
    validate_nomination(new, old, &path.child("nominatedNodeName"), errors);
    let observed = new.integer(&["status", "observedGeneration"]).unwrap_or_default();
    not_negative(&path.child("observedGeneration"), observed, errors);
    let class = &["status", "qosClass"];
    errors.extend(meta::immutable(&path.child("qosClass"), new.at(class), old.at(class)));
    for (statuses, containers) in LISTS {
        validate_transitions(new, old, (statuses, containers), &path.child(statuses), errors);
    }
    validate_claims(new, &path.child("resourceClaimStatuses"), errors);
    validate_addresses(new, "podIPs", &path.child("podIPs"), errors);
    let first = new.list(&["status", "hostIPs"]).first().map(|one| one.text(&["ip"]));
    if let Some(first) = first.filter(|first| *first != new.text(&["status", "hostIP"])) {
        let at = path.child("hostIPs").index(0).child("ip");
        errors.push(FieldError::invalid(&at, first, "must be equal to `hostIP`"));
    }
    validate_addresses(new, "hostIPs", &path.child("hostIPs"), errors);
    for (statuses, _) in LISTS {
        validate_users(new, statuses, &path.child(statuses), errors);
    }
    for (statuses, containers) in LISTS {
        validate_allocated(new, (statuses, containers), &path.child(statuses), errors);
    }
}

fn not_negative(path: &Path, generation: i64, errors: &mut Errors) {
    if generation < 0 {
        errors.push(FieldError::invalid(path, generation, "must be a non-negative integer"));
    }
}

/// `validatePodConditions`
fn validate_conditions(conditions: &[Value], path: &Path, errors: &mut Errors) {
    for (at, condition) in conditions.iter().enumerate() {
        let path = path.index(at);
        not_negative(&path.child("observedGeneration"), number(condition, "observedGeneration"), errors);
        let kind = condition.text(&["type"]);
        if !matches!(kind, "PodScheduled" | "Ready" | "Initialized") {
            qualified(&path.child("Type"), kind, errors);
        }
    }
}

fn validate_nomination(new: &Value, old: &Value, path: &Path, errors: &mut Errors) {
    let field = &["status", "nominatedNodeName"];
    let name = new.text(field);
    if name.is_empty() || name == old.text(field) {
        return;
    }
    subdomain(path, name, errors);
    if !old.text(&["spec", "nodeName"]).is_empty() {
        let fault = "may not be set on pods that are already bound to a node";
        errors.push(FieldError::forbidden(path, fault));
    }
}

/// `ValidateContainerStateTransition` and its siblings: what has ended stays so, unless it is to be restarted.
fn validate_transitions(new: &Value, old: &Value, lists: (&str, &str), path: &Path, errors: &mut Errors) {
    let (statuses, containers) = lists;
    let is_ephemeral = containers == "ephemeralContainers";
    if !is_ephemeral && could_restart_all(old) {
        return;
    }
    for (at, before) in old.list(&["status", statuses]).iter().enumerate() {
        let Some(end) = before.at(&["state", "terminated"]) else { continue };
        let name = before.text(&["name"]);
        let after = new.list(&["status", statuses]).iter().find(|one| one.text(&["name"]) == name);
        if after.is_none_or(|after| after.at(&["state", "terminated"]).is_some()) {
            continue;
        }
        let container = old.list(&["spec", containers]).iter().find(|one| one.text(&["name"]) == name);
        let may =
            !is_ephemeral && container.is_some_and(|container| may_restart(container, old, number(end, "exitCode")));
        if !may {
            let fault = "may not be transitioned to non-terminated state";
            errors.push(FieldError::forbidden(&path.index(at).child("state"), fault));
        }
    }
}

/// `AllContainersCouldRestart`
fn could_restart_all(pod: &Value) -> bool {
    let restarts_all = |container: &Value| {
        container.list(&["restartPolicyRules"]).iter().any(|rule| rule.text(&["action"]) == "RestartAllContainers")
    };
    ["containers", "initContainers"].iter().any(|list| pod.list(&["spec", list]).iter().any(restarts_all))
}

/// `ContainerShouldRestart`: the container's rules, its policy, then the pod's.
fn may_restart(container: &Value, pod: &Value, exit: i64) -> bool {
    let matches = |rule: &Value| {
        let is_listed = rule.list(&["exitCodes", "values"]).iter().any(|code| code.as_i64() == Some(exit));
        match rule.text(&["exitCodes", "operator"]) {
            "In" => is_listed,
            "NotIn" => !is_listed,
            _ => false,
        }
    };
    let own = container.text(&["restartPolicy"]);
    if !own.is_empty() && container.list(&["restartPolicyRules"]).iter().any(matches) {
        return true;
    }
    let policy = if own.is_empty() { pod.text(&["spec", "restartPolicy"]) } else { own };
    match policy {
        "Always" => true,
        "OnFailure" => exit != 0,
        _ => false,
    }
}

/// `validatePodResourceClaimStatuses`
fn validate_claims(new: &Value, path: &Path, errors: &mut Errors) {
    let mut seen = BTreeSet::new();
    for (at, status) in new.list(&["status", "resourceClaimStatuses"]).iter().enumerate() {
        let path = path.index(at);
        let name = status.text(&["name"]);
        if !new.list(&["spec", "resourceClaims"]).iter().any(|claim| claim.text(&["name"]) == name) {
            let fault = "must match the name of an entry in `spec.resourceClaims`";
            errors.push(FieldError::invalid(&path.child("name"), name, fault));
        }
        if !seen.insert(name) {
            errors.push(FieldError::duplicate(&path.child("name"), name));
        }
        if let Some(claim) = status.get("resourceClaimName").and_then(Value::as_str) {
            subdomain(&path.child("resourceClaimName"), claim, errors);
        }
    }
}

/// `validatePodIPs`, `validateHostIPs`: one address, or one of each family.
fn validate_addresses(new: &Value, field: &str, path: &Path, errors: &mut Errors) {
    let addresses = new.list(&["status", field]);
    for (at, address) in addresses.iter().enumerate() {
        errors.extend(names::ip(&path.index(at), address.text(&["ip"])));
    }
    let is_v6 = |address: &Value| names::parse_ip(address.text(&["ip"])).map(|ip| matches!(ip, IpAddr::V6(_)));
    let is_pair = match addresses {
        [] | [_] => true,
        [one, other] => is_v6(one) != is_v6(other),
        _ => false,
    };
    if !is_pair {
        let shown = new.at(&["status", field]).unwrap_or(&Value::Null);
        let fault = "may specify no more than one IP for each IP family";
        errors.push(FieldError::invalid(path, Json(shown), fault));
    }
}

/// `validateContainerStatusUsers`
fn validate_users(new: &Value, statuses: &str, path: &Path, errors: &mut Errors) {
    let os = new.at(&["spec", "os"]).map_or("linux", |os| os.text(&["name"]));
    for (at, status) in new.list(&["status", statuses]).iter().enumerate() {
        let Some(user) = status.at(&["user", "linux"]) else { continue };
        let path = path.index(at).child("linux");
        if os == "windows" {
            errors.push(FieldError::forbidden(&path, "cannot be set for a windows pod"));
            continue;
        }
        range(&path.child("uid"), number(user, "uid"), 0, MOST_INT32, errors);
        range(&path.child("gid"), number(user, "gid"), 0, MOST_INT32, errors);
        for (at, group) in user.list(&["supplementalGroups"]).iter().filter_map(Value::as_i64).enumerate() {
            range(&path.child("supplementalGroups").index(at), group, 0, MOST_INT32, errors);
        }
    }
}

/// `validateContainerStatusAllocatedResourcesStatus`: the health of devices that a container asked for.
fn validate_allocated(new: &Value, lists: (&str, &str), path: &Path, errors: &mut Errors) {
    let (statuses, containers) = lists;
    for (at, status) in new.list(&["status", statuses]).iter().enumerate() {
        let path = path.index(at).child("allocatedResourcesStatus");
        if containers == "ephemeralContainers" {
            if has(status, "allocatedResourcesStatus") {
                errors.push(FieldError::forbidden(&path, "must not be specified in container status"));
            }
            continue;
        }
        let name = status.text(&["name"]);
        let container = new.list(&["spec", containers]).iter().find(|one| one.text(&["name"]) == name);
        for (at, resource) in status.list(&["allocatedResourcesStatus"]).iter().enumerate() {
            let path = path.index(at);
            let name = resource.text(&["name"]);
            if let Some(fault) = container.and_then(|container| not_asked_for(container, name)) {
                errors.push(FieldError::invalid(&path.child("name"), name, fault));
            }
            validate_health(resource.list(&["resources"]), &path.child("resources"), errors);
        }
    }
}

fn not_asked_for(container: &Value, name: &str) -> Option<&'static str> {
    let Some(claim) = name.strip_prefix("claim:") else {
        let is_known = totals::amounts(container, "requests").contains_key(name);
        return (!is_known).then_some("must match one of the container's resource requests");
    };
    let is_known = container.list(&["resources", "claims"]).iter().any(|one| match one.text(&["request"]) {
        "" => one.text(&["name"]) == claim,
        request => claim.split_once('/') == Some((one.text(&["name"]), request)),
    });
    (!is_known).then_some(
        "must match one of the container's resource claims in a format 'claim:<claimName>/<request>' or \
         'claim:<claimName>' if request is empty",
    )
}

fn validate_health(resources: &[Value], path: &Path, errors: &mut Errors) {
    let mut seen = BTreeSet::new();
    for (at, resource) in resources.iter().enumerate() {
        let path = path.index(at);
        one_of(&path.child("health"), resource.text(&["health"]), &["Healthy", "Unhealthy", "Unknown"], errors);
        let id = resource.text(&["resourceID"]);
        if !seen.insert(id) {
            errors.push(FieldError::duplicate(&path.child("resourceID"), id));
        }
    }
}
