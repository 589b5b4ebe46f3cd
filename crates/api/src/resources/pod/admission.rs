//! The admission that needs no other object: priority, default tolerations, what a new pod starts with.

use super::annotations::{APP_ARMOR, app_armor_field, get};
use super::defaults::CONTAINERS;
use super::totals;
use crate::value::{Map, Value};

/// `SystemCriticalPriority` and one thousand more, for what the node itself needs.
const SYSTEM_CLASSES: &[(&str, i64)] =
    &[("system-cluster-critical", 2_000_000_000), ("system-node-critical", 2_000_001_000)];
const PREEMPTS: &str = "PreemptLowerPriority";
/// Seconds that a pod stays on a node that has failed.
const TOLERATED: i64 = 300;
const TAINTS: &[&str] = &["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"];

/// Why the admission of Kubernetes refuses a new pod, after `pods "NAME" is forbidden: `; asked before
/// [`crate::resources::Rules::prepare_create`]. Neither PriorityClasses nor RuntimeClasses are served, but for
/// the priorities that every cluster has.
pub fn refusal(pod: &Value) -> Option<String> {
    let spec = pod.get("spec")?;
    let class = spec.text(&["priorityClassName"]);
    if !class.is_empty() && priority(class).is_none() {
        return Some(format!("no PriorityClass with name {class} was found"));
    }
    let wanted = priority(class).unwrap_or_default();
    const BY: &str = "must not be provided in pod spec; priority admission controller computed";
    if let Some(given) = spec.integer(&["priority"]).filter(|given| *given != wanted) {
        return Some(format!(
            "the integer value of priority ({given}) {BY} {wanted} from the given PriorityClass name"
        ));
    }
    let given = spec.get("preemptionPolicy").and_then(Value::as_str);
    if let Some(given) = given.filter(|given| *given != PREEMPTS) {
        return Some(format!(
            "the string value of PreemptionPolicy ({given}) {BY} {PREEMPTS} from the given PriorityClass name"
        ));
    }
    let runtime = spec.get("runtimeClassName").and_then(Value::as_str)?;
    Some(format!("pod rejected: RuntimeClass {} not found", crate::field::quote(runtime)))
}

/// The priority of a class that every cluster has; none is that of no class.
fn priority(class: &str) -> Option<i64> {
    if class.is_empty() {
        return Some(0);
    }
    SYSTEM_CLASSES.iter().find(|(name, _)| *name == class).map(|(_, value)| *value)
}

/// Admission, then `PrepareForCreate`.
pub(super) fn create(pod: &mut Value) {
    pod.set(&["metadata", "generation"], 1);
    let labels = pod.at(&["metadata", "labels"]).and_then(Value::as_object).cloned().unwrap_or_default();
    if let Some(spec) = pod.get_mut("spec") {
        let class = priority(spec.text(&["priorityClassName"])).unwrap_or_default();
        spec.set_if_absent(&["priority"], class);
        spec.set_if_absent(&["preemptionPolicy"], PREEMPTS);
        tolerate(spec);
        drop_alpha(spec);
        select_by_label_keys(spec, &labels);
    }
    let mut status = Value::object();
    status.set(&["phase"], "Pending");
    status.set(&["qosClass"], pod.get("spec").map_or("BestEffort", totals::class));
    if !pod.list(&["spec", "schedulingGates"]).is_empty() {
        status.set(&["conditions"], vec![gated()]);
    }
    pod.set(&["status"], status);
    sync_app_armor(pod);
}

/// What admission does to a changed pod: it keeps what was computed, and tolerates.
pub(super) fn update(new: &mut Value, old: &Value) {
    let (Some(spec), Some(before)) = (new.get_mut("spec"), old.get("spec")) else { return };
    for field in ["priority", "preemptionPolicy"] {
        if let Some(value) = before.get(field) {
            spec.set_if_absent(&[field], value.clone());
        }
    }
    tolerate(spec);
    drop_alpha(spec);
}

/// `DefaultTolerationSeconds`
fn tolerate(spec: &mut Value) {
    for taint in TAINTS {
        let covers = |toleration: &Value| {
            let (key, effect) = (toleration.text(&["key"]), toleration.text(&["effect"]));
            (key == *taint || key.is_empty()) && (effect == "NoExecute" || effect.is_empty())
        };
        if spec.list(&["tolerations"]).iter().any(covers) {
            continue;
        }
        let mut toleration = Value::object();
        toleration.set(&["effect"], "NoExecute");
        toleration.set(&["key"], *taint);
        toleration.set(&["operator"], "Exists");
        toleration.set(&["tolerationSeconds"], TOLERATED);
        spec.set_if_absent(&["tolerations"], Vec::new());
        if let Some(tolerations) = spec.get_mut("tolerations").and_then(Value::as_list_mut) {
            tolerations.push(toleration);
        }
    }
}

