//! Sets of fields, and their form in `managedFields` (`FieldsV1`).

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use crate::apply::element;
use crate::value::{Map, Value};

/// A set of paths below an object or a value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct FieldSet {
    nodes: BTreeMap<String, Node>,
}

/// What a set says of one step: whether the path that ends here is in it, and which longer ones are.
///
/// A node in a set always says something: it is owned or has nodes below.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Node {
    /// Whether the path that ends here is in the set.
    pub(super) owned: bool,
    /// The paths that go on.
    pub(super) below: FieldSet,
}

impl Node {
    /// A path that ends here.
    pub(super) fn leaf() -> Self {
        Self { owned: true, below: FieldSet::default() }
    }

    fn is_empty(&self) -> bool {
        !self.owned && self.below.is_empty()
    }
}

impl FieldSet {
    /// The set of these paths of fields.
    pub(super) fn of_fields(paths: &[&[&str]]) -> Self {
        let mut set = Self::default();
        for path in paths {
            let mut here = &mut set;
            for (at, name) in path.iter().enumerate() {
                let node = here.nodes.entry(element::field(name)).or_default();
                node.owned |= at + 1 == path.len();
                here = &mut node.below;
            }
        }
        set
    }

    /// Whether no path is in it.
    pub(super) fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// Says something of a step, unless there is nothing to say.
    pub(super) fn insert(&mut self, step: String, node: Node) {
        if !node.is_empty() {
            self.nodes.insert(step, node);
        }
    }

    /// What it says of a step.
    pub(super) fn get(&self, step: &str) -> Option<&Node> {
        self.nodes.get(step)
    }

    /// Its steps.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&String, &Node)> {
        self.nodes.iter()
    }

    /// The paths of both.
    pub(super) fn union(mut self, other: Self) -> Self {
        for (step, node) in other.nodes {
            match self.nodes.entry(step) {
                Entry::Vacant(place) => drop(place.insert(node)),
                Entry::Occupied(mut place) => {
                    let mine = place.get_mut();
                    mine.owned |= node.owned;
                    mine.below = std::mem::take(&mut mine.below).union(node.below);
                }
            }
        }
        self
    }

    /// Takes these paths out; longer ones stay.
    pub(super) fn subtract(&mut self, other: &Self) {
        for (step, theirs) in &other.nodes {
            self.change(step, |mine| {
                mine.owned &= !theirs.owned;
                mine.below.subtract(&theirs.below);
            });
        }
    }

    /// Takes these paths out, and all below them.
    pub(super) fn subtract_all_below(&mut self, other: &Self) {
        for (step, theirs) in &other.nodes {
            self.change(step, |mine| {
                if theirs.owned {
                    *mine = Node::default();
                } else {
                    mine.below.subtract_all_below(&theirs.below);
                }
            });
        }
    }

    fn change(&mut self, step: &str, change: impl FnOnce(&mut Node)) {
        if let Some(mine) = self.nodes.get_mut(step) {
            change(mine);
            if mine.is_empty() {
                self.nodes.remove(step);
            }
        }
    }

    /// The paths that are in both.
    pub(super) fn intersection(&self, other: &Self) -> Self {
        let mut both = Self::default();
        for (step, mine) in &self.nodes {
            if let Some(theirs) = other.nodes.get(step) {
                let below = mine.below.intersection(&theirs.below);
                both.insert(step.clone(), Node { owned: mine.owned && theirs.owned, below });
            }
        }
        both
    }

    /// Every path as messages print it, in the order of Kubernetes: those that end at a level before longer ones.
    pub(super) fn paths(&self) -> Vec<String> {
        let mut paths = Vec::new();
        self.collect_paths("", &mut paths);
        paths
    }

    fn collect_paths(&self, before: &str, paths: &mut Vec<String>) {
        let owned = self.nodes.iter().filter(|(_, node)| node.owned);
        paths.extend(owned.map(|(step, _)| format!("{before}{}", element::show(step))));
        for (step, node) in self.nodes.iter().filter(|(_, node)| !node.below.is_empty()) {
            node.below.collect_paths(&format!("{before}{}", element::show(step)), paths);
        }
    }

    /// Reads `fieldsV1`.
    pub(super) fn decode(tree: &Value) -> Result<Self, String> {
        let Value::Object(fields) = tree else { return Err("fieldsV1 is no object".to_owned()) };
        let mut set = Self::default();
        for (step, below) in fields.iter().filter(|(step, _)| *step != ".") {
            let Some(step) = element::canonical(step)? else { continue };
            let below_set = Self::decode(below)?;
            let owned = below_set.is_empty() || below.get(".").is_some();
            set.insert(step, Node { owned, below: below_set });
        }
        Ok(set)
    }

    /// Writes `fieldsV1`.
    pub(super) fn encode(self) -> Value {
        Value::Object(self.nodes.into_iter().map(|(step, node)| (step, node.encode())).collect())
    }
}

impl Node {
    fn encode(self) -> Value {
        if self.below.is_empty() {
            return Value::object();
        }
        let itself = self.owned.then(|| (".".to_owned(), Value::object()));
        let below = self.below.nodes.into_iter().map(|(step, node)| (step, node.encode()));
        Value::Object(itself.into_iter().chain(below).collect::<Map>())
    }
}

#[cfg(test)]
mod tests;
