//! Rules of Services: `pkg/apis/core/validation` `ValidateService`, `pkg/apis/core/v1/defaults.go`,
//! `pkg/registry/core/service`.
//!
//! Addresses and node ports are given by the server, which knows what is taken, before the rules look at a Service;
//! [`ports`] says which ports are wanted.

use super::namespace::keep;
use super::{Cell, NameRule, Part, Rules};
use crate::field::{FieldError, Path};
use crate::meta::Repeats;
use crate::names;
use crate::time;
use crate::value::Value;

pub mod ports;
mod update;
mod validate;

/// The rules of Services.
pub(super) struct Service;

/// `DefaultClientIPServiceAffinitySeconds`
const AFFINITY_SECONDS: i64 = 10_800;

impl Rules for Service {
    /// `SetDefaults_Service`
    fn default(&self, object: &mut Value) {
        default_affinity(object);
        set_if_empty(object, "type", "ClusterIP");
        for port in object.at_mut(&["spec", "ports"]).and_then(Value::as_list_mut).into_iter().flatten() {
            default_port(port);
        }
        if is_externally_accessible(object) {
            set_if_empty(object, "externalTrafficPolicy", "Cluster");
        }
        let kind = object.text(&["spec", "type"]).to_owned();
        if matches!(kind.as_str(), "ClusterIP" | "NodePort" | "LoadBalancer") {
            object.set_if_absent(&["spec", "internalTrafficPolicy"], "Cluster");
        }
        if kind == "LoadBalancer" {
            object.set_if_absent(&["spec", "allocateLoadBalancerNodePorts"], true);
            default_ingress(object);
        }
    }

    fn prepare_create(&self, object: &mut Value) {
        object.set(&["status"], Value::object());
        object.set(&["status", "loadBalancer"], Value::object());
        update::sync_addresses(object, None);
        update::set_families(object, None);
    }

    fn prepare_update(&self, part: Part, new: &mut Value, old: &Value) {
        if part == Part::Status {
            keep(&["spec"], new, old);
            return;
        }
        keep(&["status"], new, old);
        update::sync_addresses(new, Some(old));
        update::keep_allocated(new, old);
        update::drop_what_no_longer_applies(new, old);
        update::set_families(new, Some(old));
    }

    fn validate(&self, object: &Value) -> Vec<FieldError> {
        validate::service(object, None)
    }

    fn validate_update(&self, part: Part, new: &Value, old: &Value) -> Vec<FieldError> {
        if part == Part::Status { validate::status(new) } else { validate::update(new, old) }
    }

    fn name_rule(&self) -> NameRule {
        NameRule::Dns1035Label
    }

    fn repeats(&self, part: Part) -> Repeats {
        Repeats { update: true, create: part == Part::Whole }
    }

    fn warnings(&self, new: &Value, _old: Option<&Value>) -> Vec<String> {
        warnings(new)
    }

    fn selectable(&self, object: &Value) -> Vec<(&'static str, String)> {
        let field = |name: &str| object.text(&["spec", name]).to_owned();
        vec![("spec.clusterIP", field("clusterIP")), ("spec.type", field("type"))]
    }

    fn selectable_names(&self) -> &'static [&'static str] {
        &["spec.clusterIP", "spec.type"]
    }

    /// `printService`
    fn cells(&self, object: &Value) -> Vec<Cell> {
        let or_none = |text: String| Cell::Text(if text.is_empty() { "<none>".into() } else { text.into() });
        let addresses = object.list(&["spec", "clusterIPs"]);
        let ports: Vec<String> = object.list(&["spec", "ports"]).iter().map(port_shown).collect();
        let selector = object.entries(&["spec", "selector"]);
        let selector: Vec<String> =
            selector.map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default())).collect();
        vec![
            Cell::Text(object.name().into()),
            Cell::Text(object.text(&["spec", "type"]).into()),
            or_none(addresses.first().and_then(Value::as_str).unwrap_or_default().to_owned()),
            Cell::Text(external_address(object).into()),
            or_none(ports.join(",")),
            Cell::Age(time::creation(object)),
            or_none(selector.join(",")),
        ]
    }

    fn reset_fields(&self, part: Part) -> &'static [&'static [&'static str]] {
        if part == Part::Status { &[&["spec"]] } else { &[&["status"]] }
    }
}

/// Whether the Service has no address of its own (`clusterIP: None`).
pub fn is_headless(service: &Value) -> bool {
    let addresses = service.list(&["spec", "clusterIPs"]);
    service.text(&["spec", "clusterIP"]) == "None" || matches!(addresses, [only] if only.as_str() == Some("None"))
}

/// Whether the Service gets an address in the cluster, unless it is headless.
pub fn needs_address(service: &Value) -> bool {
    matches!(service.text(&["spec", "type"]), "ClusterIP" | "NodePort" | "LoadBalancer")
}

/// `ExternallyAccessible`
fn is_externally_accessible(service: &Value) -> bool {
    match service.text(&["spec", "type"]) {
        "LoadBalancer" | "NodePort" => true,
        "ClusterIP" => !service.list(&["spec", "externalIPs"]).is_empty(),
        _ => false,
    }
}

fn set_if_empty(object: &mut Value, name: &str, value: &str) {
    if object.text(&["spec", name]).is_empty() {
        object.set(&["spec", name], value);
    }
}

