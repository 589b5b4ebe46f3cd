//! What `cargo xtask generate` wrote: the schema table of Kubernetes 1.36, and the words of its OpenAPI documents.
//!
//! `generated/schema.txt` has a line for each type and one for each of its fields:
//!
//! ```text
//! =DEFINITION GO-NAME [atomic]
//! NAME SHAPE NUMBER FLAGS [Tlist or map type[:keys]] [Pstrategies:key] [GGo type] [Ddefault as JSON]
//! ```
//! A shape is a letter, `[` or `{` before the shape of the items, or `@DEFINITION`. A number with slashes is the way
//! through the messages of inlined structs. Flags are p(ointer), o(mitted when empty) or w(ritten always), then
//! r(equired) and i(tems of the list are in a message of their own). `generated/descriptions.txt` has the same
//! order: name, values of an enumeration, description, between tabs, with `\n`, `\t` and `\\` escaped.

use std::collections::HashMap;
use std::sync::OnceLock;

use crate::schema::{Field, Patch, Presence, Schema, Shape, Topology, Type, TypeId};
use crate::value::{Map, Value};

const TABLE: &str = include_str!("generated/schema.txt");
const DESCRIPTIONS: &str = include_str!("generated/descriptions.txt");

/// The table of the built-in kinds.
pub fn schema() -> &'static Schema {
    static SCHEMA: OnceLock<Schema> = OnceLock::new();
    SCHEMA.get_or_init(|| parse(TABLE))
}

/// What OpenAPI says of a field.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Words {
    /// The description.
    pub description: String,
    /// The values of an enumeration, sorted; empty where the field is none.
    pub values: Vec<&'static str>,
}

/// The words for a field of this definition, or for the definition itself where the field is empty.
pub fn words(definition: &str, field: &str) -> Words {
    // By definition its lines: its own, then those of its fields, sorted.
    static TYPES: OnceLock<HashMap<&str, Vec<&str>>> = OnceLock::new();
    let types = TYPES.get_or_init(|| {
        let blocks = DESCRIPTIONS.split("\n=").skip(1);
        blocks.map(|block| (first_column(block), block.lines().collect())).collect()
    });
    let Some((own, fields)) = types.get(definition).and_then(|lines| lines.split_first()) else {
        return Words::default();
    };
    let found = fields.binary_search_by_key(&field, |line| first_column(line)).ok().and_then(|at| fields.get(at));
    let line = if field.is_empty() { Some(own) } else { found };
    let mut columns = line.copied().unwrap_or_default().split('\t').skip(1);
    let values = columns.next().filter(|values| !values.is_empty());
    let values = values.map(|values| values.split(',').collect()).unwrap_or_default();
    Words { values, description: unescape(columns.next().unwrap_or_default()) }
}

fn first_column(line: &str) -> &str {
    line.split('\t').next().unwrap_or_default()
}

fn unescape(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut pieces = text.split('\\');
    plain.push_str(pieces.next().unwrap_or_default());
    while let Some(piece) = pieces.next() {
        match piece.split_at_checked(1) {
            Some(("n", rest)) => plain.extend(["\n", rest]),
            Some(("t", rest)) => plain.extend(["\t", rest]),
            // An empty piece lies between the two backslashes that stand for one.
            _ => plain.extend(["\\", pieces.next().unwrap_or_default()]),
        }
    }
    plain
}

fn parse(table: &'static str) -> Schema {
    let heads = table.lines().filter_map(|line| line.strip_prefix('='));
    let ids: HashMap<&str, TypeId> =
        heads.zip(0..).map(|(head, at)| (head.split(' ').next().unwrap_or_default(), TypeId(at))).collect();
    let mut schema = Schema::default();
    let mut current: Option<Type> = None;
    for line in table.lines().filter(|line| !line.starts_with('#')) {
        let Some(head) = line.strip_prefix('=') else {
            if let Some(into) = &mut current {
                into.fields.push(field(line, &ids));
            }
            continue;
        };
        let mut words = head.split(' ');
        let mut next = || words.next().unwrap_or_default();
        let new = Type {
            name: next().to_owned(),
            go_name: next().to_owned(),
            fields: Vec::new(),
            atomic: next() == "atomic",
        };
        if let Some(done) = current.replace(new) {
            schema.add(done);
        }
    }
    if let Some(done) = current {
        schema.add(done);
    }
    schema
}

