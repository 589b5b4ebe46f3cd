//! `resource.Quantity`: a decimal number with an SI, binary or exponent suffix, and its canonical text.

use std::cmp::Ordering;
use std::fmt;
use std::ops::Add;
use std::str::FromStr;

use thiserror::Error;

/// Why a text is no quantity; the texts are those of `resource.ParseQuantity`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum QuantityError {
    /// `ErrFormatWrong`
    #[error("quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'")]
    Format,
    /// `ErrSuffix`
    #[error("unable to parse quantity's suffix")]
    Suffix,
    /// `ErrNumeric`
    #[error("unable to parse numeric part of quantity")]
    Numeric,
}

/// How a quantity is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    /// `n u m k M G T P E`
    Decimal,
    /// `Ki Mi Gi Ti Pi Ei`
    Binary,
    /// `e3`
    Exponent,
}

/// A number of nano-units, rounded up and capped as Kubernetes does.
#[derive(Debug, Clone, Copy)]
pub struct Quantity {
    /// In units of 10^-9.
    nanos: i128,
    format: Format,
}

/// Kubernetes caps at 2^63 - 1 units.
const MOST: i128 = (i64::MAX as i128) * 1_000_000_000;
const DECIMAL: &[(&str, i32)] =
    &[("n", -9), ("u", -6), ("m", -3), ("", 0), ("k", 3), ("M", 6), ("G", 9), ("T", 12), ("P", 15), ("E", 18)];
const BINARY: &[(&str, u32)] = &[("Ki", 10), ("Mi", 20), ("Gi", 30), ("Ti", 40), ("Pi", 50), ("Ei", 60)];

impl Quantity {
    /// Whole units, rounded up (`Value`).
    pub fn ceil(&self) -> i64 {
        saturate(div_ceil(self.nanos, 1_000_000_000))
    }

    /// Thousandths, rounded up (`MilliValue`).
    pub fn ceil_milli(&self) -> i64 {
        saturate(div_ceil(self.nanos, 1_000_000))
    }

    /// Whether it is below, at or above zero.
    pub fn sign(&self) -> Ordering {
        self.nanos.cmp(&0)
    }

    /// Whether it is a whole number of units.
    pub fn is_whole(&self) -> bool {
        self.nanos % 1_000_000_000 == 0
    }
}

fn saturate(value: i128) -> i64 {
    i64::try_from(value).unwrap_or(if value < 0 { i64::MIN } else { i64::MAX })
}

fn div_ceil(value: i128, unit: i128) -> i128 {
    let floor = value.div_euclid(unit);
    if value.rem_euclid(unit) == 0 { floor } else { floor + 1 }
}

impl Add for Quantity {
    type Output = Self;

    /// `Add`: written as the left one is, unless that is zero.
    fn add(self, other: Self) -> Self {
        let format = if self.nanos == 0 { other.format } else { self.format };
        Self { nanos: self.nanos.saturating_add(other.nanos).clamp(-MOST, MOST), format }
    }
}

impl PartialEq for Quantity {
    fn eq(&self, other: &Self) -> bool {
        self.nanos == other.nanos
    }
}

impl Eq for Quantity {}

