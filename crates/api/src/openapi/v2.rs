//! OpenAPI 2: one document for everything.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::definitions::{Definitions, Dialect};
use super::operations::{self, Body, Operation, Parameter, Path};
use super::v3::{body_definition, roots};
use super::{ANSWER_TYPES, GroupVersionKind, PATCH_TYPES, STREAM_TYPE};
use crate::discovery::set;
use crate::resources::Resource;

pub(super) fn document(
    group_versions: &BTreeMap<(&str, &str), Vec<&Resource>>,
    kinds: &BTreeMap<String, Vec<GroupVersionKind>>,
) -> Value {
    let paths: Vec<Path> =
        group_versions.iter().flat_map(|((group, version), rows)| operations::paths(group, version, rows)).collect();
    let definitions = Definitions::reachable(Dialect::V2, kinds, roots(&paths));
    let paths: Map<String, Value> = paths.iter().map(|one| (one.path.clone(), path(one))).collect();
    json!({
        "swagger": "2.0",
        "info": {"title": "Kubernetes", "version": "unversioned"},
        "paths": paths,
        "definitions": definitions,
    })
}

fn path(path: &Path) -> Value {
    let operations = path.operations.iter().map(|one| (one.method.to_owned(), operation(one)));
    let mut item: Map<String, Value> = operations.collect();
    if !path.parameters.is_empty() {
        item.insert("parameters".to_owned(), path.parameters.iter().map(parameter).collect());
    }
    Value::Object(item)
}

fn operation(of: &Operation) -> Value {
    let stream = of.streams.then_some(STREAM_TYPE);
    let produces: Vec<&str> = ANSWER_TYPES.iter().copied().chain(stream).collect();
    let consumes = if of.body == Some(Body::Patch) { PATCH_TYPES } else { &["*/*"] };
    let success = |(code, description): &(&str, &str)| {
        ((*code).to_owned(), json!({"description": description, "schema": Dialect::V2.reference(&of.answer)}))
    };
    let refused = ("401".to_owned(), json!({"description": "Unauthorized"}));
    let responses: Map<String, Value> = of.codes.iter().map(success).chain([refused]).collect();
    let mut operation = json!({
        "tags": [of.tag], "description": of.description, "operationId": of.id, "schemes": ["https"],
        "consumes": consumes, "produces": produces, "responses": responses,
    });
    let parameters: Vec<Value> = of.body.map(body).into_iter().chain(of.parameters.iter().map(parameter)).collect();
    if !parameters.is_empty() {
        set(&mut operation, "parameters", parameters);
    }
    if let Some((action, kind)) = &of.action {
        set(&mut operation, "x-kubernetes-action", *action);
        set(&mut operation, "x-kubernetes-group-version-kind", kind.json());
    }
    operation
}

fn body(body: Body) -> Value {
    let mut parameter = json!({"name": "body", "in": "body", "schema": Dialect::V2.reference(body_definition(body))});
    if body != Body::Options {
        set(&mut parameter, "required", true);
    }
    parameter
}

/// Spelled out at each operation: kubectl did not follow references to shared parameters from the start.
fn parameter(of: &Parameter) -> Value {
    let mut parameter = json!({
        "name": of.name, "in": of.place, "description": of.description, "type": of.kind, "uniqueItems": true,
    });
    if of.place == "path" {
        set(&mut parameter, "required", true);
    }
    parameter
}
