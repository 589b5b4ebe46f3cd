//! `ValidateService`, `ValidateServiceUpdate` and what they call.

use std::collections::BTreeSet;

use super::update::{is_load_balancer, needs_health_check};
use super::{is_externally_accessible, is_headless, needs_address};
use crate::field::{FieldError, Path, Verbatim, quote};
use crate::meta;
use crate::names;
use crate::resources::endpoints::validate_protocol;
use crate::value::Value;

const TYPES: [&str; 4] = ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"];
const FAMILIES: [&str; 2] = ["IPv4", "IPv6"];
const POLICIES: [&str; 3] = ["PreferDualStack", "RequireDualStack", "SingleStack"];
const TRAFFIC: [&str; 2] = ["Cluster", "Local"];
const DISTRIBUTIONS: [&str; 3] = ["PreferClose", "PreferSameNode", "PreferSameZone"];
/// `MaxClientIPServiceAffinitySeconds`
const MOST_AFFINITY_SECONDS: i64 = 86_400;
const ONLY_LOAD_BALANCER: &str = "may only be used when `type` is 'LoadBalancer'";

/// `ValidateService`; addresses that the old Service had pass in the form they have.
pub(super) fn service(object: &Value, old: Option<&Value>) -> Vec<FieldError> {
    let known = |name: &str| -> Vec<&str> {
        old.map(|old| old.list(&["spec", name])).unwrap_or_default().iter().filter_map(Value::as_str).collect()
    };
    let mut errors = by_type(object);
    errors.extend(ports(object));
    errors.extend(meta::labels(&spec("selector"), object.at(&["spec", "selector"])));
    errors.extend(affinity(object));
    errors.extend(addresses(object, &known("clusterIPs")));
    errors.extend(external_addresses(object, &known("externalIPs")));
    errors.extend(one_of(object, "type", &TYPES));
    errors.extend(port_pairs(object));
    errors.extend(load_balancer(object));
    errors.extend(traffic(object));
    errors
}

/// `ValidateServiceUpdate`
pub(super) fn update(new: &Value, old: &Value) -> Vec<FieldError> {
    let mut errors = kept_addresses(new, old);
    errors.extend(kept_families(new, old));
    if is_load_balancer(old) && is_load_balancer(new) {
        let class = |service: &Value| service.at(&["spec", "loadBalancerClass"]).cloned();
        if class(new) != class(old) {
            let detail = "may not change once set";
            let shown = meta::shown(class(new).as_ref());
            errors.push(FieldError::invalid(&spec("loadBalancerClass"), Verbatim(&shown), detail));
        }
    }
    let port = |service: &Value| service.integer(&["spec", "healthCheckNodePort"]).unwrap_or(0);
    if needs_health_check(old) && needs_health_check(new) && port(old) != port(new) {
        errors.push(FieldError::forbidden(&spec("healthCheckNodePort"), "field is immutable"));
    }
    errors.extend(service(new, Some(old)));
    errors
}

/// `ValidateServiceStatusUpdate`
pub(super) fn status(object: &Value) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let path = Path::new("status").child("loadBalancer").child("ingress");
    let ingress = object.list(&["status", "loadBalancer", "ingress"]);
    if !ingress.is_empty() && !is_load_balancer(object) {
        errors.push(FieldError::forbidden(&path, "may only be used when `spec.type` is \"LoadBalancer\""));
    }
    for (at, one) in ingress.iter().enumerate() {
        let path = path.index(at);
        let (ip, hostname) = (one.text(&["ip"]), one.text(&["hostname"]));
        if !ip.is_empty() {
            errors.extend(names::ip(&path.child("ip"), ip));
        }
        if !hostname.is_empty() {
            let path = path.child("hostname");
            errors.extend(FieldError::each(&path, hostname, names::subdomain(hostname)));
            if names::parse_ip(hostname).is_some() {
                errors.push(FieldError::invalid(&path, hostname, "must be a DNS name, not an IP address"));
            }
        }
    }
    errors
}

