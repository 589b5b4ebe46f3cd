//! OpenAPI: what can be asked and how objects look, for `kubectl explain`, validation in clients, and diff.
//!
//! Version 3 has an index and one document for each group version, version 2 one document in JSON and in the
//! protobuf form of gnostic, which kubectl asks for. All are made once, when first asked for, from the rows of the
//! resource table and the schema table.

mod definitions;
mod gnostic;
mod operations;
mod v2;
mod v3;

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde_json::{Map, Value, json};

pub use crate::discovery::Document;
use crate::discovery::path;
use crate::resources::{self, Resource};

/// The media type by which clients ask for version 2 in protobuf.
pub const V2_PROTOBUF: &str = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf";
/// The media type of the answer to it.
pub const V2_PROTOBUF_ANSWER: &str = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";

const DELETE_OPTIONS: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions";
const RESOURCE_LIST: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.APIResourceList";
const STATUS: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.Status";
/// What a PATCH may send.
const PATCH_TYPES: &[&str] = &[
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
    "application/apply-patch+yaml",
];
/// What the server answers.
const ANSWER_TYPES: &[&str] = &["application/json", "application/yaml"];
/// What it answers to a watch.
const STREAM_TYPE: &str = "application/json;stream=watch";

/// All documents.
pub struct OpenApi {
    rows: Vec<&'static Resource>,
    v3: OnceLock<BTreeMap<String, Document>>,
    index: OnceLock<Document>,
    v2: OnceLock<(Document, Document)>,
}

impl OpenApi {
    /// The documents for the served rows.
    pub fn served() -> &'static Self {
        static SERVED: OnceLock<OpenApi> = OnceLock::new();
        SERVED.get_or_init(|| Self::new(resources::all()))
    }

    /// The documents for these rows.
    pub fn new(rows: &[&'static Resource]) -> Self {
        Self { rows: rows.to_vec(), v3: OnceLock::new(), index: OnceLock::new(), v2: OnceLock::new() }
    }

    /// `/openapi/v3`: where the documents are, each with the hash of its content.
    pub fn index(&self) -> &Document {
        self.index.get_or_init(|| {
            let link = |(path, document): (&String, &Document)| {
                let url = format!("/openapi/v3/{path}?hash={}", document.hash());
                (path.clone(), json!({"serverRelativeURL": url}))
            };
            let paths: Map<String, Value> = self.v3().iter().map(link).collect();
            Document::new(json!({"paths": paths}).to_string().into_bytes())
        })
    }

    /// The document of a group version: `api/v1`, `apis/apps/v1`, ...
    pub fn group_version(&self, path: &str) -> Option<&Document> {
        self.v3().get(path)
    }

    /// `/openapi/v2` as JSON.
    pub fn v2(&self) -> &Document {
        &self.both_v2().0
    }

    /// `/openapi/v2` as [`V2_PROTOBUF`].
    pub fn v2_protobuf(&self) -> &Document {
        &self.both_v2().1
    }

    fn v3(&self) -> &BTreeMap<String, Document> {
        self.v3.get_or_init(|| {
            let group_versions = group_versions(&self.rows);
            let document = |((group, version), rows): (&(&str, &str), &Vec<&'static Resource>)| {
                let document = v3::document(group, version, rows, &kinds(rows));
                let path = path(group, version).trim_start_matches('/').to_owned();
                (path, Document::new(document.to_string().into_bytes()))
            };
            group_versions.iter().map(document).collect()
        })
    }

    fn both_v2(&self) -> &(Document, Document) {
        self.v2.get_or_init(|| {
            let document = v2::document(&group_versions(&self.rows), &kinds(&self.rows));
            let protobuf = gnostic::encode(&document);
            (Document::new(document.to_string().into_bytes()), Document::new(protobuf))
        })
    }
}

/// What `x-kubernetes-group-version-kind` names.
#[derive(Debug, Clone, PartialEq, Eq)]
struct GroupVersionKind {
    group: &'static str,
    version: &'static str,
    kind: String,
}

impl GroupVersionKind {
    fn json(&self) -> Value {
        json!({"group": self.group, "version": self.version, "kind": self.kind})
    }
}

fn group_versions<'a>(rows: &[&'a Resource]) -> BTreeMap<(&'a str, &'a str), Vec<&'a Resource>> {
    let mut found: BTreeMap<(&str, &str), Vec<&Resource>> = BTreeMap::new();
    for row in rows {
        found.entry((row.group, row.version)).or_default().push(row);
    }
    found
}

/// The kinds that each definition is served as.
fn kinds(rows: &[&'static Resource]) -> BTreeMap<String, Vec<GroupVersionKind>> {
    let mut kinds: BTreeMap<String, Vec<GroupVersionKind>> = BTreeMap::new();
    let mut add = |definition: &str, group, version, kind: &str| {
        let of = kinds.entry(definition.to_owned()).or_default();
        let new = GroupVersionKind { group, version, kind: kind.to_owned() };
        if !of.contains(&new) {
            of.push(new);
        }
    };
    add(STATUS, "", "v1", "Status");
    add(RESOURCE_LIST, "", "v1", "APIResourceList");
    add(DELETE_OPTIONS, "", "v1", "DeleteOptions");
    for row in rows {
        add(row.definition, row.group, row.version, row.kind);
        add(&format!("{}List", row.definition), row.group, row.version, &format!("{}List", row.kind));
        add(DELETE_OPTIONS, row.group, row.version, "DeleteOptions");
        for sub in row.subresources {
            add(sub.definition, sub.group, sub.version, sub.kind);
        }
    }
    kinds
}

#[cfg(test)]
mod tests;
