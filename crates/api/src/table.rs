//! Tables and bare metadata: the forms of objects and lists that carry no content (`meta.k8s.io`).
//!
//! Everything is appended to a buffer from what the cache keeps: a list of thousands of objects costs the
//! copying of their metadata, and no value is touched.

use std::fmt::Write as _;

use crate::resources::{Cell, Column};

/// What stands in the `object` of a row (`?includeObject=`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Include {
    /// The metadata.
    #[default]
    Metadata,
    /// The whole object.
    Object,
    /// Nothing.
    None,
}

impl Include {
    /// Reads the parameter; the error is the message of the Status (400 BadRequest).
    pub fn parse(text: &str) -> Result<Self, String> {
        match text {
            "" | "Metadata" => Ok(Self::Metadata),
            "Object" => Ok(Self::Object),
            "None" => Ok(Self::None),
            other => Err(format!(
                "Unable to convert to Table as requested: includeObject: Invalid value: {}: must be 'Metadata', 'Object', 'None', or empty",
                crate::field::quote(other)
            )),
        }
    }
}

/// The version of `meta.k8s.io` that the client asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Version {
    /// `v1`
    #[default]
    V1,
    /// `v1beta1`
    V1Beta1,
}

impl Version {
    /// The version of this name.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "v1" => Some(Self::V1),
            "v1beta1" => Some(Self::V1Beta1),
            _ => None,
        }
    }

    fn api_version(self) -> &'static str {
        match self {
            Self::V1 => "meta.k8s.io/v1",
            Self::V1Beta1 => "meta.k8s.io/v1beta1",
        }
    }
}

/// `ListMeta` of an answer. For a single object only its revision is set.
#[derive(Debug, Clone, Copy, Default)]
pub struct ListMeta<'a> {
    /// `resourceVersion`
    pub revision: &'a str,
    /// `continue`; empty on the last page.
    pub token: &'a str,
    /// `remainingItemCount`, where it is known.
    pub remaining: Option<i64>,
}

/// The parts of a Table beside its rows.
pub struct Head<'a> {
    /// The version asked for.
    pub version: Version,
    /// The columns; a watch shows them with its first event only.
    pub columns: Option<&'a [Column]>,
    /// The metadata of the list.
    pub list: ListMeta<'a>,
    /// What stands in the rows.
    pub include: Include,
    /// Unix time in seconds, from which ages are counted.
    pub now: i64,
}

/// One object as a Table shows it.
pub struct Row<'a> {
    /// The cells, as many as columns.
    pub cells: &'a [Cell],
    /// The encoded object.
    pub object: &'a [u8],
    /// The encoded value of its `metadata`.
    pub metadata: &'a [u8],
    /// Where `status.phase` of a Pod says that it ended.
    pub phase: Option<&'a str>,
}

/// Appends a Table.
pub fn write<'a>(out: &mut Vec<u8>, head: &Head<'_>, rows: impl Iterator<Item = Row<'a>>) {
    append(out, "{\"kind\":\"Table\",\"apiVersion\":\"");
    append(out, head.version.api_version());
    append(out, "\",\"metadata\":");
    list_meta(out, head.list);
    append(out, ",\"columnDefinitions\":");
    match head.columns {
        Some(columns) => join(out, columns.iter(), column),
        None => append(out, "null"),
    }
    append(out, ",\"rows\":");
    let mut scratch = String::new();
    join(out, rows, |out, one| row(out, head, &one, &mut scratch));
    out.push(b'}');
}

/// Appends a `PartialObjectMetadataList`. Without items it holds null, as Go's nil list.
pub fn write_metadata_list<'a>(
    out: &mut Vec<u8>,
    version: Version,
    list: ListMeta<'_>,
    items: impl Iterator<Item = &'a [u8]>,
) {
    append(out, "{\"kind\":\"PartialObjectMetadataList\",\"apiVersion\":\"");
    append(out, version.api_version());
    append(out, "\",\"metadata\":");
    list_meta(out, list);
    append(out, ",\"items\":");
    let mut items = items.peekable();
    match items.peek() {
        Some(_) => join(out, items, |out, metadata| write_metadata(out, version, metadata)),
        None => append(out, "null"),
    }
    out.push(b'}');
}

/// Appends a `PartialObjectMetadata` around the encoded value of `metadata`.
pub fn write_metadata(out: &mut Vec<u8>, version: Version, metadata: &[u8]) {
    append(out, "{\"kind\":\"PartialObjectMetadata\",\"apiVersion\":\"");
    append(out, version.api_version());
    append(out, "\",\"metadata\":");
    out.extend_from_slice(metadata);
    out.push(b'}');
}

/// Appends `ListMeta`.
pub fn list_meta(out: &mut Vec<u8>, list: ListMeta<'_>) {
    append(out, "{\"resourceVersion\":");
    text(out, list.revision);
    if !list.token.is_empty() {
        append(out, ",\"continue\":");
        text(out, list.token);
    }
    if let Some(remaining) = list.remaining {
        append(out, ",\"remainingItemCount\":");
        append(out, itoa::Buffer::new().format(remaining));
    }
    out.push(b'}');
}

