//! Merge patches against the rules of RFC 7396.

use proptest::prelude::{Strategy, any, prop, prop_oneof, proptest};

use super::apply;
use crate::patch::PatchError;
use crate::samples::{json, text};
use crate::value::{Map, Value};

fn check(object: &str, patch: &str, wanted: &str) {
    assert_eq!(text(&apply(json(object), json(patch)).unwrap()), text(&json(wanted)));
}

#[test]
fn examples_of_the_rfc() {
    check(r#"{"a":"b"}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#);
    check(r#"{"a":"b"}"#, r#"{"b":"c"}"#, r#"{"a":"b","b":"c"}"#);
    check(r#"{"a":"b","b":"c"}"#, r#"{"a":null}"#, r#"{"b":"c"}"#);
    check(r#"{"a":["b"]}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#);
    check(r#"{"a":"c"}"#, r#"{"a":["b"]}"#, r#"{"a":["b"]}"#);
    check(r#"{"a":{"b":"c"}}"#, r#"{"a":{"b":"d","c":null}}"#, r#"{"a":{"b":"d"}}"#);
    check(r#"{"a":"foo"}"#, r#"{"b":{"c":{"d":null}}}"#, r#"{"a":"foo","b":{"c":{}}}"#);
}

#[test]
fn what_is_no_patch() {
    let refused = |patch: &str| apply(json("{}"), json(patch)).unwrap_err();
    assert_eq!(refused("null"), PatchError::Malformed("Invalid JSON Patch".to_owned()));
    let text = "error decoding patch: json: cannot unmarshal array into Go value of type map[string]interface {}";
    assert_eq!(refused("[]"), PatchError::Malformed(text.to_owned()));
}

fn tree() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        proptest::strategy::Just(Value::Null),
        any::<i8>().prop_map(|number| Value::Integer(number.into())),
        "[a-c]{0,2}".prop_map(Value::String),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::List),
            prop::collection::btree_map("[a-d]", inner, 0..4).prop_map(Value::Object),
        ]
    })
}

fn object() -> impl Strategy<Value = Map> {
    prop::collection::btree_map("[a-d]", tree(), 0..4)
}

/// The RFC's own words.
fn model(target: Option<Value>, patch: &Value) -> Value {
    let Value::Object(patch) = patch else { return patch.clone() };
    let mut fields = match target {
        Some(Value::Object(fields)) => fields,
        _ => Map::new(),
    };
    for (name, value) in patch {
        if *value == Value::Null {
            fields.remove(name);
        } else {
            let merged = model(fields.get(name).cloned(), value);
            fields.insert(name.clone(), merged);
        }
    }
    Value::Object(fields)
}

proptest! {
    #[test]
    fn merges_as_the_model(target in object(), patch in object()) {
        let (target, patch) = (Value::Object(target), Value::Object(patch));
        let wanted = model(Some(target.clone()), &patch);
        let once = apply(target, patch.clone()).unwrap();
        assert_eq!(text(&once), text(&wanted));
        assert_eq!(text(&apply(once, patch).unwrap()), text(&wanted));
    }
}