/// `DropDisabledPodFields`: what 1.36 has only behind gates that are off.
fn drop_alpha(spec: &mut Value) {
    spec.remove(&["schedulingGroup"]);
    let volumes = spec.get_mut("volumes").and_then(Value::as_list_mut);
    for projected in volumes.into_iter().flatten().filter_map(|volume| volume.get_mut("projected")) {
        if projected.list(&["sources"]).is_empty() {
            // In the storage of Kubernetes an empty list and none are the same.
            projected.set(&["sources"], Value::Null);
        }
        for source in projected.get_mut("sources").and_then(Value::as_list_mut).into_iter().flatten() {
            source.remove(&["clusterTrustBundle"]);
            source.remove(&["podCertificate"]);
        }
    }
}

/// `applySchedulingGatedCondition`
fn gated() -> Value {
    let mut condition = Value::object();
    condition.set(&["type"], "PodScheduled");
    condition.set(&["status"], "False");
    condition.set(&["reason"], "SchedulingGated");
    condition.set(&["message"], "Scheduling is blocked due to non-empty scheduling gates");
    condition.set(&["lastProbeTime"], Value::Null);
    condition.set(&["lastTransitionTime"], Value::Null);
    condition
}

/// `mutatePodAffinity`, `mutateTopologySpreadConstraints`: label keys become expressions on the pod's own labels.
fn select_by_label_keys(spec: &mut Value, labels: &Map) {
    const LISTS: &[&str] =
        &["preferredDuringSchedulingIgnoredDuringExecution", "requiredDuringSchedulingIgnoredDuringExecution"];
    for affinity in ["podAffinity", "podAntiAffinity"] {
        for list in LISTS {
            let terms = spec.at_mut(&["affinity", affinity, list]).and_then(Value::as_list_mut);
            for term in terms.into_iter().flatten() {
                if term.get("podAffinityTerm").is_some() {
                    if let Some(inner) = term.get_mut("podAffinityTerm") {
                        extend_selector(inner, labels);
                    }
                } else {
                    extend_selector(term, labels);
                }
            }
        }
    }
    let constraints = spec.get_mut("topologySpreadConstraints").and_then(Value::as_list_mut);
    constraints.into_iter().flatten().for_each(|constraint| extend_selector(constraint, labels));
}

fn extend_selector(term: &mut Value, labels: &Map) {
    let mut expressions = Vec::new();
    for (field, operator) in [("matchLabelKeys", "In"), ("mismatchLabelKeys", "NotIn")] {
        for key in term.list(&[field]).iter().filter_map(Value::as_str) {
            let Some(value) = labels.get(key) else { continue };
            let mut expression = Value::object();
            expression.set(&["key"], key);
            expression.set(&["operator"], operator);
            expression.set(&["values"], vec![value.clone()]);
            expressions.push(expression);
        }
    }
    if expressions.is_empty() || term.get("labelSelector").is_none() {
        return;
    }
    term.set_if_absent(&["labelSelector", "matchExpressions"], Vec::new());
    if let Some(list) = term.at_mut(&["labelSelector", "matchExpressions"]).and_then(Value::as_list_mut) {
        list.extend(expressions);
    }
}

/// `applyAppArmorVersionSkew`: an old annotation becomes the field that it means.
fn sync_app_armor(pod: &mut Value) {
    if pod.text(&["spec", "os", "name"]) == "windows" {
        return;
    }
    let of_pod = pod.at(&["spec", "securityContext", "appArmorProfile"]).cloned();
    for list in CONTAINERS {
        for at in 0..pod.list(&["spec", list]).len() {
            let Some(container) = pod.list(&["spec", list]).get(at) else { continue };
            if container.at(&["securityContext", "appArmorProfile"]).is_some() {
                continue;
            }
            let annotation = get(pod, &format!("{APP_ARMOR}{}", container.text(&["name"])));
            let profile = annotation.and_then(app_armor_field).filter(|profile| Some(profile) != of_pod.as_ref());
            let containers = pod.at_mut(&["spec", list]).and_then(Value::as_list_mut);
            if let (Some(profile), Some(container)) = (profile, containers.and_then(|list| list.get_mut(at))) {
                container.set(&["securityContext", "appArmorProfile"], profile);
            }
        }
    }
}
