//! Bodies and answers of Kubernetes 1.36 in protobuf, beside the same objects in JSON.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::*;
use crate::decode::{Decoded, Expect, FieldValidation, Media, object, untyped_json};
use crate::encode;
use crate::generated;

fn decode(group: &str, version: &str, kind: &str, media: Media, body: &[u8]) -> Result<Decoded, String> {
    let package = group.split('.').next().filter(|group| !group.is_empty()).unwrap_or("core");
    let schema = generated::schema();
    let definition = schema
        .lookup(&format!("io.k8s.api.{package}.{version}.{kind}"))
        .or_else(|| schema.lookup(&format!("io.k8s.apimachinery.pkg.apis.meta.v1.{kind}")))
        .expect("a kind of the table");
    let expect = Expect { group, version, kind, definition };
    object(&expect, media, body, FieldValidation::Strict).map_err(|error| error.to_string())
}

fn text(value: &Value) -> String {
    String::from_utf8(encode::json(value)).unwrap()
}

#[test]
fn protobuf_and_json_give_the_same_object() {
    let vectors = untyped_json(include_bytes!("vectors.json")).unwrap().value;
    let vectors = vectors.as_list().unwrap();
    assert!(vectors.len() > 30);
    for vector in vectors {
        let name = vector.text(&["name"]);
        let api_version = vector.text(&["object", "apiVersion"]);
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        let kind = vector.text(&["object", "kind"]);
        let body = STANDARD.decode(vector.text(&["body"])).unwrap();
        let json = encode::json(vector.get("object").unwrap());
        let from_json =
            decode(group, version, kind, Media::Json, &json).unwrap_or_else(|error| panic!("{name}: {error}"));
        let from_protobuf =
            decode(group, version, kind, Media::Protobuf, &body).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(text(&from_protobuf.value), text(&from_json.value), "{name}");
        assert!(from_protobuf.value == from_json.value, "{name}");
        if name.starts_with("get-") {
            // Answers of Kubernetes are in normal form.
            assert_eq!(text(&from_json.value), text(vector.get("object").unwrap()), "{name}");
        }
    }
}

fn fails(body: &[u8], wanted: &str) {
    let error = decode("", "v1", "Secret", Media::Protobuf, body).unwrap_err();
    let short = error.strip_prefix("the object provided is unrecognized (must be of type Secret): ").unwrap_or(&error);
    assert_eq!(short, wanted);
}

#[test]
fn faults_have_the_texts_of_kubernetes() {
    fails(b"", "empty data");
    fails(b"k8s\0", "empty body");
    fails(b"{}", "provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]");
    fails(b"k8s\0\xff\xff\xff", "unexpected EOF");
    fails(b"k8s\0\x12\x05\x0a", "unexpected EOF");
    fails(b"k8s\0\x0c", "proto: Unknown: wiretype end group for non-group");
    fails(b"k8s\0\x00\x00", "proto: Unknown: illegal tag 0 (wire type 0)");
    fails(
        b"k8s\0\x0a\x0c\x0a\x02v1\x12\x06Xecret",
        "Xecret in version \"v1\" cannot be handled as a Secret: no kind \"Xecret\" is registered for version \"v1\"",
    );
    fails(
        b"k8s\0\x12\x02\x18\x01",
        "Secret in version \"v1\" cannot be handled as a Secret: proto: wrong wireType = 0 for field type",
    );
}

#[test]
fn what_is_unknown_is_passed_over() {
    // Field 99 as a varint, and a group of groups.
    let body = b"k8s\0\x12\x0e\x1a\x01t\x98\x06\x01\x9b\x06\x9b\x06\x9c\x06\x9c\x06";
    let read = decode("", "v1", "Secret", Media::Protobuf, body).unwrap();
    assert_eq!(text(&read.value), r#"{"apiVersion":"v1","kind":"Secret","metadata":{},"type":"t"}"#);
}

/// A field that holds a message.
fn nested(number: u8, message: &[u8]) -> Vec<u8> {
    [&[number << 3 | 2, u8::try_from(message.len()).unwrap()], message].concat()
}

#[test]
fn a_time_that_no_text_says_is_refused() {
    // `creationTimestamp` with 2^42 seconds: the year 141338. It was stored, and could not be read again.
    let time = [&[1 << 3][..], &[0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01]].concat();
    let object = nested(1, &nested(8, &time));
    let type_meta = [nested(1, b"v1"), nested(2, b"Secret")].concat();
    let body = [b"k8s\0".to_vec(), nested(1, &type_meta), nested(2, &object)].concat();
    let error = decode("", "v1", "Secret", Media::Protobuf, &body).unwrap_err();
    assert!(error.ends_with("year outside of range [0,9999]"), "{error}");
    let json = br#"{"metadata":{"creationTimestamp":"9999-12-31T23:59:59-01:00"}}"#;
    let error = decode("", "v1", "Secret", Media::Json, json).unwrap_err();
    assert!(error.ends_with("year outside of range [0,9999]"), "{error}");
}
