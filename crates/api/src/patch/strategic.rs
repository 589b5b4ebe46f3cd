//! Strategic merge patch: a merge patch that knows which lists are merged, and by which key.
//!
//! Directives: `$patch: replace|delete`, `$retainKeys`, `$deleteFromPrimitiveList/FIELD`, `$setElementOrder/FIELD`.
//! Which field is merged how stands in [`crate::schema::Field::patch`].

use crate::patch::{PatchError, below, expect_object};
use crate::schema::{Patch, Schema, Shape, TypeId};
use crate::value::{Map, Value};

mod lists;

use lists::Merge;

const DIRECTIVE: &str = "$patch";
const RETAIN_KEYS: &str = "$retainKeys";
const DELETE_FROM: &str = "$deleteFromPrimitiveList";
const ORDER: &str = "$setElementOrder";

/// Merges the patch into an untyped object of this type.
pub fn apply(schema: &Schema, definition: TypeId, object: Value, patch: Value) -> Result<Value, PatchError> {
    let original = expect_object(object).map_err(PatchError::Failed)?;
    let patch = if patch == Value::Null { Map::new() } else { expect_object(patch).map_err(PatchError::Malformed)? };
    let shape = Shape::Ref(definition);
    Ok(Value::Object(merge_map(Place { schema, shape: &shape }, original, patch)?))
}

/// Where in the schema a merge is.
#[derive(Clone, Copy)]
struct Place<'s> {
    schema: &'s Schema,
    shape: &'s Shape,
}

/// A field below a place.
struct Below<'s> {
    place: Place<'s>,
    rules: Rules<'s>,
}

/// How a field is merged. Entries of maps have no rules of their own.
#[derive(Clone, Copy, Default)]
struct Rules<'s> {
    merge: bool,
    replace: bool,
    key: Option<&'s str>,
}

impl<'s> From<&'s Patch> for Rules<'s> {
    fn from(patch: &'s Patch) -> Self {
        Self { merge: patch.merge, replace: patch.replace, key: patch.merge_key.as_deref() }
    }
}

impl<'s> Place<'s> {
    fn field(self, name: &str) -> Result<Below<'s>, PatchError> {
        let (shape, field) = below(self.schema, self.shape, name).ok_or_else(|| {
            PatchError::Failed(format!(
                "unable to find api field in struct {} for the json field {name:?}",
                self.name()
            ))
        })?;
        let rules = field.map(|field| Rules::from(&field.patch)).unwrap_or_default();
        Ok(Below { place: Place { shape, ..self }, rules })
    }

    /// The place of a list's items.
    fn items(self) -> Self {
        match self.shape {
            Shape::List(inner) => Self { shape: inner, ..self },
            _ => self,
        }
    }

    fn name(self) -> &'s str {
        match self.shape {
            Shape::Ref(id) => &self.schema.get(*id).go_name,
            _ => "",
        }
    }
}

fn merge_map(place: Place<'_>, mut original: Map, mut patch: Map) -> Result<Map, PatchError> {
    if let Some(directive) = patch.remove(DIRECTIVE) {
        return match directive.as_str() {
            Some("replace") => Ok(patch),
            Some("delete") => Ok(Map::new()),
            _ => Err(unknown_directive(&directive, patch)),
        };
    }
    retain_keys(&mut original, &mut patch)?;
    set_order(place, &mut original, &mut patch)?;
    for (name, value) in patch {
        match name.strip_prefix(DELETE_FROM) {
            Some(rest) => {
                let field =
                    rest.strip_prefix('/').ok_or_else(|| malformed("invalid patch format of primitive list"))?;
                delete_from(&mut original, field, &value)?;
            }
            None => merge_field(place, &mut original, name, value)?,
        }
    }
    Ok(original)
}

fn merge_field(place: Place<'_>, original: &mut Map, name: String, value: Value) -> Result<(), PatchError> {
    let merged = match (original.remove(&name), value) {
        (_, Value::Null) => return Ok(()),
        (Some(Value::Object(old)), Value::Object(new)) => {
            let below = place.field(&name)?;
            Some(Value::Object(if below.rules.replace { new } else { merge_map(below.place, old, new)? }))
        }
        (Some(Value::List(old)), Value::List(new)) => {
            let below = place.field(&name)?;
            let items = below.place.items();
            Some(Value::List(if below.rules.merge {
                Merge { place: items, key: below.rules.key }.merge(old, new)?
            } else {
                new
            }))
        }
        (_, new) => without_directives(new),
    };
    if let Some(merged) = merged {
        original.insert(name, merged);
    }
    Ok(())
}

