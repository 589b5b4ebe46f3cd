//! After `pkg/apis/core/v1/defaults_test.go` and `conversion_test.go`.

use serde_json::json;

use super::check::{pod, with_spec};
use crate::resources::pod_template;
use crate::samples::json as object;
use crate::value::Value;

fn at<'a>(value: &'a Value, pointer: &str) -> Option<&'a Value> {
    pointer.split('/').try_fold(value, |value, part| match part.parse::<usize>() {
        Ok(at) => value.as_list()?.get(at),
        Err(_) => value.get(part),
    })
}

fn check(name: &str, object: &Value, wanted: &[(&str, serde_json::Value)]) {
    for (pointer, wanted) in wanted {
        let got = at(object, pointer)
            .map(|value| serde_json::from_slice::<serde_json::Value>(&crate::encode::json(value)).expect("JSON"));
        let wanted = if wanted.is_null() { None } else { Some(wanted.clone()) };
        assert_eq!(got, wanted, "{name}: {pointer}");
    }
}

#[test]
fn old_and_new_names_are_one() {
    // TestServiceAccountName..., Test_core_PodStatus_to_v1_PodStatus
    let named = |spec: serde_json::Value| with_spec(spec);
    let old = pod(&json!({ "kind": "Pod", "apiVersion": "v1", "spec": { "serviceAccount": "a", "containers": [] } }));
    check("old name", &old, &[("spec/serviceAccountName", json!("a")), ("spec/serviceAccount", json!("a"))]);
    let both = named(json!({ "serviceAccount": "a", "serviceAccountName": "b" }));
    check("both", &both, &[("spec/serviceAccountName", json!("b")), ("spec/serviceAccount", json!("b"))]);
    for (status, first) in [
        (json!({ "podIP": "1.1.1.1" }), "1.1.1.1"),
        (json!({ "podIPs": [{ "ip": "1.1.1.1" }] }), "1.1.1.1"),
        (json!({ "podIP": "2.2.2.2", "podIPs": [{ "ip": "1.1.1.1" }] }), "2.2.2.2"),
    ] {
        let got = pod(&json!({ "kind": "Pod", "apiVersion": "v1", "status": status }));
        check("address", &got, &[("status/podIP", json!(first)), ("status/podIPs", json!([{ "ip": first }]))]);
    }
    let annotated = json!({
        "kind": "Pod", "apiVersion": "v1",
        "metadata": { "annotations": { "pod.beta.kubernetes.io/init-containers": "[]" } },
    });
    check("annotations", &pod(&annotated), &[("metadata/annotations", json!(null))]);
}

#[test]
fn probes_and_handlers() {
    // TestSetDefaultProbe, TestSetDefaultHTTPGetAction
    let got = with_spec(json!({ "containers": [{
        "name": "c", "image": "i",
        "livenessProbe": { "grpc": { "port": 1 }, "periodSeconds": 7 },
        "startupProbe": { "httpGet": { "port": "http", "path": "/a", "scheme": "HTTPS" } },
        "lifecycle": { "postStart": { "httpGet": { "port": 1 } } },
    }] }));
    check(
        "probes",
        &got,
        &[
            ("spec/containers/0/livenessProbe/grpc", json!({ "port": 1, "service": "" })),
            ("spec/containers/0/livenessProbe/periodSeconds", json!(7)),
            ("spec/containers/0/livenessProbe/failureThreshold", json!(3)),
            ("spec/containers/0/startupProbe/httpGet", json!({ "path": "/a", "port": "http", "scheme": "HTTPS" })),
            ("spec/containers/0/startupProbe/timeoutSeconds", json!(1)),
            ("spec/containers/0/lifecycle/postStart/httpGet", json!({ "path": "/", "port": 1, "scheme": "HTTP" })),
        ],
    );
}

#[test]
fn ports_of_the_host() {
    // TestSetDefaultsHostNetwork...
    let ports = json!([{ "containerPort": 80 }, { "containerPort": 53, "hostPort": 54, "protocol": "UDP" }]);
    let containers = json!([{ "name": "c", "image": "i", "ports": ports }]);
    let own = with_spec(json!({ "containers": containers }));
    check("own", &own, &[("spec/containers/0/ports/0", json!({ "containerPort": 80, "protocol": "TCP" }))]);
    let shared = with_spec(json!({ "containers": containers, "hostNetwork": true }));
    check(
        "shared",
        &shared,
        &[("spec/containers/0/ports/0/hostPort", json!(80)), ("spec/containers/0/ports/1/hostPort", json!(54))],
    );
}

