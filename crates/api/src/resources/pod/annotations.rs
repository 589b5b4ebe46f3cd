//! Annotations that mean something to pods: `ValidatePodSpecificAnnotations` and what must agree with fields.

use std::collections::BTreeSet;

use super::containers::visit;
use super::errors::Errors;
use super::paths;
use crate::field::{FieldError, Path};
use crate::value::Value;

/// Marks a pod that a node runs by itself.
pub(super) const MIRROR: &str = "kubernetes.io/config.mirror";
pub(super) const APP_ARMOR: &str = "container.apparmor.security.beta.kubernetes.io/";
pub(super) const SECCOMP_POD: &str = "seccomp.security.alpha.kubernetes.io/pod";
pub(super) const SECCOMP_CONTAINER: &str = "container.seccomp.security.alpha.kubernetes.io/";
const DELETION_COST: &str = "controller.kubernetes.io/pod-deletion-cost";

/// The text of an annotation.
pub(super) fn get<'a>(object: &'a Value, name: &str) -> Option<&'a str> {
    object.at(&["metadata", "annotations", name]).and_then(Value::as_str)
}

fn path() -> Path {
    Path::new("metadata").child("annotations")
}

/// `ValidatePodSpecificAnnotations`
pub(super) fn validate(object: &Value, errors: &mut Errors) {
    if let Some(value) = get(object, MIRROR).filter(|_| object.text(&["spec", "nodeName"]).is_empty()) {
        let fault = "must set spec.nodeName if mirror pod annotation is set";
        errors.push(FieldError::invalid(&path().key(MIRROR), value, fault));
    }
    if let Some(cost) = get(object, DELETION_COST).filter(|cost| !is_int32(cost)) {
        errors.push(FieldError::invalid(&path().key(DELETION_COST), cost, "must be a 32bit integer"));
    }
    if let Some(profile) = get(object, SECCOMP_POD) {
        validate_seccomp(profile, &path().child(SECCOMP_POD), errors);
    }
    for (key, profile) in object.entries(&["metadata", "annotations"]) {
        if key.starts_with(SECCOMP_CONTAINER) {
            validate_seccomp(profile.as_str().unwrap_or_default(), &path().child(key), errors);
        }
    }
    validate_app_armor(object, errors);
}

/// No plus sign and no leading zeros.
fn is_int32(text: &str) -> bool {
    text.parse::<i32>().is_ok_and(|number| number.to_string() == text)
}

/// `ValidateSeccompProfile`
fn validate_seccomp(profile: &str, path: &Path, errors: &mut Errors) {
    match profile.strip_prefix("localhost/") {
        Some(local) => paths::descending(path, local, errors),
        None if matches!(profile, "runtime/default" | "docker/default" | "unconfined") => {}
        None => errors.push(FieldError::invalid(path, profile, "must be a valid seccomp profile")),
    }
}

/// `ValidateAppArmorPodAnnotations`
fn validate_app_armor(object: &Value, errors: &mut Errors) {
    let mut names = BTreeSet::new();
    if let Some(spec) = object.get("spec") {
        visit(spec, &Path::root(), |container, _| {
            names.insert(container.text(&["name"]));
        });
    }
    for (key, profile) in object.entries(&["metadata", "annotations"]) {
        let Some(name) = key.strip_prefix(APP_ARMOR) else { continue };
        let at = path().key(key);
        if !names.contains(name) {
            errors.push(FieldError::invalid(&at, name, "container not found"));
        }
        let profile = profile.as_str().unwrap_or_default();
        let is_right = matches!(profile, "" | "runtime/default" | "unconfined") || profile.starts_with("localhost/");
        if !is_right {
            let fault = format!("invalid AppArmor profile name: {}", crate::field::quote(profile));
            errors.push(FieldError::invalid(&at, profile, fault));
        }
    }
}

