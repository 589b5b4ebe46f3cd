//! After `TestWarnings` of `pkg/api/pod/warnings_test.go`.

use serde_json::json;

use super::check::{created, pod, with_spec};
use crate::field::Path;
use crate::resources::pod::Pod;
use crate::resources::{Rules as _, pod_template};

fn check(name: &str, spec: serde_json::Value, wanted: &[&str]) {
    let pod = created(with_spec(spec));
    assert_eq!(Pod.warnings(&pod, None), wanted, "{name}");
}

#[test]
fn of_specs() {
    check("nothing", json!({}), &[]);
    check(
        "old label",
        json!({ "nodeSelector": { "beta.kubernetes.io/os": "linux" } }),
        &["spec.nodeSelector[beta.kubernetes.io/os]: deprecated since v1.14; use \"kubernetes.io/os\" instead"],
    );
    check(
        "old volume",
        json!({ "volumes": [{ "name": "v", "gitRepo": { "repository": "a" } }] }),
        &["spec.volumes[0].gitRepo: deprecated in v1.11"],
    );
    check(
        "aliases twice",
        json!({ "hostAliases": [{ "ip": "1.1.1.1" }, { "ip": "1.1.1.1" }] }),
        &["spec.hostAliases[1].ip: duplicate ip \"1.1.1.1\""],
    );
    check(
        "negative grace",
        json!({ "terminationGracePeriodSeconds": -1 }),
        &["spec.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1"],
    );
    let constraint = json!({ "maxSkew": 1, "topologyKey": "failure-domain.beta.kubernetes.io/zone", "whenUnsatisfiable": "DoNotSchedule" });
    check(
        "spread",
        json!({ "topologySpreadConstraints": [constraint] }),
        &[
            "spec.topologySpreadConstraints[0].topologyKey: failure-domain.beta.kubernetes.io/zone is deprecated since \
         v1.17; use \"topology.kubernetes.io/zone\" instead",
            "spec.topologySpreadConstraints[0].labelSelector: a null labelSelector results in matching no pod",
        ],
    );
    let affinity =
        json!({ "podAntiAffinity": { "requiredDuringSchedulingIgnoredDuringExecution": [{ "topologyKey": "a" }] } });
    check(
        "affinity",
        json!({ "affinity": affinity }),
        &["spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].labelSelector: a null \
         labelSelector results in matching no pod"],
    );
    check(
        "leading zeros",
        json!({ "dnsConfig": { "nameservers": ["010.0.0.1"] } }),
        &[
            "spec.dnsConfig.nameservers[0]: non-standard IP address \"010.0.0.1\" will be considered invalid in a future \
         Kubernetes release: use \"10.0.0.1\"",
        ],
    );
}

#[test]
fn of_containers() {
    let container = |fields: serde_json::Value| {
        let mut one = json!({ "name": "c", "image": "i" });
        let fields = fields.as_object().cloned().expect("fields");
        one.as_object_mut().expect("a container").extend(fields);
        json!({ "containers": [one] })
    };
    let env = json!({ "env": [
        { "name": "a", "value": "1" }, { "name": "a", "value": "2" },
        { "name": "b", "value": "1" }, { "name": "b", "value": "$(b)2" },
        { "name": "c", "value": "1" }, { "name": "c", "value": "$(c)" },
    ] });
    check(
        "env twice",
        container(env),
        &[
            "spec.containers[0].env[1]: hides previous definition of \"a\", which may be dropped when using apply",
            "spec.containers[0].env[5]: hides previous definition of \"c\", which may be dropped when using apply",
        ],
    );
    check(
        "parts of bytes",
        container(json!({ "resources": { "limits": { "memory": "1500m" } } })),
        &[
            "spec.containers[0].resources.limits[memory]: fractional byte value \"1500m\" is invalid, must be an integer",
            "spec.containers[0].resources.requests[memory]: fractional byte value \"1500m\" is invalid, must be an integer",
        ],
    );
    let ports = json!({ "ports": [
        { "containerPort": 80 }, { "containerPort": 80 }, { "containerPort": 80, "hostPort": 8080 },
        { "containerPort": 81, "hostIP": "1.1.1.1" },
    ] });
    check(
        "ports",
        container(ports),
        &[
            "spec.containers[0].ports[1]: duplicate port definition with spec.containers[0].ports[0]",
            "spec.containers[0].ports[2]: overlapping port definition with spec.containers[0].ports[0]",
            "spec.containers[0].ports[2]: overlapping port definition with spec.containers[0].ports[1]",
            "spec.containers[0].ports[3]: hostIP set without hostPort: {Name: HostPort:0 ContainerPort:81 Protocol:TCP \
         HostIP:1.1.1.1}",
        ],
    );
}

