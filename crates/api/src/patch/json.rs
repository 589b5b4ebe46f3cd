//! JSON patch (RFC 6902) with the habits of the library that Kubernetes uses: negative indices count from the
//! end, a missing value is null, a test for null passes where nothing is, the text before the first slash is ignored.

use crate::patch::{PatchError, json_kind};
use crate::value::{Map, Value};

/// The most operations in one patch (`maxJSONPatchOperations`).
pub const MAX_OPERATIONS: usize = 10_000;
/// The most bytes that all `copy` operations of one patch may add (`JSONPatchMaxCopyBytes`).
pub const MAX_COPIED: usize = 3 * 1024 * 1024;
/// The deepest object that a patch may build. Kubernetes objects are far shallower; trees are walked recursively.
const MAX_DEPTH: usize = 256;
/// The most values that one patch may look at or shift: seconds of work come from nothing that a client needs.
const MAX_WORK: usize = 50_000_000;

/// A list of operations of known form.
pub struct Patch {
    operations: Vec<Map>,
}

impl Patch {
    /// Checks the form of a patch.
    pub fn parse(tree: Value) -> Result<Self, PatchError> {
        let items = match tree {
            Value::List(items) => items,
            Value::Null => Vec::new(),
            other => return Err(mistyped(&other, "Go value of type []handlers.jsonPatchOp")),
        };
        let operations = items.into_iter().map(operation).collect::<Result<Vec<_>, _>>()?;
        if operations.len() > MAX_OPERATIONS {
            return Err(PatchError::TooLarge(format!(
                "The allowed maximum operations in a JSON patch is {MAX_OPERATIONS}, got {}",
                operations.len()
            )));
        }
        Ok(Self { operations })
    }

    /// The fields that no operation has, as strict decoding reports them.
    pub fn unknown_fields(&self) -> Vec<String> {
        let known = ["op", "path", "from", "value"];
        let fields =
            self.operations.iter().enumerate().flat_map(|(at, fields)| fields.keys().map(move |name| (at, name)));
        fields
            .filter(|(_, name)| !known.contains(&name.as_str()))
            .map(|(at, name)| format!("json patch unknown field \"[{at}].{name}\""))
            .collect()
    }

    /// Applies the operations in order; all or nothing.
    pub fn apply(self, document: Value) -> Result<Value, PatchError> {
        let mut run = Run { document, copied: 0, work: 0 };
        for operation in self.operations {
            run.step(operation).map_err(PatchError::Rejected)?;
        }
        Ok(run.document)
    }
}

/// Checks the types of one operation.
fn operation(item: Value) -> Result<Map, PatchError> {
    let fields = match item {
        Value::Object(fields) => fields,
        Value::Null => Map::new(),
        other => return Err(mistyped(&other, "Go value of type handlers.jsonPatchOp")),
    };
    for name in ["op", "path", "from"] {
        match fields.get(name) {
            None | Some(Value::Null | Value::String(_)) => {}
            Some(other) => return Err(mistyped(other, &format!("Go struct field jsonPatchOp.{name} of type string"))),
        }
    }
    Ok(fields)
}

fn mistyped(value: &Value, wanted: &str) -> PatchError {
    PatchError::Malformed(format!("error decoding patch: json: cannot unmarshal {} into {wanted}", json_kind(value)))
}

/// A patch under way.
struct Run {
    document: Value,
    copied: usize,
    work: usize,
}

impl Run {
    fn step(&mut self, mut operation: Map) -> Result<(), String> {
        let op = take_text(&mut operation, "op").unwrap_or_else(|| "unknown".to_owned());
        let path = take_text(&mut operation, "path").ok_or("operation missing path field");
        let from = take_text(&mut operation, "from").ok_or("operation missing from field");
        let value = operation.remove("value").unwrap_or(Value::Null);
        match op.as_str() {
            "add" => self.add(&path?, value),
            "remove" => self.take(&path?).map(drop),
            "replace" => self.replace(&path?, value),
            "move" => {
                let value = self.take(&from?)?;
                self.add(&path?, value)
            }
            "copy" => self.copy(&from?, &path?),
            "test" => self.test(&path?, &value),
            other => Err(format!("unexpected kind: {other}")),
        }
    }

    fn add(&mut self, path: &str, value: Value) -> Result<(), String> {
        self.weigh(path, &value)?;
        let shifted = match self.parent(path)? {
            (Value::Object(fields), name) => {
                fields.insert(name, value);
                0
            }
            (Value::List(items), name) if name == "-" => {
                items.push(value);
                0
            }
            (Value::List(items), name) => {
                let at = index(&name, items.len() + 1)?;
                items.insert(at, value);
                items.len() - at
            }
            _ => return Err(missing(path)),
        };
        self.spend(shifted)
    }

    /// Refuses what would make the document too deep.
    fn weigh(&mut self, path: &str, value: &Value) -> Result<(), String> {
        let mut size = 0;
        let deep = path.split('/').count() + depth(value, &mut size) > MAX_DEPTH;
        if deep { Err(format!("the object would be more than {MAX_DEPTH} levels deep")) } else { self.spend(size) }
    }

