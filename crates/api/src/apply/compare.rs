//! What differs between two versions of an object.

use std::collections::BTreeMap;

use crate::apply::element;
use crate::apply::extract::{group, whole};
use crate::apply::fields::{FieldSet, Node};
use crate::apply::place::{Kind, List, Place};
use crate::schema::{Field, Presence, Shape};
use crate::value::{Map, Value};

/// The differences.
#[derive(Default)]
pub(super) struct Difference {
    /// Paths that came or have another value.
    pub(super) changed: FieldSet,
    /// Paths that went.
    pub(super) removed: FieldSet,
}

/// The same below one step.
#[derive(Default)]
struct Change {
    changed: Node,
    removed: Node,
}

impl Difference {
    /// Compares two objects of one type.
    pub(super) fn between(place: Place<'_>, old: &Value, new: &Value) -> Result<Self, String> {
        let Change { changed, removed } = compare(place, old, new)?;
        Ok(Self { changed: changed.below, removed: removed.below })
    }

    /// Whether the objects are equal.
    pub(super) fn is_none(&self) -> bool {
        self.changed.is_empty() && self.removed.is_empty()
    }

    /// Leaves out these fields and all below them.
    pub(super) fn leave_out(&mut self, fields: &FieldSet) {
        self.changed.subtract_all_below(fields);
        self.removed.subtract_all_below(fields);
    }

    fn insert(&mut self, step: String, change: Change) {
        if !change.removed.owned && change.removed.below.is_empty() {
            self.changed.insert(step, change.changed);
        } else {
            self.changed.insert(step.clone(), change.changed);
            self.removed.insert(step, change.removed);
        }
    }
}

impl Change {
    fn leaf(old: &Value, new: &Value) -> Self {
        if old == new { Self::default() } else { Self { changed: Node::leaf(), ..Self::default() } }
    }

    fn added(node: Node) -> Self {
        Self { changed: node, ..Self::default() }
    }

    fn removed(node: Node) -> Self {
        Self { removed: node, ..Self::default() }
    }
}

impl From<Difference> for Change {
    fn from(below: Difference) -> Self {
        Self {
            changed: Node { owned: false, below: below.changed },
            removed: Node { owned: false, below: below.removed },
        }
    }
}

fn compare(place: Place<'_>, old: &Value, new: &Value) -> Result<Change, String> {
    static NOTHING: Map = Map::new();
    let of_new = place.kind(new);
    let kind = if matches!(of_new, Kind::Leaf) { place.kind(old) } else { of_new };
    match kind {
        // Two empty or absent values are one leaf: null and empty may differ.
        Kind::Fields(_) | Kind::Entries(_) | Kind::Items(_) if is_empty(old) && is_empty(new) => {
            Ok(Change::leaf(old, new))
        }
        Kind::Leaf => Ok(Change::leaf(old, new)),
        Kind::Fields(_) | Kind::Entries(_) => {
            let (old, new) = (old.as_object().unwrap_or(&NOTHING), new.as_object().unwrap_or(&NOTHING));
            compare_maps(place, kind, old, new).map(Change::from)
        }
        Kind::Items(list) => {
            let (old, new) = (old.as_list().unwrap_or_default(), new.as_list().unwrap_or_default());
            compare_lists(list, old, new).map(Change::from)
        }
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Object(fields) => fields.is_empty(),
        Value::List(items) => items.is_empty(),
        Value::Null => true,
        _ => false,
    }
}

/// Walks two sorted maps side by side.
fn compare_maps(place: Place<'_>, kind: Kind<'_>, old: &Map, new: &Map) -> Result<Difference, String> {
    let mut difference = Difference::default();
    let (mut olds, mut news) = (old.iter().peekable(), new.iter().peekable());
    loop {
        let name = match (olds.peek(), news.peek()) {
            (None, None) => return Ok(difference),
            (Some((old, _)), Some((new, _))) => std::cmp::min(*old, *new),
            (Some((name, _)), None) | (None, Some((name, _))) => name,
        };
        let old = olds.next_if(|(one, _)| *one == name).map(|(_, value)| value);
        let new = news.next_if(|(one, _)| *one == name).map(|(_, value)| value);
        let change = match kind {
            Kind::Fields(fields) => match fields.field(name) {
                Some(field) => compare_field(place, field, old, new)?,
                None => continue,
            },
            Kind::Entries(inner) => compare_parts(inner, old, new)?,
            _ => continue,
        };
        difference.insert(element::field(name), change);
    }
}

/// A field that is always written is never absent: its zero value stands in.
fn compare_field(place: Place<'_>, field: &Field, old: Option<&Value>, new: Option<&Value>) -> Result<Change, String> {
    let place = place.field(field);
    match (field.presence, old, new) {
        (Presence::Always, None, Some(new)) => compare(place, &zero(field), new),
        (Presence::Always, Some(old), None) => compare(place, old, &zero(field)),
        _ => compare_parts(place, old, new),
    }
}

fn compare_parts(place: Place<'_>, old: Option<&Value>, new: Option<&Value>) -> Result<Change, String> {
    match (old, new) {
        (Some(old), Some(new)) => compare(place, old, new),
        (None, Some(new)) => whole(place, new).map(Change::added),
        (Some(old), None) => whole(place, old).map(Change::removed),
        (None, None) => Ok(Change::default()),
    }
}

/// What a field that is always written holds when nothing was set.
fn zero(field: &Field) -> Value {
    match field.shape {
        Shape::Ref(_) => Value::object(),
        Shape::Bool => Value::Bool(false),
        Shape::Int32 | Shape::Int64 | Shape::Float | Shape::IntOrString => Value::Integer(0),
        Shape::String => Value::String(String::new()),
        _ => Value::Null,
    }
}

fn compare_lists(list: List<'_>, old: &[Value], new: &[Value]) -> Result<Difference, String> {
    let mut difference = Difference::default();
    let mut olds: BTreeMap<_, _> = group(list, old)?;
    for (step, new) in group(list, new)? {
        let old = olds.remove(&step).unwrap_or_default();
        difference.insert(step, compare_items(list, &old, &new)?);
    }
    for (step, old) in olds {
        difference.insert(step, compare_items(list, &old, &[])?);
    }
    Ok(difference)
}

/// Items of one identity: one of each is the rule, duplicates are compared as a whole.
fn compare_items(list: List<'_>, old: &[&Value], new: &[&Value]) -> Result<Change, String> {
    let alone =
        |items: &[&Value]| items.first().map(|item| whole(list.items, item)).transpose().map(Option::unwrap_or_default);
    match (old, new) {
        ([] | [_], [] | [_]) => compare_parts(list.items, old.first().copied(), new.first().copied()),
        ([_, _, ..], [_, _, ..]) if old == new => Ok(Change::default()),
        ([_, _, ..], [_, _, ..]) => Ok(Change::added(Node::leaf())),
        ([_, _, ..], _) => Ok(Change { changed: alone(new)?, removed: Node::leaf() }),
        (_, _) => Ok(Change { changed: Node::leaf(), removed: alone(old)? }),
    }
}
