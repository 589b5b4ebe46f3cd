//! What happens to objects over time: the controllers, through the front door.

use serde_json::{Value, json};

use crate::client::Client;
use crate::program::{Server, until};

struct Cluster {
    client: Client,
    server: Server,
}

impl Cluster {
    fn start(flags: &[&str]) -> Self {
        let server = Server::start(flags);
        Self { client: Client::new(&server), server }
    }

    /// Creates an object and returns its uid.
    fn create(&mut self, path: &str, name: &str, metadata: Value) -> String {
        let mut object = json!({ "metadata": { "name": name } });
        object["metadata"].as_object_mut().unwrap().extend(metadata.as_object().unwrap().clone());
        let answer = self.client.call("POST", path, &object.to_string());
        assert_eq!(answer.status, 201, "{:?}", answer.json());
        answer.json()["metadata"]["uid"].as_str().unwrap().to_owned()
    }

    fn delete(&mut self, path: &str, policy: &str) {
        let answer = self.client.call("DELETE", path, &json!({ "propagationPolicy": policy }).to_string());
        assert_eq!(answer.status, 200, "{:?}", answer.json());
    }

    fn release(&mut self, path: &str) {
        assert_eq!(self.client.call("PATCH", path, r#"{"metadata":{"finalizers":null}}"#).status, 200);
    }

    fn has(&mut self, path: &str) -> bool {
        self.client.get(path).status == 200
    }

    fn until_gone(&mut self, path: &str) {
        until(path, || !self.has(path));
    }

    fn until_there(&mut self, path: &str) {
        until(path, || self.has(path));
    }
}

const NAMESPACES: &str = "/api/v1/namespaces";
const SECRETS: &str = "/api/v1/namespaces/default/secrets";
const CONFIGMAPS: &str = "/api/v1/namespaces/default/configmaps";

fn of(path: &str, name: &str) -> String {
    format!("{path}/{name}")
}

fn owned_by(name: &str, uid: &str) -> Value {
    let owner =
        json!({ "apiVersion": "v1", "kind": "ConfigMap", "name": name, "uid": uid, "blockOwnerDeletion": true });
    json!({ "ownerReferences": [owner] })
}

fn held(mut metadata: Value) -> Value {
    metadata["finalizers"] = json!(["example.com/hold"]);
    metadata
}

#[test]
fn every_namespace_has_its_default_account() {
    let mut cluster = Cluster::start(&[]);
    cluster.create(NAMESPACES, "n", json!({}));
    for namespace in ["default", "kube-system", "kube-public", "kube-node-lease", "n"] {
        cluster.until_there(&format!("{NAMESPACES}/{namespace}/serviceaccounts/default"));
    }
    let path = format!("{NAMESPACES}/n/serviceaccounts/default");
    let before = cluster.client.get(&path).json()["metadata"]["uid"].clone();
    cluster.delete(&path, "Background");
    until("another account", || cluster.client.get(&path).json()["metadata"]["uid"].as_str() != before.as_str());
    cluster.until_there(&path);
    cluster.server.stop();
}

#[test]
fn a_namespace_goes_when_it_is_empty() {
    let mut cluster = Cluster::start(&[]);
    cluster.create(NAMESPACES, "n", json!({}));
    cluster.create(&of(NAMESPACES, "n/secrets"), "free", json!({}));
    cluster.create(&of(NAMESPACES, "n/secrets"), "held", held(json!({})));
    cluster.delete(&of(NAMESPACES, "n"), "Background");
    cluster.until_gone(&of(NAMESPACES, "n/secrets/free"));
    let remaining = |answer: Value| answer.pointer("/status/conditions/3/status").cloned();
    until("the conditions", || remaining(cluster.client.get(&of(NAMESPACES, "n")).json()) == Some(json!("True")));
    cluster.release(&of(NAMESPACES, "n/secrets/held"));
    cluster.until_gone(&of(NAMESPACES, "n"));
    cluster.server.stop();
}

#[test]
fn a_controller_that_is_off_does_nothing() {
    let mut cluster = Cluster::start(&["--controllers=*,-namespace-controller"]);
    cluster.create(NAMESPACES, "n", json!({}));
    cluster.delete(&of(NAMESPACES, "n"), "Background");
    // The account of a later namespace says that the other controllers have come by.
    cluster.create(NAMESPACES, "later", json!({}));
    cluster.until_there(&of(NAMESPACES, "later/serviceaccounts/default"));
    assert_eq!(cluster.client.get(&of(NAMESPACES, "n")).json()["status"], json!({ "phase": "Terminating" }));
    cluster.server.stop();
}

#[test]
fn dependents_follow_their_owner_in_the_background() {
    let mut cluster = Cluster::start(&[]);
    let owner = cluster.create(CONFIGMAPS, "owner", json!({}));
    cluster.create(SECRETS, "one", owned_by("owner", &owner));
    cluster.create(SECRETS, "two", owned_by("owner", &owner));
    cluster.delete(&of(CONFIGMAPS, "owner"), "Background");
    assert!(!cluster.has(&of(CONFIGMAPS, "owner")));
    cluster.until_gone(&of(SECRETS, "one"));
    cluster.until_gone(&of(SECRETS, "two"));
    cluster.server.stop();
}

#[test]
fn an_owner_in_the_foreground_goes_last() {
    let mut cluster = Cluster::start(&[]);
    let owner = cluster.create(CONFIGMAPS, "owner", json!({}));
    cluster.create(SECRETS, "free", owned_by("owner", &owner));
    cluster.create(SECRETS, "held", held(owned_by("owner", &owner)));
    cluster.delete(&of(CONFIGMAPS, "owner"), "Foreground");
    cluster.until_gone(&of(SECRETS, "free"));
    assert_eq!(
        cluster.client.get(&of(CONFIGMAPS, "owner")).json()["metadata"]["finalizers"],
        json!(["foregroundDeletion"])
    );
    cluster.release(&of(SECRETS, "held"));
    cluster.until_gone(&of(SECRETS, "held"));
    cluster.until_gone(&of(CONFIGMAPS, "owner"));
    cluster.server.stop();
}

#[test]
fn an_owner_in_the_foreground_goes_before_the_controller_has_seen_its_dependents() {
    let mut cluster = Cluster::start(&[]);
    for round in 0..20 {
        let (name, dependent) = (format!("owner-{round}"), format!("dependent-{round}"));
        let owner = cluster.create(CONFIGMAPS, &name, json!({}));
        cluster.create(SECRETS, &dependent, held(owned_by(&name, &owner)));
        cluster.delete(&of(CONFIGMAPS, &name), "Foreground");
        until("the deletion", || {
            cluster.client.get(&of(SECRETS, &dependent)).json()["metadata"]["deletionTimestamp"].is_string()
        });
        assert!(cluster.has(&of(CONFIGMAPS, &name)), "round {round}");
        cluster.release(&of(SECRETS, &dependent));
        cluster.until_gone(&of(CONFIGMAPS, &name));
    }
    cluster.server.stop();
}

#[test]
fn orphans_stay() {
    let mut cluster = Cluster::start(&[]);
    for round in 0..20 {
        let (name, dependent) = (format!("owner-{round}"), format!("dependent-{round}"));
        let owner = cluster.create(CONFIGMAPS, &name, json!({}));
        cluster.create(SECRETS, &dependent, owned_by(&name, &owner));
        cluster.delete(&of(CONFIGMAPS, &name), "Orphan");
        cluster.until_gone(&of(CONFIGMAPS, &name));
        let left = cluster.client.get(&of(SECRETS, &dependent)).json();
        assert_eq!(left["metadata"]["ownerReferences"], Value::Null, "round {round}");
    }
    cluster.server.stop();
}

#[test]
fn what_names_an_owner_that_is_not_there_goes() {
    let mut cluster = Cluster::start(&[]);
    let elsewhere = cluster.create(&of(NAMESPACES, "kube-public/configmaps"), "owner", json!({}));
    let here = cluster.create(CONFIGMAPS, "owner", json!({}));
    cluster.create(SECRETS, "never", owned_by("never", "never"));
    cluster.create(SECRETS, "other-uid", owned_by("owner", "other"));
    cluster.create(SECRETS, "other-namespace", owned_by("owner", &elsewhere));
    cluster.create(SECRETS, "right", owned_by("owner", &here));
    for name in ["never", "other-uid", "other-namespace"] {
        cluster.until_gone(&of(SECRETS, name));
    }
    assert!(cluster.has(&of(SECRETS, "right")));
    cluster.server.stop();
}

#[test]
fn an_owner_of_a_kind_that_is_not_served_keeps_its_dependents() {
    let mut cluster = Cluster::start(&[]);
    let owner = json!({ "apiVersion": "apps/v1", "kind": "Deployment", "name": "d", "uid": "d" });
    cluster.create(SECRETS, "kept", json!({ "ownerReferences": [owner] }));
    cluster.create(SECRETS, "gone", owned_by("never", "never"));
    cluster.until_gone(&of(SECRETS, "gone"));
    assert!(cluster.has(&of(SECRETS, "kept")));
    cluster.server.stop();
}

#[test]
fn an_object_with_one_owner_left_stays_and_forgets_the_other() {
    let mut cluster = Cluster::start(&[]);
    let (first, second) =
        (cluster.create(CONFIGMAPS, "first", json!({})), cluster.create(CONFIGMAPS, "second", json!({})));
    let mut metadata = owned_by("first", &first);
    let other = owned_by("second", &second)["ownerReferences"][0].clone();
    metadata["ownerReferences"].as_array_mut().unwrap().push(other.clone());
    cluster.create(SECRETS, "shared", metadata);
    cluster.delete(&of(CONFIGMAPS, "first"), "Background");
    until("one owner", || {
        cluster.client.get(&of(SECRETS, "shared")).json()["metadata"]["ownerReferences"] == json!([other])
    });
    cluster.delete(&of(CONFIGMAPS, "second"), "Background");
    cluster.until_gone(&of(SECRETS, "shared"));
    cluster.server.stop();
}

#[test]
fn a_circle_in_the_foreground_is_broken() {
    let mut cluster = Cluster::start(&[]);
    let first = cluster.create(CONFIGMAPS, "first", json!({}));
    let second = cluster.create(CONFIGMAPS, "second", owned_by("first", &first));
    let patch = json!({ "metadata": owned_by("second", &second) }).to_string();
    assert_eq!(cluster.client.call("PATCH", &of(CONFIGMAPS, "first"), &patch).status, 200);
    cluster.delete(&of(CONFIGMAPS, "first"), "Foreground");
    cluster.until_gone(&of(CONFIGMAPS, "first"));
    cluster.until_gone(&of(CONFIGMAPS, "second"));
    cluster.server.stop();
}

#[test]
fn an_object_of_the_cluster_cannot_belong_to_a_namespace() {
    let mut cluster = Cluster::start(&[]);
    let owner = cluster.create(CONFIGMAPS, "owner", json!({}));
    cluster.create(NAMESPACES, "owned", owned_by("owner", &owner));
    let events = "/api/v1/namespaces/default/events";
    let reported = |list: Value| {
        list["items"]
            .as_array()
            .is_some_and(|items| items.iter().any(|event| event["reason"] == "OwnerRefInvalidNamespace"))
    };
    until("the event", || reported(cluster.client.get(events).json()));
    assert!(cluster.has(&of(NAMESPACES, "owned")));
    cluster.server.stop();
}

#[test]
fn what_lost_its_owner_while_the_controller_was_away_goes() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let server = Server::start_on(&data, &["--controllers=-garbage-collector-controller"]);
    let mut cluster = Cluster { client: Client::new(&server), server };
    let owner = cluster.create(CONFIGMAPS, "owner", json!({}));
    cluster.create(SECRETS, "lost", owned_by("owner", &owner));
    cluster.delete(&of(CONFIGMAPS, "owner"), "Background");
    assert!(cluster.has(&of(SECRETS, "lost")));
    cluster.server.stop();
    let server = Server::start_on(&data, &[]);
    let mut cluster = Cluster { client: Client::new(&server), server };
    cluster.until_gone(&of(SECRETS, "lost"));
    cluster.server.stop();
}
