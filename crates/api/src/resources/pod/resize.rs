//! Changes of what containers ask for, while they run: `ValidatePodResize`.

use super::errors::Errors;
use super::totals::{self, is_sidecar};
use super::{annotations, defaults};
use crate::field::{FieldError, Path};
use crate::value::{Map, Value};

const ONLY_COMPUTE: &str = "only cpu and memory resources are mutable";
const LISTS: [&str; 2] = ["containers", "initContainers"];

/// What a resize may change: `dropNonResizeUpdates`. Containers that were added, removed or renamed are left for
/// [`validate`] to refuse.
pub(super) fn keep_only(new: &mut Value, old: &Value) {
    let (Some(spec), Some(before)) = (new.get("spec"), old.get("spec")) else { return };
    if LISTS.iter().any(|list| spec.list(&[list]).len() != before.list(&[list]).len()) {
        return;
    }
    let mut kept = before.clone();
    if let Some(resources) = spec.get("resources") {
        kept.set(&["resources"], resources.clone());
    } else {
        kept.remove(&["resources"]);
    }
    for list in LISTS {
        let wanted = spec.list(&[list]);
        let same = |(one, other): (&Value, &Value)| one.text(&["name"]) == other.text(&["name"]);
        if wanted.is_empty() {
            continue;
        }
        if !wanted.iter().zip(before.list(&[list])).all(same) {
            kept.set(&[list], wanted.to_vec());
            continue;
        }
        let containers = kept.get_mut(list).and_then(Value::as_list_mut);
        for (container, wanted) in containers.into_iter().flatten().zip(wanted) {
            for field in ["resources", "resizePolicy"] {
                super::update::put_back(container, wanted, field);
            }
        }
    }
    new.set(&["spec"], kept);
    put_back_status(new, old);
}

/// A subresource of the spec leaves status and metadata alone, labels and annotations too
/// (`ResetObjectMetaForStatus`).
pub(super) fn put_back_status(new: &mut Value, old: &Value) {
    super::update::put_back(new, old, "status");
    if let (Some(metadata), Some(before)) = (new.get_mut("metadata"), old.get("metadata")) {
        const KEPT: &[&str] = &[
            "annotations",
            "deletionGracePeriodSeconds",
            "deletionTimestamp",
            "finalizers",
            "generation",
            "labels",
            "ownerReferences",
            "selfLink",
        ];
        for field in KEPT {
            super::update::put_back(metadata, before, field);
        }
    }
}

/// What `ValidatePodResize` asks beyond a right pod.
pub(super) fn validate(new: &Value, old: &Value, errors: &mut Errors) {
    if let Some(fault) = unfit(old) {
        *errors = vec![FieldError::forbidden(&Path::new(""), fault)];
        return;
    }
    let path = Path::new("spec");
    let (Some(spec), Some(before)) = (new.get("spec"), old.get("spec")) else { return };
    let class = match old.text(&["status", "qosClass"]) {
        "" => totals::class(before),
        class => class,
    };
    if class != totals::class(spec) {
        let shown = new.text(&["status", "qosClass"]);
        errors.push(FieldError::invalid(&path, shown, "Pod QOS Class may not change as a result of resizing"));
    }
    if !is_supported(old) {
        errors.push(FieldError::forbidden(&path, "Pod running on node without support for resize"));
    }
    let mut munged = spec.clone();
    validate_pod_level(&mut munged, before, &path, errors);
    if !validate_order(spec, before, &path, errors) {
        return;
    }
    validate_removed(spec, before, &path, errors);
    munge_containers(&mut munged, before, &path, errors);
    if errors.is_empty() && munged != *before {
        errors.push(FieldError::forbidden(&path, ONLY_COMPUTE));
    }
}

fn unfit(old: &Value) -> Option<&'static str> {
    if annotations::get(old, annotations::MIRROR).is_some() {
        return Some("static pods cannot be resized");
    }
    (old.text(&["spec", "os", "name"]) == "windows").then_some("windows pods cannot be resized")
}

/// `isPodResizeRequestSupported`: the node tells the resources of what it runs.
fn is_supported(old: &Value) -> bool {
    let statuses = old.list(&["status", "containerStatuses"]);
    let running = statuses.iter().find(|status| status.at(&["state", "running"]).is_some());
    running.is_none_or(|status| status.get("resources").is_some())
}