#[test]
fn volumes() {
    // TestSetDefaultVolumes..., the defaults that the schema states
    let got = with_spec(json!({ "volumes": [
        { "name": "bare" },
        { "name": "image", "image": { "reference": "a:1" } },
        { "name": "scsi", "iscsi": { "targetPortal": "a", "iqn": "iqn.2016-01.a:b", "lun": 0 } },
        { "name": "block", "rbd": { "monitors": ["a"], "image": "b" } },
        { "name": "disk", "azureDisk": { "diskName": "a", "diskURI": "b" } },
        { "name": "own", "ephemeral": { "volumeClaimTemplate": { "spec": {} } } },
        { "name": "host", "hostPath": { "path": "/a", "type": "File" } },
        { "name": "zero", "secret": { "secretName": "s", "defaultMode": 0 } },
    ] }));
    check(
        "volumes",
        &got,
        &[
            ("spec/volumes/0", json!({ "name": "bare", "emptyDir": {} })),
            ("spec/volumes/1/image/pullPolicy", json!("IfNotPresent")),
            ("spec/volumes/2/iscsi/iscsiInterface", json!("default")),
            ("spec/volumes/3/rbd/keyring", json!("/etc/ceph/keyring")),
            ("spec/volumes/3/rbd/pool", json!("rbd")),
            ("spec/volumes/4/azureDisk/kind", json!("Shared")),
            ("spec/volumes/4/azureDisk/readOnly", json!(false)),
            ("spec/volumes/5/ephemeral/volumeClaimTemplate/spec/volumeMode", json!("Filesystem")),
            ("spec/volumes/6/hostPath/type", json!("File")),
            ("spec/volumes/7/secret/defaultMode", json!(0)),
        ],
    );
}

#[test]
fn amounts() {
    // TestSetDefaultRequestsPod, TestSetDefaultObjectFieldSelector..., SetDefaults_ResourceList
    let got = with_spec(json!({
        "overhead": { "cpu": "100u" },
        "containers": [{
            "name": "c", "image": "i",
            "resources": { "limits": { "cpu": "1500u", "memory": "1Ki" }, "requests": { "memory": "1" } },
        }],
    }));
    check(
        "amounts",
        &got,
        &[
            ("spec/overhead/cpu", json!("1m")),
            ("spec/containers/0/resources/limits", json!({ "cpu": "2m", "memory": "1Ki" })),
            ("spec/containers/0/resources/requests", json!({ "cpu": "2m", "memory": "1" })),
        ],
    );
}

#[test]
fn amounts_of_the_pod() {
    // TestPodResourcesDefaults
    let containers = json!([
        { "name": "a", "image": "i", "resources": { "requests": { "cpu": "100m" } } },
        { "name": "b", "image": "i", "resources": { "requests": { "cpu": "200m" } } },
    ]);
    let got =
        with_spec(json!({ "containers": containers, "resources": { "limits": { "cpu": "1", "memory": "1Mi" } } }));
    check("limits alone", &got, &[("spec/resources/requests", json!({ "cpu": "300m", "memory": "1Mi" }))]);
    let none = with_spec(json!({ "containers": containers }));
    check("nothing of the pod", &none, &[("spec/resources", json!(null))]);
}

#[test]
fn templates_get_less() {
    // TestSetDefaultReplicationController..., defaulted.json
    let mut template = object(
        r#"{"metadata": {}, "spec": {"containers": [{"name": "c", "image": "i",
        "resources": {"limits": {"cpu": "1"}}}]}}"#,
    );
    pod_template::default(&mut template);
    check(
        "template",
        &template,
        &[
            ("spec/containers/0/resources/requests", json!(null)),
            ("spec/containers/0/imagePullPolicy", json!("Always")),
            ("spec/enableServiceLinks", json!(null)),
            ("spec/restartPolicy", json!("Always")),
            ("spec/securityContext", json!({})),
        ],
    );
}
