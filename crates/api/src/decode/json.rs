//! A pull parser for JSON that reads what Go's `encoding/json` reads.
//!
//! Kubernetes takes lone surrogates and bad UTF-8 (each becomes U+FFFD), names the text of a number in its
//! errors, and goes on after a value of the wrong type: none of which a general deserializer offers.

use std::borrow::Cow;

use memchr::memchr2;
use thiserror::Error;

/// How deep Go's parser goes (`maxNestingDepth`); skipping needs no stack.
const SKIP_DEPTH: usize = 10_000;
/// How deep a tree may be: it is built, compared, encoded and dropped by recursion.
pub(crate) const TREE_DEPTH: usize = 256;
/// How many objects a body may hold: an empty one of three bytes may take a kilobyte of memory.
pub(crate) const MOST_OBJECTS: usize = 131_072;

/// What is wrong with the text; the text itself is never quoted, for it may hold a secret value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("{what} at byte {at}")]
pub struct SyntaxError {
    what: &'static str,
    at: usize,
}

/// What a value is, by its first character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Object,
    Array,
    String,
    Number,
    True,
    False,
    Null,
}

impl Kind {
    /// The word of Go's `UnmarshalTypeError`.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Object => "object",
            Self::Array => "array",
            Self::String => "string",
            Self::Number => "number",
            Self::True | Self::False => "bool",
            Self::Null => "null",
        }
    }
}

/// Where in the text we are.
pub(crate) struct Parser<'a> {
    bytes: &'a [u8],
    at: usize,
    depth: usize,
    /// How many more objects may be read.
    objects: usize,
}

