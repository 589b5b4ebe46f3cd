//! The table of resources: one row for each kind, at most one file of rules beside it.

use std::fmt;
use std::ops::Range;

use crate::field::FieldError;
use crate::meta::{MetaStyle, Repeats};
use crate::schema::TypeId;
use crate::value::Value;

mod configmap;
mod endpoints;
mod endpointslice;
mod event;
mod lease;
mod namespace;
mod node;
pub mod pod;
pub mod pod_template;
mod secret;
pub mod service;
mod serviceaccount;
mod table;

/// One row: everything that the generic verbs, discovery, OpenAPI and printing need to know of a kind.
pub struct Resource {
    /// API group; empty for core.
    pub group: &'static str,
    /// e.g. `v1`
    pub version: &'static str,
    /// e.g. `Secret`
    pub kind: &'static str,
    /// e.g. `secrets`
    pub plural: &'static str,
    /// e.g. `secret`
    pub singular: &'static str,
    /// e.g. `["cm"]`
    pub short_names: &'static [&'static str],
    /// e.g. `["all"]`
    pub categories: &'static [&'static str],
    /// Whether objects live in namespaces.
    pub namespaced: bool,
    /// The verbs of discovery, sorted as Kubernetes sorts them.
    pub verbs: &'static [&'static str],
    /// What lies below an object.
    pub subresources: &'static [Subresource],
    /// Columns of a Table (`kube-1.36/columns.json`).
    pub columns: &'static [Column],
    /// The storage path below `/registry/`, e.g. `secrets`, `services/specs`, `minions`.
    pub storage_prefix: &'static str,
    /// The OpenAPI definition of the kind, e.g. `io.k8s.api.core.v1.Secret`.
    pub definition: &'static str,
    /// Whether PUT to a missing object creates it (`AllowCreateOnUpdate`).
    pub create_on_update: bool,
    /// Whether PUT needs no resourceVersion (`AllowUnconditionalUpdate`).
    pub unconditional_update: bool,
    /// What a Warning header says on every request, where the kind is deprecated.
    pub deprecated: Option<&'static str>,
    /// Whether DELETE answers with the deleted object instead of a Status (`ReturnDeletedObject`).
    pub returns_deleted: bool,
    /// Where this is a second face of another row's stored objects: how to turn.
    pub conversion: Option<&'static Conversion>,
    /// The rules of the kind.
    pub rules: &'static dyn Rules,
}

/// A subresource as discovery shows it.
pub struct Subresource {
    /// e.g. `status`
    pub name: &'static str,
    /// Group of the kind of its body; empty for core.
    pub group: &'static str,
    /// Version of the kind of its body.
    pub version: &'static str,
    /// Kind of its body.
    pub kind: &'static str,
    /// Its verbs, sorted.
    pub verbs: &'static [&'static str],
    /// The OpenAPI definition of its body.
    pub definition: &'static str,
}

/// A column of a Table.
pub struct Column {
    /// e.g. `Name`
    pub name: &'static str,
    /// `string`, `integer`, `date`, ...
    pub kind: &'static str,
    /// `name` or empty.
    pub format: &'static str,
    /// 0 is always shown, more with `-o wide`.
    pub priority: i64,
    /// The description.
    pub description: &'static str,
}

/// How a face of a kind relates to the stored form.
pub struct Conversion {
    /// The `storage_prefix`, `group`, `version` and rules owner: the row that stores, as (group, plural).
    pub stored_as: (&'static str, &'static str),
    /// From the stored form to this face.
    pub from_stored: fn(Value) -> Value,
    /// From this face to the stored form.
    pub to_stored: fn(Value) -> Value,
}

/// Which part of an object a request may change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The object, through its main path.
    Whole,
    /// `/status`
    Status,
    /// Another subresource that holds the whole object, e.g. `finalize`, `ephemeralcontainers`, `resize`.
    Named(&'static str),
}

/// How a delete of this object goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grace {
    /// Deleted at once (unless finalizers hold it).
    None,
    /// Marked with deletionTimestamp and this grace period in seconds; 0 deletes at once.
    Seconds(i64),
}

/// A cell of a Table row. Ages are kept as times and printed when asked for.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// Text.
    Text(Box<str>),
    /// A number.
    Integer(i64),
    /// The time since this moment (seconds of Unix time); `None` prints `<unknown>`.
    Age(Option<i64>),
    /// Text around ages, e.g. `2 (5m ago)`: before, moment, after.
    AgeWithin(Box<str>, i64, Box<str>),
}

/// What a kind adds to the generic verbs: the counterpart of `rest.RESTCreateStrategy` and its siblings.
/// Pure: nothing here reads the clock, the store or other objects.
pub trait Rules: Sync {
    /// `pkg/apis/*/v1/defaults.go` and the conversions that come before (stringData, deprecated fields).
    /// Runs on every decoded object, create and update alike.
    fn default(&self, _object: &mut Value) {}

    /// `PrepareForCreate`, and the mutating admission that needs no other object. Generic metadata is set before.
    fn prepare_create(&self, _object: &mut Value) {}

    /// `Validate`, without ObjectMeta, which the registry checks for every kind by [`Rules::name_rule`].
    fn validate(&self, _object: &Value) -> Vec<FieldError> {
        Vec::new()
    }

    /// `PrepareForUpdate` of the part: puts back what this part may not change, bumps generation.
    fn prepare_update(&self, _part: Part, _new: &mut Value, _old: &Value) {}

    /// `ValidateUpdate` of the part, without ObjectMeta; it includes `validate` of the new object where Kubernetes does so.
    fn validate_update(&self, _part: Part, new: &Value, _old: &Value) -> Vec<FieldError> {
        self.validate(new)
    }

