//! Rules of ConfigMaps: `pkg/apis/core/validation` `ValidateConfigMap`, `pkg/registry/core/configmap/strategy.go`.

use super::secret::{MOST_BYTES, count, validate_immutable};
use super::{Cell, Part, Rules};
use crate::field::{FieldError, Path};
use crate::names;
use crate::time;
use crate::value::{SecretBytes, Value};

/// The rules of ConfigMaps.
pub(super) struct ConfigMap;

impl Rules for ConfigMap {
    fn validate(&self, object: &Value) -> Vec<FieldError> {
        let mut errors = Vec::new();
        let mut size = 0;
        for (key, value) in object.entries(&["data"]) {
            errors.extend(key_faults("data", key));
            if object.at(&["binaryData", key]).is_some() {
                let path = Path::new("data").key(key);
                errors.push(FieldError::invalid(&path, key, "duplicate of key present in binaryData"));
            }
            size += value.as_str().map_or(0, str::len);
        }
        for (key, value) in object.entries(&["binaryData"]) {
            errors.extend(key_faults("binaryData", key));
            size += value.as_bytes().map_or(0, SecretBytes::len);
        }
        if size > MOST_BYTES {
            errors.push(FieldError::too_long(&Path::new(""), MOST_BYTES));
        }
        errors
    }

    /// `ValidateConfigMapUpdate`
    fn validate_update(&self, _part: Part, new: &Value, old: &Value) -> Vec<FieldError> {
        let mut errors = validate_immutable(new, old, &["data", "binaryData"]);
        errors.extend(self.validate(new));
        errors
    }

    fn cells(&self, object: &Value) -> Vec<Cell> {
        vec![
            Cell::Text(object.name().into()),
            Cell::Integer(count(object, "data") + count(object, "binaryData")),
            Cell::Age(time::creation(object)),
        ]
    }
}

fn key_faults(field: &str, key: &str) -> Vec<FieldError> {
    let path = || Path::new(field).key(key);
    names::config_key(key).into_iter().map(|fault| FieldError::invalid(&path(), key, fault)).collect()
}
