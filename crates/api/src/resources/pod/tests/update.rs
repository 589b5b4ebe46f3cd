//! After `TestValidatePodUpdate`, `TestValidatePodStatusUpdate`, `TestValidatePodEphemeralContainersUpdate` and
//! `TestValidatePodResize`.

use serde_json::{Value as Json, json};

use super::check::{created, same, update_errors, with_spec};
use crate::resources::Part;
use crate::value::Value;

const FORBIDDEN: &str = "spec: Forbidden: pod updates may not change fields other than `spec.containers[*].image`,\
                         `spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only \
                         additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set \
                         to 1 if it was previously negative)\n";

fn spec(fields: Json) -> Value {
    created(with_spec(fields))
}

fn check(name: &str, old: Json, new: Json, wanted: &[&str]) {
    same(name, &update_errors(Part::Whole, &spec(old), &spec(new)), wanted);
}

#[test]
fn what_may_change() {
    let image = |image: &str| json!({ "containers": [{ "name": "c", "image": image, "imagePullPolicy": "Never" }] });
    check("nothing", json!({}), json!({}), &[]);
    check("the image", image("a"), image("b"), &[]);
    let init = |image: &str| json!({ "initContainers": [{ "name": "n", "image": image, "imagePullPolicy": "Never" }] });
    check("an image of the start", init("a"), init("b"), &[]);
    check(
        "no image",
        image("a"),
        image(""),
        &["spec.containers[0].image: Required value", "spec.containers[0].image: Required value"],
    );
    check("a deadline", json!({}), json!({ "activeDeadlineSeconds": 5 }), &[]);
    check(
        "a longer one",
        json!({ "activeDeadlineSeconds": 5 }),
        json!({ "activeDeadlineSeconds": 6 }),
        &["spec.activeDeadlineSeconds: Invalid value: 6: must be less than or equal to previous value"],
    );
    check(
        "none any more",
        json!({ "activeDeadlineSeconds": 5 }),
        json!({}),
        &["spec.activeDeadlineSeconds: Invalid value: null: must not update from a positive integer to nil value"],
    );
    check(
        "negative grace",
        json!({ "terminationGracePeriodSeconds": -1 }),
        json!({ "terminationGracePeriodSeconds": 1 }),
        &[],
    );
    let added = json!({ "tolerations": [{ "key": "a", "operator": "Exists" }] });
    check("one more toleration", json!({}), added.clone(), &[]);
    check(
        "one less",
        added,
        json!({}),
        &["spec.tolerations: Forbidden: existing toleration can not be modified except its tolerationSeconds"],
    );
    let for_seconds = |seconds: i64| {
        json!({ "tolerations": [{
        "key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": seconds }] })
    };
    check("longer", for_seconds(1), for_seconds(2), &[]);
}

#[test]
fn what_may_not() {
    let forbidden = |what: &str| format!("{FORBIDDEN}{what}");
    let two = json!({ "containers": [{ "name": "c", "image": "i" }, { "name": "d", "image": "i" }] });
    check(
        "a container more",
        json!({}),
        two,
        &["spec.containers: Forbidden: pod updates may not add or remove containers"],
    );
    let env = json!({ "containers": [{ "name": "c", "image": "i", "env": [{ "name": "A", "value": "secret" }] }] });
    check("the environment", json!({}), env, &[&forbidden("+ containers[0].env")]);
    check(
        "the account",
        json!({}),
        json!({ "serviceAccountName": "y" }),
        &[&forbidden("~ serviceAccount\n~ serviceAccountName")],
    );
    let volume = json!({ "volumes": [{ "name": "v", "emptyDir": {} }] });
    check("a volume", volume, json!({}), &[&forbidden("- volumes")]);
    check(
        "grace",
        json!({}),
        json!({ "terminationGracePeriodSeconds": 1 }),
        &[&forbidden("~ terminationGracePeriodSeconds")],
    );
    check("the node", json!({}), json!({ "nodeName": "n" }), &[&forbidden("+ nodeName")]);
}

