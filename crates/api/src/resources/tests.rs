//! The table against the recorded facts, and what all kinds share.

use super::{Cell, Resource, all, check_field_label, find, summary};
use crate::testing::{object, row, row_of};

/// Served here without the subresources that are not.
const NOT_SERVED: [&str; 8] = [
    "nodes/proxy",
    "pods/attach",
    "pods/exec",
    "pods/log",
    "pods/portforward",
    "pods/proxy",
    "serviceaccounts/token",
    "services/proxy",
];

fn fact(name: &str) -> serde_json::Value {
    let path = format!("{}/tests/facts/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_slice(&std::fs::read(path).expect("a fact")).expect("JSON")
}

fn texts(value: &serde_json::Value) -> Vec<&str> {
    value.as_array().into_iter().flatten().filter_map(|one| one.as_str()).collect()
}

#[test]
fn the_table_is_what_discovery_says() {
    let discovery = fact("discovery");
    for row in all() {
        let listed = discovery[row.api_version()].as_array().expect("a group version");
        let entry = |name: &str| listed.iter().find(|one| one["name"] == *name).expect("a listed resource");
        let main = entry(row.plural);
        assert_eq!(main["kind"], *row.kind);
        assert_eq!(main["singularName"], *row.singular);
        assert_eq!(main["namespaced"], row.namespaced);
        assert_eq!(texts(&main["verbs"]), row.verbs, "{}", row.plural);
        assert_eq!(texts(&main["shortNames"]), row.short_names, "{}", row.plural);
        assert_eq!(texts(&main["categories"]), row.categories, "{}", row.plural);
        let mut wanted: Vec<&str> = listed.iter().filter_map(|one| one["name"].as_str()).collect();
        wanted.retain(|name| name.starts_with(&format!("{}/", row.plural)) && !NOT_SERVED.contains(name));
        let served: Vec<String> = row.subresources.iter().map(|one| format!("{}/{}", row.plural, one.name)).collect();
        assert_eq!(served, wanted);
        for one in row.subresources {
            let entry = entry(&format!("{}/{}", row.plural, one.name));
            assert_eq!(texts(&entry["verbs"]), one.verbs);
            assert_eq!(entry["kind"], *one.kind);
        }
    }
}

#[test]
fn columns_are_those_of_kubernetes() {
    let columns = fact("columns");
    for row in all().iter().filter(|row| row.verbs.contains(&"list")) {
        let wanted = columns[format!("{}/{}", row.api_version(), row.plural)].as_array().expect("columns");
        let got: Vec<serde_json::Value> =
            row.columns.iter().map(|one| serde_json::json!([one.name, one.kind, one.format, one.priority])).collect();
        assert_eq!(&got, wanted, "{}", row.plural);
        assert!(row.columns.iter().all(|one| !one.description.is_empty()));
    }
}

/// What `facts/kube-1.36/defaulted.json` says was sent and answered, for the served kinds. The server gave the
/// ClusterIP, and what ServiceAccount admission adds to pods is not the rules' work.
#[test]
fn defaults_are_those_of_kubernetes() {
    for case in fact("defaulted").as_array().expect("cases") {
        let (sent, answered) = (&case["sent"], &case["answered"]);
        let kind = sent["kind"].as_str().expect("a kind");
        if kind == "Pod" {
            continue;
        }
        let row = row_of(kind, sent["apiVersion"].as_str());
        let mut object = object(&sent.to_string());
        row.rules.default(&mut object);
        if let Some(address) = answered["spec"]["clusterIP"].as_str() {
            object.set(&["spec", "clusterIP"], address);
        }
        row.rules.prepare_create(&mut object);
        if row.namespaced {
            object.set(&["metadata", "namespace"], "default");
        }
        let got: serde_json::Value = serde_json::from_slice(&crate::encode::json(&object)).expect("JSON");
        assert_eq!(&got, answered, "{kind}");
        let mut errors = crate::meta::validate_create(row, &object);
        errors.extend(row.rules.validate(&object));
        assert!(errors.is_empty(), "{kind}: {errors:?}");
        if let Some(conversion) = row.conversion {
            let stored = (conversion.to_stored)(object.clone());
            assert!((conversion.from_stored)(stored) == object, "{kind}");
        }
    }
}

#[test]
fn a_summary_holds_labels_fields_and_cells() {
    let secret = object(
        r#"{"kind":"Secret","metadata":{"name":"a","labels":{"b":"2","a":"1"},"creationTimestamp":"2026-01-01T00:00:00Z"},
            "type":"t","data":{"k":""}}"#,
    );
    let summary = summary(row("Secret"), &secret, 3..9);
    assert_eq!(summary.labels.as_ref(), [("a".into(), "1".into()), ("b".into(), "2".into())]);
    assert_eq!(summary.fields.as_ref(), [("type", "t".into())]);
    assert_eq!(
        summary.cells.as_ref(),
        [Cell::Text("a".into()), Cell::Text("t".into()), Cell::Integer(1), Cell::Age(Some(1_767_225_600)),]
    );
    assert_eq!(summary.metadata, 3..9);
}

#[test]
fn field_labels() {
    let check = |row: &Resource, name: &str, wanted: Option<&str>| {
        assert_eq!(check_field_label(row, name).err().as_deref(), wanted, "{} {name}", row.plural);
    };
    let secrets = find("", "v1", "secrets").expect("secrets");
    check(secrets, "type", None);
    check(secrets, "metadata.namespace", None);
    check(secrets, "data.k", Some("field label not supported: data.k"));
    let unknown = r#""type" is not a known field selector: only "metadata.name", "metadata.namespace""#;
    check(find("", "v1", "configmaps").expect("configmaps"), "type", Some(unknown));
    let namespaces = find("", "v1", "namespaces").expect("namespaces");
    check(namespaces, "status.phase", None);
    check(namespaces, "metadata.namespace", Some("field label not supported: metadata.namespace"));
}
