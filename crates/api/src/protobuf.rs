//! Protobuf bodies, read by the field numbers of the schema, without generated code.
//!
//! A body is `k8s\0` and a `runtime.Unknown` that holds the object's own message. Fields that the schema does not
//! know are passed over, as in Kubernetes: strict validation does not reach here.

mod wire;

use thiserror::Error;

use crate::decode::json::{MOST_OBJECTS, Parser, TREE_DEPTH};
use crate::decode::{clock, scalar, typed, untyped};
use crate::protobuf::wire::{Kind, Wire};
use crate::schema::{Field, Presence, Schema, Shape, Type, TypeId};
use crate::value::{Map, SecretBytes, Value};

/// What every body begins with.
const MAGIC: &[u8] = b"k8s\0";

/// Why bytes are no message; the texts are those of Go's generated code.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}")]
pub(crate) struct Fault(String);

impl Fault {
    fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

/// What is around the object (`runtime.Unknown`).
#[derive(Debug, Default)]
pub(crate) struct Envelope<'a> {
    pub(crate) api_version: String,
    pub(crate) kind: String,
    pub(crate) object: &'a [u8],
}

/// Opens the envelope of a body.
pub(crate) fn open(body: &[u8]) -> Result<Envelope<'_>, Fault> {
    if body.is_empty() {
        return Err(Fault::new("empty data"));
    }
    let Some(unknown) = body.strip_prefix(MAGIC) else {
        let fault = "provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]";
        return Err(Fault::new(fault));
    };
    if unknown.is_empty() {
        return Err(Fault::new("empty body"));
    }
    let mut envelope = Envelope::default();
    let mut wire = Wire::new(unknown);
    while let Some(tag) = wire.tag("Unknown")? {
        match tag.number {
            1 => {
                let mut meta = Wire::new(wire.bytes(tag, "TypeMeta")?);
                while let Some(tag) = meta.tag("TypeMeta")? {
                    match tag.number {
                        1 => envelope.api_version = meta.text(tag, "APIVersion")?,
                        2 => envelope.kind = meta.text(tag, "Kind")?,
                        _ => meta.skip(tag)?,
                    }
                }
            }
            2 => envelope.object = wire.bytes(tag, "Raw")?,
            _ => wire.skip(tag)?,
        }
    }
    Ok(envelope)
}

/// Reads one object into a normalised tree.
pub(crate) fn read(schema: &Schema, id: TypeId, object: &[u8]) -> Result<Map, Fault> {
    Reader { schema, depth: 0, objects: 0 }.object(id, object, Map::new())
}

struct Reader<'s> {
    schema: &'s Schema,
    depth: usize,
    objects: usize,
}

impl<'s> Reader<'s> {
    /// A message of this type, read over what earlier fields of the same number left.
    fn object(&mut self, id: TypeId, bytes: &[u8], mut fields: Map) -> Result<Map, Fault> {
        self.depth += 1;
        self.objects += 1;
        if self.depth > TREE_DEPTH {
            return Err(Fault::new("exceeded max depth"));
        }
        if self.objects > MOST_OBJECTS {
            return Err(Fault::new("too many objects"));
        }
        self.message(self.schema.get(id), &mut Vec::new(), bytes, &mut fields)?;
        typed::fill(self.schema, id, &mut fields);
        self.depth -= 1;
        Ok(fields)
    }

    /// `within`: the messages around this one whose fields Go has inlined into the type.
    fn message(&mut self, kind: &'s Type, within: &mut Vec<u32>, bytes: &[u8], fields: &mut Map) -> Result<(), Fault> {
        let mut wire = Wire::new(bytes);
        while let Some(tag) = wire.tag(&kind.go_name)? {
            if let Some(field) =
                kind.fields.iter().find(|field| field.number == tag.number && *field.within == **within)
            {
                self.field(field, &mut wire, tag, fields)?;
                continue;
            }
            within.push(tag.number);
            if kind.fields.iter().any(|field| field.within.starts_with(within)) {
                self.message(kind, within, wire.bytes(tag, &kind.go_name)?, fields)?;
            } else {
                wire.skip(tag)?;
            }
            within.pop();
        }
        Ok(())
    }

