//! The documents are whole, and say what kubectl looks for.

use std::collections::BTreeSet;

use super::*;

fn parsed(document: &Document) -> Value {
    serde_json::from_slice(&document.body).unwrap()
}

fn core() -> Value {
    parsed(OpenApi::served().group_version("api/v1").unwrap())
}

const SECRET: &str = "/api/v1/namespaces/{namespace}/secrets/{name}";

/// All texts of `$ref` below a value.
fn references<'a>(value: &'a Value, found: &mut BTreeSet<&'a str>) {
    match value {
        Value::Object(fields) => {
            found.extend(fields.get("$ref").and_then(Value::as_str));
            fields.values().for_each(|field| references(field, found));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}

fn names(parameters: &Value) -> Vec<&str> {
    parameters.as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect()
}

#[test]
fn the_index_leads_to_every_group_version() {
    let all = OpenApi::served();
    let index = parsed(all.index());
    let paths = index["paths"].as_object().unwrap();
    assert!(paths.contains_key("api/v1") && paths.contains_key("apis/coordination.k8s.io/v1"), "{index}");
    for (path, link) in paths {
        let document = all.group_version(path).unwrap();
        assert_eq!(link["serverRelativeURL"], format!("/openapi/v3/{path}?hash={}", document.hash()));
    }
    assert!(all.group_version("apis/coordination.k8s.io/v9").is_none());
}

#[test]
fn references_lead_to_definitions_and_no_definition_is_idle() {
    let v2 = parsed(OpenApi::served().v2());
    let core = core();
    for (document, definitions, prefix) in
        [(&v2, &v2["definitions"], "#/definitions/"), (&core, &core["components"]["schemas"], "#/components/schemas/")]
    {
        let mut found = BTreeSet::new();
        references(document, &mut found);
        let found: BTreeSet<&str> = found.iter().map(|name| name.strip_prefix(prefix).unwrap()).collect();
        let defined: BTreeSet<&str> = definitions.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(found, defined);
    }
}

#[test]
fn operations_have_ids_of_their_own() {
    let v2 = parsed(OpenApi::served().v2());
    let mut ids = BTreeSet::new();
    for (path, item) in v2["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap().iter().filter(|(method, _)| *method != "parameters") {
            let id = operation["operationId"].as_str().unwrap();
            assert!(ids.insert(id.to_owned()), "{method} {path}: {id}");
        }
    }
    for id in [
        "createCoreV1NamespacedSecret",
        "deleteCoreV1CollectionNamespacedSecret",
        "listCoreV1SecretForAllNamespaces",
        "patchCoordinationV1NamespacedLease",
        "replaceCoreV1NamespaceFinalize",
        "createCoreV1NamespacedPodEviction",
        "getEventsV1APIResources",
    ] {
        assert!(ids.contains(id), "{id}");
    }
}

#[test]
fn a_patch_shows_its_types_and_parameters() {
    let core = core();
    let patch = &core["paths"][SECRET]["patch"];
    assert_eq!(names(&patch["parameters"]), ["dryRun", "fieldManager", "fieldValidation", "force"]);
    assert_eq!(names(&core["paths"][SECRET]["parameters"]), ["name", "namespace", "pretty"]);
    let types: Vec<&String> = patch["requestBody"]["content"].as_object().unwrap().keys().collect();
    let mut wanted = PATCH_TYPES.to_vec();
    wanted.sort_unstable();
    assert_eq!(types, wanted);
    assert_eq!(patch["x-kubernetes-action"], "patch");
    let kind = json!({"group": "", "version": "v1", "kind": "Secret"});
    assert_eq!(patch["x-kubernetes-group-version-kind"], kind);
    assert_eq!(
        core["components"]["schemas"]["io.k8s.api.core.v1.Secret"]["x-kubernetes-group-version-kind"],
        json!([kind])
    );
}

#[test]
fn what_all_operations_share_stands_at_the_path() {
    let core = core();
    let item = &core["paths"]["/api/v1/secrets"];
    assert_eq!(item["get"].get("parameters"), None);
    assert!(names(&item["parameters"]).contains(&"allowWatchBookmarks"), "{item}");
    let eviction = &core["paths"]["/api/v1/namespaces/{namespace}/pods/{name}/eviction"];
    assert_eq!(eviction["post"]["x-kubernetes-group-version-kind"]["group"], "policy");
    assert_eq!(eviction["parameters"][3]["description"], "name of the Eviction");
}

