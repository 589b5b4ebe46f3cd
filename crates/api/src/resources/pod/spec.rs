//! The whole of a PodSpec: `ValidatePodSpec`.

use super::containers::{self, Surroundings, visit};
use super::errors::{Errors, Json, MOST_INT32, label, range, required_one_of, subdomain};
use super::{affinity, env, requirements, scheduling, security, volumes, windows};
use crate::field::{FieldError, Path};
use crate::meta;
use crate::names;
use crate::value::Value;

const MOST_NAME_SERVERS: usize = 3;
const MOST_SEARCHES: usize = 32;
const MOST_SEARCH_LENGTH: usize = 2048;
const MOST_HOST_NAME: usize = 64;

/// Checks a spec; `pod` is the name of the pod, `None` for a template, of which less is asked.
pub(in crate::resources) fn validate(spec: &Value, pod: Option<&str>, path: &Path, errors: &mut Errors) {
    if spec.get("terminationGracePeriodSeconds").is_none() {
        errors.push(FieldError::required(&path.child("terminationGracePeriodSeconds"), ""));
    }
    let volumes = volumes::validate(spec.list(&["volumes"]), pod, &path.child("volumes"), errors);
    requirements::validate_pod_claims(spec.list(&["resourceClaims"]), &path.child("resourceClaims"), errors);
    let around = Surroundings { spec, volumes, claims: requirements::claim_names(spec) };
    around.validate_main(&path.child("containers"), errors);
    around.validate_init(&path.child("initContainers"), errors);
    around.validate_ephemeral(&path.child("ephemeralContainers"), errors);
    requirements::validate_pod(spec, &around.claims, path, errors);
    containers::validate_host_network(spec, pod.is_some(), path, errors);
    validate_policies(spec, path, errors);
    errors.extend(meta::labels(&path.child("nodeSelector"), spec.get("nodeSelector")));
    security::validate_pod(spec, &path.child("securityContext"), errors);
    affinity::validate(spec.get("affinity"), &path.child("affinity"), errors);
    validate_dns(spec, &path.child("dnsConfig"), errors);
    scheduling::validate_readiness(spec.list(&["readinessGates"]), &path.child("readinessGates"), errors);
    scheduling::validate_gates(spec.list(&["schedulingGates"]), &path.child("schedulingGates"), errors);
    let spread = spec.list(&["topologySpreadConstraints"]);
    scheduling::validate_spread(spread, &path.child("topologySpreadConstraints"), errors);
    windows::validate_host_process(spec, path, errors);
    containers::validate_host_users(spec, path, errors);
    validate_host_name_override(spec, &path.child("hostnameOverride"), errors);
    validate_names(spec, path, errors);
    security::validate_os(spec, path, errors);
    visit(spec, path, |container, path| {
        env::validate_file_volumes(container, spec.list(&["volumes"]), path, errors);
    });
}

fn validate_policies(spec: &Value, path: &Path, errors: &mut Errors) {
    const RESTARTS: &[&str] = &["Always", "OnFailure", "Never"];
    const DNS: &[&str] = &["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"];
    required_one_of(&path.child("restartPolicy"), spec.text(&["restartPolicy"]), RESTARTS, errors);
    required_one_of(&path.child("dnsPolicy"), spec.text(&["dnsPolicy"]), DNS, errors);
}

/// The names and numbers at the end of `ValidatePodSpec`.
fn validate_names(spec: &Value, path: &Path, errors: &mut Errors) {
    let mut each = |field: &str, check: fn(&Path, &str, &mut Errors)| {
        let text = spec.text(&[field]);
        if !text.is_empty() {
            check(&path.child(field), text, errors);
        }
    };
    each("serviceAccountName", subdomain);
    each("nodeName", subdomain);
    if let Some(seconds) = spec.integer(&["activeDeadlineSeconds"]) {
        range(&path.child("activeDeadlineSeconds"), seconds, 1, MOST_INT32, errors);
    }
    let mut each = |field: &str, check: fn(&Path, &str, &mut Errors)| {
        let text = spec.text(&[field]);
        if !text.is_empty() {
            check(&path.child(field), text, errors);
        }
    };
    each("hostname", label);
    each("subdomain", label);
    scheduling::validate_tolerations(spec.list(&["tolerations"]), &path.child("tolerations"), errors);
    validate_host_aliases(spec.list(&["hostAliases"]), &path.child("hostAliases"), errors);
    let class = spec.text(&["priorityClassName"]);
    if !class.is_empty() {
        subdomain(&path.child("priorityClassName"), class, errors);
    }
    if let Some(class) = spec.get("runtimeClassName").and_then(Value::as_str) {
        subdomain(&path.child("runtimeClassName"), class, errors);
    }
    if let Some(policy) = spec.get("preemptionPolicy").and_then(Value::as_str) {
        required_one_of(&path.child("preemptionPolicy"), policy, &["PreemptLowerPriority", "Never"], errors);
    }
    if spec.get("overhead").is_some() {
        requirements::validate_overhead(spec, &path.child("overhead"), errors);
    }
}

