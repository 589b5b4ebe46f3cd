//! Tables after `TestValidateEndpointsCreate` and `TestValidateEndpointsUpdate`, and
//! `TestPackSubsets` of `pkg/api/endpoints/util_test.go`.

use crate::resources::{Cell, Part};
use crate::testing::{check, create_errors, object, row, update_errors};

fn endpoints(subsets: &str) -> String {
    format!(
        r#"{{"apiVersion":"v1","kind":"Endpoints","metadata":{{"name":"e","namespace":"n","resourceVersion":"1"}},"subsets":{subsets}}}"#
    )
}

#[test]
fn on_create() {
    let table: &[(&str, &[&str])] = &[
        (r#"[{"addresses":[{"ip":"10.0.0.1"}],"ports":[{"port":80}]}]"#, &[]),
        (r#"[{"addresses":[{"ip":"10.0.0.1"}]}]"#, &[]),
        (
            r#"[{"ports":[{"port":80}]}]"#,
            &["subsets[0]: Required value: must specify `addresses` or `notReadyAddresses`"],
        ),
        (
            r#"[{"addresses":[{"ip":"x"}]}]"#,
            &[
                r#"subsets[0].addresses[0].ip: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"#,
            ],
        ),
        (
            r#"[{"addresses":[{"ip":"127.0.0.1"}]}]"#,
            &[
                r#"subsets[0].addresses[0].ip: Invalid value: "127.0.0.1": may not be in the loopback range (127.0.0.0/8, ::1/128)"#,
            ],
        ),
        (
            r#"[{"addresses":[{"ip":"10.0.0.1"}],"ports":[{"port":0,"protocol":"X"}]}]"#,
            &[
                "subsets[0].ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive",
                r#"subsets[0].ports[0].protocol: Unsupported value: "X": supported values: "SCTP", "TCP", "UDP""#,
            ],
        ),
        (
            r#"[{"addresses":[{"ip":"10.0.0.1","hostname":"A","nodeName":"B"}],"ports":[{"port":1},{"port":2,"name":"b"}]}]"#,
            &[
                r#"subsets[0].addresses[0].hostname: Invalid value: "A": a lowercase RFC 1123 label"#,
                r#"subsets[0].addresses[0].nodeName: Invalid value: "B": a lowercase RFC 1123 subdomain"#,
                "subsets[0].ports[0].name: Required value",
            ],
        ),
    ];
    for (subsets, wanted) in table {
        check(subsets, &create_errors(&endpoints(subsets)), wanted);
    }
}

#[test]
fn on_update() {
    let old = endpoints(r#"[{"addresses":[{"ip":"10.0.0.1","nodeName":"a"}]}]"#);
    let moved = endpoints(r#"[{"addresses":[{"ip":"10.0.0.1","nodeName":"b"}]}]"#);
    check("another node", &update_errors(Part::Whole, &old, &moved), &[]);
    let bad = endpoints(r#"[{"addresses":[{"ip":"010.0.0.1"}]}]"#);
    check("leading zeros that were there", &update_errors(Part::Whole, &bad, &bad), &[]);
    check(
        "leading zeros that are new",
        &update_errors(Part::Whole, &old, &bad),
        &[r#"subsets[0].addresses[0].ip: Invalid value: "010.0.0.1": must not have leading 0s"#],
    );
}

#[test]
fn subsets_are_packed() {
    let packed = |subsets: &str| {
        let mut object = object(&endpoints(subsets));
        row("Endpoints").rules.default(&mut object);
        row("Endpoints").rules.prepare_create(&mut object);
        String::from_utf8(crate::encode::json(object.get("subsets").expect("subsets"))).expect("text")
    };
    assert_eq!(
        packed(
            r#"[{"addresses":[{"ip":"10.0.0.2"}],"ports":[{"port":80}]},{"addresses":[{"ip":"10.0.0.1"}],"ports":[{"port":80}]}]"#
        ),
        r#"[{"addresses":[{"ip":"10.0.0.1"},{"ip":"10.0.0.2"}],"ports":[{"port":80,"protocol":"TCP"}]}]"#
    );
    assert_eq!(
        packed(r#"[{"addresses":[{"ip":"10.0.0.1"}]},{"notReadyAddresses":[{"ip":"10.0.0.1"}]}]"#),
        r#"[{"notReadyAddresses":[{"ip":"10.0.0.1"}]}]"#
    );
}

#[test]
fn cells_and_warnings() {
    let four = object(&endpoints(
        r#"[{"addresses":[{"ip":"10.0.0.1"},{"ip":"::A"},{"ip":"10.0.0.3"},{"ip":"10.0.0.4"}],"ports":[{"port":80}]}]"#,
    ));
    let rules = row("Endpoints").rules;
    let shown = Cell::Text("10.0.0.1:80,[::A]:80,10.0.0.3:80 + 1 more...".into());
    assert_eq!(rules.cells(&four), [Cell::Text("e".into()), shown, Cell::Age(None)]);
    assert_eq!(
        rules.warnings(&four, None),
        [r#"subsets[0].addresses[1].ip: IPv6 address "::A" should be in RFC 5952 canonical format ("::a")"#]
    );
}
