//! Times as Kubernetes writes them: RFC 3339 in UTC, whole seconds (`metav1.Time`) or microseconds (`MicroTime`).

use crate::value::Value;

/// Seconds of Unix time of `metadata.creationTimestamp`.
pub fn creation(object: &Value) -> Option<i64> {
    seconds(object.text(&["metadata", "creationTimestamp"]))
}

/// Seconds of Unix time of an RFC 3339 text.
pub fn seconds(text: &str) -> Option<i64> {
    text.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_second)
}

/// The text of a moment, as `metav1.Time` is written.
pub fn format(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds)
        .map(|time| time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
        .unwrap_or_default()
}
