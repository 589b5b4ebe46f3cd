//! Tables after `pkg/apis/core/validation/events_test.go`.

use crate::resources::{Cell, Part, check_field_label};
use crate::testing::{check, create_errors, object, row_of, update_errors};

fn core(fields: &str) -> String {
    format!(
        r#"{{"apiVersion":"v1","kind":"Event","metadata":{{"name":"e","namespace":"n","resourceVersion":"1"}},{fields}}}"#
    )
}

fn face(fields: &str) -> String {
    format!(
        r#"{{"apiVersion":"events.k8s.io/v1","kind":"Event","metadata":{{"name":"e","namespace":"n","resourceVersion":"1"}},{fields}}}"#
    )
}

const NEW: &str = r#""eventTime":"2026-01-01T00:00:00.000000Z","regarding":{"kind":"Pod","name":"p","namespace":"n"},"reason":"R","type":"Normal","action":"A","reportingController":"example.com/c","reportingInstance":"i""#;

#[test]
fn on_create() {
    // TestValidateEvent, TestEventV1EventSeriesMatchEvents, TestValidateEventForCoreV1Events, TestValidateEventCreateForNewV1beta1Events
    let other = r#"involvedObject.namespace: Invalid value: "other": does not match event.namespace"#;
    let table: &[(String, &[&str])] = &[
        (core(r#""involvedObject":{"kind":"Secret","namespace":"n"}"#), &[]),
        (core(r#""involvedObject":{"kind":"Secret","namespace":"other"}"#), &[other]),
        (
            core(r#""involvedObject":{"kind":"Node"}"#),
            &[r#"involvedObject.namespace: Invalid value: "": does not match event.namespace"#],
        ),
        (
            core(r#""involvedObject":{"namespace":"n"},"eventTime":"2026-01-01T00:00:00.000000Z""#),
            &[
                "reportingController: Required value",
                r#"reportingController: Invalid value: "": name part must be non-empty"#,
                r#"reportingController: Invalid value: "": name part must consist of"#,
                "reportingInstance: Required value",
                "action: Required value",
                "reason: Required value",
            ],
        ),
        (face(NEW), &[]),
        (
            face(r#""regarding":{"namespace":"n"}"#),
            &["eventTime: Required value", r#"type: Invalid value: "": has invalid value: "#],
        ),
        (
            face(&format!(
                r#"{NEW},"deprecatedCount":1,"deprecatedSource":{{"component":"c"}},"series":{{"count":1}}"#
            )),
            &[
                r#"series.count: Invalid value: "": should be at least 2"#,
                "series.lastObservedTime: Required value",
                r#"count: Invalid value: "": needs to be unset"#,
                r#"source: Invalid value: "": needs to be unset"#,
            ],
        ),
        (
            face(&NEW.replace(r#""reason":"R""#, &format!(r#""reason":"{}""#, "r".repeat(129)))),
            &[r#"reason: Invalid value: "": can have at most 128 characters"#],
        ),
    ];
    for (json, wanted) in table {
        check(json, &create_errors(json), wanted);
    }
}

#[test]
fn on_update() {
    // TestValidateEventUpdateForNewV1beta1Events: the core face may change anything, the newer one the series only
    let old = face(NEW);
    let series = r#""series":{"count":2,"lastObservedTime":"2026-01-01T00:00:01.000000Z"}"#;
    check("series", &update_errors(Part::Whole, &old, &face(&format!("{NEW},{series}"))), &[]);
    let changed = NEW.replace(r#""reason":"R""#, r#""reason":"S","note":"m""#);
    check(
        "changed",
        &update_errors(Part::Whole, &old, &face(&changed)),
        &[
            r#"reason: Invalid value: "S": field is immutable"#,
            r#"message: Invalid value: "m": field is immutable"#,
            r#"reason: Invalid value: "S": field is immutable"#,
        ],
    );
    let old = core(r#""involvedObject":{"namespace":"n"},"reason":"R""#);
    let new = core(r#""involvedObject":{"namespace":"n","kind":"Pod"},"reason":"S""#);
    check("core", &update_errors(Part::Whole, &old, &new), &[]);
}

#[test]
fn cells_are_the_same_through_both_faces() {
    let event = object(&face(&format!(r#"{NEW},"note":" why ""#)));
    let row = row_of("Event", Some("events.k8s.io/v1"));
    let text = |text: &str| Cell::Text(text.into());
    let wanted = [
        Cell::Age(Some(1_767_225_600)),
        text("Normal"),
        text("R"),
        text("pod/p"),
        text(""),
        text("example.com/c, i"),
        text("why"),
        Cell::Age(Some(1_767_225_600)),
        Cell::Integer(1),
        text("e"),
    ];
    assert_eq!(row.rules.cells(&event), wanted);
    let stored = (row.conversion.expect("a face").to_stored)(event);
    assert_eq!(row_of("Event", Some("v1")).rules.cells(&stored), wanted);
}

#[test]
fn selectors_of_the_newer_face_find_the_stored_fields() {
    let row = row_of("Event", Some("events.k8s.io/v1"));
    assert_eq!(check_field_label(row, "regarding.kind"), Ok("involvedObject.kind"));
    assert_eq!(check_field_label(row, "metadata.namespace"), Ok("metadata.namespace"));
    assert!(check_field_label(row, "involvedObject.kind").is_err());
    assert_eq!(check_field_label(row_of("Event", Some("v1")), "involvedObject.kind"), Ok("involvedObject.kind"));
}
