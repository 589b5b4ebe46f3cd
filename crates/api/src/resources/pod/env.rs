//! The environment of containers: `ValidateEnv`, `ValidateEnvFrom` and what they refer to.

use std::str::FromStr;

use super::errors::{Errors, faults, has, label, one_of, qualified, required};
use super::paths::no_backsteps;
use crate::field::{FieldError, Path};
use crate::names;
use crate::quantity::Quantity;
use crate::resources::NameRule;
use crate::value::Value;

const BOTH_VALUES: &str = "may not be specified when `value` is not empty";
const TWO_SOURCES: &str = "may not have more than one field specified at a time";
const NO_SOURCE: &str =
    "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`";
const NO_LIST_SOURCE: &str = "must specify one of: `configMapRef` or `secretRef`";

/// `validEnvDownwardAPIFieldPathExpressions`, sorted.
const ENV_FIELDS: &[&str] = &[
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.serviceAccountName",
    "status.hostIP",
    "status.hostIPs",
    "status.podIP",
    "status.podIPs",
];
/// `validContainerResourceFieldPathExpressions`, sorted.
const RESOURCE_FIELDS: &[&str] = &[
    "limits.cpu",
    "limits.ephemeral-storage",
    "limits.memory",
    "requests.cpu",
    "requests.ephemeral-storage",
    "requests.memory",
];
/// What `ConvertDownwardAPIFieldLabel` knows, `spec.host` apart.
const DOWNWARD_FIELDS: &[&str] = &[
    "metadata.annotations",
    "metadata.labels",
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.restartPolicy",
    "spec.serviceAccountName",
    "spec.schedulerName",
    "status.phase",
    "status.hostIP",
    "status.hostIPs",
    "status.podIP",
    "status.podIPs",
];

/// `ValidateEnv`
pub(super) fn validate(variables: &[Value], path: &Path, errors: &mut Errors) {
    for (at, variable) in variables.iter().enumerate() {
        let path = path.index(at);
        let name = variable.text(&["name"]);
        if name.is_empty() {
            errors.push(FieldError::required(&path.child("name"), ""));
        } else {
            faults(&path.child("name"), name, names::relaxed_env_name(name), errors);
        }
        if let Some(source) = variable.get("valueFrom") {
            validate_source(source, variable.text(&["value"]), &path.child("valueFrom"), errors);
        }
    }
}

/// `validateEnvVarValueFrom`
fn validate_source(source: &Value, value: &str, path: &Path, errors: &mut Errors) {
    let mut sources = 0;
    let mut each = |field: &str, check: fn(&Value, &Path, &mut Errors)| {
        if let Some(value) = source.get(field) {
            sources += 1;
            check(value, &path.child(field), errors);
        }
    };
    each("fieldRef", |value, path, errors| validate_field(value, ENV_FIELDS, path, errors));
    each("resourceFieldRef", |value, path, errors| validate_resource(value, Needs::Resource, path, errors));
    each("configMapKeyRef", validate_key);
    each("secretKeyRef", validate_key);
    each("fileKeyRef", validate_file_key);
    let fault = match sources {
        0 => NO_SOURCE,
        _ if !value.is_empty() => BOTH_VALUES,
        1 => return,
        _ => TWO_SOURCES,
    };
    errors.push(FieldError::invalid(path, "", fault));
}

/// `validateObjectFieldSelector`: a field of the pod, of these.
pub(super) fn validate_field(selector: &Value, fields: &[&str], path: &Path, errors: &mut Errors) {
    let version = selector.text(&["apiVersion"]);
    let field = selector.text(&["fieldPath"]);
    for (name, text) in [("apiVersion", version), ("fieldPath", field)] {
        if text.is_empty() {
            errors.push(FieldError::required(&path.child(name), ""));
            return;
        }
    }
    let at = path.child("fieldPath");
    let known = match convert_field(version, field) {
        Ok(known) => known,
        Err(fault) => {
            errors.push(FieldError::invalid(&at, field, format!("error converting fieldPath: {fault}")));
            return;
        }
    };
    match split_subscript(known) {
        Some(("metadata.annotations", key)) => qualified(path, &key.to_lowercase(), errors),
        Some(("metadata.labels", key)) => qualified(path, key, errors),
        Some((other, _)) => errors.push(FieldError::invalid(path, other, "does not support subscript")),
        None => one_of(&at, known, fields, errors),
    }
}

/// `ConvertDownwardAPIFieldLabel`
fn convert_field<'a>(version: &str, field: &'a str) -> Result<&'a str, String> {
    if version != "v1" {
        return Err(format!("unsupported pod version: {version}"));
    }
    match split_subscript(field) {
        Some(("metadata.annotations" | "metadata.labels", _)) => Ok(field),
        Some(_) => Err(format!("field label does not support subscript: {field}")),
        None if field == "spec.host" => Ok("spec.nodeName"),
        None if DOWNWARD_FIELDS.contains(&field) => Ok(field),
        None => Err(format!("field label not supported: {field}")),
    }
}

/// `SplitMaybeSubscriptedPath`: `metadata.labels['key']` in two.
fn split_subscript(field: &str) -> Option<(&str, &str)> {
    let (path, key) = field.strip_suffix("']")?.split_once("['")?;
    (!path.is_empty()).then_some((path, key))
}