fn column(out: &mut Vec<u8>, column: &Column) {
    append(out, "{\"name\":");
    text(out, column.name);
    append(out, ",\"type\":");
    text(out, column.kind);
    append(out, ",\"format\":");
    text(out, column.format);
    append(out, ",\"description\":");
    text(out, column.description);
    append(out, ",\"priority\":");
    append(out, itoa::Buffer::new().format(column.priority));
    out.push(b'}');
}

fn row(out: &mut Vec<u8>, head: &Head<'_>, row: &Row<'_>, scratch: &mut String) {
    append(out, "{\"cells\":");
    join(out, row.cells.iter(), |out, one| cell(out, one, head.now, scratch));
    if let Some(conditions) = row.phase.and_then(conditions) {
        append(out, conditions);
    }
    append(out, ",\"object\":");
    match head.include {
        Include::Metadata => write_metadata(out, head.version, row.metadata),
        Include::Object => out.extend_from_slice(row.object),
        Include::None => append(out, "null"),
    }
    out.push(b'}');
}

/// The conditions of the row of an ended Pod (`printPod` of `pkg/printers/internalversion`).
fn conditions(phase: &str) -> Option<&'static str> {
    match phase {
        "Succeeded" => Some(
            ",\"conditions\":[{\"type\":\"Completed\",\"status\":\"True\",\"reason\":\"Succeeded\",\
             \"message\":\"The pod has completed successfully.\"}]",
        ),
        "Failed" => Some(
            ",\"conditions\":[{\"type\":\"Completed\",\"status\":\"True\",\"reason\":\"Failed\",\
             \"message\":\"The pod failed.\"}]",
        ),
        _ => None,
    }
}

fn cell(out: &mut Vec<u8>, cell: &Cell, now: i64, scratch: &mut String) {
    match cell {
        Cell::Text(shown) => text(out, shown),
        Cell::Integer(number) => append(out, itoa::Buffer::new().format(*number)),
        Cell::Age(None) => text(out, "<unknown>"),
        Cell::Age(Some(moment)) => {
            scratch.clear();
            push_age(scratch, now.saturating_sub(*moment));
            text(out, scratch);
        }
        Cell::AgeWithin(before, moment, after) => {
            scratch.clear();
            scratch.push_str(before);
            push_age(scratch, now.saturating_sub(*moment));
            scratch.push_str(after);
            text(out, scratch);
        }
    }
}

/// A length of time as kubectl shows ages (`duration.HumanDuration`).
pub fn age(seconds: i64) -> String {
    let mut shown = String::new();
    push_age(&mut shown, seconds);
    shown
}

fn push_age(out: &mut String, seconds: i64) {
    let (minutes, hours) = (seconds / 60, seconds / 3600);
    let (days, years) = (hours / 24, hours / 24 / 365);
    let (first, second) = match seconds {
        ..-1 => return out.push_str("<invalid>"),
        -1 => ((0, 's'), (0, 's')),
        0..120 => ((seconds, 's'), (0, 's')),
        _ if minutes < 10 => ((minutes, 'm'), (seconds % 60, 's')),
        _ if minutes < 180 => ((minutes, 'm'), (0, 's')),
        _ if hours < 8 => ((hours, 'h'), (minutes % 60, 'm')),
        _ if hours < 48 => ((hours, 'h'), (0, 'm')),
        _ if hours < 24 * 8 => ((days, 'd'), (hours % 24, 'h')),
        _ if hours < 24 * 365 * 2 => ((days, 'd'), (0, 'h')),
        _ if hours < 24 * 365 * 8 => ((years, 'y'), (days % 365, 'd')),
        _ => ((years, 'y'), (0, 'd')),
    };
    push_part(out, first);
    if second.0 != 0 {
        push_part(out, second);
    }
}

fn push_part(out: &mut String, (count, unit): (i64, char)) {
    // Writing to a String cannot fail.
    write!(out, "{count}{unit}").unwrap_or_default();
}

fn join<T>(out: &mut Vec<u8>, items: impl Iterator<Item = T>, mut each: impl FnMut(&mut Vec<u8>, T)) {
    out.push(b'[');
    for (at, item) in items.enumerate() {
        if at > 0 {
            out.push(b',');
        }
        each(out, item);
    }
    out.push(b']');
}

fn append(out: &mut Vec<u8>, literal: &str) {
    out.extend_from_slice(literal.as_bytes());
}

/// A JSON string with the escapes of Go's encoder.
fn text(out: &mut Vec<u8>, shown: &str) {
    out.push(b'"');
    if !shown.bytes().any(needs_care) {
        append(out, shown);
        return out.push(b'"');
    }
    for character in shown.chars() {
        match character {
            '"' => append(out, "\\\""),
            '\\' => append(out, "\\\\"),
            '\n' => append(out, "\\n"),
            '\r' => append(out, "\\r"),
            '\t' => append(out, "\\t"),
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' | '\0'..=' ' if character != ' ' => {
                append(out, &format!("\\u{:04x}", character as u32));
            }
            other => append(out, other.encode_utf8(&mut [0; 4])),
        }
    }
    out.push(b'"');
}

