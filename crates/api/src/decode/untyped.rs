//! Reads JSON into a tree without a schema: what `map[string]any` is to Go.

use std::fmt::Write;

use crate::decode::json::{Kind, Parser, SyntaxError};
use crate::field::quote;
use crate::value::{Map, Value};

/// The largest whole number that a float still tells from its neighbours.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// Who wants to know of keys that are there twice.
pub(crate) trait Duplicates {
    /// Whether to look for them at all.
    const WANTED: bool;
    fn enter_key(&mut self, key: &str);
    fn enter_index(&mut self, at: usize);
    fn leave(&mut self);
    fn found(&mut self, key: &str);
}

/// Nobody.
pub(crate) struct Ignore;

impl Duplicates for Ignore {
    const WANTED: bool = false;
    fn enter_key(&mut self, _key: &str) {}
    fn enter_index(&mut self, _at: usize) {}
    fn leave(&mut self) {}
    fn found(&mut self, _key: &str) {}
}

/// Lists them as strict decoding does: `duplicate field "metadata.labels.a"`.
#[derive(Default)]
pub(crate) struct List {
    path: String,
    lengths: Vec<usize>,
    pub(crate) found: Vec<String>,
}

impl List {
    fn place(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }
}

impl Duplicates for List {
    const WANTED: bool = true;
    fn enter_key(&mut self, key: &str) {
        self.lengths.push(self.path.len());
        self.path = self.place(key);
    }

    fn enter_index(&mut self, at: usize) {
        self.lengths.push(self.path.len());
        write!(self.path, "[{at}]").unwrap_or_default();
    }

    fn leave(&mut self) {
        self.path.truncate(self.lengths.pop().unwrap_or_default());
    }

    fn found(&mut self, key: &str) {
        let note = format!("duplicate field {}", quote(&self.place(key)));
        if self.found.len() < 100 && !self.found.contains(&note) {
            self.found.push(note);
        }
    }
}

/// One value of any kind; of keys that are there twice the last counts.
pub(crate) fn value(json: &mut Parser<'_>, duplicates: &mut impl Duplicates) -> Result<Value, SyntaxError> {
    Ok(match json.peek()? {
        Kind::Object => object(json, duplicates)?,
        Kind::Array => list(json, duplicates)?,
        Kind::String => Value::String(json.string()?.into_owned()),
        Kind::Number => number(json)?,
        literal => {
            json.literal(literal)?;
            match literal {
                Kind::True => Value::Bool(true),
                Kind::False => Value::Bool(false),
                _ => Value::Null,
            }
        }
    })
}

fn object<D: Duplicates>(json: &mut Parser<'_>, duplicates: &mut D) -> Result<Value, SyntaxError> {
    let mut fields = Map::new();
    let mut first = true;
    json.open()?;
    while let Some(key) = json.key(&mut first)? {
        if fields.is_empty() {
            json.count_object()?;
        }
        if D::WANTED && fields.contains_key(key.as_ref()) {
            duplicates.found(&key);
        }
        duplicates.enter_key(&key);
        let value = value(json, duplicates)?;
        duplicates.leave();
        fields.insert(key.into_owned(), value);
    }
    Ok(Value::Object(fields))
}

fn list(json: &mut Parser<'_>, duplicates: &mut impl Duplicates) -> Result<Value, SyntaxError> {
    let mut items = Vec::new();
    let mut first = true;
    json.open()?;
    while json.item(&mut first)? {
        duplicates.enter_index(items.len());
        items.push(value(json, duplicates)?);
        duplicates.leave();
    }
    Ok(Value::List(items))
}

/// A whole number where it is one, so that 1 and 1.0 are equal.
fn number(json: &mut Parser<'_>) -> Result<Value, SyntaxError> {
    let text = json.number()?;
    match text.parse::<i64>() {
        Ok(whole) => Ok(Value::Integer(whole)),
        Err(_) => match text.parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(float(number)),
            _ => Err(json.error("number out of range")),
        },
    }
}

/// A float, or the whole number that it is.
pub(crate) fn float(number: f64) -> Value {
    if number.fract() == 0.0 && number.abs() < EXACT {
        #[expect(clippy::cast_possible_truncation, reason = "a whole number below 2^53")]
        return Value::Integer(number as i64);
    }
    Value::Float(number)
}
