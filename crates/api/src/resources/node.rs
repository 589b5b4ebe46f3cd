//! Rules of Nodes: `pkg/apis/core/validation` `ValidateNode`, `pkg/registry/core/node/strategy.go`, and the admission
//! `TaintNodesByCondition`.

use std::collections::BTreeSet;

use super::namespace::keep;
use super::{Cell, Part, Rules};
use crate::field::{FieldError, Path, Verbatim, quote};
use crate::meta::shown;
use crate::names;
use crate::quantity::Quantity;
use crate::time;
use crate::value::Value;

/// The rules of Nodes.
pub(super) struct Node;

const NOT_READY: &str = "node.kubernetes.io/not-ready";
const ROLE_PREFIX: &str = "node-role.kubernetes.io/";
const EFFECTS: [&str; 3] = ["NoSchedule", "PreferNoSchedule", "NoExecute"];

impl Rules for Node {
    /// `SetDefaults_NodeStatus` and `Convert_v1_NodeSpec_To_core_NodeSpec`
    fn default(&self, object: &mut Value) {
        if let Some(capacity) = object.at(&["status", "capacity"]).cloned() {
            object.set_if_absent(&["status", "allocatable"], capacity);
        }
        sync_cidrs(object);
    }

    /// `dropDisabledFields` and the taint that keeps pods away until the node is ready.
    fn prepare_create(&self, object: &mut Value) {
        object.remove(&["spec", "configSource"]);
        object.remove(&["status", "config"]);
        let is_not_ready = |taint: &Value| taint.text(&["key"]) == NOT_READY && taint.text(&["effect"]) == "NoSchedule";
        if object.list(&["spec", "taints"]).iter().any(is_not_ready) {
            return;
        }
        let mut taint = Value::object();
        taint.set(&["effect"], "NoSchedule");
        taint.set(&["key"], NOT_READY);
        object.set_if_absent(&["spec", "taints"], Vec::new());
        if let Some(taints) = object.at_mut(&["spec", "taints"]).and_then(Value::as_list_mut) {
            taints.push(taint);
        }
    }

    fn prepare_update(&self, part: Part, new: &mut Value, old: &Value) {
        keep(if part == Part::Status { &["spec"] } else { &["status"] }, new, old);
        if old.at(&["spec", "configSource"]).is_none() {
            new.remove(&["spec", "configSource"]);
        }
    }

    fn validate(&self, object: &Value) -> Vec<FieldError> {
        let mut errors = validate_taints(object.list(&["spec", "taints"]));
        errors.extend(validate_resources(object));
        errors.extend(validate_cidrs(object.list(&["spec", "podCIDRs"])));
        errors
    }

    /// `ValidateNodeUpdate`, after the whole of `ValidateNode` unless it is the status that changes.
    fn validate_update(&self, part: Part, new: &Value, old: &Value) -> Vec<FieldError> {
        let mut errors = if part == Part::Status { Vec::new() } else { self.validate(new) };
        errors.extend(validate_resources(new));
        errors.extend(validate_addresses(new));
        errors.extend(validate_fixed(new, old));
        errors.extend(validate_taints(new.list(&["spec", "taints"])));
        errors
    }

    fn repeats(&self, part: Part) -> crate::meta::Repeats {
        crate::meta::Repeats { update: true, create: part == Part::Whole }
    }

    /// `fieldIsDeprecatedWarnings`
    fn warnings(&self, new: &Value, _old: Option<&Value>) -> Vec<String> {
        let mut warnings = Vec::new();
        if new.at(&["spec", "configSource"]).is_some() {
            warnings.push("spec.configSource: the feature is removed".to_owned());
        }
        if !new.text(&["spec", "externalID"]).is_empty() {
            warnings.push("spec.externalID: this field is deprecated, and is unused by Kubernetes".to_owned());
        }
        for (at, cidr) in new.list(&["spec", "podCIDRs"]).iter().enumerate() {
            let path = Path::new("spec").child("podCIDRs").index(at);
            warnings.extend(names::cidr_warning(&path, cidr.as_str().unwrap_or_default()));
        }
        warnings
    }

