//! Volumes of pods: `ValidateVolumes`, `validateVolumeSource`.

use std::collections::{BTreeMap, BTreeSet};

use super::env::{Needs, validate_field, validate_resource};
use super::errors::{Errors, has, label, one_of, required};
use super::requirements::validate_pull_policy;
use super::{old_volumes, paths, projected};
use crate::field::{FieldError, Path};
use crate::names;
use crate::quantity::Quantity;
use crate::value::Value;

/// The largest mode of a file.
const MOST_MODE: i64 = 0o777;
const MODE: &str = "must be a number between 0 and 0777 (octal), both inclusive";
const SECOND: &str = "may not specify more than 1 volume type";
/// `supportedHostPathTypes`, sorted.
const HOST_PATH_TYPES: &[&str] =
    &["", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket"];
/// `validVolumeDownwardAPIFieldPathExpressions`, sorted.
const FILE_FIELDS: &[&str] =
    &["metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid"];

/// The volumes that are right, by name.
pub(super) type Volumes<'a> = BTreeMap<&'a str, &'a Value>;

/// A source of a volume in its place.
pub(super) struct Place<'a> {
    /// The source.
    pub(super) source: &'a Value,
    /// Where it is.
    pub(super) path: &'a Path,
    /// Where the volume is.
    pub(super) volume: &'a Path,
    /// The name of the volume.
    pub(super) name: &'a str,
    /// The name of the pod, if this is one.
    pub(super) pod: Option<&'a str>,
}

/// A kind of source.
struct Source {
    field: &'static str,
    /// What Kubernetes calls it where it is one too many.
    second: &'static str,
    /// What Kubernetes calls it where something in it is wrong.
    inside: &'static str,
    check: fn(&Place<'_>, &mut Errors),
}

const fn source(field: &'static str, check: fn(&Place<'_>, &mut Errors)) -> Source {
    Source { field, second: field, inside: field, check }
}

/// All kinds, in the order in which Kubernetes looks for them.
static SOURCES: &[Source] = &[
    source("emptyDir", empty_dir),
    source("hostPath", host_path),
    source("gitRepo", old_volumes::git_repo),
    Source { inside: "persistentDisk", ..source("gcePersistentDisk", old_volumes::gce_disk) },
    source("awsElasticBlockStore", old_volumes::aws_disk),
    source("secret", |place, errors| key_files(place, "secretName", errors)),
    source("nfs", old_volumes::nfs),
    source("iscsi", old_volumes::iscsi),
    source("glusterfs", |place, errors| old_volumes::texts(place, &["endpoints", "path"], errors)),
    source("flocker", old_volumes::flocker),
    source("persistentVolumeClaim", |place, errors| old_volumes::texts(place, &["claimName"], errors)),
    source("rbd", old_volumes::rbd),
    source("cinder", old_volumes::cinder),
    Source { second: "cephFS", ..source("cephfs", old_volumes::ceph) },
    source("quobyte", old_volumes::quobyte),
    Source { second: "downwarAPI", ..source("downwardAPI", downward) },
    source("fc", old_volumes::fibre_channel),
    source("flexVolume", old_volumes::flex),
    source("configMap", |place, errors| key_files(place, "name", errors)),
    source("azureFile", |place, errors| old_volumes::texts(place, &["secretName", "shareName"], errors)),
    source("vsphereVolume", |place, errors| old_volumes::texts(place, &["volumePath"], errors)),
    source("photonPersistentDisk", |place, errors| old_volumes::texts(place, &["pdID"], errors)),
    source("portworxVolume", |place, errors| old_volumes::texts(place, &["volumeID"], errors)),
    source("azureDisk", old_volumes::azure_disk),
    source("storageos", old_volumes::storage_os),
    source("projected", projected::validate),
    source("scaleIO", |place, errors| old_volumes::texts(place, &["gateway", "system", "volumeName"], errors)),
    source("csi", old_volumes::csi),
    source("ephemeral", ephemeral),
    source("image", image),
];

