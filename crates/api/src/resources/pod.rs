//! Rules of Pods, and of the Bindings that place them: `pkg/registry/core/pod/strategy.go`.
//!
//! What is below is split by noun; each file says which part of Kubernetes it mirrors.

use super::{Cell, Grace, Part, Repeats, Rules};
use crate::field::{FieldError, Path};
use crate::value::Value;

mod admission;
mod affinity;
mod annotations;
pub mod binding;
mod columns;
mod containers;
pub(super) mod defaults;
mod env;
pub(super) mod errors;
pub mod eviction;
mod image;
mod old_volumes;
mod overlaps;
mod paths;
mod probes;
mod projected;
mod requirements;
mod reset;
mod resize;
mod scheduling;
mod security;
pub(super) mod spec;
mod status;
#[cfg(test)]
mod tests;
mod totals;
mod update;
mod volumes;
pub(super) mod warnings;
mod windows;

pub use admission::refusal;

/// The rules of Pods.
pub struct Pod;

const EPHEMERAL: Part = Part::Named("ephemeralcontainers");
const RESIZE: Part = Part::Named("resize");

impl Rules for Pod {
    fn default(&self, object: &mut Value) {
        defaults::pod(object);
    }

    /// Runs after managedFields are tracked: nobody owns what admission adds.
    fn prepare_create(&self, object: &mut Value) {
        admission::create(object);
    }

    /// `ValidatePodCreate`
    fn validate(&self, object: &Value) -> Vec<FieldError> {
        let mut errors = Vec::new();
        validate_any(object, &mut errors);
        let path = Path::new("spec");
        if !object.list(&["spec", "ephemeralContainers"]).is_empty() {
            errors.push(FieldError::forbidden(&path.child("ephemeralContainers"), "cannot be set on create"));
        }
        let is_gated = !object.list(&["spec", "schedulingGates"]).is_empty();
        if is_gated && !object.text(&["spec", "nodeName"]).is_empty() {
            let fault = "cannot be set until all schedulingGates have been cleared";
            errors.push(FieldError::forbidden(&path.child("nodeName"), fault));
        }
        annotations::validate_agreement(object, &mut errors);
        errors
    }

    fn prepare_update(&self, part: Part, new: &mut Value, old: &Value) {
        match part {
            Part::Status => {
                status::prepare(new, old);
                return;
            }
            Part::Whole => {
                update::put_back(new, old, "status");
                admission::update(new, old);
            }
            EPHEMERAL => keep_only_ephemeral(new, old),
            RESIZE => resize::keep_only(new, old),
            Part::Named(_) => return,
        }
        let generation = old.integer(&["metadata", "generation"]).unwrap_or_default();
        let is_changed = new.get("spec") != old.get("spec");
        new.set(&["metadata", "generation"], generation + i64::from(is_changed));
    }

    /// A binding goes to the store as [`binding::bind`] made it, in Kubernetes too.
    fn validate_update(&self, part: Part, new: &Value, old: &Value) -> Vec<FieldError> {
        let mut errors = Vec::new();
        if matches!(part, Part::Whole | EPHEMERAL | RESIZE) {
            validate_any(new, &mut errors);
        }
        match part {
            Part::Whole => update::validate(new, old, &mut errors),
            Part::Status => status::validate(new, old, &mut errors),
            EPHEMERAL => update::validate_ephemeral(new, old, &mut errors),
            RESIZE => resize::validate(new, old, &mut errors),
            Part::Named(_) => {}
        }
        errors
    }

    fn repeats(&self, part: Part) -> Repeats {
        Repeats { update: true, create: matches!(part, Part::Whole | EPHEMERAL | RESIZE) }
    }

    /// `WarningsOnCreate`; changes of pods are too frequent to warn of.
    fn warnings(&self, new: &Value, old: Option<&Value>) -> Vec<String> {
        if let Some(old) = old {
            return warnings::of_status(new, old);
        }
        let mut found = Vec::new();
        let faults = crate::names::label(new.name());
        if !faults.is_empty() {
            found.push(format!(
                "metadata.name: this is used in the Pod's hostname, which can result in surprising behavior; a DNS \
                 label is recommended: [{}]",
                faults.join(" ")
            ));
        }
        found.extend(warnings::warnings(new, warnings::Of::Pod, &Path::root()));
        found
    }

