//! Validation of ObjectMeta, the same for every kind.
//!
//! Mirrors `k8s.io/apimachinery/pkg/api/validation/objectmeta.go`, its wrappers in `pkg/apis/core/validation` and the
//! order in which `pkg/registry/rest` calls them: Kubernetes checks metadata of an update up to four times, and each
//! time shows in the causes of the answer.

use crate::field::{FieldError, Path, Verbatim, quote};
use crate::names::{self, Faults, IMMUTABLE};
use crate::resources::{NameRule, Part, Resource};
use crate::value::Value;

/// `TotalAnnotationSizeLimitB`
const ANNOTATIONS_SIZE: usize = 256 * 1024;
/// `FieldManagerMaxLength`
const MANAGER_LENGTH: usize = 128;
/// `MaxSubresourceNameLength`
const SUBRESOURCE_LENGTH: usize = 256;
/// Finalizers that need no domain (`standardFinalizers` and those of the garbage collector).
const STANDARD_FINALIZERS: [&str; 3] = ["kubernetes", "orphan", "foregroundDeletion"];

/// How the validation of a kind looks at metadata, besides what the generic verbs check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetaStyle {
    /// By `ValidateObjectMeta` of `pkg/apis/core/validation`: finalizers are standard ones or have a domain.
    Core,
    /// By `ValidateObjectMeta` of apimachinery.
    Plain,
    /// Not at all; names need only fit into a path (Events).
    Generic,
}

/// Which checks of metadata the validation of an update repeats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Repeats {
    /// `ValidateObjectMetaUpdate` is called again.
    pub update: bool,
    /// `ValidateObjectMeta` is called again.
    pub create: bool,
}

/// The metadata of a new object, after a name was generated.
pub fn validate_create(resource: &Resource, object: &Value) -> Vec<FieldError> {
    let style = resource.rules.meta_style();
    let mut errors = object_meta(resource, resource.rules.name_rule(), object);
    errors.extend(standard_finalizers(style, object));
    errors
}

/// The metadata of a changed object, checked as often as Kubernetes does for this kind and part.
pub fn validate_update(resource: &Resource, part: Part, new: &Value, old: &Value) -> Vec<FieldError> {
    let style = resource.rules.meta_style();
    let repeats = resource.rules.repeats(part);
    let mut errors = object_meta(resource, NameRule::PathSegment, new);
    errors.extend(update(new, old));
    if repeats.update {
        errors.extend(update(new, old));
        errors.extend(standard_finalizers(style, new));
    }
    if repeats.create {
        errors.extend(object_meta(resource, resource.rules.name_rule(), new));
        errors.extend(standard_finalizers(style, new));
    }
    errors
}

/// `ValidateObjectMetaAccessor`
fn object_meta(resource: &Resource, rule: NameRule, object: &Value) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let generate = object.text(&["metadata", "generateName"]);
    if !generate.is_empty() {
        errors.extend(invalid("generateName", generate, names::by_rule(rule, generate, true)));
    }
    let name = object.name();
    if name.is_empty() {
        errors.push(FieldError::required(&field("name"), "name or generateName is required"));
    } else {
        errors.extend(invalid("name", name, names::by_rule(rule, name, false)));
    }
    errors.extend(namespace(resource.namespaced, object.namespace()));
    if let Some(generation) = object.integer(&["metadata", "generation"]).filter(|generation| *generation < 0) {
        errors.push(FieldError::invalid(&field("generation"), generation, "must be greater than or equal to 0"));
    }
    errors.extend(labels_and_annotations(object));
    errors.extend(owner_references(object));
    errors.extend(finalizers(object));
    errors.extend(managed_fields(object));
    errors
}

fn namespace(required: bool, given: &str) -> Vec<FieldError> {
    match (required, given.is_empty()) {
        (true, true) => vec![FieldError::required(&field("namespace"), "")],
        (true, false) => invalid("namespace", given, names::label(given)),
        (false, false) => vec![FieldError::forbidden(&field("namespace"), "not allowed on this type")],
        (false, true) => Vec::new(),
    }
}

