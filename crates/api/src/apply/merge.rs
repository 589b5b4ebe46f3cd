//! Merging an applied configuration into an object.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::apply::place::{Kind, List, Place};
use crate::value::{Map, Value};

/// The object with the configuration's values in it. Granular maps and lists are joined, everything else is replaced.
pub(super) fn merge(place: Place<'_>, live: Value, config: Value) -> Result<Value, String> {
    match (place.kind(&config), live, config) {
        (Kind::Fields(fields), Value::Object(live), Value::Object(config)) => {
            merge_maps(live, config, |name| fields.field(name).map(|field| place.field(field)))
        }
        (Kind::Entries(inner), Value::Object(live), Value::Object(config)) => merge_maps(live, config, |_| Some(inner)),
        (Kind::Items(list), Value::List(live), Value::List(config)) => merge_lists(list, live, config),
        // Null says nothing of what is owned by parts.
        (Kind::Fields(_) | Kind::Entries(_) | Kind::Items(_), live, Value::Null) if !is_empty(&live) => Ok(live),
        (_, _, config) => Ok(config),
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Object(fields) => fields.is_empty(),
        Value::List(items) => items.is_empty(),
        _ => true,
    }
}

fn merge_maps<'s>(mut live: Map, config: Map, place: impl Fn(&str) -> Option<Place<'s>>) -> Result<Value, String> {
    for (name, value) in config {
        let merged = match (live.remove(&name), place(&name)) {
            (Some(old), Some(place)) => merge(place, old, value)?,
            _ => value,
        };
        live.insert(name, merged);
    }
    Ok(Value::Object(live))
}

/// A list under way: items by their steps, in order.
struct Steps {
    order: VecDeque<String>,
    items: BTreeMap<String, Value>,
}

/// Joins two lists: items of the configuration keep its order, the others stay where they were among them.
fn merge_lists(list: List<'_>, live: Vec<Value>, config: Vec<Value>) -> Result<Value, String> {
    let mut config = index(list, config)?;
    let (mut live_order, mut live_items) = (VecDeque::new(), BTreeMap::new());
    let mut duplicates = BTreeSet::new();
    for (at, item) in live.into_iter().enumerate() {
        let step = list.step(&item).map_err(|error| format!("element {at}: {error}"))?;
        if live_items.contains_key(&step) {
            duplicates.insert(step.clone());
        }
        live_items.entry(step.clone()).or_insert_with(VecDeque::new).push_back(item);
        live_order.push_back(step);
    }
    let in_config: BTreeSet<String> = config.order.iter().cloned().collect();
    let mut shared: VecDeque<String> =
        config.order.iter().filter(|step| live_items.contains_key(*step)).cloned().collect();
    let mut next_shared = shared.pop_front();
    let mut merged = Vec::with_capacity(live_order.len().max(config.order.len()));
    loop {
        let (old, new) = (live_order.front(), config.order.front());
        let take_config = match (old, new) {
            (None, None) => return Ok(Value::List(merged)),
            (None, Some(_)) => true,
            (Some(old), Some(new)) if old == new => {
                live_order.pop_front();
                true
            }
            (Some(old), Some(_)) if in_config.contains(old) => {
                // Shared, but not the one whose turn it is: it comes where the configuration has it.
                let its_turn = next_shared.as_ref().is_none_or(|next| next == old);
                if !its_turn || !config.items.contains_key(old) {
                    live_order.pop_front();
                }
                if !its_turn {
                    continue;
                }
                true
            }
            (Some(old), None) if in_config.contains(old) => {
                live_order.pop_front();
                continue;
            }
            (Some(_), _) => false,
        };
        if take_config {
            let Some(step) = config.order.pop_front() else { continue };
            let new = config.items.remove(&step).unwrap_or(Value::Null);
            let old = if duplicates.contains(&step) { None } else { take_first(&mut live_items, &step) };
            merged.push(match old {
                Some(old) => merge(list.items, old, new)?,
                None => new,
            });
            if next_shared.as_ref() == Some(&step) {
                next_shared = shared.pop_front();
            }
        } else if let Some(step) = live_order.pop_front() {
            merged.extend(take_first(&mut live_items, &step));
        }
    }
}

fn take_first(items: &mut BTreeMap<String, VecDeque<Value>>, step: &str) -> Option<Value> {
    items.get_mut(step)?.pop_front()
}

fn index(list: List<'_>, items: Vec<Value>) -> Result<Steps, String> {
    let mut steps = Steps { order: VecDeque::new(), items: BTreeMap::new() };
    for (at, item) in items.into_iter().enumerate() {
        let step = list.step(&item).map_err(|error| format!("element {at}: {error}"))?;
        steps.order.push_back(step.clone());
        if steps.items.insert(step.clone(), item).is_some() {
            return Err(format!("duplicate entries for key {}", super::element::show(&step)));
        }
    }
    Ok(steps)
}
