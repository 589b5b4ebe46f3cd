//! YAML to an untyped tree: the first document of a text.

use std::collections::HashMap;

use serde_saphyr::granit_parser::{Event, Options, Parser, ScalarStyle, ScanError, Span, StrInput, Tag};

use crate::decode::base64;
use crate::decode::json::{MOST_OBJECTS, TREE_DEPTH};
use crate::field::quote;
use crate::value::{Map, Value};
use crate::yaml::scalar::{self, Meaning};

/// About what a node takes beside its text.
const NODE_WEIGHT: usize = 64;
/// How much may be copied.
const MOST_COPIED: usize = 16 << 20;
const EXCESSIVE: &str = "yaml: document contains excessive aliasing";
const CORE: &str = "tag:yaml.org,2002:";

/// What was read.
pub(crate) struct Read {
    /// The tree; null if there is no document.
    pub(crate) value: Value,
    /// Keys that were there twice, as go-yaml tells it: `line 4: key "type" already set in map`. The last one counts.
    pub(crate) duplicates: Vec<String>,
}

/// Reads the first document. The error has no text of the document in it, for that may be a secret value.
pub(crate) fn read(bytes: &[u8]) -> Result<Read, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "yaml: invalid leading UTF-8 octet".to_owned())?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.chars().any(|character| !is_readable(character)) {
        return Err("yaml: control characters are not allowed".to_owned());
    }
    let mut options = Options::default();
    options.set_emit_comments(false);
    options.flow_nesting_limit = TREE_DEPTH;
    options.block_nesting_limit = TREE_DEPTH;
    let last_line = text.rsplit('\n').next().filter(|line| !line.is_empty());
    let mut reader = Reader {
        length: text.len(),
        open_end: last_line.map(|line| if line.trim().is_empty() { OpenEnd::Blanks } else { OpenEnd::Text }),
        events: Parser::new_from_str_with_options(text, options),
        anchors: HashMap::new(),
        duplicates: Vec::new(),
        nodes: 0,
        copied: 0,
        weight: 0,
        copied_weight: 0,
        objects: 0,
        depth: 0,
    };
    let value = reader.document()?;
    Ok(Read { value, duplicates: reader.duplicates })
}

/// What libyaml's reader lets in.
fn is_readable(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | ' '..='~' | '\u{85}' | '\u{a0}'..='\u{fffd}' | '\u{1_0000}'..)
}

/// A node that an alias may repeat.
struct Anchor {
    value: Value,
    /// How many nodes it has, and their weight.
    size: usize,
    weight: usize,
    key: Option<Key>,
}

/// A node and how many nodes it has.
struct Node {
    value: Value,
    size: usize,
    line: usize,
    /// Whether it is a block scalar, whose text begins a line further on.
    is_block: bool,
    /// A plain `<<`.
    is_merge: bool,
    /// As a key of a map; `None` for maps and lists.
    key: Option<Key>,
}

/// A key as text, and as go-yaml prints it.
#[derive(Clone)]
struct Key {
    text: String,
    shown: String,
}

/// How a text without a line break at its end ends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum OpenEnd {
    Blanks,
    Text,
}

struct Reader<'a> {
    length: usize,
    /// What is on the last line, if that has no line break.
    open_end: Option<OpenEnd>,
    events: Parser<'a, StrInput<'a>>,
    anchors: HashMap<usize, Anchor>,
    duplicates: Vec<String>,
    /// Nodes read so far, and how many of them through aliases.
    nodes: usize,
    copied: usize,
    /// Bytes of text, and some for each node; and those of copies alone, the ones kept for aliases included.
    weight: usize,
    copied_weight: usize,
    /// Maps that hold something.
    objects: usize,
    depth: usize,
}

impl<'a> Reader<'a> {
    fn document(&mut self) -> Result<Value, String> {
        loop {
            match self.next()? {
                (Event::StreamStart | Event::DocumentStart(..), _) => {}
                (Event::StreamEnd | Event::DocumentEnd, _) => return Ok(Value::Null),
                (event, span) => {
                    let value = self.node(event, span)?.value;
                    return match self.next()? {
                        (Event::DocumentEnd, _) => Ok(value),
                        (_, span) => {
                            Err(format!("yaml: line {}: did not find the end of the document", span.start.line()))
                        }
                    };
                }
            }
        }
    }