/// `ValidateHostAliases`
fn validate_host_aliases(aliases: &[Value], path: &Path, errors: &mut Errors) {
    for (at, alias) in aliases.iter().enumerate() {
        let path = path.index(at);
        errors.extend(names::ip(&path.child("ip"), alias.text(&["ip"])));
        for (at, name) in alias.list(&["hostnames"]).iter().filter_map(Value::as_str).enumerate() {
            subdomain(&path.child("hostnames").index(at), name, errors);
        }
    }
}

/// `validatePodDNSConfig`
fn validate_dns(spec: &Value, path: &Path, errors: &mut Errors) {
    let config = spec.get("dnsConfig");
    let servers = spec.list(&["dnsConfig", "nameservers"]);
    if spec.text(&["dnsPolicy"]) == "None" {
        if config.is_none() {
            errors.push(FieldError::required(path, "must provide `dnsConfig` when `dnsPolicy` is None"));
            return;
        }
        if servers.is_empty() {
            let fault = "must provide at least one DNS nameserver when `dnsPolicy` is None";
            errors.push(FieldError::required(&path.child("nameservers"), fault));
            return;
        }
    }
    let Some(config) = config else { return };
    let whole = |field: &str, fault: String| {
        FieldError::invalid(&path.child(field), Json(config.get(field).unwrap_or(&Value::Null)), fault)
    };
    if servers.len() > MOST_NAME_SERVERS {
        errors.push(whole("nameservers", format!("must not have more than {MOST_NAME_SERVERS} nameservers")));
    }
    for (at, server) in servers.iter().filter_map(Value::as_str).enumerate() {
        errors.extend(names::ip(&path.child("nameservers").index(at), server));
    }
    let searches: Vec<&str> = config.list(&["searches"]).iter().filter_map(Value::as_str).collect();
    if searches.len() > MOST_SEARCHES {
        errors.push(whole("searches", format!("must not have more than {MOST_SEARCHES} search paths")));
    }
    if searches.join(" ").len() > MOST_SEARCH_LENGTH {
        let fault =
            format!("must not have more than {MOST_SEARCH_LENGTH} characters (including spaces) in the search list");
        errors.push(whole("searches", fault));
    }
    for (at, search) in searches.iter().enumerate().filter(|(_, search)| **search != ".") {
        let search = search.strip_suffix('.').unwrap_or(search);
        let faults = names::subdomain_with_underscore(search);
        super::errors::faults(&path.child("searches").index(at), search, faults, errors);
    }
    for (at, option) in config.list(&["options"]).iter().enumerate() {
        if option.text(&["name"]).is_empty() {
            errors.push(FieldError::required(&path.child("options").index(at), "must not be empty"));
        }
    }
}

/// `validatePodHostName`
fn validate_host_name_override(spec: &Value, path: &Path, errors: &mut Errors) {
    let Some(name) = spec.get("hostnameOverride").and_then(Value::as_str) else { return };
    for field in ["setHostnameAsFQDN", "hostNetwork"] {
        if spec.boolean(&[field]) == Some(true) {
            errors.push(FieldError::forbidden(path, format!("may not be specified when {field} is true")));
        }
    }
    if name.len() > MOST_HOST_NAME {
        errors.push(FieldError::too_long(path, MOST_HOST_NAME));
    }
    subdomain(path, name, errors);
}
