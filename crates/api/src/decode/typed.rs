//! Reads JSON against the schema, as `sigs.k8s.io/json` reads it into Go structs.
//!
//! One pass yields a normalised tree, the first fault of type, and what strict validation has to say.

use std::borrow::Cow;
use std::fmt::Write;

use crate::decode::base64;
use crate::decode::go;
use crate::decode::json::{Kind, Parser, SyntaxError};
use crate::decode::scalar;
use crate::decode::untyped;
use crate::schema::{Field, Presence, Schema, Shape, TypeId};
use crate::value::{Map, SecretBytes, Value};

/// Go stops collecting strict errors here.
const MOST_STRICT_ERRORS: usize = 100;

/// Why reading stopped before the end.
pub(super) enum Stop {
    /// The text is no JSON, or beyond a limit.
    Syntax(SyntaxError),
    /// A value that a Go type with its own `UnmarshalJSON` refused.
    Refused(String),
}

impl From<SyntaxError> for Stop {
    fn from(error: SyntaxError) -> Self {
        Self::Syntax(error)
    }
}

/// Whether unknown and duplicate fields are noted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Notes {
    Collect,
    Skip,
}

/// What was read.
pub(super) struct Read {
    /// The normalised object.
    pub(super) fields: Map,
    /// The first fault of type; reading went on after it.
    pub(super) fault: Option<String>,
    /// Unknown and duplicate fields, in the order of the text.
    pub(super) strict: Vec<String>,
    /// A field of the object itself that only a reader that ignores case takes for apiVersion or kind.
    pub(super) odd_identity: bool,
}

/// Reads one object.
pub(super) fn read(schema: &Schema, id: TypeId, json: Parser<'_>, notes: Notes) -> Result<Read, Stop> {
    let mut reader =
        Reader { json, schema, notes, path: Vec::new(), fault: None, strict: Vec::new(), odd_identity: false };
    let fields = match reader.json.peek()? {
        Kind::Object => reader.object(id, Map::new())?,
        Kind::Null => {
            reader.json.literal(Kind::Null)?;
            zero_object(schema, id)
        }
        other => {
            reader.mistake(other.word(), &Shape::Ref(id));
            reader.json.skip()?;
            Map::new()
        }
    };
    reader.json.end()?;
    Ok(Read { fields, fault: reader.fault, strict: reader.strict, odd_identity: reader.odd_identity })
}

/// One step from the object to where we are.
enum Step<'s> {
    Field(&'s Field, TypeId),
    Key(String),
    Index(usize),
}

struct Reader<'a, 's> {
    json: Parser<'a>,
    schema: &'s Schema,
    notes: Notes,
    path: Vec<Step<'s>>,
    fault: Option<String>,
    strict: Vec<String>,
    odd_identity: bool,
}

