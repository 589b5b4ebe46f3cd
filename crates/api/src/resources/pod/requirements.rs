//! Requests, limits and claims: `validateResourceRequirements`.

use std::collections::BTreeSet;
use std::str::FromStr;

use super::errors::{Errors, NEGATIVE, label, one_of, required_one_of};
use super::totals::{Amounts, aggregate, amounts, is_pod_level};
use crate::field::{FieldError, Path};
use crate::names;
use crate::quantity::Quantity;
use crate::value::Value;

/// `standardResources` that are no container resources; they are names that a container may not ask for.
const OTHER_STANDARD: &[&str] = &[
    "configmaps",
    "limits.cpu",
    "limits.ephemeral-storage",
    "limits.memory",
    "persistentvolumeclaims",
    "pods",
    "replicationcontrollers",
    "requests.cpu",
    "requests.ephemeral-storage",
    "requests.memory",
    "requests.storage",
    "resourcequotas",
    "secrets",
    "services",
    "services.loadbalancers",
    "services.nodeports",
    "storage",
];

/// Whether these are the requirements of a container, or of the pod as a whole.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Of {
    /// `ValidateContainerResourceRequirements`
    Container,
    /// `validatePodResourceRequirements`
    Pod,
}

/// `helper.IsHugePageResourceName`
pub(super) fn is_huge_page(name: &str) -> bool {
    name.starts_with("hugepages-")
}

/// `helper.IsNativeResource`
fn is_native(name: &str) -> bool {
    !name.contains('/') || name.contains("kubernetes.io/")
}

/// `helper.IsOvercommitAllowed`
pub(super) fn is_overcommit_allowed(name: &str) -> bool {
    is_native(name) && !is_huge_page(name)
}

/// `helper.IsExtendedResourceName`
fn is_extended(name: &str) -> bool {
    !is_native(name) && !name.starts_with("requests.") && names::qualified(&format!("requests.{name}")).is_empty()
}

fn is_container_resource(name: &str) -> bool {
    matches!(name, "cpu" | "memory" | "ephemeral-storage") || is_huge_page(name)
}

/// Limits, requests and claims of what holds a `resources` field.
pub(super) fn validate(holder: &Value, of: Of, claims: &BTreeSet<&str>, path: &Path, errors: &mut Errors) {
    let limits = amounts(holder, "limits");
    let requests = amounts(holder, "requests");
    let limit_path = path.child("limits");
    let request_path = path.child("requests");
    for (name, amount) in &limits {
        validate_amount(name, *amount, of, &limit_path.key(name), errors);
    }
    for (name, amount) in &requests {
        validate_amount(name, *amount, of, &request_path.key(name), errors);
        validate_ratio(name, *amount, limits.get(name).copied(), (&request_path, &limit_path), errors);
    }
    let any = |wanted: fn(&str) -> bool| limits.keys().chain(requests.keys()).any(|name| wanted(name));
    if any(is_huge_page) && !any(|name| name == "cpu" || name == "memory") {
        errors.push(FieldError::forbidden(path, "HugePages require cpu or memory"));
    }
    validate_claims(holder.list(&["resources", "claims"]), claims, &path.child("claims"), errors);
}

/// `validateOverhead`: amounts alone.
pub(super) fn validate_overhead(spec: &Value, path: &Path, errors: &mut Errors) {
    let mut holder = Value::object();
    if let Some(overhead) = spec.get("overhead") {
        holder.set(&["resources", "limits"], overhead.clone());
    }
    validate(&holder, Of::Container, &BTreeSet::new(), path, errors);
}

fn validate_amount(name: &str, amount: Quantity, of: Of, path: &Path, errors: &mut Errors) {
    validate_name(name, of, path, errors);
    if amount.sign().is_lt() {
        errors.push(FieldError::invalid(path, &amount.to_string(), NEGATIVE));
    }
    if (is_extended(name) || matches!(name, "pods" | "services" | "secrets" | "configmaps")) && !amount.is_whole() {
        errors.push(FieldError::invalid(path, &amount.to_string(), "must be an integer"));
    }
    if is_huge_page(name) && !is_divisible(name, amount) {
        let fault = format!("{amount} is not positive integer multiple of {name}");
        errors.push(FieldError::invalid(path, &amount.to_string(), fault));
    }
}

