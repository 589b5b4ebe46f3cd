//! The dynamic object: what a Kubernetes object is to the server between its bytes and its rules.
//!
//! A tree rather than typed structs, because a server must not lose fields that it does not know and must
//! name those that it refuses. Maps are sorted, so that equal objects have equal encodings.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use zeroize::Zeroizing;

/// The fields of an object, or the entries of a map.
pub type Map = BTreeMap<String, Value>;

/// One node of an object.
#[derive(PartialEq)]
pub enum Value {
    /// JSON null. Decoding against a schema drops nulls as Go's decoder does; it is seen in patches.
    Null,
    /// A boolean.
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// Any other number.
    Float(f64),
    /// Text, a time, a quantity.
    String(String),
    /// A field of Go type `[]byte`: base64 on the wire, clear here.
    Bytes(SecretBytes),
    /// A list.
    List(Vec<Value>),
    /// An object or a map.
    Object(Map),
}

/// Bytes that may be a secret value: no `Debug` of content, no `Clone`, wiped when the last holder lets go.
pub struct SecretBytes(Arc<Zeroizing<Vec<u8>>>);

impl SecretBytes {
    /// Takes over bytes that were built in place.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Arc::new(Zeroizing::new(bytes)))
    }

    /// Another holder of the same bytes; nothing is copied.
    pub fn share(&self) -> Self {
        Self(Arc::clone(&self.0))
    }

    /// The content. Every call is a place to review.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// The length in bytes.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are no bytes.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl PartialEq for SecretBytes {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_slice() == other.0.as_slice()
    }
}

impl fmt::Debug for SecretBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<redacted {} bytes>", self.len())
    }
}

impl Clone for Value {
    fn clone(&self) -> Self {
        match self {
            Self::Null => Self::Null,
            Self::Bool(value) => Self::Bool(*value),
            Self::Integer(value) => Self::Integer(*value),
            Self::Float(value) => Self::Float(*value),
            Self::String(value) => Self::String(value.clone()),
            Self::Bytes(value) => Self::Bytes(value.share()),
            Self::List(items) => Self::List(items.clone()),
            Self::Object(fields) => Self::Object(fields.clone()),
        }
    }
}

/// Kind, namespace, name and revision; never content.
impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Object(fields) if fields.contains_key("metadata") => f
                .debug_struct("Object")
                .field("kind", &self.text(&["kind"]))
                .field("namespace", &self.text(&["metadata", "namespace"]))
                .field("name", &self.text(&["metadata", "name"]))
                .field("revision", &self.text(&["metadata", "resourceVersion"]))
                .finish_non_exhaustive(),
            Self::Object(fields) => write!(f, "<object of {} fields>", fields.len()),
            Self::List(items) => write!(f, "<list of {}>", items.len()),
            Self::String(text) => write!(f, "<text of {} bytes>", text.len()),
            Self::Bytes(bytes) => bytes.fmt(f),
            Self::Null => f.write_str("null"),
            Self::Bool(value) => value.fmt(f),
            Self::Integer(value) => value.fmt(f),
            Self::Float(value) => value.fmt(f),
        }
    }
}

impl Value {
    /// An object without fields.
    pub fn object() -> Self {
        Self::Object(Map::new())
    }

    /// The field of this name, if this is an object that has it.
    pub fn get(&self, name: &str) -> Option<&Self> {
        self.as_object()?.get(name)
    }

