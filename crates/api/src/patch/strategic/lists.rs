//! Merging of lists: of plain values, and of objects paired by a merge key; then their order.

use std::collections::{HashMap, HashSet};

use crate::patch::PatchError;
use crate::patch::strategic::{DIRECTIVE, Place, merge_map, unknown_directive, without_directives};
use crate::value::{Map, Value};

/// How two lists are merged.
pub(super) struct Merge<'s> {
    /// The place of the items.
    pub(super) place: Place<'s>,
    /// The key that pairs items; none for plain values.
    pub(super) key: Option<&'s str>,
}

/// What makes two items the same, as text: the value, or the value of the merge key.
type Identity = String;

impl Merge<'_> {
    /// The old items, changed and joined by those of the patch.
    pub(super) fn merge(&self, old: Vec<Value>, new: Vec<Value>) -> Result<Vec<Value>, PatchError> {
        let Some(first) = old.iter().chain(&new).next() else { return Ok(old) };
        let of_objects = first.as_object().is_some();
        check_types(old.iter().chain(&new), &old, &new)?;
        if !of_objects {
            let mut seen = HashSet::new();
            let both = old.iter().chain(&new).filter(|item| seen.insert(self.identity(item)));
            return self.arrange(both.cloned().collect(), &new, &old);
        }
        let Some(key) = self.key else {
            return Err(PatchError::Failed(format!("cannot merge lists without merge key for {}", self.place.name())));
        };
        let (old, new) = self.directives(key, old, new)?;
        let merged = self.pair(key, old.clone(), new.clone())?;
        self.arrange(merged, &new, &old)
    }

    /// Takes `$patch` items out of the patch: `delete` removes from the old items, `replace` forgets them.
    fn directives(
        &self,
        key: &str,
        mut old: Vec<Value>,
        new: Vec<Value>,
    ) -> Result<(Vec<Value>, Vec<Value>), PatchError> {
        let mut plain = Vec::with_capacity(new.len());
        let mut deleted = HashSet::new();
        let mut replace = false;
        for item in new {
            match item.get(DIRECTIVE).map(|directive| directive.as_str().unwrap_or_default()) {
                None => plain.push(item),
                Some("delete") => {
                    check_keys(std::slice::from_ref(&item), key)?;
                    deleted.insert(self.identity(&item));
                }
                Some("replace") => replace = true,
                Some("merge") => {
                    return Err(PatchError::Failed("merging lists cannot yet be specified in the patch".to_owned()));
                }
                Some(_) => return Err(bad_item(item)),
            }
        }
        if replace {
            return Ok((plain, Vec::new()));
        }
        if !deleted.is_empty() {
            check_keys(&old, key)?;
            old.retain(|one| !deleted.contains(&self.identity(one)));
        }
        Ok((old, plain))
    }

    /// Merges each item of the patch into the old one of the same key, or appends it.
    fn pair(&self, key: &str, mut old: Vec<Value>, new: Vec<Value>) -> Result<Vec<Value>, PatchError> {
        check_keys(&new, key)?;
        check_keys(if new.is_empty() { &[] } else { &old }, key)?;
        let mut places = self.places(&old);
        for item in new {
            let identity = self.identity(&item);
            let found = places.get(&identity).and_then(|at| old.get_mut(*at));
            match (found, item) {
                (Some(place), Value::Object(fields)) => {
                    let before = std::mem::replace(place, Value::Null);
                    let before = if let Value::Object(before) = before { before } else { Map::new() };
                    *place = Value::Object(merge_map(self.place, before, fields)?);
                }
                (_, item) => {
                    places.insert(identity, old.len());
                    old.extend(without_directives(item));
                }
            }
        }
        Ok(old)
    }

    /// Puts items in order: those that `wanted` names in its order, the others in the order they had, between
    /// them where that was their place.
    pub(super) fn arrange(&self, items: Vec<Value>, wanted: &[Value], had: &[Value]) -> Result<Vec<Value>, PatchError> {
        if let Some(key) = self.key.filter(|_| items.iter().any(|item| item.as_object().is_some())) {
            check_keys(&items, key)?;
            check_keys(wanted, key)?;
            check_keys(had, key)?;
        }
        let (wanted, had) = (self.places(wanted), self.places(had));
        let (mut named, mut others) = (Vec::new(), Vec::new());
        for item in items {
            let identity = self.identity(&item);
            let before = had.get(&identity).copied();
            match wanted.get(&identity) {
                Some(at) => named.push((*at, before, item)),
                None => others.push((before, item)),
            }
        }
        named.sort_by_key(|(at, ..)| *at);
        others.sort_by_key(|(before, _)| *before);
        let mut arranged = Vec::with_capacity(named.len() + others.len());
        let mut others = others.into_iter().peekable();
        for (_, place, item) in named {
            let comes_before =
                |other: &(Option<usize>, Value)| other.0.zip(place).is_some_and(|(other, this)| other < this);
            while let Some((_, other)) = others.next_if(comes_before) {
                arranged.push(other);
            }
            arranged.push(item);
        }
        arranged.extend(others.map(|(_, item)| item));
        Ok(arranged)
    }

    fn identity(&self, item: &Value) -> Identity {
        let value = match (self.key, item) {
            (Some(key), Value::Object(fields)) => fields.get(key).unwrap_or(&Value::Null),
            _ => item,
        };
        format!("{} {}", go_type(value), go_text(value))
    }

    /// Where in a list each item is first.
    fn places(&self, list: &[Value]) -> HashMap<Identity, usize> {
        let mut places = HashMap::with_capacity(list.len());
        for (at, item) in list.iter().enumerate() {
            places.entry(self.identity(item)).or_insert(at);
        }
        places
    }

    /// The order that is asked for must have the items of the patch in the order of the patch.
    pub(super) fn check_order(&self, patch: &[Value], order: &[Value]) -> Result<(), PatchError> {
        let deleted = |item: &&Value| item.get(DIRECTIVE).and_then(Value::as_str) == Some("delete");
        let left = patch.iter().filter(|item| self.key.is_none() || !deleted(item));
        let mut left = left.map(|item| self.identity(item)).peekable();
        if order.is_empty() || patch.is_empty() {
            return Ok(());
        }
        for one in order {
            left.next_if_eq(&self.identity(one));
        }
        if left.peek().is_none() {
            return Ok(());
        }
        let (patch, order) = (go_list(patch), go_list(order));
        Err(PatchError::Failed(format!(
            "The order in patch list:\n{patch}\n doesn't match $setElementOrder list:\n{order}\n"
        )))
    }
}

