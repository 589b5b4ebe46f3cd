//! The table against what a running kube-apiserver 1.36.2 said of its schemas.

use std::time::{Duration, Instant};

use serde_json::Value as Json;

use super::*;

/// Read from a running kube-apiserver 1.36.2, as `DEFINITION: facts`.
fn facts(text: &str) -> Vec<(String, Json)> {
    let Json::Object(types) = serde_json::from_str(text).unwrap() else { panic!("no object") };
    types.into_iter().collect()
}

fn of(name: &str) -> &'static Type {
    schema().get(schema().lookup(name).unwrap_or_else(|| panic!("{name} is missing")))
}

#[test]
fn fields_are_sorted_and_references_lead_somewhere() {
    let count = schema().types().count();
    assert!(count > 500, "{count} types");
    for (id, one) in schema().types() {
        assert_eq!(schema().lookup(&one.name), Some(id));
        assert!(one.fields.windows(2).all(|pair| pair[0].name < pair[1].name), "{}", one.name);
        for field in &one.fields {
            let mut shape = &field.shape;
            while let Shape::List(inner) | Shape::Map(inner) = shape {
                shape = inner;
            }
            assert!(!matches!(shape, Shape::Ref(id) if usize::from(id.0) >= count), "{} {}", one.name, field.name);
        }
    }
}

#[test]
fn secret_is_right() {
    let secret = of("io.k8s.api.core.v1.Secret");
    let names: Vec<&str> = secret.fields.iter().map(|field| field.name.as_str()).collect();
    assert_eq!(names, ["apiVersion", "data", "immutable", "kind", "metadata", "stringData", "type"]);
    let data = secret.field("data").unwrap();
    assert_eq!((&data.shape, data.number), (&Shape::Map(Box::new(Shape::Bytes)), 2));
    assert_eq!(secret.field("immutable").unwrap().presence, Presence::Pointer);
    assert_eq!(secret.field("metadata").unwrap().presence, Presence::Always);
    assert_eq!(secret.field("type").unwrap().go_type.as_deref(), Some("v1.SecretType"));
    assert_eq!(secret.field("kind").unwrap().number, 0);
    assert!(secret.fields.iter().all(|field| !field.required));
}

#[test]
fn inlined_structs_keep_their_way_through_protobuf() {
    let volume = of("io.k8s.api.core.v1.Volume");
    let secret = volume.field("secret").unwrap();
    assert_eq!((secret.within.as_ref(), secret.number), ([2].as_slice(), 6));
    assert!(volume.field("name").unwrap().within.is_empty());
    assert!(of("io.k8s.api.authentication.v1.UserInfo").field("extra").unwrap().wrapped);
}

#[test]
fn every_merge_rule_of_the_running_server_is_here() {
    for (name, facts) in facts(include_str!("facts/merge.json")) {
        let one = of(&name);
        assert_eq!(one.atomic, facts["map-type"] == "atomic", "{name}");
        for (field, facts) in facts["fields"].as_object().into_iter().flatten() {
            let found = one.field(field).unwrap_or_else(|| panic!("{name}.{field} is missing"));
            assert_eq!(found.topology, topology_of(facts), "{name}.{field}");
            assert_eq!(found.patch, patch_of(facts), "{name}.{field}");
        }
    }
}

#[test]
fn no_merge_rule_is_here_that_the_running_server_lacks() {
    for (name, facts) in facts(include_str!("facts/merge.json")) {
        for field in &of(&name).fields {
            let plain = field.topology == Topology::Default && field.patch == Patch::default();
            assert!(plain || !facts["fields"][&field.name].is_null(), "{name}.{}", field.name);
        }
    }
}

fn topology_of(facts: &Json) -> Topology {
    let kind = facts["list-type"].as_str().or(facts["map-type"].as_str());
    match kind {
        None => Topology::Default,
        Some("atomic") => Topology::Atomic,
        Some("granular") => Topology::Granular,
        Some("set") => Topology::Set,
        Some(_) => {
            let keys = facts["list-map-keys"].as_array().unwrap();
            Topology::Map(keys.iter().map(|key| key.as_str().unwrap().to_owned()).collect())
        }
    }
}

fn patch_of(facts: &Json) -> Patch {
    let strategies = facts["patch-strategy"].as_str().unwrap_or_default();
    Patch {
        merge: strategies.contains("merge"),
        replace: strategies == "replace",
        retain_keys: strategies.contains("retainKeys"),
        merge_key: facts["patch-merge-key"].as_str().map(str::to_owned),
    }
}

#[test]
fn every_default_of_the_running_server_is_here() {
    for (name, facts) in facts(include_str!("facts/schema-defaults.json")) {
        for (field, default) in facts.as_object().unwrap() {
            let found = of(&name).field(field).unwrap_or_else(|| panic!("{name}.{field} is missing"));
            assert!(found.default == Some(value(default.clone())), "{name}.{field}");
        }
    }
}

#[test]
fn words_are_found() {
    let data = words("io.k8s.api.core.v1.Secret", "data");
    assert!(data.description.starts_with("Data contains the secret data. Each key must consist of"), "{data:?}");
    assert_eq!(
        words("io.k8s.api.core.v1.PodStatus", "phase").values,
        ["Failed", "Pending", "Running", "Succeeded", "Unknown"]
    );
    assert!(words("io.k8s.api.core.v1.Container", "").description.starts_with("A single application container"));
    assert_eq!(words("io.k8s.api.core.v1.Container", "none"), Words::default());
}

/// The best of some runs, since the machine may be busy with other tests.
#[test]
fn loading_is_quick() {
    let run = || {
        let start = Instant::now();
        parse(TABLE);
        start.elapsed()
    };
    let best = (0..10).map(|_| run()).min().unwrap();
    let bound = if cfg!(debug_assertions) { 100 } else { 5 };
    assert!(best < Duration::from_millis(bound), "{best:?}");
}
