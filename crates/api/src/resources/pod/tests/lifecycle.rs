//! After `pkg/registry/core/pod/strategy_test.go`, `plugin/pkg/admission/{priority,defaulttolerationseconds}` and
//! `pkg/registry/core/pod/storage/storage_test.go`.

use serde_json::json;

use super::check::{created, pod, with_spec};
use crate::encode;
use crate::resources::pod::binding::{self, BindError};
use crate::resources::pod::{Pod, eviction, refusal};
use crate::resources::{Grace, Part, Rules as _};
use crate::samples::json as object;
use crate::value::Value;

fn json_of(value: Option<&Value>) -> serde_json::Value {
    value.map_or(serde_json::Value::Null, |value| serde_json::from_slice(&encode::json(value)).expect("JSON"))
}

#[test]
fn a_new_pod_is_pending() {
    // TestPodStrategy PrepareForCreate, TestGetPodQOS
    let pod = created(pod(&json!({
        "kind": "Pod", "apiVersion": "v1", "metadata": { "name": "p", "generation": 7 },
        "spec": { "containers": [{ "name": "c", "image": "i" }], "schedulingGates": [{ "name": "a/b" }] },
        "status": { "phase": "Running", "message": "mine" },
    })));
    assert_eq!(pod.integer(&["metadata", "generation"]), Some(1));
    let condition = json!({
        "type": "PodScheduled", "status": "False", "reason": "SchedulingGated", "lastProbeTime": null,
        "lastTransitionTime": null, "message": "Scheduling is blocked due to non-empty scheduling gates",
    });
    let wanted = json!({ "phase": "Pending", "qosClass": "BestEffort", "conditions": [condition] });
    assert_eq!(json_of(pod.get("status")), wanted);
}

#[test]
fn priorities() {
    // TestPodAdmission of the priority plugin
    let refused = |spec| refusal(&with_spec(spec));
    assert_eq!(refused(json!({})), None);
    assert_eq!(refused(json!({ "priority": 0, "preemptionPolicy": "PreemptLowerPriority" })), None);
    let unknown = refused(json!({ "priorityClassName": "mine" }));
    assert_eq!(unknown.as_deref(), Some("no PriorityClass with name mine was found"));
    let wrong = refused(json!({ "priority": 5 }));
    let wanted = "the integer value of priority (5) must not be provided in pod spec; priority admission controller \
                  computed 0 from the given PriorityClass name";
    assert_eq!(wrong.as_deref(), Some(wanted));
    let runtime = refused(json!({ "runtimeClassName": "fast" }));
    assert_eq!(runtime.as_deref(), Some("pod rejected: RuntimeClass \"fast\" not found"));
    let critical = created(with_spec(json!({ "priorityClassName": "system-node-critical" })));
    assert_eq!(critical.integer(&["spec", "priority"]), Some(2_000_001_000));
}

#[test]
fn tolerations_of_failed_nodes() {
    // TestForgivenessAdmission
    let keys = |tolerations| {
        let pod = created(with_spec(json!({ "tolerations": tolerations })));
        let keys = pod.list(&["spec", "tolerations"]).iter().map(|one| one.text(&["key"]).to_owned());
        keys.collect::<Vec<_>>()
    };
    let (not_ready, unreachable) = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable");
    assert_eq!(keys(json!([])), [not_ready, unreachable]);
    assert_eq!(keys(json!([{ "operator": "Exists" }])), [""]);
    assert_eq!(keys(json!([{ "key": unreachable, "operator": "Exists" }])), [unreachable, not_ready]);
    let other = json!([{ "key": unreachable, "operator": "Exists", "effect": "NoSchedule" }]);
    assert_eq!(keys(other), [unreachable, not_ready, unreachable]);
}

