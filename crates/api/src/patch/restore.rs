//! Whether an untyped tree can become an object of a type, with the texts of `runtime.DefaultUnstructuredConverter`:
//! strategic merge patches and applied objects are converted by it, not by the JSON decoder.

use crate::schema::{Schema, Shape, TypeId};
use crate::value::Value;

/// Names the first value that the type cannot hold. Times, quantities and the like are left to the decoder.
pub fn check(schema: &Schema, definition: TypeId, tree: &Value) -> Result<(), String> {
    convert(schema, &Shape::Ref(definition), tree)
}

fn convert(schema: &Schema, shape: &Shape, value: &Value) -> Result<(), String> {
    match (shape, value) {
        (_, Value::Null) | (Shape::Any, _) => Ok(()),
        (Shape::Ref(id), Value::Object(fields)) => {
            let known = &schema.get(*id).fields;
            known
                .iter()
                .filter_map(|field| Some((field, fields.get(&field.name)?)))
                .try_for_each(|(field, value)| convert(schema, &field.shape, value))
        }
        (Shape::Ref(_), other) => Err(format!("cannot restore struct from: {}", kind(other))),
        (Shape::Map(inner), Value::Object(entries)) => {
            entries.values().try_for_each(|value| convert(schema, inner, value))
        }
        (Shape::Map(_), other) => Err(format!("cannot restore map from {}", kind(other))),
        (Shape::List(inner), Value::List(items)) => items.iter().try_for_each(|item| convert(schema, inner, item)),
        (Shape::Bytes, Value::String(text)) => bytes(text),
        (Shape::List(_) | Shape::Bytes, other) => Err(format!("cannot restore slice from {}", kind(other))),
        (Shape::String, Value::String(_)) | (Shape::Bool, Value::Bool(_)) => Ok(()),
        (Shape::Int32 | Shape::Int64 | Shape::Float, Value::Integer(_)) | (Shape::Float, Value::Float(_)) => Ok(()),
        (Shape::String, other) => Err(unlike(other, "string")),
        (Shape::Bool, other) => Err(unlike(other, "bool")),
        (Shape::Int32, other) => Err(unlike(other, "int32")),
        (Shape::Int64, other) => Err(unlike(other, "int64")),
        (Shape::Float, other) => Err(unlike(other, "float64")),
        (Shape::Time | Shape::MicroTime | Shape::Duration | Shape::Quantity | Shape::IntOrString, _) => Ok(()),
    }
}

fn bytes(text: &str) -> Result<(), String> {
    match crate::decode::base64::decode(text.as_bytes()) {
        Ok(clear) => {
            drop(zeroize::Zeroizing::new(clear));
            Ok(())
        }
        Err(at) => Err(format!("error decoding from json: illegal base64 data at input byte {at}")),
    }
}

fn unlike(value: &Value, wanted: &str) -> String {
    let got = match value {
        Value::List(_) => "[]interface {}",
        Value::Object(_) => "map[string]interface {}",
        other => kind(other),
    };
    format!("cannot convert {got} to {wanted}")
}

/// The `reflect.Kind` that an unstructured value has.
fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "invalid",
        Value::Bool(_) => "bool",
        Value::Integer(_) => "int64",
        Value::Float(_) => "float64",
        Value::String(_) | Value::Bytes(_) => "string",
        Value::List(_) => "slice",
        Value::Object(_) => "map",
    }
}

#[cfg(test)]
mod tests {
    use crate::samples::{core, json};

    #[test]
    fn texts_are_those_of_the_converter() {
        let check = |kind: &str, tree: &str, wanted: Result<(), &str>| {
            let checked = super::check(crate::generated::schema(), core(kind), &json(tree));
            assert_eq!(checked, wanted.map_err(str::to_owned), "{tree}");
        };
        check("Secret", r#"{"data":{"k":"dg=="},"metadata":null,"unknown":1}"#, Ok(()));
        check("Secret", r#"{"metadata":{"labels":"x"}}"#, Err("cannot restore map from string"));
        check("Secret", r#"{"metadata":[]}"#, Err("cannot restore struct from: slice"));
        check("Secret", r#"{"metadata":{"finalizers":{}}}"#, Err("cannot restore slice from map"));
        check("Secret", r#"{"metadata":{"name":1}}"#, Err("cannot convert int64 to string"));
        check("Secret", r#"{"immutable":"x"}"#, Err("cannot convert string to bool"));
        check("Secret", r#"{"data":{"k":{}}}"#, Err("cannot restore slice from map"));
        let base64 = "error decoding from json: illegal base64 data at input byte 2";
        check("Secret", r#"{"data":{"k":"dg!="}}"#, Err(base64));
        check(
            "Pod",
            r#"{"spec":{"containers":[{"ports":[{"containerPort":"x"}]}]}}"#,
            Err("cannot convert string to int32"),
        );
    }
}
