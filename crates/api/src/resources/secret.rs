//! Rules of Secrets: `pkg/apis/core/validation` `ValidateSecret`, `pkg/registry/core/secret/strategy.go`.
//!
//! No error and no warning ever holds a byte of a value.

use super::{Cell, Part, Rules};
use crate::field::{FieldError, Path};
use crate::meta;
use crate::names;
use crate::time;
use crate::value::{Map, SecretBytes, Value};

/// The rules of Secrets.
pub(super) struct Secret;

/// `MaxSecretSize`: of all values together; also of ConfigMaps.
pub(super) const MOST_BYTES: usize = 1024 * 1024;
/// Why the fields of an immutable Secret or ConfigMap may not change.
pub(super) const IMMUTABLE_SET: &str = "field is immutable when `immutable` is set";
const ACCOUNT_NAME: &str = "kubernetes.io/service-account.name";

impl Rules for Secret {
    /// `Convert_v1_Secret_To_core_Secret` folds stringData into data; `SetDefaults_Secret` sets the type.
    fn default(&self, object: &mut Value) {
        if let Some(Value::Object(texts)) = object.remove(&["stringData"]) {
            fold(object, texts);
        }
        if object.text(&["type"]).is_empty() {
            object.set(&["type"], "Opaque");
        }
    }

    fn validate(&self, object: &Value) -> Vec<FieldError> {
        let mut errors = validate_data(object);
        errors.extend(validate_type(object));
        errors
    }

    /// `ValidateSecretUpdate`
    fn validate_update(&self, _part: Part, new: &Value, old: &Value) -> Vec<FieldError> {
        let mut errors = Vec::new();
        errors.extend(meta::immutable_text(&Path::new("type"), new.text(&["type"]), old.text(&["type"])));
        errors.extend(validate_immutable(new, old, &["data"]));
        errors.extend(self.validate(new));
        errors
    }

    fn warnings(&self, new: &Value, _old: Option<&Value>) -> Vec<String> {
        if new.text(&["type"]) != "kubernetes.io/tls" {
            return Vec::new();
        }
        let bytes = |key: &str| new.at(&["data", key]).and_then(Value::as_bytes).map(SecretBytes::expose);
        tls::fault(bytes("tls.crt").unwrap_or_default(), bytes("tls.key").unwrap_or_default()).into_iter().collect()
    }

    fn selectable(&self, object: &Value) -> Vec<(&'static str, String)> {
        vec![("type", object.text(&["type"]).to_owned())]
    }

    fn selectable_names(&self) -> &'static [&'static str] {
        &["type"]
    }

    fn cells(&self, object: &Value) -> Vec<Cell> {
        vec![
            Cell::Text(object.name().into()),
            Cell::Text(object.text(&["type"]).into()),
            Cell::Integer(count(object, "data")),
            Cell::Age(time::creation(object)),
        ]
    }
}

/// How many entries a map field has.
pub(super) fn count(object: &Value, field: &str) -> i64 {
    i64::try_from(object.entries(&[field]).count()).unwrap_or(i64::MAX)
}

fn fold(object: &mut Value, texts: Map) {
    object.set_if_absent(&["data"], Value::object());
    let Some(data) = object.get_mut("data").and_then(Value::as_object_mut) else { return };
    for (key, text) in texts {
        let Value::String(text) = text else { continue };
        data.insert(key, Value::Bytes(SecretBytes::new(text.into_bytes())));
    }
    if data.is_empty() {
        object.remove(&["data"]);
    }
}

fn validate_data(object: &Value) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let mut size = 0;
    for (key, value) in object.entries(&["data"]) {
        let path = || Path::new("data").key(key);
        errors.extend(names::config_key(key).into_iter().map(|fault| FieldError::invalid(&path(), key, fault)));
        size += value.as_bytes().map_or(0, SecretBytes::len);
    }
    if size > MOST_BYTES {
        errors.push(FieldError::too_long(&Path::new("data"), MOST_BYTES));
    }
    errors
}