/// Checks all volumes and gives those that are right; `pod` is the name of the pod, if this is one.
pub(super) fn validate<'a>(volumes: &'a [Value], pod: Option<&str>, path: &Path, errors: &mut Errors) -> Volumes<'a> {
    let made = made_claims(volumes, pod);
    let mut right = Volumes::new();
    for (at, volume) in volumes.iter().enumerate() {
        let path = path.index(at);
        let name = volume.text(&["name"]);
        let before = errors.len();
        validate_source(volume, pod, &path, errors);
        let name_path = path.child("name");
        if name.is_empty() {
            errors.push(FieldError::required(&name_path, ""));
        } else {
            label(&name_path, name, errors);
        }
        if right.contains_key(name) {
            errors.push(FieldError::duplicate(&name_path, name));
        }
        if errors.len() == before {
            right.insert(name, volume);
        }
        let claim = volume.text(&["persistentVolumeClaim", "claimName"]);
        if made.contains(claim) {
            let at = path.child("persistentVolumeClaim").child("claimName");
            let fault = "must not reference a PVC that gets created for an ephemeral volume";
            errors.push(FieldError::invalid(&at, claim, fault));
        }
    }
    right
}

/// The claims that ephemeral volumes of this pod make.
fn made_claims(volumes: &[Value], pod: Option<&str>) -> BTreeSet<String> {
    let Some(pod) = pod.filter(|name| !name.is_empty()) else { return BTreeSet::new() };
    let ephemeral = volumes.iter().filter(|volume| has(volume, "ephemeral"));
    ephemeral.map(|volume| format!("{pod}-{}", volume.text(&["name"]))).collect()
}

fn validate_source(volume: &Value, pod: Option<&str>, path: &Path, errors: &mut Errors) {
    let mut found = false;
    for kind in SOURCES {
        let Some(source) = volume.get(kind.field) else { continue };
        if found {
            errors.push(FieldError::forbidden(&path.child(kind.second), SECOND));
            continue;
        }
        found = true;
        let inside = path.child(kind.inside);
        let place = Place { source, path: &inside, volume: path, name: volume.text(&["name"]), pod };
        (kind.check)(&place, errors);
    }
    if !found {
        errors.push(FieldError::required(path, "must specify a volume type"));
    }
}

fn empty_dir(place: &Place<'_>, errors: &mut Errors) {
    let limit = place.source.text(&["sizeLimit"]).parse::<Quantity>();
    if limit.is_ok_and(|limit| limit.sign().is_lt()) {
        let fault = "SizeLimit field must be a valid resource quantity";
        errors.push(FieldError::forbidden(&place.path.child("sizeLimit"), fault));
    }
}

/// `validateHostPathVolumeSource`
fn host_path(place: &Place<'_>, errors: &mut Errors) {
    let target = place.source.text(&["path"]);
    if target.is_empty() {
        errors.push(FieldError::required(&place.path.child("path"), ""));
        return;
    }
    paths::no_backsteps(&place.path.child("path"), target, errors);
    if let Some(kind) = place.source.get("type").and_then(Value::as_str) {
        one_of(&place.path.child("type"), kind, HOST_PATH_TYPES, errors);
    }
}

/// `validateSecretVolumeSource`, `validateConfigMapVolumeSource`
fn key_files(place: &Place<'_>, name: &str, errors: &mut Errors) {
    required(place.path.child(name), place.source.text(&[name]), errors);
    mode(place.source, "defaultMode", place.path, errors);
    for (at, item) in place.source.list(&["items"]).iter().enumerate() {
        key_to_path(item, &place.path.child("items").index(at), errors);
    }
}

/// A mode, if one is given.
pub(super) fn mode(parent: &Value, field: &str, path: &Path, errors: &mut Errors) {
    if let Some(mode) = parent.integer(&[field]).filter(|mode| !(0..=MOST_MODE).contains(mode)) {
        errors.push(FieldError::invalid(&path.child(field), mode, MODE));
    }
}

