//! Steps of a path as `FieldsV1` writes them: `f:name`, `k:{"name":"c"}`, `v:"x"`, `i:0`.

use std::fmt::Write as _;

use crate::field::quote;
use crate::value::{Map, Value};

/// The step to a field of an object or an entry of a map.
pub(super) fn field(name: &str) -> String {
    let mut step = String::with_capacity(name.len() + 2);
    step.push_str("f:");
    step.push_str(name);
    step
}

/// The step to the list item with these keys.
pub(super) fn keys(keys: &Map) -> String {
    let mut step = "k:".to_owned();
    write_object(&mut step, keys);
    step
}

/// The step to an item of a set.
pub(super) fn item(value: &Value) -> String {
    let mut step = "v:".to_owned();
    write_json(&mut step, value);
    step
}

/// The same step as this server writes it. `None` for a kind of step that is not known, which Kubernetes leaves out.
pub(super) fn canonical(step: &str) -> Result<Option<String>, String> {
    let Some((kind, rest)) = step.split_at_checked(2) else {
        return Err(format!("key must be 2 characters long: {step}"));
    };
    match kind {
        "f:" => Ok(Some(step.to_owned())),
        "v:" => Ok(Some(item(&parse(rest)?))),
        "k:" => match parse(rest)? {
            Value::Object(fields) => Ok(Some(keys(&fields))),
            _ => Err(format!("parsing key as path element: {step}")),
        },
        "i:" => {
            let index: i64 = rest.parse().map_err(|_| format!("parsing index as path element: {step}"))?;
            Ok(Some(format!("i:{index}")))
        }
        _ => Ok(None),
    }
}

/// The step as messages print it: `.name`, `[name="c"]`, `[="x"]`, `[0]`.
pub(super) fn show(step: &str) -> String {
    let (kind, rest) = step.split_at_checked(2).unwrap_or(("", step));
    match (kind, parse(rest)) {
        ("f:", _) => format!(".{rest}"),
        ("k:", Ok(Value::Object(keys))) => {
            let keys: Vec<String> = keys.iter().map(|(name, value)| format!("{name}={}", show_scalar(value))).collect();
            format!("[{}]", keys.join(","))
        }
        ("v:", Ok(value)) => format!("[={}]", show_scalar(&value)),
        _ => format!("[{rest}]"),
    }
}

fn show_scalar(value: &Value) -> String {
    match value {
        Value::String(text) => quote(text),
        other => {
            let mut text = String::new();
            write_json(&mut text, other);
            text
        }
    }
}

fn parse(json: &str) -> Result<Value, String> {
    crate::decode::untyped_json(json.as_bytes()).map(|read| read.value).map_err(|error| error.to_string())
}

fn write_json(out: &mut String, value: &Value) {
    match value {
        Value::Integer(number) => out.push_str(itoa::Buffer::new().format(*number)),
        Value::Float(number) => write!(out, "{number}").unwrap_or_default(),
        Value::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Value::String(text) => write_text(out, text),
        Value::Null | Value::Bytes(_) => out.push_str("null"),
        Value::List(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                out.push_str(if at > 0 { "," } else { "" });
                write_json(out, item);
            }
            out.push(']');
        }
        Value::Object(fields) => write_object(out, fields),
    }
}

fn write_object(out: &mut String, fields: &Map) {
    out.push('{');
    for (at, (name, value)) in fields.iter().enumerate() {
        out.push_str(if at > 0 { "," } else { "" });
        write_text(out, name);
        out.push(':');
        write_json(out, value);
    }
    out.push('}');
}

/// JSON text with Go's escapes.
fn write_text(out: &mut String, text: &str) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '<' | '>' | '&' | '\u{0}'..='\u{1f}' | '\u{2028}' | '\u{2029}' => {
                write!(out, "\\u{:04x}", u32::from(character)).unwrap_or_default();
            }
            other => out.push(other),
        }
    }
    out.push('"');
}
