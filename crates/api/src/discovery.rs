//! Discovery: which groups, versions and resources there are (`/api`, `/apis` and below).
//!
//! All documents are made once from the rows of the table; the server copies bytes.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde_json::{Value, json};

use crate::resources::{self, Resource, Subresource};

/// Groups in the order of `/apis`; others follow by name (`genericapiserver` sorts by priority).
const ORDER: &[&str] = &[
    "",
    "apiregistration.k8s.io",
    "apps",
    "events.k8s.io",
    "authentication.k8s.io",
    "authorization.k8s.io",
    "autoscaling",
    "batch",
    "certificates.k8s.io",
    "networking.k8s.io",
    "policy",
    "rbac.authorization.k8s.io",
    "storage.k8s.io",
    "admissionregistration.k8s.io",
    "apiextensions.k8s.io",
    "scheduling.k8s.io",
    "coordination.k8s.io",
    "node.k8s.io",
    "discovery.k8s.io",
    "resource.k8s.io",
    "flowcontrol.apiserver.k8s.io",
];

/// The versions of the aggregated form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aggregated {
    /// `apidiscovery.k8s.io/v2`
    V2,
    /// `apidiscovery.k8s.io/v2beta1`, which kubectl asked for until 1.29.
    V2Beta1,
}

impl Aggregated {
    /// The version of this name.
    pub fn parse(version: &str) -> Option<Self> {
        match version {
            "v2" => Some(Self::V2),
            "v2beta1" => Some(Self::V2Beta1),
            _ => None,
        }
    }

    /// The media type of the answer.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::V2 => "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList",
            Self::V2Beta1 => "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList",
        }
    }

    fn api_version(self) -> &'static str {
        match self {
            Self::V2 => "apidiscovery.k8s.io/v2",
            Self::V2Beta1 => "apidiscovery.k8s.io/v2beta1",
        }
    }
}

/// A document that never changes while the server runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// The JSON.
    pub body: Vec<u8>,
    /// The entity tag, quotes included.
    pub etag: String,
}

impl Document {
    /// A document of these bytes.
    pub(crate) fn new(body: Vec<u8>) -> Self {
        Self { etag: format!("\"{}\"", fingerprint(&body)), body }
    }

    /// The entity tag without quotes, as `?hash=` names it.
    pub fn hash(&self) -> &str {
        self.etag.trim_matches('"')
    }
}

/// All documents of discovery.
pub struct Discovery {
    /// By path: `/apis`, `/apis/G`, `/apis/G/V`, `/api/V`.
    plain: BTreeMap<String, Vec<u8>>,
    core: [Document; 2],
    groups: [Document; 2],
}