fn spec(name: &str) -> Path {
    Path::new("spec").child(name)
}

/// A text that must be given and be one of a few.
fn one_of(object: &Value, name: &str, supported: &[&str]) -> Option<FieldError> {
    match object.text(&["spec", name]) {
        "" => Some(FieldError::required(&spec(name), "")),
        known if supported.contains(&known) => None,
        other => Some(FieldError::not_supported(&spec(name), other, supported)),
    }
}

/// The list of texts as Go prints it.
fn list_shown(object: &Value, name: &str) -> String {
    let texts: Vec<String> = object.list(&["spec", name]).iter().filter_map(Value::as_str).map(quote).collect();
    if texts.is_empty() { "null".to_owned() } else { format!("[{}]", texts.join(",")) }
}

fn by_type(object: &Value) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let kind = object.text(&["spec", "type"]);
    if object.list(&["spec", "ports"]).is_empty() && !is_headless(object) && kind != "ExternalName" {
        errors.push(FieldError::required(&spec("ports"), ""));
    }
    match kind {
        "LoadBalancer" | "NodePort" if is_headless(object) => {
            let detail = format!("may not be set to 'None' for {kind} services");
            errors.push(FieldError::invalid(&spec("clusterIPs").index(0), "None", detail));
        }
        "ExternalName" => errors.extend(external_name(object)),
        _ => {}
    }
    errors
}

fn external_name(object: &Value) -> Vec<FieldError> {
    let mut errors = Vec::new();
    for name in ["clusterIPs", "ipFamilies", "ipFamilyPolicy"] {
        if object.at(&["spec", name]).is_some() {
            errors.push(FieldError::forbidden(&spec(name), "may not be set for ExternalName services"));
        }
    }
    let name = object.text(&["spec", "externalName"]);
    let name = name.strip_suffix('.').unwrap_or(name);
    if name.is_empty() {
        errors.push(FieldError::required(&spec("externalName"), ""));
    } else {
        errors.extend(FieldError::each(&spec("externalName"), name, names::subdomain(name)));
    }
    errors
}

fn ports(object: &Value) -> Vec<FieldError> {
    let all = object.list(&["spec", "ports"]);
    let mut errors = Vec::new();
    let mut seen = BTreeSet::new();
    for (at, port) in all.iter().enumerate() {
        let path = spec("ports").index(at);
        let name = port.text(&["name"]);
        if name.is_empty() && all.len() > 1 {
            errors.push(FieldError::required(&path.child("name"), ""));
        } else if !name.is_empty() {
            errors.extend(FieldError::each(&path.child("name"), name, names::label(name)));
            if !seen.insert(name) {
                errors.push(FieldError::duplicate(&path.child("name"), name));
            }
        }
        errors.extend(port_number(&path.child("port"), port.integer(&["port"]).unwrap_or(0)));
        errors.extend(validate_protocol(&path, port));
        errors.extend(target_port(&path.child("targetPort"), port));
        if let Some(protocol) = port.get("appProtocol").and_then(Value::as_str) {
            errors.extend(FieldError::each(&path.child("appProtocol"), protocol, names::qualified(protocol)));
        }
    }
    errors
}

fn port_number(path: &Path, number: i64) -> Vec<FieldError> {
    names::port_number(number).into_iter().map(|fault| FieldError::invalid(path, number, fault)).collect()
}

/// `ValidatePortNumOrName`
fn target_port(path: &Path, port: &Value) -> Vec<FieldError> {
    match port.get("targetPort") {
        Some(Value::String(name)) => FieldError::each(path, name, names::port_name(name)),
        Some(Value::Integer(number)) => port_number(path, *number),
        _ => port_number(path, 0),
    }
}

