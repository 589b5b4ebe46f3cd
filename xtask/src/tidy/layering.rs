//! Which crate may know which: read from `cargo metadata`, so that a forbidden path through a third crate is seen too.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::Findings;
use super::exceptions::Exceptions;
use crate::shell;

/// Crates and what they must not reach, by whatever path.
const FORBIDDEN: [(&str, &[&str]); 6] = [
    ("api", &["tokio", "hyper", "tonic", "storage", "auth", "encryption"]),
    ("encryption", &["tokio", "hyper", "tonic", "api", "storage"]),
    ("auth", &["tokio", "hyper", "tonic", "storage"]),
    ("storage", &["api", "auth", "hyper", "tonic"]),
    ("controllers", &["storage", "apiserver", "encryption"]),
    ("apiserver", &["controllers", "kube", "kube-client"]),
];

const DEPENDENCIES_MOST: usize = 20;

/// What `cargo metadata` says.
#[derive(Deserialize)]
pub(super) struct Metadata {
    packages: Vec<Package>,
    workspace_members: BTreeSet<String>,
    resolve: Resolve,
}

#[derive(Deserialize)]
struct Package {
    id: String,
    name: String,
    manifest_path: String,
    dependencies: Vec<Declared>,
}

#[derive(Deserialize)]
struct Declared {
    name: String,
    kind: Option<String>,
    path: Option<String>,
}

#[derive(Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Deserialize)]
struct Node {
    id: String,
    deps: Vec<Edge>,
}

#[derive(Deserialize)]
struct Edge {
    pkg: String,
    dep_kinds: Vec<Kind>,
}

#[derive(Deserialize)]
struct Kind {
    kind: Option<String>,
}

impl Metadata {
    pub(super) fn read() -> anyhow::Result<Self> {
        let text = shell::output(&mut shell::command("cargo", &["metadata", "--format-version", "1", "--locked"]))?;
        Ok(serde_json::from_str(&text)?)
    }

    /// The names of the crates below `crates/`.
    pub(super) fn crates(&self) -> impl Iterator<Item = &str> {
        self.members().filter(|package| package.manifest_path.contains("/crates/")).map(|package| package.name.as_str())
    }

    fn members(&self) -> impl Iterator<Item = &Package> {
        self.packages.iter().filter(|package| self.workspace_members.contains(&package.id))
    }

    /// The names of all packages that this one needs to run.
    fn reach(&self, id: &str) -> BTreeSet<&str> {
        let nodes: BTreeMap<_, _> = self.resolve.nodes.iter().map(|node| (node.id.as_str(), node)).collect();
        let names: BTreeMap<_, _> =
            self.packages.iter().map(|package| (package.id.as_str(), package.name.as_str())).collect();
        let mut seen = BTreeSet::new();
        let mut waiting = vec![id];
        while let Some(node) = waiting.pop().and_then(|id| nodes.get(id)) {
            for edge in node.deps.iter().filter(|edge| edge.dep_kinds.iter().any(|kind| kind.kind.is_none())) {
                if seen.insert(edge.pkg.as_str()) {
                    waiting.push(&edge.pkg);
                }
            }
        }
        seen.into_iter().filter_map(|id| names.get(id).copied()).collect()
    }
}

pub(super) fn check(metadata: &Metadata, exceptions: &Exceptions) -> Findings {
    let mut findings = Findings::new();
    for package in metadata.members() {
        let name = package.name.as_str();
        let forbidden = FORBIDDEN.iter().find(|(of, _)| *of == name).map_or(&[][..], |(_, forbidden)| forbidden);
        let reached = metadata.reach(&package.id);
        for other in forbidden.iter().filter(|other| reached.contains(**other)) {
            findings.push(format!("crate {name} reaches {other}, which it must not know"));
        }
        let direct = package.dependencies.iter().filter(|declared| declared.kind.is_none() && declared.path.is_none());
        let direct: BTreeSet<_> = direct.map(|declared| &declared.name).collect();
        if direct.len() > DEPENDENCIES_MOST && !exceptions.allows_count("dependencies", name, direct.len()) {
            findings
                .push(format!("crate {name} has {} direct dependencies, at most {DEPENDENCIES_MOST}", direct.len()));
        }
    }
    findings
}
