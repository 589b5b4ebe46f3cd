//! Objects to bytes: JSON as Go writes it, YAML as `sigs.k8s.io/yaml` does, and the stored form.

use std::ops::Range;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::value::{Map, Value};
use crate::yaml;

/// An object encoded for the store, before its revision is known.
pub struct Draft {
    /// Compact JSON without `metadata.resourceVersion`.
    pub bytes: Vec<u8>,
    /// Where `"resourceVersion":"N",` goes.
    pub splice: usize,
    /// Where the value of `metadata` is.
    pub metadata: Range<usize>,
}

/// Compact JSON with sorted fields, and Go's escapes for HTML.
pub fn json(value: &Value) -> Vec<u8> {
    let mut out = Vec::with_capacity(1024);
    write(&mut out, value);
    out
}

/// JSON indented by two blanks, as Kubernetes writes `pretty=true`.
pub fn json_pretty(value: &Value) -> Vec<u8> {
    let mut out = Vec::with_capacity(2048);
    write_pretty(&mut out, value, 0);
    out
}

/// YAML as `sigs.k8s.io/yaml` writes it.
pub fn yaml(value: &Value) -> String {
    yaml::emit::write(&untyped(value))
}

/// The same tree with base64 text in place of bytes: what a client sees, and patches work on.
pub fn untyped(value: &Value) -> Value {
    match value {
        Value::Bytes(bytes) => Value::String(STANDARD.encode(bytes.expose())),
        Value::List(items) => Value::List(items.iter().map(untyped).collect()),
        Value::Object(fields) => {
            Value::Object(fields.iter().map(|(name, value)| (name.clone(), untyped(value))).collect())
        }
        other => other.clone(),
    }
}

/// The fields with which every stored object begins, backwards.
const HEAD: [&str; 2] = ["apiVersion", "kind"];

/// Compact JSON of an object to store, with the place of the revision that it will get.
pub fn stored(object: &Value) -> Draft {
    let mut draft = Draft { bytes: Vec::with_capacity(1024), splice: 0, metadata: 0..0 };
    let Some(fields) = object.as_object() else {
        write(&mut draft.bytes, object);
        return draft;
    };
    let out = &mut draft.bytes;
    out.push(b'{');
    // The kind comes first, so that what a list shows of an object is all of its bytes but the head.
    let (head, rest): (Vec<_>, Vec<_>) = fields.iter().partition(|(name, _)| HEAD.contains(&name.as_str()));
    for (at, (name, value)) in head.into_iter().rev().chain(rest).enumerate() {
        separate(out, at);
        write_key(out, name);
        match value {
            Value::Object(metadata) if name == "metadata" => {
                let start = out.len();
                draft.splice = write_metadata(out, metadata);
                draft.metadata = start..out.len();
            }
            other => write(out, other),
        }
    }
    out.push(b'}');
    draft
}

/// Writes metadata without its revision and returns where that goes: before the first field that sorts after it.
fn write_metadata(out: &mut Vec<u8>, metadata: &Map) -> usize {
    out.push(b'{');
    let start = out.len();
    let mut splice = None;
    let fields = metadata.iter().filter(|(name, _)| *name != "resourceVersion");
    for (at, (name, value)) in fields.enumerate() {
        separate(out, at);
        if splice.is_none() && name.as_str() > "resourceVersion" {
            splice = Some(out.len());
        }
        write_key(out, name);
        write(out, value);
    }
    out.push(b'}');
    splice.unwrap_or(start)
}

fn write(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(value) => out.extend_from_slice(if *value { b"true" } else { b"false" }),
        Value::Integer(value) => out.extend_from_slice(itoa::Buffer::new().format(*value).as_bytes()),
        Value::Float(value) => out.extend_from_slice(float(*value).as_bytes()),
        Value::String(text) => write_string(out, text),
        Value::Bytes(bytes) => write_base64(out, bytes.expose()),
        Value::List(items) => {
            out.push(b'[');
            for (at, item) in items.iter().enumerate() {
                separate(out, at);
                write(out, item);
            }
            out.push(b']');
        }
        Value::Object(fields) => {
            out.push(b'{');
            for (at, (name, value)) in fields.iter().enumerate() {
                separate(out, at);
                write_key(out, name);
                write(out, value);
            }
            out.push(b'}');
        }
    }
}

