//! What Kubernetes fills in: `pkg/apis/core/v1/defaults.go`, the defaults that the schema states, and what
//! `conversion.go` does to old fields.

use std::str::FromStr;

use super::errors::{has, number};
use super::image;
use super::totals;
use crate::quantity::Quantity;
use crate::value::{Map, Value};

/// Annotations that once were fields (`dropInitContainerAnnotations`).
const GONE: &[&str] = &[
    "pod.alpha.kubernetes.io/init-container-statuses",
    "pod.alpha.kubernetes.io/init-containers",
    "pod.beta.kubernetes.io/init-container-statuses",
    "pod.beta.kubernetes.io/init-containers",
];
/// The lists of containers in a spec, in the order of `VisitContainers`.
pub(super) const CONTAINERS: &[&str] = &["initContainers", "containers", "ephemeralContainers"];
/// 0644
const FILE_MODE: i64 = 420;

/// `SetObjectDefaults_Pod`
pub(super) fn pod(object: &mut Value) {
    drop_old_annotations(object);
    object.set_if_absent(&["spec"], Value::object());
    object.set_if_absent(&["status"], Value::object());
    one_address(object);
    let Some(spec) = object.get_mut("spec") else { return };
    template_spec(spec);
    for list in ["containers", "initContainers"] {
        for container in items(spec, list) {
            request_what_is_limited(container);
        }
    }
    totals::default(spec);
    spec.set_if_absent(&["enableServiceLinks"], true);
    if spec.boolean(&["hostNetwork"]) == Some(true) {
        for list in ["containers", "initContainers"] {
            items(spec, list).for_each(host_ports);
        }
    }
}

/// `Convert_v1_PodTemplateSpec_To_core_PodTemplateSpec` and `SetDefaults_PodSpec`, for whatever holds a template.
pub(in crate::resources) fn template(template: &mut Value) {
    drop_old_annotations(template);
    template.set_if_absent(&["spec"], Value::object());
    if let Some(spec) = template.get_mut("spec") {
        template_spec(spec);
    }
}

fn drop_old_annotations(object: &mut Value) {
    let Some(annotations) = object.at_mut(&["metadata", "annotations"]).and_then(Value::as_object_mut) else { return };
    for name in GONE {
        annotations.remove(*name);
    }
    if annotations.is_empty() {
        object.remove(&["metadata", "annotations"]);
    }
}

/// `Convert_v1_PodStatus_To_core_PodStatus` and back: `podIP` is the first of `podIPs`, and wins where they differ.
fn one_address(pod: &mut Value) {
    let alone = pod.text(&["status", "podIP"]);
    let first = pod.list(&["status", "podIPs"]).first().map_or("", |one| one.text(&["ip"]));
    if alone.is_empty() && !first.is_empty() {
        let first = first.to_owned();
        pod.set(&["status", "podIP"], first);
    } else if alone != first {
        let mut address = Value::object();
        address.set(&["ip"], alone);
        pod.set(&["status", "podIPs"], vec![address]);
    }
}

/// The defaults of a spec, in a pod and in a template alike.
fn template_spec(spec: &mut Value) {
    one_account(spec);
    text(spec, "dnsPolicy", "ClusterFirst");
    text(spec, "restartPolicy", "Always");
    text(spec, "schedulerName", "default-scheduler");
    spec.set_if_absent(&["securityContext"], Value::object());
    spec.set_if_absent(&["terminationGracePeriodSeconds"], 30);
    for list in CONTAINERS {
        items(spec, list).for_each(container);
    }
    items(spec, "volumes").for_each(volume);
    round_up(spec.get_mut("overhead"));
    round_requirements(spec);
}

/// `serviceAccount` is the old name of `serviceAccountName`; the new one wins.
fn one_account(spec: &mut Value) {
    let new = spec.text(&["serviceAccountName"]);
    let name = if new.is_empty() { spec.text(&["serviceAccount"]) } else { new };
    if !name.is_empty() {
        let name = name.to_owned();
        spec.set(&["serviceAccount"], name.clone());
        spec.set(&["serviceAccountName"], name);
    }
}

/// `SetDefaults_Container` and what it holds.
fn container(container: &mut Value) {
    let policy = image::pull_policy(container.text(&["image"]));
    text(container, "imagePullPolicy", policy);
    text(container, "terminationMessagePath", "/dev/termination-log");
    text(container, "terminationMessagePolicy", "File");
    container.set_if_absent(&["resources"], Value::object());
    round_requirements(container);
    for port in items(container, "ports") {
        text(port, "protocol", "TCP");
    }
    for variable in items(container, "env") {
        if let Some(source) = variable.get_mut("valueFrom") {
            field_selector(source);
            if let Some(file) = source.get_mut("fileKeyRef") {
                file.set_if_absent(&["optional"], false);
            }
        }
    }
    for name in ["livenessProbe", "readinessProbe", "startupProbe"] {
        if let Some(value) = container.get_mut(name) {
            probe(value);
        }
    }
    for name in ["postStart", "preStop"] {
        http_get(container.at_mut(&["lifecycle", name, "httpGet"]));
    }
}

/// `SetDefaults_ResourceList`: nothing finer than a thousandth.
fn round_requirements(holder: &mut Value) {
    for name in ["limits", "requests"] {
        round_up(holder.at_mut(&["resources", name]));
    }
}

