//! Who owns what after updates and applies.

use super::{ApplyError, Manager, apply, keep_times, track_update};
use crate::decode::{Expect, FieldValidation, Media, object, tree};
use crate::resources::{Resource, all};
use crate::samples::{json, text};
use crate::value::Value;

mod properties;

/// One object and the writes to it, each a second after the other, as the registry makes them.
struct Object {
    row: &'static Resource,
    live: Option<Value>,
    clock: u32,
}

impl Object {
    fn of(kind: &str) -> Self {
        let row = all().iter().copied().find(|row| row.kind == kind && row.group.is_empty()).unwrap();
        Self { row, live: None, clock: 0 }
    }

    fn with(&mut self, name: &str, write: impl FnOnce(&Self, &Manager<'_>) -> Value) {
        self.clock += 1;
        let now = format!("2026-01-01T00:00:{:02}Z", self.clock);
        let who = Manager { name, api_version: self.row.version, subresource: "", now: &now, reset: &[&["status"]] };
        let mut new = write(self, &who);
        new.set(&["metadata", "uid"], "u");
        if let Some(live) = &self.live {
            keep_times(&mut new, live);
        }
        self.live = Some(new);
    }

    fn expect(&self) -> Expect<'static> {
        Expect { group: "", version: self.row.version, kind: self.row.kind, definition: self.row.type_id() }
    }

    /// A PUT or POST.
    fn put(&mut self, name: &str, body: &str) {
        self.with(name, |this, who| {
            let read = object(&this.expect(), Media::Json, this.full(body).as_bytes(), FieldValidation::Ignore);
            let mut new = read.unwrap().value;
            this.row.rules.default(&mut new);
            track_update(this.row.type_id(), who, this.live.as_ref(), &mut new);
            new
        });
    }

    fn try_apply(&mut self, name: &str, body: &str, force: bool) -> Result<(), ApplyError> {
        let config = json(&self.full(body));
        let mut failed = Ok(());
        let before = self.live.clone();
        self.with(name, |this, who| match apply(this.row.type_id(), who, this.live.as_ref(), &config, force) {
            Ok(merged) => {
                let mut new = tree(&this.expect(), merged, FieldValidation::Ignore).unwrap().value;
                this.row.rules.default(&mut new);
                new
            }
            Err(error) => {
                failed = Err(error);
                Value::object()
            }
        });
        if failed.is_err() {
            self.live = before;
        }
        failed
    }

    fn apply(&mut self, name: &str, body: &str) {
        self.try_apply(name, body, false).unwrap();
    }

    fn full(&self, body: &str) -> String {
        let mut body = json(body);
        body.set(&["apiVersion"], self.row.version);
        body.set(&["kind"], self.row.kind);
        body.set(&["metadata", "name"], "a");
        text(&body)
    }

    /// The object without what is the same in all, and its managers as `name operation second: fields`.
    fn check(&self, body: &str, managers: &[&str]) {
        let mut live = self.live.clone().unwrap();
        let entries = live.remove(&["metadata", "managedFields"]).unwrap_or(Value::List(Vec::new()));
        for path in [&["metadata", "uid"][..], &["metadata", "name"], &["apiVersion"], &["kind"], &["type"]] {
            live.remove(path);
        }
        let shown = entries.as_list().unwrap().iter().map(|entry| {
            let time = entry.text(&["time"]).get(17..19).unwrap_or("--");
            let (manager, operation) = (entry.text(&["manager"]), entry.text(&["operation"]));
            format!("{manager} {operation} {time}: {}", text(entry.get("fieldsV1").unwrap()))
        });
        assert_eq!(text(&crate::encode::untyped(&live)), text(&json(body)));
        assert_eq!(shown.collect::<Vec<_>>(), managers);
    }
}