impl PartialOrd for Quantity {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Quantity {
    fn cmp(&self, other: &Self) -> Ordering {
        self.nanos.cmp(&other.nanos)
    }
}

impl FromStr for Quantity {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, QuantityError> {
        let (negative, unsigned) = match text.as_bytes().first() {
            None => return Err(QuantityError::Format),
            Some(b'-') => (true, text.get(1..).unwrap_or_default()),
            Some(b'+') => (false, text.get(1..).unwrap_or_default()),
            Some(_) => (false, text),
        };
        let whole_length = unsigned.bytes().take_while(u8::is_ascii_digit).count();
        let (whole, after) = unsigned.split_at(whole_length);
        let (fraction, suffix) = match after.strip_prefix('.') {
            Some(after) => after.split_at(after.bytes().take_while(u8::is_ascii_digit).count()),
            None => ("", after),
        };
        if whole.is_empty() && fraction.is_empty() {
            // Go takes a point alone for a number that it then cannot read.
            let form = suffix_form(suffix) && after.starts_with('.');
            return Err(if form { QuantityError::Numeric } else { QuantityError::Format });
        }
        if !suffix_form(suffix) {
            return Err(QuantityError::Format);
        }
        let (base, exponent, format) = suffix_value(suffix).ok_or(QuantityError::Suffix)?;
        let size = scaled(whole, fraction, base, exponent);
        Ok(Self { nanos: if negative { -size } else { size }, format })
    }
}

/// Whether the rest after the digits has the form of a suffix: letters, a sign, digits.
fn suffix_form(suffix: &str) -> bool {
    let rest = suffix.trim_start_matches(['e', 'E', 'i', 'n', 'u', 'm', 'k', 'K', 'M', 'G', 'T', 'P']);
    let rest = rest.strip_prefix(['-', '+']).unwrap_or(rest);
    rest.bytes().all(|byte| byte.is_ascii_digit())
}

#[derive(Clone, Copy)]
enum Base {
    Ten,
    Two,
}

fn suffix_value(suffix: &str) -> Option<(Base, i32, Format)> {
    if let Some((_, exponent)) = DECIMAL.iter().find(|(name, _)| *name == suffix) {
        return Some((Base::Ten, *exponent, Format::Decimal));
    }
    if let Some((_, exponent)) = BINARY.iter().find(|(name, _)| *name == suffix) {
        return Some((Base::Two, i32::try_from(*exponent).ok()?, Format::Binary));
    }
    let exponent = suffix.strip_prefix(['e', 'E'])?.parse().ok()?;
    Some((Base::Ten, exponent, Format::Exponent))
}

/// The number in nano-units: rounded up, away from zero, and capped.
fn scaled(whole: &str, fraction: &str, base: Base, exponent: i32) -> i128 {
    let digits = || whole.bytes().chain(fraction.bytes());
    let significant = digits().skip_while(|&digit| digit == b'0').count();
    if significant == 0 {
        return 0;
    }
    let fraction_length = i64::try_from(fraction.len()).unwrap_or(i64::MAX);
    // The value is `digits * 10^power` nano-units, times a power of two for binary suffixes.
    let (power, shift) = match base {
        Base::Ten => (i64::from(exponent) - fraction_length + 9, 0),
        Base::Two => (9 - fraction_length, exponent),
    };
    let mut value = 0_i128;
    let mut inexact = false;
    let keep = i64::try_from(digits().count()).unwrap_or(i64::MAX) + power.min(0);
    for (at, digit) in (0_i64..).zip(digits()) {
        // Digits below a nano-unit of a decimal number only round.
        if shift == 0 && at >= keep {
            inexact |= digit != b'0';
            continue;
        }
        value = match value.checked_mul(10).and_then(|value| value.checked_add(i128::from(digit - b'0'))) {
            Some(value) if value <= i128::from(u64::MAX) * 1_000_000_000_000 => value,
            _ if shift == 0 => return MOST,
            // More digits than any sensible number of bytes has: the rest only rounds.
            _ => return long_binary(whole, fraction, shift),
        };
    }
    if shift > 0 {
        return binary(value, power, shift);
    }
    for _ in 0..power.max(0) {
        value = value.saturating_mul(10);
        if value > MOST {
            return MOST;
        }
    }
    (value + i128::from(inexact)).min(MOST)
}

/// `digits * 10^power * 2^shift`, rounded up to a nano-unit.
fn binary(digits: i128, power: i64, shift: i32) -> i128 {
    let Some(mut value) =
        u32::try_from(shift).ok().and_then(|shift| 1_i128.checked_shl(shift)).and_then(|unit| digits.checked_mul(unit))
    else {
        return MOST;
    };
    let mut inexact = false;
    for _ in 0..power.unsigned_abs() {
        if power > 0 {
            value = value.saturating_mul(10);
            if value > MOST {
                return MOST;
            }
        } else {
            inexact |= value % 10 != 0;
            value /= 10;
        }
    }
    (value + i128::from(inexact)).min(MOST)
}

/// A binary number of very many digits: the whole part decides, and a long fraction is cut at nano-units.
fn long_binary(whole: &str, fraction: &str, shift: i32) -> i128 {
    let whole = whole.trim_start_matches('0');
    if whole.len() > 19 {
        return MOST;
    }
    let cut = fraction.get(..9.min(fraction.len())).unwrap_or_default();
    let digits = format!("{whole}{cut:0<9}").parse::<i128>().unwrap_or(MOST);
    binary(digits, 0, shift)
}

impl fmt::Display for Quantity {
    /// `CanonicalizeBytes`: the largest suffix that leaves a whole number.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.nanos == 0 {
            return f.write_str("0");
        }
        if self.format == Format::Binary && self.is_whole() {
            let units = self.nanos / 1_000_000_000;
            // Below 1024 a binary number is written as a decimal one.
            if units.abs() >= 1024 {
                let (suffix, shift) = BINARY
                    .iter()
                    .rev()
                    .find(|(_, shift)| units % (1_i128 << shift) == 0)
                    .map_or(("", 0), |(name, shift)| (*name, *shift));
                return write!(f, "{}{suffix}", units >> shift);
            }
        }
        let (mut number, mut exponent) = (self.nanos, -9);
        while number % 1_000 == 0 && exponent < 18 {
            number /= 1_000;
            exponent += 3;
        }
        if self.format == Format::Exponent {
            return if exponent == 0 { write!(f, "{number}") } else { write!(f, "{number}e{exponent}") };
        }
        let suffix = DECIMAL.iter().find(|(_, power)| *power == exponent).map_or("", |(name, _)| *name);
        write!(f, "{number}{suffix}")
    }
}