    /// The field of this name, to change.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut Self> {
        self.as_object_mut()?.get_mut(name)
    }

    /// The value below these fields, e.g. `&["metadata", "name"]`.
    pub fn at(&self, path: &[&str]) -> Option<&Self> {
        path.iter().try_fold(self, |value, name| value.get(name))
    }

    /// The value below these fields, to change.
    pub fn at_mut(&mut self, path: &[&str]) -> Option<&mut Self> {
        path.iter().try_fold(self, |value, name| value.get_mut(name))
    }

    /// The text below these fields; empty where there is none, as a Go string field is.
    pub fn text(&self, path: &[&str]) -> &str {
        self.at(path).and_then(Self::as_str).unwrap_or_default()
    }

    /// The whole number below these fields.
    pub fn integer(&self, path: &[&str]) -> Option<i64> {
        self.at(path).and_then(Self::as_i64)
    }

    /// The boolean below these fields.
    pub fn boolean(&self, path: &[&str]) -> Option<bool> {
        self.at(path).and_then(Self::as_bool)
    }

    /// The list below these fields; empty where there is none.
    pub fn list(&self, path: &[&str]) -> &[Self] {
        self.at(path).and_then(Self::as_list).unwrap_or_default()
    }

    /// The entries below these fields; none where there is no object.
    pub fn entries(&self, path: &[&str]) -> impl Iterator<Item = (&String, &Self)> {
        self.at(path).and_then(Self::as_object).into_iter().flatten()
    }

    /// Sets the value below these fields and makes the objects on the way. Does nothing where a value on the
    /// way is no object, which a decoded object cannot have.
    pub fn set(&mut self, path: &[&str], value: impl Into<Self>) {
        let Some((last, parents)) = path.split_last() else {
            *self = value.into();
            return;
        };
        let mut parent = self;
        for name in parents {
            let Self::Object(fields) = parent else { return };
            parent = fields.entry((*name).to_owned()).or_insert_with(Self::object);
        }
        if let Self::Object(fields) = parent {
            fields.insert((*last).to_owned(), value.into());
        }
    }

    /// Sets the value below these fields if nothing is there: how defaults are applied.
    pub fn set_if_absent(&mut self, path: &[&str], value: impl Into<Self>) {
        if self.at(path).is_none() {
            self.set(path, value);
        }
    }

    /// Removes and returns the value below these fields.
    pub fn remove(&mut self, path: &[&str]) -> Option<Self> {
        let (last, parents) = path.split_last()?;
        self.at_mut(parents)?.as_object_mut()?.remove(*last)
    }

    /// The fields, if this is an object.
    pub fn as_object(&self) -> Option<&Map> {
        if let Self::Object(fields) = self { Some(fields) } else { None }
    }

    /// The fields, to change.
    pub fn as_object_mut(&mut self) -> Option<&mut Map> {
        if let Self::Object(fields) = self { Some(fields) } else { None }
    }

    /// The items, if this is a list.
    pub fn as_list(&self) -> Option<&[Self]> {
        if let Self::List(items) = self { Some(items) } else { None }
    }

    /// The items, to change.
    pub fn as_list_mut(&mut self) -> Option<&mut Vec<Self>> {
        if let Self::List(items) = self { Some(items) } else { None }
    }

    /// The text, if this is one.
    pub fn as_str(&self) -> Option<&str> {
        if let Self::String(text) = self { Some(text) } else { None }
    }

    /// The boolean, if this is one.
    pub fn as_bool(&self) -> Option<bool> {
        if let Self::Bool(value) = self { Some(*value) } else { None }
    }

    /// The whole number, if this is one.
    pub fn as_i64(&self) -> Option<i64> {
        if let Self::Integer(value) = self { Some(*value) } else { None }
    }

    /// The bytes, if this is a `[]byte` field.
    pub fn as_bytes(&self) -> Option<&SecretBytes> {
        if let Self::Bytes(bytes) = self { Some(bytes) } else { None }
    }

    /// `metadata.name`.
    pub fn name(&self) -> &str {
        self.text(&["metadata", "name"])
    }

    /// `metadata.namespace`; empty for cluster-scoped objects.
    pub fn namespace(&self) -> &str {
        self.text(&["metadata", "namespace"])
    }

    /// `metadata.uid`.
    pub fn uid(&self) -> &str {
        self.text(&["metadata", "uid"])
    }

    /// Whether `metadata.deletionTimestamp` is set.
    pub fn is_deleting(&self) -> bool {
        self.at(&["metadata", "deletionTimestamp"]).is_some()
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::String(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::String(text)
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Integer(value)
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<Map> for Value {
    fn from(fields: Map) -> Self {
        Self::Object(fields)
    }
}

impl From<Vec<Self>> for Value {
    fn from(items: Vec<Self>) -> Self {
        Self::List(items)
    }
}