    fn next(&mut self) -> Result<(Event<'a>, Span), String> {
        match self.events.next() {
            Some(Ok(event)) => Ok(event),
            Some(Err(error)) => Err(unreadable(&error)),
            None => Ok((Event::StreamEnd, Span::default())),
        }
    }

    fn node(&mut self, event: Event<'a>, span: Span) -> Result<Node, String> {
        self.nodes += 1;
        self.depth += 1;
        if self.depth > TREE_DEPTH {
            return Err(format!("yaml: line {}: exceeded max depth", span.start.line()));
        }
        let line = span.start.line();
        let before = (self.nodes, self.weight);
        let (mut node, anchor) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                self.weight += text.len();
                (scalar_node(self.cut_short(&text, style, span), style, tag.as_deref(), line)?, anchor)
            }
            Event::SequenceStart(_, anchor, _) => (structure(self.list()?, line), anchor),
            Event::MappingStart(_, anchor, _) => (structure(self.map()?, line), anchor),
            Event::Alias(anchor) => (self.alias(anchor, line)?, 0),
            _ => return Err(format!("yaml: line {line}: did not find expected node content")),
        };
        self.depth -= 1;
        self.weight += NODE_WEIGHT;
        node.size = node.size.max(1 + self.nodes - before.0);
        if anchor != 0 {
            let weight = self.weight - before.1;
            self.copy(weight)?;
            let anchored = Anchor { value: node.value.clone(), size: node.size, weight, key: node.key.clone() };
            self.anchors.insert(anchor, anchored);
        }
        Ok(node)
    }

    /// A block scalar that ends with the text, which has no line break there, has none either.
    fn cut_short<'t>(&self, text: &'t str, style: ScalarStyle, span: Span) -> &'t str {
        let is_block = matches!(style, ScalarStyle::Literal | ScalarStyle::Folded);
        let at_end = span.end.byte_offset().is_some_and(|end| end >= self.length);
        let last_line = text.trim_end_matches('\n').rsplit('\n').next().unwrap_or_default();
        let last_is_content =
            self.open_end == Some(OpenEnd::Text) || last_line.trim().is_empty() && !last_line.is_empty();
        let cut = is_block && at_end && self.open_end.is_some() && last_is_content;
        if cut { text.strip_suffix('\n').unwrap_or(text) } else { text }
    }

    fn list(&mut self) -> Result<Value, String> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => return Ok(Value::List(items)),
                (event, span) => items.push(self.node(event, span)?.value),
            }
        }
    }

    fn map(&mut self) -> Result<Value, String> {
        let mut fields = Map::new();
        loop {
            let key = match self.next()? {
                (Event::MappingEnd, _) => return Ok(Value::Object(fields)),
                (event, span) => self.node(event, span)?,
            };
            if fields.is_empty() {
                self.objects += 1;
                if self.objects > MOST_OBJECTS {
                    return Err("yaml: too many objects".to_owned());
                }
            }
            let (event, span) = self.next()?;
            let value = self.node(event, span)?;
            if key.is_merge {
                self.merge(value, &mut fields)?;
                continue;
            }
            let Some(Key { text, shown }) = key.key else {
                return Err(format!("yaml: line {}: invalid map key", key.line));
            };
            if fields.insert(text, value.value).is_some() {
                let line = if value.is_block { key.line } else { value.line };
                self.duplicates.push(format!("line {line}: key {shown} already set in map"));
            }
        }
    }

    /// `<<: *base`, or a list of maps of which the first has precedence. What is merged replaces what was there.
    fn merge(&mut self, node: Node, fields: &mut Map) -> Result<(), String> {
        let want_map = || "yaml: map merge requires map or sequence of maps as the value".to_owned();
        let maps = match node.value {
            Value::List(items) => items,
            map => vec![map],
        };
        for map in maps.into_iter().rev() {
            let Value::Object(entries) = map else { return Err(want_map()) };
            for (key, value) in entries {
                if fields.contains_key(&key) {
                    self.duplicates.push(format!("line {}: key {} already set in map", node.line, quote(&key)));
                }
                fields.insert(key, value);
            }
        }
        Ok(())
    }

    /// A copy of an earlier node, unless copies make up nearly all of the document (go-yaml's bound).
    fn alias(&mut self, anchor: usize, line: usize) -> Result<Node, String> {
        let Some(found) = self.anchors.get(&anchor) else {
            return Err(format!("yaml: line {line}: anchor value contains itself"));
        };
        let (size, weight) = (found.size, found.weight);
        let (value, key) = (found.value.clone(), found.key.clone());
        self.nodes = self.nodes.saturating_add(size);
        self.copied = self.copied.saturating_add(size);
        if self.copied > 100 && self.nodes > 1_000 && !self.may_copy() {
            return Err(EXCESSIVE.to_owned());
        }
        self.copy(weight)?;
        self.weight += weight;
        Ok(Node { value, size, line, is_block: false, is_merge: false, key })
    }

    /// Go shares what an alias repeats; here it takes memory again, so that it must stay below a bound.
    fn copy(&mut self, weight: usize) -> Result<(), String> {
        self.copied_weight = self.copied_weight.saturating_add(weight);
        if self.copied_weight > MOST_COPIED { Err(EXCESSIVE.to_owned()) } else { Ok(()) }
    }

    /// 99 % of a document of up to 400,000 nodes may be copies, down to 10 % at 4,000,000.
    fn may_copy(&self) -> bool {
        const LOW: usize = 400_000;
        const HIGH: usize = 4_000_000;
        let per_mille = match self.nodes {
            0..=LOW => 990,
            HIGH.. => 100,
            between => 990 - 890 * (between - LOW) / (HIGH - LOW),
        };
        self.copied.saturating_mul(1_000) / self.nodes.max(1) <= per_mille
    }
}

