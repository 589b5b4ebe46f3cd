//! Rules of EndpointSlices: `pkg/apis/discovery/validation`, `pkg/registry/discovery/endpointslice/strategy.go`.

use std::collections::BTreeSet;

use super::endpoints::{first_few, validate_protocol};
use super::{Cell, Part, Rules};
use crate::field::{FieldError, Path};
use crate::meta::{self, Repeats};
use crate::names;
use crate::time;
use crate::value::Value;

/// The rules of EndpointSlices.
pub(super) struct EndpointSlice;

const MOST_ENDPOINTS: usize = 1000;
const MOST_ADDRESSES: usize = 100;
const MOST_PORTS: usize = 20_000;
const MOST_HINTS: usize = 8;
const CONTROLLERS: [&str; 2] = ["endpointslice-controller.k8s.io", "endpointslicemirroring-controller.k8s.io"];
const ADDRESS_TYPES: [&str; 3] = ["FQDN", "IPv4", "IPv6"];

impl Rules for EndpointSlice {
    /// `SetDefaults_EndpointPort`
    fn default(&self, object: &mut Value) {
        for port in object.get_mut("ports").and_then(Value::as_list_mut).into_iter().flatten() {
            port.set_if_absent(&["name"], "");
            port.set_if_absent(&["protocol"], "TCP");
        }
    }

    fn prepare_create(&self, object: &mut Value) {
        object.set(&["metadata", "generation"], 1);
        drop_topology(object);
    }

    fn prepare_update(&self, _part: Part, new: &mut Value, old: &Value) {
        let fields = ["addressType", "endpoints", "ports"];
        let changed = fields.iter().any(|name| new.get(name) != old.get(name))
            || new.at(&["metadata", "labels"]) != old.at(&["metadata", "labels"]);
        if changed {
            let generation = old.integer(&["metadata", "generation"]).unwrap_or(0);
            new.set(&["metadata", "generation"], generation + 1);
        }
        if new.get("endpoints") != old.get("endpoints") {
            drop_topology(new);
        }
    }

    fn validate(&self, object: &Value) -> Vec<FieldError> {
        let mut errors: Vec<FieldError> = validate_address_type(object).into_iter().collect();
        errors.extend(validate_endpoints(object));
        errors.extend(validate_ports(object.list(&["ports"])));
        errors
    }

    /// `ValidateEndpointSliceUpdate`
    fn validate_update(&self, _part: Part, new: &Value, old: &Value) -> Vec<FieldError> {
        let mut errors = self.validate(new);
        let address_type = |object: &Value| object.text(&["addressType"]).to_owned();
        errors.extend(meta::immutable_text(&Path::new("addressType"), &address_type(new), &address_type(old)));
        errors
    }

    fn repeats(&self, _part: Part) -> Repeats {
        Repeats { update: false, create: true }
    }

    /// `warnOnDeprecatedAddressType` for new ones, `warnOnBadIPs` for what no controller wrote.
    fn warnings(&self, new: &Value, old: Option<&Value>) -> Vec<String> {
        let mut warnings = Vec::new();
        if old.is_none() && new.text(&["addressType"]) == "FQDN" {
            warnings.push("spec.addressType: FQDN endpoints are deprecated".to_owned());
        }
        if CONTROLLERS.contains(&new.text(&["metadata", "labels", "endpointslice.kubernetes.io/managed-by"])) {
            return warnings;
        }
        for (at, endpoint) in new.list(&["endpoints"]).iter().enumerate() {
            let path = Path::new("endpoints").index(at).child("addresses");
            let addresses = endpoint.list(&["addresses"]).iter().filter_map(Value::as_str).enumerate();
            warnings.extend(addresses.filter_map(|(at, address)| names::ip_warning(&path.index(at), address)));
        }
        warnings
    }

    fn cells(&self, object: &Value) -> Vec<Cell> {
        let or_unset = |text: String| Cell::Text(if text.is_empty() { "<unset>".into() } else { text.into() });
        let ports: Vec<String> = object.list(&["ports"]).iter().map(port_shown).collect();
        let endpoints = object.list(&["endpoints"]).iter().flat_map(|one| one.list(&["addresses"]));
        let addresses: Vec<String> = endpoints.filter_map(Value::as_str).map(str::to_owned).collect();
        vec![
            Cell::Text(object.name().into()),
            Cell::Text(object.text(&["addressType"]).into()),
            or_unset(first_few(&ports)),
            or_unset(first_few(&addresses)),
            Cell::Age(time::creation(object)),
        ]
    }
}

fn port_shown(port: &Value) -> String {
    match (port.integer(&["port"]), port.get("name").and_then(Value::as_str)) {
        (Some(number), _) => number.to_string(),
        (None, Some(name)) => name.to_owned(),
        (None, None) => "*".to_owned(),
    }
}