#[test]
fn while_held_back() {
    let gated = |fields: Json| {
        let mut spec = json!({ "schedulingGates": [{ "name": "a" }] });
        spec.as_object_mut().expect("a spec").extend(fields.as_object().cloned().expect("fields"));
        spec
    };
    check("let go", gated(json!({})), json!({}), &[]);
    let more = json!({ "schedulingGates": [{ "name": "a" }, { "name": "b" }] });
    check(
        "one gate more",
        gated(json!({})),
        more,
        &["spec.schedulingGates[1].name: Forbidden: only deletion is allowed, but found new scheduling gate 'b'"],
    );
    check("a label more", gated(json!({})), gated(json!({ "nodeSelector": { "a": "b" } })), &[]);
    check(
        "another label",
        gated(json!({ "nodeSelector": { "a": "b" } })),
        gated(json!({ "nodeSelector": { "a": "c" } })),
        &[
            "spec.nodeSelector: Invalid value: {\"a\":\"c\"}: only additions to spec.nodeSelector are allowed (no mutations or deletions)",
        ],
    );
    let nodes = |expressions: Json| {
        gated(json!({ "affinity": { "nodeAffinity": {
        "requiredDuringSchedulingIgnoredDuringExecution": { "nodeSelectorTerms": [{ "matchExpressions": expressions }] } } } }))
    };
    let a = json!({ "key": "a", "operator": "Exists" });
    let b = json!({ "key": "b", "operator": "Exists" });
    check("first nodes", gated(json!({})), nodes(json!([a])), &[]);
    check("fewer nodes", nodes(json!([a])), nodes(json!([a, b])), &[]);
    check(
        "other nodes",
        nodes(json!([a])),
        nodes(json!([b])),
        &[
            "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0]: Invalid value...",
        ],
    );
}

#[test]
fn ephemeral_containers() {
    let part = Part::Named("ephemeralcontainers");
    let with = |containers: Json| {
        let mut pod = spec(json!({}));
        let ephemeral = with_spec(json!({ "ephemeralContainers": containers }));
        pod.set(&["spec", "ephemeralContainers"], ephemeral.list(&["spec", "ephemeralContainers"]).to_vec());
        pod
    };
    let one = |name: &str, image: &str| json!({ "name": name, "image": image });
    let old = with(json!([one("e", "i")]));
    same("one more", &update_errors(part, &old, &with(json!([one("e", "i"), one("f", "i")]))), &[]);
    same(
        "one less",
        &update_errors(part, &old, &with(json!([one("f", "i")]))),
        &["spec.ephemeralContainers: Forbidden: existing ephemeral containers \"e\" may not be removed\n"],
    );
    same(
        "another image",
        &update_errors(part, &old, &with(json!([one("e", "j")]))),
        &["spec.ephemeralContainers: Forbidden: existing ephemeral containers \"e\" may not be changed\n~ image"],
    );
    let taken = with(json!([one("e", "i"), one("c", "i")]));
    same(
        "a name twice",
        &update_errors(part, &old, &taken),
        &["spec.ephemeralContainers[1].name: Duplicate value: \"c\""],
    );
    let mut target = one("g", "i");
    target["targetContainerName"] = "nope".into();
    same(
        "no target",
        &update_errors(part, &old, &with(json!([one("e", "i"), target]))),
        &["spec.ephemeralContainers[1].targetContainerName: Not found: \"nope\""],
    );
}

#[test]
fn resizes() {
    let with = |resources: Json| spec(json!({ "containers": [{ "name": "c", "image": "i", "resources": resources }] }));
    let check = |name: &str, old: Json, new: Json, wanted: &[&str]| {
        same(name, &update_errors(Part::Named("resize"), &with(old), &with(new)), wanted);
    };
    let cpu = |amount: &str| json!({ "requests": { "cpu": amount } });
    check("more", cpu("1"), cpu("2"), &[]);
    check(
        "gone",
        cpu("1"),
        json!({}),
        &[
            "spec: Invalid value: \"Burstable\": Pod QOS Class may not change as a result of resizing",
            "spec.containers[0].resources.requests: Forbidden: resource requests cannot be removed",
        ],
    );
    check(
        "another class",
        cpu("1"),
        json!({ "limits": { "cpu": "1", "memory": "1" } }),
        &["spec: Invalid value: \"Burstable\": Pod QOS Class may not change as a result of resizing"],
    );
    let disk = |amount: &str| json!({ "requests": { "cpu": "1", "ephemeral-storage": amount } });
    check("the disk", disk("1"), disk("2"), &["spec: Forbidden: only cpu and memory resources are mutable"]);
    let mut renamed = with(cpu("1"));
    renamed.at_mut(&["spec", "containers"]).and_then(Value::as_list_mut).expect("containers")[0].set(&["name"], "d");
    same(
        "renamed",
        &update_errors(Part::Named("resize"), &with(cpu("1")), &renamed),
        &["spec.containers[0].name: Forbidden: containers may not be renamed or reordered on resize"],
    );
}

