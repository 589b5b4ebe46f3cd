//! Field selectors: `metadata.name=a,type!=Opaque`.

use std::fmt;

use crate::selector::SelectorError;

/// Terms that must all hold; none hold for everything.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FieldSelector {
    terms: Vec<FieldTerm>,
}

/// One term.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldTerm {
    /// e.g. `metadata.name`
    pub field: String,
    /// What it must be, or must not be.
    pub value: String,
    /// Whether it must be that value.
    pub equal: bool,
}

impl FieldSelector {
    /// Reads the value of `fieldSelector`. Which fields a kind has is for the caller to check, term by term.
    ///
    /// # Errors
    /// With the message of Kubernetes.
    pub fn parse(text: &str) -> Result<Self, SelectorError> {
        let mut parts = split_terms(text);
        parts.sort_unstable();
        let mut terms = Vec::new();
        for part in parts.into_iter().filter(|part| !part.is_empty()) {
            let Some((field, equal, value)) = split_term(part) else {
                return Err(SelectorError(format!("invalid selector: '{text}'; can't understand '{part}'")));
            };
            let value = unescape(value)?;
            // `=` alone asks nothing.
            if !field.is_empty() || !value.is_empty() {
                terms.push(FieldTerm { field: field.to_owned(), value, equal });
            }
        }
        Ok(Self { terms })
    }

    /// Whether it asks nothing.
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// What it asks, in the order in which Kubernetes checks it.
    pub fn terms(&self) -> &[FieldTerm] {
        &self.terms
    }

    /// Gives every term the name that the kind's own fields have (`spec.host` is `spec.nodeName`).
    ///
    /// # Errors
    /// The first error of `rename`.
    pub fn rename<E>(mut self, rename: impl Fn(&str) -> Result<String, E>) -> Result<Self, E> {
        for term in &mut self.terms {
            term.field = rename(&term.field)?;
        }
        Ok(self)
    }

    /// The value that this field must have, if any term says so (`RequiresExactMatch`).
    pub fn exact(&self, field: &str) -> Option<&str> {
        self.terms.iter().find(|term| term.equal && term.field == field).map(|term| term.value.as_str())
    }

    /// Whether an object with these fields is selected; a field that it does not have is empty.
    pub fn matches<'a>(&self, lookup: impl Fn(&str) -> &'a str) -> bool {
        self.terms.iter().all(|term| (lookup(&term.field) == term.value) == term.equal)
    }
}

impl fmt::Display for FieldSelector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, term) in self.terms.iter().enumerate() {
            let (comma, operator) = (if at == 0 { "" } else { "," }, if term.equal { "=" } else { "!=" });
            let value = term.value.replace('\\', "\\\\").replace(',', "\\,").replace('=', "\\=");
            write!(f, "{comma}{}{operator}{value}", term.field)?;
        }
        Ok(())
    }
}

/// The terms between commas that no backslash escapes.
fn split_terms(text: &str) -> Vec<&str> {
    let mut escaped = false;
    text.split(|character| {
        let ends = character == ',' && !escaped;
        escaped = character == '\\' && !escaped;
        ends
    })
    .collect()
}

/// Field, whether it must be equal, and the value as it is written.
fn split_term(term: &str) -> Option<(&str, bool, &str)> {
    let at = term.char_indices().find(|(at, _)| {
        let rest = term.get(*at..).unwrap_or_default();
        rest.starts_with('=') || rest.starts_with("!=")
    });
    let (field, rest) = term.split_at(at?.0);
    if let Some(value) = rest.strip_prefix("!=") {
        return Some((field, false, value));
    }
    Some((field, true, rest.strip_prefix("==").or_else(|| rest.strip_prefix('='))?))
}

fn unescape(value: &str) -> Result<String, SelectorError> {
    let bad_escape =
        |sequence: &str| SelectorError(format!("invalid field selector: invalid escape sequence: \\{sequence}"));
    let mut plain = String::with_capacity(value.len());
    let mut characters = value.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => match characters.next() {
                Some(escaped @ ('\\' | ',' | '=')) => plain.push(escaped),
                Some(other) => return Err(bad_escape(&other.to_string())),
                None => return Err(bad_escape("")),
            },
            // Go prints the number of the character.
            ',' | '=' => {
                let code = u32::from(character);
                return Err(SelectorError(format!("invalid field selector: unescaped character in value: {code}")));
            }
            other => plain.push(other),
        }
    }
    Ok(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, wanted: Result<&str, &str>) {
        let read = FieldSelector::parse(text).map(|selector| selector.to_string()).map_err(|error| error.to_string());
        assert_eq!(read.as_deref().map_err(String::as_str), wanted, "{text:?}");
    }

    #[test]
    fn texts_are_read_as_kubernetes_reads_them() {
        check("", Ok(""));
        check("=", Ok(""));
        check("metadata.name=a,,type==b", Ok("metadata.name=a,type=b"));
        check("z!=1,a=", Ok("a=,z!=1"));
        check(r"a=\,\=\\", Ok(r"a=\,\=\\"));
        check("metadata.name", Err("invalid selector: 'metadata.name'; can't understand 'metadata.name'"));
        check("x=1,b", Err("invalid selector: 'x=1,b'; can't understand 'b'"));
        check("a=b=c", Err("invalid field selector: unescaped character in value: 61"));
        check("a===b", Err("invalid field selector: unescaped character in value: 61"));
        check(r"a=\x", Err(r"invalid field selector: invalid escape sequence: \x"));
        check(r"a=x\", Err(r"invalid field selector: invalid escape sequence: \"));
    }

    #[test]
    fn a_missing_field_is_empty() {
        let selector = FieldSelector::parse("metadata.name=a,type!=b").unwrap();
        let lookup = |kind: &'static str| move |field: &str| if field == "metadata.name" { "a" } else { kind };
        assert!(selector.matches(lookup("")));
        assert!(!selector.matches(lookup("b")));
        assert_eq!(selector.exact("metadata.name"), Some("a"));
        assert_eq!(selector.exact("type"), None);
    }
}
