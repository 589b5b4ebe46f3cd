//! Rules of Events, of their two faces: core `v1` as stored, and `events.k8s.io/v1`.
//!
//! Mirrors `pkg/apis/core/validation/events.go`: what comes through the newer face is checked more strictly.
//! Both faces are checked in their stored form, so that errors name the same fields.

use std::borrow::Cow;

use super::{Cell, Conversion, NameRule, Part, Rules};
use crate::field::{FieldError, Path};
use crate::meta::{self, MetaStyle, Repeats};
use crate::names;
use crate::time;
use crate::value::Value;

/// The rules of Events of the core group.
pub(super) struct Event;

/// The rules of Events of `events.k8s.io`.
pub(super) struct EventFace;

/// How the face of `events.k8s.io/v1` is stored.
pub(super) static CONVERSION: Conversion =
    Conversion { stored_as: ("", "events"), from_stored: face_from_stored, to_stored: stored_from_face };

/// Fields that have another name in `events.k8s.io/v1`: (core name, face name).
const RENAMED: [(&str, &str); 7] = [
    ("involvedObject", "regarding"),
    ("message", "note"),
    ("reportingComponent", "reportingController"),
    ("firstTimestamp", "deprecatedFirstTimestamp"),
    ("lastTimestamp", "deprecatedLastTimestamp"),
    ("count", "deprecatedCount"),
    ("source", "deprecatedSource"),
];

/// `AddFieldLabelConversionsForEvent` of core.
const SELECTABLE: [&str; 11] = [
    "involvedObject.kind",
    "involvedObject.namespace",
    "involvedObject.name",
    "involvedObject.uid",
    "involvedObject.apiVersion",
    "involvedObject.resourceVersion",
    "involvedObject.fieldPath",
    "reason",
    "reportingComponent",
    "source",
    "type",
];

/// `AddFieldLabelConversionsForEvent` of `events.k8s.io/v1`: (face name, core name).
const ALIASES: [(&str, &str); 10] = [
    ("reason", "reason"),
    ("regarding.kind", "involvedObject.kind"),
    ("regarding.namespace", "involvedObject.namespace"),
    ("regarding.name", "involvedObject.name"),
    ("regarding.uid", "involvedObject.uid"),
    ("regarding.apiVersion", "involvedObject.apiVersion"),
    ("regarding.resourceVersion", "involvedObject.resourceVersion"),
    ("regarding.fieldPath", "involvedObject.fieldPath"),
    ("reportingController", "reportingComponent"),
    ("type", "type"),
];

/// What an update through the newer face may not change: (field as errors name it, core field).
const FIXED: [(&str, &str); 14] = [
    ("involvedObject", "involvedObject"),
    ("reason", "reason"),
    ("message", "message"),
    ("source", "source"),
    ("firstTimestamp", "firstTimestamp"),
    ("lastTimestamp", "lastTimestamp"),
    ("count", "count"),
    ("reason", "reason"),
    ("type", "type"),
    ("eventTime", "eventTime"),
    ("action", "action"),
    ("related", "related"),
    ("reportingController", "reportingComponent"),
    ("reportingInstance", "reportingInstance"),
];

/// The most bytes of a note of a new-style Event, and of its other texts.
const NOTE_LENGTH: usize = 1024;
const TEXT_LENGTH: usize = 128;

impl Rules for Event {
    fn validate(&self, object: &Value) -> Vec<FieldError> {
        validate_legacy(object)
    }

    fn name_rule(&self) -> NameRule {
        NameRule::PathSegment
    }

    fn meta_style(&self) -> MetaStyle {
        MetaStyle::Generic
    }

    fn repeats(&self, _part: Part) -> Repeats {
        Repeats { update: false, create: false }
    }

    /// `ToSelectableFields`
    fn selectable(&self, object: &Value) -> Vec<(&'static str, String)> {
        let value = |name: &str| match name.split_once('.') {
            Some((outer, inner)) => object.text(&[outer, inner]),
            None if name == "source" => {
                let component = object.text(&["source", "component"]);
                if component.is_empty() { object.text(&["reportingComponent"]) } else { component }
            }
            None => object.text(&[name]),
        };
        SELECTABLE.iter().map(|name| (*name, value(name).to_owned())).collect()
    }

