//! After `TestValidateResourceRequirements`, `TestComputePodQOS` and `TestAggregateContainerRequestsAndLimits`.

use serde_json::json;

use super::check::{create_errors, same, with_spec};
use crate::resources::pod::totals;

fn errors(resources: serde_json::Value) -> Vec<String> {
    create_errors(&with_spec(json!({ "containers": [{ "name": "c", "image": "i", "resources": resources }] })))
}

#[test]
fn requirements() {
    let p = "spec.containers[0].resources";
    let check = |name: &str, resources, wanted: &[String]| {
        let wanted: Vec<&str> = wanted.iter().map(String::as_str).collect();
        same(name, &errors(resources), &wanted);
    };
    check("right", json!({ "limits": { "cpu": "1", "example.com/gpu": "2", "hugepages-2Mi": "4Mi" } }), &[]);
    check(
        "more than the limit",
        json!({ "limits": { "cpu": "1" }, "requests": { "cpu": "2" } }),
        &[format!("{p}.requests: Invalid value: \"2\": must be less than or equal to cpu limit of 1")],
    );
    check(
        "not lent",
        json!({ "limits": { "a.b/c": "2" }, "requests": { "a.b/c": "1" } }),
        &[format!("{p}.requests: Invalid value: \"1\": must be equal to a.b/c limit of 2")],
    );
    check(
        "no limit",
        json!({ "requests": { "a.b/c": "1" } }),
        &[format!("{p}.limits: Required value: Limit must be set for non overcommitable resources")],
    );
    check(
        "negative",
        json!({ "requests": { "cpu": "-1" } }),
        &[format!("{p}.requests[cpu]: Invalid value: \"-1\": must be greater than or equal to 0")],
    );
    check(
        "unknown",
        json!({ "requests": { "gpu": "1" } }),
        &[
            format!("{p}.requests[gpu]: Invalid value: \"gpu\": must be a standard resource type or fully qualified"),
            format!("{p}.requests[gpu]: Invalid value: \"gpu\": must be a standard resource for containers"),
        ],
    );
    check(
        "of no container",
        json!({ "requests": { "pods": "1" } }),
        &[format!("{p}.requests[pods]: Invalid value: \"pods\": must be a standard resource for containers")],
    );
    check(
        "in parts",
        json!({ "limits": { "a.b/c": "1500m" } }),
        &[
            format!("{p}.limits[a.b/c]: Invalid value: \"1500m\": must be an integer"),
            format!("{p}.requests[a.b/c]: Invalid value: \"1500m\": must be an integer"),
        ],
    );
    check(
        "pages alone",
        json!({ "limits": { "hugepages-2Mi": "2Mi" } }),
        &[format!("{p}: Forbidden: HugePages require cpu or memory")],
    );
    check(
        "part of a page",
        json!({ "limits": { "hugepages-2Mi": "3Mi", "cpu": "1" } }),
        &[
            format!(
                "{p}.limits[hugepages-2Mi]: Invalid value: \"3Mi\": 3Mi is not positive integer multiple of hugepages-2Mi"
            ),
            format!(
                "{p}.requests[hugepages-2Mi]: Invalid value: \"3Mi\": 3Mi is not positive integer multiple of hugepages-2Mi"
            ),
        ],
    );
    check(
        "a claim that is not there",
        json!({ "claims": [{ "name": "a" }] }),
        &[format!(
            "{p}.claims[0]: Not found: \"a\": must be one of the names in pod.spec.resourceClaims which is empty"
        )],
    );
}

#[test]
fn requirements_of_the_pod() {
    // TestValidatePodResourceConsistency
    let with = |resources, limit: &str| {
        let container = json!({ "name": "c", "image": "i", "resources": { "limits": { "cpu": limit }, "requests": { "cpu": "1" } } });
        create_errors(&with_spec(json!({ "containers": [container], "resources": resources })))
    };
    same("right", &with(json!({ "requests": { "cpu": "1" }, "limits": { "cpu": "2" } }), "2"), &[]);
    same(
        "too little",
        &with(json!({ "requests": { "cpu": "500m" } }), "2"),
        &[
            "spec.resources.requests[cpu]: Invalid value: \"500m\": must be greater than or equal to aggregate container \
         requests of 1",
        ],
    );
    same(
        "over the limit",
        &with(json!({ "limits": { "cpu": "1" } }), "2"),
        &[
            "spec.resources.containers[0][cpu].limits: Invalid value: \"2\": must be less than or equal to pod limits of 1",
        ],
    );
    same(
        "unsupported",
        &with(json!({ "requests": { "ephemeral-storage": "1" } }), "2"),
        &["spec.resources.requests[ephemeral-storage]: Unsupported value: \"ephemeral-storage\": supported values: \
         \"cpu\", \"hugepages-\", \"memory\""],
    );
}

#[test]
fn classes_of_service() {
    let class = |containers: serde_json::Value| {
        let pod = with_spec(json!({ "containers": containers }));
        totals::class(pod.get("spec").expect("a spec"))
    };
    let c = |name: &str, resources: serde_json::Value| json!({ "name": name, "image": "i", "resources": resources });
    let both = json!({ "cpu": "1", "memory": "1Mi" });
    assert_eq!(class(json!([c("a", json!({}))])), "BestEffort");
    assert_eq!(class(json!([c("a", json!({ "requests": { "cpu": "0" } }))])), "BestEffort");
    assert_eq!(class(json!([c("a", json!({ "requests": { "cpu": "1" } }))])), "Burstable");
    assert_eq!(class(json!([c("a", json!({ "limits": both }))])), "Guaranteed");
    assert_eq!(class(json!([c("a", json!({ "limits": { "cpu": "1" } }))])), "Burstable");
    assert_eq!(class(json!([c("a", json!({ "limits": both })), c("b", json!({}))])), "Burstable");
    let less = json!({ "limits": both, "requests": { "cpu": "500m" } });
    assert_eq!(class(json!([c("a", less)])), "Burstable");
}

#[test]
fn containers_together() {
    let c = |name: &str, cpu: &str| json!({ "name": name, "image": "i", "resources": { "requests": { "cpu": cpu } } });
    let sidecar = |name: &str, cpu: &str| {
        let mut one = c(name, cpu);
        one["restartPolicy"] = "Always".into();
        one
    };
    let total = |main: serde_json::Value, init: serde_json::Value| {
        let pod = with_spec(json!({ "containers": main, "initContainers": init }));
        totals::aggregate(pod.get("spec").expect("a spec"), "requests").get("cpu").map(ToString::to_string)
    };
    assert_eq!(total(json!([c("a", "1"), c("b", "2")]), json!([c("i", "1")])).as_deref(), Some("3"));
    assert_eq!(total(json!([c("a", "1")]), json!([c("i", "5")])).as_deref(), Some("5"));
    let init = json!([sidecar("s", "2"), c("i", "5")]);
    assert_eq!(total(json!([c("a", "1")]), init).as_deref(), Some("7"));
    assert_eq!(total(json!([c("a", "1")]), json!([c("i", "2"), sidecar("s", "2")])).as_deref(), Some("3"));
}
