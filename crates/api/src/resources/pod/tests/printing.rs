//! After `TestPrintPod` and its siblings in `pkg/printers/internalversion/printers_test.go`.

use serde_json::json;

use super::check::pod;
use crate::resources::pod::Pod;
use crate::resources::{Cell, Rules as _};

/// Ready, status and restarts of a pod with these containers, init containers and status.
fn row(spec: serde_json::Value, status: serde_json::Value) -> (String, String, String) {
    let mut whole =
        json!({ "kind": "Pod", "apiVersion": "v1", "metadata": { "name": "p" }, "spec": spec, "status": status });
    if whole["status"]["deleted"] == true {
        whole["status"].as_object_mut().expect("a status").remove("deleted");
        whole["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z".into();
    }
    let text = |cell: &Cell| match cell {
        Cell::Text(text) => text.to_string(),
        Cell::AgeWithin(before, at, after) => format!("{before}{at}{after}"),
        other => format!("{other:?}"),
    };
    let cells = Pod.cells(&pod(&whole));
    (text(&cells[1]), text(&cells[2]), text(&cells[3]))
}

fn containers(count: usize) -> serde_json::Value {
    (0..count).map(|at| json!({ "name": format!("c{at}"), "image": "i" })).collect()
}

#[test]
fn the_state_in_one_word() {
    let running = json!({ "running": {} });
    let one = |state: &serde_json::Value, ready: bool, restarts: i64| json!({ "name": "c", "ready": ready, "restartCount": restarts, "state": state });
    let ended = |code: i64, reason: &str| json!({ "terminated": { "exitCode": code, "reason": reason } });
    let waiting = json!({ "waiting": { "reason": "ImagePullBackOff" } });
    let ready = json!([{ "type": "Ready", "status": "True" }]);
    let gated = json!([{ "type": "PodScheduled", "status": "False", "reason": "SchedulingGated" }]);
    let cases = [
        (
            "running",
            json!({ "phase": "Running", "containerStatuses": [one(&running, true, 6), {}] }),
            ("1/2", "Running", "6"),
        ),
        (
            "waiting",
            json!({ "phase": "Running", "containerStatuses": [one(&waiting, false, 0)] }),
            ("0/2", "ImagePullBackOff", "0"),
        ),
        (
            "failed",
            json!({ "phase": "Running", "containerStatuses": [one(&ended(3, ""), false, 0)] }),
            ("0/2", "ExitCode:3", "0"),
        ),
        (
            "killed",
            json!({ "phase": "Running", "containerStatuses": [{ "state": { "terminated": { "signal": 9 } } }] }),
            ("0/2", "Signal:9", "0"),
        ),
        (
            "one done, one not ready",
            json!({ "phase": "Running", "containerStatuses": [one(&ended(0, "Completed"), false, 0), one(&running, true, 0)] }),
            ("1/2", "NotReady", "0"),
        ),
        (
            "one done, the pod ready",
            json!({
                "phase": "Running", "conditions": ready,
                "containerStatuses": [one(&ended(0, "Completed"), false, 0), one(&running, true, 0)],
            }),
            ("1/2", "Running", "0"),
        ),
        ("reason of the pod", json!({ "phase": "Failed", "reason": "Evicted" }), ("0/2", "Evicted", "0")),
        ("held back", json!({ "phase": "Pending", "conditions": gated }), ("0/2", "SchedulingGated", "0")),
        ("going", json!({ "phase": "Running", "deleted": true }), ("0/2", "Terminating", "0")),
        ("gone", json!({ "phase": "Succeeded", "deleted": true }), ("0/2", "Succeeded", "0")),
        ("lost", json!({ "phase": "Running", "reason": "NodeLost", "deleted": true }), ("0/2", "Unknown", "0")),
    ];
    for (name, status, (ready, state, restarts)) in cases {
        let got = row(json!({ "containers": containers(2) }), status);
        assert_eq!(got, (ready.to_owned(), state.to_owned(), restarts.to_owned()), "{name}");
    }
}

#[test]
fn starting() {
    let spec = json!({
        "containers": containers(1),
        "initContainers": [{ "name": "a", "image": "i" }, { "name": "b", "image": "i", "restartPolicy": "Always" }],
    });
    let done = json!({ "name": "a", "state": { "terminated": { "exitCode": 0 } }, "restartCount": 3 });
    let sidecar = |started: bool| json!({ "name": "b", "state": { "running": {} }, "started": started, "ready": started, "restartCount": 2 });
    let main = json!({ "name": "c0", "ready": true, "state": { "running": {} }, "restartCount": 4 });
    let cases = [
        (
            "first of two",
            json!({ "phase": "Pending", "initContainerStatuses": [{ "name": "a", "state": {} }] }),
            ("0/2", "Init:0/2", "0"),
        ),
        (
            "second of two",
            json!({ "phase": "Pending", "initContainerStatuses": [done, sidecar(false)] }),
            ("0/2", "Init:1/2", "5"),
        ),
        (
            "crashed",
            json!({ "phase": "Pending", "initContainerStatuses": [{ "name": "a", "state": { "terminated": { "exitCode": 1 } } }] }),
            ("0/2", "Init:ExitCode:1", "0"),
        ),
        (
            "backing off",
            json!({ "phase": "Pending", "initContainerStatuses": [{ "name": "a", "state": { "waiting": { "reason": "CrashLoopBackOff" } } }] }),
            ("0/2", "Init:CrashLoopBackOff", "0"),
        ),
        (
            "all run",
            json!({ "phase": "Running", "initContainerStatuses": [done, sidecar(true)], "containerStatuses": [main] }),
            ("2/2", "Running", "6"),
        ),
    ];
    for (name, status, (ready, state, restarts)) in cases {
        let got = row(spec.clone(), status);
        assert_eq!(got, (ready.to_owned(), state.to_owned(), restarts.to_owned()), "{name}");
    }
}

#[test]
fn restarts_tell_the_last() {
    let at =
        |time: &str| json!({ "restartCount": 2, "state": {}, "lastState": { "terminated": { "finishedAt": time } } });
    let status =
        json!({ "phase": "Running", "containerStatuses": [at("1970-01-01T00:00:07Z"), at("1970-01-01T00:00:05Z")] });
    assert_eq!(row(json!({ "containers": containers(2) }), status).2, "4 (7 ago)");
}

#[test]
fn wide_columns() {
    let whole = pod(&json!({
        "kind": "Pod", "apiVersion": "v1",
        "spec": { "nodeName": "n", "containers": [], "readinessGates": [{ "conditionType": "a" }, { "conditionType": "b" }] },
        "status": { "podIPs": [{ "ip": "1.1.1.1" }], "conditions": [{ "type": "a", "status": "True" }] },
    }));
    let cells = Pod.cells(&whole);
    let wanted = ["1.1.1.1", "n", "<none>", "1/2"].map(|text| Cell::Text(text.into()));
    assert_eq!(&cells[5..], &wanted);
    let bare = Pod.cells(&pod(&json!({ "kind": "Pod", "apiVersion": "v1" })));
    assert!(bare[5..].iter().all(|cell| *cell == Cell::Text("<none>".into())));
}
