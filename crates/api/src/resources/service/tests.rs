//! Tables after `TestValidateServiceCreate`, `TestValidateServiceUpdate` of `pkg/apis/core/validation/validation_test.go`,
//! `TestSetDefaultService*` and `pkg/registry/core/service/strategy_test.go`.

use super::ports;
use crate::resources::{Cell, Part};
use crate::testing::{check, create_errors, object, row, update_errors};
use crate::value::Value;

fn service(spec: &str) -> String {
    format!(
        r#"{{"apiVersion":"v1","kind":"Service","metadata":{{"name":"s","namespace":"n","resourceVersion":"1"}},"spec":{{{spec}}}}}"#
    )
}

#[test]
fn on_create() {
    let port = r#""ports":[{"port":80}]"#;
    let with = |more: &str| format!("{port},{more}");
    let table: &[(String, &[&str])] = &[
        (with(r#""clusterIP":"10.96.0.9""#), &[]),
        (r#""clusterIP":"None""#.into(), &[]),
        (r#""type":"ExternalName","externalName":"a.example.com.""#.into(), &[]),
        (r#""clusterIP":"10.96.0.9""#.into(), &["spec.ports: Required value"]),
        (
            with(r#""type":"Odd""#),
            &[
                r#"spec.type: Unsupported value: "Odd": supported values: "ClusterIP", "ExternalName", "LoadBalancer", "NodePort""#,
            ],
        ),
        (r#""type":"ExternalName""#.into(), &["spec.externalName: Required value"]),
        (
            with(r#""type":"NodePort","clusterIP":"None""#),
            &[r#"spec.clusterIPs[0]: Invalid value: "None": may not be set to 'None' for NodePort services"#],
        ),
        (
            r#""ports":[{"port":0,"targetPort":"a_b"},{"name":"b","port":70000}]"#.into(),
            &[
                "spec.ports[0].name: Required value",
                "spec.ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive",
                r#"spec.ports[0].targetPort: Invalid value: "a_b": must contain only alpha-numeric characters"#,
                "spec.ports[1].port: Invalid value: 70000: must be between 1 and 65535, inclusive",
                "spec.ports[1].targetPort: Invalid value: 70000: must be between 1 and 65535, inclusive",
            ],
        ),
        (
            r#""ports":[{"name":"a","port":80},{"name":"a","port":80}]"#.into(),
            &[
                r#"spec.ports[1].name: Duplicate value: "a""#,
                r#"spec.ports[1]: Duplicate value: {"Name":"","Protocol":"TCP","AppProtocol":null,"Port":80,"TargetPort":0,"NodePort":0}"#,
            ],
        ),
        (
            r#""ports":[{"port":80,"nodePort":30000}]"#.into(),
            &["spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'"],
        ),
        (
            with(r#""selector":{"a b":"x/y"}"#),
            &[
                r#"spec.selector: Invalid value: "a b": name part must consist of"#,
                r#"spec.selector: Invalid value: "x/y": a valid label must be"#,
            ],
        ),
        (with(r#""clusterIP":"x""#), &[r#"spec.clusterIPs[0]: Invalid value: "x": must be a valid IP address"#]),
        (
            with(r#""clusterIP":"10.96.0.9","clusterIPs":["10.96.0.8"]"#),
            &[r#"spec.clusterIPs: Invalid value: ["10.96.0.8"]: first value must match `clusterIP`"#],
        ),
        (
            with(r#""clusterIP":"10.96.0.9","ipFamilies":["IPv6"]"#),
            &[
                r#"spec.clusterIPs[0]: Invalid value: "10.96.0.9": expected an IPv6 value as indicated by `ipFamilies[0]`"#,
            ],
        ),
        (
            with(r#""ipFamilyPolicy":"RequireDualStack""#),
            &[
                r#"spec.ipFamilyPolicy: Invalid value: "RequireDualStack": this cluster is not configured for dual-stack services"#,
            ],
        ),
        (
            with(r#""externalIPs":["127.0.0.1","10.1.2.03"]"#),
            &[
                r#"spec.externalIPs[0]: Invalid value: "127.0.0.1": may not be in the loopback range"#,
                r#"spec.externalIPs[1]: Invalid value: "10.1.2.03": must not have leading 0s"#,
            ],
        ),
        (
            with(r#""sessionAffinity":"Odd""#),
            &[r#"spec.sessionAffinity: Unsupported value: "Odd": supported values: "ClientIP", "None""#],
        ),
        (
            with(r#""sessionAffinity":"ClientIP","sessionAffinityConfig":{"clientIP":{"timeoutSeconds":86401}}"#),
            &[
                "spec.sessionAffinityConfig.clientIP.timeoutSeconds: Invalid value: 86401: must be greater than 0 and less than 86400",
            ],
        ),
        (
            with(r#""externalTrafficPolicy":"Local""#),
            &[
                r#"spec.externalTrafficPolicy: Invalid value: "Local": may only be set for externally-accessible services"#,
            ],
        ),
        (
            with(r#""type":"LoadBalancer","externalTrafficPolicy":"Local""#),
            &["spec.healthCheckNodePort: Required value"],
        ),
        (
            with(r#""internalTrafficPolicy":"Odd""#),
            &[r#"spec.internalTrafficPolicy: Unsupported value: "Odd": supported values: "Cluster", "Local""#],
        ),
        (
            with(r#""loadBalancerSourceRanges":["10.0.0.0/8"],"loadBalancerClass":"a/b""#),
            &[
                "spec.LoadBalancerSourceRanges: Forbidden: may only be used when `type` is 'LoadBalancer'",
                "spec.loadBalancerClass: Forbidden: may only be used when `type` is 'LoadBalancer'",
            ],
        ),
    ];
    for (spec, wanted) in table {
        check(spec, &create_errors(&service(spec)), wanted);
    }
    let named = service(port).replace(r#""name":"s""#, r#""name":"1s""#);
    check("name", &create_errors(&named), &[r#"metadata.name: Invalid value: "1s": a DNS-1035 label must consist of"#]);
}

#[test]
fn on_update() {
    let old = r#""clusterIP":"10.96.0.9","clusterIPs":["10.96.0.9"],"ipFamilies":["IPv4"],"ipFamilyPolicy":"SingleStack","ports":[{"port":80}]"#;
    let table: &[(&str, &[&str])] = &[
        (r#""ports":[{"port":81}]"#, &[]),
        (
            r#""clusterIP":"10.96.0.8","ports":[{"port":80}]"#,
            &[r#"spec.clusterIPs[0]: Invalid value: ["10.96.0.8"]: may not change once set"#],
        ),
        (r#""type":"ExternalName","externalName":"a.b","clusterIP":"10.96.0.9","clusterIPs":["10.96.0.9"]"#, &[]),
    ];
    for (new, wanted) in table {
        check(new, &update_errors(Part::Whole, &service(old), &service(new)), wanted);
    }
    let status = service(old).replace(r#""spec""#, r#""status":{"loadBalancer":{"ingress":[{"ip":"x"}]}},"spec""#);
    check(
        "status",
        &update_errors(Part::Status, &service(old), &status),
        &[
            r#"status.loadBalancer.ingress: Forbidden: may only be used when `spec.type` is "LoadBalancer""#,
            r#"status.loadBalancer.ingress[0].ip: Invalid value: "x": must be a valid IP address"#,
        ],
    );
}

fn prepared(spec: &str) -> Value {
    let mut object = object(&service(spec));
    row("Service").rules.default(&mut object);
    row("Service").rules.prepare_create(&mut object);
    object
}

#[test]
fn defaults() {
    let balancer =
        prepared(r#""type":"LoadBalancer","sessionAffinity":"ClientIP","ports":[{"port":80,"targetPort":"http"}]"#);
    assert_eq!(balancer.text(&["spec", "externalTrafficPolicy"]), "Cluster");
    assert_eq!(balancer.boolean(&["spec", "allocateLoadBalancerNodePorts"]), Some(true));
    let timeout = ["spec", "sessionAffinityConfig", "clientIP", "timeoutSeconds"];
    assert_eq!(balancer.integer(&timeout), Some(10_800));
    assert_eq!(balancer.list(&["spec", "ports"])[0].text(&["targetPort"]), "http");
    let headless = prepared(r#""clusterIP":"None""#);
    assert_eq!(headless.text(&["spec", "ipFamilyPolicy"]), "RequireDualStack");
    assert_eq!(headless.list(&["spec", "ipFamilies"]).len(), 2);
    let name = prepared(r#""type":"ExternalName","externalName":"a.b""#);
    assert!(name.at(&["spec", "ipFamilies"]).is_none() && name.at(&["spec", "internalTrafficPolicy"]).is_none());
}

#[test]
fn node_ports_are_filled_once_and_kept() {
    let mut service = prepared(
        r#""type":"NodePort","ports":[{"name":"a","port":80,"protocol":"TCP"},{"name":"b","port":80,"protocol":"UDP"},{"name":"c","port":81,"nodePort":30007}]"#,
    );
    let mut asked = Vec::new();
    let mut take = |port: Option<i64>| {
        asked.push(port);
        Ok(port.unwrap_or(30_000))
    };
    assert_eq!(ports::fill(&mut service, None, &mut take), []);
    assert_eq!(asked, [None, Some(30_007)]);
    assert_eq!(ports::held(&service), [30_000, 30_000, 30_007]);
    let mut again = object(&super::tests::service(r#""type":"NodePort","ports":[{"name":"a","port":82}]"#));
    row("Service").rules.prepare_update(Part::Whole, &mut again, &service);
    assert_eq!(ports::held(&again), [30_000]);
    let mut none_left = |_: Option<i64>| Err("range is full".to_owned());
    let mut refused = prepared(r#""type":"NodePort","ports":[{"port":80,"nodePort":31000}]"#);
    let errors = ports::fill(&mut refused, None, &mut none_left);
    assert_eq!(errors[0].to_string(), "spec.ports[0].nodePort: Invalid value: 31000: range is full");
}

#[test]
fn cells_and_warnings() {
    // TestPrintService, TestPrintServiceLoadBalancer, TestGetWarningsForService
    let shown = |spec: &str| row("Service").rules.cells(&object(&service(spec)));
    let text = |text: &str| Cell::Text(text.into());
    assert_eq!(
        shown(
            r#""type":"NodePort","clusterIPs":["10.96.0.9"],"selector":{"b":"2","a":"1"},"ports":[{"port":80,"protocol":"TCP","nodePort":30000},{"port":53,"protocol":"UDP"}]"#
        ),
        [
            text("s"),
            text("NodePort"),
            text("10.96.0.9"),
            text("<none>"),
            text("80:30000/TCP,53/UDP"),
            Cell::Age(None),
            text("a=1,b=2")
        ]
    );
    assert_eq!(
        shown(r#""type":"LoadBalancer""#),
        [
            text("s"),
            text("LoadBalancer"),
            text("<none>"),
            text("<pending>"),
            text("<none>"),
            Cell::Age(None),
            text("<none>")
        ]
    );
    let warnings = row("Service")
        .rules
        .warnings(&prepared(r#""clusterIP":"None","externalName":"x","sessionAffinity":"ClientIP""#), None);
    assert_eq!(
        warnings,
        [
            "spec.SessionAffinity is ignored for headless services",
            r#"spec.externalName is ignored when spec.type is not "ExternalName""#,
        ]
    );
}
