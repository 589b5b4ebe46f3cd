//! Rules of Events, of their two faces: core `v1` as stored, and `events.k8s.io/v1`.

use super::{Conversion, NameRule, Rules};
use crate::meta::MetaStyle;
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

impl Rules for Event {
    fn name_rule(&self) -> NameRule {
        NameRule::PathSegment
    }

    fn meta_style(&self) -> MetaStyle {
        MetaStyle::Generic
    }
}

impl Rules for EventFace {
    fn name_rule(&self) -> NameRule {
        NameRule::PathSegment
    }

    fn meta_style(&self) -> MetaStyle {
        MetaStyle::Generic
    }
}

fn face_from_stored(mut object: Value) -> Value {
    rename(&mut object, RENAMED.iter().copied());
    object.set(&["apiVersion"], "events.k8s.io/v1");
    object
}

fn stored_from_face(mut object: Value) -> Value {
    rename(&mut object, RENAMED.iter().map(|(core, face)| (*face, *core)));
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