    fn selectable_names(&self) -> &'static [&'static str] {
        &SELECTABLE
    }

    /// `printEvent`
    fn cells(&self, object: &Value) -> Vec<Cell> {
        let moment = |path: &[&str]| time::seconds(object.text(path));
        let first = moment(&["firstTimestamp"]).or_else(|| moment(&["eventTime"]));
        let (last, count) = if has(object, &["series"]) {
            (moment(&["series", "lastObservedTime"]), object.integer(&["series", "count"]).unwrap_or(0))
        } else {
            let count = object.integer(&["count"]).filter(|count| *count != 0).unwrap_or(1);
            (moment(&["lastTimestamp"]).or(first), count)
        };
        let text = |path: &[&str]| Cell::Text(object.text(path).into());
        vec![
            Cell::Age(last),
            text(&["type"]),
            text(&["reason"]),
            Cell::Text(target(object).into()),
            text(&["involvedObject", "fieldPath"]),
            Cell::Text(source(object).into()),
            Cell::Text(object.text(&["message"]).trim().into()),
            Cell::Age(first),
            Cell::Integer(count),
            text(&["metadata", "name"]),
        ]
    }
}

impl Rules for EventFace {
    /// `ValidateEventCreate` for versions after core
    fn validate(&self, object: &Value) -> Vec<FieldError> {
        let event = stored_form(object);
        let mut errors = validate_legacy(&event);
        errors.extend(validate_series(&event));
        errors.extend(validate_new_style(&event));
        errors
    }

    /// `ValidateEventUpdate` for versions after core
    fn validate_update(&self, _part: Part, new: &Value, old: &Value) -> Vec<FieldError> {
        let (new, old) = (stored_form(new), stored_form(old));
        let mut errors = validate_legacy(&new);
        if new.get("series") != old.get("series") {
            errors.extend(validate_series(&new));
        }
        errors.extend(FIXED.iter().filter_map(|(name, field)| unchanged(&Path::new(name), &new, &old, field)));
        errors
    }

    fn repeats(&self, _part: Part) -> Repeats {
        Repeats { update: true, create: false }
    }

    fn selectable(&self, object: &Value) -> Vec<(&'static str, String)> {
        Event.selectable(&stored_form(object))
    }

    fn field_alias(&self, name: &str) -> Option<&'static str> {
        ALIASES.iter().find(|(face, _)| *face == name).map(|(_, core)| *core)
    }

    fn cells(&self, object: &Value) -> Vec<Cell> {
        Event.cells(&stored_form(object))
    }
}

/// `legacyValidateEvent`
fn validate_legacy(event: &Value) -> Vec<FieldError> {
    let namespace = event.namespace();
    let involved = event.text(&["involvedObject", "namespace"]);
    let mut errors = Vec::new();
    let is_new_style = has(event, &["eventTime"]);
    let fits = match (is_new_style, involved.is_empty()) {
        (false, true) => matches!(namespace, "" | "default"),
        (false, false) => involved == namespace,
        (true, true) => matches!(namespace, "default" | "kube-system"),
        (true, false) => true,
    };
    if !fits {
        let path = Path::new("involvedObject").child("namespace");
        errors.push(FieldError::invalid(&path, involved, "does not match event.namespace"));
    }
    if is_new_style {
        errors.extend(validate_texts(event));
    }
    errors.extend(FieldError::each(&Path::new("namespace"), namespace, names::subdomain(namespace)));
    errors
}

fn validate_texts(event: &Value) -> Vec<FieldError> {
    let controller = event.text(&["reportingComponent"]);
    let path = Path::new("reportingController");
    let mut errors = Vec::new();
    if controller.is_empty() {
        errors.push(FieldError::required(&path, ""));
    }
    errors.extend(FieldError::each(&path, controller, names::qualified(controller)));
    for name in ["reportingInstance", "action", "reason"] {
        let text = event.text(&[name]);
        if text.is_empty() {
            errors.push(FieldError::required(&Path::new(name), ""));
        }
        errors.extend(at_most(name, text, TEXT_LENGTH));
    }
    errors.extend(at_most("message", event.text(&["message"]), NOTE_LENGTH));
    errors
}

fn at_most(name: &str, text: &str, length: usize) -> Option<FieldError> {
    let detail = || format!("can have at most {length} characters");
    (text.len() > length).then(|| FieldError::invalid(&Path::new(name), "", detail()))
}