/// `ValidateObjectMetaAccessorUpdate`
fn update(new: &Value, old: &Value) -> Vec<FieldError> {
    let mut errors = Vec::new();
    if old.is_deleting() {
        errors.extend(no_new_finalizers(new, old));
    }
    if new.text(&["metadata", "resourceVersion"]).is_empty() {
        errors.push(FieldError::invalid(&field("resourceVersion"), "", "must be specified for an update"));
    }
    let generation = |object: &Value| object.integer(&["metadata", "generation"]).unwrap_or(0);
    if generation(new) < generation(old) {
        errors.push(FieldError::invalid(&field("generation"), generation(new), "must not be decremented"));
    }
    for name in ["name", "namespace", "uid"] {
        let text = |object: &Value| object.text(&["metadata", name]).to_owned();
        if new.at(&["metadata", name]) != old.at(&["metadata", name]) {
            errors.extend(immutable_text(&field(name), &text(new), &text(old)));
        }
    }
    for name in ["creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds"] {
        let (new, old) = (new.at(&["metadata", name]), old.at(&["metadata", name]));
        if new != old {
            errors.extend(immutable(&field(name), new, old));
        }
    }
    errors.extend(labels_and_annotations(new));
    errors.extend(owner_references(new));
    errors.extend(managed_fields(new));
    errors
}

/// `ValidateImmutableField` of a text.
pub fn immutable_text(path: &Path, new: &str, old: &str) -> Option<FieldError> {
    (new != old).then(|| FieldError::invalid(path, new, IMMUTABLE))
}

/// `ValidateImmutableField` of a pointer: the new value must equal the old one.
pub fn immutable(path: &Path, new: Option<&Value>, old: Option<&Value>) -> Option<FieldError> {
    let set = |value: Option<&Value>| value.is_some_and(|value| *value != Value::Null && *value != Value::from(""));
    let equal = if set(new) && set(old) { new == old } else { set(new) == set(old) };
    (!equal).then(|| FieldError::invalid(path, Verbatim(&shown(new)), IMMUTABLE))
}

/// A bad value as Go prints it: text quoted, what is not there as the text `null`, all else as JSON.
pub fn shown(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => quote("null"),
        Some(Value::String(text)) => quote(text),
        Some(other) => json(other),
    }
}

/// Compact JSON for messages, keys sorted; bytes never show.
fn json(value: &Value) -> String {
    let joined = |items: Vec<String>| items.join(",");
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Integer(value) => value.to_string(),
        Value::Float(value) => value.to_string(),
        Value::String(text) => quote(text),
        Value::Bytes(_) => quote("<redacted>"),
        Value::List(items) => format!("[{}]", joined(items.iter().map(json).collect())),
        Value::Object(fields) => {
            let entry = |(name, value): (&String, &Value)| format!("{}:{}", quote(name), json(value));
            format!("{{{}}}", joined(fields.iter().map(entry).collect()))
        }
    }
}

/// Those of the object itself; most objects have neither, and paths cost time.
fn labels_and_annotations(object: &Value) -> Vec<FieldError> {
    let mut errors = Vec::new();
    if let given @ Some(_) = object.at(&["metadata", "labels"]) {
        errors.extend(labels(&field("labels"), given));
    }
    if let given @ Some(_) = object.at(&["metadata", "annotations"]) {
        errors.extend(annotations(&field("annotations"), given));
    }
    errors
}

/// `ValidateLabels`; `given` is a map of texts.
pub fn labels(path: &Path, given: Option<&Value>) -> Vec<FieldError> {
    let mut errors = Vec::new();
    for (key, value) in given.and_then(Value::as_object).into_iter().flatten() {
        errors.extend(label_name(path, key));
        let text = value.as_str().unwrap_or_default();
        errors.extend(names::label_value(text).into_iter().map(|fault| FieldError::invalid(path, text, fault)));
    }
    errors
}