#[test]
fn schemas_are_those_of_kubernetes() {
    let core = core();
    let of = |name: &str| &core["components"]["schemas"][format!("io.k8s.api.core.v1.{name}")];
    let mut port = of("ContainerPort")["properties"].clone();
    port.as_object_mut()
        .unwrap()
        .values_mut()
        .for_each(|field| drop(field.as_object_mut().unwrap().remove("description")));
    let wanted = json!({
        "containerPort": {"type": "integer", "format": "int32", "default": 0},
        "hostIP": {"type": "string"},
        "hostPort": {"type": "integer", "format": "int32"},
        "name": {"type": "string"},
        "protocol": {"type": "string", "default": "TCP", "enum": ["SCTP", "TCP", "UDP"]},
    });
    assert_eq!(port, wanted);
    let mut metadata = of("Secret")["properties"]["metadata"].clone();
    metadata.as_object_mut().unwrap().remove("description").unwrap();
    let reference = json!({"$ref": "#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"});
    assert_eq!(metadata, json!({"allOf": [reference], "default": {}}));
    let containers = &of("PodSpec")["properties"]["containers"];
    assert_eq!(containers["x-kubernetes-list-map-keys"], json!(["name"]));
    assert_eq!(containers["x-kubernetes-patch-strategy"], "merge");
    assert_eq!(of("SecretKeySelector")["x-kubernetes-map-type"], "atomic");
    assert_eq!(of("SecretKeySelector")["required"], json!(["key"]));
}

#[test]
fn version_2_spells_types_as_it_can() {
    let v2 = parsed(OpenApi::served().v2());
    let quantity = &v2["definitions"]["io.k8s.apimachinery.pkg.api.resource.Quantity"];
    assert_eq!((&quantity["type"], quantity.get("oneOf")), (&json!("string"), None));
    let metadata = &v2["definitions"]["io.k8s.api.core.v1.Secret"]["properties"]["metadata"];
    assert_eq!(metadata["$ref"], "#/definitions/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta");
    assert_eq!(metadata.get("default"), None);
    let options = &v2["definitions"][DELETE_OPTIONS]["x-kubernetes-group-version-kind"];
    assert!(
        options
            .as_array()
            .unwrap()
            .contains(&json!({"group": "events.k8s.io", "version": "v1", "kind": "DeleteOptions"}))
    );
}

/// The fields of a protobuf message: number and content, a number as its only byte.
fn fields(mut message: &[u8]) -> Vec<(u64, &[u8])> {
    fn varint(from: &mut &[u8]) -> u64 {
        let length = from.iter().position(|byte| byte & 0x80 == 0).unwrap() + 1;
        let (bytes, rest) = from.split_at(length);
        *from = rest;
        bytes.iter().rev().fold(0, |value, byte| value << 7 | u64::from(byte & 0x7f))
    }
    let mut found = Vec::new();
    while !message.is_empty() {
        let tag = varint(&mut message);
        let length = if tag & 7 == 2 { varint(&mut message) as usize } else { 1 };
        let (content, rest) = message.split_at(length);
        found.push((tag >> 3, content));
        message = rest;
    }
    found
}

/// The content at the end of these field numbers, each taken once.
fn at<'a>(message: &'a [u8], path: &[u64]) -> &'a [u8] {
    path.iter()
        .fold(message, |message, number| fields(message).into_iter().find(|(found, _)| found == number).unwrap().1)
}

fn entry<'a>(message: &'a [u8], number: u64, name: &str) -> &'a [u8] {
    let entries = fields(message).into_iter().filter(|(found, _)| *found == number);
    let named =
        entries.map(|(_, entry)| (at(entry, &[1]), at(entry, &[2]))).find(|(found, _)| *found == name.as_bytes());
    named.unwrap_or_else(|| panic!("{name} is missing")).1
}

#[test]
fn the_protobuf_form_tells_kubectl_what_a_patch_supports() {
    let document = &OpenApi::served().v2_protobuf().body;
    assert_eq!(at(document, &[1]), b"2.0");
    let patch = at(entry(at(document, &[8]), 2, SECRET), &[8]);
    // As kubectl's query parameter verifier reads it: the kind as YAML of an extension, then the query parameters.
    let kind: Value = serde_json::from_slice(at(entry(patch, 13, "x-kubernetes-group-version-kind"), &[2])).unwrap();
    assert_eq!(kind, json!({"group": "", "version": "v1", "kind": "Secret"}));
    let parameters = fields(patch).into_iter().filter(|(number, _)| *number == 8).map(|(_, item)| at(item, &[1]));
    let query = parameters.filter(|one| fields(one)[0].0 == 2).map(|one| at(one, &[2, 3, 4]));
    let wanted: [&[u8]; 4] = [b"dryRun", b"fieldManager", b"fieldValidation", b"force"];
    assert_eq!(query.collect::<Vec<_>>(), wanted);
    let secret = entry(at(document, &[9]), 1, "io.k8s.api.core.v1.Secret");
    let data = entry(at(secret, &[25]), 1, "data");
    assert_eq!((at(data, &[22, 1]), at(data, &[21, 1, 2])), (b"object".as_slice(), b"byte".as_slice()));
}