    /// `ToSelectableFields`; `spec.host` is an old name, and `status.podIPs` may be asked for but is never set.
    fn selectable(&self, object: &Value) -> Vec<(&'static str, String)> {
        let node = object.text(&["spec", "nodeName"]);
        let address = object.list(&["status", "podIPs"]).first().map_or("", |ip| ip.text(&["ip"]));
        let host_network = object.boolean(&["spec", "hostNetwork"]).unwrap_or_default();
        vec![
            ("spec.nodeName", node.to_owned()),
            ("spec.host", node.to_owned()),
            ("spec.restartPolicy", object.text(&["spec", "restartPolicy"]).to_owned()),
            ("spec.schedulerName", object.text(&["spec", "schedulerName"]).to_owned()),
            ("spec.serviceAccountName", object.text(&["spec", "serviceAccountName"]).to_owned()),
            ("spec.hostNetwork", host_network.to_string()),
            ("status.phase", object.text(&["status", "phase"]).to_owned()),
            ("status.podIP", address.to_owned()),
            ("status.podIPs", String::new()),
            ("status.nominatedNodeName", object.text(&["status", "nominatedNodeName"]).to_owned()),
        ]
    }

    fn selectable_names(&self) -> &'static [&'static str] {
        &[
            "spec.nodeName",
            "spec.host",
            "spec.restartPolicy",
            "spec.schedulerName",
            "spec.serviceAccountName",
            "spec.hostNetwork",
            "status.phase",
            "status.podIP",
            "status.podIPs",
            "status.nominatedNodeName",
        ]
    }

    fn cells(&self, object: &Value) -> Vec<Cell> {
        columns::cells(object)
    }

    /// A pod without a node, or one that has ended, goes at once.
    fn grace(&self, object: &Value, asked: Option<i64>) -> Grace {
        let has_ended = matches!(object.text(&["status", "phase"]), "Failed" | "Succeeded");
        if object.text(&["spec", "nodeName"]).is_empty() || has_ended {
            return Grace::Seconds(0);
        }
        let own = object.integer(&["spec", "terminationGracePeriodSeconds"]).unwrap_or_default();
        let seconds = asked.unwrap_or(own);
        Grace::Seconds(if seconds < 0 { 1 } else { seconds })
    }

    /// `GetResetFields` and `GetResetFieldsFilter`.
    fn reset_fields(&self, part: Part) -> &'static [&'static [&'static str]] {
        match part {
            Part::Whole => &[&["status"]],
            Part::Status => &[&["spec"], &["metadata", "deletionTimestamp"], &["metadata", "ownerReferences"]],
            EPHEMERAL => reset::FOR_EPHEMERAL_CONTAINERS,
            RESIZE => reset::FOR_RESIZE,
            // Nobody owns what a binding sets.
            Part::Named(_) => &[&["metadata"], &["spec"], &["status"]],
        }
    }
}

/// `validatePodMetadataAndSpec`, without ObjectMeta.
fn validate_any(object: &Value, errors: &mut errors::Errors) {
    annotations::validate(object, errors);
    let path = Path::new("spec");
    let empty = Value::object();
    let spec = object.get("spec").unwrap_or(&empty);
    spec::validate(spec, Some(object.name()), &path, errors);
    if spec.text(&["serviceAccountName"]).is_empty() {
        for (at, volume) in spec.list(&["volumes"]).iter().enumerate() {
            for (source_at, source) in volume.list(&["projected", "sources"]).iter().enumerate() {
                if source.get("serviceAccountToken").is_some() {
                    let at = path.child("volumes").index(at).child("projected").child("sources").index(source_at);
                    let fault = "must not be specified when serviceAccountName is not set";
                    errors.push(FieldError::forbidden(&at.child("serviceAccountToken"), fault));
                }
            }
        }
    }
    for list in ["containers", "initContainers"] {
        for (at, container) in spec.list(&[list]).iter().enumerate() {
            containers::validate_image_padding(container, &path.child(list).index(at), errors);
        }
    }
}

/// `dropNonEphemeralContainerUpdates`
fn keep_only_ephemeral(new: &mut Value, old: &Value) {
    let wanted = new.at(&["spec", "ephemeralContainers"]).cloned();
    update::put_back(new, old, "spec");
    match wanted {
        Some(wanted) => new.set(&["spec", "ephemeralContainers"], wanted),
        None => drop(new.remove(&["spec", "ephemeralContainers"])),
    }
    resize::put_back_status(new, old);
}

/// The rules of Bindings, which are never stored: creating one sets `spec.nodeName` of its pod.
pub struct Binding;

impl Rules for Binding {}