impl<'a> Parser<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0, depth: 0, objects: MOST_OBJECTS }
    }

    /// A parser of what we wrote ourselves, which may hold any number of objects.
    pub(crate) fn trusting(bytes: &'a [u8]) -> Self {
        Self { objects: usize::MAX, ..Self::new(bytes) }
    }

    /// Counts an object that takes memory.
    pub(crate) fn count_object(&mut self) -> Result<(), SyntaxError> {
        self.objects = self.objects.checked_sub(1).ok_or_else(|| self.error("too many objects"))?;
        Ok(())
    }

    /// What value begins here; nothing but blanks is consumed.
    pub(crate) fn peek(&mut self) -> Result<Kind, SyntaxError> {
        Ok(match self.next_visible() {
            Some(b'{') => Kind::Object,
            Some(b'[') => Kind::Array,
            Some(b'"') => Kind::String,
            Some(b'-' | b'0'..=b'9') => Kind::Number,
            Some(b't') => Kind::True,
            Some(b'f') => Kind::False,
            Some(b'n') => Kind::Null,
            _ => return Err(self.error("invalid character looking for beginning of value")),
        })
    }

    /// Consumes the opening brace or bracket that `peek` saw.
    pub(crate) fn open(&mut self) -> Result<(), SyntaxError> {
        self.at += 1;
        self.depth += 1;
        if self.depth > TREE_DEPTH { Err(self.error("exceeded max depth")) } else { Ok(()) }
    }

    /// The next key of an object and its colon, or `None` at its end; `first` is true before the first one.
    pub(crate) fn key(&mut self, first: &mut bool) -> Result<Option<Cow<'a, str>>, SyntaxError> {
        match (self.next_visible(), std::mem::take(first)) {
            (Some(b'}'), _) => {
                self.close();
                return Ok(None);
            }
            (Some(b'"'), true) => {}
            (Some(b','), false) => {
                self.at += 1;
                if self.next_visible() != Some(b'"') {
                    return Err(self.error("invalid character looking for beginning of object key string"));
                }
            }
            (_, true) => return Err(self.error("invalid character looking for beginning of object key string")),
            (_, false) => return Err(self.error("invalid character after object key:value pair")),
        }
        let key = self.string()?;
        if self.next_visible() != Some(b':') {
            return Err(self.error("invalid character after object key"));
        }
        self.at += 1;
        Ok(Some(key))
    }

    /// Whether a list has a next item, whose comma is consumed.
    pub(crate) fn item(&mut self, first: &mut bool) -> Result<bool, SyntaxError> {
        match (self.next_visible(), std::mem::take(first)) {
            (Some(b']'), _) => {
                self.close();
                Ok(false)
            }
            (_, true) => Ok(true),
            (Some(b','), false) => {
                self.at += 1;
                Ok(true)
            }
            _ => Err(self.error("invalid character after array element")),
        }
    }

    /// `true`, `false` or `null`, as `peek` saw it.
    pub(crate) fn literal(&mut self, kind: Kind) -> Result<(), SyntaxError> {
        let (word, what) = match kind {
            Kind::True => ("true", "invalid character in literal true"),
            Kind::False => ("false", "invalid character in literal false"),
            _ => ("null", "invalid character in literal null"),
        };
        for expected in word.bytes() {
            if self.byte() != Some(expected) {
                return Err(self.error(what));
            }
            self.at += 1;
        }
        Ok(())
    }

    /// The text of a number.
    pub(crate) fn number(&mut self) -> Result<&'a str, SyntaxError> {
        let start = self.at;
        if self.byte() == Some(b'-') {
            self.at += 1;
        }
        match self.byte() {
            Some(b'0') => self.at += 1,
            _ => self.digits("invalid character in numeric literal")?,
        }
        if self.byte() == Some(b'.') {
            self.at += 1;
            self.digits("invalid character after decimal point in numeric literal")?;
        }
        if matches!(self.byte(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.byte(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits("invalid character in exponent of numeric literal")?;
        }
        let text = self.bytes.get(start..self.at).unwrap_or_default();
        Ok(std::str::from_utf8(text).unwrap_or_default())
    }

    /// The text of a string, unescaped.
    pub(crate) fn string(&mut self) -> Result<Cow<'a, str>, SyntaxError> {
        let (raw, escaped) = self.raw_string()?;
        if !escaped && let Ok(text) = std::str::from_utf8(raw) {
            return Ok(Cow::Borrowed(text));
        }
        Ok(Cow::Owned(unescape(raw)))
    }

    /// Passes over one value of any depth that Go's parser takes, without recursion.
    pub(crate) fn skip(&mut self) -> Result<(), SyntaxError> {
        // One entry for each open container: whether it is an object.
        let mut open: Vec<bool> = Vec::new();
        loop {
            let kind = self.peek()?;
            let mut first = match kind {
                Kind::Object | Kind::Array => {
                    self.at += 1;
                    open.push(kind == Kind::Object);
                    if self.depth + open.len() > SKIP_DEPTH {
                        return Err(self.error("exceeded max depth"));
                    }
                    true
                }
                scalar => {
                    self.scalar(scalar)?;
                    false
                }
            };
            // Moves to the next value, closing what ends before it.
            loop {
                let Some(&object) = open.last() else { return Ok(()) };
                // `key` and `item` close one level of `depth`, which skipping keeps in `open` instead.
                self.depth += 1;
                let more = if object { self.key(&mut first)?.is_some() } else { self.item(&mut first)? };
                if more {
                    self.depth -= 1;
                    break;
                }
                open.pop();
            }
        }
    }

    /// Passes over the whole text: whether it is JSON at all.
    pub(crate) fn skip_whole(mut self) -> Result<(), SyntaxError> {
        self.skip()?;
        self.end()
    }

    /// Nothing but blanks may follow.
    pub(crate) fn end(&mut self) -> Result<(), SyntaxError> {
        match self.next_visible() {
            None => Ok(()),
            Some(_) => Err(self.error("invalid character after top-level value")),
        }
    }

    fn scalar(&mut self, kind: Kind) -> Result<(), SyntaxError> {
        match kind {
            Kind::String => self.raw_string().map(drop),
            Kind::Number => self.number().map(drop),
            literal => self.literal(literal),
        }
    }

    fn close(&mut self) {
        self.at += 1;
        self.depth = self.depth.saturating_sub(1);
    }

    fn byte(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn next_visible(&mut self) -> Option<u8> {
        loop {
            let byte = self.byte()?;
            if !matches!(byte, b' ' | b'\n' | b'\t' | b'\r') {
                return Some(byte);
            }
            self.at += 1;
        }
    }

    fn digits(&mut self, what: &'static str) -> Result<(), SyntaxError> {
        if !matches!(self.byte(), Some(b'0'..=b'9')) {
            return Err(self.error(what));
        }
        while matches!(self.byte(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        Ok(())
    }

    /// The bytes between the quotes, whose escapes are well-formed, and whether there are any escapes.
    fn raw_string(&mut self) -> Result<(&'a [u8], bool), SyntaxError> {
        let start = self.at + 1;
        let mut escaped = false;
        let mut at = start;
        loop {
            let rest = self.bytes.get(at..).unwrap_or_default();
            let Some(found) = memchr2(b'"', b'\\', rest) else {
                self.at = self.bytes.len();
                return Err(self.error("unexpected end of JSON input"));
            };
            let plain = rest.get(..found).unwrap_or_default();
            if plain.iter().any(|&byte| byte < 0x20) {
                self.at = at + plain.iter().position(|&byte| byte < 0x20).unwrap_or_default();
                return Err(self.error("invalid character in string literal"));
            }
            at += found;
            if rest.get(found) == Some(&b'"') {
                self.at = at + 1;
                return Ok((self.bytes.get(start..at).unwrap_or_default(), escaped));
            }
            escaped = true;
            at = self.escape(at + 1)?;
        }
    }

    /// Where the text goes on after the escape whose letter is at `at`.
    fn escape(&mut self, at: usize) -> Result<usize, SyntaxError> {
        self.at = at;
        match self.byte() {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(at + 1),
            Some(b'u') => {
                let digits = self.bytes.get(at + 1..at + 5).unwrap_or_default();
                if digits.len() == 4 && digits.iter().all(u8::is_ascii_hexdigit) {
                    return Ok(at + 5);
                }
                Err(self.error("invalid character in \\u hexadecimal character escape"))
            }
            _ => Err(self.error("invalid character in string escape code")),
        }
    }

    /// A fault here; at the end of the text that is the fault.
    pub(crate) fn error(&self, what: &'static str) -> SyntaxError {
        let what = if self.at >= self.bytes.len() { "unexpected end of JSON input" } else { what };
        SyntaxError { what, at: self.at }
    }
}

/// Resolves the escapes of a string whose form was checked. Halves of surrogate pairs and bytes that are not
/// UTF-8 become U+FFFD, one for each byte, as in Go.
fn unescape(raw: &[u8]) -> String {
    let mut text = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = memchr::memchr(b'\\', rest) {
        let (plain, escape) = rest.split_at(at);
        push_lossy(&mut text, plain);
        let letter = escape.get(1).copied().unwrap_or_default();
        let mut length = 2;
        match letter {
            b'b' => text.push('\u{8}'),
            b'f' => text.push('\u{c}'),
            b'n' => text.push('\n'),
            b'r' => text.push('\r'),
            b't' => text.push('\t'),
            b'u' => {
                let (character, read) = unescape_unicode(escape);
                text.push(character);
                length = read;
            }
            other => text.push(char::from(other)),
        }
        rest = escape.get(length..).unwrap_or_default();
    }
    push_lossy(&mut text, rest);
    text
}

/// The character of `\uXXXX` or of a surrogate pair, and how many bytes it took.
fn unescape_unicode(escape: &[u8]) -> (char, usize) {
    let unit = |at: usize| -> Option<u32> {
        let text = escape.get(at..at + 6)?.strip_prefix(b"\\u")?;
        u32::from_str_radix(std::str::from_utf8(text).ok()?, 16).ok()
    };
    let first = unit(0).unwrap_or(0xfffd);
    if let (0xd800..=0xdbff, Some(second @ 0xdc00..=0xdfff)) = (first, unit(6)) {
        let code = 0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00);
        return (char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER), 12);
    }
    (char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER), 6)
}

fn push_lossy(text: &mut String, bytes: &[u8]) {
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER));
    }
}
