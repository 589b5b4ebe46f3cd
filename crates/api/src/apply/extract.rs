//! The set of fields that an object has.

use std::collections::BTreeMap;

use crate::apply::fields::{FieldSet, Node};
use crate::apply::place::{Kind, List, Place};
use crate::value::Value;

/// The fields that this object states, as an applied configuration owns them: objects only by what is in them.
pub(super) fn stated(place: Place<'_>, value: &Value) -> Result<Node, String> {
    let mut below = FieldSet::default();
    match (place.kind(value), value) {
        (Kind::Leaf, _) => return Ok(Node::leaf()),
        (Kind::Fields(fields), Value::Object(entries)) => {
            for (name, value) in entries {
                let Some(field) = fields.field(name) else { continue };
                let mut node = stated(place.field(field), value)?;
                node.owned |= is_nothing(value);
                below.insert(super::element::field(name), node);
            }
        }
        (Kind::Entries(inner), Value::Object(entries)) => {
            for (name, value) in entries {
                let node = stated(inner, value)?;
                below.insert(super::element::field(name), Node { owned: true, ..node });
            }
        }
        (Kind::Items(list), Value::List(items)) => {
            for (step, items) in group(list, items)? {
                below.insert(step, one_item(&items, |item| stated(list.items, item))?);
            }
        }
        _ => {}
    }
    Ok(Node { owned: false, below })
}

/// Every path that comes to be when this value is added where nothing was: objects and lists themselves too.
pub(super) fn whole(place: Place<'_>, value: &Value) -> Result<Node, String> {
    let mut below = FieldSet::default();
    match (place.kind(value), value) {
        (Kind::Fields(fields), Value::Object(entries)) => {
            for (name, value) in entries {
                let Some(field) = fields.field(name) else { continue };
                below.insert(super::element::field(name), whole(place.field(field), value)?);
            }
        }
        (Kind::Entries(inner), Value::Object(entries)) => {
            for (name, value) in entries {
                below.insert(super::element::field(name), whole(inner, value)?);
            }
        }
        (Kind::Items(list), Value::List(items)) => {
            for (step, items) in group(list, items)? {
                below.insert(step, one_item(&items, |item| whole(list.items, item))?);
            }
        }
        _ => {}
    }
    Ok(Node { owned: true, below })
}

/// The items of a list by their steps; well-behaved lists have one of each.
pub(super) fn group<'v>(list: List<'_>, items: &'v [Value]) -> Result<BTreeMap<String, Vec<&'v Value>>, String> {
    let mut groups: BTreeMap<String, Vec<&Value>> = BTreeMap::new();
    for (at, item) in items.iter().enumerate() {
        let step = list.step(item).map_err(|error| format!("element {at}: {error}"))?;
        groups.entry(step).or_default().push(item);
    }
    Ok(groups)
}

/// Duplicates are owned as one, without what is in them.
fn one_item(items: &[&Value], set: impl Fn(&Value) -> Result<Node, String>) -> Result<Node, String> {
    match items {
        [item] => Ok(Node { owned: true, ..set(item)? }),
        _ => Ok(Node::leaf()),
    }
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Object(fields) => fields.is_empty(),
        _ => false,
    }
}
