//! What admission refuses of a new pod, through the front door.

use serde_json::{Value, json};

use crate::client::Client;
use crate::program::{Server, until};

const NAMESPACE: &str = "/api/v1/namespaces/default";

/// The message with which a pod of this spec is refused; none if it is stored.
fn refusal(client: &mut Client, more: &Value) -> Option<String> {
    let mut spec = json!({ "containers": [{ "name": "c", "image": "i" }] });
    spec.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let pod = json!({ "metadata": { "name": "p" }, "spec": spec });
    let answer = client.call("POST", &format!("{NAMESPACE}/pods?dryRun=All"), &pod.to_string());
    let body = answer.json();
    match answer.status {
        201 => None,
        status => Some(format!("{status} {} {}", body["reason"].as_str().unwrap(), body["message"].as_str().unwrap())),
    }
}

#[test]
fn what_no_priority_or_runtime_class_backs_is_forbidden() {
    let server = Server::start(&[]);
    let mut client = Client::new(&server);
    until("the default service account", || client.get(&format!("{NAMESPACE}/serviceaccounts/default")).status == 200);
    let forbidden = |why: &str| Some(format!("403 Forbidden pods \"p\" is forbidden: {why}"));
    let computed = "must not be provided in pod spec; priority admission controller computed";
    for (spec, wanted) in [
        (json!({}), None),
        (json!({ "priorityClassName": "system-node-critical" }), None),
        (json!({ "priority": 0, "preemptionPolicy": "PreemptLowerPriority" }), None),
        (json!({ "priorityClassName": "gold" }), forbidden("no PriorityClass with name gold was found")),
        (
            json!({ "priority": 7 }),
            forbidden(&format!("the integer value of priority (7) {computed} 0 from the given PriorityClass name")),
        ),
        (json!({ "runtimeClassName": "vm" }), forbidden("pod rejected: RuntimeClass \"vm\" not found")),
        (
            json!({ "serviceAccountName": "none", "priorityClassName": "gold" }),
            forbidden("error looking up service account default/none: serviceaccount \"none\" not found"),
        ),
    ] {
        assert_eq!(refusal(&mut client, &spec), wanted, "{spec}");
    }
    server.stop();
}
