//! Tables after `k8s.io/apimachinery/pkg/api/validation/objectmeta_test.go` and the recorded exchanges.

use crate::resources::Part;
use crate::testing::{check, create_errors, update_errors};

const SUBDOMAIN: &str = r#"metadata.name: Invalid value: "Upper": a lowercase RFC 1123 subdomain must consist of"#;
const NO_DOMAIN: &str = "name is neither a standard finalizer name nor is it fully qualified";

fn secret(metadata: &str) -> String {
    format!(r#"{{"apiVersion":"v1","kind":"Secret","metadata":{{"namespace":"n",{metadata}}}}}"#)
}

#[test]
fn on_create() {
    // TestValidateObjectMetaNamespaces, TestValidateFinalizers*, TestValidateAnnotations, TestValidateOwnerReferences
    let owner = |fields: &str| format!(r#""name":"a","ownerReferences":[{{{fields}}}]"#);
    let uid = r#""uid":"00000000-0000-0000-0000-000000000002""#;
    let table: &[(&str, String, &[&str])] = &[
        ("a plain name", r#""name":"a""#.into(), &[]),
        ("upper case", r#""name":"Upper""#.into(), &[SUBDOMAIN]),
        ("no name", r#""labels":{}"#.into(), &["metadata.name: Required value: name or generateName is required"]),
        (
            "bad generateName",
            r#""name":"a","generateName":"Ab-""#.into(),
            &["metadata.generateName: Invalid value: \"Ab-\""],
        ),
        (
            "negative generation",
            r#""name":"a","generation":-1"#.into(),
            &["metadata.generation: Invalid value: -1: must be greater than or equal to 0"],
        ),
        (
            "empty label key",
            r#""name":"a","labels":{"":"x"}"#.into(),
            &[
                r#"metadata.labels: Invalid value: "": name part must be non-empty"#,
                r#"metadata.labels: Invalid value: "": name part must consist of"#,
            ],
        ),
        (
            "label value",
            r#""name":"a","labels":{"a":"x/y"}"#.into(),
            &[r#"metadata.labels: Invalid value: "x/y": a valid label must be an empty string or consist of"#],
        ),
        ("annotation in upper case", r#""name":"a","annotations":{"Example.COM/Key":"x"}"#.into(), &[]),
        ("annotations at the limit", format!(r#""name":"a","annotations":{{"k":"{}"}}"#, "v".repeat(262_143)), &[]),
        (
            "annotations over it",
            format!(r#""name":"a","annotations":{{"k":"{}"}}"#, "v".repeat(262_144)),
            &["metadata.annotations: Too long: may not be more than 262144 bytes"],
        ),
        (
            "owner without version",
            owner(&format!(r#""kind":"K","name":"o",{uid}"#)),
            &[r#"metadata.ownerReferences.apiVersion: Invalid value: "": version must not be empty"#],
        ),
        (
            "empty owner",
            owner(r#""apiVersion":"v1""#),
            &[
                r#"metadata.ownerReferences.kind: Invalid value: "": must not be empty"#,
                r#"metadata.ownerReferences.name: Invalid value: "": must not be empty"#,
                r#"metadata.ownerReferences.uid: Invalid value: "": must not be empty"#,
            ],
        ),
        (
            "an Event as owner",
            owner(&format!(r#""apiVersion":"v1","kind":"Event","name":"o",{uid}"#)),
            &[concat!(
                r#"metadata.ownerReferences: Invalid value: {"apiVersion":"v1","kind":"Event","name":"o","#,
                r#""uid":"00000000-0000-0000-0000-000000000002"}: /v1, Kind=Event is disallowed from being an owner"#
            )],
        ),
        (
            "two controllers",
            {
                let one =
                    |name: &str| format!(r#"{{"apiVersion":"v1","kind":"K","name":"{name}",{uid},"controller":true}}"#);
                format!(r#""name":"a","ownerReferences":[{},{}]"#, one("o"), one("p"))
            },
            &[r#"metadata.ownerReferences: Invalid value: [{"apiVersion":"v1","kind":"K","name":"o","#],
        ),
        (
            "finalizer without a domain",
            r#""name":"a","finalizers":["hold"]"#.into(),
            &[r#"metadata.finalizers[0]: Invalid value: "hold": name is neither a standard finalizer name"#],
        ),
        (
            "empty finalizer",
            r#""name":"a","finalizers":[""]"#.into(),
            &[
                r#"metadata.finalizers: Invalid value: "": name part must be non-empty"#,
                r#"metadata.finalizers: Invalid value: "": name part must consist of"#,
                &format!(r#"metadata.finalizers[0]: Invalid value: "": {NO_DOMAIN}"#),
            ],
        ),
        (
            "both finalizers of the collector",
            r#""name":"a","finalizers":["orphan","foregroundDeletion"]"#.into(),
            &[concat!(
                r#"metadata.finalizers: Invalid value: ["orphan","foregroundDeletion"]: "#,
                "finalizer orphan and foregroundDeletion cannot be both set"
            )],
        ),
        (
            "managed fields",
            r#""name":"a","managedFields":[{"operation":"Steal","fieldsType":"V9","manager":"a\u0007"}]"#.into(),
            &[
                r#"metadata.managedFields[0].operation: Invalid value: "Steal": must be `Apply` or `Update`"#,
                r#"metadata.managedFields[0].fieldsType: Invalid value: "V9": must be `FieldsV1`"#,
                r#"metadata.managedFields[0].manager: Invalid value: "a\a": invalid character U+0007 (at position 1)"#,
            ],
        ),
    ];
    for (name, metadata, wanted) in table {
        check(name, &create_errors(&secret(metadata)), wanted);
    }
    let cluster = r#"{"kind":"Namespace","metadata":{"name":"a.b","namespace":"n"}}"#;
    check(
        "namespace",
        &create_errors(cluster),
        &[
            r#"metadata.name: Invalid value: "a.b": must not contain dots"#,
            "metadata.namespace: Forbidden: not allowed on this type",
        ],
    );
}

#[test]
fn on_update() {
    // TestValidateObjectMetaUpdateIgnoresCreationTimestamp and its siblings; repetitions as golden/validation.json shows
    let old = secret(r#""name":"a","uid":"u","resourceVersion":"1""#);
    let empty_owner =
        r#""name":"a","uid":"u","resourceVersion":"1","ownerReferences":[{"apiVersion":"v1","kind":"K","uid":"v"}]"#;
    let fault = r#"metadata.ownerReferences.name: Invalid value: "": must not be empty"#;
    check("a fault shows four times", &update_errors(Part::Whole, &old, &secret(empty_owner)), &[fault; 4]);

    let renamed = secret(r#""name":"b","uid":"","resourceVersion":"""#);
    let wanted = [
        r#"metadata.resourceVersion: Invalid value: "": must be specified for an update"#,
        r#"metadata.name: Invalid value: "b": field is immutable"#,
        r#"metadata.uid: Invalid value: "": field is immutable"#,
    ];
    check("identity", &update_errors(Part::Whole, &old, &renamed), &[wanted, wanted].concat());

    let deleting = r#""name":"a","resourceVersion":"1","deletionTimestamp":"2026-01-01T00:00:00Z""#;
    let old = secret(&format!(r#"{deleting},"finalizers":["example.com/a"]"#));
    let new = secret(&format!(r#"{deleting},"finalizers":["example.com/more","example.com/a"]"#));
    let fault = concat!(
        "metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, ",
        r#"found new finalizers []string{"example.com/more"}"#
    );
    check("new finalizers", &update_errors(Part::Whole, &old, &new), &[fault; 2]);
    check(
        "undeleted",
        &update_errors(Part::Whole, &old, &secret(r#""name":"a","resourceVersion":"1""#)),
        &[r#"metadata.deletionTimestamp: Invalid value: "null": field is immutable"#; 2],
    );
}
