//! Field sets against a model, and their written form.

use std::collections::BTreeSet;

use proptest::prelude::{Strategy, prop, proptest};

use super::FieldSet;
use crate::samples::{json, text};

fn set(fields: &str) -> FieldSet {
    FieldSet::decode(&json(fields)).unwrap()
}

#[test]
fn steps_are_read_in_any_form_and_written_in_one() {
    let check = |fields: &str, wanted: &str| assert_eq!(text(&set(fields).encode()), wanted);
    check(r#"{"f:a":{".":{},"f:b":{}},"f:c":{}}"#, r#"{"f:a":{".":{},"f:b":{}},"f:c":{}}"#);
    check(r#"{"f:a":{".":{}}}"#, r#"{"f:a":{}}"#);
    check(r#"{"k:{ \"b\": 1, \"a\": \"x\" }":{}}"#, r#"{"k:{\"a\":\"x\",\"b\":1}":{}}"#);
    check(r#"{"v: \"\\u0061\"":{},"v:1":{},"i:07":{}}"#, r#"{"i:7":{},"v:\"a\"":{},"v:1":{}}"#);
    check(r#"{"x:unknown":{},"f:a":{}}"#, r#"{"f:a":{}}"#);
    for bad in [r#"{"f":{}}"#, r#"{"k:[]":{}}"#, r#"{"v:":{}}"#, r#"{"i:x":{}}"#, r#"{"f:a":1}"#, "[]"] {
        assert!(FieldSet::decode(&json(bad)).is_err(), "{bad}");
    }
}

#[test]
fn paths_are_printed_as_kubernetes_does() {
    let fields = r#"{"f:a":{"f:z":{".":{},"f:y":{}},"f:b":{}},"f:l":{"k:{\"n\":\"c\",\"p\":80}":{".":{}},"v:\"x\"":{},"i:0":{}}}"#;
    assert_eq!(set(fields).paths(), [".a.b", ".a.z", ".a.z.y", ".l[0]", r#".l[n="c",p=80]"#, r#".l[="x"]"#]);
}

type Paths = BTreeSet<Vec<u8>>;

fn paths() -> impl Strategy<Value = Paths> {
    prop::collection::btree_set(prop::collection::vec(0..3_u8, 1..4), 0..8)
}

fn build(paths: &Paths) -> FieldSet {
    let names = ["a", "b", "c"];
    let paths: Vec<Vec<&str>> =
        paths.iter().map(|path| path.iter().map(|at| names[usize::from(*at)]).collect()).collect();
    FieldSet::of_fields(&paths.iter().map(Vec::as_slice).collect::<Vec<_>>())
}

proptest! {
    #[test]
    fn sets_behave_as_sets_of_paths(one in paths(), two in paths()) {
        let (a, b) = (build(&one), build(&two));
        let by = |keep: &dyn Fn(&Vec<u8>) -> bool| build(&one.iter().filter(|path| keep(path)).cloned().collect());
        assert_eq!(a.clone().union(b.clone()), build(&one.union(&two).cloned().collect()));
        assert_eq!(a.intersection(&b), by(&|path| two.contains(path)));
        let mut left = a.clone();
        left.subtract(&b);
        assert_eq!(left, by(&|path| !two.contains(path)));
        let mut left = a.clone();
        left.subtract_all_below(&b);
        assert_eq!(left, by(&|path| !(1..=path.len()).any(|length| two.contains(&path[..length]))));
        assert_eq!(FieldSet::decode(&a.clone().encode()).unwrap(), a);
        assert_eq!(a.paths().len(), one.len());
    }
}