#[test]
fn a_create_owns_what_it_adds() {
    let mut secret = Object::of("Secret");
    secret.put("one", r#"{"metadata":{"labels":{"x":"1"},"finalizers":["f/a"]},"stringData":{"k":"v"}}"#);
    secret.check(
        r#"{"data":{"k":"dg=="},"metadata":{"finalizers":["f/a"],"labels":{"x":"1"}}}"#,
        &[concat!(
            r#"one Update 01: {"f:data":{".":{},"f:k":{}},"f:metadata":{"f:finalizers":{".":{},"v:\"f/a\"":{}},"#,
            r#""f:labels":{".":{},"f:x":{}}},"f:type":{}}"#
        )],
    );
}

#[test]
fn an_update_takes_what_it_changes() {
    let mut secret = Object::of("Secret");
    secret.put("one", r#"{"data":{"k":"dg==","l":"dg=="}}"#);
    secret.put("two", r#"{"data":{"k":"dw==","m":"dg=="}}"#);
    let managers = [r#"one Update 01: {"f:data":{},"f:type":{}}"#, r#"two Update 02: {"f:data":{"f:k":{},"f:m":{}}}"#];
    secret.check(r#"{"data":{"k":"dw==","m":"dg=="},"metadata":{}}"#, &managers);
    secret.put("three", r#"{"data":{"k":"dw==","m":"dg=="}}"#);
    secret.check(r#"{"data":{"k":"dw==","m":"dg=="},"metadata":{}}"#, &managers);
    secret.put("three", r#"{"metadata":{"managedFields":[{}]},"data":{"k":"dw=="}}"#);
    secret.check(r#"{"data":{"k":"dw=="},"metadata":{}}"#, &[]);
}

#[test]
fn managers_that_a_request_brings() {
    let mut secret = Object::of("Secret");
    let entry = |fields: &str| {
        format!(
            r#"{{"manager":"me","operation":"Apply","apiVersion":"v1","fieldsType":"FieldsV1","fieldsV1":{fields}}}"#
        )
    };
    secret.put("one", r#"{"data":{"k":"dg=="}}"#);
    let body =
        format!(r#"{{"metadata":{{"managedFields":[{}]}},"data":{{"k":"dg=="}}}}"#, entry(r#"{"f:data":{"f:k":{}}}"#));
    secret.put("one", &body);
    let managers = [r#"me Apply --: {"f:data":{"f:k":{}}}"#];
    secret.check(r#"{"data":{"k":"dg=="},"metadata":{}}"#, &managers);
    for bad in [&entry(r#"{"f":{}}"#), &entry(r#"{"k:{":{}}"#), &entry("{}").replace("Apply", "Steal")] {
        secret.put("one", &format!(r#"{{"metadata":{{"managedFields":[{bad}]}},"data":{{"k":"dg=="}}}}"#));
        secret.check(r#"{"data":{"k":"dg=="},"metadata":{}}"#, &managers);
    }
}

#[test]
fn what_is_applied_no_more_goes_unless_owned() {
    let mut map = Object::of("ConfigMap");
    map.apply("one", r#"{"data":{"a":"1","b":"1"},"metadata":{"labels":{"x":"1"}}}"#);
    map.apply("two", r#"{"data":{"b":"1"}}"#);
    map.put("three", r#"{"data":{"a":"1","b":"1","c":"1"},"metadata":{"labels":{"x":"1"},"managedFields":[]}}"#);
    map.apply("one", r#"{"data":{"d":"1"}}"#);
    map.check(
        r#"{"data":{"b":"1","c":"1","d":"1"},"metadata":{}}"#,
        &[
            r#"two Apply --: {"f:data":{"f:b":{}}}"#,
            r#"one Apply 04: {"f:data":{"f:d":{}}}"#,
            r#"three Update 03: {"f:data":{"f:c":{}}}"#,
        ],
    );
}

#[test]
fn an_apply_that_changes_nothing_keeps_the_time() {
    let mut secret = Object::of("Secret");
    secret.apply("one", r#"{"stringData":{"k":"v"}}"#);
    secret.apply("one", r#"{"stringData":{"k":"v"}}"#);
    secret.check(r#"{"data":{"k":"dg=="},"metadata":{}}"#, &[r#"one Apply 01: {"f:stringData":{"f:k":{}}}"#]);
}

#[test]
fn conflicts_and_force() {
    let mut secret = Object::of("Secret");
    secret.apply("one", r#"{"data":{"k":"dg==","l":"dg=="}}"#);
    secret.put("upd", r#"{"data":{"k":"dg==","l":"dw=="}}"#);
    let refused = |secret: &mut Object, body: &str| secret.try_apply("two", body, false).unwrap_err().to_string();
    assert_eq!(
        refused(&mut secret, r#"{"data":{"k":"eA=="}}"#),
        "Apply failed with 1 conflict: conflict with \"one\": .data.k"
    );
    let both = r#"{"data":{"k":"eA==","l":"eA=="}}"#;
    assert_eq!(
        refused(&mut secret, both),
        "Apply failed with 2 conflicts: conflicts with \"one\":\n- .data.k\nconflicts with \"upd\" using v1:\n- .data.l"
    );
    secret.try_apply("two", both, true).unwrap();
    secret.check(
        r#"{"data":{"k":"eA==","l":"eA=="},"metadata":{}}"#,
        &[r#"two Apply 05: {"f:data":{"f:k":{},"f:l":{}}}"#],
    );
}

#[test]
fn objects_from_before_the_first_apply() {
    let mut map = Object::of("ConfigMap");
    map.put("one", r#"{"data":{"k":"1"}}"#);
    map.put("one", r#"{"data":{"k":"1"},"metadata":{"managedFields":[{}]}}"#);
    map.apply("two", r#"{"data":{"l":"1"}}"#);
    map.check(
        r#"{"data":{"k":"1","l":"1"},"metadata":{}}"#,
        &[r#"two Apply 03: {"f:data":{"f:l":{}}}"#, r#"before-first-apply Update 03: {"f:data":{".":{},"f:k":{}}}"#],
    );
}

#[test]
fn a_part_owns_only_what_it_writes() {
    let row = all().iter().copied().find(|row| row.kind == "Namespace").unwrap();
    let read = |body: &str| {
        let expect = Expect { group: "", version: "v1", kind: "Namespace", definition: row.type_id() };
        object(&expect, Media::Json, body.as_bytes(), FieldValidation::Ignore).unwrap().value
    };
    let who =
        |subresource, reset| Manager { name: "m", api_version: "v1", subresource, now: "2026-01-01T00:00:00Z", reset };
    let body =
        r#"{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"a","labels":{"x":"1"}},"status":{"phase":"P"}}"#;
    let mut live = read(body);
    track_update(row.type_id(), &who("", &[&["status"]]), None, &mut live);
    let entries = |object: &Value| object.list(&["metadata", "managedFields"]).iter().map(text).collect::<Vec<_>>();
    let first = r#"{"apiVersion":"v1","fieldsType":"FieldsV1","fieldsV1":{"f:metadata":{"f:labels":{".":{},"f:x":{}}}},"manager":"m","operation":"Update","time":"2026-01-01T00:00:00Z"}"#;
    assert_eq!(entries(&live), [first]);

    // Through a subresource, managedFields of the body are not looked at, not even to reset them.
    let mut new = read(&body.replace(r#""labels""#, r#""managedFields":[{}],"labels""#).replace(r#""P""#, r#""Q""#));
    track_update(row.type_id(), &who("status", &[&["spec"]]), Some(&live), &mut new);
    let status = r#"{"apiVersion":"v1","fieldsType":"FieldsV1","fieldsV1":{"f:status":{"f:phase":{}}},"manager":"m","operation":"Update","subresource":"status","time":"2026-01-01T00:00:00Z"}"#;
    assert_eq!(entries(&new), [first, status]);
    let config = json(r#"{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"a"},"status":{"phase":"R"}}"#);
    let refused =
        apply(row.type_id(), &Manager { name: "n", ..who("status", &[]) }, Some(&new), &config, false).unwrap_err();
    let message =
        r#"Apply failed with 1 conflict: conflict with "m" with subresource "status" using v1: .status.phase"#;
    assert_eq!(refused.to_string(), message);
}

#[test]
fn an_object_whose_items_cannot_be_told_apart_has_no_managers() {
    let mut account = Object::of("ServiceAccount");
    account.put("one", r#"{"secrets":[{"namespace":"x"}]}"#);
    account.check(r#"{"metadata":{},"secrets":[{"namespace":"x"}]}"#, &[]);
    account.put("one", r#"{"secrets":[{"name":"x"},{"name":"x"}]}"#);
    account.check(r#"{"metadata":{},"secrets":[{"name":"x"},{"name":"x"}]}"#, &[]);
}

#[test]
fn duplicates_are_owned_as_one() {
    let mut pod = Object::of("Pod");
    let env = |items: &str| format!(r#"{{"spec":{{"containers":[{{"name":"c","env":[{items}]}}]}}}}"#);
    pod.put("one", &env(r#"{"name":"A","value":"1"},{"name":"A","value":"2"}"#));
    let fields = |pod: &Object| {
        let live = pod.live.as_ref().unwrap();
        let entries = live.list(&["metadata", "managedFields"]).iter();
        let path = ["fieldsV1", "f:spec", "f:containers", r#"k:{"name":"c"}"#, "f:env"];
        entries.filter_map(|entry| entry.at(&path)).map(text).collect::<Vec<_>>()
    };
    assert_eq!(fields(&pod), [r#"{".":{},"k:{\"name\":\"A\"}":{}}"#]);
    pod.put("two", &env(r#"{"name":"A","value":"2"}"#));
    assert_eq!(fields(&pod), ["{}", r#"{"k:{\"name\":\"A\"}":{".":{},"f:name":{},"f:value":{}}}"#]);
}

#[test]
fn many_updaters_are_gathered() {
    let mut map = Object::of("ConfigMap");
    let mut body = Value::object();
    for number in 0..12 {
        body.set(&["data", &format!("k{number:02}")], "1");
        map.put(&format!("m{number:02}"), &text(&body));
    }
    let live = map.live.unwrap();
    let entries = live.list(&["metadata", "managedFields"]);
    assert_eq!(entries.len(), 10);
    assert_eq!(entries[0].text(&["manager"]), "ancient-changes");
    assert_eq!(entries[0].text(&["time"]), "2026-01-01T00:00:03Z");
    let fields = r#"{"f:data":{".":{},"f:k00":{},"f:k01":{},"f:k02":{}}}"#;
    assert_eq!(text(entries[0].get("fieldsV1").unwrap()), fields);
}

#[test]
fn kubectl_takes_over_from_its_client_side() {
    let annotation = "kubectl.kubernetes.io/last-applied-configuration";
    let last = r#"{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"a\"},\"data\":{\"k\":\"1\",\"l\":\"1\"}}"#;
    let mut map = Object::of("ConfigMap");
    let body = |data: &str| format!(r#"{{"metadata":{{"annotations":{{"{annotation}":"{last}"}}}},"data":{data}}}"#);
    map.put("kubectl-client-side-apply", &body(r#"{"k":"1","l":"1"}"#));
    map.put("edit", &body(r#"{"k":"1","l":"2"}"#));
    let refused = map.try_apply("kubectl", r#"{"data":{"k":"3","l":"3"}}"#, false).unwrap_err();
    assert_eq!(refused.to_string(), "Apply failed with 1 conflict: conflict with \"edit\" using v1: .data.l");
    map.apply("kubectl", r#"{"data":{"k":"3"}}"#);
    let live = map.live.unwrap();
    assert_eq!(live.text(&["data", "k"]), "3");
    let kept = "{\"apiVersion\":\"v1\",\"data\":{\"k\":\"3\"},\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"a\"}}\n";
    assert_eq!(live.text(&["metadata", "annotations", annotation]), kept);
}

#[test]
fn errors_of_a_configuration() {
    let check = |kind: &str, body: &str, wanted: &str| {
        assert_eq!(Object::of(kind).try_apply("one", body, false).unwrap_err().to_string(), wanted);
    };
    let typed =
        |kind: &str, error: &str| format!("failed to create typed patch object (/a; /v1, Kind={kind}): {error}");
    check("Secret", r#"{"size":3}"#, &typed("Secret", ".size: field not declared in schema"));
    check("Secret", r#"{"data":"x"}"#, &typed("Secret", ".data: expected map, got string"));
    check("Secret", r#"{"data":{"k":1}}"#, &typed("Secret", ".data.k: expected string, got int64"));
    check("Secret", r#"{"metadata":{"managedFields":[]}}"#, "metadata.managedFields must be nil");
    let pod = |containers: &str| format!(r#"{{"spec":{{"containers":[{containers}]}}}}"#);
    let twice = pod(r#"{"name":"c"},{"name":"c"}"#);
    check("Pod", &twice, &typed("Pod", r#".spec.containers: duplicate entries for key [name="c"]"#));
    let nameless = pod(r#"{"name":"c","env":[{"name":"A"},{"name":"A"}]}"#);
    check("Pod", &nameless, &typed("Pod", r#".spec.containers[name="c"].env: duplicate entries for key [name="A"]"#));
}

#[test]
fn list_items_keep_the_order_of_the_configuration() {
    let env = |names: &[&str], value: u8| {
        let items: Vec<_> = names.iter().map(|name| format!(r#"{{"name":"{name}","value":"{value}"}}"#)).collect();
        format!(r#"{{"spec":{{"containers":[{{"name":"c","env":[{}]}}]}}}}"#, items.join(","))
    };
    let check = |live: &[&str], config: &[&str], wanted: &[&str]| {
        let mut pod = Object::of("Pod");
        pod.put("one", &env(live, 1));
        pod.try_apply("two", &env(config, 2), true).unwrap();
        let live = pod.live.unwrap();
        let names: Vec<_> =
            live.list(&["spec", "containers"])[0].list(&["env"]).iter().map(|item| item.text(&["name"])).collect();
        assert_eq!(names, wanted);
    };
    check(&["a", "b", "c"], &["c", "a"], &["b", "c", "a"]);
    check(&["a", "b", "c"], &["a", "d", "c"], &["a", "b", "d", "c"]);
    check(&["a", "b"], &["d"], &["a", "b", "d"]);
    check(&["a", "b", "c"], &["b", "x"], &["a", "b", "c", "x"]);
}
