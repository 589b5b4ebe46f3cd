//! Sources of volumes beside those of Kluis itself: disks, claims, network file systems. Only their fields are
//! checked, as `pkg/apis/core/validation` does.

use super::errors::{Errors, Json, has, label, number, one_of, range, required};
use super::paths;
use super::volumes::Place;
use crate::field::{FieldError, Path};
use crate::meta;
use crate::names;
use crate::value::Value;

/// `validateFieldAllowList` of a claim template's metadata: what may not be set.
const TEMPLATE_METADATA: &[&str] = &["name", "generateName", "namespace", "finalizers", "ownerReferences"];

/// Texts that must be there.
pub(super) fn texts(place: &Place<'_>, fields: &[&str], errors: &mut Errors) {
    for field in fields {
        required(place.path.child(field), place.source.text(&[field]), errors);
    }
}

pub(super) fn git_repo(place: &Place<'_>, errors: &mut Errors) {
    texts(place, &["repository"], errors);
    paths::descending(&place.path.child("directory"), place.source.text(&["directory"]), errors);
}

pub(super) fn gce_disk(place: &Place<'_>, errors: &mut Errors) {
    texts(place, &["pdName"], errors);
    partition(place, errors);
}

pub(super) fn aws_disk(place: &Place<'_>, errors: &mut Errors) {
    texts(place, &["volumeID"], errors);
    partition(place, errors);
}

/// 0 means none; the message speaks of 1, as that of Kubernetes does.
fn partition(place: &Place<'_>, errors: &mut Errors) {
    let partition = number(place.source, "partition");
    if partition != 0 {
        range(&place.path.child("partition"), partition, 1, 255, errors);
    }
}

pub(super) fn nfs(place: &Place<'_>, errors: &mut Errors) {
    texts(place, &["server", "path"], errors);
    let target = place.source.text(&["path"]);
    if !target.starts_with('/') {
        errors.push(FieldError::invalid(&place.path.child("path"), target, "must be an absolute path"));
    }
}

pub(super) fn iscsi(place: &Place<'_>, errors: &mut Errors) {
    let source = place.source;
    texts(place, &["targetPortal"], errors);
    let name = source.text(&["iqn"]);
    if name.is_empty() {
        errors.push(FieldError::required(&place.path.child("iqn"), ""));
    } else {
        qualified_iscsi_name(name, &place.path.child("iqn"), errors);
    }
    range(&place.path.child("lun"), number(source, "lun"), 0, 255, errors);
    let uses_secret = |field: &str| source.boolean(&[field]) == Some(true);
    if (uses_secret("chapAuthDiscovery") || uses_secret("chapAuthSession")) && !has(source, "secretRef") {
        errors.push(FieldError::required(&place.path.child("secretRef"), ""));
    }
    let Some(initiator) = source.get("initiatorName").and_then(Value::as_str) else { return };
    qualified_iscsi_name(initiator, &place.path.child("initiatorname"), errors);
    if place.name.len() + 1 + source.text(&["targetPortal"]).len() > 64 {
        let fault = "Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if \
                     iscsi.initiatorName is specified.";
        errors.push(FieldError::invalid(&place.volume.child("name"), place.name, fault));
    }
}

fn qualified_iscsi_name(name: &str, path: &Path, errors: &mut Errors) {
    let digits = |text: &str, count: usize| text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    let is_right = if let Some(rest) = name.strip_prefix("iqn") {
        let date = rest.strip_prefix('.').and_then(|rest| rest.split_once('.'));
        date.is_some_and(|(date, authority)| {
            date.split_once('-').is_some_and(|(year, month)| digits(year, 4) && digits(month, 2))
                && authority.split_once(':').is_some_and(|(host, target)| !host.is_empty() && !target.is_empty())
        })
    } else if let Some(rest) = name.strip_prefix("eui") {
        rest.len() == 17 && rest.bytes().skip(1).all(|byte| byte.is_ascii_alphanumeric())
    } else if let Some(rest) = name.strip_prefix("naa") {
        rest.len() == 33 && rest.bytes().skip(1).all(|byte| byte.is_ascii_alphanumeric())
    } else {
        errors.push(FieldError::invalid(path, name, "must be valid format starting with iqn, eui, or naa"));
        return;
    };
    if !is_right {
        errors.push(FieldError::invalid(path, name, "must be valid format"));
    }
}

