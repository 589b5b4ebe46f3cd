//! A tree to YAML as go-yaml 2 lays it out: block style, the order of its keys, its choice of quotes, lines of 80.

use std::cmp::Ordering;

use crate::value::{Map, Value};
use crate::yaml::scalar;

/// Text is broken at the first blank beyond this column.
const WIDTH: usize = 80;
/// Longer keys are written as `? key`.
const SIMPLE_KEY: usize = 128;

/// The whole document, with a line break at its end. Bytes must have become text.
pub(crate) fn write(value: &Value) -> String {
    let mut emitter = Emitter { out: String::new(), column: 0, indent: None, after_blank: true, at_indent: true };
    emitter.node(value, Place::Item);
    if emitter.column > 0 {
        emitter.line_break();
    }
    emitter.out
}

/// Where a node stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// The document, or an item of a list.
    Item,
    /// A value of a map, or a long key.
    Value,
    /// A key on one line.
    Key,
}

/// How a text is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    Plain,
    Single,
    Double,
    Literal,
}

/// The state of libyaml's emitter, as far as block style needs it.
struct Emitter {
    out: String,
    column: usize,
    /// `None` outside all lists and maps.
    indent: Option<usize>,
    /// Whether the last character was a blank or an indicator that counts as one.
    after_blank: bool,
    /// Whether only indentation and indicators are on the line.
    at_indent: bool,
}

impl Emitter {
    fn node(&mut self, value: &Value, place: Place) {
        match value {
            Value::Object(fields) if fields.is_empty() => self.empty("{", "}"),
            Value::List(items) if items.is_empty() => self.empty("[", "]"),
            Value::Object(fields) => self.map(fields),
            Value::List(items) => self.list(items, place),
            Value::String(text) => self.text(text, place),
            Value::Null => self.plain("null", false),
            Value::Bool(value) => self.plain(if *value { "true" } else { "false" }, false),
            Value::Integer(number) => self.plain(&number.to_string(), false),
            Value::Float(number) => self.plain(&scalar::format_float(*number), false),
            Value::Bytes(_) => self.plain("null", false),
        }
    }

    fn empty(&mut self, open: &str, close: &str) {
        self.indicator(open, true, false);
        self.indicator(close, false, false);
    }

    fn map(&mut self, fields: &Map) {
        let outer = self.indent;
        self.indent = Some(outer.map_or(0, |indent| indent + 2));
        for (key, value) in in_order(fields.iter().collect()) {
            self.start_line();
            if key.len() <= SIMPLE_KEY && !key.contains(is_break) {
                self.text(key, Place::Key);
                self.indicator(":", false, false);
            } else {
                self.indicator("?", true, true);
                self.text(key, Place::Value);
                self.start_line();
                self.indicator(":", true, true);
            }
            self.node(value, Place::Value);
        }
        self.indent = outer;
    }

    fn list(&mut self, items: &[Value], place: Place) {
        let outer = self.indent;
        // A list below a key is not indented.
        if place != Place::Value || self.at_indent {
            self.indent = Some(outer.map_or(0, |indent| indent + 2));
        }
        for item in items {
            self.start_line();
            self.indicator("-", true, true);
            self.node(item, Place::Item);
        }
        self.indent = outer;
    }

    fn text(&mut self, text: &str, place: Place) {
        let outer = self.indent;
        self.indent = Some(outer.map_or(2, |indent| indent + 2));
        let may_break = place != Place::Key;
        match style(text, place) {
            Style::Plain => self.plain(text, may_break),
            Style::Single => self.single(text, may_break),
            Style::Double => self.double(text, may_break),
            Style::Literal => self.literal(text),
        }
        self.indent = outer;
    }

    fn plain(&mut self, text: &str, may_break: bool) {
        if !self.after_blank {
            self.put(' ');
        }
        let mut last = '\0';
        let mut characters = text.chars().peekable();
        while let Some(character) = characters.next() {
            let breaks = character == ' ' && may_break && last != ' ' && self.column > WIDTH;
            if breaks && characters.peek() != Some(&' ') {
                self.start_line();
            } else {
                self.put(character);
                self.at_indent &= character == ' ';
            }
            last = character;
        }
        self.after_blank = false;
        self.at_indent = false;
    }

    fn single(&mut self, text: &str, may_break: bool) {
        self.indicator("'", true, false);
        let mut last = '\0';
        let mut characters = text.chars().enumerate().peekable();
        while let Some((at, character)) = characters.next() {
            match character {
                ' ' => {
                    let inside = at > 0 && characters.peek().is_some_and(|(_, next)| *next != ' ');
                    if may_break && last != ' ' && self.column > WIDTH && inside {
                        self.start_line();
                    } else {
                        self.put(' ');
                    }
                }
                '\n' => {
                    if last != '\n' {
                        self.line_break();
                    }
                    self.line_break();
                    self.at_indent = true;
                }
                other => {
                    if last == '\n' {
                        self.start_line();
                    }
                    if other == '\'' {
                        self.put('\'');
                    }
                    self.put(other);
                    self.at_indent = false;
                }
            }
            last = character;
        }
        self.indicator("'", false, false);
        self.after_blank = false;
        self.at_indent = false;
    }

