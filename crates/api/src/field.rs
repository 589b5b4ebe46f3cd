//! Paths and errors of validation, with the texts of `k8s.io/apimachinery/pkg/util/validation/field`.

use std::fmt;

/// Where in an object something is, e.g. `spec.containers[0].name` or `data[key]`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Path(String);

impl Path {
    /// The path that begins with this field; dots in the text are taken as they are.
    pub fn new(field: &str) -> Self {
        Self(field.to_owned())
    }

    /// The path of nothing (`<nil>` in Go).
    pub fn root() -> Self {
        Self::default()
    }

    /// A field below this one.
    #[must_use]
    pub fn child(&self, field: &str) -> Self {
        if self.0.is_empty() { Self::new(field) } else { Self(format!("{}.{field}", self.0)) }
    }

    /// An entry of this list.
    #[must_use]
    pub fn index(&self, at: usize) -> Self {
        Self(format!("{}[{at}]", self.0))
    }

    /// An entry of this map.
    #[must_use]
    pub fn key(&self, key: &str) -> Self {
        Self(format!("{}[{key}]", self.0))
    }

    /// The text of the path.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_empty() { "<nil>" } else { &self.0 })
    }
}

/// What is wrong, named as the `reason` of a Status cause names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// `FieldValueNotFound`
    NotFound,
    /// `FieldValueRequired`
    Required,
    /// `FieldValueDuplicate`
    Duplicate,
    /// `FieldValueInvalid`
    Invalid,
    /// `FieldValueNotSupported`
    NotSupported,
    /// `FieldValueForbidden`
    Forbidden,
    /// `FieldValueTooLong`
    TooLong,
    /// `FieldValueTooMany`
    TooMany,
    /// `InternalError`
    Internal,
    /// `FieldValueTypeInvalid`
    TypeInvalid,
}

impl Fault {
    /// The `reason` of the cause (`field.ErrorType`).
    pub fn reason(self) -> &'static str {
        match self {
            Self::NotFound => "FieldValueNotFound",
            Self::Required => "FieldValueRequired",
            Self::Duplicate => "FieldValueDuplicate",
            Self::Invalid => "FieldValueInvalid",
            Self::NotSupported => "FieldValueNotSupported",
            Self::Forbidden => "FieldValueForbidden",
            Self::TooLong => "FieldValueTooLong",
            Self::TooMany => "FieldValueTooMany",
            Self::Internal => "InternalError",
            Self::TypeInvalid => "FieldValueTypeInvalid",
        }
    }

    /// The word in the message (`ErrorType.String`).
    fn word(self) -> &'static str {
        match self {
            Self::NotFound => "Not found",
            Self::Required => "Required value",
            Self::Duplicate => "Duplicate value",
            Self::Invalid | Self::TypeInvalid => "Invalid value",
            Self::NotSupported => "Unsupported value",
            Self::Forbidden => "Forbidden",
            Self::TooLong => "Too long",
            Self::TooMany => "Too many",
            Self::Internal => "Internal error",
        }
    }
}

/// One error of validation (`field.Error`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    /// What is wrong.
    pub fault: Fault,
    /// Where.
    pub field: Path,
    /// The bad value as the message shows it: text quoted, numbers bare; `None` where the fault shows none.
    pub shown: Option<String>,
    /// More words; may be empty.
    pub detail: String,
}

impl FieldError {
    fn new(fault: Fault, field: &Path, shown: Option<String>, detail: impl Into<String>) -> Self {
        Self { fault, field: field.clone(), shown, detail: detail.into() }
    }

    /// A value that does not exist.
    pub fn not_found(field: &Path, value: impl Shown) -> Self {
        Self::new(Fault::NotFound, field, Some(value.shown()), "")
    }

    /// A value that must be given.
    pub fn required(field: &Path, detail: impl Into<String>) -> Self {
        Self::new(Fault::Required, field, None, detail)
    }

    /// A value that is there twice.
    pub fn duplicate(field: &Path, value: impl Shown) -> Self {
        Self::new(Fault::Duplicate, field, Some(value.shown()), "")
    }

    /// A value of the wrong form.
    pub fn invalid(field: &Path, value: impl Shown, detail: impl Into<String>) -> Self {
        Self::new(Fault::Invalid, field, Some(value.shown()), detail)
    }

