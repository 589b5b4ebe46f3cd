//! Security contexts of pods and containers, and what the operating system of a pod rules out.

use std::collections::BTreeSet;

use super::containers::visit;
use super::errors::{Errors, Json, MOST_INT32, has, is_true, one_of, optional_one_of, range};
use super::{paths, windows};
use crate::field::{FieldError, Path};
use crate::value::Value;

const NOT_ON_WINDOWS: &str = "cannot be set for a windows pod";
const SYSCTL: &str = "must have at most 253 characters and match regex \
                      ^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$";
const PROFILES: &[&str] = &["Localhost", "RuntimeDefault", "Unconfined"];
/// PATH_MAX less one.
const MOST_PROFILE: usize = 4095;

/// `validatePodSpecSecurityContext`
pub(super) fn validate_pod(spec: &Value, path: &Path, errors: &mut Errors) {
    let Some(context) = spec.get("securityContext") else { return };
    for field in ["fsGroup", "runAsUser", "runAsGroup"] {
        validate_id(context, field, path, errors);
    }
    for (at, group) in context.list(&["supplementalGroups"]).iter().filter_map(Value::as_i64).enumerate() {
        range(&path.child("supplementalGroups").index(at), group, 0, MOST_INT32, errors);
    }
    if is_true(spec, &["shareProcessNamespace"]) && is_true(spec, &["hostPID"]) {
        let fault = "ShareProcessNamespace and HostPID cannot both be enabled";
        errors.push(FieldError::invalid(&path.child("shareProcessNamespace"), true, fault));
    }
    validate_sysctls(spec, context.list(&["sysctls"]), &path.child("sysctls"), errors);
    optional_one_of(context, "fsGroupChangePolicy", path, &["Always", "OnRootMismatch"], errors);
    validate_shared(context, path, errors);
    optional_one_of(context, "supplementalGroupsPolicy", path, &["Merge", "Strict"], errors);
    optional_one_of(context, "seLinuxChangePolicy", path, &["MountOption", "Recursive"], errors);
}

/// `ValidateSecurityContext` of a container.
pub(super) fn validate_container(context: &Value, host_users: bool, path: &Path, errors: &mut Errors) {
    validate_id(context, "runAsUser", path, errors);
    validate_id(context, "runAsGroup", path, errors);
    if let Some(mount) = context.get("procMount").and_then(Value::as_str) {
        let path = path.child("procMount");
        one_of(&path, mount, &["Default", "Unmasked"], errors);
        if host_users && mount == "Unmasked" {
            errors.push(FieldError::invalid(&path, mount, "`hostUsers` must be false to use `Unmasked`"));
        }
    }
    validate_seccomp(context.get("seccompProfile"), &path.child("seccompProfile"), errors);
    if context.boolean(&["allowPrivilegeEscalation"]) == Some(false) {
        if is_true(context, &["privileged"]) {
            let fault = "cannot set `allowPrivilegeEscalation` to false and `privileged` to true";
            errors.push(FieldError::invalid(path, Json(context), fault));
        }
        let added = context.list(&["capabilities", "add"]);
        for _ in added.iter().filter(|capability| capability.as_str() == Some("CAP_SYS_ADMIN")) {
            let fault = "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN";
            errors.push(FieldError::invalid(path, Json(context), fault));
        }
    }
    windows::validate_options(context.get("windowsOptions"), &path.child("windowsOptions"), errors);
    validate_app_armor(context.get("appArmorProfile"), &path.child("appArmorProfile"), errors);
}

/// What the contexts of pods and containers share.
fn validate_shared(context: &Value, path: &Path, errors: &mut Errors) {
    validate_seccomp(context.get("seccompProfile"), &path.child("seccompProfile"), errors);
    windows::validate_options(context.get("windowsOptions"), &path.child("windowsOptions"), errors);
    validate_app_armor(context.get("appArmorProfile"), &path.child("appArmorProfile"), errors);
}

/// `IsValidUserID`, `IsValidGroupID`
fn validate_id(context: &Value, field: &str, path: &Path, errors: &mut Errors) {
    if let Some(id) = context.integer(&[field]) {
        range(&path.child(field), id, 0, MOST_INT32, errors);
    }
}

/// `validateSysctls`
fn validate_sysctls(spec: &Value, sysctls: &[Value], path: &Path, errors: &mut Errors) {
    let mut seen = BTreeSet::new();
    for (at, sysctl) in sysctls.iter().enumerate() {
        let name = sysctl.text(&["name"]);
        let path = path.index(at).child("name");
        if name.is_empty() {
            errors.push(FieldError::required(&path, ""));
        } else if !is_sysctl(name) {
            errors.push(FieldError::invalid(&path, name, SYSCTL));
        } else if seen.contains(name) {
            errors.push(FieldError::duplicate(&path, name));
        }
        if let Some(fault) = shared_with_host(spec, name) {
            errors.push(FieldError::invalid(&path, name, fault));
        }
        seen.insert(name);
    }
}

/// Parts between dots or slashes.
fn is_sysctl(name: &str) -> bool {
    let is_end = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let is_part = |part: &str| {
        let bytes = part.as_bytes();
        bytes.first().is_some_and(|byte| is_end(*byte))
            && bytes.last().is_some_and(|byte| is_end(*byte))
            && bytes.iter().all(|byte| is_end(*byte) || *byte == b'-' || *byte == b'_')
    };
    name.len() <= 253 && name.split(['.', '/']).all(is_part)
}

