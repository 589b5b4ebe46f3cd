//! Tables after `TestValidateNode` and `TestValidateNodeUpdate` of `pkg/apis/core/validation/validation_test.go`.

use crate::resources::{Cell, Part};
use crate::testing::{check, create_errors, object, row, update_errors};

fn node(fields: &str) -> String {
    format!(r#"{{"apiVersion":"v1","kind":"Node","metadata":{{"name":"n","resourceVersion":"1"}},{fields}}}"#)
}

#[test]
fn on_create() {
    let table: &[(&str, &[&str])] = &[
        (r#""spec":{}"#, &[]),
        (
            r#""spec":{"taints":[{"key":"a b","effect":"No"},{"key":"k","value":"x/y"}]}"#,
            &[
                r#"metadata.taints[0].key: Invalid value: "a b": name part must consist of"#,
                r#"metadata.taints[0].effect: Unsupported value: "No": supported values: "NoSchedule", "PreferNoSchedule", "NoExecute""#,
                r#"metadata.taints[1].value: Invalid value: "x/y": a valid label must be"#,
                "metadata.taints[1].effect: Required value",
            ],
        ),
        (
            r#""spec":{"taints":[{"key":"k","effect":"NoExecute"},{"key":"k","effect":"NoExecute","value":"v"}]}"#,
            &[
                r#"metadata.taints[1]: Duplicate value: {"effect":"NoExecute","key":"k","value":"v"}: taints must be unique by key and effect pair"#,
            ],
        ),
        (
            r#""status":{"capacity":{"cpu":"-1"},"allocatable":{"cpu":"1"}}"#,
            &[r#"status.capacity.cpu: Invalid value: "-1": must be greater than or equal to 0"#],
        ),
        (
            r#""spec":{"podCIDR":"10.0.0.0/33"}"#,
            &[r#"spec.podCIDRs[0]: Invalid value: "10.0.0.0/33": must be a valid CIDR"#],
        ),
        (
            r#""spec":{"podCIDRs":["10.0.0.0/24","10.0.1.0/24"]}"#,
            &[
                r#"spec.podCIDRs: Invalid value: ["10.0.0.0/24","10.0.1.0/24"]: may specify no more than one CIDR for each IP family"#,
            ],
        ),
    ];
    for (fields, wanted) in table {
        check(fields, &create_errors(&node(fields)), wanted);
    }
}

#[test]
fn on_update() {
    let table: &[(Part, &str, &str, &[&str])] = &[
        (Part::Whole, r#""spec":{}"#, r#""spec":{"unschedulable":true,"providerID":"p","podCIDR":"10.0.0.0/24"}"#, &[]),
        (
            Part::Whole,
            r#""spec":{"providerID":"p","podCIDR":"10.0.0.0/24"}"#,
            r#""spec":{}"#,
            &[
                r#"spec.podCIDRs: Forbidden: node updates may not change podCIDR except from "" to valid"#,
                r#"spec.providerID: Forbidden: node updates may not change providerID except from "" to valid"#,
            ],
        ),
        (
            Part::Status,
            r#""spec":{"providerID":"p"}"#,
            r#""status":{"addresses":[{"type":"A","address":"1"},{"type":"A","address":"1"}]}"#,
            &[r#"status.addresses[1]: Duplicate value: {"address":"1","type":"A"}"#],
        ),
    ];
    for (part, old, new, wanted) in table {
        check(new, &update_errors(*part, &node(old), &node(new)), wanted);
    }
}

#[test]
fn capacity_is_what_can_be_allocated_unless_it_is_said() {
    // TestSetDefaultNodeStatusAllocatable
    let mut node = object(&node(r#""status":{"capacity":{"cpu":"4"}},"spec":{"podCIDRs":["10.0.0.0/24"]}"#));
    row("Node").rules.default(&mut node);
    assert_eq!(node.text(&["status", "allocatable", "cpu"]), "4");
    assert_eq!(node.text(&["spec", "podCIDR"]), "10.0.0.0/24");
}

#[test]
fn cells_of_a_node() {
    // TestPrintNodeStatus, TestPrintNodeRole, TestPrintNodeExternalIP
    let node = object(
        r#"{"kind":"Node","apiVersion":"v1","metadata":{"name":"n","labels":{"node-role.kubernetes.io/b":"","kubernetes.io/role":"a"}},
            "spec":{"unschedulable":true},"status":{"conditions":[{"type":"Ready","status":"False"}],
            "addresses":[{"type":"InternalIP","address":"10.0.0.1"}],"nodeInfo":{"kubeletVersion":"v1.36.0"}}}"#,
    );
    let text = |text: &str| Cell::Text(text.into());
    assert_eq!(
        row("Node").rules.cells(&node),
        [
            text("n"),
            text("NotReady,SchedulingDisabled"),
            text("a,b"),
            Cell::Age(None),
            text("v1.36.0"),
            text("10.0.0.1"),
            text("<none>"),
            text("<unknown>"),
            text("<unknown>"),
            text("<unknown>"),
        ]
    );
}
