//! JSON patches: operations, limits and refusals.

use proptest::prelude::{any, prop, proptest};

use super::{MAX_DEPTH, MAX_OPERATIONS, Patch};
use crate::patch::PatchError;
use crate::samples::{json, text};
use crate::value::Value;

fn run(object: &str, patch: &str) -> Result<Value, PatchError> {
    Patch::parse(json(patch))?.apply(json(object))
}

fn check(object: &str, patch: &str, wanted: &str) {
    assert_eq!(text(&run(object, patch).unwrap()), text(&json(wanted)), "{patch}");
}

fn refused(object: &str, patch: &str) {
    assert!(matches!(run(object, patch), Err(PatchError::Rejected(_))), "{patch}");
}

const OBJECT: &str = r#"{"data":{"k":"v","a/b~":"x"},"list":["a","b"]}"#;

#[test]
fn operations() {
    let one = |patch: &str, wanted: &str| check(r#"{"a":{"b":1},"l":[1,2]}"#, patch, wanted);
    one(r#"[{"op":"add","path":"/a/c","value":2}]"#, r#"{"a":{"b":1,"c":2},"l":[1,2]}"#);
    one(r#"[{"op":"add","path":"/a/c"}]"#, r#"{"a":{"b":1,"c":null},"l":[1,2]}"#);
    one(r#"[{"op":"add","path":"/l/0","value":0}]"#, r#"{"a":{"b":1},"l":[0,1,2]}"#);
    one(r#"[{"op":"add","path":"/l/2","value":3}]"#, r#"{"a":{"b":1},"l":[1,2,3]}"#);
    one(r#"[{"op":"add","path":"/l/-","value":3}]"#, r#"{"a":{"b":1},"l":[1,2,3]}"#);
    one(r#"[{"op":"add","path":"/l/-1","value":3}]"#, r#"{"a":{"b":1},"l":[1,2,3]}"#);
    one(r#"[{"op":"remove","path":"/l/-2"}]"#, r#"{"a":{"b":1},"l":[2]}"#);
    one(r#"[{"op":"replace","path":"/l/1","value":"x"}]"#, r#"{"a":{"b":1},"l":[1,"x"]}"#);
    one(r#"[{"op":"replace","path":"","value":{}}]"#, "{}");
    one(r#"[{"op":"move","from":"/a/b","path":"/l/0"}]"#, r#"{"a":{},"l":[1,1,2]}"#);
    one(r#"[{"op":"copy","from":"/l","path":"/a/l"}]"#, r#"{"a":{"b":1,"l":[1,2]},"l":[1,2]}"#);
    one(r#"[{"op":"add","path":"a/c","value":2}]"#, r#"{"a":{"b":1},"c":2,"l":[1,2]}"#);
    one("[]", r#"{"a":{"b":1},"l":[1,2]}"#);
    one("null", r#"{"a":{"b":1},"l":[1,2]}"#);
}

#[test]
fn tests() {
    check(OBJECT, r#"[{"op":"test","path":"/data/a~1b~0","value":"x"}]"#, OBJECT);
    check(OBJECT, r#"[{"op":"test","path":"/data/nope","value":null}]"#, OBJECT);
    check(OBJECT, r#"[{"op":"test","path":"/list","value":["a","b"]}]"#, OBJECT);
    refused(OBJECT, r#"[{"op":"test","path":"/data/k","value":"w"}]"#);
    refused(OBJECT, r#"[{"op":"test","path":"/data/nope","value":"w"}]"#);
    refused(OBJECT, r#"[{"op":"test","path":"/nope/nope","value":null}]"#);
}

#[test]
fn what_does_not_fit_is_rejected() {
    for patch in [
        r#"[{"op":"shift","path":"/data/k"}]"#,
        r#"[{"path":"/data/k"}]"#,
        r#"[{"op":"add","value":1}]"#,
        r#"[{"op":"add","path":"","value":{}}]"#,
        r#"[{"op":"add","path":"/nope/k","value":1}]"#,
        r#"[{"op":"add","path":"/data/k/x","value":1}]"#,
        r#"[{"op":"add","path":"/list/3","value":1}]"#,
        r#"[{"op":"add","path":"/list/x","value":1}]"#,
        r#"[{"op":"add","path":"/list/-4","value":1}]"#,
        r#"[{"op":"add","path":"/list/9223372036854775808","value":1}]"#,
        r#"[{"op":"remove","path":"/data/nope"}]"#,
        r#"[{"op":"remove","path":""}]"#,
        r#"[{"op":"replace","path":"/data/nope","value":1}]"#,
        r#"[{"op":"replace","path":"","value":1}]"#,
        r#"[{"op":"move","from":"/data/nope","path":"/data/moved"}]"#,
        r#"[{"op":"copy","path":"/data/copied"}]"#,
    ] {
        refused(OBJECT, patch);
    }
}

#[test]
fn what_is_no_patch_is_malformed() {
    let check = |patch: &str, wanted: &str| {
        let wanted = PatchError::Malformed(format!("error decoding patch: json: cannot unmarshal {wanted}"));
        assert_eq!(run("{}", patch).unwrap_err(), wanted);
    };
    check("{}", "object into Go value of type []handlers.jsonPatchOp");
    check("[1]", "number into Go value of type handlers.jsonPatchOp");
    check(r#"[{"op":1}]"#, "number into Go struct field jsonPatchOp.op of type string");
}

#[test]
fn unknown_fields_are_named() {
    let patch = Patch::parse(json(r#"[{"op":"test"},{"op":"add","colour":1}]"#)).unwrap();
    assert_eq!(patch.unknown_fields(), [r#"json patch unknown field "[1].colour""#]);
}

#[test]
fn limits() {
    let many = |count: usize| Value::List(vec![json(r#"{"op":"test","path":"/a","value":null}"#); count]);
    assert!(Patch::parse(many(MAX_OPERATIONS)).unwrap().apply(json("{}")).is_ok());
    let text = "The allowed maximum operations in a JSON patch is 10000, got 10001";
    let refused = Patch::parse(many(MAX_OPERATIONS + 1)).err().unwrap();
    assert_eq!(refused, PatchError::TooLarge(text.to_owned()));

    let copies = vec![json(r#"{"op":"copy","from":"/a","path":"/b"}"#); 4];
    let object = json(&format!(r#"{{"a":"{}"}}"#, "x".repeat(1 << 20)));
    assert!(Patch::parse(Value::List(copies[..2].to_vec())).unwrap().apply(object.clone()).is_ok());
    assert!(matches!(Patch::parse(Value::List(copies)).unwrap().apply(object), Err(PatchError::Rejected(_))));

    let deeper = |at: usize| format!(r#"{{"op":"add","path":"{}","value":{{}}}}"#, "/a".repeat(at));
    let patch = (1..=MAX_DEPTH).map(deeper).collect::<Vec<_>>().join(",");
    refused_text("{}", &format!("[{patch}]"), "levels deep");
}

#[test]
fn work_is_bounded() {
    let long = Value::List(vec![Value::Integer(1); 20_000]);
    let mut operations = vec![json(r#"{"op":"add","path":"/a"}"#)];
    operations[0].set(&["value"], long);
    operations.resize_with(MAX_OPERATIONS, || json(r#"{"op":"add","path":"/a/0","value":1}"#));
    assert!(matches!(Patch::parse(Value::List(operations)).unwrap().apply(json("{}")), Err(PatchError::Rejected(_))));
}

fn refused_text(object: &str, patch: &str, part: &str) {
    let Err(PatchError::Rejected(text)) = run(object, patch) else { panic!("not refused") };
    assert!(text.contains(part), "{text}");
}

proptest! {
    #[test]
    fn never_panics(ops in prop::collection::vec((any::<u8>(), "(/[ab0-2-]){0,3}", "(/[ab0-2-]){0,3}"), 0..12)) {
        let names = ["add", "remove", "replace", "move", "copy", "test"];
        let operations = ops.into_iter().map(|(op, path, from)| {
            json(&format!(r#"{{"op":"{}","path":"{path}","from":"{from}","value":[{{"a":1}}]}}"#, names[usize::from(op) % 6]))
        });
        let patch = Patch::parse(Value::List(operations.collect())).unwrap();
        drop(patch.apply(json(r#"{"a":[1,{"b":2}],"b":{"a":3}}"#)));
    }
}
