//! Untyped trees for tests.

use crate::schema::TypeId;
use crate::value::Value;

/// An untyped tree.
pub(crate) fn json(text: &str) -> Value {
    from_json(serde_json::from_str(text).unwrap())
}

fn from_json(value: serde_json::Value) -> Value {
    match value {
        serde_json::Value::Null => Value::Null,
        serde_json::Value::Bool(value) => Value::Bool(value),
        serde_json::Value::Number(number) => {
            number.as_i64().map_or_else(|| Value::Float(number.as_f64().unwrap()), Value::Integer)
        }
        serde_json::Value::String(text) => Value::String(text),
        serde_json::Value::Array(items) => Value::List(items.into_iter().map(from_json).collect()),
        serde_json::Value::Object(fields) => {
            Value::Object(fields.into_iter().map(|(name, value)| (name, from_json(value))).collect())
        }
    }
}

/// A tree as text, to compare and to show.
pub(crate) fn text(value: &Value) -> String {
    to_json(value).to_string()
}

fn to_json(value: &Value) -> serde_json::Value {
    match value {
        Value::Null => serde_json::Value::Null,
        Value::Bool(value) => (*value).into(),
        Value::Integer(number) => (*number).into(),
        Value::Float(number) => (*number).into(),
        Value::String(text) => text.as_str().into(),
        Value::Bytes(bytes) => String::from_utf8_lossy(bytes.expose()).into(),
        Value::List(items) => items.iter().map(to_json).collect(),
        Value::Object(fields) => fields.iter().map(|(name, value)| (name.clone(), to_json(value))).collect(),
    }
}

/// The type of this kind in the core group.
pub(crate) fn core(kind: &str) -> TypeId {
    crate::generated::schema().lookup(&format!("io.k8s.api.core.v1.{kind}")).unwrap()
}