/// `$retainKeys`: fields that are not in the list go, fields of the patch must be in it.
fn retain_keys(original: &mut Map, patch: &mut Map) -> Result<(), PatchError> {
    let Some(list) = patch.remove(RETAIN_KEYS) else { return Ok(()) };
    let bad = || malformed("invalid patch format of retainKeys");
    let kept = list.as_list().ok_or_else(bad)?;
    let is_kept = |name: &str| kept.iter().any(|one| one.as_str() == Some(name));
    let is_rule = |name: &str| name.starts_with(DELETE_FROM) || name.starts_with(ORDER);
    if patch.iter().any(|(name, value)| *value != Value::Null && !is_rule(name) && !is_kept(name)) {
        return Err(bad());
    }
    original.retain(|name, _| is_kept(name));
    Ok(())
}

/// `$deleteFromPrimitiveList/FIELD`: removes equal items.
fn delete_from(original: &mut Map, field: &str, gone: &Value) -> Result<(), PatchError> {
    if let (Some(Value::List(items)), Value::List(gone)) = (original.get_mut(field), gone) {
        lists::delete(items, gone)?;
    }
    Ok(())
}

/// `$setElementOrder/FIELD`: merges those lists now and puts them in the order asked for.
fn set_order(place: Place<'_>, original: &mut Map, patch: &mut Map) -> Result<(), PatchError> {
    let asked: Vec<String> = patch.keys().filter(|name| name.starts_with(ORDER)).cloned().collect();
    for name in asked {
        let Some(order) = patch.remove(&name) else { continue };
        let order = expect_list(order)?;
        let field = name.strip_prefix(ORDER).and_then(|rest| rest.strip_prefix('/'));
        let field = field.ok_or_else(|| malformed("invalid patch format of setElementOrder list"))?;
        let old = original.get(field).map(as_items).transpose()?;
        let new = patch.get(field).map(as_items).transpose()?;
        if old.is_none() && new.is_none() {
            continue;
        }
        let (found, old) = (old.is_some(), old.unwrap_or_default().to_vec());
        let new = new.map(<[Value]>::to_vec);
        let below = place.field(field)?;
        let merge = Merge { place: below.place.items(), key: below.rules.key };
        merge.check_order(new.as_deref().unwrap_or_default(), &order)?;
        let merged = match &new {
            None => old.clone(),
            Some(new) if found && below.rules.merge => merge.merge(old.clone(), new.clone())?,
            Some(new) if found => new.clone(),
            Some(new) => new.iter().cloned().filter_map(without_directives).collect(),
        };
        lists::check_types(old.iter().chain(new.iter().flatten()), &old, new.as_deref().unwrap_or_default())?;
        original.insert(field.to_owned(), Value::List(merge.arrange(merged, &order, &old)?));
        patch.remove(field);
    }
    Ok(())
}

fn expect_list(value: Value) -> Result<Vec<Value>, PatchError> {
    as_items(&value)?;
    match value {
        Value::List(items) => Ok(items),
        _ => Ok(Vec::new()),
    }
}

fn as_items(value: &Value) -> Result<&[Value], PatchError> {
    value.as_list().ok_or_else(|| {
        PatchError::Failed(format!("expected a []interface {{}}, but received a {}", lists::go_type(value)))
    })
}

/// A value of the patch that meets nothing: its nulls and directives mean nothing and go; a deleted one is nothing.
fn without_directives(value: Value) -> Option<Value> {
    match value {
        Value::Object(fields) if fields.get(DIRECTIVE).and_then(Value::as_str) == Some("delete") => None,
        Value::Object(fields) => {
            let is_rule = |name: &str| {
                name == DIRECTIVE || name == RETAIN_KEYS || name.starts_with(DELETE_FROM) || name.starts_with(ORDER)
            };
            let kept = fields.into_iter().filter(|(name, value)| *value != Value::Null && !is_rule(name));
            Some(Value::Object(kept.filter_map(|(name, value)| Some((name, without_directives(value)?))).collect()))
        }
        Value::List(items) => {
            let marker = |item: &Value| {
                item.as_object().is_some_and(|fields| fields.len() == 1 && fields.contains_key(DIRECTIVE))
            };
            Some(Value::List(items.into_iter().filter(|item| !marker(item)).filter_map(without_directives).collect()))
        }
        other => Some(other),
    }
}

fn malformed(text: &str) -> PatchError {
    PatchError::Malformed(text.to_owned())
}

fn unknown_directive(directive: &Value, mut fields: Map) -> PatchError {
    fields.insert(DIRECTIVE.to_owned(), directive.clone());
    let fields = Value::Object(fields);
    PatchError::Failed(format!("unknown patch type: {} in map: {}", lists::go_text(directive), lists::go_text(&fields)))
}

#[cfg(test)]
mod tests;