/// Node ports only where they serve, and no pair of protocol and port twice.
fn port_pairs(object: &Value) -> Vec<FieldError> {
    let all = object.list(&["spec", "ports"]);
    let mut errors = Vec::new();
    let node_port = |port: &Value| port.integer(&["nodePort"]).filter(|number| *number != 0);
    if object.text(&["spec", "type"]) == "ClusterIP" {
        for (at, _) in all.iter().enumerate().filter(|(_, port)| node_port(port).is_some()) {
            let path = spec("ports").index(at).child("nodePort");
            errors.push(FieldError::forbidden(&path, "may not be used when `type` is 'ClusterIP'"));
        }
    }
    let mut seen = BTreeSet::new();
    for (at, port) in all.iter().enumerate() {
        let Some(number) = node_port(port) else { continue };
        if !seen.insert((port.text(&["protocol"]), number)) {
            errors.push(FieldError::duplicate(&spec("ports").index(at).child("nodePort"), number));
        }
    }
    let mut seen = BTreeSet::new();
    for (at, port) in all.iter().enumerate() {
        let (protocol, number) = (port.text(&["protocol"]), port.integer(&["port"]).unwrap_or(0));
        if !seen.insert((protocol, number)) {
            let shown = format!(
                r#"{{"Name":"","Protocol":{},"AppProtocol":null,"Port":{number},"TargetPort":0,"NodePort":0}}"#,
                quote(protocol)
            );
            errors.push(FieldError::duplicate(&spec("ports").index(at), Verbatim(&shown)));
        }
    }
    errors
}

fn affinity(object: &Value) -> Vec<FieldError> {
    let mut errors: Vec<FieldError> = one_of(object, "sessionAffinity", &["ClientIP", "None"]).into_iter().collect();
    let path = spec("sessionAffinityConfig");
    let config = object.at(&["spec", "sessionAffinityConfig"]);
    match (object.text(&["spec", "sessionAffinity"]), config) {
        ("ClientIP", None) => errors.push(FieldError::required(&path, "when session affinity type is ClientIP")),
        ("ClientIP", Some(config)) => {
            let path = path.child("clientIP");
            let Some(seconds) = config.integer(&["clientIP", "timeoutSeconds"]) else {
                errors.push(FieldError::required(&path, "when session affinity type is ClientIP"));
                return errors;
            };
            if !(1..=MOST_AFFINITY_SECONDS).contains(&seconds) {
                let detail = format!("must be greater than 0 and less than {MOST_AFFINITY_SECONDS}");
                errors.push(FieldError::invalid(&path.child("timeoutSeconds"), seconds, detail));
            }
        }
        ("None", Some(_)) => {
            errors.push(FieldError::forbidden(&path, "must not be set when session affinity is None"));
        }
        _ => {}
    }
    errors
}

/// `ValidateServiceClusterIPsRelatedFields`, and that one range cannot serve two families.
fn addresses(object: &Value, known: &[&str]) -> Vec<FieldError> {
    if object.text(&["spec", "type"]) == "ExternalName" {
        return Vec::new();
    }
    let field = spec("clusterIPs");
    let list = || list_shown(object, "clusterIPs");
    let invalid = |detail: &str| FieldError::invalid(&field, Verbatim(&list()), detail);
    let one = object.text(&["spec", "clusterIP"]);
    let all: Vec<&str> = object.list(&["spec", "clusterIPs"]).iter().filter_map(Value::as_str).collect();
    let mut errors = match (one, all.first()) {
        ("", None) => Vec::new(),
        ("", Some(_)) => vec![invalid("must be empty when `clusterIP` is not specified")],
        (_, None) => vec![FieldError::required(&field, "")],
        (one, Some(first)) if one == *first => Vec::new(),
        _ => vec![invalid("first value must match `clusterIP`")],
    };
    errors.extend(families(object));
    let before = errors.len();
    for (at, ip) in all.iter().enumerate() {
        if at > 0 || *ip != "None" {
            errors.extend(names::ip_unless_known(&field.index(at), ip, known));
        } else if all.len() > 1 {
            errors.push(invalid("'None' must be the first and only value"));
        }
    }
    let malformed = errors.len() > before;
    if all.len() > 2 {
        errors.push(invalid("may only hold up to 2 values"));
    }
    if malformed {
        return errors;
    }
    let is_ipv6 = |ip: &str| ip.contains(':');
    if let [first, rest @ ..] = all.as_slice()
        && rest.iter().any(|ip| is_ipv6(ip) == is_ipv6(first))
    {
        errors.push(invalid("may specify no more than one IP for each IP family"));
    }
    if !is_headless(object) {
        errors.extend(matching_families(object, &all));
    }
    errors
}