fn write_pretty(out: &mut Vec<u8>, value: &Value, depth: usize) {
    match value {
        Value::List(items) if !items.is_empty() => {
            out.push(b'[');
            for (at, item) in items.iter().enumerate() {
                separate(out, at);
                line(out, depth + 1);
                write_pretty(out, item, depth + 1);
            }
            line(out, depth);
            out.push(b']');
        }
        Value::Object(fields) if !fields.is_empty() => {
            out.push(b'{');
            for (at, (name, value)) in fields.iter().enumerate() {
                separate(out, at);
                line(out, depth + 1);
                write_key(out, name);
                out.push(b' ');
                write_pretty(out, value, depth + 1);
            }
            line(out, depth);
            out.push(b'}');
        }
        other => write(out, other),
    }
}

fn line(out: &mut Vec<u8>, depth: usize) {
    out.push(b'\n');
    out.resize(out.len() + 2 * depth, b' ');
}

fn separate(out: &mut Vec<u8>, at: usize) {
    if at > 0 {
        out.push(b',');
    }
}

fn write_key(out: &mut Vec<u8>, name: &str) {
    write_string(out, name);
    out.push(b':');
}

fn write_base64(out: &mut Vec<u8>, bytes: &[u8]) {
    out.push(b'"');
    let start = out.len();
    out.resize(start + bytes.len().div_ceil(3) * 4, 0);
    let target = out.get_mut(start..).unwrap_or_default();
    // The space is exact, so this cannot fail; a shorter answer would leave zero bytes behind.
    let written = STANDARD.encode_slice(bytes, target).unwrap_or_default();
    out.truncate(start + written);
    out.push(b'"');
}

/// What needs no escape: all but control characters, quotes, what Go escapes for HTML, and 0xe2, which begins
/// U+2028 and U+2029.
fn is_plain(byte: u8) -> bool {
    !matches!(byte, 0..=0x1f | b'"' | b'\\' | b'<' | b'>' | b'&' | 0xe2)
}

fn write_string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    let mut rest = text.as_bytes();
    while let Some(at) = rest.iter().position(|&byte| !is_plain(byte)) {
        let (plain, special) = rest.split_at(at);
        out.extend_from_slice(plain);
        let taken = write_special(out, special);
        rest = special.get(taken..).unwrap_or_default();
    }
    out.extend_from_slice(rest);
    out.push(b'"');
}

/// Writes one character that may need an escape and returns how many bytes it took.
fn write_special(out: &mut Vec<u8>, special: &[u8]) -> usize {
    let Some(&byte) = special.first() else { return 0 };
    match byte {
        b'"' => out.extend_from_slice(b"\\\""),
        b'\\' => out.extend_from_slice(b"\\\\"),
        b'\n' => out.extend_from_slice(b"\\n"),
        b'\r' => out.extend_from_slice(b"\\r"),
        b'\t' => out.extend_from_slice(b"\\t"),
        0x8 => out.extend_from_slice(b"\\b"),
        0xc => out.extend_from_slice(b"\\f"),
        0xe2 => match special {
            [0xe2, 0x80, last @ (0xa8 | 0xa9), ..] => {
                out.extend_from_slice(if *last == 0xa8 { b"\\u2028" } else { b"\\u2029" });
                return 3;
            }
            _ => out.push(byte),
        },
        other => out.extend_from_slice(format!("\\u{other:04x}").as_bytes()),
    }
    1
}

/// A float as `encoding/json` writes it: the shortest text, with an exponent below 1e-6 and from 1e21.
fn float(value: f64) -> String {
    if value == 0.0 || (1e-6..1e21).contains(&value.abs()) {
        return format!("{value}");
    }
    let text = format!("{value:e}");
    match text.split_once('e') {
        Some((digits, exponent)) if !exponent.starts_with('-') => format!("{digits}e+{exponent}"),
        _ => text,
    }
}