fn default_affinity(object: &mut Value) {
    set_if_empty(object, "sessionAffinity", "None");
    match object.text(&["spec", "sessionAffinity"]) {
        "None" => {
            object.remove(&["spec", "sessionAffinityConfig"]);
        }
        "ClientIP" => {
            object.set_if_absent(&["spec", "sessionAffinityConfig", "clientIP", "timeoutSeconds"], AFFINITY_SECONDS);
        }
        _ => {}
    }
}

fn default_port(port: &mut Value) {
    if port.text(&["protocol"]).is_empty() {
        port.set(&["protocol"], "TCP");
    }
    let is_unset = match port.get("targetPort") {
        None | Some(Value::Null) => true,
        Some(Value::Integer(number)) => *number == 0,
        Some(Value::String(name)) => name.is_empty(),
        Some(_) => false,
    };
    if is_unset {
        let number = port.integer(&["port"]).unwrap_or(0);
        port.set(&["targetPort"], number);
    }
}

/// Each ingress with an address says how traffic arrives.
fn default_ingress(object: &mut Value) {
    let ingress = object.at_mut(&["status", "loadBalancer", "ingress"]).and_then(Value::as_list_mut);
    for one in ingress.into_iter().flatten() {
        if !one.text(&["ip"]).is_empty() {
            one.set_if_absent(&["ipMode"], "VIP");
        }
    }
}

/// `GetWarningsForService`
fn warnings(service: &Value) -> Vec<String> {
    let path = |name: &str| Path::new("spec").child(name);
    let text = |name: &str| service.text(&["spec", name]);
    let ips = |name: &'static str| {
        let all = service.list(&["spec", name]).iter().enumerate();
        all.filter_map(move |(at, ip)| names::ip_warning(&path(name).index(at), ip.as_str().unwrap_or_default()))
    };
    let external = !service.list(&["spec", "externalIPs"]).is_empty();
    let headless = text("type") == "ClusterIP" && is_headless(service);
    let is_name = text("type") == "ExternalName";
    let mut warnings = Vec::new();
    let hints = "service.kubernetes.io/topology-aware-hints";
    if service.at(&["metadata", "annotations", hints]).is_some() {
        let instead = "service.kubernetes.io/topology-mode";
        warnings.push(format!("annotation {hints} is deprecated, please use {instead} instead"));
    }
    if !is_headless(service) {
        warnings.extend(ips("clusterIPs"));
    }
    if headless {
        let ignored = [
            ("loadBalancerIP", !text("loadBalancerIP").is_empty()),
            ("externalIPs", external),
            ("SessionAffinity", text("sessionAffinity") != "None"),
        ];
        let given = ignored.iter().filter(|(_, given)| *given);
        warnings.extend(given.map(|(name, _)| format!("spec.{name} is ignored for headless services")));
    }
    warnings.extend(ips("externalIPs"));
    if external && !headless && !is_name {
        warnings.push("spec.externalIPs is deprecated and may no longer be implemented in some clusters".to_owned());
    }
    warnings.extend(names::ip_warning(&path("loadBalancerIP"), text("loadBalancerIP")));
    for (at, range) in service.list(&["spec", "loadBalancerSourceRanges"]).iter().enumerate() {
        let path = path("loadBalancerSourceRanges").index(at);
        warnings.extend(names::cidr_warning(&path, range.as_str().unwrap_or_default()));
    }
    if is_name && external {
        warnings.push(r#"spec.externalIPs is ignored when spec.type is "ExternalName""#.to_owned());
    }
    if !is_name && !text("externalName").is_empty() {
        warnings.push(r#"spec.externalName is ignored when spec.type is not "ExternalName""#.to_owned());
    }
    if text("trafficDistribution") == "PreferClose" {
        warnings.push(r#"spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone""#.to_owned());
    }
    warnings
}

/// e.g. `80/TCP` or `80:30080/TCP`
fn port_shown(port: &Value) -> String {
    let number = |name: &str| port.integer(&[name]).unwrap_or(0);
    let protocol = port.text(&["protocol"]);
    match number("nodePort") {
        node_port if node_port > 0 => format!("{}:{node_port}/{protocol}", number("port")),
        _ => format!("{}/{protocol}", number("port")),
    }
}

/// `getServiceExternalIP`
fn external_address(service: &Value) -> String {
    let external = service.list(&["spec", "externalIPs"]).iter().filter_map(Value::as_str);
    let or = |list: Vec<&str>, nothing: &str| if list.is_empty() { nothing.to_owned() } else { list.join(",") };
    match service.text(&["spec", "type"]) {
        "ClusterIP" | "NodePort" => or(external.collect(), "<none>"),
        "LoadBalancer" => {
            let ingress = service.list(&["status", "loadBalancer", "ingress"]).iter();
            let names = ingress.map(|one| {
                let ip = one.text(&["ip"]);
                if ip.is_empty() { one.text(&["hostname"]) } else { ip }
            });
            let balancers: std::collections::BTreeSet<&str> = names.filter(|name| !name.is_empty()).collect();
            or(balancers.into_iter().chain(external).collect(), "<pending>")
        }
        "ExternalName" => service.text(&["spec", "externalName"]).to_owned(),
        _ => "<unknown>".to_owned(),
    }
}

#[cfg(test)]
mod tests;
