//! Rules of ServiceAccounts: `pkg/registry/core/serviceaccount/strategy.go`.

use super::{Part, Rules};
use crate::value::{Map, Value};

/// The rules of ServiceAccounts.
pub(super) struct ServiceAccount;

const ENFORCE_MOUNTABLE: &str = "kubernetes.io/enforce-mountable-secrets";

impl Rules for ServiceAccount {
    fn prepare_create(&self, object: &mut Value) {
        clean_references(object);
    }

    fn prepare_update(&self, _part: Part, new: &mut Value, _old: &Value) {
        clean_references(new);
    }

    fn warnings(&self, new: &Value, old: Option<&Value>) -> Vec<String> {
        let has = |object: &Value| object.at(&["metadata", "annotations", ENFORCE_MOUNTABLE]).is_some();
        if !has(new) || old.is_some_and(has) {
            return Vec::new();
        }
        vec![format!(
            "metadata.annotations[{ENFORCE_MOUNTABLE}]: deprecated in v1.32+; prefer separate namespaces to isolate \
             access to mounted secrets"
        )]
    }
}

/// `cleanSecretReferences`: of each reference to a Secret only the name is kept.
fn clean_references(object: &mut Value) {
    let Some(references) = object.get_mut("secrets").and_then(Value::as_list_mut) else { return };
    for reference in references {
        let name = reference.as_object_mut().and_then(|fields| fields.remove("name"));
        *reference = Value::Object(name.map(|name| ("name".to_owned(), name)).into_iter().collect::<Map>());
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{object, row};

    #[test]
    fn references_keep_their_name_alone() {
        // TestServiceAccountStrategy's cleanSecretReferences
        let json = r#"{"kind":"ServiceAccount","apiVersion":"v1","metadata":{"name":"a","namespace":"n"},
            "secrets":[{"name":"s","namespace":"other","uid":"u"},{}]}"#;
        let mut account = object(json);
        row("ServiceAccount").rules.prepare_create(&mut account);
        assert_eq!(crate::encode::json(account.get("secrets").expect("secrets")), br#"[{"name":"s"},{}]"#);
    }

    #[test]
    fn a_deprecated_annotation_is_warned_of_once() {
        // TestWarningsOnCreateAndUpdate of the strategy
        let json = r#"{"kind":"ServiceAccount","apiVersion":"v1","metadata":{"name":"a","annotations":{"kubernetes.io/enforce-mountable-secrets":"true"}}}"#;
        let account = object(json);
        let rules = row("ServiceAccount").rules;
        assert_eq!(
            rules.warnings(&account, None),
            ["metadata.annotations[kubernetes.io/enforce-mountable-secrets]: deprecated in v1.32+; prefer separate \
             namespaces to isolate access to mounted secrets"]
        );
        assert_eq!(rules.warnings(&account, Some(&account)), [""; 0]);
    }
}