#[test]
fn label_keys_become_expressions() {
    // Test_mutatePodAffinity, Test_mutateTopologySpreadConstraints
    let term = json!({
        "topologyKey": "k", "labelSelector": {}, "matchLabelKeys": ["a", "none"], "mismatchLabelKeys": ["b"],
    });
    let pod = created(pod(&json!({
        "kind": "Pod", "apiVersion": "v1", "metadata": { "name": "p", "labels": { "a": "1", "b": "2" } },
        "spec": {
            "containers": [{ "name": "c", "image": "i" }],
            "affinity": { "podAffinity": {
                "requiredDuringSchedulingIgnoredDuringExecution": [term],
                "preferredDuringSchedulingIgnoredDuringExecution": [{ "weight": 1, "podAffinityTerm": term }],
            } },
        },
    })));
    let wanted = json!([
        { "key": "a", "operator": "In", "values": ["1"] },
        { "key": "b", "operator": "NotIn", "values": ["2"] },
    ]);
    let affinity = &["spec", "affinity", "podAffinity"];
    let terms = pod.at(affinity).expect("affinity").list(&["requiredDuringSchedulingIgnoredDuringExecution"]);
    assert_eq!(json_of(terms[0].at(&["labelSelector", "matchExpressions"])), wanted);
    let terms = pod.at(affinity).expect("affinity").list(&["preferredDuringSchedulingIgnoredDuringExecution"]);
    assert_eq!(json_of(terms[0].at(&["podAffinityTerm", "labelSelector", "matchExpressions"])), wanted);
}

#[test]
fn old_annotations_become_profiles() {
    // TestApplyAppArmorVersionSkew
    let with = |annotation: &str, context: serde_json::Value| {
        let pod = created(pod(&json!({
            "kind": "Pod", "apiVersion": "v1",
            "metadata": {
                "name": "p", "annotations": { "container.apparmor.security.beta.kubernetes.io/c": annotation },
            },
            "spec": { "containers": [{ "name": "c", "image": "i" }], "securityContext": context },
        })));
        let profile = json_of(pod.list(&["spec", "containers"])[0].at(&["securityContext", "appArmorProfile"]));
        (profile, Pod.warnings(&pod, None).len())
    };
    assert_eq!(with("runtime/default", json!({})), (json!({ "type": "RuntimeDefault" }), 1));
    assert_eq!(with("localhost/a", json!({})), (json!({ "type": "Localhost", "localhostProfile": "a" }), 1));
    assert_eq!(with("nonsense", json!({})), (json!(null), 1));
    let same = json!({ "appArmorProfile": { "type": "RuntimeDefault" } });
    assert_eq!(with("runtime/default", same), (json!(null), 0));
}

#[test]
fn how_pods_go() {
    // TestCheckGracefulDelete
    let with = |node: &str, phase: &str, own: i64| {
        pod(&json!({
            "kind": "Pod", "apiVersion": "v1",
            "spec": { "nodeName": node, "terminationGracePeriodSeconds": own, "containers": [] },
            "status": { "phase": phase },
        }))
    };
    let grace = |pod: &Value, asked| Pod.grace(pod, asked);
    assert_eq!(grace(&with("", "Pending", 30), Some(10)), Grace::Seconds(0));
    assert_eq!(grace(&with("n", "Running", 30), None), Grace::Seconds(30));
    assert_eq!(grace(&with("n", "Running", 30), Some(10)), Grace::Seconds(10));
    assert_eq!(grace(&with("n", "Succeeded", 30), Some(10)), Grace::Seconds(0));
    assert_eq!(grace(&with("n", "Failed", 30), None), Grace::Seconds(0));
    assert_eq!(grace(&with("n", "Running", -5), None), Grace::Seconds(1));
}

#[test]
fn fields_to_select_on() {
    // TestMatchPod
    let pod = pod(&json!({
        "kind": "Pod", "apiVersion": "v1",
        "spec": { "nodeName": "n", "hostNetwork": true, "containers": [] },
        "status": { "phase": "Running", "podIPs": [{ "ip": "1.2.3.4" }, { "ip": "::1" }], "nominatedNodeName": "m" },
    }));
    let fields = Pod.selectable(&pod);
    let names: Vec<&str> = fields.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, Pod.selectable_names());
    let get = |name: &str| fields.iter().find(|(one, _)| *one == name).map(|(_, value)| value.as_str());
    assert_eq!(get("spec.nodeName"), Some("n"));
    assert_eq!(get("spec.host"), Some("n"));
    assert_eq!(get("spec.hostNetwork"), Some("true"));
    assert_eq!(get("spec.restartPolicy"), Some("Always"));
    assert_eq!(get("status.podIP"), Some("1.2.3.4"));
    assert_eq!(get("status.podIPs"), Some(""));
    assert_eq!(get("status.nominatedNodeName"), Some("m"));
}

fn binding_to(node: &str) -> Value {
    let text = format!(
        r#"{{"kind":"Binding","metadata":{{"name":"p","annotations":{{"a":"b"}}}},"target":{{"name":"{node}"}}}}"#
    );
    object(&text)
}