/// `validatePodLevelResourcesResize`
fn validate_pod_level(munged: &mut Value, before: &Value, path: &Path, errors: &mut Errors) {
    let has_any = |spec: &Value| {
        spec.get("resources")
            .is_some_and(|own| ["requests", "limits"].iter().any(|list| defaults::has_entries(own, list)))
    };
    if !has_any(munged) && !has_any(before) {
        return;
    }
    let path_of = path.child("resources");
    if before.get("resources").is_some() && munged.get("resources").is_none() {
        errors.push(FieldError::forbidden(&path_of, "pod-level resources cannot be removed"));
        return;
    }
    for list in ["requests", "limits"] {
        if is_removed(munged, before, list) {
            let fault = format!("pod-level resource {list} cannot be removed");
            errors.push(FieldError::forbidden(&path_of.child(list), fault));
        }
    }
    put_back_compute(munged, before);
    let is_empty = munged.get("resources").and_then(Value::as_object).is_some_and(Map::is_empty);
    if is_empty && before.get("resources").is_none() {
        munged.remove(&["resources"]);
    }
    if munged.get("resources") != before.get("resources") {
        let fault = "only cpu and memory resources are mutable at pod-level";
        errors.push(FieldError::forbidden(path, fault));
    }
}

/// `validatePodResizeContainerOrdering`; false if the containers are not the same ones.
fn validate_order(spec: &Value, before: &Value, path: &Path, errors: &mut Errors) -> bool {
    let start = errors.len();
    for list in LISTS {
        let (new, old) = (spec.list(&[list]), before.list(&[list]));
        let path = path.child(list);
        if new.len() != old.len() {
            errors.push(FieldError::forbidden(&path, format!("{list} may not be added or removed on resize")));
            continue;
        }
        for (at, (new, old)) in new.iter().zip(old).enumerate() {
            if new.text(&["name"]) != old.text(&["name"]) {
                let fault = format!("{list} may not be renamed or reordered on resize");
                errors.push(FieldError::forbidden(&path.index(at).child("name"), fault));
            }
        }
    }
    errors.len() == start
}

/// `validateContainerResize`
fn validate_removed(spec: &Value, before: &Value, path: &Path, errors: &mut Errors) {
    for list in ["initContainers", "containers"] {
        for (at, (new, old)) in spec.list(&[list]).iter().zip(before.list(&[list])).enumerate() {
            if list == "initContainers" && !is_sidecar(old) {
                continue;
            }
            let path = path.child(list).index(at).child("resources");
            for kind in ["requests", "limits"] {
                if is_removed(new, old, kind) {
                    let fault = format!("resource {kind} cannot be removed");
                    errors.push(FieldError::forbidden(&path.child(kind), fault));
                }
            }
        }
    }
}

/// `resourcesRemoved`
fn is_removed(new: &Value, old: &Value, list: &str) -> bool {
    old.entries(&["resources", list]).any(|(name, _)| new.at(&["resources", list, name]).is_none())
}

/// Puts processor and memory back and tells what else changed.
fn munge_containers(munged: &mut Value, before: &Value, path: &Path, errors: &mut Errors) {
    for list in LISTS {
        let containers = munged.get_mut(list).and_then(Value::as_list_mut);
        for (at, (container, old)) in containers.into_iter().flatten().zip(before.list(&[list])).enumerate() {
            let is_init = list == "initContainers";
            if is_init && !is_sidecar(container) {
                if container != old {
                    let fault = "resources for non-sidecar init containers are immutable";
                    errors.push(FieldError::forbidden(path, fault));
                }
                continue;
            }
            put_back_compute(container, old);
            if container == old {
                continue;
            }
            if is_init {
                let fault = "only cpu and memory resources for init or sidecar containers are mutable";
                errors.push(FieldError::forbidden(&path.child(list).index(at), fault));
            } else {
                errors.push(FieldError::forbidden(path, ONLY_COMPUTE));
            }
        }
    }
}

/// `dropCPUMemoryUpdates`: everything but processor and memory stays as asked.
fn put_back_compute(new: &mut Value, old: &Value) {
    for list in ["limits", "requests"] {
        for name in ["cpu", "memory"] {
            match old.at(&["resources", list, name]) {
                Some(value) => new.set(&["resources", list, name], value.clone()),
                None => drop(new.remove(&["resources", list, name])),
            }
        }
        let is_empty = new.at(&["resources", list]).and_then(Value::as_object).is_some_and(Map::is_empty);
        if is_empty {
            new.remove(&["resources", list]);
        }
    }
}
