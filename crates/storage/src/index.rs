//! Which revisions each key has: the whole history that is kept, in memory.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Bound;

use crate::change::{ChangeKind, Key, Revision};

/// Every key with its revisions, in the order of keys.
#[derive(Default)]
pub(crate) struct Index {
    keys: BTreeMap<Key, Versions>,
    /// How many keys have a current record.
    pub(crate) live: u64,
}

/// A revision of one key and what it did, in eight bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Stamp(u64);

/// The stamps of one key, rising. Most keys have one.
pub(crate) enum Versions {
    One(Stamp),
    #[expect(clippy::box_collection, reason = "a thin pointer: this lies in the tree once for each key")]
    Many(Box<VecDeque<Stamp>>),
}

impl Index {
    /// The current record of a key, if it has one.
    pub(crate) fn current(&self, key: &str) -> Option<Revision> {
        self.keys.get(key).and_then(|versions| versions.newest()).and_then(Stamp::live)
    }

    /// Adds the newest revision of a key.
    pub(crate) fn push(&mut self, key: &Key, stamp: Stamp) {
        let before = self.current(key).is_some();
        match self.keys.get_mut(key) {
            Some(versions) => versions.push(stamp),
            None => drop(self.keys.insert(Key::clone(key), Versions::One(stamp))),
        }
        self.live = self.live + u64::from(stamp.live().is_some()) - u64::from(before);
    }

    /// Adds an older revision of a key than those that are there: the log is read from its new end.
    pub(crate) fn push_older(&mut self, key: &Key, stamp: Stamp) -> Place {
        if let Some(versions) = self.keys.get_mut(key) {
            let successor = versions.oldest();
            versions.push_older(stamp);
            return successor.map_or(Place::Newest, Place::Before);
        }
        self.live += u64::from(stamp.live().is_some());
        self.keys.insert(Key::clone(key), Versions::One(stamp));
        Place::Newest
    }

    /// The key as the index holds it, so that its name is in memory once.
    pub(crate) fn shared(&self, key: &str) -> Option<Key> {
        self.keys.get_key_value(key).map(|(shared, _)| Key::clone(shared))
    }

    /// Forgets a revision that was replaced, or a deletion.
    pub(crate) fn remove(&mut self, key: &str, revision: Revision) {
        let Some(versions) = self.keys.get_mut(key) else { return };
        if versions.remove(revision) == Left::Nothing {
            self.keys.remove(key);
        }
    }

    /// The keys after a bound that start with the prefix, each with its revisions.
    pub(crate) fn range<'a>(
        &'a self,
        prefix: &'a str,
        after: Option<&'a str>,
    ) -> impl Iterator<Item = (&'a Key, &'a Versions)> {
        let start = match after.filter(|after| *after >= prefix) {
            Some(after) => Bound::Excluded(after),
            None => Bound::Included(prefix),
        };
        self.keys.range::<str, _>((start, Bound::Unbounded)).take_while(move |(key, _)| key.starts_with(prefix))
    }
}

/// Where a revision that was read from the log belongs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// The key had none yet.
    Newest,
    /// Before this one.
    Before(Stamp),
}

#[derive(PartialEq, Eq)]
enum Left {
    Something,
    Nothing,
}

impl Stamp {
    pub(crate) fn new(revision: Revision, kind: ChangeKind) -> Self {
        Self(revision.0 << 1 | u64::from(kind == ChangeKind::Delete))
    }

    pub(crate) fn revision(self) -> Revision {
        Revision(self.0 >> 1)
    }

    pub(crate) fn kind(self) -> ChangeKind {
        if self.0 & 1 == 1 { ChangeKind::Delete } else { ChangeKind::Put }
    }

    /// The revision, unless it is a deletion.
    pub(crate) fn live(self) -> Option<Revision> {
        (self.kind() == ChangeKind::Put).then(|| self.revision())
    }
}

impl Versions {
    /// The newest at or before a revision.
    pub(crate) fn newest_at(&self, revision: Revision) -> Option<Stamp> {
        match self {
            Self::One(stamp) => Some(*stamp).filter(|stamp| stamp.revision() <= revision),
            Self::Many(stamps) => {
                let later = stamps.partition_point(|stamp| stamp.revision() <= revision);
                later.checked_sub(1).and_then(|place| stamps.get(place)).copied()
            }
        }
    }

    /// All after one revision and up to another, each with the one before it.
    pub(crate) fn between(&self, after: Revision, through: Revision) -> impl Iterator<Item = (Option<Stamp>, Stamp)> {
        let (first, many) = match self {
            Self::One(stamp) => (Some(*stamp), None),
            Self::Many(stamps) => (None, Some(stamps)),
        };
        let start = many.map_or(0, |stamps| stamps.partition_point(|stamp| stamp.revision() <= after));
        let before = start.checked_sub(1).and_then(|place| many?.get(place)).copied();
        let stamps = first.into_iter().chain(many.into_iter().flat_map(move |stamps| stamps.range(start..)).copied());
        stamps
            .skip_while(move |stamp| stamp.revision() <= after)
            .take_while(move |stamp| stamp.revision() <= through)
            .scan(before, |before, stamp| Some((before.replace(stamp), stamp)))
    }

    fn newest(&self) -> Option<Stamp> {
        match self {
            Self::One(stamp) => Some(*stamp),
            Self::Many(stamps) => stamps.back().copied(),
        }
    }

    fn oldest(&self) -> Option<Stamp> {
        match self {
            Self::One(stamp) => Some(*stamp),
            Self::Many(stamps) => stamps.front().copied(),
        }
    }

    fn push(&mut self, stamp: Stamp) {
        match self {
            Self::One(first) => *self = Self::Many(Box::new(VecDeque::from([*first, stamp]))),
            Self::Many(stamps) => stamps.push_back(stamp),
        }
    }

    fn push_older(&mut self, stamp: Stamp) {
        match self {
            Self::One(newer) => *self = Self::Many(Box::new(VecDeque::from([stamp, *newer]))),
            Self::Many(stamps) => stamps.push_front(stamp),
        }
    }

    fn remove(&mut self, revision: Revision) -> Left {
        match self {
            Self::One(stamp) if stamp.revision() == revision => return Left::Nothing,
            Self::One(_) => {}
            Self::Many(stamps) => {
                if let Ok(place) = stamps.binary_search_by_key(&revision, |stamp| stamp.revision()) {
                    stamps.remove(place);
                }
                match (stamps.len(), stamps.front()) {
                    (0, _) => return Left::Nothing,
                    (1, Some(only)) => *self = Self::One(*only),
                    _ => {}
                }
            }
        }
        Left::Something
    }
}
