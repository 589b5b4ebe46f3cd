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

/// A number of nano-units, rounded up; binary ones are capped as in Kubernetes.
#[derive(Debug, Clone, Copy)]
pub struct Quantity {
    /// In units of 10^-9.
    nanos: i128,
    format: Format,
}

/// Kubernetes caps binary quantities at 2^63 - 1 units.
const MOST: i128 = (i64::MAX as i128) * 1_000_000_000;
const DECIMAL: &[(&str, i32)] =
    &[("n", -9), ("u", -6), ("m", -3), ("", 0), ("k", 3), ("M", 6), ("G", 9), ("T", 12), ("P", 15), ("E", 18)];
const BINARY: &[(&str, u32)] = &[("Ki", 10), ("Mi", 20), ("Gi", 30), ("Ti", 40), ("Pi", 50), ("Ei", 60)];

/// The text that Kubernetes keeps of a quantity: short ones that look canonical as they are, others canonical.
///
/// # Errors
/// When the text is no quantity.
pub fn normal(text: &str) -> Result<String, QuantityError> {
    let parts = Parts::of(text)?;
    let (scale, format) = parts.scale()?;
    if text == "0" || parts.is_kept(scale, format) {
        return Ok(text.to_owned());
    }
    Ok(parts.quantity(scale, format)?.to_string())
}

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
        let parts = Parts::of(text)?;
        let (scale, format) = parts.scale()?;
        parts.quantity(scale, format)
    }
}

/// A text taken apart (`parseQuantityString`).
struct Parts<'a> {
    negative: bool,
    /// Without leading zeros, but not empty.
    whole: &'a str,
    fraction: &'a str,
    suffix: &'a str,
}

impl<'a> Parts<'a> {
    fn of(text: &'a str) -> Result<Self, QuantityError> {
        if text.is_empty() {
            return Err(QuantityError::Format);
        }
        let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
        let (whole, after) = split_digits(unsigned.trim_start_matches('0'));
        let (fraction, suffix) = after.strip_prefix('.').map_or(("", after), split_digits);
        let rest = suffix.trim_start_matches(['e', 'E', 'i', 'n', 'u', 'm', 'k', 'K', 'M', 'G', 'T', 'P']);
        let rest = rest.strip_prefix(['-', '+']).unwrap_or(rest);
        if !split_digits(rest).1.is_empty() {
            return Err(QuantityError::Format);
        }
        let whole = if whole.is_empty() { "0" } else { whole };
        Ok(Self { negative: text.starts_with('-'), whole, fraction, suffix })
    }

    /// The power of ten, or of two for binary formats, that the suffix stands for.
    fn scale(&self) -> Result<(i32, Format), QuantityError> {
        if let Some((_, exponent)) = DECIMAL.iter().find(|(name, _)| *name == self.suffix) {
            return Ok((*exponent, Format::Decimal));
        }
        if let Some((_, exponent)) = BINARY.iter().find(|(name, _)| *name == self.suffix) {
            return Ok((exponent.cast_signed(), Format::Binary));
        }
        let exponent = self.suffix.strip_prefix(['e', 'E']).and_then(|exponent| exponent.parse().ok());
        exponent.map(|exponent| (exponent, Format::Exponent)).ok_or(QuantityError::Suffix)
    }

    /// Whether `ParseQuantity` takes its fast path and finds the text canonical enough to reuse it.
    fn is_kept(&self, scale: i32, format: Format) -> bool {
        let digits = self.whole.len() + self.fraction.len();
        let whole = self.whole.parse::<i64>().unwrap_or_default();
        if format == Format::Binary {
            // As many decimal digits as the unit has, nearly.
            let taken = usize::try_from(scale * 3 / 10).unwrap_or_default();
            return self.fraction.is_empty()
                && digits + taken < 15
                && whole.checked_mul(1_i64.checked_shl(scale.cast_unsigned()).unwrap_or_default()).is_some()
                && whole & 7 != 0;
        }
        let scale = scale.saturating_sub(i32::try_from(self.fraction.len()).unwrap_or(i32::MAX));
        let ends = self.fraction.ends_with("000") || (self.fraction.len() < 3 && self.ends_in_zeros());
        digits <= 18 && scale >= -9 && scale % 3 == 0 && !self.whole.starts_with('0') && !ends
    }

    fn ends_in_zeros(&self) -> bool {
        let zeros =
            self.fraction.bytes().rev().chain(self.whole.bytes().rev()).take_while(|&digit| digit == b'0').count();
        zeros >= 3
    }

