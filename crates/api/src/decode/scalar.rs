//! Types that are text in JSON and have a normal form: times, durations, quantities.

use crate::decode::clock;

/// `resource.ErrFormatWrong`
pub(crate) const BAD_QUANTITY: &str =
    "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";

/// `metav1.Time`: UTC, whole seconds; the zero time is as good as none.
pub(crate) fn time(text: &str) -> Result<Option<String>, String> {
    clock::parse(text, clock::Layout::Seconds).map(|moment| moment.map(|moment| moment.in_seconds()))
}

/// `metav1.MicroTime`: UTC, six digits after the point.
pub(crate) fn micro_time(text: &str) -> Result<Option<String>, String> {
    clock::parse(text, clock::Layout::Micros).map(|moment| moment.map(|moment| moment.in_micros()))
}

/// `metav1.Duration`, e.g. `1h0m0s`.
pub(crate) fn duration(text: &str) -> Result<Option<String>, String> {
    clock::parse_duration(text).map(|nanos| Some(clock::format_duration(nanos)))
}

/// `resource.Quantity` as Kubernetes keeps it.
pub(crate) fn quantity(text: &str) -> Result<Option<String>, String> {
    crate::quantity::normal(text.trim()).map(Some).map_err(|error| error.to_string())
}