/// `validateContainerResourceName`, `validatePodResourceName`
fn validate_name(name: &str, of: Of, path: &Path, errors: &mut Errors) {
    let faults = names::qualified(name);
    if !faults.is_empty() {
        super::errors::faults(path, name, faults, errors);
        if of == Of::Pod {
            return;
        }
    } else if !name.contains('/') && !is_container_resource(name) && !OTHER_STANDARD.contains(&name) {
        errors.push(FieldError::invalid(path, name, "must be a standard resource type or fully qualified"));
        if of == Of::Pod {
            return;
        }
    }
    match of {
        Of::Pod if is_pod_level(name) => {}
        Of::Pod => errors.push(FieldError::not_supported(path, name, &["cpu", "hugepages-", "memory"])),
        Of::Container if !name.contains('/') => {
            if !is_container_resource(name) {
                errors.push(FieldError::invalid(path, name, "must be a standard resource for containers"));
            }
        }
        Of::Container if is_native(name) || is_extended(name) => {}
        Of::Container => {
            errors.push(FieldError::invalid(path, name, "doesn't follow extended resource name standard"));
        }
    }
}

/// `IsHugePageResourceValueDivisible`
fn is_divisible(name: &str, amount: Quantity) -> bool {
    let Some(page) = name.strip_prefix("hugepages-").and_then(|size| Quantity::from_str(size).ok()) else {
        return false;
    };
    page.sign().is_gt() && page.is_whole() && page.ceil() != 0 && amount.ceil() % page.ceil() == 0
}

/// A request is at most its limit, and its equal where nothing may be lent.
fn validate_ratio(name: &str, asked: Quantity, limit: Option<Quantity>, paths: (&Path, &Path), errors: &mut Errors) {
    let (requests, limits) = paths;
    let Some(limit) = limit else {
        if !is_overcommit_allowed(name) {
            errors.push(FieldError::required(limits, "Limit must be set for non overcommitable resources"));
        }
        return;
    };
    let fault = if asked != limit && !is_overcommit_allowed(name) {
        format!("must be equal to {name} limit of {limit}")
    } else if asked > limit {
        format!("must be less than or equal to {name} limit of {limit}")
    } else {
        return;
    };
    errors.push(FieldError::invalid(requests, &asked.to_string(), fault));
}

/// `validateResourceClaimNames`
fn validate_claims(claims: &[Value], known: &BTreeSet<&str>, path: &Path, errors: &mut Errors) {
    let mut seen: BTreeSet<String> = BTreeSet::new();
    for (at, claim) in claims.iter().enumerate() {
        let at = path.index(at);
        let (name, request) = (claim.text(&["name"]), claim.text(&["request"]));
        if name.is_empty() {
            errors.push(FieldError::required(&at, ""));
            continue;
        }
        if seen.contains(name) {
            errors.push(FieldError::duplicate(&at, name));
        } else if request.is_empty() {
            if seen.iter().any(|key| key.split_once('/').is_some_and(|(claim, _)| claim == name)) {
                errors.push(FieldError::duplicate(&at, name));
            }
            seen.insert(name.to_owned());
        } else {
            label(&at.child("request"), request, errors);
            let key = format!("{name}/{request}");
            if !seen.insert(key.clone()) {
                errors.push(FieldError::duplicate(&at, &key));
            }
        }
        if !known.contains(name) {
            let mut unknown = FieldError::not_found(&at, name);
            unknown.detail = unknown_claim(known);
            errors.push(unknown);
        }
    }
}

fn unknown_claim(known: &BTreeSet<&str>) -> String {
    let names: Vec<&str> = known.iter().copied().collect();
    let end = if names.is_empty() { " which is empty".to_owned() } else { format!(": {}", names.join(", ")) };
    format!("must be one of the names in pod.spec.resourceClaims{end}")
}