    /// One error for each of the faults of a value, as the functions of `names` find them.
    pub fn each(field: &Path, value: &str, faults: Vec<String>) -> Vec<Self> {
        faults.into_iter().map(|fault| Self::invalid(field, value, fault)).collect()
    }

    /// A value outside an enumeration; `supported` is quoted and joined in the order given.
    pub fn not_supported(field: &Path, value: impl Shown, supported: &[&str]) -> Self {
        let quoted: Vec<String> = supported.iter().map(|one| quote(one)).collect();
        let detail = if quoted.is_empty() { String::new() } else { format!("supported values: {}", quoted.join(", ")) };
        Self::new(Fault::NotSupported, field, Some(value.shown()), detail)
    }

    /// A value that may not be given here.
    pub fn forbidden(field: &Path, detail: impl Into<String>) -> Self {
        Self::new(Fault::Forbidden, field, None, detail)
    }

    /// A value of more than `bytes` bytes (texts of 1.36; the value is never shown).
    pub fn too_long(field: &Path, bytes: usize) -> Self {
        Self::new(Fault::TooLong, field, None, format!("may not be more than {bytes} bytes"))
    }

    /// A list of more than `most` items.
    pub fn too_many(field: &Path, actual: usize, most: usize) -> Self {
        let items = if most == 1 { "item" } else { "items" };
        Self::new(Fault::TooMany, field, Some(actual.to_string()), format!("must have at most {most} {items}"))
    }

    /// A failure of the server's own.
    pub fn internal(field: &Path, detail: impl Into<String>) -> Self {
        Self::new(Fault::Internal, field, None, detail)
    }

    /// The message without the field, as a cause of a Status has it (`ErrorBody`).
    pub fn body(&self) -> String {
        let mut text = self.fault.word().to_owned();
        if let Some(shown) = &self.shown {
            text.push_str(": ");
            text.push_str(shown);
        }
        if !self.detail.is_empty() {
            text.push_str(": ");
            text.push_str(&self.detail);
        }
        text
    }
}

impl fmt::Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field, self.body())
    }
}

/// How a bad value looks in a message: Go's `%q` for text, bare for numbers and booleans.
pub trait Shown {
    /// The text.
    fn shown(&self) -> String;
}

impl Shown for &str {
    fn shown(&self) -> String {
        quote(self)
    }
}

impl Shown for &String {
    fn shown(&self) -> String {
        quote(self)
    }
}

impl Shown for i64 {
    fn shown(&self) -> String {
        self.to_string()
    }
}

impl Shown for bool {
    fn shown(&self) -> String {
        self.to_string()
    }
}

/// A bad value that is shown as this very text, e.g. an object that Go prints as JSON.
pub struct Verbatim<'a>(pub &'a str);

impl Shown for Verbatim<'_> {
    fn shown(&self) -> String {
        self.0.to_owned()
    }
}

/// Go's `strconv.Quote`.
pub fn quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            '\u{7}' => quoted.push_str("\\a"),
            '\u{8}' => quoted.push_str("\\b"),
            '\u{c}' => quoted.push_str("\\f"),
            '\u{b}' => quoted.push_str("\\v"),
            control if (control as u32) < 0x20 || control as u32 == 0x7f => {
                quoted.push_str(&format!("\\x{:02x}", control as u32));
            }
            // Go escapes what unicode.IsPrint refuses; of those only the common ones matter here.
            '\u{80}'..='\u{a0}' | '\u{ad}' | '\u{2028}' | '\u{2029}' | '\u{feff}' => {
                quoted.push_str(&format!("\\u{:04x}", character as u32));
            }
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_those_of_kubernetes() {
        let name = Path::new("metadata").child("name");
        let check = |error: FieldError, wanted: &str| assert_eq!(error.to_string(), wanted);
        check(FieldError::required(&Path::new("data").key("tls.key"), ""), "data[tls.key]: Required value");
        check(FieldError::invalid(&name, "A", "no"), "metadata.name: Invalid value: \"A\": no");
        check(FieldError::too_long(&Path::new("data"), 5), "data: Too long: may not be more than 5 bytes");
        check(
            FieldError::not_supported(&Path::new("a").index(1), "x", &["B", "A"]),
            "a[1]: Unsupported value: \"x\": supported values: \"B\", \"A\"",
        );
    }
}
