//! Any sequence of operations, compared with a map that does the same.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::{Just, ProptestConfig, Strategy, any, prop};
use proptest::{prop_oneof, proptest};
use storage::conformance::{Seen, create, delete, update};
use storage::{ChangeKind, CommitError, Expect, ReadError, Revision, Store, Write};

use crate::place::{Folder, block_on};

#[derive(Debug, Clone)]
enum Step {
    /// Writes a key; the condition is right or off by something.
    Put {
        key: u8,
        value: u8,
        off: u8,
    },
    Delete {
        key: u8,
        off: u8,
    },
    /// Reads a state so many revisions ago.
    At {
        ago: u8,
        after: Option<u8>,
        limit: u8,
    },
    History {
        ago: u8,
        limit: u8,
    },
    Compact {
        ago: u8,
    },
    Reopen,
}

fn step() -> impl Strategy<Value = Step> {
    let off = prop_oneof![5 => Just(0), 1 => 1..3_u8];
    prop_oneof![
        8 => (0..6_u8, any::<u8>(), off.clone()).prop_map(|(key, value, off)| Step::Put { key, value, off }),
        3 => (0..6_u8, off).prop_map(|(key, off)| Step::Delete { key, off }),
        3 => (0..12_u8, prop::option::of(0..6_u8), 0..4_u8).prop_map(|(ago, after, limit)| Step::At { ago, after, limit }),
        3 => (0..12_u8, 0..4_u8).prop_map(|(ago, limit)| Step::History { ago, limit }),
        1 => (0..12_u8).prop_map(|ago| Step::Compact { ago }),
        1 => Just(Step::Reopen),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]
    #[test]
    fn the_store_is_a_map_with_a_memory(steps in prop::collection::vec(step(), 1..60)) {
        let mut world = World::new();
        block_on(async {
            for step in &steps {
                world.step(step).await;
            }
        });
    }
}

/// What a write did: key, value (none: deleted), what it replaced.
type Past = (String, Option<String>, Option<Revision>);

struct World {
    folder: Folder,
    open: Option<(Store, Arc<Seen>)>,
    past: Vec<Past>,
    compacted: u64,
}

impl World {
    fn new() -> Self {
        let folder = Folder::new();
        let open = folder.try_open().ok();
        Self { folder, open, past: Vec::new(), compacted: 0 }
    }

    fn store(&self) -> &Store {
        &self.open.as_ref().unwrap().0
    }

    async fn step(&mut self, step: &Step) {
        match *step {
            Step::Put { key, value, off } => self.write(key, Some(value), off).await,
            Step::Delete { key, off } => self.write(key, None, off).await,
            Step::At { ago, after, limit } => self.at(ago, after, limit.into()).await,
            Step::History { ago, limit } => self.history(ago, limit.into()).await,
            Step::Compact { ago } => {
                let revision = self.ago(ago);
                self.store().compact(revision).await.unwrap();
                self.compacted = self.compacted.max(revision.0);
            }
            Step::Reopen => {
                self.open = None;
                self.open = Some(self.folder.try_open().unwrap());
            }
        }
        self.check();
    }

    fn ago(&self, ago: u8) -> Revision {
        Revision((self.past.len() as u64).saturating_sub(ago.into()))
    }

    fn state(&self, revision: Revision) -> BTreeMap<String, (Revision, String)> {
        let mut state = BTreeMap::new();
        for (number, (key, value, _)) in (1..=revision.0).zip(&self.past) {
            match value {
                Some(value) => drop(state.insert(key.clone(), (Revision(number), value.clone()))),
                None => drop(state.remove(key)),
            }
        }
        state
    }

    async fn write(&mut self, key: u8, value: Option<u8>, off: u8) {
        let key = format!("/registry/x/{key}");
        let actual = self.state(self.ago(0)).get(&key).map(|(revision, _)| *revision);
        let wanted = match off {
            0 => actual,
            1 => None,
            _ => Some(Revision(actual.unwrap_or_default().0 + 1)),
        };
        let over = wanted.unwrap_or_default();
        let value = value.map(|value| format!("{value}").repeat(usize::from(value) * 20));
        let write = match (&value, wanted) {
            (Some(value), None) => create(&key, value),
            (Some(value), Some(_)) => update(&key, over, value),
            (None, Some(_)) => delete(&key, over, "last"),
            (None, None) => Write { expect: Expect::Absent, ..delete(&key, over, "last") },
        };
        match self.store().commit(write).await {
            Ok(revision) => {
                assert!(wanted == actual && (value.is_some() || actual.is_some()));
                self.past.push((key, value, actual));
                assert_eq!(revision, self.ago(0));
            }
            Err(CommitError::Conflict { actual: said }) => {
                assert_eq!(said, actual);
                assert!(wanted != actual || (value.is_none() && actual.is_none()));
            }
            Err(other) => panic!("{other}"),
        }
    }

    async fn at(&self, ago: u8, after: Option<u8>, limit: usize) {
        let revision = self.ago(ago);
        let after = after.map(|after| format!("/registry/x/{after}"));
        let page = match self.store().at("/registry/", revision, after.as_deref(), limit).await {
            Err(ReadError::Compacted { .. }) => return assert!(revision.0 < self.compacted),
            page => page.unwrap(),
        };
        assert!(revision.0 >= self.compacted);
        let found: Vec<_> = page.records.iter().map(|record| (record.key.to_string(), record.revision)).collect();
        let mut expected: Vec<_> =
            self.state(revision).into_iter().map(|(key, (revision, _))| (key, revision)).collect();
        expected.retain(|(key, _)| after.as_ref().is_none_or(|after| key > after));
        let rest = expected.split_off(if limit == 0 { expected.len() } else { limit.min(expected.len()) });
        assert_eq!((found, page.remaining), (expected, rest.len() as u64));
    }

    async fn history(&self, ago: u8, limit: usize) {
        let after = self.ago(ago);
        let changes = match self.store().history("/registry/", after, limit).await {
            Err(ReadError::Compacted { .. }) => return assert!(after.0 < self.compacted),
            changes => changes.unwrap(),
        };
        assert!(after.0 >= self.compacted);
        let mut number = after;
        for change in &changes.changes {
            number = number.next();
            let (key, value, previous) = &self.past[number.0 as usize - 1];
            let text = String::from_utf8_lossy(change.value.as_ref().unwrap());
            assert_eq!((&*change.key, change.revision, change.previous), (key.as_str(), number, *previous));
            assert_eq!(change.kind == ChangeKind::Put, value.is_some());
            assert_eq!(text, value.as_deref().unwrap_or("last"));
            let before = change.before.as_ref().map(|before| before.as_ref().unwrap().to_vec());
            let expected = previous.and_then(|previous| self.past[previous.0 as usize - 1].1.clone());
            assert_eq!(before, expected.map(String::into_bytes));
        }
        let all = self.past.len() - after.0 as usize;
        assert_eq!(changes.changes.len(), if limit == 0 { all } else { limit.min(all) });
        assert_eq!(changes.through, number);
    }

    /// The observer's state is the map's, also after a restart.
    fn check(&self) {
        let (store, seen) = self.open.as_ref().unwrap();
        let state = seen
            .state()
            .into_iter()
            .map(|(key, (revision, value))| (key.to_string(), (revision, String::from_utf8(value).unwrap())));
        assert_eq!(state.collect::<BTreeMap<_, _>>(), self.state(self.ago(0)));
        assert_eq!((store.revision(), store.compacted()), (self.ago(0), Revision(self.compacted)));
        assert_eq!(store.metrics().snapshot().keys, self.state(self.ago(0)).len() as u64);
    }
}
