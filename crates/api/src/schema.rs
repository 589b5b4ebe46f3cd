//! The schema table: every type that the API serves or nests, as data.
//!
//! One table drives strict decoding, pruning, strategic merge, server-side apply, `kubectl explain` and the
//! protobuf codec. Its content is generated (`generated/`), see `cargo xtask generate`.

use std::collections::HashMap;

use crate::value::Value;

/// An index into [`Schema`]'s types.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TypeId(pub u16);

/// The table.
#[derive(Default)]
pub struct Schema {
    types: Vec<Type>,
    by_name: HashMap<String, TypeId>,
}

/// An object type, e.g. `io.k8s.api.core.v1.Secret`.
#[derive(Default)]
pub struct Type {
    /// The OpenAPI definition name.
    pub name: String,
    /// The name of the Go struct, as decoding errors print it, e.g. `Secret`.
    pub go_name: String,
    /// The fields, sorted by name.
    pub fields: Vec<Field>,
    /// Whether server-side apply owns it as one value (`x-kubernetes-map-type: atomic`).
    pub atomic: bool,
}

/// A field of a [`Type`].
pub struct Field {
    /// The JSON name.
    pub name: String,
    /// What it holds.
    pub shape: Shape,
    /// The number of the protobuf field; 0 if it has none.
    pub number: u32,
    /// The numbers of the messages around it, where Go inlines a struct that protobuf nests; else empty.
    pub within: Box<[u32]>,
    /// Whether the innermost list is a protobuf message of its own whose field 1 repeats (`ExtraValue`, `Verbs`).
    pub wrapped: bool,
    /// Which zero values Go's encoder leaves out.
    pub presence: Presence,
    /// Whether OpenAPI lists it as required.
    pub required: bool,
    /// How server-side apply owns a list or map in this field.
    pub topology: Topology,
    /// How a strategic merge patch treats this field.
    pub patch: Patch,
    /// The Go type as errors of decoding print it, where it is not plain from the shape, e.g. `v1.SecretType`.
    pub go_type: Option<Box<str>>,
    /// The default that the schema states; also the zero value of scalars that are always written.
    pub default: Option<Value>,
}

/// How a field behaves when it holds the zero value of its Go type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Presence {
    /// Go pointer (or optional interface): absent and zero differ; what was given is kept.
    Pointer,
    /// `omitempty` on a plain type (or `omitzero`): a zero value, an empty list or an empty map is the same as
    /// absent and is left out.
    #[default]
    OmitEmpty,
    /// Always written: an absent struct as `{}`, a scalar as its zero value, a nil list as `null`.
    Always,
}

/// The type of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shape {
    /// Go `string`, also of named string types.
    String,
    /// Go `int32`
    Int32,
    /// Go `int64`
    Int64,
    /// Go `float64`
    Float,
    /// Go `bool`
    Bool,
    /// Go `[]byte`
    Bytes,
    /// `metav1.Time`
    Time,
    /// `metav1.MicroTime`
    MicroTime,
    /// `metav1.Duration`
    Duration,
    /// `resource.Quantity`
    Quantity,
    /// `intstr.IntOrString`
    IntOrString,
    /// Any JSON: `FieldsV1`, `runtime.RawExtension`
    Any,
    /// A list.
    List(Box<Shape>),
    /// A map from text.
    Map(Box<Shape>),
    /// An object of another type.
    Ref(TypeId),
}

/// `x-kubernetes-list-type` and `x-kubernetes-map-type` of a field.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Topology {
    /// Lists: atomic (the default of lists); maps and objects: granular (the default of theirs).
    #[default]
    Default,
    /// Owned as one value.
    Atomic,
    /// Owned field by field, even where the type is atomic.
    Granular,
    /// A list whose items are owned by value.
    Set,
    /// A list whose items are owned by these keys.
    Map(Vec<String>),
}

/// Tags `patchStrategy` and `patchMergeKey`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Patch {
    /// `merge`
    pub merge: bool,
    /// `replace`
    pub replace: bool,
    /// `retainKeys`
    pub retain_keys: bool,
    /// The key by which items of a merged list are paired.
    pub merge_key: Option<String>,
}

impl Schema {
    /// The type of this index.
    pub fn get(&self, id: TypeId) -> &Type {
        #[expect(clippy::indexing_slicing, reason = "a TypeId is only made by add() or lookup() of the same table")]
        &self.types[usize::from(id.0)]
    }

    /// The type of this OpenAPI definition name.
    pub fn lookup(&self, name: &str) -> Option<TypeId> {
        self.by_name.get(name).copied()
    }

    /// Adds a type whose fields may refer to types that are added later.
    pub fn add(&mut self, mut new: Type) -> TypeId {
        new.fields.sort_by(|a, b| a.name.cmp(&b.name));
        let id = TypeId(u16::try_from(self.types.len()).unwrap_or(u16::MAX));
        self.by_name.insert(new.name.clone(), id);
        self.types.push(new);
        id
    }

    /// All types.
    pub fn types(&self) -> impl Iterator<Item = (TypeId, &Type)> {
        (0..).map(TypeId).zip(&self.types)
    }
}

impl Type {
    /// The field of this JSON name.
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.binary_search_by(|field| field.name.as_str().cmp(name)).ok().and_then(|at| self.fields.get(at))
    }
}