    fn selectable(&self, object: &Value) -> Vec<(&'static str, String)> {
        let unschedulable = object.boolean(&["spec", "unschedulable"]).unwrap_or(false);
        vec![("spec.unschedulable", unschedulable.to_string())]
    }

    fn selectable_names(&self) -> &'static [&'static str] {
        &["spec.unschedulable"]
    }

    /// `printNode`
    fn cells(&self, object: &Value) -> Vec<Cell> {
        let or = |text: &str, other: &str| Cell::Text(if text.is_empty() { other } else { text }.into());
        let info = |name: &str| object.text(&["status", "nodeInfo", name]);
        vec![
            Cell::Text(object.name().into()),
            Cell::Text(state(object).into()),
            or(&roles(object), "<none>"),
            Cell::Age(time::creation(object)),
            Cell::Text(info("kubeletVersion").into()),
            or(address(object, "InternalIP"), "<none>"),
            or(address(object, "ExternalIP"), "<none>"),
            or(info("osImage"), "<unknown>"),
            or(info("kernelVersion"), "<unknown>"),
            or(info("containerRuntimeVersion"), "<unknown>"),
        ]
    }

    fn reset_fields(&self, part: Part) -> &'static [&'static [&'static str]] {
        if part == Part::Status { &[&["spec"]] } else { &[&["status"]] }
    }
}

/// `podCIDR` is the first of `podCIDRs`; where they differ, the old field wins.
fn sync_cidrs(object: &mut Value) {
    let one = object.text(&["spec", "podCIDR"]).to_owned();
    let first = object.list(&["spec", "podCIDRs"]).first().and_then(Value::as_str).unwrap_or_default().to_owned();
    if !one.is_empty() && one != first {
        object.set(&["spec", "podCIDRs"], vec![Value::from(one)]);
    } else if one.is_empty() && !first.is_empty() {
        object.set(&["spec", "podCIDR"], first);
    }
}

/// `validateNodeTaints`, which names the field as if it were metadata.
fn validate_taints(taints: &[Value]) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let mut seen = BTreeSet::new();
    for (at, taint) in taints.iter().enumerate() {
        let path = Path::new("metadata").child("taints").index(at);
        let (key, value, effect) = (taint.text(&["key"]), taint.text(&["value"]), taint.text(&["effect"]));
        errors.extend(FieldError::each(&path.child("key"), key, names::qualified(key)));
        let faults = names::label_value(value);
        if !faults.is_empty() {
            errors.push(FieldError::invalid(&path.child("value"), value, faults.join(";")));
        }
        if effect.is_empty() {
            errors.push(FieldError::required(&path.child("effect"), ""));
        } else if !EFFECTS.contains(&effect) {
            errors.push(FieldError::not_supported(&path.child("effect"), effect, &EFFECTS));
        }
        if !seen.insert((effect, key)) {
            let mut error = FieldError::duplicate(&path, Verbatim(&shown(Some(taint))));
            "taints must be unique by key and effect pair".clone_into(&mut error.detail);
            errors.push(error);
        }
    }
    errors
}

/// `ValidateNodeResources`
fn validate_resources(object: &Value) -> Vec<FieldError> {
    let mut errors = Vec::new();
    for list in ["capacity", "allocatable"] {
        for (name, amount) in object.entries(&["status", list]) {
            let path = Path::new("status").child(list).child(name);
            let text = amount.as_str().unwrap_or_default();
            let Ok(amount) = text.parse::<Quantity>() else { continue };
            if amount.sign().is_lt() {
                errors.push(FieldError::invalid(&path, text, "must be greater than or equal to 0"));
            }
            if is_counted(name) && !amount.is_whole() {
                errors.push(FieldError::invalid(&path, text, "must be an integer"));
            }
        }
    }
    errors
}