    fn spend(&mut self, work: usize) -> Result<(), String> {
        self.work = self.work.saturating_add(work);
        if self.work > MAX_WORK { Err("the patch is too much work".to_owned()) } else { Ok(()) }
    }

    fn replace(&mut self, path: &str, value: Value) -> Result<(), String> {
        if path.is_empty() {
            if !matches!(value, Value::Object(_) | Value::List(_)) {
                return Err("replace operation value must be object or array".to_owned());
            }
            self.document = value;
            return Ok(());
        }
        self.weigh(path, &value)?;
        let (parent, name) = self.parent(path)?;
        let place = entry(parent, &name)?.ok_or_else(|| missing(path))?;
        *place = value;
        Ok(())
    }

    /// Removes and returns what is there.
    fn take(&mut self, path: &str) -> Result<Value, String> {
        match self.parent(path)? {
            (Value::Object(fields), name) => fields.remove(&name).ok_or_else(|| missing(path)),
            (Value::List(items), name) => {
                let at = index(&name, items.len())?;
                let (value, shifted) = (items.remove(at), items.len() - at);
                self.spend(shifted)?;
                Ok(value)
            }
            _ => Err(missing(path)),
        }
    }

    fn copy(&mut self, from: &str, path: &str) -> Result<(), String> {
        let (parent, name) = self.parent(from)?;
        let value = entry(parent, &name)?.ok_or_else(|| missing(from))?.clone();
        self.copied = self.copied.saturating_add(encoded_length(&value));
        if self.copied > MAX_COPIED {
            return Err(format!(
                "unable to complete the copy, the accumulated size increase of copy is {}, exceeding the limit {MAX_COPIED}",
                self.copied
            ));
        }
        self.add(path, value)
    }

    fn test(&mut self, path: &str, wanted: &Value) -> Result<(), String> {
        let failed = || format!("testing value {path} failed");
        if path.is_empty() {
            return if self.document == *wanted { Ok(()) } else { Err(failed()) };
        }
        let (parent, name) = self.parent(path)?;
        let there = entry(parent, &name)?;
        if there.map_or(&Value::Null, |value| value) == wanted { Ok(()) } else { Err(failed()) }
    }

    /// The object or list that holds the end of the path, and the last step.
    fn parent(&mut self, path: &str) -> Result<(&mut Value, String), String> {
        let mut steps = path.split('/').skip(1).map(unescape);
        let mut last = steps.next().ok_or_else(|| missing(path))?;
        let mut place = &mut self.document;
        for step in steps {
            place = entry(place, &last)?.ok_or_else(|| missing(path))?;
            last = step;
        }
        Ok((place, last))
    }
}

/// The value of a field or at an index; an index out of bounds is an error, a missing field is none.
fn entry<'v>(parent: &'v mut Value, name: &str) -> Result<Option<&'v mut Value>, String> {
    match parent {
        Value::Object(fields) => Ok(fields.get_mut(name)),
        Value::List(items) => {
            let at = index(name, items.len())?;
            Ok(items.get_mut(at))
        }
        _ => Err(format!("no object or list holds {name}")),
    }
}

/// An index below `count`, or one that counts from the end.
fn index(text: &str, count: usize) -> Result<usize, String> {
    let number: i64 = text.parse().map_err(|_| format!("value was not a proper array index: '{text}'"))?;
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    let at = if number < 0 { number.saturating_add(count) } else { number };
    if (0..count).contains(&at) {
        usize::try_from(at).map_err(|_| format!("unable to access invalid index: {number}"))
    } else {
        Err(format!("unable to access invalid index: {number}"))
    }
}

fn unescape(step: &str) -> String {
    step.replace("~1", "/").replace("~0", "~")
}

fn missing(path: &str) -> String {
    format!("doc is missing path: {path}")
}

fn take_text(fields: &mut Map, name: &str) -> Option<String> {
    match fields.remove(name) {
        Some(Value::String(text)) => Some(text),
        _ => None,
    }
}

/// How many levels a value has; counts its values on the way.
fn depth(value: &Value, size: &mut usize) -> usize {
    *size += 1;
    let below = match value {
        Value::Object(fields) => fields.values().map(|value| depth(value, size)).max(),
        Value::List(items) => items.iter().map(|item| depth(item, size)).max(),
        _ => None,
    };
    1 + below.unwrap_or(0)
}

/// How long a value is as JSON, escapes aside.
fn encoded_length(value: &Value) -> usize {
    match value {
        Value::Null => 4,
        Value::Bool(value) => 5 - usize::from(*value),
        Value::Integer(number) => itoa::Buffer::new().format(*number).len(),
        Value::Float(number) => number.to_string().len(),
        Value::String(text) => text.len() + 2,
        Value::Bytes(bytes) => bytes.len().div_ceil(3) * 4 + 2,
        Value::List(items) => 1 + items.len().max(1) + items.iter().map(encoded_length).sum::<usize>(),
        Value::Object(fields) => {
            let entries = fields.iter().map(|(name, value)| name.len() + 3 + encoded_length(value));
            1 + fields.len().max(1) + entries.sum::<usize>()
        }
    }
}

#[cfg(test)]
mod tests;