/// `validateKeyToPath`
pub(super) fn key_to_path(item: &Value, path: &Path, errors: &mut Errors) {
    required(path.child("key"), item.text(&["key"]), errors);
    required(path.child("path"), item.text(&["path"]), errors);
    paths::local(&path.child("path"), item.text(&["path"]), errors);
    mode(item, "mode", path, errors);
}

/// `validateDownwardAPIVolumeSource`
fn downward(place: &Place<'_>, errors: &mut Errors) {
    mode(place.source, "defaultMode", place.path, errors);
    for file in place.source.list(&["items"]) {
        downward_file(file, place.path, errors);
    }
}

/// `validateDownwardAPIVolumeFile`; Kubernetes names no index here.
pub(super) fn downward_file(file: &Value, path: &Path, errors: &mut Errors) {
    let target = file.text(&["path"]);
    required(path.child("path"), target, errors);
    paths::local(&path.child("path"), target, errors);
    match (file.get("fieldRef"), file.get("resourceFieldRef")) {
        (Some(field), other) => {
            validate_field(field, FILE_FIELDS, &path.child("fieldRef"), errors);
            if other.is_some() {
                let fault = "fieldRef and resourceFieldRef can not be specified simultaneously";
                errors.push(FieldError::invalid(path, "resource", fault));
            }
        }
        (None, Some(resource)) => {
            validate_resource(resource, Needs::Container, &path.child("resourceFieldRef"), errors);
        }
        (None, None) => {
            errors.push(FieldError::required(path, "one of fieldRef and resourceFieldRef is required"));
        }
    }
    mode(file, "mode", path, errors);
}

/// `validateEphemeralVolumeSource`, and the name of the claim to be made.
fn ephemeral(place: &Place<'_>, errors: &mut Errors) {
    match place.source.get("volumeClaimTemplate") {
        None => errors.push(FieldError::required(&place.path.child("volumeClaimTemplate"), "")),
        Some(template) => {
            old_volumes::claim_template(template, &place.path.child("volumeClaimTemplate"), errors);
        }
    }
    let Some(pod) = place.pod.filter(|pod| !pod.is_empty() && !place.name.is_empty()) else { return };
    let claim = format!("{pod}-{}", place.name);
    for fault in names::subdomain(&claim) {
        let fault = format!("PVC name {}: {fault}", crate::field::quote(&claim));
        errors.push(FieldError::invalid(&place.volume.child("name"), place.name, fault));
    }
}

/// `validateImageVolumeSource`
fn image(place: &Place<'_>, errors: &mut Errors) {
    if place.pod.is_some() {
        required(place.path.child("reference"), place.source.text(&["reference"]), errors);
    }
    validate_pull_policy(&place.path.child("pullPolicy"), place.source.text(&["pullPolicy"]), errors);
}

/// `ValidateVolumeMounts`: `path` is that of the list, which Kubernetes names for what is below a mount.
pub(super) fn validate_mounts(container: &Value, volumes: &Volumes<'_>, path: &Path, errors: &mut Errors) {
    let devices = container.list(&["volumeDevices"]);
    let mut seen = BTreeSet::new();
    for (at, mount) in container.list(&["volumeMounts"]).iter().enumerate() {
        let at = path.index(at);
        let (name, target) = (mount.text(&["name"]), mount.text(&["mountPath"]));
        required(at.child("name"), name, errors);
        if !volumes.contains_key(name) {
            errors.push(FieldError::not_found(&at.child("name"), name));
        }
        required(at.child("mountPath"), target, errors);
        if !seen.insert(target) {
            errors.push(FieldError::invalid(&at.child("mountPath"), target, "must be unique"));
        }
        if devices.iter().any(|device| device.text(&["name"]) == name) {
            let fault = "must not already exist in volumeDevices";
            errors.push(FieldError::invalid(&at.child("name"), name, fault));
        }
        if devices.iter().any(|device| device.text(&["devicePath"]) == target) {
            let fault = "must not already exist as a path in volumeDevices";
            errors.push(FieldError::invalid(&at.child("mountPath"), target, fault));
        }
        validate_sub_paths(mount, path, &at, errors);
        validate_propagation(mount, container, path, errors);
    }
}