pub(super) fn flocker(place: &Place<'_>, errors: &mut Errors) {
    let name = place.source.text(&["datasetName"]);
    match (name.is_empty(), place.source.text(&["datasetUUID"]).is_empty()) {
        (true, true) => {
            errors.push(FieldError::required(place.path, "one of datasetName and datasetUUID is required"));
        }
        (false, false) => {
            let fault = "datasetName and datasetUUID can not be specified simultaneously";
            errors.push(FieldError::invalid(place.path, "resource", fault));
        }
        _ => {}
    }
    if name.contains('/') {
        errors.push(FieldError::invalid(&place.path.child("datasetName"), name, "must not contain '/'"));
    }
}

pub(super) fn rbd(place: &Place<'_>, errors: &mut Errors) {
    ceph(place, errors);
    texts(place, &["image"], errors);
}

pub(super) fn ceph(place: &Place<'_>, errors: &mut Errors) {
    if place.source.list(&["monitors"]).is_empty() {
        errors.push(FieldError::required(&place.path.child("monitors"), ""));
    }
}

pub(super) fn cinder(place: &Place<'_>, errors: &mut Errors) {
    texts(place, &["volumeID"], errors);
    secret_reference(place, "secretRef", errors);
}

/// The name of a Secret in the pod's namespace, if one is given.
fn secret_reference(place: &Place<'_>, field: &str, errors: &mut Errors) {
    if let Some(reference) = place.source.get(field) {
        required(place.path.child(field).child("name"), reference.text(&["name"]), errors);
    }
}

pub(super) fn quobyte(place: &Place<'_>, errors: &mut Errors) {
    let registry = place.source.text(&["registry"]);
    let pairs = "must be a host:port pair or multiple pairs separated by commas";
    if registry.is_empty() {
        errors.push(FieldError::required(&place.path.child("registry"), pairs));
    } else if place.source.text(&["tenant"]).len() >= 65 {
        let fault = "must be a UUID and may not exceed a length of 64 characters";
        errors.push(FieldError::required(&place.path.child("tenant"), fault));
    } else {
        for _ in registry.split(',').filter(|pair| !pair.contains(':')) {
            errors.push(FieldError::invalid(&place.path.child("registry"), registry, pairs));
        }
    }
    texts(place, &["volume"], errors);
}

pub(super) fn fibre_channel(place: &Place<'_>, errors: &mut Errors) {
    let path = place.path.child("targetWWNs");
    let targets = place.source.get("targetWWNs").filter(|_| !place.source.list(&["targetWWNs"]).is_empty());
    match (targets, place.source.list(&["wwids"]).is_empty()) {
        (None, true) => {
            errors.push(FieldError::required(&path, "must specify either targetWWNs or wwids, but not both"));
        }
        (Some(targets), false) => {
            let fault = "targetWWNs and wwids can not be specified simultaneously";
            errors.push(FieldError::invalid(&path, Json(targets), fault));
        }
        _ => {}
    }
    if targets.is_none() {
        return;
    }
    match place.source.integer(&["lun"]) {
        None => {
            let fault = "lun is required if targetWWNs is specified";
            errors.push(FieldError::required(&place.path.child("lun"), fault));
        }
        Some(lun) => range(&place.path.child("lun"), lun, 0, 255, errors),
    }
}