impl Discovery {
    /// The documents for the served rows.
    pub fn served() -> &'static Self {
        static SERVED: OnceLock<Discovery> = OnceLock::new();
        SERVED.get_or_init(|| Self::new(resources::all()))
    }

    /// The documents for these rows.
    pub fn new(rows: &[&Resource]) -> Self {
        let (core, named): (Vec<Group<'_>>, Vec<Group<'_>>) =
            grouped(rows).into_iter().partition(|group| group.name.is_empty());
        let mut plain = BTreeMap::new();
        let list: Vec<Value> = named.iter().map(Group::plain).collect();
        plain.insert("/apis".to_owned(), bytes(&json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": list})));
        for group in &named {
            let mut whole = group.plain();
            set(&mut whole, "kind", "APIGroup");
            set(&mut whole, "apiVersion", "v1");
            plain.insert(format!("/apis/{}", group.name), bytes(&whole));
        }
        for (group, version, rows) in core.iter().chain(&named).flat_map(Group::each) {
            plain.insert(path(group, version), bytes(&resource_list(group, version, rows)));
        }
        let aggregated = |groups: &[Group<'_>]| {
            [Aggregated::V2, Aggregated::V2Beta1].map(|version| Document::new(bytes(&group_list(version, groups))))
        };
        Self { plain, core: aggregated(&core), groups: aggregated(&named) }
    }

    /// `/api`: `address` is the host and port that the server tells its clients.
    pub fn api(&self, address: &str) -> Vec<u8> {
        bytes(&json!({
            "kind": "APIVersions",
            "versions": ["v1"],
            "serverAddressByClientCIDRs": [{"clientCIDR": "0.0.0.0/0", "serverAddress": address}],
        }))
    }

    /// The document at `/apis`, `/apis/G`, `/apis/G/V` or `/api/V`.
    pub fn at(&self, path: &str) -> Option<&[u8]> {
        self.plain.get(path).map(Vec::as_slice)
    }

    /// The aggregated form of `/api`.
    pub fn aggregated_core(&self, version: Aggregated) -> &Document {
        pick(&self.core, version)
    }

    /// The aggregated form of `/apis`.
    pub fn aggregated_groups(&self, version: Aggregated) -> &Document {
        pick(&self.groups, version)
    }

    /// The paths of all documents, `/api` included, sorted: what `/` lists beside the server's own paths.
    pub fn paths(&self) -> Vec<&str> {
        std::iter::once("/api").chain(self.plain.keys().map(String::as_str)).collect()
    }
}

/// The path below which the resources of a group version are.
pub fn path(group: &str, version: &str) -> String {
    if group.is_empty() { format!("/api/{version}") } else { format!("/apis/{group}/{version}") }
}

/// A hash that tells two contents apart, the same in every process (FNV-1a of 128 bits).
pub(crate) fn fingerprint(content: &[u8]) -> String {
    let start = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d_u128;
    let hash = content
        .iter()
        .fold(start, |hash, byte| (hash ^ u128::from(*byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b));
    format!("{hash:032X}")
}

struct Group<'a> {
    name: &'a str,
    /// The preferred version first.
    versions: Vec<(&'a str, Vec<&'a Resource>)>,
}

impl<'a> Group<'a> {
    fn each(&self) -> impl Iterator<Item = (&'a str, &'a str, &[&'a Resource])> {
        self.versions.iter().map(|(version, rows)| (self.name, *version, rows.as_slice()))
    }

    /// An item of `APIGroupList`.
    fn plain(&self) -> Value {
        let version = |version: &str| json!({"groupVersion": format!("{}/{version}", self.name), "version": version});
        let versions: Vec<Value> = self.versions.iter().map(|(name, _)| version(name)).collect();
        json!({"name": self.name, "versions": versions, "preferredVersion": versions.first()})
    }
}

/// The rows by group and version, groups in the order of discovery, versions as their rows come, resources by name.
fn grouped<'a>(rows: &[&'a Resource]) -> Vec<Group<'a>> {
    let mut groups: Vec<Group<'a>> = Vec::new();
    for row in rows {
        let at = groups.iter().position(|group| group.name == row.group).unwrap_or_else(|| {
            groups.push(Group { name: row.group, versions: Vec::new() });
            groups.len() - 1
        });
        let Some(group) = groups.get_mut(at) else { continue };
        match group.versions.iter_mut().find(|(version, _)| *version == row.version) {
            Some((_, rows)) => rows.push(row),
            None => group.versions.push((row.version, vec![row])),
        }
    }
    for (_, rows) in groups.iter_mut().flat_map(|group| &mut group.versions) {
        rows.sort_by_key(|row| row.plural);
    }
    groups.sort_by_key(|group| (ORDER.iter().position(|name| *name == group.name).unwrap_or(ORDER.len()), group.name));
    groups
}