    /// `WarningsOnCreate` and `WarningsOnUpdate` (then `old` is given).
    fn warnings(&self, _new: &Value, _old: Option<&Value>) -> Vec<String> {
        Vec::new()
    }

    /// How names of this kind must look.
    fn name_rule(&self) -> NameRule {
        NameRule::DnsSubdomain
    }

    /// How `validate` of Kubernetes looks at ObjectMeta.
    fn meta_style(&self) -> MetaStyle {
        MetaStyle::Core
    }

    /// Which checks of ObjectMeta `validate_update` of Kubernetes repeats for this part.
    fn repeats(&self, _part: Part) -> Repeats {
        Repeats { update: true, create: true }
    }

    /// The fields that a field selector may name besides metadata.name and metadata.namespace, with their values.
    fn selectable(&self, _object: &Value) -> Vec<(&'static str, String)> {
        Vec::new()
    }

    /// The names in `selectable`, for refusing others.
    fn selectable_names(&self) -> &'static [&'static str] {
        &[]
    }

    /// The name in `selectable` of a field that selectors of this face call otherwise.
    fn field_alias(&self, _name: &str) -> Option<&'static str> {
        None
    }

    /// The cells of a Table row in the order of the columns.
    fn cells(&self, object: &Value) -> Vec<Cell> {
        vec![Cell::Text(object.name().into()), Cell::Age(crate::time::creation(object))]
    }

    /// `CheckGracefulDelete`: `asked` is gracePeriodSeconds of the options.
    fn grace(&self, _object: &Value, _asked: Option<i64>) -> Grace {
        Grace::None
    }

    /// Whether something besides `metadata.finalizers` keeps a deleted object, as `spec.finalizers` a Namespace.
    fn is_held(&self, _object: &Value) -> bool {
        false
    }

    /// What else changes when an object that is held gets its deletionTimestamp, as `status.phase` of a Namespace.
    fn mark_deleting(&self, _object: &mut Value) {}

    /// `GetResetFields`: paths that server-side apply and managedFields ignore for this part.
    fn reset_fields(&self, _part: Part) -> &'static [&'static [&'static str]] {
        &[]
    }
}

/// `apimachineryvalidation.NameIs...`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameRule {
    /// RFC 1123 subdomain, at most 253.
    DnsSubdomain,
    /// RFC 1123 label, at most 63.
    DnsLabel,
    /// RFC 1035 label, at most 63 (Services).
    Dns1035Label,
    /// A path segment (RBAC).
    PathSegment,
}

/// What the cache keeps of an object beside its bytes.
#[derive(Default)]
pub struct Summary {
    /// Labels, sorted by key.
    pub labels: Box<[(Box<str>, Box<str>)]>,
    /// Fields to select on, besides metadata.name and metadata.namespace.
    pub fields: Box<[(&'static str, Box<str>)]>,
    /// Cells of its Table row.
    pub cells: Box<[Cell]>,
    /// Where in the encoded bytes the value of `metadata` is.
    pub metadata: Range<usize>,
}

impl Resource {
    /// `v1` or `apps/v1`.
    pub fn api_version(&self) -> String {
        if self.group.is_empty() { self.version.to_owned() } else { format!("{}/{}", self.group, self.version) }
    }

    /// `secrets` or `deployments.apps`, as messages name it.
    pub fn qualified(&self) -> String {
        if self.group.is_empty() { self.plural.to_owned() } else { format!("{}.{}", self.plural, self.group) }
    }

    /// The subresource of this name.
    pub fn subresource(&self, name: &str) -> Option<&'static Subresource> {
        self.subresources.iter().find(|one| one.name == name)
    }

    /// The schema type of the kind.
    pub fn type_id(&self) -> TypeId {
        crate::generated::schema().lookup(self.definition).unwrap_or(TypeId(0))
    }
}

impl fmt::Debug for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Resource({} {})", self.api_version(), self.plural)
    }
}

/// All rows, in the order of discovery.
pub fn all() -> &'static [&'static Resource] {
    table::ROWS
}

/// The row of this group, version and plural name.
pub fn find(group: &str, version: &str, plural: &str) -> Option<&'static Resource> {
    all().iter().copied().find(|row| row.group == group && row.version == version && row.plural == plural)
}

/// What the cache keeps of an object; `metadata` is where its encoded form has the value of `metadata`.
pub fn summary(resource: &Resource, object: &Value, metadata: Range<usize>) -> Summary {
    let text = |value: &Value| value.as_str().unwrap_or_default().into();
    let labels = object.entries(&["metadata", "labels"]).map(|(key, value)| (key.as_str().into(), text(value)));
    let fields = resource.rules.selectable(object).into_iter().map(|(name, value)| (name, value.into_boxed_str()));
    Summary {
        labels: labels.collect(),
        fields: fields.collect(),
        cells: resource.rules.cells(object).into_boxed_slice(),
        metadata,
    }
}

/// Where a field selector finds this field: metadata.name, metadata.namespace or a name in the [`Summary`].
/// The error is the message of the Status (400) of Kubernetes: one text for kinds with selectable fields of their
/// own, another for the rest.
pub fn check_field_label<'a>(resource: &Resource, name: &'a str) -> Result<&'a str, String> {
    let own = resource.rules.selectable_names();
    if own.contains(&name) || name == "metadata.name" {
        return Ok(name);
    }
    if let Some(alias) = resource.rules.field_alias(name) {
        return Ok(alias);
    }
    if name == "metadata.namespace" && (own.is_empty() || resource.namespaced) {
        return Ok(name);
    }
    if own.is_empty() {
        let only = r#"only "metadata.name", "metadata.namespace""#;
        return Err(format!("{} is not a known field selector: {only}", crate::field::quote(name)));
    }
    Err(format!("field label not supported: {name}"))
}

#[cfg(test)]
mod tests;
