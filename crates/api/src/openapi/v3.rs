//! OpenAPI 3: one document for each group version.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::definitions::{Definitions, Dialect};
use super::operations::{self, Body, Operation, Parameter, Path};
use super::{ANSWER_TYPES, DELETE_OPTIONS, GroupVersionKind, PATCH_TYPES, STREAM_TYPE};
use crate::discovery::set;
use crate::resources::Resource;

const PATCH: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.Patch";

pub(super) fn document(
    group: &str,
    version: &str,
    rows: &[&Resource],
    kinds: &BTreeMap<String, Vec<GroupVersionKind>>,
) -> Value {
    let paths = operations::paths(group, version, rows);
    let schemas = Definitions::reachable(Dialect::V3, kinds, roots(&paths));
    let paths: Map<String, Value> = paths.iter().map(|one| (one.path.clone(), path(one))).collect();
    json!({
        "openapi": "3.0.0",
        "info": {"title": "Kubernetes", "version": "unversioned"},
        "paths": paths,
        "components": {"schemas": schemas},
    })
}

/// The definitions that the operations name.
pub(super) fn roots(paths: &[Path]) -> impl Iterator<Item = &str> {
    paths
        .iter()
        .flat_map(|path| &path.operations)
        .flat_map(|operation| std::iter::once(operation.answer.as_str()).chain(operation.body.map(body_definition)))
}

/// The definition of a body.
pub(super) fn body_definition(body: Body) -> &'static str {
    match body {
        Body::Object(definition) => definition,
        Body::Options => DELETE_OPTIONS,
        Body::Patch => PATCH,
    }
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
    let mut operation = json!({
        "tags": [of.tag], "description": of.description, "operationId": of.id, "responses": responses(of),
    });
    if !of.parameters.is_empty() {
        set(&mut operation, "parameters", of.parameters.iter().map(parameter).collect::<Vec<_>>());
    }
    if let Some(body) = of.body {
        set(&mut operation, "requestBody", request_body(body));
    }
    if let Some((action, kind)) = &of.action {
        set(&mut operation, "x-kubernetes-action", *action);
        set(&mut operation, "x-kubernetes-group-version-kind", kind.json());
    }
    operation
}

fn request_body(body: Body) -> Value {
    let types = if body == Body::Patch { PATCH_TYPES } else { &["*/*"] };
    let mut request = json!({"content": content(types.iter().copied(), body_definition(body))});
    if body != Body::Options {
        set(&mut request, "required", true);
    }
    request
}

fn responses(of: &Operation) -> Map<String, Value> {
    let stream = of.streams.then_some(STREAM_TYPE);
    let types = || ANSWER_TYPES.iter().copied().chain(stream);
    let success = |(code, description): &(&str, &str)| {
        ((*code).to_owned(), json!({"description": description, "content": content(types(), &of.answer)}))
    };
    let refused = ("401".to_owned(), json!({"description": "Unauthorized"}));
    of.codes.iter().map(success).chain([refused]).collect()
}

fn content<'a>(types: impl Iterator<Item = &'a str>, definition: &str) -> Map<String, Value> {
    types.map(|media| (media.to_owned(), json!({"schema": Dialect::V3.reference(definition)}))).collect()
}

fn parameter(of: &Parameter) -> Value {
    let mut parameter = json!({
        "name": of.name, "in": of.place, "description": of.description,
        "schema": {"type": of.kind, "uniqueItems": true},
    });
    if of.place == "path" {
        set(&mut parameter, "required", true);
    }
    parameter
}