/// Whether a byte may belong to something that is escaped; 0xe2 begins U+2028.
fn needs_care(byte: u8) -> bool {
    byte < b' ' || matches!(byte, b'"' | b'\\' | b'<' | b'>' | b'&' | 0xe2)
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: &[Column] = &[
        Column { name: "Name", kind: "string", format: "name", priority: 0, description: "The \"name\"" },
        Column { name: "Age", kind: "string", format: "", priority: 1, description: "" },
    ];

    fn table(head: &Head<'_>, cells: &[Cell], phase: Option<&str>) -> serde_json::Value {
        let mut out = Vec::new();
        let row = || Row { cells, object: b"{\"kind\":\"Secret\"}", metadata: b"{\"name\":\"a\"}", phase };
        write(&mut out, head, [row(), row()].into_iter());
        serde_json::from_slice(&out).unwrap()
    }

    fn head(include: Include) -> Head<'static> {
        let list = ListMeta { revision: "7", token: "x", remaining: Some(3) };
        Head { version: Version::V1, columns: Some(COLUMNS), list, include, now: 1000 }
    }

    #[test]
    fn tables_have_the_shape_of_kubernetes() {
        let cells = [Cell::Text("a<b>".into()), Cell::Age(Some(1000 - 90))];
        let found = table(&head(Include::Metadata), &cells, None);
        assert_eq!(found["kind"], "Table");
        assert_eq!(found["apiVersion"], "meta.k8s.io/v1");
        assert_eq!(
            found["metadata"],
            serde_json::json!({"resourceVersion": "7", "continue": "x", "remainingItemCount": 3})
        );
        assert_eq!(found["columnDefinitions"][0]["description"], "The \"name\"");
        assert_eq!(found["rows"].as_array().unwrap().len(), 2);
        let object = serde_json::json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": {"name": "a"}});
        assert_eq!(found["rows"][1], serde_json::json!({"cells": ["a<b>", "90s"], "object": object}));
    }

    #[test]
    fn rows_hold_what_was_asked_for() {
        let cells = [Cell::AgeWithin("2 (".into(), 700, " ago)".into()), Cell::Age(None), Cell::Integer(-1)];
        let found = table(&head(Include::Object), &cells, Some("Failed"));
        assert_eq!(found["rows"][0]["object"]["kind"], "Secret");
        assert_eq!(found["rows"][0]["cells"], serde_json::json!(["2 (5m ago)", "<unknown>", -1]));
        assert_eq!(found["rows"][0]["conditions"][0]["type"], "Completed");
        assert!(table(&head(Include::None), &cells, None)["rows"][0]["object"].is_null());
        assert!(table(&Head { columns: None, ..head(Include::None) }, &cells, None)["columnDefinitions"].is_null());
    }

    #[test]
    fn include_object_is_one_of_three() {
        assert_eq!(Include::parse(""), Ok(Include::Metadata));
        assert_eq!(Include::parse("None"), Ok(Include::None));
        let message = "Unable to convert to Table as requested: includeObject: Invalid value: \"Everything\": must be 'Metadata', 'Object', 'None', or empty";
        assert_eq!(Include::parse("Everything"), Err(message.to_owned()));
    }

    #[test]
    fn lists_of_metadata_are_null_when_empty() {
        let mut out = Vec::new();
        let list = ListMeta { revision: "7", ..ListMeta::default() };
        write_metadata_list(&mut out, Version::V1Beta1, list, std::iter::empty());
        let wanted = r#"{"kind":"PartialObjectMetadataList","apiVersion":"meta.k8s.io/v1beta1","metadata":{"resourceVersion":"7"},"items":null}"#;
        assert_eq!(String::from_utf8(out).unwrap(), wanted);
    }

    #[test]
    fn ages_are_those_of_kubectl() {
        let hour = 3600;
        let day = 24 * hour;
        let cases = [
            (-2, "<invalid>"),
            (-1, "0s"),
            (0, "0s"),
            (119, "119s"),
            (120, "2m"),
            (121, "2m1s"),
            (599, "9m59s"),
            (600, "10m"),
            (2 * hour, "120m"),
            (3 * hour, "3h"),
            (3 * hour + 60, "3h1m"),
            (8 * hour, "8h"),
            (47 * hour, "47h"),
            (2 * day, "2d"),
            (2 * day + hour, "2d1h"),
            (8 * day, "8d"),
            (729 * day, "729d"),
            (730 * day, "2y"),
            (731 * day, "2y1d"),
            (8 * 365 * day, "8y"),
        ];
        for (seconds, wanted) in cases {
            assert_eq!(age(seconds), wanted, "{seconds}");
        }
    }
}
