//! The way from kubectl's client-side apply, which keeps what it applied in an annotation, to server-side apply.

use crate::apply::Manager;
use crate::apply::compare::Difference;
use crate::apply::extract::stated;
use crate::apply::fields::FieldSet;
use crate::apply::place::Place;
use crate::apply::validate;
use crate::value::Value;

/// Only kubectl under its own name takes over from itself.
pub(super) const KUBECTL: &str = "kubectl";
const ANNOTATION: &str = "kubectl.kubernetes.io/last-applied-configuration";
/// The most bytes that all annotations of an object may have (`TotalAnnotationSizeLimitB`).
const MOST_ANNOTATIONS: usize = 256 * 1024;

/// The fields that kubectl applied from the client and that are still as it left them: they may be taken without force.
pub(super) fn still_as_applied(place: Place<'_>, who: &Manager<'_>, live: &Value) -> Option<FieldSet> {
    let text = live.text(&["metadata", "annotations", ANNOTATION]);
    let applied = crate::decode::untyped_json(text.as_bytes()).ok()?.value;
    if applied.text(&["apiVersion"]) != who.api_version {
        return None;
    }
    validate::check(place, &applied).ok()?;
    let mut fields = stated(place, &applied).ok()?.below;
    let difference = Difference::between(place, &applied, live).ok()?;
    fields.subtract(&difference.changed);
    fields.subtract(&difference.removed);
    Some(fields)
}

/// Keeps the annotation of an object that has one in step with what kubectl applies now.
pub(super) fn keep_annotation(object: &mut Value, config: &Value) {
    let Some(annotations) = object.at_mut(&["metadata", "annotations"]).and_then(Value::as_object_mut) else { return };
    if annotations.get(ANNOTATION).and_then(Value::as_str).unwrap_or_default().is_empty() {
        return;
    }
    let mut config = config.clone();
    if let Some(annotations) = config.at_mut(&["metadata", "annotations"]).and_then(Value::as_object_mut) {
        annotations.remove(ANNOTATION);
    }
    let mut text = String::from_utf8_lossy(&crate::encode::json(&config)).into_owned();
    text.push('\n');
    annotations.insert(ANNOTATION.to_owned(), Value::String(text));
    let size: usize = annotations.iter().map(|(name, value)| name.len() + value.as_str().map_or(0, str::len)).sum();
    if size > MOST_ANNOTATIONS {
        annotations.remove(ANNOTATION);
    }
}
