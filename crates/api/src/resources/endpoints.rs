//! Rules of Endpoints: `pkg/apis/core/validation` `ValidateEndpoints`, `pkg/api/endpoints/util.go`.

use std::collections::BTreeMap;

use super::{Cell, Part, Rules};
use crate::field::{FieldError, Path};
use crate::names;
use crate::time;
use crate::value::Value;

/// The rules of Endpoints.
pub(super) struct Endpoints;

/// The protocols of a port, as errors list them.
pub(super) const PROTOCOLS: [&str; 3] = ["SCTP", "TCP", "UDP"];
/// How many addresses a table shows.
const SHOWN: usize = 3;

impl Rules for Endpoints {
    /// `SetDefaults_Endpoints`
    fn default(&self, object: &mut Value) {
        let subsets = object.get_mut("subsets").and_then(Value::as_list_mut).into_iter().flatten();
        for port in subsets.filter_map(|subset| subset.get_mut("ports")?.as_list_mut()).flatten() {
            if port.text(&["protocol"]).is_empty() {
                port.set(&["protocol"], "TCP");
            }
        }
    }

    fn prepare_create(&self, object: &mut Value) {
        repack(object);
    }

    fn prepare_update(&self, _part: Part, new: &mut Value, _old: &Value) {
        repack(new);
    }

    fn validate(&self, object: &Value) -> Vec<FieldError> {
        validate_subsets(object.list(&["subsets"]), &[])
    }

    /// `ValidateEndpointsUpdate`: addresses that were there before pass in the form they have.
    fn validate_update(&self, _part: Part, new: &Value, old: &Value) -> Vec<FieldError> {
        validate_subsets(new.list(&["subsets"]), old.list(&["subsets"]))
    }

    /// `endpointsWarnings`
    fn warnings(&self, new: &Value, _old: Option<&Value>) -> Vec<String> {
        if new.text(&["metadata", "labels", "endpointslice.kubernetes.io/managed-by"]) == "endpoint-controller" {
            return Vec::new();
        }
        each_address(new.list(&["subsets"]))
            .filter_map(|(path, address)| names::ip_warning(&path.child("ip"), address.text(&["ip"])))
            .collect()
    }

    fn cells(&self, object: &Value) -> Vec<Cell> {
        vec![
            Cell::Text(object.name().into()),
            Cell::Text(shown(object.list(&["subsets"])).into()),
            Cell::Age(time::creation(object)),
        ]
    }
}

/// All addresses, ready ones first within a subset, with their paths.
fn each_address(subsets: &[Value]) -> impl Iterator<Item = (Path, &Value)> {
    subsets.iter().enumerate().flat_map(|(at, subset)| {
        ["addresses", "notReadyAddresses"].into_iter().flat_map(move |list| {
            let path = Path::new("subsets").index(at).child(list);
            subset.list(&[list]).iter().enumerate().map(move |(at, address)| (path.index(at), address))
        })
    })
}

/// `validateEndpointSubsets`
fn validate_subsets(subsets: &[Value], old: &[Value]) -> Vec<FieldError> {
    let known: Vec<&str> = each_address(old).map(|(_, address)| address.text(&["ip"])).collect();
    let mut errors = Vec::new();
    for (at, subset) in subsets.iter().enumerate() {
        let path = Path::new("subsets").index(at);
        if subset.list(&["addresses"]).is_empty() && subset.list(&["notReadyAddresses"]).is_empty() {
            errors.push(FieldError::required(&path, "must specify `addresses` or `notReadyAddresses`"));
        }
        for list in ["addresses", "notReadyAddresses"] {
            for (at, address) in subset.list(&[list]).iter().enumerate() {
                errors.extend(validate_address(&path.child(list).index(at), address, &known));
            }
        }
        let ports = subset.list(&["ports"]);
        for (at, port) in ports.iter().enumerate() {
            errors.extend(validate_port(&path.child("ports").index(at), port, ports.len() > 1));
        }
    }
    errors
}

/// `validateEndpointAddress`
fn validate_address(path: &Path, address: &Value, known: &[&str]) -> Vec<FieldError> {
    let ip = address.text(&["ip"]);
    let mut errors = names::ip_unless_known(&path.child("ip"), ip, known);
    let hostname = address.text(&["hostname"]);
    if !hostname.is_empty() {
        errors.extend(FieldError::each(&path.child("hostname"), hostname, names::label(hostname)));
    }
    if let Some(node) = address.get("nodeName").and_then(Value::as_str) {
        errors.extend(FieldError::each(&path.child("nodeName"), node, names::subdomain(node)));
    }
    if errors.is_empty() { names::endpoint_ip(&path.child("ip"), ip) } else { errors }
}

