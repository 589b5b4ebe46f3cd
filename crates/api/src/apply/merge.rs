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

/// Joins two lists: items of the configuration keep its order, the others stay where they were among them.
fn merge_lists(list: List<'_>, live: Vec<Value>, config: Vec<Value>) -> Result<Value, String> {
    let live = Items::index(list, live)?;
    let config = Items::index(list, config)?;
    if let Some((step, _)) = config.by_step.iter().find(|(_, items)| items.len() > 1) {
        return Err(format!("duplicate entries for key {}", super::element::show(step)));
    }
    let shared = config.order.iter().filter(|step| live.by_step.contains_key(*step)).cloned().collect();
    let applied = config.order.iter().cloned().collect();
    let mut join = Join { list, live, config, shared, applied, merged: Vec::new() };
    while join.step()? {}
    Ok(Value::List(join.merged))
}

/// The items of a list: their steps in order, and the items behind each step.
struct Items {
    order: VecDeque<String>,
    by_step: BTreeMap<String, VecDeque<Value>>,
}

impl Items {
    fn index(list: List<'_>, items: Vec<Value>) -> Result<Self, String> {
        let mut indexed = Self { order: VecDeque::with_capacity(items.len()), by_step: BTreeMap::new() };
        for (at, item) in items.into_iter().enumerate() {
            let step = list.step(&item).map_err(|error| format!("element {at}: {error}"))?;
            indexed.by_step.entry(step.clone()).or_default().push_back(item);
            indexed.order.push_back(step);
        }
        Ok(indexed)
    }

    fn take(&mut self, step: &str) -> Option<Value> {
        self.by_step.get_mut(step)?.pop_front()
    }
}

/// A join under way.
struct Join<'s> {
    list: List<'s>,
    live: Items,
    config: Items,
    /// Steps of both lists that are still to come, in the configuration's order.
    shared: VecDeque<String>,
    /// All steps of the configuration.
    applied: BTreeSet<String>,
    merged: Vec<Value>,
}

impl Join<'_> {
    /// Takes the next item or passes one over; false at the end of both lists.
    fn step(&mut self) -> Result<bool, String> {
        match (self.live.order.front(), self.config.order.front()) {
            (None, None) => return Ok(false),
            (None, Some(_)) => self.take_applied()?,
            (Some(old), new) if new == Some(old) => {
                self.live.order.pop_front();
                self.take_applied()?;
            }
            (Some(old), new) if self.applied.contains(old) => {
                // A shared item comes where the configuration has it: here, later, or it has come already.
                let its_turn = self.shared.front().is_none_or(|next| next == old);
                let is_merged = self.config.by_step.get(old).is_some_and(VecDeque::is_empty);
                let any_left = new.is_some();
                if !its_turn || is_merged {
                    self.live.order.pop_front();
                }
                if its_turn && any_left {
                    self.take_applied()?;
                }
            }
            (Some(_), _) => {
                let item = self.live.order.pop_front().and_then(|step| self.live.take(&step));
                self.merged.extend(item);
            }
        }
        Ok(true)
    }

    /// The next item of the configuration, merged with the live one of its step. Live duplicates are replaced.
    fn take_applied(&mut self) -> Result<(), String> {
        let Some(step) = self.config.order.pop_front() else { return Ok(()) };
        self.shared.pop_front_if(|next| *next == step);
        let Some(new) = self.config.take(&step) else { return Ok(()) };
        let alone = self.live.by_step.get(&step).is_some_and(|items| items.len() == 1);
        let old = if alone { self.live.take(&step) } else { None };
        self.merged.push(match old {
            Some(old) => merge(self.list.items, old, new)?,
            None => new,
        });
        Ok(())
    }
}
