//! What the containers of a pod ask for together: pod-level resources and the class of service.

use std::collections::BTreeMap;
use std::str::FromStr;

use super::defaults::has_entries;
use super::requirements::{is_huge_page, is_overcommit_allowed};
use crate::quantity::Quantity;
use crate::value::Value;

/// Amounts by resource name.
pub(super) type Amounts = BTreeMap<String, Quantity>;

/// The amounts in `resources.requests` or `resources.limits`.
pub(super) fn amounts(holder: &Value, list: &str) -> Amounts {
    let parsed = |(name, value): (&String, &Value)| {
        let quantity = value.as_str().and_then(|text| Quantity::from_str(text).ok())?;
        Some((name.clone(), quantity))
    };
    holder.entries(&["resources", list]).filter_map(parsed).collect()
}

fn add(sum: &mut Amounts, more: &Amounts) {
    for (name, amount) in more {
        let total = sum.get(name).map_or(*amount, |present| *present + *amount);
        sum.insert(name.clone(), total);
    }
}

fn raise(most: &mut Amounts, to: &Amounts) {
    for (name, amount) in to {
        if most.get(name).is_none_or(|present| present < amount) {
            most.insert(name.clone(), *amount);
        }
    }
}

/// Whether an init container runs on beside the others (a sidecar).
pub(super) fn is_sidecar(container: &Value) -> bool {
    container.text(&["restartPolicy"]) == "Always"
}

/// `AggregateContainerRequests`, `AggregateContainerLimits`: the sum of the containers that run together, or what
/// starting up takes where that is more.
pub(super) fn aggregate(spec: &Value, list: &str) -> Amounts {
    let mut running = Amounts::new();
    for container in spec.list(&["containers"]) {
        add(&mut running, &amounts(container, list));
    }
    let mut sidecars = Amounts::new();
    let mut starting = Amounts::new();
    for container in spec.list(&["initContainers"]) {
        let mut own = amounts(container, list);
        if is_sidecar(container) {
            add(&mut running, &own);
            add(&mut sidecars, &own);
            own.clone_from(&sidecars);
        } else {
            add(&mut own, &sidecars);
        }
        raise(&mut starting, &own);
    }
    raise(&mut running, &starting);
    running
}

/// `IsSupportedPodLevelResource`
pub(super) fn is_pod_level(name: &str) -> bool {
    name == "cpu" || name == "memory" || is_huge_page(name)
}

/// `defaultHugePagePodLimits`, `defaultPodRequests`
pub(super) fn default(spec: &mut Value) {
    let Some(resources) = spec.get("resources") else { return };
    if !has_entries(resources, "limits") && !has_entries(resources, "requests") {
        return;
    }
    for (name, limit) in aggregate(spec, "limits") {
        if is_huge_page(&name) && spec.at(&["resources", "requests", &name]).is_none() {
            spec.set_if_absent(&["resources", "limits", &name], limit.to_string());
        }
    }
    let limits = amounts(spec, "limits");
    if limits.is_empty() {
        return;
    }
    for (name, asked) in aggregate(spec, "requests") {
        if is_pod_level(&name) && is_overcommit_allowed(&name) {
            spec.set_if_absent(&["resources", "requests", &name], asked.to_string());
        }
    }
    for (name, limit) in limits {
        if is_pod_level(&name) {
            spec.set_if_absent(&["resources", "requests", &name], limit.to_string());
        }
    }
}

/// `ComputePodQOS`
pub(super) fn class(spec: &Value) -> &'static str {
    let mut requests = Amounts::new();
    let mut limits = Amounts::new();
    let mut is_guaranteed = true;
    let mut count = |holder: &Value| {
        let limited = compute(holder, "limits");
        is_guaranteed &= limited.contains_key("cpu") && limited.contains_key("memory");
        add(&mut requests, &compute(holder, "requests"));
        add(&mut limits, &limited);
    };
    if spec.get("resources").is_some() {
        count(spec);
    } else {
        spec.list(&["containers"]).iter().chain(spec.list(&["initContainers"])).for_each(count);
    }
    if requests.is_empty() && limits.is_empty() {
        "BestEffort"
    } else if is_guaranteed && requests == limits {
        "Guaranteed"
    } else {
        "Burstable"
    }
}

/// The amounts of processor and memory above zero.
fn compute(holder: &Value, list: &str) -> Amounts {
    let mut found = amounts(holder, list);
    found.retain(|name, amount| (name == "cpu" || name == "memory") && amount.sign().is_gt());
    found
}