pub(super) fn flex(place: &Place<'_>, errors: &mut Errors) {
    texts(place, &["driver"], errors);
    for (name, _) in place.source.entries(&["options"]) {
        let owner = name.split('/').next().filter(|_| name.contains('/')).unwrap_or(name);
        let owner = format!(".{}", owner.to_lowercase());
        if owner.ends_with(".kubernetes.io") || owner.ends_with(".k8s.io") {
            let fault = "kubernetes.io and k8s.io namespaces are reserved";
            errors.push(FieldError::invalid(&place.path.child("options").key(name), name, fault));
        }
    }
}

pub(super) fn azure_disk(place: &Place<'_>, errors: &mut Errors) {
    texts(place, &["diskName", "diskURI"], errors);
    let text = |field: &str| place.source.get(field).and_then(Value::as_str);
    if let Some(caching) = text("cachingMode") {
        one_of(&place.path.child("cachingMode"), caching, &["None", "ReadOnly", "ReadWrite"], errors);
    }
    let Some(kind) = text("kind") else { return };
    one_of(&place.path.child("kind"), kind, &["Dedicated", "Managed", "Shared"], errors);
    let (start, form) = if kind == "Managed" {
        let form = "/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}";
        ("/subscriptions/", form)
    } else {
        ("https://", "https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd")
    };
    let disk = place.source.text(&["diskURI"]);
    if !disk.starts_with(start) {
        errors.push(FieldError::not_supported(&place.path.child("diskURI"), disk, &[form]));
    }
}

pub(super) fn storage_os(place: &Place<'_>, errors: &mut Errors) {
    texts(place, &["volumeName"], errors);
    for field in ["volumeName", "volumeNamespace"] {
        let text = place.source.text(&[field]);
        if !text.is_empty() {
            label(&place.path.child(field), text, errors);
        }
    }
    secret_reference(place, "secretRef", errors);
}

/// `validateCSIVolumeSource`
pub(super) fn csi(place: &Place<'_>, errors: &mut Errors) {
    let path = place.path.child("driver");
    let driver = place.source.text(&["driver"]);
    required(path.clone(), driver, errors);
    if driver.len() > names::LABEL_LENGTH {
        errors.push(FieldError::too_long(&path, names::LABEL_LENGTH));
    }
    super::errors::faults(&path, driver, names::subdomain(&driver.to_lowercase()), errors);
    if let Some(reference) = place.source.get("nodePublishSecretRef") {
        let path = place.path.child("nodePublishSecretRef").child("name");
        let name = reference.text(&["name"]);
        if name.is_empty() {
            errors.push(FieldError::required(&path, ""));
        } else {
            super::errors::subdomain(&path, name, errors);
        }
    }
}

/// `ValidatePersistentVolumeClaimTemplate`, as far as a pod that no storage controller serves needs it.
pub(super) fn claim_template(template: &Value, path: &Path, errors: &mut Errors) {
    let metadata = path.child("metadata");
    errors.extend(meta::annotations(&metadata.child("annotations"), template.at(&["metadata", "annotations"])));
    errors.extend(meta::labels(&metadata.child("labels"), template.at(&["metadata", "labels"])));
    for field in TEMPLATE_METADATA {
        if template.at(&["metadata", field]).is_some() {
            errors.push(FieldError::forbidden(&metadata.child(field), "cannot be set"));
        }
    }
    let modes = template.list(&["spec", "accessModes"]);
    let spec = path.child("spec");
    if modes.is_empty() {
        let fault = "at least 1 access mode is required";
        errors.push(FieldError::required(&spec.child("accessModes"), fault));
    }
    const MODES: &[&str] = &["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"];
    for mode in modes.iter().filter_map(Value::as_str) {
        one_of(&spec.child("accessModes"), mode, MODES, errors);
    }
    if template.at(&["spec", "resources", "requests", "storage"]).is_none() {
        errors.push(FieldError::required(&spec.child("resources").key("storage"), ""));
    }
}
