//! Containers of all three kinds: `validateContainers`, `validateInitContainers`, `validateEphemeralContainers`.

use std::collections::BTreeSet;

use super::errors::{Errors, has, label, number, one_of, required_one_of};
use super::totals::is_sidecar;
use super::volumes::Volumes;
use super::{env, probes, requirements, security, volumes};
use crate::field::{FieldError, Path};
use crate::names;
use crate::value::Value;

/// What an ephemeral container may not have.
const NOT_EPHEMERAL: &[&str] = &[
    "ports",
    "resources",
    "resizePolicy",
    "restartPolicy",
    "restartPolicyRules",
    "livenessProbe",
    "readinessProbe",
    "startupProbe",
    "lifecycle",
];
const NOT_IN_EPHEMERAL: &str = "cannot be set for an Ephemeral Container";
const MOST_RULES: usize = 20;
const MOST_EXIT_CODES: usize = 255;

/// What the containers of a spec share.
pub(super) struct Surroundings<'a> {
    /// The spec.
    pub(super) spec: &'a Value,
    /// Its volumes that are right.
    pub(super) volumes: Volumes<'a>,
    /// Its resource claims.
    pub(super) claims: BTreeSet<&'a str>,
}

impl<'a> Surroundings<'a> {
    fn os(&self) -> Option<&'a str> {
        self.spec.get("os").map(|os| os.text(&["name"]))
    }

    fn grace(&self) -> Option<i64> {
        self.spec.integer(&["terminationGracePeriodSeconds"])
    }

    fn names(&self, list: &str) -> BTreeSet<&'a str> {
        self.spec.list(&[list]).iter().map(|container| container.text(&["name"])).collect()
    }

    /// `validateContainers`
    pub(super) fn validate_main(&self, path: &Path, errors: &mut Errors) {
        let containers = self.spec.list(&["containers"]);
        if containers.is_empty() {
            errors.push(FieldError::required(path, ""));
            return;
        }
        let mut seen = BTreeSet::new();
        for (at, container) in containers.iter().enumerate() {
            let path = path.index(at);
            self.validate_common(container, &path, errors);
            let name = container.text(&["name"]);
            if !seen.insert(name) {
                errors.push(FieldError::duplicate(&path.child("name"), name));
            }
            probes::validate(container, self.os(), self.grace(), &path, errors);
            validate_restarts(container, &path, errors);
        }
        let mut ports = BTreeSet::new();
        for (at, container) in containers.iter().enumerate() {
            unique_host_ports(container, &mut ports, &path.index(at), errors);
        }
    }

    /// `validateInitContainers`
    pub(super) fn validate_init(&self, path: &Path, errors: &mut Errors) {
        let mut seen = self.names("containers");
        for (at, container) in self.spec.list(&["initContainers"]).iter().enumerate() {
            let list = path;
            let path = path.index(at);
            self.validate_common(container, &path, errors);
            validate_init_restarts(container, &path, errors);
            let name = container.text(&["name"]);
            if seen.contains(name) {
                errors.push(FieldError::duplicate(&path.child("name"), name));
            } else if !name.is_empty() {
                seen.insert(name);
            }
            // They run one by one; Kubernetes names each as the first.
            unique_host_ports(container, &mut BTreeSet::new(), &list.index(0), errors);
            if is_sidecar(container) {
                probes::validate(container, self.os(), self.grace(), &path, errors);
            } else {
                probes::forbid(container, &path, errors);
                forbid_restart_on_resize(container, &path, errors);
            }
        }
    }

    /// `validateEphemeralContainers`
    pub(super) fn validate_ephemeral(&self, path: &Path, errors: &mut Errors) {
        let mut others = self.names("containers");
        others.extend(self.names("initContainers"));
        let mut seen = others.clone();
        for (at, container) in self.spec.list(&["ephemeralContainers"]).iter().enumerate() {
            let path = path.index(at);
            self.validate_common(container, &path, errors);
            validate_image_padding(container, &path, errors);
            let name = container.text(&["name"]);
            if !seen.insert(name) {
                errors.push(FieldError::duplicate(&path.child("name"), name));
            }
            let target = container.text(&["targetContainerName"]);
            if !target.is_empty() && !others.contains(target) {
                errors.push(FieldError::not_found(&path.child("targetContainerName"), target));
            }
            forbid_in_ephemeral(container, &path, errors);
        }
    }

    /// `validateContainerCommon`
    fn validate_common(&self, container: &Value, path: &Path, errors: &mut Errors) {
        let text = |field: &str| container.text(&[field]);
        if text("name").is_empty() {
            errors.push(FieldError::required(&path.child("name"), ""));
        } else {
            label(&path.child("name"), text("name"), errors);
        }
        if text("image").is_empty() {
            errors.push(FieldError::required(&path.child("image"), ""));
        }
        let policy = path.child("terminationMessagePolicy");
        required_one_of(&policy, text("terminationMessagePolicy"), &["File", "FallbackToLogsOnError"], errors);
        validate_ports(container.list(&["ports"]), &path.child("ports"), errors);
        env::validate(container.list(&["env"]), &path.child("env"), errors);
        env::validate_lists(container.list(&["envFrom"]), &path.child("envFrom"), errors);
        volumes::validate_mounts(container, &self.volumes, &path.child("volumeMounts"), errors);
        volumes::validate_devices(container, &self.volumes, &path.child("volumeDevices"), errors);
        requirements::validate_pull_policy(&path.child("imagePullPolicy"), text("imagePullPolicy"), errors);
        let of = requirements::Of::Container;
        requirements::validate(container, of, &self.claims, &path.child("resources"), errors);
        let resizes = container.list(&["resizePolicy"]);
        let restarts = self.spec.text(&["restartPolicy"]);
        requirements::validate_resize_policy(resizes, restarts, &path.child("resizePolicy"), errors);
        if let Some(context) = container.get("securityContext") {
            let host_users = self.spec.boolean(&["hostUsers"]).unwrap_or(true);
            security::validate_container(context, host_users, &path.child("securityContext"), errors);
        }
    }
}