/// Takes equal plain values out of a list.
pub(super) fn delete(items: &mut Vec<Value>, gone: &[Value]) -> Result<(), PatchError> {
    check_types(items.iter().chain(gone), items, gone)?;
    let text = |item: &Value| (go_type(item), go_text(item));
    let gone: HashSet<_> = gone.iter().map(text).collect();
    items.retain(|item| !gone.contains(&text(item)));
    Ok(())
}

/// Every item must have the merge key.
fn check_keys(items: &[Value], key: &str) -> Result<(), PatchError> {
    match items.iter().find(|item| item.get(key).is_none()) {
        Some(item) => Err(no_merge_key(item, key)),
        None => Ok(()),
    }
}

fn no_merge_key(item: &Value, key: &str) -> PatchError {
    PatchError::Failed(format!("map: {} does not contain declared merge key: {key}", go_text(item)))
}

fn bad_item(item: Value) -> PatchError {
    match item {
        Value::Object(mut fields) => {
            let directive = fields.remove(DIRECTIVE).unwrap_or(Value::Null);
            unknown_directive(&directive, fields)
        }
        other => PatchError::Failed(format!("unknown patch type in {}", go_text(&other))),
    }
}

/// All items must be of one type, and no lists.
pub(super) fn check_types<'v>(
    items: impl Iterator<Item = &'v Value>,
    old: &[Value],
    new: &[Value],
) -> Result<(), PatchError> {
    let mut items = items.peekable();
    let Some(first) = items.peek().map(|first| go_type(first)) else {
        return Err(PatchError::Failed("no elements in any of the given slices".to_owned()));
    };
    if first == "[]interface {}" {
        return Err(PatchError::Rejected("lists of lists are not supported".to_owned()));
    }
    if items.all(|item| go_type(item) == first) {
        Ok(())
    } else {
        let all = format!("[{} {}]", go_list(old), go_list(new));
        Err(PatchError::Failed(format!("list element types are not identical: {all}")))
    }
}

/// The Go type that an untyped value has.
pub(super) fn go_type(value: &Value) -> &'static str {
    match value {
        Value::Null => "nil",
        Value::Bool(_) => "bool",
        Value::Integer(_) => "int64",
        Value::Float(_) => "float64",
        Value::String(_) | Value::Bytes(_) => "string",
        Value::List(_) => "[]interface {}",
        Value::Object(_) => "map[string]interface {}",
    }
}

/// An untyped value as Go's `%v` prints it.
pub(super) fn go_text(value: &Value) -> String {
    match value {
        Value::Null => "<nil>".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Integer(number) => number.to_string(),
        Value::Float(number) => number.to_string(),
        Value::String(text) => text.clone(),
        Value::Bytes(_) => "<bytes>".to_owned(),
        Value::List(items) => go_list(items),
        Value::Object(fields) => {
            let fields: Vec<String> = fields.iter().map(|(name, value)| format!("{name}:{}", go_text(value))).collect();
            format!("map[{}]", fields.join(" "))
        }
    }
}

fn go_list(items: &[Value]) -> String {
    let items: Vec<String> = items.iter().map(go_text).collect();
    format!("[{}]", items.join(" "))
}
