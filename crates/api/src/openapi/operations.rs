//! What may be asked of the served resources: the paths of the OpenAPI documents, before either form.

use super::GroupVersionKind;
use crate::generated::words;
use crate::resources::{Resource, Subresource};

const META: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.";

/// A path and what may be asked of it.
pub(super) struct Path {
    pub(super) path: String,
    /// The parameters that all operations share.
    pub(super) parameters: Vec<Parameter>,
    pub(super) operations: Vec<Operation>,
}

pub(super) struct Operation {
    pub(super) method: &'static str,
    pub(super) id: String,
    pub(super) description: String,
    pub(super) tag: String,
    /// The verb and the kind of the body.
    pub(super) action: Option<(&'static str, GroupVersionKind)>,
    pub(super) parameters: Vec<Parameter>,
    pub(super) body: Option<Body>,
    /// The codes of success.
    pub(super) codes: &'static [(&'static str, &'static str)],
    /// The definition of the answer.
    pub(super) answer: String,
    /// Whether the answer may be a watch.
    pub(super) streams: bool,
}

/// The body of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Body {
    /// The object, of this definition.
    Object(&'static str),
    /// `DeleteOptions`, which may be left out.
    Options,
    /// A patch of any kind.
    Patch,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Parameter {
    pub(super) name: &'static str,
    pub(super) place: &'static str,
    pub(super) kind: &'static str,
    pub(super) description: String,
}

const OK: &[(&str, &str)] = &[("200", "OK")];
const OK_CREATED: &[(&str, &str)] = &[("200", "OK"), ("201", "Created")];
const OK_CREATED_ACCEPTED: &[(&str, &str)] = &[("200", "OK"), ("201", "Created"), ("202", "Accepted")];
const OK_ACCEPTED: &[(&str, &str)] = &[("200", "OK"), ("202", "Accepted")];

const LIST: &[&str] = &[
    "continue",
    "fieldSelector",
    "labelSelector",
    "limit",
    "resourceVersion",
    "resourceVersionMatch",
    "sendInitialEvents",
    "timeoutSeconds",
];
const WATCH: &[&str] = &["allowWatchBookmarks", "watch"];
const DELETE: &[&str] = &[
    "dryRun",
    "gracePeriodSeconds",
    "ignoreStoreReadErrorWithClusterBreakingPotential",
    "orphanDependents",
    "propagationPolicy",
];
const WRITE: &[&str] = &["dryRun", "fieldManager", "fieldValidation"];
const PATCH: &[&str] = &["dryRun", "fieldManager", "fieldValidation", "force"];

/// The paths of a group version.
pub(super) fn paths(group: &str, version: &str, rows: &[&Resource]) -> Vec<Path> {
    let mut paths = vec![resource_list(group, version)];
    for row in rows {
        let of = Row { row, base: crate::discovery::path(group, version) };
        if row.namespaced && row.verbs.contains(&"list") {
            paths.push(of.all_namespaces());
        }
        paths.push(of.collection());
        paths.push(of.item());
        paths.extend(row.subresources.iter().map(|sub| of.subresource(sub)));
    }
    paths.retain(|path| !path.operations.is_empty());
    paths.sort_by(|a, b| a.path.cmp(&b.path));
    paths
}

fn resource_list(group: &str, version: &str) -> Path {
    let list = Operation {
        method: "get",
        id: format!("get{}APIResources", group_version(group, version)),
        description: "get available resources".to_owned(),
        tag: tag(group, version),
        action: None,
        parameters: Vec::new(),
        body: None,
        codes: OK,
        answer: format!("{META}APIResourceList"),
        streams: false,
    };
    Path {
        path: format!("{}/", crate::discovery::path(group, version)),
        parameters: Vec::new(),
        operations: vec![list],
    }
}

struct Row<'a> {
    row: &'a Resource,
    base: String,
}

impl Row<'_> {
    fn all_namespaces(&self) -> Path {
        let list = Operation { id: self.id("list", "", "ForAllNamespaces"), ..self.list() };
        path(format!("{}/{}", self.base, self.row.plural), vec![list], &[])
    }