fn validate_sub_paths(mount: &Value, list: &Path, at: &Path, errors: &mut Errors) {
    let (sub, expression) = (mount.text(&["subPath"]), mount.text(&["subPathExpr"]));
    if !sub.is_empty() {
        paths::descending(&list.child("subPath"), sub, errors);
    }
    if !expression.is_empty() {
        if !sub.is_empty() {
            let fault = "subPathExpr and subPath are mutually exclusive";
            errors.push(FieldError::invalid(&at.child("subPathExpr"), expression, fault));
        }
        paths::descending(&list.child("subPathExpr"), expression, errors);
    }
}

/// `validateMountPropagation`, `validateMountRecursiveReadOnly`
fn validate_propagation(mount: &Value, container: &Value, list: &Path, errors: &mut Errors) {
    let propagation = mount.get("mountPropagation").and_then(Value::as_str);
    if let Some(propagation) = propagation {
        let path = list.child("mountPropagation");
        one_of(&path, propagation, &["Bidirectional", "HostToContainer", "None"], errors);
        let is_privileged = container.boolean(&["securityContext", "privileged"]) == Some(true);
        if propagation == "Bidirectional" && !is_privileged {
            let fault = "Bidirectional mount propagation is available only to privileged containers";
            errors.push(FieldError::forbidden(&path, fault));
        }
    }
    let path = list.child("recursiveReadOnly");
    match mount.get("recursiveReadOnly").and_then(Value::as_str) {
        None | Some("Disabled") => {}
        Some("Enabled" | "IfPossible") => {
            if mount.boolean(&["readOnly"]) != Some(true) {
                errors.push(FieldError::forbidden(&path, "may only be specified when readOnly is true"));
            }
            if propagation.is_some_and(|propagation| propagation != "None") {
                let fault = "may only be specified when mountPropagation is None or not specified";
                errors.push(FieldError::forbidden(&path, fault));
            }
        }
        Some(other) => {
            errors.push(FieldError::not_supported(&path, other, &["Disabled", "Enabled", "IfPossible"]));
        }
    }
}

/// `ValidateVolumeDevices`
pub(super) fn validate_devices(container: &Value, volumes: &Volumes<'_>, path: &Path, errors: &mut Errors) {
    let mut names = BTreeSet::new();
    let mut targets = BTreeSet::new();
    for (at, device) in container.list(&["volumeDevices"]).iter().enumerate() {
        let at = path.index(at);
        let (name, target) = (device.text(&["name"]), device.text(&["devicePath"]));
        required(at.child("name"), name, errors);
        if names.contains(name) {
            errors.push(FieldError::invalid(&at.child("name"), name, "must be unique"));
        }
        validate_block_volume(name, volumes, &at.child("name"), errors);
        required(at.child("devicePath"), target, errors);
        if targets.contains(target) {
            errors.push(FieldError::invalid(&at.child("devicePath"), target, "must be unique"));
        }
        if paths::has_backsteps(target) {
            errors.push(FieldError::invalid(&at.child("devicePath"), target, "can not contain backsteps ('..')"));
        } else {
            targets.insert(target);
        }
        let mounts = container.list(&["volumeMounts"]);
        if mounts.iter().any(|mount| mount.text(&["name"]) == name) {
            errors.push(FieldError::invalid(&at.child("name"), name, "must not already exist in volumeMounts"));
        }
        if mounts.iter().any(|mount| mount.text(&["mountPath"]) == target) {
            let fault = "must not already exist as a path in volumeMounts";
            errors.push(FieldError::invalid(&at.child("devicePath"), target, fault));
        }
        if !name.is_empty() {
            names.insert(name);
        }
    }
}

fn validate_block_volume(name: &str, volumes: &Volumes<'_>, path: &Path, errors: &mut Errors) {
    match volumes.get(name) {
        None => errors.push(FieldError::not_found(path, name)),
        Some(volume) if !has(volume, "persistentVolumeClaim") && !has(volume, "ephemeral") => {
            let fault = "can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode";
            errors.push(FieldError::invalid(path, name, fault));
        }
        Some(_) => {}
    }
}
