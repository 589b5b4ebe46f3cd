//! Strategic merge patches: keys, directives and refusals.

use proptest::prelude::{Strategy, prop, proptest};

use super::apply;
use crate::generated::schema;
use crate::patch::PatchError;
use crate::samples::{core, json, text};
use crate::value::Value;

fn run(kind: &str, object: &str, patch: &str) -> Result<Value, PatchError> {
    apply(schema(), core(kind), json(object), json(patch))
}

fn check(kind: &str, object: &str, patch: &str, wanted: &str) {
    assert_eq!(text(&run(kind, object, patch).unwrap()), text(&json(wanted)), "{patch}");
}

#[test]
fn maps() {
    let secret = |patch: &str, wanted: &str| check("Secret", r#"{"data":{"k":"v","l":"w"},"type":"t"}"#, patch, wanted);
    secret(r#"{"data":{"k":null,"m":"x"}}"#, r#"{"data":{"l":"w","m":"x"},"type":"t"}"#);
    secret(r#"{"data":{"$patch":"replace","only":"x"}}"#, r#"{"data":{"only":"x"},"type":"t"}"#);
    secret(r#"{"data":{"$patch":"delete"}}"#, r#"{"data":{},"type":"t"}"#);
    secret(r#"{"$patch":"replace","metadata":{"name":"a"}}"#, r#"{"metadata":{"name":"a"}}"#);
    secret(r#"{"data":{"$retainKeys":["k"],"k":"x"}}"#, r#"{"data":{"k":"x"},"type":"t"}"#);
    secret(
        r#"{"stringData":{"$retainKeys":["a"],"a":"x","b":null}}"#,
        r#"{"data":{"k":"v","l":"w"},"stringData":{"a":"x"},"type":"t"}"#,
    );
    secret("null", r#"{"data":{"k":"v","l":"w"},"type":"t"}"#);
}

#[test]
fn lists_of_values() {
    let object = r#"{"metadata":{"finalizers":["a","b"]}}"#;
    let check = |patch: &str, wanted: &str| {
        let finalizers = format!(r#"{{"metadata":{{"finalizers":{wanted}}}}}"#);
        check("Secret", object, &format!(r#"{{"metadata":{patch}}}"#), &finalizers);
    };
    check(r#"{"finalizers":["c"]}"#, r#"["c","a","b"]"#);
    check(r#"{"finalizers":["b","c"]}"#, r#"["a","b","c"]"#);
    check(r#"{"$deleteFromPrimitiveList/finalizers":["a","x"]}"#, r#"["b"]"#);
    check(r#"{"$deleteFromPrimitiveList/finalizers":["a"],"finalizers":["c"]}"#, r#"["c","b"]"#);
    check(r#"{"$setElementOrder/finalizers":["b","a"]}"#, r#"["b","a"]"#);
    check(r#"{"$setElementOrder/finalizers":["c","a"],"finalizers":["c"]}"#, r#"["c","a","b"]"#);
}

#[test]
fn lists_by_key() {
    let object = r#"{"spec":{"containers":[{"name":"c","image":"i","env":[{"name":"A","value":"1"},{"name":"B"}]}],
        "volumes":[{"name":"v","secret":{"secretName":"s"}}]}}"#;
    let patch = r#"{"spec":{"containers":[{"name":"c","env":[{"name":"B","value":"9"},{"name":"A","$patch":"delete"}]}],
        "volumes":[{"name":"v","$retainKeys":["name","emptyDir"],"emptyDir":{}},{"name":"w","secret":{"secretName":"w"}}]}}"#;
    let wanted = r#"{"spec":{"containers":[{"name":"c","image":"i","env":[{"name":"B","value":"9"}]}],
        "volumes":[{"name":"v","emptyDir":{}},{"name":"w","secret":{"secretName":"w"}}]}}"#;
    check("Pod", object, patch, wanted);
}

#[test]
fn order_of_objects() {
    let check = |patch: &str, wanted: &str| {
        check("ServiceAccount", r#"{"secrets":[{"name":"a"},{"name":"b"}]}"#, patch, wanted)
    };
    let order = r#""$setElementOrder/secrets":[{"name":"b"},{"name":"c"},{"name":"a"}]"#;
    let all = r#"{"secrets":[{"name":"b"},{"name":"c"},{"name":"a"}]}"#;
    check(&format!(r#"{{{order},"secrets":[{{"name":"c"}}]}}"#), all);
    check(r#"{"secrets":[{"name":"x"},{"$patch":"replace"}]}"#, r#"{"secrets":[{"name":"x"}]}"#);
    check(r#"{"secrets":[{"name":"a","$patch":"delete"}]}"#, r#"{"secrets":[{"name":"b"}]}"#);
    check(
        r#"{"imagePullSecrets":[{"name":"x"},{"$patch":"delete","name":"y"}]}"#,
        r#"{"imagePullSecrets":[{"name":"x"}],"secrets":[{"name":"a"},{"name":"b"}]}"#,
    );
}

#[test]
fn errors() {
    let check = |patch: &str, wanted: PatchError| {
        let object = r#"{"metadata":{"ownerReferences":[{"uid":"1"}],"finalizers":["a"]}}"#;
        assert_eq!(run("Secret", object, patch).unwrap_err(), wanted);
    };
    let failed = |text: &str| PatchError::Failed(text.to_owned());
    let malformed = |text: &str| PatchError::Malformed(text.to_owned());
    check(
        r#"{"metadata":{"ownerReferences":[{"name":"x"}]}}"#,
        failed("map: map[name:x] does not contain declared merge key: uid"),
    );
    check(r#"{"metadata":{"$patch":"no"}}"#, failed("unknown patch type: no in map: map[$patch:no]"));
    check(r#"{"metadata":{"$retainKeys":"x"}}"#, malformed("invalid patch format of retainKeys"));
    check(r#"{"metadata":{"$retainKeys":["x"],"name":"a"}}"#, malformed("invalid patch format of retainKeys"));
    check(r#"{"metadata":{"$deleteFromPrimitiveList":[]}}"#, malformed("invalid patch format of primitive list"));
    check(r#"{"metadata":{"$setElementOrder":[]}}"#, malformed("invalid patch format of setElementOrder list"));
    check(
        r#"{"metadata":{"$setElementOrder/finalizers":["x"],"finalizers":["b"]}}"#,
        failed("The order in patch list:\n[b]\n doesn't match $setElementOrder list:\n[x]\n"),
    );
    check(r#"{"metadata":{"finalizers":[1]}}"#, failed("list element types are not identical: [[a] [1]]"));
    check(r#"{"metadata":{"finalizers":[["x"]]}}"#, failed("list element types are not identical: [[a] [[x]]]"));
    check("[]", malformed("json: cannot unmarshal array into Go value of type map[string]interface {}"));
}

/// The patch that turns one list into another, as kubectl makes it: changed and new items, deletions, the order.
fn difference(old: &[(String, u8)], new: &[(String, u8)]) -> Value {
    let item = |(name, value): &(String, u8)| format!(r#"{{"name":"{name}","value":"{value}"}}"#);
    let gone = old.iter().filter(|(name, _)| !new.iter().any(|(other, _)| other == name));
    let gone = gone.map(|(name, _)| format!(r#"{{"name":"{name}","$patch":"delete"}}"#));
    let changed = new.iter().filter(|one| !old.contains(one)).map(item);
    let order: Vec<String> = new.iter().map(|(name, _)| format!(r#"{{"name":"{name}"}}"#)).collect();
    let env = changed.chain(gone).collect::<Vec<_>>().join(",");
    json(&format!(
        r#"{{"spec":{{"containers":[{{"name":"c","$setElementOrder/env":[{}],"env":[{env}]}}]}}}}"#,
        order.join(",")
    ))
}

fn template(env: &[(String, u8)]) -> Value {
    let items: Vec<_> = env.iter().map(|(name, value)| format!(r#"{{"name":"{name}","value":"{value}"}}"#)).collect();
    json(&format!(r#"{{"spec":{{"containers":[{{"name":"c","env":[{}]}}]}}}}"#, items.join(",")))
}

fn env() -> impl Strategy<Value = Vec<(String, u8)>> {
    let names = prop::collection::btree_map("[a-f]", 0..3_u8, 1..6);
    names.prop_map(|env| env.into_iter().collect::<Vec<_>>()).prop_shuffle()
}

proptest! {
    #[test]
    fn a_difference_makes_the_other(old in env(), new in env()) {
        let patch = difference(&old, &new);
        let made = apply(schema(), core("Pod"), template(&old), patch).unwrap();
        assert_eq!(text(&made), text(&template(&new)));
    }
}