/// `ValidateLabelName`
pub fn label_name(path: &Path, key: &str) -> Vec<FieldError> {
    names::qualified(key).into_iter().map(|fault| FieldError::invalid(path, key, fault)).collect()
}

/// `ValidateAnnotations`: keys are label keys in any case, all together at most 256 KiB.
pub fn annotations(path: &Path, given: Option<&Value>) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let mut size = 0;
    for (key, value) in given.and_then(Value::as_object).into_iter().flatten() {
        size += key.len() + value.as_str().map_or(0, str::len);
        let is_lower = !key.bytes().any(|byte| byte.is_ascii_uppercase() || !byte.is_ascii());
        let faults = if is_lower { names::qualified(key) } else { names::qualified(&key.to_lowercase()) };
        errors.extend(faults.into_iter().map(|fault| FieldError::invalid(path, key, fault)));
    }
    if size > ANNOTATIONS_SIZE {
        errors.push(FieldError::too_long(path, ANNOTATIONS_SIZE));
    }
    errors
}

/// `ValidateOwnerReferences`; Kubernetes names no index here.
fn owner_references(object: &Value) -> Vec<FieldError> {
    let references = object.list(&["metadata", "ownerReferences"]);
    let mut errors = Vec::new();
    let mut controller: Option<String> = None;
    for reference in references {
        errors.extend(owner_reference(reference));
        if reference.boolean(&["controller"]) != Some(true) {
            continue;
        }
        let this = format!("{}/{}", reference.text(&["kind"]), reference.text(&["name"]));
        let Some(first) = &controller else {
            controller = Some(this);
            continue;
        };
        let all: Vec<String> = references.iter().map(owner_json).collect();
        errors.push(FieldError::invalid(
            &field("ownerReferences"),
            Verbatim(&format!("[{}]", all.join(","))),
            format!("Only one reference can have Controller set to true. Found \"true\" in references for {first} and {this}"),
        ));
    }
    errors
}

fn owner_reference(reference: &Value) -> Vec<FieldError> {
    let path = |name: &str| field("ownerReferences").child(name);
    let api_version = reference.text(&["apiVersion"]);
    let kind = reference.text(&["kind"]);
    let mut errors = Vec::new();
    if api_version.rsplit('/').next().is_none_or(str::is_empty) || api_version.matches('/').count() > 1 {
        errors.push(FieldError::invalid(&path("apiVersion"), api_version, "version must not be empty"));
    }
    for name in ["kind", "name", "uid"] {
        if reference.text(&[name]).is_empty() {
            errors.push(FieldError::invalid(&path(name), "", "must not be empty"));
        }
    }
    if api_version == "v1" && kind == "Event" {
        let detail = "/v1, Kind=Event is disallowed from being an owner";
        errors.push(FieldError::invalid(&field("ownerReferences"), Verbatim(&owner_json(reference)), detail));
    }
    errors
}

/// An owner reference as Go's encoder writes it: fields in the order of the struct.
fn owner_json(reference: &Value) -> String {
    let mut fields: Vec<String> = ["apiVersion", "kind", "name", "uid"]
        .iter()
        .map(|name| format!("{}:{}", quote(name), quote(reference.text(&[name]))))
        .collect();
    for name in ["controller", "blockOwnerDeletion"] {
        fields.extend(reference.boolean(&[name]).map(|value| format!("{}:{value}", quote(name))));
    }
    format!("{{{}}}", fields.join(","))
}

/// `ValidateFinalizers`
fn finalizers(object: &Value) -> Vec<FieldError> {
    let all = object.list(&["metadata", "finalizers"]);
    let texts = || all.iter().filter_map(Value::as_str);
    let mut errors: Vec<FieldError> =
        texts().flat_map(|text| invalid("finalizers", text, names::qualified(text))).collect();
    if texts().any(|text| text == "orphan") && texts().any(|text| text == "foregroundDeletion") {
        errors.push(FieldError::invalid(
            &field("finalizers"),
            Verbatim(&json(&Value::List(all.to_vec()))),
            "finalizer orphan and foregroundDeletion cannot be both set",
        ));
    }
    errors
}

