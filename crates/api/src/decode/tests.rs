//! Cases of decoding, most of them recorded from Kubernetes 1.36.

use super::*;
use crate::generated;

fn read(kind: &str, media: Media, body: &[u8], validation: FieldValidation) -> Result<(String, Vec<String>), String> {
    let schema = generated::schema();
    let definition = schema.lookup(&format!("io.k8s.api.core.v1.{kind}")).unwrap();
    let expect = Expect { group: "", version: "v1", kind, definition };
    let decoded = Decoder { schema, expect: &expect, validation }.body(media, body);
    let decoded = decoded.map_err(|error| error.to_string())?;
    Ok((String::from_utf8(encode::json(&decoded.value)).unwrap(), decoded.warnings))
}

/// The object that a Secret's JSON becomes.
fn becomes(body: &str, wanted: &str) {
    let read = read("Secret", Media::Json, body.as_bytes(), FieldValidation::Strict);
    assert_eq!(read.as_ref().map(|(text, _)| text.as_str()), Ok(wanted), "{body}");
}

/// The error of a Secret's JSON, after what it begins with.
fn fails(body: &str, wanted: &str) {
    let error = read("Secret", Media::Json, body.as_bytes(), FieldValidation::Warn).unwrap_err();
    let short = error.strip_prefix("Secret in version \"v1\" cannot be handled as a Secret: ").unwrap_or(&error);
    assert_eq!(short, wanted, "{body}");
}