/// `dropTopologyOnV1`
fn drop_topology(object: &mut Value) {
    for endpoint in object.get_mut("endpoints").and_then(Value::as_list_mut).into_iter().flatten() {
        endpoint.remove(&["deprecatedTopology"]);
    }
}

fn validate_address_type(object: &Value) -> Option<FieldError> {
    let path = Path::new("addressType");
    match object.text(&["addressType"]) {
        "" => Some(FieldError::required(&path, "")),
        known if ADDRESS_TYPES.contains(&known) => None,
        other => Some(FieldError::not_supported(&path, other, &ADDRESS_TYPES)),
    }
}

fn validate_endpoints(object: &Value) -> Vec<FieldError> {
    let endpoints = object.list(&["endpoints"]);
    let field = Path::new("endpoints");
    if endpoints.len() > MOST_ENDPOINTS {
        return vec![FieldError::too_many(&field, endpoints.len(), MOST_ENDPOINTS)];
    }
    let address_type = object.text(&["addressType"]);
    let each = endpoints.iter().enumerate();
    each.flat_map(|(at, endpoint)| validate_endpoint(&field.index(at), endpoint, address_type)).collect()
}

fn validate_endpoint(path: &Path, endpoint: &Value, address_type: &str) -> Vec<FieldError> {
    let addresses = endpoint.list(&["addresses"]);
    let field = path.child("addresses");
    let mut errors = Vec::new();
    if addresses.is_empty() {
        errors.push(FieldError::required(&field, "must contain at least 1 address"));
    } else if addresses.len() > MOST_ADDRESSES {
        errors.push(FieldError::too_many(&field, addresses.len(), MOST_ADDRESSES));
    }
    for (at, address) in addresses.iter().enumerate() {
        errors.extend(validate_address(&field.index(at), address.as_str().unwrap_or_default(), address_type));
    }
    if let Some(node) = endpoint.get("nodeName").and_then(Value::as_str) {
        errors.extend(FieldError::each(&path.child("nodeName"), node, names::subdomain(node)));
    }
    if let Some(hostname) = endpoint.get("hostname").and_then(Value::as_str) {
        errors.extend(FieldError::each(&path.child("hostname"), hostname, names::label(hostname)));
    }
    for (list, check) in [("forZones", names::label_value as fn(&str) -> names::Faults), ("forNodes", names::subdomain)]
    {
        errors.extend(validate_hints(&path.child("hints").child(list), endpoint.list(&["hints", list]), check));
    }
    errors
}

fn validate_address(path: &Path, address: &str, address_type: &str) -> Vec<FieldError> {
    let (is_ipv6, detail) = match address_type {
        "IPv4" => (false, "must be an IPv4 address"),
        "IPv6" => (true, "must be an IPv6 address"),
        "FQDN" => return names::domain(path, address),
        _ => return Vec::new(),
    };
    let errors = names::ip(path, address);
    if !errors.is_empty() {
        return errors;
    }
    if names::parse_ip(address).is_some_and(|address| address.is_ipv6() != is_ipv6) {
        return vec![FieldError::invalid(path, address, detail)];
    }
    names::endpoint_ip(path, address)
}

/// `validateHints`
fn validate_hints(path: &Path, hints: &[Value], check: fn(&str) -> names::Faults) -> Vec<FieldError> {
    if hints.len() > MOST_HINTS {
        return vec![FieldError::too_many(path, hints.len(), MOST_HINTS)];
    }
    let mut errors = Vec::new();
    let mut seen = BTreeSet::new();
    for (at, hint) in hints.iter().enumerate() {
        let path = path.index(at).child("name");
        let name = hint.text(&["name"]);
        if !seen.insert(name) {
            errors.push(FieldError::duplicate(&path, name));
        }
        errors.extend(FieldError::each(&path, name, check(name)));
    }
    errors
}

fn validate_ports(ports: &[Value]) -> Vec<FieldError> {
    let field = Path::new("ports");
    if ports.len() > MOST_PORTS {
        return vec![FieldError::too_many(&field, ports.len(), MOST_PORTS)];
    }
    let mut errors = Vec::new();
    let mut seen = BTreeSet::new();
    for (at, port) in ports.iter().enumerate() {
        let path = field.index(at);
        let name = port.text(&["name"]);
        if !name.is_empty() {
            errors.extend(FieldError::each(&path.child("name"), name, names::label(name)));
        }
        if !seen.insert(name) {
            errors.push(FieldError::duplicate(&path.child("name"), name));
        }
        errors.extend(validate_protocol(&path, port));
        if let Some(protocol) = port.get("appProtocol").and_then(Value::as_str) {
            errors.extend(FieldError::each(&path.child("appProtocol"), protocol, names::qualified(protocol)));
        }
    }
    errors
}

#[cfg(test)]
mod tests;
