//! Times and durations as Go's `time` package reads them, with its errors.

/// Seconds from year 1 to 1970.
const FIRST_SECOND: i64 = -62_135_596_800;
/// What four digits of a year can say: the years 0 to 9999.
const WRITABLE: std::ops::Range<i64> = -62_167_219_200..253_402_300_800;

/// What a time must look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layout {
    /// `time.RFC3339`; a fraction is read and dropped.
    Seconds,
    /// `metav1.RFC3339Micro`: exactly six digits.
    Micros,
}

impl Layout {
    fn text(self) -> &'static str {
        match self {
            Self::Seconds => "2006-01-02T15:04:05Z07:00",
            Self::Micros => "2006-01-02T15:04:05.000000Z07:00",
        }
    }
}

/// A moment in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment {
    seconds: i64,
    micros: u32,
}

impl Moment {
    /// The moment this many seconds after 1970, and these microseconds more.
    pub(crate) fn new(seconds: i64, micros: i64) -> Self {
        let seconds = seconds.saturating_add(micros.div_euclid(1_000_000));
        Self { seconds, micros: u32::try_from(micros.rem_euclid(1_000_000)).unwrap_or_default() }
    }

    /// The moment unless it is the zero time, or Go's error where no text that can be read again says it.
    pub(crate) fn unless_zero(self) -> Result<Option<Self>, String> {
        if !WRITABLE.contains(&self.seconds) {
            return Err("year outside of range [0,9999]".to_owned());
        }
        Ok((self != Self { seconds: FIRST_SECOND, micros: 0 }).then_some(self))
    }

    /// `2006-01-02T15:04:05Z`
    pub(crate) fn in_seconds(self) -> String {
        let mut text = civil(self.seconds);
        text.push('Z');
        text
    }

    /// `2006-01-02T15:04:05.000000Z`
    pub(crate) fn in_micros(self) -> String {
        format!("{}.{:06}Z", civil(self.seconds), self.micros)
    }
}

/// The moment, or `None` for the zero time, or Go's error.
pub(crate) fn parse(text: &str, layout: Layout) -> Result<Option<Moment>, String> {
    let mut cursor = Cursor { whole: text, rest: text, layout };
    let year = cursor.digits(4, 4, "2006")?;
    cursor.literal("-")?;
    let month = cursor.digits(2, 2, "01")?;
    cursor.within(month, 1..=12, "month")?;
    cursor.literal("-")?;
    let day = cursor.digits(2, 2, "02")?;
    cursor.literal("T")?;
    let hour = cursor.digits(1, 2, "15")?;
    cursor.within(hour, 0..=23, "hour")?;
    cursor.literal(":")?;
    let minute = cursor.digits(2, 2, "04")?;
    cursor.within(minute, 0..=59, "minute")?;
    cursor.literal(":")?;
    let second = cursor.digits(2, 2, "05")?;
    cursor.within(second, 0..=59, "second")?;
    let micros = cursor.fraction()?;
    let offset = cursor.zone()?;
    if !cursor.rest.is_empty() {
        return Err(cursor.bad(&format!(": extra text: {}", quote(cursor.rest))));
    }
    cursor.within(day, 1..=days_in(year, month), "day")?;
    let seconds = days_from_civil(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second - offset;
    Moment { seconds, micros }.unless_zero()
}

struct Cursor<'a> {
    whole: &'a str,
    rest: &'a str,
    layout: Layout,
}