fn field(line: &str, ids: &HashMap<&str, TypeId>) -> Field {
    let mut words = line.splitn(5, ' ');
    let mut next = || words.next().unwrap_or_default();
    let (name, shape, numbers, flags, mut extras) = (next(), next(), next(), next(), next());
    let (within, number) = numbers.rsplit_once('/').unwrap_or(("", numbers));
    let mut field = Field {
        name: name.to_owned(),
        shape: self::shape(shape, ids),
        number: number.parse().unwrap_or_default(),
        within: within.split('/').filter_map(|outer| outer.parse().ok()).collect(),
        wrapped: flags.ends_with('i'),
        presence: match flags.as_bytes().first() {
            Some(b'p') => Presence::Pointer,
            Some(b'o') => Presence::OmitEmpty,
            _ => Presence::Always,
        },
        required: flags.contains('r'),
        topology: Topology::Default,
        patch: Patch::default(),
        go_type: None,
        default: None,
    };
    while !extras.is_empty() {
        let (letter, rest) = extras.split_at(1);
        // A default may hold blanks and comes last.
        let (extra, rest) = if letter == "D" { (rest, "") } else { rest.split_once(' ').unwrap_or((rest, "")) };
        match letter {
            "T" => field.topology = topology(extra),
            "P" => field.patch = patch(extra),
            "G" => field.go_type = Some(extra.into()),
            _ => field.default = serde_json::from_str(extra).ok().map(value),
        }
        extras = rest;
    }
    field
}

fn shape(text: &str, ids: &HashMap<&str, TypeId>) -> Shape {
    let mut characters = text.chars();
    let letter = characters.next();
    let rest = characters.as_str();
    match letter {
        Some('[') => Shape::List(Box::new(shape(rest, ids))),
        Some('{') => Shape::Map(Box::new(shape(rest, ids))),
        Some('@') => ids.get(rest).map_or(Shape::Any, |id| Shape::Ref(*id)),
        Some('s') => Shape::String,
        Some('i') => Shape::Int32,
        Some('l') => Shape::Int64,
        Some('f') => Shape::Float,
        Some('b') => Shape::Bool,
        Some('y') => Shape::Bytes,
        Some('t') => Shape::Time,
        Some('u') => Shape::MicroTime,
        Some('d') => Shape::Duration,
        Some('q') => Shape::Quantity,
        Some('n') => Shape::IntOrString,
        _ => Shape::Any,
    }
}

fn topology(text: &str) -> Topology {
    match text.split_once(':') {
        Some((_, keys)) => Topology::Map(keys.split(',').map(str::to_owned).collect()),
        None if text == "set" => Topology::Set,
        None if text == "granular" => Topology::Granular,
        None => Topology::Atomic,
    }
}

fn patch(text: &str) -> Patch {
    let (strategies, key) = text.split_once(':').unwrap_or((text, ""));
    let has = |strategy: &str| strategies.split(',').any(|one| one == strategy);
    Patch {
        merge: has("merge"),
        replace: has("replace"),
        retain_keys: has("retainKeys"),
        merge_key: Some(key.to_owned()).filter(|key| !key.is_empty()),
    }
}

/// Defaults are scalars and small objects.
fn value(json: serde_json::Value) -> Value {
    match json {
        serde_json::Value::Null => Value::Null,
        serde_json::Value::Bool(value) => Value::Bool(value),
        serde_json::Value::Number(number) => {
            number.as_i64().map_or_else(|| Value::Float(number.as_f64().unwrap_or_default()), Value::Integer)
        }
        serde_json::Value::String(text) => Value::String(text),
        serde_json::Value::Array(items) => Value::List(items.into_iter().map(value).collect()),
        serde_json::Value::Object(fields) => {
            Value::Object(fields.into_iter().map(|(name, field)| (name, value(field))).collect::<Map>())
        }
    }
}

#[cfg(test)]
mod tests;