#[test]
fn statuses() {
    let with = |fields: Json, status: Json| {
        let mut pod = spec(fields);
        let whole = super::check::pod(&json!({ "kind": "Pod", "apiVersion": "v1", "status": status }));
        let class = pod.text(&["status", "qosClass"]).to_owned();
        pod.set(&["status"], whole.get("status").cloned().expect("a status"));
        pod.set_if_absent(&["status", "qosClass"], class);
        pod
    };
    let check = |name: &str, fields: Json, old: Json, new: Json, wanted: &[&str]| {
        let errors = update_errors(Part::Status, &with(fields.clone(), old), &with(fields, new));
        same(name, &errors, wanted);
    };
    let ended =
        |code: i64| json!({ "containerStatuses": [{ "name": "c", "state": { "terminated": { "exitCode": code } } }] });
    let running = json!({ "containerStatuses": [{ "name": "c", "state": { "running": {} } }] });
    let again = "status.containerStatuses[0].state: Forbidden: may not be transitioned to non-terminated state";
    check("again", json!({}), ended(0), running.clone(), &[]);
    check("never again", json!({ "restartPolicy": "Never" }), ended(1), running.clone(), &[again]);
    check("after a failure", json!({ "restartPolicy": "OnFailure" }), ended(1), running.clone(), &[]);
    check("after success", json!({ "restartPolicy": "OnFailure" }), ended(0), running.clone(), &[again]);
    let rules = json!({ "restartPolicy": "Never", "containers": [{
        "name": "c", "image": "i", "restartPolicy": "Never",
        "restartPolicyRules": [{ "action": "Restart", "exitCodes": { "operator": "In", "values": [42] } }],
    }] });
    check("by rule", rules.clone(), ended(42), running.clone(), &[]);
    check("not by rule", rules, ended(1), running, &[again]);
    check(
        "another class",
        json!({}),
        json!({}),
        json!({ "qosClass": "Guaranteed" }),
        &["status.qosClass: Invalid value: \"Guaranteed\": field is immutable"],
    );
    check(
        "a bad name",
        json!({}),
        json!({}),
        json!({ "nominatedNodeName": "N_" }),
        &["status.nominatedNodeName: Invalid value: \"N_\": a lowercase RFC 1123 subdomain..."],
    );
    check(
        "bound already",
        json!({ "nodeName": "n" }),
        json!({}),
        json!({ "nominatedNodeName": "m" }),
        &["status.nominatedNodeName: Forbidden: may not be set on pods that are already bound to a node"],
    );
    check(
        "addresses",
        json!({}),
        json!({}),
        json!({ "podIPs": [{ "ip": "1.1.1.1" }, { "ip": "2.2.2.2" }] }),
        &[
            "status.podIPs: Invalid value: [{\"ip\":\"1.1.1.1\"},{\"ip\":\"2.2.2.2\"}]: may specify no more than one IP for each IP family",
        ],
    );
    check(
        "of the host",
        json!({}),
        json!({}),
        json!({ "hostIP": "1.1.1.1", "hostIPs": [{ "ip": "2.2.2.2" }] }),
        &["status.hostIPs[0].ip: Invalid value: \"2.2.2.2\": must be equal to `hostIP`"],
    );
    check(
        "conditions",
        json!({}),
        json!({}),
        json!({ "conditions": [{ "type": "a b", "status": "True", "observedGeneration": -1 }] }),
        &[
            "status.conditions[0].observedGeneration: Invalid value: -1: must be a non-negative integer",
            "status.conditions[0].Type: Invalid value: \"a b\": name part must consist of...",
        ],
    );
}

#[test]
fn annotations_that_stay() {
    let annotated = |annotations: Json| {
        let mut pod = spec(json!({ "nodeName": "n" }));
        let given = super::check::pod(
            &json!({ "kind": "Pod", "apiVersion": "v1", "metadata": { "annotations": annotations } }),
        );
        if let Some(given) = given.at(&["metadata", "annotations"]) {
            pod.set(&["metadata", "annotations"], given.clone());
        }
        pod
    };
    let mirror = annotated(json!({ "kubernetes.io/config.mirror": "a" }));
    let a = "metadata.annotations[kubernetes.io/config.mirror]: Forbidden:";
    same(
        "taken",
        &update_errors(Part::Whole, &mirror, &annotated(json!({}))),
        &[&format!("{a} may not remove or update mirror pod annotation")],
    );
    same(
        "given",
        &update_errors(Part::Whole, &annotated(json!({})), &mirror),
        &[&format!("{a} may not add mirror pod annotation")],
    );
    let part = Part::Named("ephemeralcontainers");
    same(
        "static",
        &update_errors(part, &mirror, &mirror),
        &["<nil>: Forbidden: static pods do not support ephemeral containers"],
    );
}
