//! What a plain scalar means in YAML 1.1 (`resolve` of go-yaml 2).

use crate::decode::clock;
use crate::value::Value;

/// What a scalar is; numbers that JSON has no place for are kept apart.
#[derive(Debug, PartialEq)]
pub(super) enum Meaning {
    Null,
    Bool(bool),
    Integer(i64),
    Float(f64),
    Text,
}

impl Meaning {
    /// The value of a scalar of this text, or `None` if JSON cannot say it.
    pub(super) fn value(&self, text: &str) -> Option<Value> {
        Some(match self {
            Self::Null => Value::Null,
            Self::Bool(value) => Value::Bool(*value),
            Self::Integer(value) => Value::Integer(*value),
            Self::Float(value) if value.is_finite() => crate::decode::untyped::float(*value),
            Self::Float(_) => return None,
            Self::Text => Value::String(text.to_owned()),
        })
    }
}

/// Resolves a plain scalar without a tag.
pub(super) fn resolve(text: &str) -> Meaning {
    match text.as_bytes().first() {
        None => Meaning::Null,
        Some(b'y' | b'Y' | b'n' | b'N' | b't' | b'T' | b'f' | b'F' | b'o' | b'O' | b'~') => word(text),
        Some(b'.') => match text {
            ".nan" | ".NaN" | ".NAN" => Meaning::Float(f64::NAN),
            ".inf" | ".Inf" | ".INF" => Meaning::Float(f64::INFINITY),
            _ => decimal(text),
        },
        Some(b'+' | b'-' | b'0'..=b'9') => match text {
            "+.inf" | "+.Inf" | "+.INF" => Meaning::Float(f64::INFINITY),
            "-.inf" | "-.Inf" | "-.INF" => Meaning::Float(f64::NEG_INFINITY),
            _ => number(text),
        },
        Some(_) => Meaning::Text,
    }
}

fn word(text: &str) -> Meaning {
    match text {
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => Meaning::Bool(true),
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => Meaning::Bool(false),
        "~" | "null" | "Null" | "NULL" => Meaning::Null,
        _ => Meaning::Text,
    }
}

fn number(text: &str) -> Meaning {
    let plain = text.replace('_', "");
    let (negative, digits) = match plain.as_bytes().first() {
        Some(b'-') => (true, plain.get(1..).unwrap_or_default()),
        Some(b'+') => (false, plain.get(1..).unwrap_or_default()),
        _ => (false, plain.as_str()),
    };
    let (radix, digits) = match digits.as_bytes() {
        [b'0', b'x' | b'X', ..] => (16, digits.get(2..).unwrap_or_default()),
        [b'0', b'o' | b'O', ..] => (8, digits.get(2..).unwrap_or_default()),
        [b'0', b'b' | b'B', ..] => (2, digits.get(2..).unwrap_or_default()),
        [b'0', _, ..] => (8, digits.get(1..).unwrap_or_default()),
        _ => (10, digits),
    };
    // A second sign is no part of a number, though Rust's parser would take it.
    let size = if digits.starts_with(['+', '-']) { None } else { u64::from_str_radix(digits, radix).ok() };
    match size.map(i128::from).map(|size| if negative { -size } else { size }) {
        Some(whole) => match i64::try_from(whole) {
            Ok(whole) => Meaning::Integer(whole),
            #[expect(clippy::cast_precision_loss, reason = "beyond 64 signed bits JSON numbers are floats here")]
            Err(_) if whole > 0 => Meaning::Float(whole as f64),
            Err(_) => decimal(&plain),
        },
        None => decimal(&plain),
    }
}

/// `^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$`
fn decimal(text: &str) -> Meaning {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (digits, exponent) = match unsigned.find(['e', 'E']) {
        Some(at) => (unsigned.get(..at).unwrap_or_default(), unsigned.get(at + 1..)),
        None => (unsigned, None),
    };
    let exponent_form =
        exponent.is_none_or(|exponent| all_digits(exponent.strip_prefix(['-', '+']).unwrap_or(exponent)));
    let digits_form = match digits.split_once('.') {
        None => all_digits(digits),
        Some(("", fraction)) => all_digits(fraction),
        Some((whole, fraction)) => all_digits(whole) && (fraction.is_empty() || all_digits(fraction)),
    };
    match text.parse::<f64>() {
        Ok(number) if digits_form && exponent_form && number.is_finite() => Meaning::Float(number),
        _ => Meaning::Text,
    }
}