fn forbid_in_ephemeral(container: &Value, path: &Path, errors: &mut Errors) {
    for field in NOT_EPHEMERAL {
        let is_set =
            container.get(field).is_some_and(|value| value.as_object().is_none_or(|fields| !fields.is_empty()));
        if is_set {
            errors.push(FieldError::forbidden(&path.child(field), NOT_IN_EPHEMERAL));
        }
    }
    for (at, mount) in container.list(&["volumeMounts"]).iter().enumerate() {
        for field in ["subPath", "subPathExpr"] {
            if !mount.text(&[field]).is_empty() {
                let at = path.child("volumeMounts").index(at).child(field);
                errors.push(FieldError::forbidden(&at, NOT_IN_EPHEMERAL));
            }
        }
    }
}

/// `validateContainerOnlyForPod`: what templates are spared.
pub(super) fn validate_image_padding(container: &Value, path: &Path, errors: &mut Errors) {
    let image = container.text(&["image"]);
    if image.trim() != image {
        let fault = "must not have leading or trailing whitespace";
        errors.push(FieldError::invalid(&path.child("image"), image, fault));
    }
}

/// `validateContainerPorts`
fn validate_ports(ports: &[Value], path: &Path, errors: &mut Errors) {
    let mut seen = BTreeSet::new();
    for (at, port) in ports.iter().enumerate() {
        let path = path.index(at);
        let name = port.text(&["name"]);
        if !name.is_empty() {
            let faults = names::port_name(name);
            if !faults.is_empty() {
                super::errors::faults(&path.child("name"), name, faults, errors);
            } else if !seen.insert(name) {
                errors.push(FieldError::duplicate(&path.child("name"), name));
            }
        }
        let inner = number(port, "containerPort");
        if inner == 0 {
            errors.push(FieldError::required(&path.child("containerPort"), ""));
        } else {
            port_number(&path.child("containerPort"), inner, errors);
        }
        let outer = number(port, "hostPort");
        if outer != 0 {
            port_number(&path.child("hostPort"), outer, errors);
        }
        required_one_of(&path.child("protocol"), port.text(&["protocol"]), &["SCTP", "TCP", "UDP"], errors);
    }
}

fn port_number(path: &Path, port: i64, errors: &mut Errors) {
    let faults = names::port_number(port);
    errors.extend(faults.into_iter().map(|fault| FieldError::invalid(path, port, fault)));
}

/// `AccumulateUniqueHostPorts`
fn unique_host_ports(container: &Value, seen: &mut BTreeSet<String>, path: &Path, errors: &mut Errors) {
    for (at, port) in container.list(&["ports"]).iter().enumerate() {
        let number = number(port, "hostPort");
        if number == 0 {
            continue;
        }
        let key = format!("{}/{}/{number}", port.text(&["protocol"]), port.text(&["hostIP"]));
        if seen.contains(&key) {
            errors.push(FieldError::duplicate(&path.child("ports").index(at).child("hostPort"), &key));
        } else {
            seen.insert(key);
        }
    }
}