impl Cursor<'_> {
    fn take(&mut self, bytes: usize) -> &str {
        let (taken, rest) = self.rest.split_at_checked(bytes).unwrap_or((self.rest, ""));
        self.rest = rest;
        taken
    }

    fn literal(&mut self, literal: &str) -> Result<(), String> {
        match self.rest.strip_prefix(literal) {
            Some(rest) => {
                self.rest = rest;
                Ok(())
            }
            None => Err(self.cannot(literal)),
        }
    }

    /// A number of `least` to `most` digits.
    fn digits(&mut self, least: usize, most: usize, element: &str) -> Result<i64, String> {
        let count = self.rest.bytes().take(most).take_while(u8::is_ascii_digit).count();
        if count < least {
            return Err(self.cannot(element));
        }
        Ok(self.take(count).parse().unwrap_or_default())
    }

    fn within(&self, value: i64, range: std::ops::RangeInclusive<i64>, what: &str) -> Result<(), String> {
        if range.contains(&value) { Ok(()) } else { Err(self.bad(&format!(": {what} out of range"))) }
    }

    fn fraction(&mut self) -> Result<u32, String> {
        let digits =
            self.rest.strip_prefix(['.', ',']).map_or(0, |rest| rest.bytes().take_while(u8::is_ascii_digit).count());
        match self.layout {
            Layout::Seconds if digits == 0 => Ok(0),
            Layout::Seconds => {
                self.take(1 + digits);
                Ok(0)
            }
            Layout::Micros if digits < 6 => Err(self.cannot(".000000")),
            Layout::Micros => Ok(self.take(7).get(1..).and_then(|digits| digits.parse().ok()).unwrap_or_default()),
        }
    }

    /// Seconds east of UTC.
    fn zone(&mut self) -> Result<i64, String> {
        if let Some(rest) = self.rest.strip_prefix('Z') {
            self.rest = rest;
            return Ok(0);
        }
        let held = self.rest;
        let read = |text: &str| -> Option<(i64, i64, i64)> {
            let bytes: [u8; 6] = text.as_bytes().get(..6)?.try_into().ok()?;
            let [sign, h1, h2, b':', m1, m2] = bytes else { return None };
            let pair = |tens: u8, ones: u8| {
                (tens.is_ascii_digit() && ones.is_ascii_digit())
                    .then(|| i64::from(tens - b'0') * 10 + i64::from(ones - b'0'))
            };
            let sign = match sign {
                b'+' => 1,
                b'-' => -1,
                _ => return None,
            };
            Some((sign, pair(h1, h2)?, pair(m1, m2)?))
        };
        let Some((sign, hours, minutes)) = read(held) else { return Err(self.cannot("Z07:00")) };
        self.within(hours, 0..=24, "time zone offset hour")?;
        self.within(minutes, 0..=60, "time zone offset minute")?;
        self.take(6);
        Ok(sign * (hours * 3_600 + minutes * 60))
    }

    fn cannot(&self, element: &str) -> String {
        self.bad(&format!(" as {}: cannot parse {} as {}", quote(self.layout.text()), quote(self.rest), quote(element)))
    }

    fn bad(&self, why: &str) -> String {
        format!("parsing time {}{why}", quote(self.whole))
    }
}