#[test]
fn bindings() {
    // TestEtcdCreate, TestEtcdCreateBinding..., TestEtcdCreateWithConflict
    let mut pod = created(with_spec(json!({})));
    let now = "2026-01-02T03:04:05Z";
    assert_eq!(binding::check("q", &binding_to("n")), Err(BindError::Name));
    let nowhere = binding::check("p", &binding_to("")).unwrap_err();
    assert_eq!(nowhere.to_string(), "target.name: Required value");
    let mut elsewhere = binding_to("n");
    elsewhere.set(&["target", "kind"], "Zone");
    let wrong = binding::check("p", &elsewhere).unwrap_err().to_string();
    assert_eq!(wrong, r#"target.kind: Unsupported value: "Zone": supported values: "Node", "<empty>""#);

    binding::bind(&mut pod, &binding_to("n"), now).expect("bound");
    assert_eq!(pod.text(&["spec", "nodeName"]), "n");
    assert_eq!(pod.text(&["metadata", "annotations", "a"]), "b");
    let wanted =
        json!([{ "type": "PodScheduled", "status": "True", "lastProbeTime": null, "lastTransitionTime": now }]);
    assert_eq!(json_of(pod.at(&["status", "conditions"])), wanted);
    let again = binding::bind(&mut pod, &binding_to("m"), now).unwrap_err();
    assert_eq!(again, BindError::Conflict("pod p is already assigned to node \"n\"".to_owned()));

    let mut gated = created(with_spec(json!({ "schedulingGates": [{ "name": "a/b" }] })));
    let held = binding::bind(&mut gated, &binding_to("m"), now).unwrap_err();
    assert_eq!(held.to_string(), "pod p has non-empty .spec.schedulingGates");
}

#[test]
fn evictions() {
    // TestEvictionDryRun, TestEviction...
    let eviction = object(r#"{"kind":"Eviction","metadata":{"name":"p"},"deleteOptions":{"gracePeriodSeconds":5}}"#);
    let options = eviction::delete_options("p", &eviction).expect("options");
    assert_eq!(options.integer(&["gracePeriodSeconds"]), Some(5));
    assert!(eviction::delete_options("q", &eviction).is_err());
}

#[test]
fn subresources_leave_the_rest() {
    // TestDropNonEphemeralContainerUpdates, TestPodResizePrepareForUpdate, TestPodStatusPrepareForUpdate...
    let old = created(with_spec(json!({})));
    let mut new = old.clone();
    new.set(&["metadata", "labels", "a"], "b");
    new.set(&["spec", "priority"], 9);
    new.set(&["status", "phase"], "Running");
    let prepared = |part| {
        let mut one = new.clone();
        Pod.prepare_update(part, &mut one, &old);
        one
    };
    let status = prepared(Part::Status);
    assert_eq!(status.text(&["status", "phase"]), "Running");
    assert_eq!(status.integer(&["spec", "priority"]), Some(0));
    assert_eq!(status.text(&["metadata", "labels", "a"]), "b");
    let whole = prepared(Part::Whole);
    assert_eq!(whole.text(&["status", "phase"]), "Pending");
    assert_eq!(whole.integer(&["metadata", "generation"]), Some(2));
    for name in ["ephemeralcontainers", "resize"] {
        let one = prepared(Part::Named(name));
        assert!(one == old, "{name}");
    }
}

#[test]
fn what_a_subresource_takes_is_owned() {
    // TestPodStrategy GetResetFieldsFilter: every field of a spec is taken or ignored.
    let spec = crate::generated::schema().lookup("io.k8s.api.core.v1.PodSpec").expect("PodSpec");
    let taken = |part: &'static str| {
        let ignored = Pod.reset_fields(Part::Named(part));
        let fields = crate::generated::schema().get(spec).fields.iter().map(|field| field.name.as_str());
        fields.filter(|name| !ignored.contains(&&["spec", name][..])).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(taken("ephemeralcontainers"), ["ephemeralContainers"]);
    assert_eq!(taken("resize"), ["containers", "initContainers", "resources"]);
}

#[test]
fn a_binding_is_stored_as_it_is() {
    let old = created(with_spec(json!({})));
    let mut new = old.clone();
    binding::bind(&mut new, &binding_to("n"), "2026-01-02T03:04:05Z").expect("bound");
    let bound = new.clone();
    Pod.prepare_update(Part::Named("binding"), &mut new, &old);
    assert!(new == bound);
    assert!(Pod.validate_update(Part::Named("binding"), &new, &old).is_empty());
}