/// `IsIntegerResourceName`, of what a node has: pods, and what is named by a domain other than Kubernetes' own.
fn is_counted(name: &str) -> bool {
    name == "pods" || name.contains('/') && !name.contains("kubernetes.io/")
}

fn validate_cidrs(cidrs: &[Value]) -> Vec<FieldError> {
    let field = Path::new("spec").child("podCIDRs");
    let texts: Vec<&str> = cidrs.iter().filter_map(Value::as_str).collect();
    let mut errors: Vec<FieldError> =
        texts.iter().enumerate().flat_map(|(at, text)| names::cidr(&field.index(at), text)).collect();
    if texts.len() < 2 {
        return errors;
    }
    let families: BTreeSet<bool> =
        texts.iter().filter_map(|text| names::parse_cidr(text)).map(|(address, _)| address.is_ipv6()).collect();
    if families.len() != texts.len() {
        let all: Vec<String> = texts.iter().map(|text| quote(text)).collect();
        let detail = "may specify no more than one CIDR for each IP family";
        errors.push(FieldError::invalid(&field, Verbatim(&format!("[{}]", all.join(","))), detail));
    }
    errors
}

fn validate_addresses(object: &Value) -> Vec<FieldError> {
    let addresses = object.list(&["status", "addresses"]);
    let mut errors = Vec::new();
    for (at, address) in addresses.iter().enumerate() {
        if addresses.iter().take(at).any(|earlier| earlier == address) {
            let path = Path::new("status").child("addresses").index(at);
            errors.push(FieldError::duplicate(&path, Verbatim(&shown(Some(address)))));
        }
    }
    errors
}

/// What may be set once and then stays.
fn validate_fixed(new: &Value, old: &Value) -> Vec<FieldError> {
    let path = |name: &str| Path::new("spec").child(name);
    let text = |object: &Value, name: &str| object.text(&["spec", name]).to_owned();
    let mut errors = Vec::new();
    let had_cidrs = !old.list(&["spec", "podCIDRs"]).is_empty();
    if had_cidrs && old.list(&["spec", "podCIDRs"]) != new.list(&["spec", "podCIDRs"]) {
        let detail = r#"node updates may not change podCIDR except from "" to valid"#;
        errors.push(FieldError::forbidden(&path("podCIDRs"), detail));
    }
    let provider = text(old, "providerID");
    if !provider.is_empty() && provider != text(new, "providerID") {
        let detail = r#"node updates may not change providerID except from "" to valid"#;
        errors.push(FieldError::forbidden(&path("providerID"), detail));
    }
    if text(old, "externalID") != text(new, "externalID") {
        errors.push(FieldError::forbidden(&path("externalID"), "may not be updated"));
    }
    errors
}

/// e.g. `NotReady,SchedulingDisabled`
fn state(object: &Value) -> String {
    let mut conditions = object.list(&["status", "conditions"]).iter();
    let ready = match conditions.rfind(|one| one.text(&["type"]) == "Ready") {
        Some(condition) if condition.text(&["status"]) == "True" => "Ready",
        Some(_) => "NotReady",
        None => "Unknown",
    };
    let closed = object.boolean(&["spec", "unschedulable"]).unwrap_or(false);
    format!("{ready}{}", if closed { ",SchedulingDisabled" } else { "" })
}

/// `findNodeRoles`
fn roles(object: &Value) -> String {
    let mut roles = BTreeSet::new();
    for (key, value) in object.entries(&["metadata", "labels"]) {
        match key.strip_prefix(ROLE_PREFIX) {
            Some(role) if !role.is_empty() => roles.insert(role),
            None if key == "kubernetes.io/role" => roles.insert(value.as_str().unwrap_or_default()),
            _ => continue,
        };
    }
    roles.remove("");
    roles.into_iter().collect::<Vec<_>>().join(",")
}

fn address<'a>(object: &'a Value, kind: &str) -> &'a str {
    let addresses = object.list(&["status", "addresses"]);
    addresses.iter().find(|one| one.text(&["type"]) == kind).map_or("", |one| one.text(&["address"]))
}

#[cfg(test)]
mod tests;
