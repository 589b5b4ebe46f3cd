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

#[cfg(test)]
mod tests {
    use crate::resources::{Cell, Part};
    use crate::testing::{check, create_errors, object, row, update_errors};

    fn config(fields: &str) -> String {
        format!(
            r#"{{"apiVersion":"v1","kind":"ConfigMap","metadata":{{"name":"c","namespace":"n","resourceVersion":"1"}},{fields}}}"#
        )
    }

    #[test]
    fn on_create() {
        // TestValidateConfigMap
        let half = "v".repeat(524_288);
        let big = format!(r#""data":{{"a":"{half}","b":"{half}x"}}"#);
        let key = "a valid config key must consist of alphanumeric characters";
        let table: &[(&str, &[&str])] = &[
            (r#""data":{"a":"1"},"binaryData":{"b":"AA=="}"#, &[]),
            (
                r#""data":{"a":"1"},"binaryData":{"a":"AA=="}"#,
                &[r#"data[a]: Invalid value: "a": duplicate of key present in binaryData"#],
            ),
            (
                r#""data":{"a/b":""},"binaryData":{"..c":""}"#,
                &[
                    &format!(r#"data[a/b]: Invalid value: "a/b": {key}"#),
                    r#"binaryData[..c]: Invalid value: "..c": must not start with '..'"#,
                ],
            ),
            (&big, &[": Too long: may not be more than 1048576 bytes"]),
        ];
        for (fields, wanted) in table {
            let errors = create_errors(&config(fields));
            let errors: Vec<String> = errors.iter().map(|error| error.replace("<nil>", "")).collect();
            check(fields.get(..60).unwrap_or(fields), &errors, wanted);
        }
    }

    #[test]
    fn on_update() {
        // TestValidateConfigMapUpdate
        let fixed = r#""data":{"a":"1"},"binaryData":{"b":"AA=="},"immutable":true"#;
        let forbidden = |name: &str| format!("{name}: Forbidden: field is immutable when `immutable` is set");
        let table: &[(&str, &[&str])] = &[
            (fixed, &[]),
            (r#""immutable":true"#, &[&forbidden("data"), &forbidden("binaryData")]),
            (r#""data":{"a":"1"},"binaryData":{"b":"AA=="}"#, &[&forbidden("immutable")]),
        ];
        for (new, wanted) in table {
            check(new, &update_errors(Part::Whole, &config(fixed), &config(new)), wanted);
        }
    }

    #[test]
    fn a_table_counts_both_kinds_of_data() {
        let map = object(&config(r#""data":{"a":"1"},"binaryData":{"b":"AA=="}"#));
        let wanted = [Cell::Text("c".into()), Cell::Integer(2), Cell::Age(None)];
        assert_eq!(row("ConfigMap").rules.cells(&map), wanted);
    }
}