/// What a `resourceFieldRef` must name.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Needs {
    /// The resource; the container is the one it is in.
    Resource,
    /// The container, too: in volumes.
    Container,
}

/// `validateContainerResourceFieldSelector`
pub(super) fn validate_resource(selector: &Value, needs: Needs, path: &Path, errors: &mut Errors) {
    let resource = selector.text(&["resource"]);
    if needs == Needs::Container && selector.text(&["containerName"]).is_empty() {
        errors.push(FieldError::required(&path.child("containerName"), ""));
    } else if resource.is_empty() {
        errors.push(FieldError::required(&path.child("resource"), ""));
    } else if !is_huge_page(resource) {
        one_of(&path.child("resource"), resource, RESOURCE_FIELDS, errors);
    }
    validate_divisor(resource, selector.text(&["divisor"]), path, errors);
}

fn is_huge_page(resource: &str) -> bool {
    resource.starts_with("requests.hugepages-") || resource.starts_with("limits.hugepages-")
}

/// `validateContainerResourceDivisor`
fn validate_divisor(resource: &str, divisor: &str, path: &Path, errors: &mut Errors) {
    const BYTES: &[&str] = &["1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei"];
    if divisor.is_empty() || Quantity::from_str(divisor).is_ok_and(|divisor| divisor.sign().is_eq()) {
        return;
    }
    let what = match resource {
        "limits.cpu" | "requests.cpu" => {
            if !["1m", "1"].contains(&divisor) {
                let fault = "only divisor's values 1m and 1 are supported with the cpu resource";
                errors.push(FieldError::invalid(&path.child("divisor"), resource, fault));
            }
            return;
        }
        "limits.memory" | "requests.memory" => "memory",
        "limits.ephemeral-storage" | "requests.ephemeral-storage" => "local ephemeral storage",
        _ if is_huge_page(resource) => "hugepages",
        _ => return,
    };
    if !BYTES.contains(&divisor) {
        let fault = format!("only divisor's values {} are supported with the {what} resource", BYTES.join(", "));
        errors.push(FieldError::invalid(&path.child("divisor"), resource, fault));
    }
}

/// `validateSecretKeySelector`, `validateConfigMapKeySelector`
fn validate_key(selector: &Value, path: &Path, errors: &mut Errors) {
    let name = selector.text(&["name"]);
    faults(&path.child("name"), name, names::subdomain(name), errors);
    let key = selector.text(&["key"]);
    if key.is_empty() {
        errors.push(FieldError::required(&path.child("key"), ""));
    } else {
        faults(&path.child("key"), key, names::config_key(key), errors);
    }
}

/// `validateFileKeySelector`
fn validate_file_key(selector: &Value, path: &Path, errors: &mut Errors) {
    let text = |field| selector.text(&[field]);
    required(path.child("key"), text("key"), errors);
    if !text("key").is_empty() {
        faults(&path.child("key"), text("key"), names::relaxed_env_name(text("key")), errors);
    }
    required(path.child("volumeName"), text("volumeName"), errors);
    if !text("volumeName").is_empty() {
        label(&path.child("volumeName"), text("volumeName"), errors);
    }
    required(path.child("path"), text("path"), errors);
    no_backsteps(&path.child("path"), text("path"), errors);
}

/// `ValidateEnvFrom`
pub(super) fn validate_lists(sources: &[Value], path: &Path, errors: &mut Errors) {
    for (at, source) in sources.iter().enumerate() {
        let at = path.index(at);
        let prefix = source.text(&["prefix"]);
        if !prefix.is_empty() {
            faults(&at.child("prefix"), prefix, names::relaxed_env_name(prefix), errors);
        }
        let mut given = 0;
        for field in ["configMapRef", "secretRef"] {
            if let Some(reference) = source.get(field) {
                given += 1;
                validate_reference(reference.text(&["name"]), &at.child(field).child("name"), errors);
            }
        }
        match given {
            0 => errors.push(FieldError::invalid(path, "", NO_LIST_SOURCE)),
            1 => {}
            _ => errors.push(FieldError::invalid(path, "", TWO_SOURCES)),
        }
    }
}

/// `validateSecretEnvSource`, `validateConfigMapEnvSource`
fn validate_reference(name: &str, path: &Path, errors: &mut Errors) {
    if name.is_empty() {
        errors.push(FieldError::required(path, ""));
    } else {
        faults(path, name, names::by_rule(NameRule::DnsSubdomain, name, true), errors);
    }
}

/// `validateFileKeyRefVolumes` for one container: the volumes with environment files must be emptyDirs.
pub(super) fn validate_file_volumes(container: &Value, volumes: &[Value], path: &Path, errors: &mut Errors) {
    for (at, variable) in container.list(&["env"]).iter().enumerate() {
        let Some(file) = variable.at(&["valueFrom", "fileKeyRef"]) else { continue };
        let name = file.text(&["volumeName"]);
        let path = path.child("env").index(at).child("valueFrom").child("fileKeyRef").child("volumeName");
        match volumes.iter().rfind(|volume| volume.text(&["name"]) == name) {
            None => errors.push(FieldError::not_found(&path, name)),
            Some(volume) if !has(volume, "emptyDir") => {
                errors.push(FieldError::invalid(&path, name, "referenced volume must be of type emptyDir"));
            }
            Some(_) => {}
        }
    }
}
