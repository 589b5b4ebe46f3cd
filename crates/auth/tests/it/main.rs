//! Who may do what: every line of `matrix.txt` is one decision. `UPDATE_EXPECT=1` writes it anew.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fmt::Write;
use std::path::Path;

use auth::{Attributes, Decision, Identity, decide};

const VERBS: [&str; 8] = ["get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"];
const RESOURCES: [(&str, &str, &str); 8] = [
    ("", "namespaces", ""),
    ("", "namespaces", "finalize"),
    ("", "namespaces", "status"),
    ("", "secrets", ""),
    ("", "serviceaccounts", ""),
    ("", "serviceaccounts", "token"),
    ("events.k8s.io", "events", ""),
    ("coordination.k8s.io", "leases", ""),
];
const PATHS: [&str; 5] = ["/api", "/apis/apps/v1", "/apisx", "/version", "/metrics"];

fn people() -> Vec<Identity> {
    vec![
        Identity::authenticated("admin", vec!["kluis:cluster-admins".to_owned()]),
        Identity::authenticated("root", vec!["system:masters".to_owned()]),
        Identity::authenticated("jane", vec!["developers".to_owned()]),
        Identity::default(),
        Identity::controller("namespace-controller"),
        Identity::controller("generic-garbage-collector"),
        Identity::controller("service-account-controller"),
        Identity::controller("another-controller"),
    ]
}

fn allowed<'a>(identity: &Identity, attributes: Attributes<'a>) -> Option<&'a str> {
    matches!(decide(identity, &attributes), Decision::Allow(_)).then_some(attributes.verb)
}

fn matrix() -> String {
    let mut text = String::new();
    for who in people() {
        writeln!(text, "# {:?} {}", who.user, who.groups.join(",")).unwrap();
        for (group, resource, subresource) in RESOURCES {
            let wanted = |verb| Attributes { verb, group, resource, subresource, ..Attributes::default() };
            let verbs: Vec<_> = VERBS.iter().filter_map(|verb| allowed(&who, wanted(verb))).collect();
            writeln!(text, "{group}/{resource}/{subresource}: {}", verbs.join(" ")).unwrap();
        }
        for path in PATHS {
            let wanted = |verb| Attributes { verb, path, ..Attributes::default() };
            let verbs: Vec<_> = ["get", "post"].iter().filter_map(|verb| allowed(&who, wanted(verb))).collect();
            writeln!(text, "{path}: {}", verbs.join(" ")).unwrap();
        }
    }
    text.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

#[test]
fn decisions_are_those_of_the_matrix() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/matrix.txt");
    let found = matrix();
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(&file, &found).unwrap();
    }
    let wanted = std::fs::read_to_string(&file).unwrap();
    assert!(found == wanted, "decisions changed; UPDATE_EXPECT=1 writes {} anew", file.display());
}