/// `ValidatePodSpecificAnnotationUpdates`
pub(super) fn validate_update(new: &Value, old: &Value, errors: &mut Errors) {
    for (key, before) in old.entries(&["metadata", "annotations"]) {
        if get(new, key) == before.as_str() {
            continue;
        }
        if key.starts_with(APP_ARMOR) {
            errors.push(FieldError::forbidden(&path().key(key), "may not remove or update AppArmor annotations"));
        }
        if key == MIRROR {
            errors.push(FieldError::forbidden(&path().key(key), "may not remove or update mirror pod annotation"));
        }
    }
    for (key, _) in new.entries(&["metadata", "annotations"]).filter(|(key, _)| get(old, key).is_none()) {
        if key.starts_with(APP_ARMOR) {
            errors.push(FieldError::forbidden(&path().key(key), "may not add AppArmor annotations"));
        }
        if key == MIRROR {
            errors.push(FieldError::forbidden(&path().key(key), "may not add mirror pod annotation"));
        }
    }
    validate(new, errors);
}

/// `validateSeccompAnnotationsAndFields`, `validateAppArmorAnnotationsAndFieldsMatchOnCreate`
pub(super) fn validate_agreement(object: &Value, errors: &mut Errors) {
    let Some(spec) = object.get("spec") else { return };
    let path = Path::new("spec");
    let context = path.child("securityContext");
    let own = spec.at(&["securityContext", "seccompProfile"]);
    agree(get(object, SECCOMP_POD), own, "seccomp", &context.child("seccompProfile"), errors);
    visit(spec, &path, |container, path| {
        let annotation = get(object, &format!("{SECCOMP_CONTAINER}{}", container.text(&["name"])));
        let profile = container.at(&["securityContext", "seccompProfile"]);
        let at = path.child("securityContext").child("seccompProfile");
        agree(annotation, profile, "seccomp", &at, errors);
    });
    if spec.text(&["os", "name"]) == "windows" {
        return;
    }
    let of_pod = spec.at(&["securityContext", "appArmorProfile"]);
    visit(spec, &path, |container, path| {
        let annotation = get(object, &format!("{APP_ARMOR}{}", container.text(&["name"])));
        let profile = container.at(&["securityContext", "appArmorProfile"]).or(of_pod);
        let at = path.child("securityContext").child("appArmorProfile");
        agree(annotation, profile, "apparmor", &at, errors);
    });
}

/// An annotation and a field that both name a profile must name the same.
fn agree(annotation: Option<&str>, profile: Option<&Value>, what: &str, path: &Path, errors: &mut Errors) {
    let (Some(annotation), Some(profile)) = (annotation, profile) else { return };
    let is_same_type = match profile.text(&["type"]) {
        "Unconfined" => annotation == "unconfined",
        "RuntimeDefault" => annotation == "runtime/default" || what == "seccomp" && annotation == "docker/default",
        "Localhost" => annotation.starts_with("localhost/"),
        _ => return,
    };
    if !is_same_type {
        let fault = format!("{what} type in annotation and field must match");
        errors.push(FieldError::forbidden(&path.child("type"), fault));
        return;
    }
    let local = profile.get("localhostProfile").and_then(Value::as_str);
    if annotation.strip_prefix("localhost/").is_some_and(|named| local != Some(named)) {
        let fault = format!("{what} profile in annotation and field must match");
        errors.push(FieldError::forbidden(&path.child("localhostProfile"), fault));
    }
}

/// `ApparmorFieldForAnnotation`: the field that an old annotation means, if it is a right one.
pub(super) fn app_armor_field(annotation: &str) -> Option<Value> {
    let mut profile = Value::object();
    match annotation {
        "unconfined" => profile.set(&["type"], "Unconfined"),
        "runtime/default" => profile.set(&["type"], "RuntimeDefault"),
        other => {
            let local = other.strip_prefix("localhost/").filter(|local| !local.is_empty() && local.trim() == *local)?;
            profile.set(&["type"], "Localhost");
            profile.set(&["localhostProfile"], local);
        }
    }
    Some(profile)
}
