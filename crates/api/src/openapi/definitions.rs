//! The schemas of types, as OpenAPI 2 and 3 write them, with the extensions of Kubernetes.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::GroupVersionKind;
use crate::discovery::set;
use crate::generated::{self, Words, words};
use crate::schema::{Field, Presence, Shape, Topology, Type};

const META: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.";
const APIEXTENSIONS: &str = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.";

/// The two forms of a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    V2,
    V3,
}

impl Dialect {
    fn prefix(self) -> &'static str {
        match self {
            Self::V2 => "#/definitions/",
            Self::V3 => "#/components/schemas/",
        }
    }

    /// A reference to a definition.
    pub(super) fn reference(self, definition: &str) -> Value {
        json!({"$ref": format!("{}{definition}", self.prefix())})
    }
}

/// Definitions that are reachable from some roots.
pub(super) struct Definitions<'a> {
    dialect: Dialect,
    /// Which kinds a definition is served as.
    kinds: &'a BTreeMap<String, Vec<GroupVersionKind>>,
    pending: Vec<String>,
    done: Map<String, Value>,
}

impl<'a> Definitions<'a> {
    /// The definitions that these lead to.
    pub(super) fn reachable<'r>(
        dialect: Dialect,
        kinds: &'a BTreeMap<String, Vec<GroupVersionKind>>,
        roots: impl Iterator<Item = &'r str>,
    ) -> Map<String, Value> {
        let mut all = Self { dialect, kinds, pending: roots.map(str::to_owned).collect(), done: Map::new() };
        while let Some(name) = all.pending.pop() {
            if !all.done.contains_key(&name) {
                let definition = all.definition(&name);
                all.done.insert(name, definition);
            }
        }
        all.done
    }

    fn definition(&mut self, name: &str) -> Value {
        let schema = generated::schema();
        let mut definition = match schema.lookup(name) {
            Some(id) => self.object(schema.get(id)),
            None => leaf(self.dialect, name),
        };
        let description = words(name, "").description;
        if !description.is_empty() {
            set(&mut definition, "description", description);
        }
        if let Some(kinds) = self.kinds.get(name) {
            let kinds: Vec<Value> = kinds.iter().map(GroupVersionKind::json).collect();
            set(&mut definition, "x-kubernetes-group-version-kind", kinds);
        }
        definition
    }

    fn object(&mut self, of: &Type) -> Value {
        let mut definition = json!({"type": "object"});
        let properties: Map<String, Value> =
            of.fields.iter().map(|field| (field.name.clone(), self.property(of, field))).collect();
        if !properties.is_empty() {
            set(&mut definition, "properties", properties);
        }
        let required: Vec<&str> =
            of.fields.iter().filter(|field| field.required).map(|field| field.name.as_str()).collect();
        if !required.is_empty() {
            set(&mut definition, "required", required);
        }
        if of.atomic {
            set(&mut definition, "x-kubernetes-map-type", "atomic");
        }
        definition
    }

    fn property(&mut self, of: &Type, field: &Field) -> Value {
        let words = words(&of.name, &field.name);
        let mut property = self.shape(&field.shape, field, &words.values);
        if !words.description.is_empty() || self.default_of(field).is_some() {
            property = self.wrapped(property);
        }
        if let (Some(default), Dialect::V3) = (self.default_of(field), self.dialect) {
            set(&mut property, "default", default);
        }
        self.describe(&mut property, words);
        extend(&mut property, field);
        property
    }

    fn describe(&self, property: &mut Value, words: Words) {
        if !words.description.is_empty() {
            set(property, "description", words.description);
        }
    }

    /// OpenAPI 3 allows nothing beside `$ref`.
    fn wrapped(&self, schema: Value) -> Value {
        if self.dialect == Dialect::V3 && schema.get("$ref").is_some() { json!({"allOf": [schema]}) } else { schema }
    }

    fn default_of(&self, field: &Field) -> Option<Value> {
        match (&field.default, &field.shape) {
            (Some(default), _) => Some(plain(default)),
            (None, Shape::Ref(_)) if field.presence != Presence::Pointer => Some(json!({})),
            _ => None,
        }
    }

    fn shape(&mut self, shape: &Shape, field: &Field, values: &[&str]) -> Value {
        let scalar = |kind: &str, format: &str| json!({"type": kind, "format": format});
        match shape {
            Shape::String if values.is_empty() => json!({"type": "string"}),
            Shape::String => json!({"type": "string", "enum": values}),
            Shape::Int32 => scalar("integer", "int32"),
            Shape::Int64 => scalar("integer", "int64"),
            Shape::Float => scalar("number", "double"),
            Shape::Bool => json!({"type": "boolean"}),
            Shape::Bytes => scalar("string", "byte"),
            Shape::Time => self.reference(&format!("{META}Time")),
            Shape::MicroTime => self.reference(&format!("{META}MicroTime")),
            Shape::Duration => self.reference(&format!("{META}Duration")),
            Shape::Quantity => self.reference("io.k8s.apimachinery.pkg.api.resource.Quantity"),
            Shape::IntOrString => self.reference("io.k8s.apimachinery.pkg.util.intstr.IntOrString"),
            Shape::Any => any_definition(field).map_or_else(|| json!({"type": "object"}), |name| self.reference(&name)),
            Shape::List(items) => json!({"type": "array", "items": self.item(items, field, values)}),
            Shape::Map(items) => json!({"type": "object", "additionalProperties": self.item(items, field, values)}),
            Shape::Ref(id) => self.reference(&generated::schema().get(*id).name),
        }
    }

    /// Items state the zero value of their type as default.
    fn item(&mut self, shape: &Shape, field: &Field, values: &[&str]) -> Value {
        let mut item = self.shape(shape, field, values);
        let default = match shape {
            Shape::String => json!(""),
            Shape::Int32 | Shape::Int64 | Shape::Float => json!(0),
            Shape::Bool => json!(false),
            Shape::Ref(_) => json!({}),
            _ => return item,
        };
        if self.dialect == Dialect::V3 {
            item = self.wrapped(item);
            set(&mut item, "default", default);
        }
        item
    }

    fn reference(&mut self, definition: &str) -> Value {
        self.pending.push(definition.to_owned());
        self.dialect.reference(definition)
    }
}