    fn double(&mut self, text: &str, may_break: bool) {
        self.indicator("\"", true, false);
        let mut last_was_blank = false;
        let mut characters = text.chars().enumerate().peekable();
        while let Some((at, character)) = characters.next() {
            let next = characters.peek().map(|(_, next)| *next);
            if character == ' ' {
                if may_break && !last_was_blank && self.column > WIDTH && at > 0 && next.is_some() {
                    self.start_line();
                    if next == Some(' ') {
                        self.put('\\');
                    }
                } else {
                    self.put(' ');
                }
            } else if is_printable(character) && !is_break(character) && !matches!(character, '"' | '\\') {
                self.put(character);
            } else {
                self.escape(character);
            }
            last_was_blank = character == ' ';
        }
        self.indicator("\"", false, false);
        self.after_blank = false;
        self.at_indent = false;
    }

    fn escape(&mut self, character: char) {
        let code = u32::from(character);
        let escape = match character {
            '\0' => "\\0".to_owned(),
            '\u{7}' => "\\a".to_owned(),
            '\u{8}' => "\\b".to_owned(),
            '\t' => "\\t".to_owned(),
            '\n' => "\\n".to_owned(),
            '\u{b}' => "\\v".to_owned(),
            '\u{c}' => "\\f".to_owned(),
            '\r' => "\\r".to_owned(),
            '\u{1b}' => "\\e".to_owned(),
            '"' => "\\\"".to_owned(),
            '\\' => "\\\\".to_owned(),
            '\u{85}' => "\\N".to_owned(),
            '\u{a0}' => "\\_".to_owned(),
            '\u{2028}' => "\\L".to_owned(),
            '\u{2029}' => "\\P".to_owned(),
            '\0'..='\u{ff}' => format!("\\x{code:02X}"),
            '\0'..='\u{ffff}' => format!("\\u{code:04X}"),
            _ => format!("\\U{code:08X}"),
        };
        escape.chars().for_each(|character| self.put(character));
    }

    fn literal(&mut self, text: &str) {
        self.indicator("|", true, false);
        if text.starts_with(|first| first == ' ' || is_break(first)) {
            self.indicator("2", false, false);
        }
        let mut from_end = text.chars().rev();
        match (from_end.next().is_some_and(is_break), from_end.next()) {
            (false, _) => self.indicator("-", false, false),
            (true, before) if before.is_none_or(is_break) => self.indicator("+", false, false),
            _ => {}
        }
        self.line_break();
        self.at_indent = true;
        self.after_blank = true;
        let mut new_line = true;
        for character in text.chars() {
            if is_break(character) {
                if character == '\n' {
                    self.line_break();
                } else {
                    self.out.push(character);
                    self.column = 0;
                }
                self.at_indent = true;
                new_line = true;
            } else {
                if new_line {
                    self.start_line();
                }
                self.put(character);
                self.at_indent = false;
                new_line = false;
            }
        }
    }

    /// Goes to the indentation, on a new line unless we are still before it.
    fn start_line(&mut self) {
        let indent = self.indent.unwrap_or_default();
        if !self.at_indent || self.column > indent || (self.column == indent && !self.after_blank) {
            self.line_break();
        }
        while self.column < indent {
            self.put(' ');
        }
        self.after_blank = true;
        self.at_indent = true;
    }

    fn indicator(&mut self, indicator: &str, after_blank: bool, keeps_indent: bool) {
        if after_blank && !self.after_blank {
            self.put(' ');
        }
        indicator.chars().for_each(|character| self.put(character));
        self.after_blank = indicator == "{" || indicator == "[";
        self.at_indent &= keeps_indent;
    }

    fn put(&mut self, character: char) {
        self.out.push(character);
        self.column += 1;
    }

    fn line_break(&mut self) {
        self.out.push('\n');
        self.column = 0;
    }
}