    fn quantity(&self, scale: i32, format: Format) -> Result<Quantity, QuantityError> {
        let size = match format {
            Format::Binary => self.binary(scale.cast_unsigned()),
            Format::Decimal | Format::Exponent => self.decimal(scale).ok_or(QuantityError::Numeric)?,
        };
        let nanos = if self.negative { -size } else { size };
        // Below one, a binary suffix makes no sense any more.
        let format = if format == Format::Binary && size < 1_000_000_000 { Format::Decimal } else { format };
        Ok(Quantity { nanos, format })
    }

    /// Nano-units, rounded up; `None` beyond any sensible size.
    fn decimal(&self, scale: i32) -> Option<i128> {
        let digits = [self.whole, self.fraction].concat();
        let digits = digits.trim_start_matches('0');
        if digits.is_empty() {
            return Some(0);
        }
        let fraction = i64::try_from(self.fraction.len()).ok()?;
        let power = i64::from(scale) - fraction + 9;
        if power >= 0 {
            let value: i128 = digits.parse().ok()?;
            return value.checked_mul(10_i128.checked_pow(u32::try_from(power).ok()?)?);
        }
        let dropped = usize::try_from(power.unsigned_abs()).ok()?.min(digits.len());
        let (kept, rest) = digits.split_at_checked(digits.len() - dropped)?;
        let value: i128 = if kept.is_empty() { 0 } else { kept.parse().ok()? };
        Some(value + i128::from(rest.bytes().any(|digit| digit != b'0')))
    }

    /// Nano-units, rounded up and capped.
    fn binary(&self, shift: u32) -> i128 {
        let unit = 1_i128.checked_shl(shift).unwrap_or_default();
        let whole = self.whole.parse::<i128>().ok().and_then(|whole| whole.checked_mul(unit));
        let Some(whole) = whole.filter(|whole| *whole <= i64::MAX.into()) else { return MOST };
        let (fraction, rest) = self.fraction.split_at_checked(18).unwrap_or((self.fraction, ""));
        let places = u32::try_from(fraction.len()).unwrap_or_default();
        let mut part = fraction.parse::<i128>().unwrap_or_default() * unit;
        let mut inexact = rest.bytes().any(|digit| digit != b'0');
        if places > 9 {
            let divisor = 10_i128.pow(places - 9);
            inexact |= part % divisor != 0;
            part /= divisor;
        } else {
            part *= 10_i128.pow(9 - places);
        }
        (whole * 1_000_000_000 + part + i128::from(inexact)).min(MOST)
    }
}

fn split_digits(text: &str) -> (&str, &str) {
    text.split_at(text.bytes().take_while(u8::is_ascii_digit).count())
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
        while number % 1_000 == 0 && (exponent < 18 || self.format == Format::Exponent) {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, wanted: &str) {
        let read = normal(text).unwrap_or_else(|error| error.to_string());
        assert_eq!(read, wanted, "{text:?}");
    }

    #[test]
    fn texts_are_those_of_kubernetes() {
        for same in ["0", "1", "500m", "1Gi", "1500Mi", "100n", "1e3", "+1", "12.345", "5."] {
            check(same, same);
        }
        check("1.5", "1500m");
        check("0.5", "500m");
        check("1000m", "1");
        check("1000", "1k");
        check("1024", "1024");
        check("1024Ki", "1Mi");
        check("1.5Gi", "1536Mi");
        check("0.5Ki", "512");
        check("0.1Ki", "102400m");
        check("0.0000000001", "1n");
        check("1e20", "100e18");
        check("9Ei", "9223372036854775807");
        check("0Ki", "0");
        check("-0.1", "-100m");
    }

    #[test]
    fn faults_have_the_texts_of_kubernetes() {
        let format = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
        for text in ["", "a", "1 k", " 1", "1..2", "1e1.5", "1_0"] {
            check(text, format);
        }
        for text in ["1K", "1ki", "e", "1e", "1kk", "--1", "1m1"] {
            check(text, "unable to parse quantity's suffix");
        }
        check(&format!("1e{}", i32::MAX), "unable to parse numeric part of quantity");
    }

    #[test]
    fn sizes_compare_across_suffixes() {
        let parse = |text: &str| text.parse::<Quantity>().unwrap();
        assert!(parse("1Ki") > parse("1k"));
        assert!(parse("0.5") == parse("500m"));
        assert!(parse("-1") < parse("0"));
        assert_eq!(parse("1.1").ceil(), 2);
        assert_eq!(parse("1.0001").ceil_milli(), 1001);
        assert_eq!(parse("-1.5").ceil(), -1);
        assert!(parse("2e3").is_whole() && !parse("1m").is_whole());
    }
}