fn resource_list(group: &str, version: &str, rows: &[&Resource]) -> Value {
    let resources: Vec<Value> = rows
        .iter()
        .flat_map(|row| std::iter::once(plain_resource(row)).chain(sorted(row).map(|sub| plain_subresource(row, sub))))
        .collect();
    if group.is_empty() {
        // The core group answers without apiVersion, as it did before that field was.
        return json!({"kind": "APIResourceList", "groupVersion": version, "resources": resources});
    }
    let group_version = format!("{group}/{version}");
    json!({"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group_version, "resources": resources})
}

fn sorted(row: &Resource) -> impl Iterator<Item = &'static Subresource> {
    let mut subresources: Vec<&'static Subresource> = row.subresources.iter().collect();
    subresources.sort_by_key(|sub| sub.name);
    subresources.into_iter()
}

fn plain_resource(row: &Resource) -> Value {
    let mut resource = json!({
        "name": row.plural, "singularName": row.singular, "namespaced": row.namespaced, "kind": row.kind, "verbs": row.verbs,
    });
    set_names(&mut resource, row);
    resource
}

fn plain_subresource(row: &Resource, sub: &Subresource) -> Value {
    let mut resource = json!({
        "name": format!("{}/{}", row.plural, sub.name), "singularName": "", "namespaced": row.namespaced,
        "kind": sub.kind, "verbs": sub.verbs,
    });
    if !is_of_same_version(row, sub) {
        set(&mut resource, "group", sub.group);
        set(&mut resource, "version", sub.version);
    }
    resource
}

fn is_of_same_version(row: &Resource, sub: &Subresource) -> bool {
    (row.group, row.version) == (sub.group, sub.version)
}

fn set_names(resource: &mut Value, row: &Resource) {
    if !row.short_names.is_empty() {
        set(resource, "shortNames", row.short_names);
    }
    if !row.categories.is_empty() {
        set(resource, "categories", row.categories);
    }
}

fn group_list(version: Aggregated, groups: &[Group<'_>]) -> Value {
    let items: Vec<Value> = groups
        .iter()
        .map(|group| {
            let metadata = if group.name.is_empty() { json!({}) } else { json!({"name": group.name}) };
            json!({"metadata": metadata, "versions": group.each().map(aggregated_version).collect::<Vec<_>>()})
        })
        .collect();
    json!({"kind": "APIGroupDiscoveryList", "apiVersion": version.api_version(), "metadata": {}, "items": items})
}

fn aggregated_version((_, version, rows): (&str, &str, &[&Resource])) -> Value {
    let resources: Vec<Value> = rows.iter().map(|row| aggregated_resource(row)).collect();
    json!({"version": version, "freshness": "Current", "resources": resources})
}

fn aggregated_resource(row: &Resource) -> Value {
    let mut resource = json!({
        "resource": row.plural, "responseKind": kind("", "", row.kind), "singularResource": row.singular,
        "scope": if row.namespaced { "Namespaced" } else { "Cluster" }, "verbs": row.verbs,
    });
    set_names(&mut resource, row);
    if !row.subresources.is_empty() {
        set(&mut resource, "subresources", sorted(row).map(|sub| aggregated_subresource(row, sub)).collect::<Vec<_>>());
    }
    resource
}

fn aggregated_subresource(row: &Resource, sub: &Subresource) -> Value {
    let response =
        if is_of_same_version(row, sub) { kind("", "", sub.kind) } else { kind(sub.group, sub.version, sub.kind) };
    json!({"subresource": sub.name, "responseKind": response, "verbs": sub.verbs})
}

/// Group and version stay empty where they are those of the list (1.36).
fn kind(group: &str, version: &str, kind: &str) -> Value {
    json!({"group": group, "version": version, "kind": kind})
}

fn pick(documents: &[Document; 2], version: Aggregated) -> &Document {
    let [v2, v2beta1] = documents;
    match version {
        Aggregated::V2 => v2,
        Aggregated::V2Beta1 => v2beta1,
    }
}

/// Sets a field of an object.
pub(crate) fn set(object: &mut Value, name: &str, value: impl Into<Value>) {
    if let Value::Object(fields) = object {
        fields.insert(name.to_owned(), value.into());
    }
}

fn bytes(document: &Value) -> Vec<u8> {
    let mut body = document.to_string().into_bytes();
    body.push(b'\n');
    body
}

#[cfg(test)]
mod tests {
    use super::*;

    const VERBS: &[&str] = &["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];

    fn discovery() -> Discovery {
        let row = |group, plural| resources::find(group, "v1", plural).unwrap();
        Discovery::new(&[row("", "serviceaccounts"), row("coordination.k8s.io", "leases"), row("", "pods")])
    }

    fn parsed(body: &[u8]) -> Value {
        serde_json::from_slice(body).unwrap()
    }

    #[test]
    fn resources_of_the_core_group() {
        let found = parsed(discovery().at("/api/v1").unwrap());
        assert_eq!((&found["kind"], &found["groupVersion"]), (&json!("APIResourceList"), &json!("v1")));
        assert_eq!(found.get("apiVersion"), None);
        let resources = found["resources"].as_array().unwrap();
        let of = |name: &str| resources.iter().find(|one| one["name"] == name).unwrap().clone();
        let pods = json!({"name": "pods", "singularName": "pod", "namespaced": true, "kind": "Pod", "shortNames": ["po"],
            "categories": ["all"], "verbs": VERBS});
        assert_eq!(resources[0], pods);
        let eviction = json!({"name": "pods/eviction", "singularName": "", "namespaced": true, "kind": "Eviction",
            "group": "policy", "version": "v1", "verbs": ["create"]});
        assert_eq!(of("pods/eviction"), eviction);
        let status = json!({"name": "pods/status", "singularName": "", "namespaced": true, "kind": "Pod", "verbs": ["get", "patch", "update"]});
        assert_eq!(of("pods/status"), status);
        assert!(resources.is_sorted_by_key(|one| one["name"].as_str().unwrap().to_owned()));
    }

    #[test]
    fn groups_and_their_versions() {
        let discovery = discovery();
        let group = json!({"name": "coordination.k8s.io",
            "versions": [{"groupVersion": "coordination.k8s.io/v1", "version": "v1"}],
            "preferredVersion": {"groupVersion": "coordination.k8s.io/v1", "version": "v1"}});
        let list = json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": [group]});
        assert_eq!(parsed(discovery.at("/apis").unwrap()), list);
        let found = parsed(discovery.at("/apis/coordination.k8s.io").unwrap());
        assert_eq!(
            (&found["kind"], &found["apiVersion"], &found["versions"]),
            (&json!("APIGroup"), &json!("v1"), &group["versions"])
        );
        let found = parsed(discovery.at("/apis/coordination.k8s.io/v1").unwrap());
        assert_eq!((&found["apiVersion"], &found["groupVersion"]), (&json!("v1"), &json!("coordination.k8s.io/v1")));
        assert_eq!(discovery.at("/apis/coordination.k8s.io/v2"), None);
        let paths = ["/api", "/api/v1", "/apis", "/apis/coordination.k8s.io", "/apis/coordination.k8s.io/v1"];
        assert_eq!(discovery.paths(), paths);
    }

    #[test]
    fn the_aggregated_form() {
        let discovery = discovery();
        let document = discovery.aggregated_core(Aggregated::V2);
        let found = parsed(&document.body);
        assert_eq!(found["apiVersion"], "apidiscovery.k8s.io/v2");
        assert_eq!(found["items"][0]["metadata"], json!({}));
        let version = &found["items"][0]["versions"][0];
        assert_eq!((&version["version"], &version["freshness"]), (&json!("v1"), &json!("Current")));
        let pods = &version["resources"][0];
        assert_eq!(pods["responseKind"], json!({"group": "", "version": "", "kind": "Pod"}));
        assert_eq!(
            (&pods["resource"], &pods["scope"], &pods["singularResource"]),
            (&json!("pods"), &json!("Namespaced"), &json!("pod"))
        );
        assert_eq!(
            (&pods["shortNames"], &pods["categories"], &pods["verbs"]),
            (&json!(["po"]), &json!(["all"]), &json!(VERBS))
        );
        let eviction = json!({"subresource": "eviction", "responseKind": {"group": "policy", "version": "v1", "kind": "Eviction"}, "verbs": ["create"]});
        assert!(pods["subresources"].as_array().unwrap().contains(&eviction), "{pods}");
        assert_eq!(version["resources"][1].get("shortNames"), Some(&json!(["sa"])));
        assert_ne!(document.etag, discovery.aggregated_groups(Aggregated::V2).etag);
        assert_eq!(document, self::discovery().aggregated_core(Aggregated::V2));
        let beta = parsed(&discovery.aggregated_groups(Aggregated::V2Beta1).body);
        assert_eq!(
            (&beta["apiVersion"], &beta["items"][0]["metadata"]["name"]),
            (&json!("apidiscovery.k8s.io/v2beta1"), &json!("coordination.k8s.io"))
        );
    }
}
