//! Whether an applied configuration fits its type, with the texts of structured-merge-diff.

use std::collections::BTreeSet;

use crate::apply::element;
use crate::apply::place::{Kind, List, Place};
use crate::schema::Shape;
use crate::value::Value;

/// Checks a configuration. Values are never quoted: they may be secret.
pub(super) fn check(place: Place<'_>, config: &Value) -> Result<(), String> {
    let mut errors = Vec::new();
    visit(place, config, "", &mut errors);
    match errors.as_slice() {
        [] => Ok(()),
        [error] => Err(error.clone()),
        errors => Err(format!("errors:\n  {}", errors.join("\n  "))),
    }
}

fn visit(place: Place<'_>, value: &Value, path: &str, errors: &mut Vec<String>) {
    let mut wrong = |text: String| errors.push(if path.is_empty() { text } else { format!("{path}: {text}") });
    match (place.shape(), value) {
        (_, Value::Null) | (Shape::Any, _) => {}
        (Shape::Ref(id), Value::Object(fields)) => {
            let known = place.get(*id);
            for (name, value) in fields {
                let path = format!("{path}.{name}");
                match known.field(name) {
                    Some(field) => visit(place.field(field), value, &path, errors),
                    None => return errors.push(format!("{path}: field not declared in schema")),
                }
            }
        }
        (Shape::Map(inner), Value::Object(entries)) => {
            for (name, value) in entries {
                visit(place.inner(inner), value, &format!("{path}.{name}"), errors);
            }
        }
        (Shape::Ref(_) | Shape::Map(_), other) => wrong(format!("expected map, got {}", go_type(other))),
        (Shape::List(inner), Value::List(items)) => match place.kind(value) {
            Kind::Items(list) => visit_items(list, items, path, errors),
            _ => {
                for (at, item) in items.iter().enumerate() {
                    visit(place.inner(inner), item, &format!("{path}[{at}]"), errors);
                }
            }
        },
        (Shape::List(_), other) => wrong(format!("expected list, got {}", go_type(other))),
        (shape, value) => {
            if let Some(wanted) = unlike(shape, value) {
                wrong(format!("expected {wanted}, got {}", go_type(value)));
            }
        }
    }
}

fn visit_items(list: List<'_>, items: &[Value], path: &str, errors: &mut Vec<String>) {
    let mut seen = BTreeSet::new();
    for (at, item) in items.iter().enumerate() {
        let step = match list.step(item) {
            Ok(step) => step,
            Err(error) => return errors.push(format!("{path}: element {at}: {error}")),
        };
        let shown = element::show(&step);
        if !seen.insert(step) {
            errors.push(format!("{path}: duplicate entries for key {shown}"));
        }
        visit(list.items, item, &format!("{path}{shown}"), errors);
    }
}

/// What a scalar of this shape must be, if the value is something else.
fn unlike(shape: &Shape, value: &Value) -> Option<&'static str> {
    let is_number = matches!(value, Value::Integer(_) | Value::Float(_));
    let is_scalar = is_number || matches!(value, Value::String(_) | Value::Bool(_));
    match shape {
        Shape::Int32 | Shape::Int64 | Shape::Float => (!is_number).then_some("numeric (int or float)"),
        Shape::Bool => value.as_bool().is_none().then_some("boolean"),
        Shape::Quantity | Shape::IntOrString => (!is_scalar).then_some("any scalar"),
        _ => value.as_str().is_none().then_some("string"),
    }
}

fn go_type(value: &Value) -> &'static str {
    match value {
        Value::Null => "<nil>",
        Value::Bool(_) => "bool",
        Value::Integer(_) => "int64",
        Value::Float(_) => "float64",
        Value::String(_) | Value::Bytes(_) => "string",
        Value::List(_) => "[]interface {}",
        Value::Object(_) => "map[string]interface {}",
    }
}