#[test]
fn objects_are_normalised() {
    becomes("null", r#"{"apiVersion":"v1","kind":"Secret","metadata":{}}"#);
    becomes("{}", r#"{"apiVersion":"v1","kind":"Secret","metadata":{}}"#);
    becomes(r#"{"metadata":null,"data":{},"type":""}"#, r#"{"apiVersion":"v1","kind":"Secret","metadata":{}}"#);
    becomes(
        r#"{"data":{"a":null,"b":"ZGF0\nYQ==\n"},"immutable":false,"metadata":{"labels":{"x":null}}}"#,
        r#"{"apiVersion":"v1","data":{"a":"","b":"ZGF0YQ=="},"immutable":false,"kind":"Secret","metadata":{"labels":{"x":""}}}"#,
    );
    becomes(
        r#"{"metadata":{"creationTimestamp":"2020-01-01T01:00:00.5+01:00","generation":7,"ownerReferences":[{"uid":"u"}]}}"#,
        r#"{"apiVersion":"v1","kind":"Secret","metadata":{"creationTimestamp":"2020-01-01T00:00:00Z","generation":7,"ownerReferences":[{"apiVersion":"","kind":"","name":"","uid":"u"}]}}"#,
    );
    becomes(
        r#"{"metadata":{"annotations":{"a":"\ud800","b":"<\u2028\ud83d\ude00"}}}"#,
        "{\"apiVersion\":\"v1\",\"kind\":\"Secret\",\"metadata\":{\"annotations\":{\"a\":\"\u{fffd}\",\"b\":\"\\u003c\\u2028\u{1f600}\"}}}",
    );
}

#[test]
fn free_fields_keep_any_json() {
    becomes(
        r#"{"metadata":{"managedFields":[{"fieldsV1":{"f:a":{".":null},"n":[1.0,1e3,0.5,18446744073709551616]}}]}}"#,
        r#"{"apiVersion":"v1","kind":"Secret","metadata":{"managedFields":[{"fieldsV1":{"f:a":{".":null},"n":[1,1000,0.5,18446744073709552000]}}]}}"#,
    );
}

#[test]
fn numbers_have_a_range() {
    assert!(untyped_json(b"[1e400]").is_err());
    assert!(untyped_json(b"[-1e400]").is_err());
    assert!(untyped_yaml(b"{\"a\": 1e400}").unwrap().value == untyped_json(br#"{"a":"1e400"}"#).unwrap().value);
    fails(
        r#"{"metadata":{"generation":9223372036854775808}}"#,
        "json: cannot unmarshal number 9223372036854775808 into Go struct field ObjectMeta.metadata.generation of type int64",
    );
}

#[test]
fn a_second_field_of_a_name_reads_over_the_first() {
    let body = r#"{"metadata":{"name":"a","labels":{"a":"1","b":"1"}},"metadata":{"labels":{"b":"2","b":"3"}},"type":"x","type":null}"#;
    let (text, warnings) = read("Secret", Media::Json, body.as_bytes(), FieldValidation::Warn).unwrap();
    assert_eq!(
        text,
        r#"{"apiVersion":"v1","kind":"Secret","metadata":{"labels":{"a":"1","b":"3"},"name":"a"},"type":"x"}"#
    );
    assert_eq!(
        warnings,
        [r#"duplicate field "metadata""#, r#"duplicate field "metadata.labels.b""#, r#"duplicate field "type""#]
    );
}

#[test]
fn what_is_no_json_does_not_say_what_it_is() {
    for body in [
        "",
        "nonsense",
        "{\"metadata\":{}} x",
        "{\"a\":1,}",
        "{'a':1}",
        "[]",
        "7",
        "\"a\"",
        "{\"a\":\"\\x\"}",
        "{\"kind\":7}",
    ] {
        let error = read("Secret", Media::Json, body.as_bytes(), FieldValidation::Strict).unwrap_err();
        let start = "the object provided is unrecognized (must be of type Secret): couldn't get version/kind; json parse error: ";
        assert!(error.starts_with(start), "{body}: {error}");
    }
    fails(
        r#"{"apiVersion":"a/b/c","kind":"Secret"}"#,
        "the object provided is unrecognized (must be of type Secret): unexpected GroupVersion string: a/b/c",
    );
}

#[test]
fn depth_is_bounded() {
    let nested = |depth: usize| format!("{}1{}", "{\"a\":".repeat(depth), "}".repeat(depth));
    assert!(read("Secret", Media::Json, nested(10_000).as_bytes(), FieldValidation::Ignore).is_ok());
    assert!(read("Secret", Media::Json, nested(10_001).as_bytes(), FieldValidation::Ignore).is_err());
    assert!(read("Secret", Media::Json, "[".repeat(1_000_000).as_bytes(), FieldValidation::Ignore).is_err());
    let fields = |depth| format!(r#"{{"metadata":{{"managedFields":[{{"fieldsV1":{}}}]}}}}"#, nested(depth));
    assert!(read("Secret", Media::Json, fields(200).as_bytes(), FieldValidation::Ignore).is_ok());
    fails(&fields(300), "exceeded max depth at byte 1303");
}

#[test]
fn the_number_of_objects_is_bounded() {
    let owners = |count| format!(r#"{{"metadata":{{"ownerReferences":[{{}}{}]}}}}"#, ",{}".repeat(count));
    fails(&owners(131_072), "too many objects at byte 393242");
    let fields =
        format!(r#"{{"metadata":{{"managedFields":[{{"fieldsV1":{{"a":{{}}{}}}}}]}}}}"#, r#","a":{}"#.repeat(200_000));
    assert!(read("Secret", Media::Json, fields.as_bytes(), FieldValidation::Ignore).is_ok());
    let owners = b"\x6a\x00".repeat(200_000);
    let length = [b'\x0a', 0x80, 0xb5, 0x18];
    let secret = [length.as_slice(), &owners].concat();
    let body = [b"k8s\0\x12\x84\xb5\x18".as_slice(), &secret].concat();
    let error = read("Secret", Media::Protobuf, &body, FieldValidation::Ignore).unwrap_err();
    assert!(error.ends_with("cannot be handled as a Secret: too many objects"), "{error}");
}

#[test]
fn options_may_be_of_any_group() {
    let definition = generated::schema().lookup("io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions").unwrap();
    let expect = Expect { group: "", version: "v1", kind: "DeleteOptions", definition };
    let read = |api_version: &str| {
        let body = format!(r#"{{"apiVersion":"{api_version}","kind":"DeleteOptions","gracePeriodSeconds":0}}"#);
        object(&expect, Media::Json, body.as_bytes(), FieldValidation::Strict).map(|decoded| decoded.value)
    };
    for api_version in ["v1", "apps/v1", "meta.k8s.io/v1"] {
        assert_eq!(read(api_version).unwrap().text(&["apiVersion"]), "v1", "{api_version}");
    }
    assert!(read("example.com/v1").is_err());
}

#[test]
fn other_kinds_are_told_apart() {
    let check = |api_version: &str, kind: &str, wanted: &str| {
        let body = format!(r#"{{"apiVersion":{api_version:?},"kind":{kind:?},"metadata":{{"name":"a"}}}}"#);
        assert_eq!(read("Secret", Media::Json, body.as_bytes(), FieldValidation::Strict).unwrap_err(), wanted);
    };
    check(
        "v1",
        "ConfigMap",
        r#"ConfigMap in version "v1" cannot be handled as a Secret: converting (v1.ConfigMap) to (core.Secret): unknown conversion"#,
    );
    check(
        "v1",
        "Status",
        r#"Status in version "v1" cannot be handled as a Secret: converting (v1.Status) to (core.Secret): unknown conversion"#,
    );
    check(
        "v1",
        "Sekret",
        r#"Sekret in version "v1" cannot be handled as a Secret: no kind "Sekret" is registered for version "v1""#,
    );
    check(
        "example.com/v1",
        "Secret",
        r#"Secret in version "v1" cannot be handled as a Secret: no kind "Secret" is registered for version "example.com/v1""#,
    );
    becomes(r#"{"apiVersion":null,"kind":"Secret"}"#, r#"{"apiVersion":"v1","kind":"Secret","metadata":{}}"#);
    // Kubernetes looks for the kind without regard to case before it reads the object.
    fails(
        r#"{"KIND":"Sekret"}"#,
        r#"Sekret in version "v1" cannot be handled as a Secret: no kind "Sekret" is registered for version "v1""#,
    );
}

#[test]
fn faults_of_type_name_the_go_field() {
    let unmarshal = |found: &str, field: &str, wanted: &str| {
        format!("json: cannot unmarshal {found} into Go struct field {field} of type {wanted}")
    };
    fails(r#"{"data":{"a":1},"type":7}"#, &unmarshal("number", "Secret.data", "[]uint8"));
    fails(r#"{"stringData":{"a":true}}"#, &unmarshal("bool", "Secret.stringData", "string"));
    fails(r#"{"type":{}}"#, &unmarshal("object", "Secret.type", "v1.SecretType"));
    fails(r#"{"metadata":{"labels":[]}}"#, &unmarshal("array", "ObjectMeta.metadata.labels", "map[string]string"));
    fails(r#"{"metadata":{"labels":{"a":{}}}}"#, &unmarshal("object", "ObjectMeta.metadata.labels", "string"));
    fails(r#"{"metadata":{"finalizers":[1]}}"#, &unmarshal("number", "ObjectMeta.metadata.finalizers", "string"));
    fails(r#"{"metadata":{"generation":1.0}}"#, &unmarshal("number 1.0", "ObjectMeta.metadata.generation", "int64"));
    fails(
        r#"{"metadata":{"ownerReferences":{}}}"#,
        &unmarshal("object", "ObjectMeta.metadata.ownerReferences", "[]v1.OwnerReference"),
    );
    fails(
        r#"{"metadata":{"creationTimestamp":"yesterday"}}"#,
        r#"parsing time "yesterday" as "2006-01-02T15:04:05Z07:00": cannot parse "yesterday" as "2006""#,
    );
    // Types that read themselves end all reading, so theirs is told though it comes second.
    fails(
        r#"{"type":7,"metadata":{"creationTimestamp":7}}"#,
        &unmarshal("number", "ObjectMeta.metadata.creationTimestamp", "string"),
    );
}

#[test]
fn base64_is_that_of_go() {
    let at = |text: &str, wanted: Result<&[u8], usize>| {
        assert_eq!(base64::decode(text.as_bytes()).as_deref().map_err(|at| *at), wanted, "{text:?}");
    };
    at("YQ==", Ok(b"a"));
    at("Y\nQ=\r=\n", Ok(b"a"));
    at("YR==", Ok(b"a"));
    at("\n", Ok(b""));
    at("YQ===", Err(4));
    at("YQ ==", Err(2));
    at("YQ", Err(0));
    at("YQ=", Err(3));
    at("YWJjYQ=x", Err(6));
    at("YQ==YQ==", Err(4));
    at("=", Err(0));
    at("!", Err(0));
}

#[test]
fn strict_faults_are_told_in_the_order_of_the_text() {
    let body =
        br#"{"spec":{"containers":[{"name":"c","image":"i","envv":[],"env":[{"name":"A","valeu":"x"}],"image":"j"}]}}"#;
    let places = [
        r#"unknown field "spec.containers[0].envv""#,
        r#"unknown field "spec.containers[0].env[0].valeu""#,
        r#"duplicate field "spec.containers[0].image""#,
    ];
    let (_, warnings) = read("Pod", Media::Json, body, FieldValidation::Warn).unwrap();
    assert_eq!(warnings, places);
    let error = read("Pod", Media::Json, body, FieldValidation::Strict).unwrap_err();
    let joined = places.join(", ");
    assert_eq!(error, format!("Pod in version \"v1\" cannot be handled as a Pod: strict decoding error: {joined}"));
    let (_, warnings) = read("Pod", Media::Json, body, FieldValidation::Ignore).unwrap();
    assert!(warnings.is_empty());
}

#[test]
fn nested_types_have_their_zero_values() {
    let body = br#"{"spec":{"containers":[{"resources":{"limits":{"cpu":0.5,"memory":"1.5Gi"}},
        "ports":[null,{"hostPort":0}],"readinessProbe":{"httpGet":{"port":"x"},"tcpSocket":{}}}]}}"#;
    let (text, _) = read("Pod", Media::Json, body, FieldValidation::Strict).unwrap();
    let containers = r#"[{"name":"","ports":[{"containerPort":0},{"containerPort":0}],"readinessProbe":{"httpGet":{"port":"x"},"tcpSocket":{"port":0}},"resources":{"limits":{"cpu":"500m","memory":"1536Mi"}}}]"#;
    assert_eq!(
        text,
        format!(
            r#"{{"apiVersion":"v1","kind":"Pod","metadata":{{}},"spec":{{"containers":{containers}}},"status":{{}}}}"#
        )
    );
    let (text, _) = read("Pod", Media::Json, br#"{"spec":{}}"#, FieldValidation::Strict).unwrap();
    assert_eq!(text, r#"{"apiVersion":"v1","kind":"Pod","metadata":{},"spec":{"containers":null},"status":{}}"#);
}

#[test]
fn yaml_bodies_are_read_as_their_json() {
    let body = b"metadata:\n  name: a\nstringData:\n  multi: |\n    one\n    two\n  quoted: \"x\\ty\"\n---\nkind: [\n";
    let (text, _) = read("Secret", Media::Yaml, body, FieldValidation::Strict).unwrap();
    assert_eq!(
        text,
        r#"{"apiVersion":"v1","kind":"Secret","metadata":{"name":"a"},"stringData":{"multi":"one\ntwo\n","quoted":"x\ty"}}"#
    );
    let fails = |body: &str, wanted: &str| {
        let error = read("Secret", Media::Yaml, body.as_bytes(), FieldValidation::Strict).unwrap_err();
        assert_eq!(error.strip_prefix("Secret in version \"v1\" cannot be handled as a Secret: "), Some(wanted));
    };
    fails("type: yes\n", "json: cannot unmarshal bool into Go struct field Secret.type of type v1.SecretType");
    fails(
        "metadata:\n  labels: {a: 0400}\n",
        "json: cannot unmarshal number into Go struct field ObjectMeta.metadata.labels of type string",
    );
    let twice = "metadata:\n  name: a\ntype: x/one\ntype: x/two\ncolour: red\n";
    fails(
        twice,
        "strict decoding error: yaml: unmarshal errors:\n  line 4: key \"type\" already set in map, unknown field \"colour\"",
    );
    let (_, warnings) = read("Secret", Media::Yaml, twice.as_bytes(), FieldValidation::Warn).unwrap();
    assert_eq!(warnings, [r#"line 4: key "type" already set in map"#, r#"unknown field "colour""#]);
}