impl<'s> Reader<'_, 's> {
    /// An object of this type, read over what an earlier field of the same name left.
    fn object(&mut self, id: TypeId, mut fields: Map) -> Result<Map, Stop> {
        let kind = self.schema.get(id);
        let mut seen = if fields.is_empty() { 0_u64 } else { u64::MAX };
        let mut told = 0_u64;
        let mut first = true;
        self.json.count_object()?;
        self.json.open()?;
        while let Some(key) = self.json.key(&mut first)? {
            let found = kind.fields.binary_search_by(|field| field.name.as_str().cmp(&key));
            let Some((at, field)) = found.ok().and_then(|at| Some((at, kind.fields.get(at)?))) else {
                self.unknown(&key);
                self.json.skip()?;
                continue;
            };
            let bit = 1_u64.checked_shl(u32::try_from(at).unwrap_or(u32::MAX)).unwrap_or_default();
            if told & bit != 0 {
                self.note("duplicate field", &field.name);
            }
            let held = if seen & bit == 0 { None } else { fields.remove(&field.name) };
            seen |= bit;
            told |= bit;
            self.path.push(Step::Field(field, id));
            if let Some(value) = self.field(field, held)? {
                fields.insert(field.name.clone(), value);
            }
            self.path.pop();
        }
        fill(self.schema, id, &mut fields);
        Ok(fields)
    }

    /// The value of a field, unless it is one that Go leaves out.
    fn field(&mut self, field: &'s Field, held: Option<Value>) -> Result<Option<Value>, Stop> {
        let value = match self.json.peek()? {
            Kind::Null => {
                self.json.literal(Kind::Null)?;
                let nil = field.presence == Presence::Pointer || nil_on_null(&field.shape);
                if nil { None } else { held }
            }
            kind => self.value(kind, &field.shape, held)?,
        };
        Ok(value.filter(|value| field.presence != Presence::OmitEmpty || !is_zero(value)))
    }

    /// A value that is not null. After a fault of type what was held stays, as in Go.
    fn value(&mut self, kind: Kind, shape: &'s Shape, held: Option<Value>) -> Result<Option<Value>, Stop> {
        match (shape, kind) {
            (Shape::String, Kind::String) => Ok(Some(Value::String(self.json.string()?.into_owned()))),
            (Shape::Bytes, Kind::String) => self.bytes(held),
            (Shape::Bytes, Kind::Array) => self.byte_list().map(Some),
            (Shape::Bool, Kind::True | Kind::False) => {
                self.json.literal(kind)?;
                Ok(Some(Value::Bool(kind == Kind::True)))
            }
            (Shape::Int32 | Shape::Int64 | Shape::Float, Kind::Number) => self.number(shape, held),
            (Shape::List(item), Kind::Array) => self.list(item).map(Some),
            (Shape::Map(entry), Kind::Object) => {
                let held = if let Some(Value::Object(map)) = held { map } else { Map::new() };
                self.map(entry, held).map(Some)
            }
            (Shape::Ref(id), Kind::Object) => {
                let held = if let Some(Value::Object(map)) = held { map } else { Map::new() };
                Ok(Some(Value::Object(self.object(*id, held)?)))
            }
            (Shape::Any, _) => Ok(Some(untyped::value(&mut self.json, &mut untyped::Ignore)?)),
            (Shape::Time | Shape::MicroTime | Shape::Duration, Kind::String)
            | (Shape::Quantity, Kind::String | Kind::Number)
            | (Shape::IntOrString, Kind::String | Kind::Number) => self.scalar(kind, shape),
            (Shape::Time | Shape::MicroTime | Shape::Duration | Shape::Quantity | Shape::IntOrString, _) => {
                Err(self.refuse_kind(kind, shape))
            }
            _ => {
                self.mistake(kind.word(), shape);
                self.json.skip()?;
                Ok(held)
            }
        }
    }

    fn list(&mut self, item: &'s Shape) -> Result<Value, Stop> {
        let mut items = Vec::new();
        let mut first = true;
        self.json.open()?;
        while self.json.item(&mut first)? {
            self.path.push(Step::Index(items.len()));
            items.push(self.element(item)?);
            self.path.pop();
        }
        Ok(Value::List(items))
    }

    fn map(&mut self, entry: &'s Shape, held: Map) -> Result<Value, Stop> {
        let mut entries = Map::new();
        let nested = !matches!(entry, Shape::String | Shape::Bytes);
        let mut first = true;
        self.json.open()?;
        while let Some(key) = self.json.key(&mut first)? {
            if self.notes == Notes::Collect && entries.contains_key(key.as_ref()) {
                self.note("duplicate field", &key);
            }
            let key = key.into_owned();
            if nested {
                self.path.push(Step::Key(key.clone()));
            }
            let value = self.element(entry)?;
            if nested {
                self.path.pop();
            }
            entries.insert(key, value);
        }
        // A second field of the same name adds to the map of the first.
        for (key, value) in held {
            entries.entry(key).or_insert(value);
        }
        Ok(Value::Object(entries))
    }

    /// An item of a list or an entry of a map: null and faults of type leave its zero value.
    fn element(&mut self, shape: &'s Shape) -> Result<Value, Stop> {
        let value = match self.json.peek()? {
            Kind::Null => {
                self.json.literal(Kind::Null)?;
                None
            }
            kind => self.value(kind, shape, None)?,
        };
        Ok(value.unwrap_or_else(|| zero_element(self.schema, shape)))
    }

    fn bytes(&mut self, held: Option<Value>) -> Result<Option<Value>, Stop> {
        let text = self.json.string()?;
        match base64::decode(text.as_bytes()) {
            Ok(bytes) => Ok(Some(Value::Bytes(SecretBytes::new(bytes)))),
            Err(at) => {
                self.fault.get_or_insert_with(|| format!("illegal base64 data at input byte {at}"));
                Ok(held)
            }
        }
    }

    /// Go takes a list of numbers for bytes, too.
    fn byte_list(&mut self) -> Result<Value, Stop> {
        let mut bytes = Vec::new();
        let mut first = true;
        self.json.open()?;
        while self.json.item(&mut first)? {
            let (found, byte) = match self.json.peek()? {
                Kind::Number => {
                    let text = self.json.number()?;
                    (format!("number {text}"), text.parse().ok())
                }
                kind => {
                    self.json.skip()?;
                    (kind.word().to_owned(), (kind == Kind::Null).then_some(0))
                }
            };
            if byte.is_none() && self.fault.is_none() {
                self.fault = Some(self.type_error(&found, "uint8"));
            }
            bytes.push(byte.unwrap_or_default());
        }
        Ok(Value::Bytes(SecretBytes::new(bytes)))
    }

    fn number(&mut self, shape: &'s Shape, held: Option<Value>) -> Result<Option<Value>, Stop> {
        let text = self.json.number()?;
        let value = match shape {
            Shape::Int32 => text.parse::<i32>().ok().map(|number| Value::Integer(number.into())),
            Shape::Int64 => text.parse::<i64>().ok().map(Value::Integer),
            _ => text.parse::<f64>().ok().filter(|number| number.is_finite()).map(untyped::float),
        };
        if value.is_none() {
            self.mistake(&format!("number {text}"), shape);
            return Ok(held);
        }
        Ok(value)
    }

    /// A value of a Go type that reads itself; what it refuses ends all reading.
    fn scalar(&mut self, kind: Kind, shape: &'s Shape) -> Result<Option<Value>, Stop> {
        let text = if kind == Kind::String { self.json.string()? } else { Cow::Borrowed(self.json.number()?) };
        let read = match shape {
            Shape::Time => scalar::time(&text),
            Shape::MicroTime => scalar::micro_time(&text),
            Shape::Duration => scalar::duration(&text),
            Shape::Quantity => scalar::quantity(&text),
            _ if kind == Kind::String => return Ok(Some(Value::String(text.into_owned()))),
            _ => match text.parse::<i32>() {
                Ok(number) => return Ok(Some(Value::Integer(number.into()))),
                Err(_) => return Err(Stop::Refused(self.type_error(&format!("number {text}"), "int32"))),
            },
        };
        read.map(|text| text.map(Value::String)).map_err(Stop::Refused)
    }

    /// These types read JSON of the wrong kind with a nested reader, whose error gets our place.
    fn refuse_kind(&self, kind: Kind, shape: &Shape) -> Stop {
        Stop::Refused(match shape {
            Shape::Quantity => scalar::BAD_QUANTITY.to_owned(),
            Shape::IntOrString => self.type_error(kind.word(), "int32"),
            _ => self.type_error(kind.word(), "string"),
        })
    }

    /// Notes a value of the wrong type, if it is the first.
    fn mistake(&mut self, found: &str, shape: &Shape) {
        if self.fault.is_none() {
            let holder = self
                .path
                .iter()
                .rev()
                .find_map(|step| if let Step::Field(field, _) = step { Some(*field) } else { None });
            let wanted = go::type_within(self.schema, holder, shape);
            self.fault = Some(self.type_error(found, &wanted));
        }
    }

    /// Go's `UnmarshalTypeError`: the struct that holds the last field, and all fields on the way.
    fn type_error(&self, found: &str, wanted: &str) -> String {
        let mut owner = None;
        let mut fields = String::new();
        for step in &self.path {
            if let Step::Field(field, holder) = step {
                let holder = &self.schema.get(*holder).go_name;
                owner = Some(holder);
                if let Some(embedded) = go::embedded(holder, field) {
                    fields.push('.');
                    fields.push_str(embedded);
                }
                fields.push('.');
                fields.push_str(&field.name);
            }
        }
        match owner {
            None => format!("json: cannot unmarshal {found} into Go value of type {wanted}"),
            Some(owner) => {
                format!("json: cannot unmarshal {found} into Go struct field {owner}{fields} of type {wanted}")
            }
        }
    }

    fn unknown(&mut self, key: &str) {
        if self.path.is_empty() && (go::folds_to(key, "apiVersion") || go::folds_to(key, "kind")) {
            self.odd_identity = true;
        }
        self.note("unknown field", key);
    }

    /// Notes what strict validation refuses; the same is told once.
    fn note(&mut self, what: &str, key: &str) {
        if self.notes == Notes::Skip || self.strict.len() >= MOST_STRICT_ERRORS {
            return;
        }
        let note = format!("{what} {}", crate::field::quote(&self.place(key)));
        if !self.strict.contains(&note) {
            self.strict.push(note);
        }
    }

    /// The path of a key below where we are, e.g. `spec.containers[0].image`.
    fn place(&self, key: &str) -> String {
        let mut place = String::new();
        for step in &self.path {
            match step {
                Step::Field(field, _) => dotted(&mut place, &field.name),
                Step::Key(key) => dotted(&mut place, key),
                Step::Index(at) => write!(place, "[{at}]").unwrap_or_default(),
            }
        }
        dotted(&mut place, key);
        place
    }
}

