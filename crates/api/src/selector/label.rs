//! Label selectors: `app=x,tier in (a,b),!old,n>2`.

use std::fmt;
use std::iter::Peekable;
use std::vec::IntoIter;

use crate::field::{FieldError, Path};
use crate::names;
use crate::selector::SelectorError;

/// Requirements that must all hold; none hold for everything.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LabelSelector {
    requirements: Vec<Requirement>,
}

/// What is asked of one label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requirement {
    /// The key of the label.
    pub key: String,
    /// What is asked.
    pub operator: Operator,
    /// Sorted, without repetition; exactly one for `=`, `!=`, `>` and `<`.
    pub values: Vec<String>,
}

/// How the value of a label relates to the values of a [`Requirement`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// `=`
    Equals,
    /// `==`
    DoubleEquals,
    /// `!=`; also true without the label.
    NotEquals,
    /// `in (...)`
    In,
    /// `notin (...)`; also true without the label.
    NotIn,
    /// The key alone.
    Exists,
    /// `!key`
    DoesNotExist,
    /// `>` between whole numbers.
    GreaterThan,
    /// `<` between whole numbers.
    LessThan,
}

impl LabelSelector {
    /// Reads the value of `labelSelector`.
    ///
    /// # Errors
    /// With the message of Kubernetes.
    pub fn parse(text: &str) -> Result<Self, SelectorError> {
        let mut requirements = Parser::new(text).selector().map_err(SelectorError)?;
        requirements.sort_by(|a, b| a.key.cmp(&b.key));
        Ok(Self { requirements })
    }

    /// Whether it asks nothing.
    pub fn is_empty(&self) -> bool {
        self.requirements.is_empty()
    }

    /// What it asks, sorted by key.
    pub fn requirements(&self) -> &[Requirement] {
        &self.requirements
    }

    /// Whether an object with these labels is selected.
    pub fn matches<'a>(&self, lookup: impl Fn(&str) -> Option<&'a str>) -> bool {
        self.requirements.iter().all(|requirement| requirement.matches(lookup(&requirement.key)))
    }
}

impl fmt::Display for LabelSelector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, requirement) in self.requirements.iter().enumerate() {
            write!(f, "{}{requirement}", if at == 0 { "" } else { "," })?;
        }
        Ok(())
    }
}

impl Requirement {
    fn matches(&self, found: Option<&str>) -> bool {
        let is_among = |found: &str| self.values.iter().any(|value| value == found);
        match self.operator {
            Operator::Equals | Operator::DoubleEquals | Operator::In => found.is_some_and(is_among),
            Operator::NotEquals | Operator::NotIn => !found.is_some_and(is_among),
            Operator::Exists => found.is_some(),
            Operator::DoesNotExist => found.is_none(),
            Operator::GreaterThan => self.numbers(found).is_some_and(|(found, wanted)| found > wanted),
            Operator::LessThan => self.numbers(found).is_some_and(|(found, wanted)| found < wanted),
        }
    }

    fn numbers(&self, found: Option<&str>) -> Option<(i64, i64)> {
        Some((found?.parse().ok()?, self.values.first()?.parse().ok()?))
    }

    /// `NewRequirement`: what is wrong with the values.
    fn check(self) -> Result<Self, String> {
        let at = Path::new("values");
        let mut faults: Vec<FieldError> = Vec::new();
        let compares = matches!(self.operator, Operator::GreaterThan | Operator::LessThan);
        for (index, value) in self.values.iter().enumerate() {
            if compares && value.parse::<i64>().is_err() {
                let detail = "for 'Gt', 'Lt' operators, the value must be an integer";
                faults.push(FieldError::invalid(&at.index(index), value, detail));
            }
        }
        for (index, value) in self.values.iter().enumerate() {
            let wrong = names::label_value(value);
            if !wrong.is_empty() {
                faults.push(FieldError::invalid(&at.index(index).key(&self.key), value, wrong.join("; ")));
            }
        }
        let texts: Vec<String> = faults.iter().map(ToString::to_string).collect();
        match texts.as_slice() {
            [] => Ok(self),
            [one] => Err(one.clone()),
            many => Err(format!("[{}]", many.join(", "))),
        }
    }
}

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (key, values) = (&self.key, self.values.join(","));
        match self.operator {
            Operator::Exists => write!(f, "{key}"),
            Operator::DoesNotExist => write!(f, "!{key}"),
            Operator::Equals => write!(f, "{key}={values}"),
            Operator::DoubleEquals => write!(f, "{key}=={values}"),
            Operator::NotEquals => write!(f, "{key}!={values}"),
            Operator::In => write!(f, "{key} in ({values})"),
            Operator::NotIn => write!(f, "{key} notin ({values})"),
            Operator::GreaterThan => write!(f, "{key}>{values}"),
            Operator::LessThan => write!(f, "{key}<{values}"),
        }
    }
}

/// A word of a selector. `in` and `notin` are words too: they are operators only where one may stand.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Word(String),
    Symbol(&'static str),
    /// Symbols that mean nothing together.
    Bad(String),
    End,
}

impl Token {
    fn text(&self) -> &str {
        match self {
            Self::Word(text) | Self::Bad(text) => text,
            Self::Symbol(symbol) => symbol,
            Self::End => "",
        }
    }
}

/// Longest first where one begins another.
const SYMBOLS: &[&str] = &["==", "!=", "=", "!", "(", ")", ",", ">", "<"];