    fn field(&mut self, field: &'s Field, wire: &mut Wire<'_>, tag: wire::Tag, fields: &mut Map) -> Result<(), Fault> {
        let held = fields.remove(&field.name);
        let value = match (&field.shape, held) {
            (Shape::List(item), held) => {
                let mut items = if let Some(Value::List(items)) = held { items } else { Vec::new() };
                self.items(field, item, wire, tag, &mut items)?;
                Some(Value::List(items))
            }
            (Shape::Map(entry), held) => {
                let mut entries = if let Some(Value::Object(entries)) = held { entries } else { Map::new() };
                self.entry(field, entry, wire.bytes(tag, &field.name)?, &mut entries)?;
                Some(Value::Object(entries))
            }
            (shape, held) => self.value(field, shape, wire, tag, held)?,
        };
        if let Some(value) = value
            && !(field.presence == Presence::OmitEmpty && typed::is_zero(&value))
        {
            fields.insert(field.name.clone(), value);
        }
        Ok(())
    }

    /// One item of a list, or several packed numbers, or all items of a list that is a message of its own.
    fn items(
        &mut self,
        field: &'s Field,
        item: &'s Shape,
        wire: &mut Wire<'_>,
        tag: wire::Tag,
        items: &mut Vec<Value>,
    ) -> Result<(), Fault> {
        let packs = matches!(item, Shape::Int32 | Shape::Int64 | Shape::Bool) && tag.kind == Kind::Bytes;
        if field.wrapped {
            let mut inner = Wire::new(wire.bytes(tag, &field.name)?);
            while let Some(tag) = inner.tag(&field.name)? {
                match tag.number {
                    1 => items.extend(self.value(field, item, &mut inner, tag, None)?),
                    _ => inner.skip(tag)?,
                }
            }
        } else if packs {
            let mut inner = Wire::new(wire.bytes(tag, &field.name)?);
            while !inner.is_empty() {
                let tag = wire::Tag { kind: Kind::Varint, ..tag };
                items.extend(self.value(field, item, &mut inner, tag, None)?);
            }
        } else {
            let value = self.value(field, item, wire, tag, None)?;
            items.push(value.unwrap_or_else(|| typed::zero_element(self.schema, item)));
        }
        Ok(())
    }

    fn entry(&mut self, field: &'s Field, shape: &'s Shape, bytes: &[u8], entries: &mut Map) -> Result<(), Fault> {
        let mut wire = Wire::new(bytes);
        let (mut key, mut value) = (String::new(), None);
        while let Some(tag) = wire.tag(&field.name)? {
            match (tag.number, shape) {
                (1, _) => key = wire.text(tag, &field.name)?,
                (2, Shape::List(item)) => {
                    let mut items = Vec::new();
                    self.items(field, item, &mut wire, tag, &mut items)?;
                    value = Some(Value::List(items));
                }
                (2, shape) => value = self.value(field, shape, &mut wire, tag, None)?,
                _ => wire.skip(tag)?,
            }
        }
        entries.insert(key, value.unwrap_or_else(|| typed::zero_element(self.schema, shape)));
        Ok(())
    }

    /// A value that is neither list nor map; `None` for a zero time.
    fn value(
        &mut self,
        field: &'s Field,
        shape: &'s Shape,
        wire: &mut Wire<'_>,
        tag: wire::Tag,
        held: Option<Value>,
    ) -> Result<Option<Value>, Fault> {
        let name = &field.name;
        Ok(Some(match shape {
            Shape::String => Value::String(wire.text(tag, name)?),
            Shape::Bytes => Value::Bytes(SecretBytes::new(wire.bytes(tag, name)?.to_vec())),
            Shape::Bool => Value::Bool(wire.number(tag, name)? != 0),
            Shape::Int32 => Value::Integer(low_half(wire.number(tag, name)?)),
            Shape::Int64 => Value::Integer(wire.number(tag, name)?),
            Shape::Float => untyped::float(wire.float(tag, name)?),
            Shape::Ref(id) => {
                let held = if let Some(Value::Object(fields)) = held { fields } else { Map::new() };
                Value::Object(self.object(*id, wire.bytes(tag, name)?, held)?)
            }
            Shape::Time | Shape::MicroTime => return time(shape, wire.bytes(tag, name)?),
            Shape::Duration => {
                let [nanos, ..] = numbers(wire.bytes(tag, name)?, "Duration")?;
                Value::String(clock::format_duration(nanos))
            }
            Shape::Quantity => quantity(wire.bytes(tag, name)?)?,
            Shape::IntOrString => int_or_string(wire.bytes(tag, name)?)?,
            Shape::Any => return any(wire.bytes(tag, name)?),
            // No type of Kubernetes nests these in one another.
            Shape::List(_) | Shape::Map(_) => {
                wire.skip(tag)?;
                return Ok(None);
            }
        }))
    }
}