fn round_up(list: Option<&mut Value>) {
    for value in list.and_then(Value::as_object_mut).into_iter().flat_map(Map::values_mut) {
        let Some(quantity) = value.as_str().and_then(|text| Quantity::from_str(text).ok()) else { continue };
        let milli = format!("{}m", quantity.ceil_milli());
        match Quantity::from_str(&milli) {
            Ok(rounded) if rounded != quantity => *value = Value::from(rounded.to_string()),
            _ => {}
        }
    }
}

/// `SetDefaults_Pod`: requests from limits.
fn request_what_is_limited(container: &mut Value) {
    let limits: Vec<(String, Value)> =
        container.entries(&["resources", "limits"]).map(|(name, value)| (name.clone(), value.clone())).collect();
    for (name, limit) in limits {
        container.set_if_absent(&["resources", "requests", &name], limit);
    }
}

/// `defaultHostNetworkPorts`
fn host_ports(container: &mut Value) {
    for port in items(container, "ports") {
        if number(port, "hostPort") == 0 {
            let same = number(port, "containerPort");
            if same != 0 {
                port.set(&["hostPort"], same);
            }
        }
    }
}

/// `SetDefaults_Probe`
fn probe(probe: &mut Value) {
    for (name, value) in
        [("timeoutSeconds", 1), ("periodSeconds", 10), ("successThreshold", 1), ("failureThreshold", 3)]
    {
        if number(probe, name) == 0 {
            probe.set(&[name], value);
        }
    }
    http_get(probe.get_mut("httpGet"));
    if let Some(grpc) = probe.get_mut("grpc") {
        grpc.set_if_absent(&["service"], "");
    }
}

/// `SetDefaults_HTTPGetAction`
fn http_get(action: Option<&mut Value>) {
    if let Some(action) = action {
        text(action, "path", "/");
        text(action, "scheme", "HTTP");
    }
}

/// `SetDefaults_ObjectFieldSelector`
fn field_selector(holder: &mut Value) {
    if let Some(selector) = holder.get_mut("fieldRef") {
        text(selector, "apiVersion", "v1");
    }
}

/// `SetDefaults_Volume` and its sources.
fn volume(volume: &mut Value) {
    let is_bare = volume.as_object().is_some_and(|fields| fields.keys().all(|name| name == "name"));
    if is_bare {
        volume.set(&["emptyDir"], Value::object());
        return;
    }
    for name in ["secret", "configMap", "downwardAPI", "projected"] {
        if let Some(source) = volume.get_mut(name) {
            source.set_if_absent(&["defaultMode"], FILE_MODE);
        }
    }
    if let Some(source) = volume.get_mut("downwardAPI") {
        items(source, "items").for_each(field_selector);
    }
    if let Some(projected) = volume.get_mut("projected") {
        items(projected, "sources").for_each(projection);
    }
    if let Some(host) = volume.get_mut("hostPath") {
        host.set_if_absent(&["type"], "");
    }
    if let Some(claim) = volume.at_mut(&["ephemeral", "volumeClaimTemplate", "spec"]) {
        claim.set_if_absent(&["volumeMode"], "Filesystem");
        round_requirements(claim);
    }
    if let Some(source) = volume.get_mut("image") {
        let policy = image::pull_policy(source.text(&["reference"]));
        text(source, "pullPolicy", policy);
    }
    old_volume(volume);
}

/// A source of a projected volume.
fn projection(source: &mut Value) {
    if let Some(token) = source.get_mut("serviceAccountToken") {
        token.set_if_absent(&["expirationSeconds"], 3600);
    }
    if let Some(files) = source.get_mut("downwardAPI") {
        items(files, "items").for_each(field_selector);
    }
}

/// The defaults that the schema states of volumes that the tree no longer mounts.
fn old_volume(volume: &mut Value) {
    if let Some(disk) = volume.get_mut("azureDisk") {
        disk.set_if_absent(&["cachingMode"], "ReadWrite");
        disk.set_if_absent(&["fsType"], "ext4");
        disk.set_if_absent(&["kind"], "Shared");
        disk.set_if_absent(&["readOnly"], false);
    }
    if let Some(iscsi) = volume.get_mut("iscsi") {
        text(iscsi, "iscsiInterface", "default");
    }
    if let Some(block) = volume.get_mut("rbd") {
        text(block, "keyring", "/etc/ceph/keyring");
        text(block, "pool", "rbd");
        text(block, "user", "admin");
    }
    if let Some(scale) = volume.get_mut("scaleIO") {
        text(scale, "fsType", "xfs");
        text(scale, "storageMode", "ThinProvisioned");
    }
}

/// Sets a text that is empty, as a Go string field may be.
fn text(parent: &mut Value, field: &str, default: &str) {
    if parent.text(&[field]).is_empty() {
        parent.set(&[field], default);
    }
}

/// The objects in a list, to change.
fn items<'a>(parent: &'a mut Value, list: &str) -> impl Iterator<Item = &'a mut Value> {
    parent.get_mut(list).and_then(Value::as_list_mut).into_iter().flatten()
}

/// Whether a quantity list of a requirements object has entries.
pub(super) fn has_entries(requirements: &Value, list: &str) -> bool {
    has(requirements, list) && requirements.entries(&[list]).next().is_some()
}