/// `validateV1EventSeries`
fn validate_series(event: &Value) -> Vec<FieldError> {
    let mut errors = Vec::new();
    if !has(event, &["series"]) {
        return errors;
    }
    if event.integer(&["series", "count"]).unwrap_or(0) < 2 {
        errors.push(FieldError::invalid(&Path::new("series.count"), "", "should be at least 2"));
    }
    if !has(event, &["series", "lastObservedTime"]) {
        errors.push(FieldError::required(&Path::new("series.lastObservedTime"), ""));
    }
    errors
}

/// What a new Event of the newer face must have, and what it must leave to the older.
fn validate_new_style(event: &Value) -> Vec<FieldError> {
    let mut errors = Vec::new();
    if !has(event, &["eventTime"]) {
        errors.push(FieldError::required(&Path::new("eventTime"), ""));
    }
    let kind = event.text(&["type"]);
    if !matches!(kind, "Normal" | "Warning") {
        errors.push(FieldError::invalid(&Path::new("type"), "", format!("has invalid value: {kind}")));
    }
    let has_source = ["component", "host"].iter().any(|name| !event.text(&["source", name]).is_empty());
    let unwanted = [
        ("firstTimestamp", has(event, &["firstTimestamp"])),
        ("lastTimestamp", has(event, &["lastTimestamp"])),
        ("count", event.integer(&["count"]).is_some_and(|count| count != 0)),
        ("source", has_source),
    ];
    for (name, _) in unwanted.iter().filter(|(_, set)| *set) {
        errors.push(FieldError::invalid(&Path::new(name), "", "needs to be unset"));
    }
    errors
}

/// A field of an Event that an update may not change.
fn unchanged(path: &Path, new: &Value, old: &Value, field: &str) -> Option<FieldError> {
    let is_other = |value: Option<&Value>| !matches!(value, None | Some(Value::String(_)));
    if is_other(new.get(field)) || is_other(old.get(field)) {
        return meta::immutable(path, new.get(field), old.get(field));
    }
    meta::immutable_text(path, new.text(&[field]), old.text(&[field]))
}

/// Whether something is there: absent times are null in an Event.
fn has(event: &Value, path: &[&str]) -> bool {
    event.at(path).is_some_and(|value| *value != Value::Null)
}

fn target(event: &Value) -> String {
    let kind = event.text(&["involvedObject", "kind"]).to_lowercase();
    let name = event.text(&["involvedObject", "name"]);
    if name.is_empty() { kind } else { format!("{kind}/{name}") }
}

/// `formatEventSource`
fn source(event: &Value) -> String {
    let first = |one: &str, other: &str| if one.is_empty() { other.to_owned() } else { one.to_owned() };
    let component = first(event.text(&["source", "component"]), event.text(&["reportingComponent"]));
    let instance = first(event.text(&["source", "host"]), event.text(&["reportingInstance"]));
    if instance.is_empty() { component } else { format!("{component}, {instance}") }
}

/// The stored form of an Event that may be of either face.
fn stored_form(object: &Value) -> Cow<'_, Value> {
    if object.text(&["apiVersion"]) == "v1" {
        Cow::Borrowed(object)
    } else {
        Cow::Owned(stored_from_face(object.clone()))
    }
}

fn face_from_stored(mut object: Value) -> Value {
    rename(&mut object, RENAMED.iter().copied());
    for name in ["reportingController", "reportingInstance"] {
        if object.text(&[name]).is_empty() {
            object.remove(&[name]);
        }
    }
    object.set(&["apiVersion"], "events.k8s.io/v1");
    object
}

fn stored_from_face(mut object: Value) -> Value {
    rename(&mut object, RENAMED.iter().map(|(core, face)| (*face, *core)));
    // The core face always writes these, the other leaves them out when empty.
    for name in ["reportingComponent", "reportingInstance"] {
        object.set_if_absent(&[name], "");
    }
    object.set(&["apiVersion"], "v1");
    object
}

fn rename<'a>(object: &mut Value, pairs: impl Iterator<Item = (&'a str, &'a str)>) {
    let Some(fields) = object.as_object_mut() else { return };
    for (from, to) in pairs {
        if let Some(value) = fields.remove(from) {
            fields.insert(to.to_owned(), value);
        }
    }
}

#[cfg(test)]
mod tests;