/// An `int32` from its varint, which is as long as an `int64`'s.
fn low_half(number: i64) -> i64 {
    let [.., a, b, c, d] = number.to_be_bytes();
    i32::from_be_bytes([a, b, c, d]).into()
}

/// The numeric fields 1 and 2 of a message.
fn numbers(bytes: &[u8], owner: &str) -> Result<[i64; 2], Fault> {
    let mut wire = Wire::new(bytes);
    let mut numbers = [0, 0];
    while let Some(tag) = wire.tag(owner)? {
        match (tag.number, &mut numbers) {
            (1, [first, _]) => *first = wire.number(tag, owner)?,
            (2, [_, second]) => *second = wire.number(tag, owner)?,
            _ => wire.skip(tag)?,
        }
    }
    Ok(numbers)
}

/// A `Timestamp`; an empty message is the zero time.
fn time(shape: &Shape, bytes: &[u8]) -> Result<Option<Value>, Fault> {
    if bytes.is_empty() {
        return Ok(None);
    }
    let [seconds, nanos] = numbers(bytes, "Timestamp")?;
    // Kubernetes drops fractions of a time, which JSON clients could not send back.
    let micros = if matches!(shape, Shape::MicroTime) { nanos / 1_000 } else { 0 };
    let moment = clock::Moment::new(seconds, micros).unless_zero().map_err(Fault)?;
    let text = |moment: clock::Moment| match shape {
        Shape::MicroTime => moment.in_micros(),
        _ => moment.in_seconds(),
    };
    Ok(moment.map(text).map(Value::String))
}

fn quantity(bytes: &[u8]) -> Result<Value, Fault> {
    let mut wire = Wire::new(bytes);
    let mut text = String::new();
    while let Some(tag) = wire.tag("Quantity")? {
        match tag.number {
            1 => text = wire.text(tag, "String_")?,
            _ => wire.skip(tag)?,
        }
    }
    let text = if text.is_empty() { "0" } else { &text };
    Ok(Value::String(scalar::quantity(text).map_err(Fault)?.unwrap_or_default()))
}

fn int_or_string(bytes: &[u8]) -> Result<Value, Fault> {
    let mut wire = Wire::new(bytes);
    let (mut is_text, mut number, mut text) = (false, 0, String::new());
    while let Some(tag) = wire.tag("IntOrString")? {
        match tag.number {
            1 => is_text = wire.number(tag, "Type")? == 1,
            2 => number = low_half(wire.number(tag, "IntVal")?),
            3 => text = wire.text(tag, "StrVal")?,
            _ => wire.skip(tag)?,
        }
    }
    Ok(if is_text { Value::String(text) } else { Value::Integer(number) })
}

/// `FieldsV1` or `RawExtension`: JSON in field 1.
fn any(bytes: &[u8]) -> Result<Option<Value>, Fault> {
    let mut wire = Wire::new(bytes);
    let mut raw: &[u8] = &[];
    while let Some(tag) = wire.tag("RawExtension")? {
        match tag.number {
            1 => raw = wire.bytes(tag, "Raw")?,
            _ => wire.skip(tag)?,
        }
    }
    if raw.is_empty() {
        return Ok(None);
    }
    let mut json = Parser::new(raw);
    let value = untyped::value(&mut json, &mut untyped::Ignore);
    let value = value.and_then(|value| json.end().map(|()| value));
    value.map(Some).map_err(|error| Fault(error.to_string()))
}

#[cfg(test)]
mod tests;