/// Each address is of the family at its place.
fn matching_families(object: &Value, all: &[&str]) -> Vec<FieldError> {
    let families = object.list(&["spec", "ipFamilies"]).iter().filter_map(Value::as_str);
    let pairs = all.iter().zip(families).enumerate();
    let wrong = pairs.filter(|(_, (ip, family))| FAMILIES.contains(family) && ip.contains(':') != (*family == "IPv6"));
    wrong
        .map(|(at, (ip, family))| {
            let detail = format!("expected an {family} value as indicated by `ipFamilies[{at}]`");
            FieldError::invalid(&spec("clusterIPs").index(at), *ip, detail)
        })
        .collect()
}

fn families(object: &Value) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let mut seen = BTreeSet::new();
    for (at, family) in object.list(&["spec", "ipFamilies"]).iter().filter_map(Value::as_str).enumerate() {
        let path = spec("ipFamilies").index(at);
        if !FAMILIES.contains(&family) {
            errors.push(FieldError::not_supported(&path, family, &FAMILIES));
        }
        if !seen.insert(family) {
            errors.push(FieldError::duplicate(&path, family));
        }
    }
    let policy = object.text(&["spec", "ipFamilyPolicy"]);
    if object.at(&["spec", "ipFamilyPolicy"]).is_some() && !POLICIES.contains(&policy) {
        errors.push(FieldError::not_supported(&spec("ipFamilyPolicy"), policy, &POLICIES));
    }
    let is_selectorless = is_headless(object) && object.entries(&["spec", "selector"]).next().is_none();
    if policy == "RequireDualStack" && !is_selectorless {
        let detail = "this cluster is not configured for dual-stack services";
        errors.push(FieldError::invalid(&spec("ipFamilyPolicy"), policy, detail));
    }
    errors
}

fn external_addresses(object: &Value, known: &[&str]) -> Vec<FieldError> {
    let mut errors = Vec::new();
    for (at, ip) in object.list(&["spec", "externalIPs"]).iter().filter_map(Value::as_str).enumerate() {
        let path = spec("externalIPs").index(at);
        let faults = names::ip_unless_known(&path, ip, known);
        errors.extend(if faults.is_empty() { names::endpoint_ip(&path, ip) } else { faults });
    }
    errors
}

fn load_balancer(object: &Value) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let is_balancer = is_load_balancer(object);
    let ranges = object.list(&["spec", "loadBalancerSourceRanges"]);
    if !ranges.is_empty() {
        let path = spec("LoadBalancerSourceRanges");
        if !is_balancer {
            errors.push(FieldError::forbidden(&path, ONLY_LOAD_BALANCER));
        }
        for (at, range) in ranges.iter().filter_map(Value::as_str).enumerate() {
            errors.extend(names::cidr(&path.index(at), range.trim()));
        }
    }
    let allocate = object.boolean(&["spec", "allocateLoadBalancerNodePorts"]);
    if allocate.is_some() && !is_balancer {
        errors.push(FieldError::forbidden(&spec("allocateLoadBalancerNodePorts"), ONLY_LOAD_BALANCER));
    }
    if allocate.is_none() && is_balancer {
        errors.push(FieldError::required(&Path::new("allocateLoadBalancerNodePorts"), ""));
    }
    if let Some(class) = object.at(&["spec", "loadBalancerClass"]).and_then(Value::as_str) {
        if is_balancer {
            errors.extend(FieldError::each(&spec("loadBalancerClass"), class, names::qualified(class)));
        } else {
            errors.push(FieldError::forbidden(&spec("loadBalancerClass"), ONLY_LOAD_BALANCER));
        }
    }
    errors
}