/// `ValidateHostSysctl`: a setting of a namespace that the pod shares with its host.
fn shared_with_host(spec: &Value, name: &str) -> Option<&'static str> {
    let dotted = name.replace('/', ".");
    let ipc = ["kernel.shm", "kernel.msg", "kernel.sem", "fs.mqueue."];
    if is_true(spec, &["hostNetwork"]) && dotted.starts_with("net.") {
        Some("may not be specified when 'hostNetwork' is true")
    } else if is_true(spec, &["hostIPC"]) && ipc.iter().any(|start| dotted.starts_with(start)) {
        Some("may not be specified when 'hostIPC' is true")
    } else {
        None
    }
}

/// `validateSeccompProfileField`
fn validate_seccomp(profile: Option<&Value>, path: &Path, errors: &mut Errors) {
    let Some(profile) = profile else { return };
    let kind = profile.text(&["type"]);
    if kind.is_empty() {
        errors.push(FieldError::required(&path.child("type"), "type is required when seccompProfile is set"));
    } else {
        one_of(&path.child("type"), kind, PROFILES, errors);
    }
    let path = path.child("localhostProfile");
    match profile.get("localhostProfile").and_then(Value::as_str) {
        None if kind == "Localhost" => {
            errors.push(FieldError::required(&path, "must be set when seccomp type is Localhost"));
        }
        Some(local) if kind == "Localhost" => paths::descending(&path, local, errors),
        Some(_) => {
            errors.push(FieldError::invalid(&path, Json(profile), "can only be set when seccomp type is Localhost"));
        }
        None => {}
    }
}

/// `ValidateAppArmorProfileField`
pub(super) fn validate_app_armor(profile: Option<&Value>, path: &Path, errors: &mut Errors) {
    const NEEDS_PROFILE: &str = "must be set when AppArmor type is Localhost";
    let Some(profile) = profile else { return };
    let local = profile.get("localhostProfile").and_then(Value::as_str);
    let at = path.child("localhostProfile");
    match (profile.text(&["type"]), local) {
        ("Localhost", None) => errors.push(FieldError::required(&at, NEEDS_PROFILE)),
        ("Localhost", Some(local)) => {
            if local.trim() != local {
                errors.push(FieldError::invalid(&at, local, "must not be padded with whitespace"));
            } else if local.is_empty() {
                errors.push(FieldError::required(&at, NEEDS_PROFILE));
            }
            if local.len() > MOST_PROFILE {
                errors.push(FieldError::too_long(&at, MOST_PROFILE));
            }
        }
        ("RuntimeDefault" | "Unconfined", Some(local)) => {
            errors.push(FieldError::invalid(&at, local, "can only be set when AppArmor type is Localhost"));
        }
        ("RuntimeDefault" | "Unconfined", None) => {}
        ("", _) => {
            let fault = "type is required when appArmorProfile is set";
            errors.push(FieldError::required(&path.child("type"), fault));
        }
        (other, _) => errors.push(FieldError::not_supported(&path.child("type"), other, PROFILES)),
    }
}

/// `validateOS`, `validateLinux`, `validateWindows`
pub(super) fn validate_os(spec: &Value, path: &Path, errors: &mut Errors) {
    let Some(os) = spec.get("os") else { return };
    match os.text(&["name"]) {
        "" => errors.push(FieldError::required(&path.child("os").child("name"), "cannot be empty")),
        "linux" => validate_linux(spec, path, errors),
        "windows" => validate_windows(spec, path, errors),
        other => errors.push(FieldError::not_supported(&path.child("os"), other, &["linux", "windows"])),
    }
}

fn validate_linux(spec: &Value, path: &Path, errors: &mut Errors) {
    let mut forbid = |holder: &Value, path: &Path| {
        if holder.at(&["securityContext", "windowsOptions"]).is_some() {
            let at = path.child("securityContext").child("windowsOptions");
            errors.push(FieldError::forbidden(&at, "windows options cannot be set for a linux pod"));
        }
    };
    forbid(spec, path);
    visit(spec, path, |container, path| forbid(container, path));
}

fn validate_windows(spec: &Value, path: &Path, errors: &mut Errors) {
    const OF_CONTAINER: &[&str] = &[
        "appArmorProfile",
        "seLinuxOptions",
        "seccompProfile",
        "capabilities",
        "readOnlyRootFilesystem",
        "privileged",
        "allowPrivilegeEscalation",
        "procMount",
        "runAsUser",
        "runAsGroup",
    ];
    let mut forbid = |at: &Path| errors.push(FieldError::forbidden(at, NOT_ON_WINDOWS));
    let context = path.child("securityContext");
    let mut within = |fields: &[&str]| {
        for field in fields.iter().filter(|field| spec.at(&["securityContext", field]).is_some()) {
            forbid(&context.child(field));
        }
    };
    within(&["appArmorProfile", "seLinuxOptions"]);
    if has(spec, "hostUsers") {
        forbid(&path.child("hostUsers"));
    }
    for field in ["hostPID", "hostIPC"] {
        if is_true(spec, &[field]) {
            forbid(&path.child(field));
        }
    }
    let mut within = |fields: &[&str]| {
        for field in fields.iter().filter(|field| spec.at(&["securityContext", field]).is_some()) {
            forbid(&context.child(field));
        }
    };
    within(&["seccompProfile", "fsGroup", "fsGroupChangePolicy", "sysctls"]);
    if has(spec, "shareProcessNamespace") {
        forbid(&path.child("shareProcessNamespace"));
    }
    for field in ["runAsUser", "runAsGroup", "supplementalGroups", "supplementalGroupsPolicy", "seLinuxChangePolicy"] {
        if spec.at(&["securityContext", field]).is_some() {
            forbid(&context.child(field));
        }
    }
    visit(spec, path, |container, path| {
        for field in OF_CONTAINER.iter().filter(|field| container.at(&["securityContext", field]).is_some()) {
            forbid(&path.child("securityContext").child(field));
        }
    });
}
