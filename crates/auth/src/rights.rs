//! What the server's own controllers may do: their cluster roles of Kubernetes' bootstrap policy
//! (`plugin/pkg/auth/authorizer/rbac/bootstrappolicy/controller_policy.go`), and the reads of the informers
//! that kube-controller-manager shares among them, which here are each controller's own.

use crate::Attributes;

/// The user names of controllers begin so.
pub(crate) const CONTROLLER_PREFIX: &str = "system:serviceaccount:kube-system:";

/// Every combination of these is allowed; `*` stands for all.
struct Rule {
    groups: &'static [&'static str],
    resources: &'static [&'static str],
    verbs: &'static [&'static str],
}

const EVENTS: Rule =
    Rule { groups: &["", "events.k8s.io"], resources: &["events"], verbs: &["create", "patch", "update"] };

const NAMESPACE: &[Rule] = &[
    Rule { groups: &[""], resources: &["namespaces"], verbs: &["delete", "get", "list", "watch"] },
    Rule { groups: &[""], resources: &["namespaces/finalize", "namespaces/status"], verbs: &["update"] },
    Rule { groups: &["*"], resources: &["*"], verbs: &["delete", "deletecollection", "get", "list", "watch"] },
];

const GARBAGE_COLLECTOR: &[Rule] = &[
    Rule { groups: &["*"], resources: &["*"], verbs: &["delete", "get", "list", "patch", "update", "watch"] },
    EVENTS,
];

const SERVICE_ACCOUNT: &[Rule] = &[
    Rule { groups: &[""], resources: &["namespaces", "serviceaccounts"], verbs: &["get", "list", "watch"] },
    Rule { groups: &[""], resources: &["serviceaccounts"], verbs: &["create"] },
    EVENTS,
];

/// The paths of the cluster role `system:discovery`.
const DISCOVERY: &[&str] = &["/api", "/apis", "/openapi", "/healthz", "/livez", "/readyz", "/version"];

/// Whether this user is one of the server's own controllers and may do this.
pub(crate) fn controller_may(user: &str, attributes: &Attributes<'_>) -> bool {
    let rules = match user.strip_prefix(CONTROLLER_PREFIX) {
        Some("namespace-controller") => NAMESPACE,
        Some("generic-garbage-collector") => GARBAGE_COLLECTOR,
        Some("service-account-controller") => SERVICE_ACCOUNT,
        _ => return false,
    };
    if attributes.is_resource() {
        rules.iter().any(|rule| rule.allows(attributes))
    } else {
        attributes.verb == "get" && DISCOVERY.iter().any(|root| is_at_or_below(attributes.path, root))
    }
}

fn is_at_or_below(path: &str, root: &str) -> bool {
    path.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

impl Rule {
    fn allows(&self, wanted: &Attributes<'_>) -> bool {
        let has = |list: &[&str], one| list.iter().any(|item| *item == "*" || *item == one);
        has(self.verbs, wanted.verb)
            && has(self.groups, wanted.group)
            && self.resources.iter().any(|item| *item == "*" || names(item, wanted))
    }
}

/// Whether `pods` or `pods/status` is what the request wants.
fn names(item: &str, wanted: &Attributes<'_>) -> bool {
    match item.split_once('/') {
        Some((resource, below)) => resource == wanted.resource && below == wanted.subresource,
        None => item == wanted.resource && wanted.subresource.is_empty(),
    }
}