fn structure(value: Value, line: usize) -> Node {
    Node { value, size: 1, line, is_block: false, is_merge: false, key: None }
}

fn scalar_node(text: &str, style: ScalarStyle, tag: Option<&Tag>, line: usize) -> Result<Node, String> {
    let plain = style == ScalarStyle::Plain;
    let tag = tag.map(|tag| format!("{}{}", tag.handle(), tag.suffix()));
    let tag = tag.as_deref();
    if tag.and_then(|tag| tag.strip_prefix(CORE)) == Some("binary") {
        let Ok(bytes) = base64::decode(text.as_bytes()) else {
            return Err("yaml: !!binary value contains invalid base64 data".to_owned());
        };
        let text = String::from_utf8_lossy(&bytes).into_owned();
        return Ok(Node {
            key: key_of(&Meaning::Text, &text),
            value: text.into(),
            size: 1,
            line,
            is_block: false,
            is_merge: false,
        });
    }
    let meaning = match tag {
        None if plain => scalar::resolve(text),
        None => Meaning::Text,
        Some(tag) => tagged(text, tag.strip_prefix(CORE).unwrap_or_default(), line)?,
    };
    let key = key_of(&meaning, text);
    let Some(value) = meaning.value(text) else {
        return Err("json: unsupported value: not a finite number".to_owned());
    };
    let is_merge = plain && text == "<<";
    let is_block = matches!(style, ScalarStyle::Literal | ScalarStyle::Folded);
    Ok(Node { key, value, size: 1, line, is_block, is_merge })
}

/// A scalar that says what it is.
fn tagged(text: &str, tag: &str, line: usize) -> Result<Meaning, String> {
    let found = scalar::resolve(text);
    match (tag, found) {
        ("bool", found @ Meaning::Bool(_))
        | ("null", found @ Meaning::Null)
        | ("int", found @ Meaning::Integer(_))
        | ("float", found @ Meaning::Float(_)) => Ok(found),
        #[expect(clippy::cast_precision_loss, reason = "an integer that asks to be a float")]
        ("float", Meaning::Integer(whole)) => Ok(Meaning::Float(whole as f64)),
        ("bool" | "null" | "int" | "float", _) => {
            Err(format!("yaml: line {line}: cannot decode a scalar as a !!{tag}"))
        }
        _ => Ok(Meaning::Text),
    }
}

/// A scalar as a key: JSON knows only text. Null is no key.
fn key_of(meaning: &Meaning, text: &str) -> Option<Key> {
    let text = match meaning {
        Meaning::Text => return Some(Key { text: text.to_owned(), shown: quote(text) }),
        Meaning::Bool(value) => value.to_string(),
        Meaning::Integer(number) => number.to_string(),
        Meaning::Float(number) => scalar::format_key(*number),
        Meaning::Null => return None,
    };
    Some(Key { shown: text.clone(), text })
}

fn unreadable(error: &ScanError) -> String {
    format!("yaml: line {}: could not be read as YAML", error.marker().line())
}