/// `validateResizePolicy`
pub(super) fn validate_resize_policy(policies: &[Value], restarts: &str, path: &Path, errors: &mut Errors) {
    let mut seen = BTreeSet::new();
    for (at, policy) in policies.iter().enumerate() {
        let (resource, restart) = (policy.text(&["resourceName"]), policy.text(&["restartPolicy"]));
        if !seen.insert(resource) {
            errors.push(FieldError::duplicate(&path.index(at), resource));
        }
        required_one_of(path, resource, &["cpu", "memory"], errors);
        required_one_of(path, restart, &["NotRequired", "RestartContainer"], errors);
        if restarts == "Never" && restart != "NotRequired" {
            let fault = "must be 'NotRequired' when pod `restartPolicy` is 'Never'";
            errors.push(FieldError::invalid(path, restart, fault));
        }
    }
}

/// `validatePodResources`: the resources of the pod as a whole.
pub(super) fn validate_pod(spec: &Value, claims: &BTreeSet<&str>, path: &Path, errors: &mut Errors) {
    let Some(resources) = spec.get("resources") else { return };
    let path = path.child("resources");
    if spec.text(&["os", "name"]) == "windows" {
        errors.push(FieldError::forbidden(&path, "may not be set for a windows pod"));
        return;
    }
    if resources.get("claims").is_some() {
        let fault = "claims may not be set for Resources at pod-level";
        errors.push(FieldError::forbidden(&path.child("claims"), fault));
    }
    validate(spec, Of::Pod, claims, &path, errors);
    let requests = amounts(spec, "requests");
    let limits = amounts(spec, "limits");
    let below = |list: &str, given: &Amounts, only: fn(&str) -> bool, errors: &mut Errors| {
        for (name, together) in aggregate(spec, list) {
            let Some(own) = given.get(&name).filter(|own| together > **own && only(&name)) else { continue };
            let fault = format!("must be greater than or equal to aggregate container {list} of {together}");
            errors.push(FieldError::invalid(&path.child(list).key(&name), &own.to_string(), fault));
        }
    };
    below("requests", &requests, |_| true, errors);
    below("limits", &limits, is_huge_page, errors);
    for (at, container) in spec.list(&["containers"]).iter().enumerate() {
        for (name, limit) in amounts(container, "limits") {
            let Some(most) = limits.get(&name).filter(|most| limit > **most) else { continue };
            let at = path.child("containers").index(at).key(&name).child("limits");
            let fault = format!("must be less than or equal to pod limits of {most}");
            errors.push(FieldError::invalid(&at, &limit.to_string(), fault));
        }
    }
}

/// `validatePodResourceClaims`
pub(super) fn validate_pod_claims(claims: &[Value], path: &Path, errors: &mut Errors) {
    let mut seen = BTreeSet::new();
    for (at, claim) in claims.iter().enumerate() {
        let at = path.index(at);
        let name = claim.text(&["name"]);
        if name.is_empty() {
            errors.push(FieldError::required(&at.child("name"), ""));
        } else if !seen.insert(name) {
            errors.push(FieldError::duplicate(&at.child("name"), name));
        } else {
            label(&at.child("name"), name, errors);
        }
        let sources = ["resourceClaimName", "resourceClaimTemplateName"];
        let given: Vec<(&str, &Value)> =
            sources.into_iter().filter_map(|field| Some((field, claim.get(field)?))).collect();
        let fault = match given.len() {
            0 => Some("must specify one of: `resourceClaimName`, `resourceClaimTemplateName`"),
            1 => None,
            _ => Some("at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified"),
        };
        if let Some(fault) = fault {
            errors.push(FieldError::invalid(&at, super::errors::Json(claim), fault));
        }
        for (field, value) in given {
            super::errors::subdomain(&at.child(field), value.as_str().unwrap_or_default(), errors);
        }
    }
}

/// The names of the claims that containers may refer to (`gatherPodResourceClaimNames`).
pub(super) fn claim_names(spec: &Value) -> BTreeSet<&str> {
    spec.list(&["resourceClaims"]).iter().map(|claim| claim.text(&["name"])).filter(|name| !name.is_empty()).collect()
}

/// `validatePullPolicy`
pub(super) fn validate_pull_policy(path: &Path, policy: &str, errors: &mut Errors) {
    const POLICIES: &[&str] = &["Always", "IfNotPresent", "Never"];
    if policy.is_empty() {
        errors.push(FieldError::required(path, ""));
    } else {
        one_of(path, policy, POLICIES, errors);
    }
}