fn all_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// A float as `strconv.FormatFloat(f, 'g', -1, 64)` writes it.
pub(super) fn format_float(number: f64) -> String {
    in_go(&format!("{number:e}"), &format!("{number}"))
}

/// A float as go-yaml turns it into a key: in 32 bits.
pub(super) fn format_key(number: f64) -> String {
    #[expect(clippy::cast_possible_truncation, reason = "go-yaml's keys have no more digits")]
    let number = number as f32;
    in_go(&format!("{number:e}"), &format!("{number}"))
}

fn in_go(scientific: &str, plain: &str) -> String {
    let (digits, exponent) = scientific.split_once('e').unwrap_or((scientific, "0"));
    match exponent.parse::<i32>().unwrap_or_default() {
        -4..6 => plain.to_owned(),
        exponent => format!("{digits}e{}{:02}", if exponent < 0 { '-' } else { '+' }, exponent.abs()),
    }
}

/// Whether plain text would be read as a time (`parseTimestamp`).
fn is_time(text: &str) -> bool {
    let (date, time) = match text.find(['T', 't', ' ']) {
        Some(at) => (text.get(..at).unwrap_or_default(), text.get(at..)),
        None => (text, None),
    };
    let mut parts = date.split('-');
    let (Some(year), Some(month), Some(day), None) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
        return false;
    };
    let date = year.len() == 4 && all_digits(year) && in_range(month, 1, 12);
    let days = clock::days_in(year.parse().unwrap_or_default(), month.parse().unwrap_or_default());
    date && in_range(day, 1, days) && time.is_none_or(is_time_of_day)
}

fn is_time_of_day(text: &str) -> bool {
    let clock = text.get(1..).unwrap_or_default();
    let clock = if text.starts_with(' ') {
        clock
    } else if let Some(clock) = clock.strip_suffix('Z') {
        clock
    } else {
        let Some((clock, zone)) = clock.split_at_checked(clock.len().saturating_sub(6)) else { return false };
        let Some((hours, minutes)) = zone.strip_prefix(['+', '-']).and_then(|zone| zone.split_once(':')) else {
            return false;
        };
        if hours.len() != 2 || minutes.len() != 2 || !in_range(hours, 0, 24) || !in_range(minutes, 0, 60) {
            return false;
        }
        clock
    };
    let clock = match clock.split_once(['.', ',']) {
        Some((clock, fraction)) if all_digits(fraction) => clock,
        Some(_) => return false,
        None => clock,
    };
    let mut parts = clock.split(':');
    let ranges = [23, 59, 59].iter().all(|most| parts.next().is_some_and(|part| in_range(part, 0, *most)));
    ranges && parts.next().is_none()
}

/// One or two digits between these.
fn in_range(text: &str, least: i64, most: i64) -> bool {
    text.len() <= 2 && all_digits(text) && text.parse::<i64>().is_ok_and(|number| (least..=most).contains(&number))
}

/// Whether text without quotes would be read as something else than text.
pub(super) fn needs_quotes(text: &str) -> bool {
    resolve(text) != Meaning::Text || is_time(text) || is_base_60(text)
}

/// `^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?$`: other readers of YAML 1.1 take it for a number.
fn is_base_60(text: &str) -> bool {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let places = match unsigned.split_once('.') {
        Some((_, fraction)) if !fraction.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_') => return false,
        Some((places, _)) => places,
        None => unsigned,
    };
    let mut places = places.split(':');
    let first = places.next().unwrap_or_default();
    let first = first.starts_with(|digit: char| digit.is_ascii_digit())
        && first.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_');
    let mut rest = places.peekable();
    first && rest.peek().is_some() && rest.all(|place| in_range(place, 0, 59))
}