/// `validateKubeFinalizerName` for each finalizer, where the kind is checked so.
fn standard_finalizers(style: MetaStyle, object: &Value) -> Vec<FieldError> {
    if style != MetaStyle::Core {
        return Vec::new();
    }
    let all = object.list(&["metadata", "finalizers"]).iter().filter_map(Value::as_str).enumerate();
    all.filter_map(|(at, text)| standard_finalizer(&field("finalizers").index(at), text)).collect()
}

/// `validateKubeFinalizerName`: without a slash only the standard names are right.
pub fn standard_finalizer(path: &Path, text: &str) -> Option<FieldError> {
    let right = text.contains('/') || STANDARD_FINALIZERS.contains(&text);
    let detail = "name is neither a standard finalizer name nor is it fully qualified";
    (!right).then(|| FieldError::invalid(path, text, detail))
}

/// `ValidateNoNewFinalizers`
fn no_new_finalizers(new: &Value, old: &Value) -> Option<FieldError> {
    let before = old.list(&["metadata", "finalizers"]);
    let added: std::collections::BTreeSet<&str> = new
        .list(&["metadata", "finalizers"])
        .iter()
        .filter(|one| !before.contains(one))
        .filter_map(Value::as_str)
        .collect();
    if added.is_empty() {
        return None;
    }
    let texts: Vec<String> = added.into_iter().map(quote).collect();
    let detail = format!(
        "no new finalizers can be added if the object is being deleted, found new finalizers []string{{{}}}",
        texts.join(", ")
    );
    Some(FieldError::forbidden(&field("finalizers"), detail))
}

/// `ValidateManagedFields`
fn managed_fields(object: &Value) -> Vec<FieldError> {
    let mut errors = Vec::new();
    for (at, entry) in object.list(&["metadata", "managedFields"]).iter().enumerate() {
        let path = |name: &str| field("managedFields").index(at).child(name);
        let operation = entry.text(&["operation"]);
        if !matches!(operation, "Apply" | "Update") {
            errors.push(FieldError::invalid(&path("operation"), operation, "must be `Apply` or `Update`"));
        }
        let fields_type = entry.text(&["fieldsType"]);
        if !matches!(fields_type, "" | "FieldsV1") {
            errors.push(FieldError::invalid(&path("fieldsType"), fields_type, "must be `FieldsV1`"));
        }
        let manager = entry.text(&["manager"]);
        if !manager.is_empty() {
            errors.extend(field_manager(&path("manager"), manager));
        }
        if entry.text(&["subresource"]).len() > SUBRESOURCE_LENGTH {
            errors.push(FieldError::too_long(&path("subresource"), SUBRESOURCE_LENGTH));
        }
    }
    errors
}

/// `ValidateFieldManager`: also for `fieldManager` of a request.
pub fn field_manager(path: &Path, manager: &str) -> Vec<FieldError> {
    let mut errors = Vec::new();
    if manager.len() > MANAGER_LENGTH {
        errors.push(FieldError::too_long(path, MANAGER_LENGTH));
    }
    for (at, character) in manager.char_indices().filter(|(_, character)| !is_printable(*character)) {
        let detail = format!("invalid character U+{:04X} (at position {at})", character as u32);
        errors.push(FieldError::invalid(path, manager, detail));
    }
    errors
}

/// Go's `unicode.IsPrint`, for all that occurs in practice.
fn is_printable(character: char) -> bool {
    let format_or_private = ['\u{ad}', '\u{feff}'].contains(&character)
        || matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{e000}'..='\u{f8ff}');
    character == ' ' || !(character.is_control() || character.is_whitespace() || format_or_private)
}

fn field(name: &str) -> Path {
    Path::new("metadata").child(name)
}

fn invalid(name: &str, value: &str, faults: Faults) -> Vec<FieldError> {
    faults.into_iter().map(|fault| FieldError::invalid(&field(name), value, fault)).collect()
}

#[cfg(test)]
mod tests;
