//! Removing what an applier no longer applies and nobody else owns.

use crate::apply::extract::stated;
use crate::apply::fields::{FieldSet, Node};
use crate::apply::managers::Managers;
use crate::apply::place::{Kind, Place};
use crate::value::Value;

/// Takes from the merged object what was applied last time and is owned no more.
///
/// `managers` has the applier's new fields already.
pub(super) fn prune(place: Place<'_>, merged: Value, last: &FieldSet, managers: &Managers) -> Result<Value, String> {
    if last.is_empty() {
        return Ok(merged);
    }
    let last = with_named(place, last);
    let before = with_named(place, &stated(place, &merged)?.below);
    let kept = remove(place, merged.clone(), &last);
    let owned = managers.iter().fold(FieldSet::default(), |all, (_, one)| all.union(one.fields.clone()));
    let owned = with_named(place, &owned);

    // What others own comes back, ...
    let mut unowned = before.clone();
    unowned.subtract(&with_named(place, &stated(place, &kept)?.below));
    unowned.subtract(&owned);
    let kept = remove(place, merged.clone(), &unowned);

    // ... and so does what nobody owned, unless it was this applier's.
    let mut gone = before;
    gone.subtract(&with_named(place, &stated(place, &kept)?.below));
    Ok(remove(place, merged, &gone.intersection(&last)))
}

/// The set with the fields of types that lead to its paths: owning `spec.x` is owning `spec`, when it comes to removal.
fn with_named(place: Place<'_>, set: &FieldSet) -> FieldSet {
    let mut named = FieldSet::default();
    for (step, node) in set.iter() {
        let inner = place.step(step);
        let leads = inner.is_some() && place.is_struct() && !node.below.is_empty();
        let below = inner.map_or_else(|| node.below.clone(), |inner| with_named(inner, &node.below));
        named.insert(step.clone(), Node { owned: node.owned || leads, below });
    }
    named
}

/// Removes these paths. What has nothing left becomes null, so that its owners keep owning it.
fn remove(place: Place<'_>, value: Value, gone: &FieldSet) -> Value {
    if gone.is_empty() {
        return value;
    }
    match (place.kind(&value), value) {
        (Kind::Fields(_) | Kind::Entries(_), Value::Object(fields)) if !fields.is_empty() => {
            let left = fields.into_iter().filter_map(|(name, value)| {
                let step = super::element::field(&name);
                let value = match (gone.get(&step), place.step(&step)) {
                    (Some(node), _) if node.owned => return None,
                    (Some(node), Some(inner)) => remove(inner, value, &node.below),
                    _ => value,
                };
                Some((name, value))
            });
            or_null(Value::Object(left.collect()))
        }
        (Kind::Items(list), Value::List(items)) if !items.is_empty() => {
            let left = items.into_iter().filter_map(|item| {
                let Ok(step) = list.step(&item) else { return Some(item) };
                match gone.get(&step) {
                    Some(node) if node.owned => None,
                    Some(node) => Some(remove(list.items, item, &node.below)),
                    None => Some(item),
                }
            });
            or_null(Value::List(left.collect()))
        }
        (_, value) => value,
    }
}

fn or_null(value: Value) -> Value {
    match &value {
        Value::Object(fields) if fields.is_empty() => Value::Null,
        Value::List(items) if items.is_empty() => Value::Null,
        _ => value,
    }
}