    fn collection(&self) -> Path {
        let row = self.row;
        let kind = row.kind;
        let mut operations = Vec::new();
        if row.verbs.contains(&"list") {
            operations.push(self.list());
        }
        if row.verbs.contains(&"create") {
            operations.push(Operation {
                parameters: query("CreateOptions", WRITE),
                body: Some(Body::Object(row.definition)),
                codes: OK_CREATED_ACCEPTED,
                ..self.operation("post", "create", format!("create {}", with_article(kind)))
            });
        }
        if row.verbs.contains(&"deletecollection") {
            let mut parameters = query("ListOptions", LIST);
            parameters.extend(query("DeleteOptions", DELETE));
            operations.push(Operation {
                id: format!("delete{}Collection{}{kind}", group_version(row.group, row.version), self.scope()),
                parameters,
                body: Some(Body::Options),
                answer: format!("{META}Status"),
                ..self.operation("delete", "deletecollection", format!("delete collection of {kind}"))
            });
        }
        path(self.below(row.plural), operations, &self.place(None))
    }

    fn item(&self) -> Path {
        let row = self.row;
        let mut operations = Vec::new();
        if row.verbs.contains(&"get") {
            operations.push(self.operation("get", "read", format!("read the specified {}", row.kind)));
        }
        if row.verbs.contains(&"update") {
            operations.push(self.replace(row.definition, format!("replace the specified {}", row.kind)));
        }
        if row.verbs.contains(&"patch") {
            operations.push(self.patch(format!("partially update the specified {}", row.kind)));
        }
        if row.verbs.contains(&"delete") {
            let answer = if row.returns_deleted { row.definition.to_owned() } else { format!("{META}Status") };
            operations.push(Operation {
                parameters: query("DeleteOptions", DELETE),
                body: Some(Body::Options),
                codes: OK_ACCEPTED,
                answer,
                ..self.operation("delete", "delete", format!("delete {}", with_article(row.kind)))
            });
        }
        path(self.below(&format!("{}/{{name}}", row.plural)), operations, &self.place(Some(row.kind)))
    }

    fn subresource(&self, sub: &'static Subresource) -> Path {
        let (row, name) = (self.row, sub.name);
        let mut operations = Vec::new();
        if sub.verbs.contains(&"get") {
            operations.push(self.operation("get", "read", format!("read {name} of the specified {}", row.kind)));
        }
        if sub.verbs.contains(&"update") {
            operations.push(self.replace(sub.definition, format!("replace {name} of the specified {}", row.kind)));
        }
        if sub.verbs.contains(&"patch") {
            operations.push(self.patch(format!("partially update {name} of the specified {}", row.kind)));
        }
        if sub.verbs.contains(&"create") {
            operations.push(Operation {
                parameters: query("CreateOptions", WRITE),
                body: Some(Body::Object(sub.definition)),
                codes: OK_CREATED_ACCEPTED,
                ..self.operation("post", "create", format!("create {name} of {}", with_article(row.kind)))
            });
        }
        for operation in &mut operations {
            operation.id.push_str(&capital(name));
            operation.answer = sub.definition.to_owned();
            let kind = GroupVersionKind { group: sub.group, version: sub.version, kind: sub.kind.to_owned() };
            operation.action = operation.action.take().map(|(action, _)| (action, kind));
        }
        path(self.below(&format!("{}/{{name}}/{name}", row.plural)), operations, &self.place(Some(sub.kind)))
    }

    fn list(&self) -> Operation {
        let row = self.row;
        let mut parameters = query("ListOptions", LIST);
        if row.verbs.contains(&"watch") {
            parameters.extend(query("ListOptions", WATCH));
        }
        Operation {
            parameters,
            answer: format!("{}List", row.definition),
            streams: row.verbs.contains(&"watch"),
            ..self.operation("get", "list", format!("list or watch objects of kind {}", row.kind))
        }
    }

    fn replace(&self, definition: &'static str, description: String) -> Operation {
        Operation {
            parameters: query("UpdateOptions", WRITE),
            body: Some(Body::Object(definition)),
            codes: OK_CREATED,
            ..self.operation("put", "replace", description)
        }
    }

