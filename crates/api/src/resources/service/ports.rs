//! The node ports of a Service: which it has, and how it gets those that it lacks.
//!
//! Mirrors `initNodePorts` and `allocHealthCheckNodePort` of `pkg/registry/core/service/storage/alloc.go`; which
//! ports are free is the server's knowledge.

use super::update::{is_load_balancer, needs_health_check, needs_node_port};
use crate::field::{FieldError, Path};
use crate::value::Value;

/// The node ports that this Service holds.
pub fn held(service: &Value) -> Vec<i64> {
    let ports = service.list(&["spec", "ports"]).iter().map(|port| port.integer(&["nodePort"]));
    ports.chain([service.integer(&["spec", "healthCheckNodePort"])]).flatten().filter(|port| *port != 0).collect()
}

/// Gives the Service the node ports that it needs and has not. `take` is asked for a certain port, or for any, and
/// says why there is none; ports that the old Service holds are not asked for.
pub fn fill(
    service: &mut Value,
    old: Option<&Value>,
    take: &mut dyn FnMut(Option<i64>) -> Result<i64, String>,
) -> Vec<FieldError> {
    let before = old.map(held).unwrap_or_default();
    let mut errors = Vec::new();
    if needs_node_port(service) {
        let any =
            !is_load_balancer(service) || service.boolean(&["spec", "allocateLoadBalancerNodePorts"]) != Some(false);
        let mut given: Vec<(i64, i64)> = Vec::new();
        let ports = service.at_mut(&["spec", "ports"]).and_then(Value::as_list_mut).into_iter().flatten();
        for (at, port) in ports.enumerate() {
            let path = Path::new("spec").child("ports").index(at).child("nodePort");
            errors.extend(fill_port(&path, port, any, &before, &mut given, take));
        }
    }
    if needs_health_check(service) && service.integer(&["spec", "healthCheckNodePort"]).unwrap_or(0) == 0 {
        match take(None) {
            Ok(port) => service.set(&["spec", "healthCheckNodePort"], port),
            Err(why) => errors.push(FieldError::internal(&Path::new("spec").child("healthCheckNodePort"), why)),
        }
    }
    errors
}

/// One port of another protocol but the same number shares the node port of the first.
fn fill_port(
    path: &Path,
    port: &mut Value,
    any: bool,
    before: &[i64],
    given: &mut Vec<(i64, i64)>,
    take: &mut dyn FnMut(Option<i64>) -> Result<i64, String>,
) -> Option<FieldError> {
    let number = port.integer(&["port"]).unwrap_or(0);
    let asked = port.integer(&["nodePort"]).filter(|asked| *asked != 0);
    let shared = given.iter().find(|(known, _)| *known == number).map(|(_, node_port)| *node_port);
    let taken = match (asked, shared) {
        (None, _) if !any => return None,
        (None, Some(shared)) => Ok(shared),
        (Some(asked), Some(shared)) if asked == shared => Ok(asked),
        (Some(asked), _) if before.contains(&asked) => Ok(asked),
        (asked, _) => take(asked),
    };
    match taken {
        Ok(node_port) => {
            port.set(&["nodePort"], node_port);
            given.push((number, node_port));
            None
        }
        Err(why) => Some(FieldError::invalid(path, asked.unwrap_or(0), why)),
    }
}