fn dotted(place: &mut String, name: &str) {
    if !place.is_empty() {
        place.push('.');
    }
    place.push_str(name);
}

/// Types that null sets to nil or zero; of the others Go leaves what was there.
fn nil_on_null(shape: &Shape) -> bool {
    !matches!(shape, Shape::String | Shape::Int32 | Shape::Int64 | Shape::Float | Shape::Bool | Shape::Ref(_))
}

/// Puts in the fields that Go always writes.
pub(crate) fn fill(schema: &Schema, id: TypeId, fields: &mut Map) {
    for field in schema.get(id).fields.iter().filter(|field| field.presence == Presence::Always) {
        if !fields.contains_key(&field.name) {
            fields.insert(field.name.clone(), zero_field(schema, &field.shape));
        }
    }
}

/// The zero value of a struct, as it is written.
pub(crate) fn zero_object(schema: &Schema, id: TypeId) -> Map {
    let mut fields = Map::new();
    fill(schema, id, &mut fields);
    fields
}

/// What Go writes for a field that is always written and was not set.
fn zero_field(schema: &Schema, shape: &Shape) -> Value {
    match shape {
        Shape::Time | Shape::MicroTime | Shape::Any | Shape::List(_) | Shape::Map(_) | Shape::Bytes => Value::Null,
        other => zero_element(schema, other),
    }
}

/// What null leaves in a list or a map.
pub(crate) fn zero_element(schema: &Schema, shape: &Shape) -> Value {
    match shape {
        Shape::String => Value::String(String::new()),
        Shape::Int32 | Shape::Int64 | Shape::Float | Shape::IntOrString => Value::Integer(0),
        Shape::Bool => Value::Bool(false),
        Shape::Bytes => Value::Bytes(SecretBytes::new(Vec::new())),
        Shape::Quantity => Value::String("0".to_owned()),
        Shape::Duration => Value::String("0s".to_owned()),
        Shape::Time | Shape::MicroTime | Shape::Any => Value::Null,
        Shape::List(_) => Value::List(Vec::new()),
        Shape::Map(_) => Value::Object(Map::new()),
        Shape::Ref(id) => Value::Object(zero_object(schema, *id)),
    }
}

/// Whether `omitempty` leaves this value out.
pub(crate) fn is_zero(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(value) => !value,
        Value::Integer(value) => *value == 0,
        Value::Float(value) => *value == 0.0,
        Value::String(text) => text.is_empty(),
        Value::Bytes(bytes) => bytes.is_empty(),
        Value::List(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
    }
}
