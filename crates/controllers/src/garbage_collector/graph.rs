//! Who owns whom: `graph_builder.go`, without what owns nothing and is owned by nothing.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use kube::ResourceExt;

use crate::meta::Meta;

/// The finalizer of objects that are deleted after their dependents.
pub(super) const FOREGROUND: &str = "foregroundDeletion";
/// The finalizer of objects whose dependents are to stay.
pub(super) const ORPHAN: &str = "orphan";
/// How many absent owners are remembered.
const ABSENT: usize = 1000;

/// Tells objects of one name apart.
pub(super) type Uid = String;

/// What has to be looked at.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Key {
    /// Whether this object is to be deleted, or may go now.
    Collect(Uid),
    /// This object goes, its dependents stay.
    Orphan(Uid),
}

/// A reference to an owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Owner {
    pub(super) uid: Uid,
    pub(super) api_version: String,
    pub(super) kind: String,
    pub(super) name: String,
    /// `blockOwnerDeletion`: the owner goes only after this dependent.
    pub(super) blocks: bool,
}

/// How far the deletion of an object is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// Nobody asked for it.
    Alive,
    /// It goes by itself.
    Going,
    /// It waits for its dependents.
    Foreground,
    /// Its dependents are to be released first.
    Orphaning,
}

/// An object of the graph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Node {
    pub(super) uid: Uid,
    /// The place of its kind in the list of kinds.
    pub(super) kind: usize,
    pub(super) namespace: Option<String>,
    pub(super) name: String,
    pub(super) owners: Vec<Owner>,
    pub(super) stage: Stage,
}

impl Node {
    pub(super) fn new(kind: usize, object: &Meta) -> Option<Self> {
        let owners = object.owner_references().iter().map(|reference| Owner {
            uid: reference.uid.clone(),
            api_version: reference.api_version.clone(),
            kind: reference.kind.clone(),
            name: reference.name.clone(),
            blocks: reference.block_owner_deletion == Some(true),
        });
        Some(Self {
            uid: object.metadata.uid.clone()?,
            kind,
            namespace: object.namespace(),
            name: object.metadata.name.clone()?,
            owners: owners.collect(),
            stage: Stage::of(object),
        })
    }

    /// The reference to this owner.
    pub(super) fn owner(&self, uid: &str) -> Option<&Owner> {
        self.owners.iter().find(|owner| owner.uid == uid)
    }

    fn blocks(&self, owner: &str) -> bool {
        self.owner(owner).is_some_and(|owner| owner.blocks)
    }
}

impl Stage {
    pub(super) fn of(object: &Meta) -> Self {
        let has = |wanted: &str| object.finalizers().iter().any(|finalizer| finalizer == wanted);
        match object.metadata.deletion_timestamp {
            None => Self::Alive,
            Some(_) if has(ORPHAN) => Self::Orphaning,
            Some(_) if has(FOREGROUND) => Self::Foreground,
            Some(_) => Self::Going,
        }
    }
}

/// Objects that have owners, or wait for something.
#[derive(Debug, Default)]
pub(super) struct Graph {
    nodes: HashMap<Uid, Node>,
    dependents: HashMap<Uid, HashSet<Uid>>,
    absent: HashSet<Uid>,
}

