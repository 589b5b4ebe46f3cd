//! How server-side apply sees the type of a value: what is owned as a whole, and what by parts.

use crate::apply::element;
use crate::schema::{Field, Schema, Shape, Topology, Type, TypeId};
use crate::value::{Map, Value};

/// A position in the schema.
#[derive(Clone, Copy)]
pub(super) struct Place<'s> {
    schema: &'s Schema,
    shape: &'s Shape,
    topology: &'s Topology,
}

/// How a value is owned.
#[derive(Clone, Copy)]
pub(super) enum Kind<'s> {
    /// As one value: scalars, atomic lists and maps.
    Leaf,
    /// By the fields of a type.
    Fields(&'s Type),
    /// By the entries of a map.
    Entries(Place<'s>),
    /// By the items of a list.
    Items(List<'s>),
}

/// A list that is owned by its items.
#[derive(Clone, Copy)]
pub(super) struct List<'s> {
    /// The place of the items.
    pub(super) items: Place<'s>,
    /// The keys that tell items apart; none in a set.
    pub(super) keys: Option<&'s [String]>,
}

/// Any JSON.
static ANY: Shape = Shape::Any;

impl<'s> Place<'s> {
    /// The position of a whole object.
    pub(super) fn root(schema: &'s Schema, shape: &'s Shape) -> Self {
        Self { schema, shape, topology: &Topology::Default }
    }

    /// The shape here.
    pub(super) fn shape(self) -> &'s Shape {
        self.shape
    }

    /// A type of the schema.
    pub(super) fn get(self, id: TypeId) -> &'s Type {
        self.schema.get(id)
    }

    /// The position of a field of a type.
    pub(super) fn field(self, field: &'s Field) -> Self {
        Self { shape: &field.shape, topology: &field.topology, ..self }
    }

    /// The position of entries or items of this shape.
    pub(super) fn inner(self, shape: &'s Shape) -> Self {
        Self { shape, topology: &Topology::Default, ..self }
    }

    /// Whether values here have the fields of a type.
    pub(super) fn is_struct(self) -> bool {
        matches!(self.shape, Shape::Ref(_))
    }

    /// The position one step of a path further, as far as the schema knows it.
    pub(super) fn step(self, step: &str) -> Option<Self> {
        match (self.shape, step.strip_prefix("f:")) {
            (Shape::Ref(id), Some(name)) => self.schema.get(*id).field(name).map(|field| self.field(field)),
            (Shape::Map(inner), Some(_)) | (Shape::List(inner), None) => Some(self.inner(inner)),
            (Shape::Any, Some(_)) => Some(self.inner(&ANY)),
            _ => None,
        }
    }

    /// How a value here is owned. Free JSON is owned by what it is.
    pub(super) fn kind(self, value: &Value) -> Kind<'s> {
        match (self.shape, self.topology) {
            (_, Topology::Atomic) => Kind::Leaf,
            (Shape::Ref(id), topology) => match self.schema.get(*id) {
                fields if fields.atomic && *topology != Topology::Granular => Kind::Leaf,
                fields => Kind::Fields(fields),
            },
            (Shape::Map(inner), _) => Kind::Entries(self.inner(inner)),
            (Shape::List(inner), Topology::Set) => Kind::Items(List { items: self.inner(inner), keys: None }),
            (Shape::List(inner), Topology::Map(keys)) => {
                Kind::Items(List { items: self.inner(inner), keys: Some(keys) })
            }
            (Shape::Any, _) if value.as_object().is_some() => Kind::Entries(self.inner(&ANY)),
            _ => Kind::Leaf,
        }
    }
}

impl List<'_> {
    /// The step to an item of this list.
    pub(super) fn step(&self, item: &Value) -> Result<String, String> {
        let Some(names) = self.keys else {
            return match item {
                Value::Object(_) => Err("associative list without keys has an element that's a map type".to_owned()),
                Value::List(_) => Err("not supported: associative list with lists as elements".to_owned()),
                Value::Null => Err("associative list without keys has an element that's an explicit null".to_owned()),
                scalar => Ok(element::item(scalar)),
            };
        };
        let fields = match item {
            Value::Object(fields) => fields,
            Value::Null => return Err("associative list with keys may not have a null element".to_owned()),
            _ => return Err("associative list with keys may not have non-map elements".to_owned()),
        };
        let mut keys = Map::new();
        for name in names {
            let value = fields.get(name).or_else(|| self.default(name)).ok_or_else(|| {
                format!("associative list with keys has an element that omits key field {name:?} (and doesn't have default value)")
            })?;
            keys.insert(name.clone(), value.clone());
        }
        Ok(element::keys(&keys))
    }

    /// The default of a key.
    fn default(&self, name: &str) -> Option<&Value> {
        let Shape::Ref(id) = self.items.shape else { return None };
        self.items.schema.get(*id).field(name)?.default.as_ref()
    }
}