#[test]
fn of_overlapping_files() {
    // TestCheckForOverLap, Test_warningsForOverlappingVirtualPaths
    let items =
        |paths: &[&str]| paths.iter().map(|path| json!({ "key": "k", "path": path })).collect::<serde_json::Value>();
    let volume = |source: serde_json::Value| json!({ "volumes": [source] });
    check(
        "apart",
        volume(json!({ "name": "v", "secret": { "secretName": "s", "items": items(&["a/b", "a/bc"]) } })),
        &[],
    );
    check(
        "below",
        volume(json!({ "name": "v", "configMap": { "name": "m", "items": items(&["a", "a/b/"]) } })),
        &["volume \"v\" (ConfigMap \"m\"): overlapping paths: \"a/b\" with \"a\""],
    );
    let sources = json!([
        { "configMap": { "name": "m", "items": items(&["a"]) } },
        { "serviceAccountToken": { "path": "a/token" } },
    ]);
    check(
        "of two sources",
        volume(json!({ "name": "v", "projected": { "sources": sources } })),
        &[
            "volume \"v\" (Projected): overlapping paths: \"a/token\" (ServiceAccountToken) with \"a\" (ConfigMap \"m\")",
        ],
    );
}

#[test]
fn of_metadata() {
    let named = |name: &str, annotations: serde_json::Value| {
        let pod = created(pod(&json!({
            "kind": "Pod", "apiVersion": "v1", "metadata": { "name": name, "annotations": annotations },
            "spec": { "containers": [{ "name": "c", "image": "i" }] },
        })));
        Pod.warnings(&pod, None)
    };
    assert_eq!(
        named("a.b", json!({})),
        ["metadata.name: this is used in the Pod's hostname, which can result in surprising behavior; a DNS label is \
         recommended: [must not contain dots]",]
    );
    assert_eq!(
        named("a", json!({ "scheduler.alpha.kubernetes.io/critical-pod": "" })),
        ["metadata.annotations[scheduler.alpha.kubernetes.io/critical-pod]: non-functional in v1.16+; use the \
         \"priorityClassName\" field instead",]
    );
    assert_eq!(
        named("a", json!({ "container.seccomp.security.alpha.kubernetes.io/c": "unconfined" })),
        ["metadata.annotations[container.seccomp.security.alpha.kubernetes.io/c]: non-functional in v1.27+; use the \
         \\\"seccompProfile\\\" field instead",]
    );
}

#[test]
fn of_templates() {
    let template = crate::samples::json(r#"{"spec": {"terminationGracePeriodSeconds": -1}}"#);
    assert_eq!(
        pod_template::warnings(&template, &Path::new("spec").child("template")),
        ["spec.template.spec.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be \
         treated as 1",]
    );
}

#[test]
fn of_changes() {
    // Only addresses of a status, and only new ones.
    let old = created(with_spec(json!({ "terminationGracePeriodSeconds": -1 })));
    let mut new = old.clone();
    assert!(Pod.warnings(&new, Some(&old)).is_empty());
    let mut address = crate::value::Value::object();
    address.set(&["ip"], "1.2.3.04");
    new.set(&["status", "podIPs"], vec![address]);
    assert_eq!(Pod.warnings(&new, Some(&old)).len(), 1);
    assert!(Pod.warnings(&new, Some(&new)).is_empty());
}
