//! What is allowed but hardly meant: `pkg/api/pod/warnings.go`.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use super::annotations::{APP_ARMOR, SECCOMP_CONTAINER, SECCOMP_POD, app_armor_field, get};
use super::containers::visit;
use super::errors::{has, number};
use super::overlaps;
use crate::field::{Path, quote};
use crate::names;
use crate::quantity::Quantity;
use crate::value::Value;

const ANNOTATIONS: &[(&str, &str)] = &[
    (
        "scheduler.alpha.kubernetes.io/critical-pod",
        "non-functional in v1.16+; use the \"priorityClassName\" field instead",
    ),
    ("security.alpha.kubernetes.io/sysctls", "non-functional in v1.11+; use the \"sysctls\" field instead"),
    ("security.alpha.kubernetes.io/unsafe-sysctls", "non-functional in v1.11+; use the \"sysctls\" field instead"),
];
/// Kubernetes writes these with backslashes.
const SECCOMP: &str = "non-functional in v1.27+; use the \\\"seccompProfile\\\" field instead";
const OLD_VOLUMES: &[(&str, &str)] = &[
    ("photonPersistentDisk", "deprecated in v1.11, non-functional in v1.16+"),
    ("gitRepo", "deprecated in v1.11"),
    ("scaleIO", "deprecated in v1.16, non-functional in v1.22+"),
    ("flocker", "deprecated in v1.22, non-functional in v1.25+"),
    ("storageos", "deprecated in v1.22, non-functional in v1.25+"),
    ("quobyte", "deprecated in v1.22, non-functional in v1.25+"),
    ("glusterfs", "deprecated in v1.25, non-functional in v1.26+"),
    ("cephfs", "deprecated in v1.28, non-functional in v1.31+"),
    ("rbd", "deprecated in v1.28, non-functional in v1.31+"),
];
/// `deprecatedNodeLabels`
const OLD_LABELS: &[(&str, &str, &str)] = &[
    ("beta.kubernetes.io/arch", "v1.14", "kubernetes.io/arch"),
    ("beta.kubernetes.io/os", "v1.14", "kubernetes.io/os"),
    ("failure-domain.beta.kubernetes.io/region", "v1.17", "topology.kubernetes.io/region"),
    ("failure-domain.beta.kubernetes.io/zone", "v1.17", "topology.kubernetes.io/zone"),
    ("beta.kubernetes.io/instance-type", "v1.17", "node.kubernetes.io/instance-type"),
];
const NO_SELECTOR: &str = "a null labelSelector results in matching no pod";

/// Whether the warnings are for a pod, or for the template of one.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::resources) enum Of {
    /// A pod.
    Pod,
    /// A template.
    Template,
}

/// `warningsForPodSpecAndMeta`; `path` is where metadata and spec are.
pub(in crate::resources) fn warnings(object: &Value, of: Of, path: &Path) -> Vec<String> {
    let Some(spec) = object.get("spec") else { return Vec::new() };
    let at = path.child("spec");
    let mut found = Vec::new();
    warn_labels(spec, &at, &mut found);
    warn_spread(spec, &at.child("topologySpreadConstraints"), &mut found);
    let annotations = path.child("metadata").child("annotations");
    for (name, text) in ANNOTATIONS.iter().filter(|(name, _)| get(object, name).is_some()) {
        found.push(format!("{}: {text}", annotations.key(name)));
    }
    for (index, volume) in spec.list(&["volumes"]).iter().enumerate() {
        for (field, text) in OLD_VOLUMES.iter().filter(|(field, _)| has(volume, field)) {
            let told = if *field == "storageos" { "storageOS" } else { field };
            found.push(format!("{}: {text}", at.child("volumes").index(index).child(told)));
        }
    }
    overlaps::warn(spec.list(&["volumes"]), &mut found);
    warn_duplicates(spec, &at, &mut found);
    for name in ["memory", "ephemeral-storage"] {
        fraction(spec.at(&["overhead", name]), &at.child("overhead").key(name), &mut found);
    }
    let has_seccomp = spec.at(&["securityContext", "seccompProfile"]).is_some();
    if !has_seccomp && get(object, SECCOMP_POD).is_some() {
        found.push(format!("{}: {SECCOMP}", annotations.key(SECCOMP_POD)));
    }
    visit(spec, &at, |container, path| {
        warn_container_annotations(object, container, of, &annotations, &mut found);
        warn_resources(container, path, &mut found);
        warn_env(container.list(&["env"]), &path.child("env"), &mut found);
    });
    warn_ports(spec, &at, &mut found);
    if spec.integer(&["terminationGracePeriodSeconds"]).is_some_and(|seconds| seconds < 0) {
        let at = at.child("terminationGracePeriodSeconds");
        found.push(format!("{at}: must be >= 0; negative values are invalid and will be treated as 1"));
    }
    warn_affinity(spec, &at.child("affinity"), &mut found);
    warn_addresses(spec, &at, &mut found);
    found
}

