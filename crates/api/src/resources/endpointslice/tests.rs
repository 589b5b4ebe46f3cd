//! Tables after `pkg/apis/discovery/validation/validation_test.go`.

use crate::resources::{Cell, Part};
use crate::testing::{check, create_errors, object, row, update_errors};

fn slice(fields: &str) -> String {
    format!(
        r#"{{"apiVersion":"discovery.k8s.io/v1","kind":"EndpointSlice","metadata":{{"name":"e","namespace":"n","generation":3,"resourceVersion":"1"}},{fields}}}"#
    )
}

#[test]
fn on_create() {
    // TestValidateEndpointSlice
    let endpoint = |fields: &str| format!(r#""addressType":"IPv4","endpoints":[{{{fields}}}]"#);
    let table: &[(String, &[&str])] = &[
        (r#""endpoints":[],"addressType":"""#.into(), &["addressType: Required value"]),
        (
            r#""endpoints":[],"addressType":"IP""#.into(),
            &[r#"addressType: Unsupported value: "IP": supported values: "FQDN", "IPv4", "IPv6""#],
        ),
        (endpoint(r#""addresses":[]"#), &["endpoints[0].addresses: Required value: must contain at least 1 address"]),
        (
            endpoint(r#""addresses":["::1"]"#),
            &[r#"endpoints[0].addresses[0]: Invalid value: "::1": must be an IPv4 address"#],
        ),
        (
            endpoint(r#""addresses":["169.254.1.1"]"#),
            &[
                r#"endpoints[0].addresses[0]: Invalid value: "169.254.1.1": may not be in the link-local range (169.254.0.0/16, fe80::/10)"#,
            ],
        ),
        (
            endpoint(r#""addresses":["10.0.0.1"],"hostname":"","hints":{"forZones":[{"name":"a"},{"name":"a"}]}"#),
            &[
                r#"endpoints[0].hostname: Invalid value: "": a lowercase RFC 1123 label"#,
                r#"endpoints[0].hints.forZones[1].name: Duplicate value: "a""#,
            ],
        ),
        (
            r#""addressType":"FQDN","endpoints":[{"addresses":["a"]}]"#.into(),
            &[
                r#"endpoints[0].addresses[0]: Invalid value: "a": should be a domain with at least two segments separated by dots"#,
            ],
        ),
        (
            r#""addressType":"IPv6","endpoints":[],"ports":[{"name":"a"},{"name":"a","protocol":"x"}]"#.into(),
            &[
                r#"ports[1].name: Duplicate value: "a""#,
                r#"ports[1].protocol: Unsupported value: "x": supported values: "SCTP", "TCP", "UDP""#,
            ],
        ),
    ];
    for (fields, wanted) in table {
        check(fields, &create_errors(&slice(fields)), wanted);
    }
}

#[test]
fn on_update() {
    // TestValidateEndpointSliceUpdate
    let errors = update_errors(
        Part::Whole,
        &slice(r#""addressType":"IPv4","endpoints":[]"#),
        &slice(r#""addressType":"IPv6","endpoints":[]"#),
    );
    check("another type", &errors, &[r#"addressType: Invalid value: "IPv6": field is immutable"#]);
}

#[test]
fn generation_counts_changes_of_content_and_labels() {
    // Test_endpointSliceStrategy_PrepareForUpdate
    let rules = row("EndpointSlice").rules;
    let old = object(&slice(r#""addressType":"IPv4","endpoints":[]"#));
    let generation = |new: &str| {
        let mut new = object(&slice(new));
        rules.prepare_update(Part::Whole, &mut new, &old);
        new.integer(&["metadata", "generation"])
    };
    assert_eq!(generation(r#""addressType":"IPv4","endpoints":[]"#), Some(3));
    assert_eq!(generation(r#""addressType":"IPv4","endpoints":[{"addresses":["10.0.0.1"]}]"#), Some(4));
}

#[test]
fn cells_of_a_slice() {
    let slice = object(&slice(
        r#""addressType":"IPv4","endpoints":[{"addresses":["10.0.0.1"]},{"addresses":["10.0.0.2"]}],"ports":[{"port":80},{"name":"x"},{}]"#,
    ));
    let text = |text: &str| Cell::Text(text.into());
    let wanted = [text("e"), text("IPv4"), text("80,x,*"), text("10.0.0.1,10.0.0.2"), Cell::Age(None)];
    assert_eq!(row("EndpointSlice").rules.cells(&slice), wanted);
}

#[test]
fn warnings() {
    // TestWarningsOnEndpointSliceAddressType, Test_endpointSliceWarnings
    let rules = row("EndpointSlice").rules;
    let names = object(&slice(r#""addressType":"FQDN","endpoints":[{"addresses":["a.b"]}]"#));
    assert_eq!(rules.warnings(&names, None), ["spec.addressType: FQDN endpoints are deprecated"]);
    assert_eq!(rules.warnings(&names, Some(&names)), [""; 0]);
    let long = object(&slice(r#""addressType":"IPv6","endpoints":[{"addresses":["2001:DB8::1"]}]"#));
    assert_eq!(
        rules.warnings(&long, None),
        [
            r#"endpoints[0].addresses[0]: IPv6 address "2001:DB8::1" should be in RFC 5952 canonical format ("2001:db8::1")"#
        ]
    );
}