/// `validateEndpointPort`
fn validate_port(path: &Path, port: &Value, named: bool) -> Vec<FieldError> {
    let name = port.text(&["name"]);
    let mut errors = Vec::new();
    if !name.is_empty() {
        errors.extend(FieldError::each(&path.child("name"), name, names::label(name)));
    } else if named {
        errors.push(FieldError::required(&path.child("name"), ""));
    }
    let number = port.integer(&["port"]).unwrap_or(0);
    let faults = names::port_number(number).into_iter();
    errors.extend(faults.map(|fault| FieldError::invalid(&path.child("port"), number, fault)));
    errors.extend(validate_protocol(path, port));
    if let Some(protocol) = port.get("appProtocol").and_then(Value::as_str) {
        errors.extend(FieldError::each(&path.child("appProtocol"), protocol, names::qualified(protocol)));
    }
    errors
}

/// The protocol of a port must be given and be one of three.
pub(super) fn validate_protocol(path: &Path, port: &Value) -> Option<FieldError> {
    let path = path.child("protocol");
    match port.text(&["protocol"]) {
        "" => Some(FieldError::required(&path, "")),
        known if PROTOCOLS.contains(&known) => None,
        other => Some(FieldError::not_supported(&path, other, &PROTOCOLS)),
    }
}

/// An address is one host by its ip and the uid of what it targets.
type Host = (String, String);

/// `RepackSubsets`: ports with the same addresses come together, each address once for a port. Kubernetes orders
/// ports and subsets by a hash; here they are ordered by what they are.
fn repack(object: &mut Value) {
    let subsets = object.list(&["subsets"]);
    let mut addresses: BTreeMap<Host, Value> = BTreeMap::new();
    let mut ports: Vec<(Option<Value>, BTreeMap<Host, bool>)> = Vec::new();
    for subset in subsets {
        let own = subset.list(&["ports"]);
        let own: Vec<Option<Value>> = if own.is_empty() { vec![None] } else { own.iter().cloned().map(Some).collect() };
        for port in own {
            let at = ports.iter().position(|(known, _)| *known == port).unwrap_or_else(|| {
                ports.push((port, BTreeMap::new()));
                ports.len() - 1
            });
            let Some((_, hosts)) = ports.get_mut(at) else { continue };
            for (list, is_ready) in [("addresses", true), ("notReadyAddresses", false)] {
                for address in subset.list(&[list]) {
                    let host = host(address);
                    addresses.entry(host.clone()).or_insert_with(|| address.clone());
                    let ready = hosts.entry(host).or_insert(true);
                    *ready = *ready && is_ready;
                }
            }
        }
    }
    let mut by_hosts: BTreeMap<Vec<(Host, bool)>, Vec<Value>> = BTreeMap::new();
    for (port, hosts) in ports {
        by_hosts.entry(hosts.into_iter().collect()).or_default().extend(port);
    }
    let packed: Vec<Value> = by_hosts.into_iter().map(|(hosts, ports)| subset(&addresses, &hosts, ports)).collect();
    if packed.is_empty() {
        object.remove(&["subsets"]);
    } else {
        object.set(&["subsets"], packed);
    }
}

fn host(address: &Value) -> Host {
    (address.text(&["ip"]).to_owned(), address.text(&["targetRef", "uid"]).to_owned())
}

fn subset(addresses: &BTreeMap<Host, Value>, hosts: &[(Host, bool)], mut ports: Vec<Value>) -> Value {
    let of = |wanted: bool| -> Vec<Value> {
        let chosen = hosts.iter().filter(|(_, is_ready)| *is_ready == wanted);
        chosen.filter_map(|(host, _)| addresses.get(host).cloned()).collect()
    };
    ports.sort_by_key(|port| {
        (port.text(&["name"]).to_owned(), port.integer(&["port"]), port.text(&["protocol"]).to_owned())
    });
    let mut subset = Value::object();
    for (name, list) in [("addresses", of(true)), ("notReadyAddresses", of(false)), ("ports", ports)] {
        if !list.is_empty() {
            subset.set(&[name], list);
        }
    }
    subset
}

/// `formatEndpoints`: the first three, and how many more.
fn shown(subsets: &[Value]) -> String {
    if subsets.is_empty() {
        return "<none>".to_owned();
    }
    let mut all = Vec::new();
    for subset in subsets {
        let ips = || subset.list(&["addresses"]).iter().map(|address| address.text(&["ip"]));
        let ports = subset.list(&["ports"]);
        if ports.is_empty() {
            all.extend(ips().map(str::to_owned));
        }
        for port in ports {
            let number = port.integer(&["port"]).unwrap_or(0);
            all.extend(
                ips().map(|ip| if ip.contains(':') { format!("[{ip}]:{number}") } else { format!("{ip}:{number}") }),
            );
        }
    }
    first_few(&all)
}

/// `listWithMoreString`, without its word for nothing.
pub(super) fn first_few(all: &[String]) -> String {
    let shown = all.get(..SHOWN).unwrap_or(all).join(",");
    match all.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} + {more} more..."),
    }
}

#[cfg(test)]
mod tests;