/// `GetNodeLabelDeprecatedMessage`
fn old_label(key: &str) -> Option<String> {
    let (_, since, new) = OLD_LABELS.iter().find(|(old, _, _)| *old == key)?;
    Some(format!("deprecated since {since}; use \"{new}\" instead"))
}

fn warn_labels(spec: &Value, path: &Path, found: &mut Vec<String>) {
    for (key, _) in spec.entries(&["nodeSelector"]) {
        if let Some(text) = old_label(key) {
            found.push(format!("{}: {text}", path.child("nodeSelector").key(key)));
        }
    }
    let nodes = path.child("affinity").child("nodeAffinity");
    let required = "requiredDuringSchedulingIgnoredDuringExecution";
    let terms = spec.list(&["affinity", "nodeAffinity", required, "nodeSelectorTerms"]);
    for (at, term) in terms.iter().enumerate() {
        warn_term(term, false, &nodes.child(required).child("nodeSelectorTerms").index(at), found);
    }
    let preferred = "preferredDuringSchedulingIgnoredDuringExecution";
    for (at, term) in spec.list(&["affinity", "nodeAffinity", preferred]).iter().enumerate() {
        if let Some(term) = term.get("preference") {
            warn_term(term, true, &nodes.child(preferred).index(at).child("preference"), found);
        }
    }
}

/// `GetWarningsForNodeSelectorTerm`
fn warn_term(term: &Value, check_values: bool, path: &Path, found: &mut Vec<String>) {
    for (at, expression) in term.list(&["matchExpressions"]).iter().enumerate() {
        let path = path.child("matchExpressions").index(at);
        let key = expression.text(&["key"]);
        if let Some(text) = old_label(key) {
            found.push(format!("{}: {key} is {text}", path.child("key")));
        }
        let values = expression.list(&["values"]).iter().filter_map(Value::as_str).enumerate();
        for (at, value) in values.filter(|_| check_values) {
            let at = path.child("values").index(at);
            found.extend(names::label_value(value).into_iter().map(|fault| format!("{at}: {fault}")));
        }
    }
}

fn warn_spread(spec: &Value, path: &Path, found: &mut Vec<String>) {
    for (at, constraint) in spec.list(&["topologySpreadConstraints"]).iter().enumerate() {
        let key = constraint.text(&["topologyKey"]);
        if let Some(text) = old_label(key) {
            found.push(format!("{}: {key} is {text}", path.index(at).child("topologyKey")));
        }
        if !has(constraint, "labelSelector") {
            found.push(format!("{}: {NO_SELECTOR}", path.index(at).child("labelSelector")));
        }
    }
}

/// The same address or the same Secret twice.
fn warn_duplicates(spec: &Value, path: &Path, found: &mut Vec<String>) {
    for (list, field, what) in [("hostAliases", "ip", "ip"), ("imagePullSecrets", "name", "name")] {
        let mut seen = BTreeSet::new();
        for (at, item) in spec.list(&[list]).iter().enumerate() {
            let text = item.text(&[field]);
            if !seen.insert(text) {
                found.push(format!("{}: duplicate {what} {}", path.child(list).index(at).child(field), quote(text)));
            }
        }
    }
    for (at, secret) in spec.list(&["imagePullSecrets"]).iter().enumerate() {
        if secret.text(&["name"]).is_empty() {
            let at = path.child("imagePullSecrets").index(at).child("name");
            found.push(format!("{at}: invalid empty name \"\""));
        }
    }
}

/// Memory in parts of bytes.
fn fraction(value: Option<&Value>, path: &Path, found: &mut Vec<String>) {
    let amount = value.and_then(Value::as_str).and_then(|text| Quantity::from_str(text).ok());
    if let Some(amount) = amount.filter(|amount| !amount.is_whole()) {
        found.push(format!("{path}: fractional byte value \"{amount}\" is invalid, must be an integer"));
    }
}

fn warn_resources(container: &Value, path: &Path, found: &mut Vec<String>) {
    for name in ["memory", "ephemeral-storage"] {
        for list in ["limits", "requests"] {
            let at = path.child("resources").child(list).key(name);
            fraction(container.at(&["resources", list, name]), &at, found);
        }
    }
}

fn warn_container_annotations(object: &Value, container: &Value, of: Of, path: &Path, found: &mut Vec<String>) {
    let name = container.text(&["name"]);
    let key = format!("{SECCOMP_CONTAINER}{name}");
    let context = |field: &str| container.at(&["securityContext", field]);
    if context("seccompProfile").is_none() && get(object, &key).is_some() {
        found.push(format!("{}: {SECCOMP}", path.key(&key)));
    }
    let key = format!("{APP_ARMOR}{name}");
    let Some(annotation) = get(object, &key) else { return };
    let of_pod = object.at(&["spec", "securityContext", "appArmorProfile"]);
    let own = context("appArmorProfile");
    let is_alone = match of {
        Of::Template => own.is_none() && of_pod.is_none(),
        // The annotation has been made the field that it means before.
        Of::Pod => match app_armor_field(annotation) {
            None => own.is_none(),
            meant => meant.as_ref() == own && meant.as_ref() != of_pod,
        },
    };
    if is_alone {
        let text = "deprecated since v1.30; use the \\\"appArmorProfile\\\" field instead";
        found.push(format!("{}: {text}", path.key(&key)));
    }
}