/// The definition of a type that holds any JSON, by its Go name.
fn any_definition(field: &Field) -> Option<String> {
    let name = field.go_type.as_deref()?.rsplit([']', '*']).next()?;
    match name {
        "runtime.RawExtension" => Some("io.k8s.apimachinery.pkg.runtime.RawExtension".to_owned()),
        "v1.FieldsV1" => Some(format!("{META}FieldsV1")),
        "v1.JSONSchemaDependencies" => Some(format!("{APIEXTENSIONS}JSONSchemaPropsOrStringArray")),
        json => json.strip_prefix("v1.JSON").map(|rest| format!("{APIEXTENSIONS}JSON{rest}")),
    }
}

/// Types with an encoding of their own.
fn leaf(dialect: Dialect, name: &str) -> Value {
    let v3 = dialect == Dialect::V3;
    match name.rsplit('.').next().unwrap_or_default() {
        "Time" | "MicroTime" => json!({"type": "string", "format": "date-time"}),
        "Quantity" if v3 => json!({"oneOf": [{"type": "string"}, {"type": "number"}]}),
        "IntOrString" if v3 => json!({"format": "int-or-string", "oneOf": [{"type": "integer"}, {"type": "string"}]}),
        "IntOrString" => json!({"type": "string", "format": "int-or-string"}),
        "Duration" | "Quantity" => json!({"type": "string"}),
        "RawExtension" | "FieldsV1" => json!({"type": "object"}),
        _ => json!({}),
    }
}

fn extend(property: &mut Value, field: &Field) {
    let is_list = matches!(field.shape, Shape::List(_));
    let kind = if is_list { "x-kubernetes-list-type" } else { "x-kubernetes-map-type" };
    match &field.topology {
        Topology::Default => {}
        Topology::Atomic => set(property, kind, "atomic"),
        Topology::Granular => set(property, kind, "granular"),
        Topology::Set => set(property, kind, "set"),
        Topology::Map(keys) => {
            set(property, kind, "map");
            set(property, "x-kubernetes-list-map-keys", keys.as_slice());
        }
    }
    let named =
        [(field.patch.merge, "merge"), (field.patch.replace, "replace"), (field.patch.retain_keys, "retainKeys")];
    let strategies: Vec<&str> = named.into_iter().filter(|(on, _)| *on).map(|(_, name)| name).collect();
    if !strategies.is_empty() {
        set(property, "x-kubernetes-patch-strategy", strategies.join(","));
    }
    if let Some(key) = &field.patch.merge_key {
        set(property, "x-kubernetes-patch-merge-key", key.as_str());
    }
}

/// A default as JSON.
fn plain(value: &crate::value::Value) -> Value {
    use crate::value::Value as Tree;
    match value {
        Tree::Bool(value) => json!(value),
        Tree::Integer(value) => json!(value),
        Tree::Float(value) => json!(value),
        Tree::String(value) => json!(value),
        Tree::List(items) => items.iter().map(plain).collect(),
        Tree::Object(fields) => fields.iter().map(|(name, field)| (name.clone(), plain(field))).collect(),
        Tree::Null | Tree::Bytes(_) => Value::Null,
    }
}