/// `validateInitContainerRestartPolicy`
fn validate_init_restarts(container: &Value, path: &Path, errors: &mut Errors) {
    if has(container, "restartPolicy") {
        validate_restarts(container, path, errors);
    } else if !container.list(&["restartPolicyRules"]).is_empty() {
        let fault = "must specify restartPolicy when restart rules are used";
        errors.push(FieldError::required(&path.child("restartPolicy"), fault));
    }
}

/// `validateContainerRestartPolicy`: a container's own policy and its rules.
fn validate_restarts(container: &Value, path: &Path, errors: &mut Errors) {
    let rules = container.list(&["restartPolicyRules"]);
    match container.get("restartPolicy").and_then(Value::as_str) {
        None if rules.is_empty() => return,
        None => {
            let fault = "must specify restartPolicy when restart rules are used";
            errors.push(FieldError::required(&path.child("restartPolicy"), fault));
        }
        Some(policy) => {
            one_of(&path.child("restartPolicy"), policy, &["Always", "Never", "OnFailure"], errors);
        }
    }
    let path = path.child("restartPolicyRules");
    if rules.len() > MOST_RULES {
        errors.push(FieldError::too_many(&path, rules.len(), MOST_RULES));
    }
    for (at, rule) in rules.iter().enumerate() {
        let path = path.index(at);
        one_of(&path.child("action"), rule.text(&["action"]), &["Restart", "RestartAllContainers"], errors);
        let path = path.child("exitCodes");
        let Some(codes) = rule.get("exitCodes") else {
            errors.push(FieldError::required(&path, "must be specified"));
            continue;
        };
        one_of(&path.child("operator"), codes.text(&["operator"]), &["In", "NotIn"], errors);
        let count = codes.list(&["values"]).len();
        if count > MOST_EXIT_CODES {
            errors.push(FieldError::too_many(&path.child("values"), count, MOST_EXIT_CODES));
        }
    }
}

fn forbid_restart_on_resize(container: &Value, path: &Path, errors: &mut Errors) {
    for (at, policy) in container.list(&["resizePolicy"]).iter().enumerate() {
        let restart = policy.text(&["restartPolicy"]);
        if restart == "RestartContainer" {
            let at = path.child("resizePolicy").index(at).child("restartPolicy");
            let fault = "must not be set to 'RestartContainer' for non-sidecar initContainers";
            errors.push(FieldError::invalid(&at, restart, fault));
        }
    }
}

/// `validatePodHostNetworkDeps`: what runs in the host's network has the host's ports.
pub(super) fn validate_host_network(spec: &Value, is_pod: bool, path: &Path, errors: &mut Errors) {
    if spec.boolean(&["hostNetwork"]) != Some(true) {
        return;
    }
    for (at, container) in spec.list(&["containers"]).iter().enumerate() {
        let path = path.child("containers").index(at).child("ports");
        for (at, port) in container.list(&["ports"]).iter().enumerate() {
            let outer = number(port, "hostPort");
            if (is_pod || outer != 0) && outer != number(port, "containerPort") {
                let fault = "must match `containerPort` when `hostNetwork` is true";
                errors.push(FieldError::invalid(&path.index(at).child("hostPort"), outer, fault));
            }
        }
    }
}

/// `validateHostUsers`: a user namespace of its own goes with no namespace of the host.
pub(super) fn validate_host_users(spec: &Value, path: &Path, errors: &mut Errors) {
    const WITHOUT: &str = "when `hostUsers` is false";
    if spec.boolean(&["hostUsers"]) != Some(false) {
        return;
    }
    for (field, told) in [("hostNetwork", "hostNetwork"), ("hostPID", "HostPID"), ("hostIPC", "HostIPC")] {
        if spec.boolean(&[field]) == Some(true) {
            errors.push(FieldError::forbidden(&path.child(told), WITHOUT));
        }
    }
    visit(spec, path, |container, path| {
        if !container.list(&["volumeDevices"]).is_empty() {
            errors.push(FieldError::forbidden(&path.child("volumeDevices"), WITHOUT));
        }
    });
}

/// `VisitContainersWithPath`
pub(super) fn visit<'a>(spec: &'a Value, path: &Path, mut each: impl FnMut(&'a Value, &Path)) {
    for list in super::defaults::CONTAINERS {
        for (at, container) in spec.list(&[list]).iter().enumerate() {
            each(container, &path.child(list).index(at));
        }
    }
}