fn is_break(character: char) -> bool {
    matches!(character, '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// What go-yaml writes as it is; characters beyond 16 bits are not among it.
fn is_printable(character: char) -> bool {
    matches!(character, '\n' | ' '..='~' | '\u{a0}'..='\u{fefe}' | '\u{ff00}'..='\u{fffd}')
}

/// What forbids a style (`yaml_emitter_analyze_scalar`).
#[derive(Default)]
struct Traits {
    indicators: bool,
    breaks: bool,
    special: bool,
    blank_at_start: bool,
    break_at_end: bool,
    blank_at_end: bool,
    blank_after_break: bool,
    break_after_blank: bool,
}

impl Traits {
    fn of(text: &str) -> Self {
        let mut traits = Self { indicators: text.starts_with("---") || text.starts_with("..."), ..Self::default() };
        let mut last = None;
        let mut characters = text.chars().peekable();
        while let Some(character) = characters.next() {
            let next = characters.peek().copied();
            let before_blank = next.is_none_or(|next| next == ' ' || next == '\t');
            traits.indicators |= match (last, character) {
                (
                    None,
                    '#' | ',' | '[' | ']' | '{' | '}' | '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%' | '@' | '`',
                ) => true,
                (None, '?' | ':' | '-') | (Some(_), ':') => before_blank,
                (Some(last), '#') => is_blank_or_break(last),
                _ => false,
            };
            traits.special |= !is_printable(character);
            if character == ' ' {
                traits.blank_at_start |= last.is_none();
                traits.blank_at_end |= next.is_none();
                traits.blank_after_break |= last.is_some_and(is_break);
            } else if is_break(character) {
                traits.breaks = true;
                traits.blank_at_start |= last.is_none();
                traits.break_at_end |= next.is_none();
                traits.break_after_blank |= last == Some(' ');
            }
            last = Some(character);
        }
        traits
    }

    fn plain(&self) -> bool {
        let ends = self.blank_at_start || self.blank_at_end || self.break_at_end;
        !(self.indicators || self.breaks || ends || !self.single())
    }

    fn single(&self) -> bool {
        !(self.blank_after_break || self.break_after_blank || self.special)
    }

    fn literal(&self) -> bool {
        !(self.blank_at_end || self.break_after_blank || self.special)
    }
}

fn is_blank_or_break(character: char) -> bool {
    matches!(character, ' ' | '\t') || is_break(character)
}

fn style(text: &str, place: Place) -> Style {
    let traits = Traits::of(text);
    // These end a line in YAML 1.1 and not in 1.2: in quotes all readers agree on them.
    if text.contains(['\u{85}', '\u{2028}', '\u{2029}']) {
        return Style::Double;
    }
    let wanted = if text.contains('\n') {
        Style::Literal
    } else if scalar::needs_quotes(text) || (text == "<<" && place != Place::Item) {
        Style::Double
    } else {
        Style::Plain
    };
    match wanted {
        Style::Plain if traits.plain() => Style::Plain,
        Style::Plain if traits.single() => Style::Single,
        Style::Literal if place != Place::Key && traits.literal() => Style::Literal,
        _ => Style::Double,
    }
}

/// Sorts by merging: the order of go-yaml has cycles (`1:2`, `0400`, `0x`), and the library's sort may panic on those.
fn in_order<'a>(mut first: Vec<(&'a String, &'a Value)>) -> Vec<(&'a String, &'a Value)> {
    if first.len() < 2 {
        return first;
    }
    let second = in_order(first.split_off(first.len() / 2));
    let mut merged = Vec::with_capacity(first.len() + second.len());
    let mut second = second.into_iter().peekable();
    for one in in_order(first) {
        while let Some(other) = second.next_if(|other| natural(other.0, one.0) == Ordering::Less) {
            merged.push(other);
        }
        merged.push(one);
    }
    merged.extend(second);
    merged
}

/// The order of go-yaml's keys: letters by code after all else, and numbers within by value.
fn natural(a: &str, b: &str) -> Ordering {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let Some(at) = a.iter().zip(&b).position(|(one, other)| one != other) else { return a.len().cmp(&b.len()) };
    let (Some(&first), Some(&second)) = (a.get(at), b.get(at)) else { return Ordering::Equal };
    match (first.is_alphabetic(), second.is_alphabetic()) {
        (true, true) => return first.cmp(&second),
        (true, false) => return Ordering::Greater,
        (false, true) => return Ordering::Less,
        (false, false) => {}
    }
    // Zeros count as digits of a number that has begun before.
    let begun = a
        .get(..at)
        .unwrap_or_default()
        .iter()
        .rev()
        .take_while(|digit| digit.is_ascii_digit())
        .any(|&digit| digit != '0');
    let start = i64::from(begun && (first == '0' || second == '0'));
    let number = |text: &[char]| {
        let digits = text.get(at..).unwrap_or_default().iter().map_while(|digit| digit.to_digit(10));
        digits.fold((start, 0), |(number, length), digit| {
            (number.wrapping_mul(10).wrapping_add(i64::from(digit)), length + 1)
        })
    };
    number(&a).cmp(&number(&b)).then(first.cmp(&second))
}