/// How many days a month has.
pub(crate) fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970 (Howard Hinnant's algorithm, with years that begin in March).
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// How the `time` package quotes: bytes that are not plain ASCII are escaped one by one.
fn quote(text: &str) -> String {
    let escape = |byte: u8| match byte {
        b'"' => "\\\"".to_owned(),
        b'\\' => "\\\\".to_owned(),
        b' '..=b'\x7f' => char::from(byte).to_string(),
        other => format!("\\x{other:02x}"),
    };
    format!("\"{}\"", text.bytes().map(escape).collect::<String>())
}

/// `2006-01-02T15:04:05`
fn civil(seconds: i64) -> String {
    let days = seconds.div_euclid(86_400) + 719_468;
    let of_day = seconds.rem_euclid(86_400);
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let (hour, minute, second) = (of_day / 3_600, of_day / 60 % 60, of_day % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")
}

/// The units of `time.ParseDuration` in nanoseconds.
const UNITS: &[(&str, u64)] = &[
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("μs", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

/// `time.ParseDuration`, in nanoseconds.
pub(crate) fn parse_duration(text: &str) -> Result<i64, String> {
    let invalid = || format!("time: invalid duration {}", quote(text));
    let (negative, mut rest) = match text.as_bytes().first() {
        Some(b'-') => (true, text.get(1..).unwrap_or_default()),
        Some(b'+') => (false, text.get(1..).unwrap_or_default()),
        _ => (false, text),
    };
    if rest == "0" {
        return Ok(0);
    }
    if rest.is_empty() {
        return Err(invalid());
    }
    let mut total = 0_u64;
    while !rest.is_empty() {
        let whole_length = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (whole, after) = rest.split_at(whole_length);
        let (fraction, after) = match after.strip_prefix('.') {
            Some(after) => after.split_at(after.bytes().take_while(u8::is_ascii_digit).count()),
            None => ("", after),
        };
        if whole.is_empty() && fraction.is_empty() {
            return Err(invalid());
        }
        let unit_length = after.find(|character: char| character == '.' || character.is_ascii_digit());
        let (unit, after) = after.split_at(unit_length.unwrap_or(after.len()));
        if unit.is_empty() {
            return Err(format!("time: missing unit in duration {}", quote(text)));
        }
        let Some((_, nanos)) = UNITS.iter().find(|(name, _)| *name == unit) else {
            return Err(format!("time: unknown unit {} in duration {}", quote(unit), quote(text)));
        };
        let whole: u64 = if whole.is_empty() { 0 } else { whole.parse().map_err(|_| invalid())? };
        let part = whole.checked_mul(*nanos).and_then(|part| part.checked_add(part_of(fraction, *nanos)));
        total = part.and_then(|part| total.checked_add(part)).ok_or_else(invalid)?;
        rest = after;
    }
    let most = if negative { 1 << 63 } else { (1 << 63) - 1 };
    if total > most {
        return Err(invalid());
    }
    let total = i64::try_from(total).unwrap_or(i64::MIN);
    Ok(if negative { total.wrapping_neg() } else { total })
}

/// A decimal fraction of a unit, rounded down.
fn part_of(fraction: &str, unit: u64) -> u64 {
    let mut scale = u128::from(unit);
    let mut value = 0_u128;
    let mut divisor = 1_u128;
    // Beyond 18 digits nothing is left of a unit of at most an hour.
    for digit in fraction.bytes().take(18) {
        value = value * 10 + u128::from(digit - b'0');
        divisor *= 10;
    }
    scale *= value;
    u64::try_from(scale / divisor).unwrap_or_default()
}

/// `Duration.String`, e.g. `1h15m30.5s`.
pub(crate) fn format_duration(nanos: i64) -> String {
    let sign = if nanos < 0 { "-" } else { "" };
    let size = nanos.unsigned_abs();
    let with_fraction = |unit: u64, name: &str| {
        let fraction = format!("{:0width$}", size % unit, width = unit.ilog10() as usize);
        let fraction = fraction.trim_end_matches('0');
        let point = if fraction.is_empty() || unit == 1 { "" } else { "." };
        let fraction = if unit == 1 { "" } else { fraction };
        format!("{sign}{}{point}{fraction}{name}", size / unit)
    };
    match size {
        0 => return "0s".to_owned(),
        1..1_000 => return with_fraction(1, "ns"),
        1_000..1_000_000 => return with_fraction(1_000, "µs"),
        1_000_000..1_000_000_000 => return with_fraction(1_000_000, "ms"),
        _ => {}
    }
    let seconds = size / 1_000_000_000;
    let fraction = format!("{:09}", size % 1_000_000_000);
    let fraction = fraction.trim_end_matches('0');
    let point = if fraction.is_empty() { "" } else { "." };
    let (hours, minutes) = (seconds / 3_600, seconds / 60 % 60);
    let lead = match (hours, minutes) {
        (0, 0) => String::new(),
        (0, minutes) => format!("{minutes}m"),
        (hours, minutes) => format!("{hours}h{minutes}m"),
    };
    format!("{sign}{lead}{}{point}{fraction}s", seconds % 60)
}