/// The graph, also after a panic elsewhere: each change to it is whole.
pub(super) fn lock(graph: &Mutex<Graph>) -> MutexGuard<'_, Graph> {
    graph.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Graph {
    pub(super) fn node(&self, uid: &str) -> Option<&Node> {
        self.nodes.get(uid)
    }

    /// The objects that name this one as owner.
    pub(super) fn dependents(&self, uid: &str) -> impl Iterator<Item = &Node> {
        self.dependents.get(uid).into_iter().flatten().filter_map(|dependent| self.nodes.get(dependent))
    }

    /// The objects that this one must not go before.
    pub(super) fn blocking(&self, uid: &str) -> impl Iterator<Item = &Node> {
        self.dependents(uid).filter(move |node| node.blocks(uid))
    }

    /// Whether an object was seen to go.
    pub(super) fn is_absent(&self, uid: &str) -> bool {
        self.absent.contains(uid)
    }

    /// The objects of this kind.
    pub(super) fn of_kind(&self, kind: usize) -> HashSet<Uid> {
        self.nodes.values().filter(|node| node.kind == kind).map(|node| node.uid.clone()).collect()
    }

    /// The objects that have an owner of this kind.
    pub(super) fn owned_by(&self, api_version: &str, kind: &str) -> impl Iterator<Item = Key> {
        let is_of = move |owner: &Owner| owner.api_version == api_version && owner.kind == kind;
        let owned = self.nodes.values().filter(move |node| node.owners.iter().any(is_of));
        owned.map(|node| Key::Collect(node.uid.clone()))
    }

    /// Takes in a new or changed object, and says what has to be looked at.
    pub(super) fn apply(&mut self, kind: usize, object: &Meta) -> Vec<Key> {
        let Some(new) = Node::new(kind, object) else { return Vec::new() };
        let old = self.nodes.remove(&new.uid);
        if old.is_none() && new.owners.is_empty() && matches!(new.stage, Stage::Alive | Stage::Going) {
            return Vec::new();
        }
        let keys = self.consequences(old.as_ref(), &new);
        self.link(old.as_ref(), &new);
        if !new.owners.is_empty() || matches!(new.stage, Stage::Foreground | Stage::Orphaning) {
            self.nodes.insert(new.uid.clone(), new);
        }
        keys
    }

    /// `processTransitions` and `addUnblockedOwnersToDeleteQueue`.
    fn consequences(&self, old: Option<&Node>, new: &Node) -> Vec<Key> {
        let mut keys = Vec::new();
        if !new.owners.is_empty() && old.is_none_or(|old| old.owners != new.owners) {
            keys.push(Key::Collect(new.uid.clone()));
        }
        let released =
            old.into_iter().flat_map(|old| &old.owners).filter(|owner| owner.blocks && !new.blocks(&owner.uid));
        keys.extend(released.filter(|owner| self.waits(&owner.uid)).map(|owner| Key::Collect(owner.uid.clone())));
        if old.is_none_or(|old| old.stage != new.stage) {
            match new.stage {
                Stage::Orphaning => keys.push(Key::Orphan(new.uid.clone())),
                Stage::Foreground => {
                    keys.extend(self.dependents(&new.uid).map(|node| Key::Collect(node.uid.clone())));
                    keys.push(Key::Collect(new.uid.clone()));
                }
                Stage::Alive | Stage::Going => {}
            }
        }
        keys
    }

    fn waits(&self, uid: &str) -> bool {
        self.nodes.get(uid).is_some_and(|node| node.stage == Stage::Foreground)
    }

    fn link(&mut self, old: Option<&Node>, new: &Node) {
        for owner in old.into_iter().flat_map(|old| &old.owners).filter(|owner| new.owner(&owner.uid).is_none()) {
            self.unlink(&owner.uid, &new.uid);
        }
        for owner in &new.owners {
            self.dependents.entry(owner.uid.clone()).or_default().insert(new.uid.clone());
        }
    }

    fn unlink(&mut self, owner: &str, dependent: &str) {
        if let Some(dependents) = self.dependents.get_mut(owner) {
            dependents.remove(dependent);
            if dependents.is_empty() {
                self.dependents.remove(owner);
                self.absent.remove(owner);
            }
        }
    }

    /// Takes out an object that is gone, and says what has to be looked at.
    pub(super) fn remove(&mut self, uid: &str) -> Vec<Key> {
        let mut keys: Vec<_> = self.dependents(uid).map(|node| Key::Collect(node.uid.clone())).collect();
        if !keys.is_empty() {
            if self.absent.len() >= ABSENT {
                self.absent.clear();
            }
            self.absent.insert(uid.to_owned());
        }
        let Some(node) = self.nodes.remove(uid) else { return keys };
        for owner in &node.owners {
            self.unlink(&owner.uid, uid);
            if self.waits(&owner.uid) {
                keys.push(Key::Collect(owner.uid.clone()));
            }
        }
        keys
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Graph, Key};
    use crate::meta::Meta;

    fn object(uid: &str, metadata: Value) -> Meta {
        let mut all = json!({ "uid": uid, "name": uid, "namespace": "n" });
        all.as_object_mut().unwrap().extend(metadata.as_object().unwrap().clone());
        serde_json::from_value(json!({ "metadata": all })).unwrap()
    }

    fn owned(uid: &str, owner: &str, blocks: bool) -> Meta {
        let owner = json!({ "apiVersion": "v1", "kind": "ConfigMap", "name": owner, "uid": owner, "blockOwnerDeletion": blocks });
        object(uid, json!({ "ownerReferences": [owner] }))
    }

    fn ending(uid: &str, finalizer: &str) -> Meta {
        object(uid, json!({ "deletionTimestamp": "2026-01-01T00:00:00Z", "finalizers": [finalizer] }))
    }

    fn collect(uids: &[&str]) -> Vec<Key> {
        uids.iter().map(|uid| Key::Collect((*uid).to_owned())).collect()
    }

    #[test]
    fn objects_without_owners_are_not_kept() {
        let mut graph = Graph::default();
        assert_eq!(graph.apply(0, &object("a", json!({}))), []);
        assert!(graph.node("a").is_none());
    }

    #[test]
    fn dependents_are_found_by_the_kind_of_their_owner() {
        let mut graph = Graph::default();
        graph.apply(0, &owned("d", "o", false));
        assert_eq!(graph.owned_by("v1", "ConfigMap").collect::<Vec<_>>(), collect(&["d"]));
        assert_eq!(graph.owned_by("v1", "Secret").count(), 0);
    }

    #[test]
    fn dependents_of_what_goes_are_looked_at() {
        let mut graph = Graph::default();
        assert_eq!(graph.apply(0, &owned("d", "o", false)), collect(&["d"]));
        assert_eq!(graph.apply(0, &owned("d", "o", false)), []);
        assert_eq!(graph.remove("o"), collect(&["d"]));
        assert!(graph.is_absent("o"));
        assert_eq!(graph.remove("d"), []);
        assert!(!graph.is_absent("o"));
    }

    #[test]
    fn what_waits_for_its_dependents_is_looked_at_as_they_go() {
        let mut graph = Graph::default();
        graph.apply(0, &owned("d", "o", true));
        graph.apply(0, &owned("e", "o", true));
        let mut keys = graph.apply(0, &ending("o", "foregroundDeletion"));
        keys.sort_by_key(|key| format!("{key:?}"));
        assert_eq!(keys, collect(&["d", "e", "o"]));
        assert_eq!(graph.blocking("o").count(), 2);
        assert_eq!(graph.apply(0, &owned("d", "o", false)), collect(&["d", "o"]));
        assert_eq!(graph.remove("e"), collect(&["o"]));
        assert_eq!(graph.blocking("o").count(), 0);
    }

    #[test]
    fn orphaning_begins_once() {
        let mut graph = Graph::default();
        graph.apply(0, &owned("d", "o", false));
        assert_eq!(graph.apply(0, &ending("o", "orphan")), [Key::Orphan("o".to_owned())]);
        assert_eq!(graph.apply(0, &ending("o", "orphan")), []);
        assert_eq!(graph.apply(0, &object("d", json!({}))), []);
        assert!(graph.node("d").is_none());
        assert_eq!(graph.dependents("o").count(), 0);
    }
}