fn scan(text: &str) -> Vec<Token> {
    let is_special = |character: char| "=!(),><".contains(character);
    let is_blank = |character: char| " \t\r\n".contains(character);
    let mut rest = text.trim_start_matches(is_blank);
    let mut tokens = Vec::new();
    // Go's scanner takes a zero byte for the end, but passes over one that ends a word.
    while let Some(first) = rest.chars().next().filter(|first| *first != '\0') {
        let (token, after) = if is_special(first) {
            match SYMBOLS.iter().find_map(|symbol| rest.strip_prefix(symbol).map(|after| (*symbol, after))) {
                Some((symbol, after)) => (Token::Symbol(symbol), after),
                None => (Token::Bad(rest.to_owned()), ""),
            }
        } else {
            let end = rest
                .find(|character| is_special(character) || is_blank(character) || character == '\0')
                .unwrap_or(rest.len());
            let (word, after) = rest.split_at(end);
            (Token::Word(word.to_owned()), after)
        };
        tokens.push(token);
        rest = after.strip_prefix('\0').unwrap_or(after).trim_start_matches(is_blank);
    }
    tokens
}

struct Parser {
    tokens: Peekable<IntoIter<Token>>,
}

impl Parser {
    fn new(text: &str) -> Self {
        Self { tokens: scan(text).into_iter().peekable() }
    }

    fn peek(&mut self) -> Token {
        self.tokens.peek().cloned().unwrap_or(Token::End)
    }

    fn next(&mut self) -> Token {
        self.tokens.next().unwrap_or(Token::End)
    }

    fn selector(mut self) -> Result<Vec<Requirement>, String> {
        let mut requirements = Vec::new();
        loop {
            match self.peek() {
                Token::Word(_) | Token::Symbol("!") => {}
                Token::End => return Ok(requirements),
                other => return Err(format!("found '{}', expected: !, identifier, or 'end of string'", other.text())),
            }
            let requirement = self.requirement().map_err(|fault| format!("unable to parse requirement: {fault}"))?;
            requirements.push(requirement);
            match self.next() {
                Token::End => return Ok(requirements),
                Token::Symbol(",") => {}
                other => return Err(format!("found '{}', expected: ',' or 'end of string'", other.text())),
            }
            let next = self.peek();
            if !matches!(next, Token::Word(_) | Token::Symbol("!")) {
                return Err(format!("found '{}', expected: identifier after ','", next.text()));
            }
        }
    }

    fn requirement(&mut self) -> Result<Requirement, String> {
        let negated = self.tokens.next_if_eq(&Token::Symbol("!")).is_some();
        let key = match self.next() {
            Token::Word(key) => key,
            other => return Err(format!("found '{}', expected: identifier", other.text())),
        };
        let wrong = names::qualified(&key);
        if !wrong.is_empty() {
            return Err(FieldError::invalid(&Path::root(), &key, wrong.join("; ")).to_string());
        }
        if negated {
            return Ok(Requirement { key, operator: Operator::DoesNotExist, values: Vec::new() });
        }
        if matches!(self.peek(), Token::End | Token::Symbol(",")) {
            return Ok(Requirement { key, operator: Operator::Exists, values: Vec::new() });
        }
        let operator = self.operator()?;
        let mut values = match operator {
            Operator::In | Operator::NotIn => self.values()?,
            _ => vec![self.value()?],
        };
        values.sort();
        values.dedup();
        Requirement { key, operator, values }.check()
    }

    fn operator(&mut self) -> Result<Operator, String> {
        Ok(match self.next() {
            Token::Symbol("=") => Operator::Equals,
            Token::Symbol("==") => Operator::DoubleEquals,
            Token::Symbol("!=") => Operator::NotEquals,
            Token::Symbol(">") => Operator::GreaterThan,
            Token::Symbol("<") => Operator::LessThan,
            Token::Word(word) if word == "in" => Operator::In,
            Token::Word(word) if word == "notin" => Operator::NotIn,
            other => return Err(format!("found '{}', expected: in, notin, =, ==, !=, gt, lt", other.text())),
        })
    }

    fn value(&mut self) -> Result<String, String> {
        if matches!(self.peek(), Token::End | Token::Symbol(",")) {
            return Ok(String::new());
        }
        match self.next() {
            Token::Word(value) => Ok(value),
            other => Err(format!("found '{}', expected: identifier", other.text())),
        }
    }

    /// `(a,b)`; nothing between commas is the empty value.
    fn values(&mut self) -> Result<Vec<String>, String> {
        match self.next() {
            Token::Symbol("(") => {}
            other => return Err(format!("found '{}' expected: '('", other.text())),
        }
        match self.peek() {
            Token::Symbol(")") => {
                self.next();
                return Ok(vec![String::new()]);
            }
            Token::Word(_) | Token::Symbol(",") => {}
            other => return Err(format!("found '{}', expected: ',', ')' or identifier", other.text())),
        }
        let mut values = Vec::new();
        loop {
            match self.next() {
                Token::Word(value) => {
                    values.push(value);
                    match self.peek() {
                        Token::Symbol(",") => {}
                        Token::Symbol(")") => break,
                        other => return Err(format!("found '{}', expected: ',' or ')'", other.text())),
                    }
                }
                Token::Symbol(",") => {
                    let next = self.peek();
                    if values.is_empty() || matches!(next, Token::Symbol("," | ")")) {
                        values.push(String::new());
                    }
                    if next == Token::Symbol(")") {
                        break;
                    }
                }
                other => return Err(format!("found '{}', expected: ',', or identifier", other.text())),
            }
        }
        self.next();
        Ok(values)
    }
}

#[cfg(test)]
mod tests;
