//! Tables after `pkg/apis/core/validation/validation_test.go` and the recorded exchanges.

use crate::resources::Part;
use crate::testing::{check, create_errors, object, row, update_errors};
use crate::value::Value;

fn secret(fields: &str) -> String {
    format!(
        r#"{{"apiVersion":"v1","kind":"Secret","metadata":{{"name":"a","namespace":"n","resourceVersion":"1"}},{fields}}}"#
    )
}

#[test]
fn on_create() {
    // TestValidateSecret, TestValidateDockerConfigSecret, TestValidateBasicAuthSecret, TestValidateSSHAuthSecret
    let big = format!(r#""data":{{"a":"{}"}}"#, "AAAA".repeat(349_526));
    let key = "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',";
    let redacted = |key: &str| format!(r#"data[{key}]: Invalid value: "<secret contents redacted>": "#);
    let table: &[(&str, &[&str])] = &[
        (r#""data":{"k":"dg=="}"#, &[]),
        (r#""data":{"a/b":""}"#, &[&format!(r#"data[a/b]: Invalid value: "a/b": {key}"#)]),
        (r#""stringData":{"a b":""}"#, &[&format!(r#"data[a b]: Invalid value: "a b": {key}"#)]),
        (r#""data":{"":""}"#, &[&format!(r#"data[]: Invalid value: "": {key}"#)]),
        (r#""data":{"..":""}"#, &[r#"data[..]: Invalid value: "..": must not be '..'"#]),
        (&big, &["data: Too long: may not be more than 1048576 bytes"]),
        (r#""type":"example.com/x""#, &[]),
        (r#""type":"bootstrap.kubernetes.io/token""#, &[]),
        (
            r#""type":"kubernetes.io/service-account-token""#,
            &["metadata.annotations[kubernetes.io/service-account.name]: Required value"],
        ),
        (r#""type":"kubernetes.io/dockercfg""#, &["data[.dockercfg]: Required value"]),
        (r#""type":"kubernetes.io/dockercfg","stringData":{".dockercfg":"{\"a\":{}}"}"#, &[]),
        (r#""type":"kubernetes.io/dockercfg","stringData":{".dockercfg":"null"}"#, &[]),
        (r#""type":"kubernetes.io/dockercfg","stringData":{".dockercfg":""}"#, &[&redacted(".dockercfg")]),
        (
            r#""type":"kubernetes.io/dockerconfigjson","stringData":{".dockerconfigjson":"7"}"#,
            &[&redacted(".dockerconfigjson")],
        ),
        (
            r#""type":"kubernetes.io/dockerconfigjson","stringData":{".dockerconfigjson":"{} x"}"#,
            &[&redacted(".dockerconfigjson")],
        ),
        (r#""type":"kubernetes.io/basic-auth""#, &["data[username]: Required value", "data[password]: Required value"]),
        (r#""type":"kubernetes.io/basic-auth","data":{"password":""}"#, &[]),
        (r#""type":"kubernetes.io/ssh-auth","data":{"ssh-privatekey":""}"#, &["data[ssh-privatekey]: Required value"]),
        (r#""type":"kubernetes.io/tls","data":{"tls.crt":""}"#, &["data[tls.key]: Required value"]),
        (r#""type":"kubernetes.io/tls","data":{"tls.crt":"","tls.key":""}"#, &[]),
    ];
    for (fields, wanted) in table {
        check(fields.get(..80).unwrap_or(fields), &create_errors(&secret(fields)), wanted);
    }
}

#[test]
fn no_error_shows_content() {
    for content in [r#"{\"s3cr3t"#, r#"s3cr3t"#, r#"\"s3cr3t\""#, r#"[\"s3cr3t\"]"#, r#"{\"a\":s3cr3t}"#] {
        let fields =
            format!(r#""type":"kubernetes.io/dockerconfigjson","stringData":{{".dockerconfigjson":"{content}"}}"#);
        let errors = create_errors(&secret(&fields)).concat();
        assert!(!errors.is_empty() && !errors.contains("s3cr") && !errors.contains("'s'"), "{errors}");
    }
}

#[test]
fn on_update() {
    // TestValidateSecretUpdate
    let fixed = r#""data":{"k":"dg=="},"immutable":true"#;
    let forbidden = "Forbidden: field is immutable when `immutable` is set";
    let table: &[(&str, &str, &[&str])] = &[
        (r#""type":"Opaque""#, r#""data":{"k":"dg=="}"#, &[]),
        (r#""type":"Opaque""#, r#""type":"x/y""#, &[r#"type: Invalid value: "x/y": field is immutable"#]),
        (fixed, fixed, &[]),
        (fixed, r#""data":{"k":"dg=="}"#, &[&format!("immutable: {forbidden}")]),
        (fixed, r#""data":{"k":"dw=="},"immutable":true"#, &[&format!("data: {forbidden}")]),
        (fixed, r#""immutable":true,"data":{"k":"dg=="},"stringData":{"k":"v"}"#, &[]),
        (fixed, r#""immutable":true,"data":{"k":"dg=="},"stringData":{"k":"w"}"#, &[&format!("data: {forbidden}")]),
    ];
    for (old, new, wanted) in table {
        let opaque = |fields: &str| {
            if fields.contains(r#""type""#) { secret(fields) } else { secret(&format!(r#"{fields},"type":"Opaque""#)) }
        };
        check(new, &update_errors(Part::Whole, &opaque(old), &opaque(new)), wanted);
    }
}

#[test]
fn string_data_is_folded_over_data() {
    let mut folded = object(&secret(r#""data":{"a":"MQ==","b":"Mg=="},"stringData":{"b":"3","c":""}"#));
    row("Secret").rules.default(&mut folded);
    let texts: Vec<(&str, &[u8])> = folded
        .entries(&["data"])
        .map(|(key, value)| (key.as_str(), value.as_bytes().expect("bytes").expose()))
        .collect();
    assert_eq!(texts, [("a", b"1".as_slice()), ("b", b"3"), ("c", b"")]);
    assert!(folded.get("stringData").is_none());
    assert_eq!(folded.text(&["type"]), "Opaque");
    let mut nothing = object(&secret(r#""stringData":{}"#));
    row("Secret").rules.default(&mut nothing);
    assert!(nothing.get("data").is_none_or(|data| *data != Value::object()));
}

#[test]
fn a_tls_pair_that_cannot_serve_is_warned_of() {
    let pair = object(&secret(r#""type":"kubernetes.io/tls","data":{"tls.crt":"","tls.key":""}"#));
    let warnings = row("Secret").rules.warnings(&pair, None);
    assert_eq!(warnings, ["tls: failed to find any PEM data in certificate input"]);
}