    fn patch(&self, description: String) -> Operation {
        Operation {
            parameters: query("PatchOptions", PATCH),
            body: Some(Body::Patch),
            codes: OK_CREATED,
            ..self.operation("patch", "patch", description)
        }
    }

    /// An operation that answers the object.
    fn operation(&self, method: &'static str, verb: &'static str, description: String) -> Operation {
        let row = self.row;
        let action = match verb {
            "list" | "deletecollection" => verb,
            _ => method,
        };
        let kind = GroupVersionKind { group: row.group, version: row.version, kind: row.kind.to_owned() };
        Operation {
            method,
            id: self.id(verb, self.scope(), ""),
            description,
            tag: tag(row.group, row.version),
            action: Some((action, kind)),
            parameters: Vec::new(),
            body: None,
            codes: OK,
            answer: row.definition.to_owned(),
            streams: false,
        }
    }

    fn id(&self, verb: &str, scope: &str, end: &str) -> String {
        format!("{verb}{}{scope}{}{end}", group_version(self.row.group, self.row.version), self.row.kind)
    }

    fn scope(&self) -> &'static str {
        if self.row.namespaced { "Namespaced" } else { "" }
    }

    fn below(&self, rest: &str) -> String {
        if self.row.namespaced {
            format!("{}/namespaces/{{namespace}}/{rest}", self.base)
        } else {
            format!("{}/{rest}", self.base)
        }
    }

    /// The parameters in the path.
    fn place(&self, named: Option<&str>) -> Vec<Parameter> {
        let parameter = |name, description| Parameter { name, place: "path", kind: "string", description };
        let name = named.map(|kind| parameter("name", format!("name of the {kind}")));
        let namespace = self.row.namespaced.then(|| parameter("namespace", "the namespace of the object".to_owned()));
        name.into_iter().chain(namespace).collect()
    }
}

/// A path with what its operations share drawn out of them.
fn path(path: String, mut operations: Vec<Operation>, place: &[Parameter]) -> Path {
    let mut shared: Vec<Parameter> = operations.first().map(|first| first.parameters.clone()).unwrap_or_default();
    shared.retain(|one| operations.iter().all(|operation| operation.parameters.contains(one)));
    for operation in &mut operations {
        operation.parameters.retain(|one| !shared.contains(one));
        operation.parameters.sort();
    }
    shared.extend_from_slice(place);
    let pretty =
        "If 'true', the answer is indented; the default is 'false' save for browsers, curl and wget.".to_owned();
    shared.push(Parameter { name: "pretty", place: "query", kind: "string", description: pretty });
    shared.sort();
    Path { path, parameters: shared, operations }
}

fn query(options: &str, names: &[&'static str]) -> Vec<Parameter> {
    let definition = format!("{META}{options}");
    let kind = |name: &str| match name {
        "limit" | "timeoutSeconds" | "gracePeriodSeconds" => "integer",
        "allowWatchBookmarks" | "watch" | "sendInitialEvents" | "force" | "orphanDependents" => "boolean",
        "ignoreStoreReadErrorWithClusterBreakingPotential" => "boolean",
        _ => "string",
    };
    let parameter =
        |name| Parameter { name, place: "query", kind: kind(name), description: words(&definition, name).description };
    names.iter().copied().map(parameter).collect()
}

/// `CoreV1`, `RbacAuthorizationV1`: how operation ids name a group version.
fn group_version(group: &str, version: &str) -> String {
    let group = if group.is_empty() { "core" } else { group.trim_end_matches(".k8s.io") };
    group.split('.').map(capital).chain([capital(version)]).collect()
}

/// `core_v1`, `rbacAuthorization_v1`
fn tag(group: &str, version: &str) -> String {
    let name = group_version(group, "");
    let (first, rest) = name.split_at(1);
    format!("{}{rest}_{version}", first.to_lowercase())
}

fn capital(word: &str) -> String {
    let mut characters = word.chars();
    characters.next().into_iter().flat_map(char::to_uppercase).chain(characters).collect()
}

fn with_article(kind: &str) -> String {
    match kind.chars().next() {
        _ if kind.ends_with("points") => kind.to_owned(),
        Some('A' | 'E' | 'I' | 'O' | 'U') => format!("an {kind}"),
        _ => format!("a {kind}"),
    }
}
