//! What of a Service follows from its other fields and from what it was: `pkg/registry/core/service/storage`.

use super::{is_headless, needs_address};
use crate::value::Value;

/// `normalizeClusterIPs`: `clusterIP` is the first of `clusterIPs`; a client may give either.
pub(super) fn sync_addresses(new: &mut Value, old: Option<&Value>) {
    let one = new.text(&["spec", "clusterIP"]).to_owned();
    if !one.is_empty() && new.list(&["spec", "clusterIPs"]).is_empty() {
        new.set(&["spec", "clusterIPs"], vec![Value::from(one)]);
        return;
    }
    let Some(old) = old else { return };
    let same = |path: &[&str]| new.at(path) == old.at(path);
    if same(&["spec", "clusterIP"]) || !same(&["spec", "clusterIPs"]) {
        return;
    }
    if one.is_empty() {
        new.remove(&["spec", "clusterIPs"]);
    } else {
        new.set(&["spec", "clusterIPs"], vec![Value::from(one)]);
    }
}

/// `patchAllocatedValues`: what the server once gave need not be sent again.
pub(super) fn keep_allocated(new: &mut Value, old: &Value) {
    if needs_address(old) && needs_address(new) {
        if new.text(&["spec", "clusterIP"]).is_empty() {
            copy(new, old, "clusterIP");
        }
        let same = new.at(&["spec", "clusterIP"]) == old.at(&["spec", "clusterIP"]);
        if same && new.list(&["spec", "clusterIPs"]).is_empty() {
            copy(new, old, "clusterIPs");
        }
    }
    if needs_node_port(old) && needs_node_port(new) {
        keep_node_ports(new, old);
    }
    if needs_health_check(old) && needs_health_check(new) && new.at(&["spec", "healthCheckNodePort"]).is_none() {
        copy(new, old, "healthCheckNodePort");
    }
}

fn copy(new: &mut Value, old: &Value, name: &str) {
    if let Some(value) = old.at(&["spec", name]) {
        new.set(&["spec", name], value.clone());
    }
}

/// Ports are the same ones if they have the same name.
fn keep_node_ports(new: &mut Value, old: &Value) {
    let node_ports = |service: &Value| -> Vec<i64> {
        service.list(&["spec", "ports"]).iter().filter_map(|port| port.integer(&["nodePort"])).collect()
    };
    let (of_new, of_old) = (node_ports(new), node_ports(old));
    let known: Vec<(String, i64)> = old
        .list(&["spec", "ports"])
        .iter()
        .filter_map(|port| Some((port.text(&["name"]).to_owned(), port.integer(&["nodePort"])?)))
        .collect();
    for port in new.at_mut(&["spec", "ports"]).and_then(Value::as_list_mut).into_iter().flatten() {
        if port.integer(&["nodePort"]).is_some_and(|number| number != 0) {
            continue;
        }
        let before = known.iter().rfind(|(name, _)| name == port.text(&["name"])).map(|(_, number)| *number);
        if let Some(number) = before.filter(|number| !(of_new.contains(number) && of_old.contains(number))) {
            port.set(&["nodePort"], number);
        }
    }
}

/// `dropTypeDependentFields`: a change of type takes along what the user left as it was.
pub(super) fn drop_what_no_longer_applies(new: &mut Value, old: &Value) {
    if needs_address(old) && !needs_address(new) {
        if same(new, old, "clusterIP") && same(new, old, "clusterIPs") {
            new.remove(&["spec", "clusterIP"]);
            new.remove(&["spec", "clusterIPs"]);
        }
        drop_if_same(new, old, "ipFamilies");
        drop_if_same(new, old, "ipFamilyPolicy");
    }
    if needs_node_port(old) && !needs_node_port(new) {
        drop_node_ports(new, old);
    }
    if needs_health_check(old) && !needs_health_check(new) {
        drop_if_same(new, old, "healthCheckNodePort");
    }
    if is_load_balancer(old) && !is_load_balancer(new) {
        drop_if_same(new, old, "allocateLoadBalancerNodePorts");
        drop_if_same(new, old, "loadBalancerClass");
    }
    if super::is_externally_accessible(old) && !super::is_externally_accessible(new) {
        drop_if_same(new, old, "externalTrafficPolicy");
    }
}

fn same(new: &Value, old: &Value, name: &str) -> bool {
    new.at(&["spec", name]) == old.at(&["spec", name])
}

fn drop_if_same(new: &mut Value, old: &Value, name: &str) {
    if same(new, old, name) {
        new.remove(&["spec", name]);
    }
}

fn drop_node_ports(new: &mut Value, old: &Value) {
    let before: Vec<Option<i64>> =
        old.list(&["spec", "ports"]).iter().map(|port| port.integer(&["nodePort"])).collect();
    let after: Vec<Option<i64>> = new.list(&["spec", "ports"]).iter().map(|port| port.integer(&["nodePort"])).collect();
    if before != after {
        return;
    }
    for port in new.at_mut(&["spec", "ports"]).and_then(Value::as_list_mut).into_iter().flatten() {
        port.remove(&["nodePort"]);
    }
}

/// `initIPFamilyFields` of a cluster with one range: the family is that of the address.
pub(super) fn set_families(new: &mut Value, old: Option<&Value>) {
    if !needs_address(new) {
        return;
    }
    let is_selectorless = is_headless(new) && new.entries(&["spec", "selector"]).next().is_none();
    if new.at(&["spec", "ipFamilyPolicy"]).is_none() {
        let before = old.map(|old| old.text(&["spec", "ipFamilyPolicy"])).filter(|policy| !policy.is_empty());
        let policy = before.unwrap_or(if is_selectorless { "RequireDualStack" } else { "SingleStack" });
        new.set(&["spec", "ipFamilyPolicy"], policy);
    }
    if new.list(&["spec", "ipFamilies"]).is_empty() {
        let before = old.map(|old| old.list(&["spec", "ipFamilies"]).to_vec()).filter(|families| !families.is_empty());
        let families = before.unwrap_or_else(|| vec![Value::from(family(new))]);
        new.set(&["spec", "ipFamilies"], families);
    }
    let dual = new.text(&["spec", "ipFamilyPolicy"]) != "SingleStack";
    let Some(families) = new.at_mut(&["spec", "ipFamilies"]).and_then(Value::as_list_mut) else { return };
    if is_selectorless && dual && families.len() == 1 {
        let other = if families.first().and_then(Value::as_str) == Some("IPv4") { "IPv6" } else { "IPv4" };
        families.push(other.into());
    }
}

fn family(service: &Value) -> &'static str {
    if service.text(&["spec", "clusterIP"]).contains(':') { "IPv6" } else { "IPv4" }
}

pub(super) fn needs_node_port(service: &Value) -> bool {
    matches!(service.text(&["spec", "type"]), "NodePort" | "LoadBalancer")
}

/// `NeedsHealthCheck`
pub(super) fn needs_health_check(service: &Value) -> bool {
    is_load_balancer(service) && service.text(&["spec", "externalTrafficPolicy"]) == "Local"
}

pub(super) fn is_load_balancer(service: &Value) -> bool {
    service.text(&["spec", "type"]) == "LoadBalancer"
}