/// A variable that hides an earlier one without using it.
fn warn_env(variables: &[Value], path: &Path, found: &mut Vec<String>) {
    let mut seen = BTreeSet::new();
    for (at, variable) in variables.iter().enumerate() {
        let name = variable.text(&["name"]);
        if seen.insert(name) {
            continue;
        }
        let reference = format!("$({name})");
        let value = variable.text(&["value"]);
        if has(variable, "valueFrom") || value == reference || !value.contains(&reference) {
            let path = path.index(at);
            let name = quote(name);
            found.push(format!("{path}: hides previous definition of {name}, which may be dropped when using apply"));
        }
    }
}

/// Ports of one number and protocol that get in each other's way.
fn warn_ports(spec: &Value, path: &Path, found: &mut Vec<String>) {
    let mut seen: BTreeMap<(i64, &str), Vec<(Path, &Value)>> = BTreeMap::new();
    visit(spec, path, |container, path| {
        for (at, port) in container.list(&["ports"]).iter().enumerate() {
            let at = path.child("ports").index(at);
            let (ip, outer) = (port.text(&["hostIP"]), number(port, "hostPort"));
            if !ip.is_empty() && outer == 0 {
                found.push(format!("{at}: hostIP set without hostPort: {}", shown_port(port)));
            }
            let key = (number(port, "containerPort"), port.text(&["protocol"]));
            let others = seen.entry(key).or_default();
            for (other_path, other) in others.iter() {
                let (other_ip, other_outer) = (other.text(&["hostIP"]), number(other, "hostPort"));
                let how = if ip == other_ip && outer == other_outer {
                    "duplicate"
                } else if outer == 0 || other_outer == 0 {
                    "overlapping"
                } else if outer == other_outer && ip.is_empty() != other_ip.is_empty() {
                    "dangerously ambiguous"
                } else {
                    continue;
                };
                found.push(format!("{at}: {how} port definition with {other_path}"));
            }
            others.push((at, port));
        }
    });
}

/// A port as Go prints a struct.
fn shown_port(port: &Value) -> String {
    format!(
        "{{Name:{} HostPort:{} ContainerPort:{} Protocol:{} HostIP:{}}}",
        port.text(&["name"]),
        number(port, "hostPort"),
        number(port, "containerPort"),
        port.text(&["protocol"]),
        port.text(&["hostIP"])
    )
}

fn warn_affinity(spec: &Value, path: &Path, found: &mut Vec<String>) {
    for field in ["podAffinity", "podAntiAffinity"] {
        let path = path.child(field);
        let required = "requiredDuringSchedulingIgnoredDuringExecution";
        for (at, term) in spec.list(&["affinity", field, required]).iter().enumerate() {
            if !has(term, "labelSelector") {
                found.push(format!("{}: {NO_SELECTOR}", path.child(required).index(at).child("labelSelector")));
            }
        }
        let preferred = "preferredDuringSchedulingIgnoredDuringExecution";
        for (at, term) in spec.list(&["affinity", field, preferred]).iter().enumerate() {
            if term.at(&["podAffinityTerm", "labelSelector"]).is_none() {
                let at = path.child(preferred).index(at).child("podAffinityTerm").child("labelSelector");
                found.push(format!("{at}: {NO_SELECTOR}"));
            }
        }
    }
}

fn warn_addresses(spec: &Value, path: &Path, found: &mut Vec<String>) {
    let servers = spec.list(&["dnsConfig", "nameservers"]).iter().filter_map(Value::as_str);
    for (at, server) in servers.enumerate() {
        found.extend(names::ip_warning(&path.child("dnsConfig").child("nameservers").index(at), server));
    }
    for (at, alias) in spec.list(&["hostAliases"]).iter().enumerate() {
        let path = path.child("hostAliases").index(at).child("ip");
        found.extend(names::ip_warning(&path, alias.text(&["ip"])));
    }
}

/// `WarningsOnUpdate` of the status: addresses that were not there before.
pub(super) fn of_status(new: &Value, old: &Value) -> Vec<String> {
    let mut found = Vec::new();
    for field in ["podIPs", "hostIPs"] {
        let known = old.list(&["status", field]);
        for (at, address) in new.list(&["status", field]).iter().enumerate().filter(|(_, one)| !known.contains(one)) {
            let path = Path::new("status").child(field).index(at).child("ip");
            found.extend(names::ip_warning(&path, address.text(&["ip"])));
        }
    }
    found
}