fn traffic(object: &Value) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let external = object.text(&["spec", "externalTrafficPolicy"]);
    if is_externally_accessible(object) {
        errors.extend(one_of(object, "externalTrafficPolicy", &TRAFFIC));
    } else if !external.is_empty() {
        let detail = "may only be set for externally-accessible services";
        errors.push(FieldError::invalid(&spec("externalTrafficPolicy"), external, detail));
    }
    errors.extend(health_check(object));
    let internal = object.at(&["spec", "internalTrafficPolicy"]);
    if internal.is_some() || needs_address(object) {
        errors.extend(one_of(object, "internalTrafficPolicy", &TRAFFIC));
    }
    if let Some(distribution) = object.at(&["spec", "trafficDistribution"]).and_then(Value::as_str)
        && !DISTRIBUTIONS.contains(&distribution)
    {
        errors.push(FieldError::not_supported(&spec("trafficDistribution"), distribution, &DISTRIBUTIONS));
    }
    errors
}

fn health_check(object: &Value) -> Vec<FieldError> {
    let path = spec("healthCheckNodePort");
    let port = object.integer(&["spec", "healthCheckNodePort"]).unwrap_or(0);
    match (needs_health_check(object), port) {
        (false, 0) => Vec::new(),
        (false, port) => {
            let detail = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'";
            vec![FieldError::invalid(&path, port, detail)]
        }
        (true, 0) => vec![FieldError::required(&path, "")],
        (true, port) => port_number(&path, port),
    }
}

/// `validateUpgradeDowngradeClusterIPs`
fn kept_addresses(new: &Value, old: &Value) -> Vec<FieldError> {
    if !needs_address(new) || !needs_address(old) || (is_headless(new) && is_headless(old)) {
        return Vec::new();
    }
    let (after, before) = (new.list(&["spec", "clusterIPs"]), old.list(&["spec", "clusterIPs"]));
    let shown = list_shown(new, "clusterIPs");
    let invalid = |at: usize, detail| FieldError::invalid(&spec("clusterIPs").index(at), Verbatim(&shown), detail);
    if before.is_empty() {
        return Vec::new();
    }
    if after.is_empty() {
        return vec![invalid(0, "primary clusterIP can not be unset")];
    }
    let compared = if after.len() == before.len() { after.len() } else { 1 };
    let changed = after.iter().zip(before).enumerate().take(compared).filter(|(_, (after, before))| after != before);
    let mut errors: Vec<FieldError> = changed.map(|(at, _)| invalid(at, "may not change once set")).collect();
    if after.len() < before.len() && new.text(&["spec", "ipFamilyPolicy"]) != "SingleStack" {
        let policy = meta::shown(new.at(&["spec", "ipFamilyPolicy"]));
        let detail = "must be set to 'SingleStack' when releasing the secondary clusterIP";
        errors.push(FieldError::invalid(&spec("ipFamilyPolicy"), Verbatim(&policy), detail));
    }
    errors
}

/// `validateUpgradeDowngradeIPFamilies`
fn kept_families(new: &Value, old: &Value) -> Vec<FieldError> {
    let turns_headless = is_headless(new) != is_headless(old);
    if !needs_address(new) || !needs_address(old) || turns_headless || is_headless(new) {
        return Vec::new();
    }
    let (after, before) = (new.list(&["spec", "ipFamilies"]), old.list(&["spec", "ipFamilies"]));
    let shown = list_shown(new, "ipFamilies");
    let invalid = |at: usize, detail| FieldError::invalid(&spec("ipFamilies").index(at), Verbatim(&shown), detail);
    match (before.is_empty(), after.is_empty()) {
        (true, _) => Vec::new(),
        (false, true) => vec![invalid(0, "primary ipFamily can not be unset")],
        (false, false) if before.first() != after.first() => vec![invalid(0, "may not change once set")],
        _ => Vec::new(),
    }
}