/// The keys and annotations that the type asks for.
fn validate_type(object: &Value) -> Vec<FieldError> {
    let value = |key: &str| object.at(&["data", key]).and_then(Value::as_bytes);
    let missing = |key: &str| FieldError::required(&Path::new("data").key(key), "");
    let absent = |keys: &[&str]| keys.iter().filter(|key| value(key).is_none()).map(|key| missing(key)).collect();
    match object.text(&["type"]) {
        "kubernetes.io/service-account-token" => {
            let path = || Path::new("metadata").child("annotations").key(ACCOUNT_NAME);
            let unnamed = object.text(&["metadata", "annotations", ACCOUNT_NAME]).is_empty();
            unnamed.then(|| FieldError::required(&path(), "")).into_iter().collect()
        }
        "kubernetes.io/dockercfg" => docker_config(object, ".dockercfg"),
        "kubernetes.io/dockerconfigjson" => docker_config(object, ".dockerconfigjson"),
        "kubernetes.io/basic-auth" => {
            let errors: Vec<FieldError> = absent(&["username", "password"]);
            if errors.len() == 2 { errors } else { Vec::new() }
        }
        "kubernetes.io/ssh-auth" => {
            let empty = value("ssh-privatekey").is_none_or(SecretBytes::is_empty);
            empty.then(|| missing("ssh-privatekey")).into_iter().collect()
        }
        "kubernetes.io/tls" => absent(&["tls.crt", "tls.key"]),
        _ => Vec::new(),
    }
}

/// The value must be a JSON object or null. Kubernetes adds the text of Go's parser, which can quote a character
/// of the value; here only the kind of fault and its place are told.
fn docker_config(object: &Value, key: &str) -> Vec<FieldError> {
    let path = Path::new("data").key(key);
    let Some(bytes) = object.at(&["data", key]).and_then(Value::as_bytes) else {
        return vec![FieldError::required(&path, "")];
    };
    let detail = match serde_json::from_slice::<ObjectOrNull>(bytes.expose()) {
        Ok(_) => return Vec::new(),
        Err(error) if error.is_eof() => "unexpected end of JSON input".to_owned(),
        Err(error) if error.is_data() => "the value is not a JSON object".to_owned(),
        Err(error) => format!("invalid JSON at line {} column {}", error.line(), error.column()),
    };
    vec![FieldError::invalid(&path, "<secret contents redacted>", detail)]
}

/// JSON that is an object or null; its content is passed over and never kept.
struct ObjectOrNull;

impl<'de> serde::Deserialize<'de> for ObjectOrNull {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ObjectOrNullVisitor)
    }
}

struct ObjectOrNullVisitor;

impl<'de> serde::de::Visitor<'de> for ObjectOrNullVisitor {
    type Value = ObjectOrNull;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_unit<E>(self) -> Result<ObjectOrNull, E> {
        Ok(ObjectOrNull)
    }

    fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<ObjectOrNull, A::Error> {
        while map.next_entry::<serde::de::IgnoredAny, serde::de::IgnoredAny>()?.is_some() {}
        Ok(ObjectOrNull)
    }
}

/// What an immutable Secret or ConfigMap may not change: `immutable` itself and these fields.
pub(super) fn validate_immutable(new: &Value, old: &Value, fields: &[&str]) -> Vec<FieldError> {
    if old.boolean(&["immutable"]) != Some(true) {
        return Vec::new();
    }
    let forbidden = |name: &&str| FieldError::forbidden(&Path::new(name), IMMUTABLE_SET);
    let mut errors = Vec::new();
    if new.boolean(&["immutable"]) != Some(true) {
        errors.push(forbidden(&"immutable"));
    }
    errors.extend(fields.iter().filter(|name| new.get(name) != old.get(name)).map(forbidden));
    errors
}

#[cfg(test)]
mod tests;
mod tls;
