//! What every engine must do, asserted here and nowhere else.
//!
//! A case gets a [`Place`] with nothing in it and may open it again and again.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test suite: a panic is its answer")]

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use bytes::Bytes;

use crate::{
    ChangeKind, CommitError, Committed, Expect, Key, Mutation, Observer, ReadError, Record, RecordError, Revision,
    Store, Write,
};

/// Where a store lies. Opened again after a store is dropped, it has what the store had.
pub trait Place {
    /// Opens the store that lies here.
    fn open(&self, observer: Arc<dyn Observer>) -> Store;
}

/// A case and its name.
pub type Case = (&'static str, fn(Arc<dyn Place>) -> Pin<Box<dyn Future<Output = ()>>>);

/// All cases. Each wants a place of its own.
pub const CASES: &[Case] = &[
    ("a fresh store is empty", |place| Box::pin(fresh(place))),
    ("revisions count writes of all keys", |place| Box::pin(revisions(place))),
    ("a write happens only as expected", |place| Box::pin(conditions(place))),
    ("writes of one group are checked in order", |place| Box::pin(one_group(place))),
    ("the observer sees each write once and in order", |place| Box::pin(observed(place))),
    ("what was acknowledged is there after a restart", |place| Box::pin(restart(place))),
    ("past states can be read page by page", |place| Box::pin(past(place))),
    ("changes can be read after any revision that is kept", |place| Box::pin(changes(place))),
    ("what is compacted is refused, the rest stays", |place| Box::pin(compaction(place))),
    ("revisions go on after everything is deleted and compacted", |place| Box::pin(no_reuse(place))),
    ("a panic of the observer closes the store", |place| Box::pin(panic(place))),
    ("values of any size and content survive", |place| Box::pin(sizes(place))),
];

/// Remembers everything that it sees.
#[derive(Default)]
pub struct Seen {
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    state: BTreeMap<Key, (Revision, Vec<u8>)>,
    commits: Vec<(Key, Revision, Option<Revision>, ChangeKind, bool)>,
    failed: Vec<(Key, Revision, String)>,
}

impl Seen {
    /// The current records.
    pub fn state(&self) -> BTreeMap<Key, (Revision, Vec<u8>)> {
        self.inner.lock().unwrap().state.clone()
    }

    /// The records that could not be read.
    pub fn failed(&self) -> Vec<(Key, Revision, String)> {
        self.inner.lock().unwrap().failed.clone()
    }

    fn keys(&self) -> Vec<String> {
        self.state().keys().map(|key| key.to_string()).collect()
    }
}

impl Observer for Seen {
    fn load(&self, record: Record) {
        let value = (record.revision, record.value.to_vec());
        assert!(self.inner.lock().unwrap().state.insert(record.key, value).is_none(), "loaded twice");
    }

    fn load_failed(&self, key: &Key, revision: Revision, error: &RecordError) {
        self.inner.lock().unwrap().failed.push((Key::clone(key), revision, error.to_string()));
    }

    fn committed(&self, batch: Vec<Committed>) {
        let mut inner = self.inner.lock().unwrap();
        for Committed { key, revision, previous, mutation } in batch {
            let attached = mutation.attachment().is_some();
            inner.commits.push((Key::clone(&key), revision, previous, mutation.kind(), attached));
            match mutation {
                Mutation::Put(value, _) => drop(inner.state.insert(key, (revision, value.to_vec()))),
                Mutation::Delete(..) => drop(inner.state.remove(&key)),
            }
        }
    }
}

/// A write of a value that expects no record.
pub fn create(key: &str, value: &str) -> Write {
    put(key, Expect::Absent, value)
}

/// A write of a value over the record of a revision.
pub fn update(key: &str, over: Revision, value: &str) -> Write {
    put(key, Expect::Revision(over), value)
}

/// A deletion of the record of a revision.
pub fn delete(key: &str, over: Revision, last: &str) -> Write {
    let mutation = Mutation::Delete(Bytes::copy_from_slice(last.as_bytes()), None);
    Write { key: key.into(), expect: Expect::Revision(over), mutation }
}

fn put(key: &str, expect: Expect, value: &str) -> Write {
    Write { key: key.into(), expect, mutation: Mutation::Put(Bytes::copy_from_slice(value.as_bytes()), None) }
}

fn open(place: &Arc<dyn Place>) -> (Store, Arc<Seen>) {
    let seen = Arc::new(Seen::default());
    (place.open(Arc::clone(&seen) as Arc<dyn Observer>), seen)
}

fn assert_conflict(result: Result<Revision, CommitError>, expected: Option<u64>) {
    match result {
        Err(CommitError::Conflict { actual }) => assert_eq!(actual, expected.map(Revision)),
        other => panic!("{other:?} is no conflict"),
    }
}

async fn fresh(place: Arc<dyn Place>) {
    let (store, seen) = open(&place);
    assert_eq!((store.revision(), store.compacted()), (Revision(0), Revision(0)));
    assert!(seen.state().is_empty());
    let page = store.at("/", Revision(0), None, 0).await.unwrap();
    assert!(page.records.is_empty() && page.next.is_none());
    assert!(store.history("/", Revision(0), 0).await.unwrap().changes.is_empty());
}

async fn revisions(place: Arc<dyn Place>) {
    let (store, _) = open(&place);
    for number in 1..=5 {
        assert_eq!(store.commit(create(&format!("/a/{number}"), "x")).await.unwrap(), Revision(number));
        assert_eq!(store.revision(), Revision(number));
    }
    assert_eq!(store.commit(update("/a/2", Revision(2), "y")).await.unwrap(), Revision(6));
    assert_eq!(store.commit(delete("/a/3", Revision(3), "x")).await.unwrap(), Revision(7));
    assert_eq!((store.current("/a/2"), store.current("/a/3")), (Some(Revision(6)), None));
}

async fn conditions(place: Arc<dyn Place>) {
    let (store, seen) = open(&place);
    assert_conflict(store.commit(update("/a", Revision(1), "x")).await, None);
    assert_conflict(store.commit(delete("/a", Revision(1), "x")).await, None);
    let deletion = Write { expect: Expect::Absent, ..delete("/a", Revision(0), "x") };
    assert_conflict(store.commit(deletion).await, None);
    store.commit(create("/a", "x")).await.unwrap();
    assert_conflict(store.commit(create("/a", "y")).await, Some(1));
    assert_conflict(store.commit(update("/a", Revision(7), "y")).await, Some(1));
    store.commit(delete("/a", Revision(1), "x")).await.unwrap();
    assert_conflict(store.commit(update("/a", Revision(1), "y")).await, None);
    assert_conflict(store.commit(update("/a", Revision(2), "y")).await, None);
    assert_eq!(store.commit(create("/a", "z")).await.unwrap(), Revision(3));
    assert_eq!(seen.state()[&Key::from("/a")], (Revision(3), b"z".to_vec()));
}

/// Many writers of one key at once: exactly one creates it, and of each round exactly one replaces it.
async fn one_group(place: Arc<dyn Place>) {
    let (store, seen) = open(&place);
    for round in 0..20 {
        let expect = store.current("/a").map_or(Expect::Absent, Expect::Revision);
        let writes = (0..16).map(|writer| {
            let store = store.clone();
            let write = Write { expect, ..create("/a", &format!("{round}/{writer}")) };
            tokio::spawn(async move { store.commit(write).await })
        });
        let mut won = Vec::new();
        for write in writes.collect::<Vec<_>>() {
            match write.await.unwrap() {
                Ok(revision) => won.push(revision),
                Err(CommitError::Conflict { actual }) => assert_eq!(actual, Some(Revision(round + 1))),
                Err(other) => panic!("{other}"),
            }
        }
        assert_eq!(won, [Revision(round + 1)]);
    }
    assert_eq!(seen.inner.lock().unwrap().commits.len(), 20);
}

async fn observed(place: Arc<dyn Place>) {
    let (store, seen) = open(&place);
    let mut revision = store.commit(create("/a", "0")).await.unwrap();
    let mutation = Mutation::Put(Bytes::from_static(b"1"), Some(Arc::new(5)));
    let expect = Expect::Revision(revision);
    revision = store.commit(Write { key: "/a".into(), expect, mutation }).await.unwrap();
    store.commit(delete("/a", revision, "1")).await.unwrap();
    store.commit(create("/a", "2")).await.unwrap();
    let key = || Key::from("/a");
    let (put, deleted) = (ChangeKind::Put, ChangeKind::Delete);
    let expected = [
        (key(), Revision(1), None, put, false),
        (key(), Revision(2), Some(Revision(1)), put, true),
        (key(), Revision(3), Some(Revision(2)), deleted, false),
        (key(), Revision(4), None, put, false),
    ];
    assert_eq!(seen.inner.lock().unwrap().commits, expected);
}

async fn restart(place: Arc<dyn Place>) {
    let (store, seen) = open(&place);
    for number in 0..300 {
        store.commit(create(&format!("/a/{number:03}"), &format!("value {number}"))).await.unwrap();
    }
    for number in (0..300).step_by(3) {
        let key = format!("/a/{number:03}");
        store.commit(update(&key, store.current(&key).unwrap(), "new")).await.unwrap();
    }
    for number in (0..300).step_by(7) {
        let key = format!("/a/{number:03}");
        store.commit(delete(&key, store.current(&key).unwrap(), "last")).await.unwrap();
    }
    let (before, revision) = (seen.state(), store.revision());
    drop(store);
    let (store, seen) = open(&place);
    assert_eq!((seen.state(), store.revision()), (before, revision));
    assert!(seen.failed().is_empty());
    assert_eq!(store.current("/a/001"), Some(Revision(2)));
    assert_eq!(store.commit(create("/b", "x")).await.unwrap(), revision.next());
    assert_eq!(store.at("/a/", Revision(300), None, 0).await.unwrap().records.len(), 300);
}

async fn past(place: Arc<dyn Place>) {
    let (store, _) = open(&place);
    for name in ["c", "a", "b", "d"] {
        store.commit(create(&format!("/x/{name}"), name)).await.unwrap();
    }
    store.commit(create("/y/a", "other")).await.unwrap();
    store.commit(update("/x/a", Revision(2), "new")).await.unwrap();
    store.commit(delete("/x/b", Revision(3), "b")).await.unwrap();

    let at = async |revision: u64, after: Option<&str>, limit| {
        let page = store.at("/x/", Revision(revision), after, limit).await.unwrap();
        let text = |record: &Record| format!("{}={}", &record.key[3..], String::from_utf8_lossy(&record.value));
        let records: Vec<_> = page.records.iter().map(text).collect();
        (records.join(" "), page.next.map(|next| next.to_string()), page.remaining)
    };
    assert_eq!(at(0, None, 0).await, (String::new(), None, 0));
    assert_eq!(at(2, None, 0).await, ("a=a c=c".into(), None, 0));
    assert_eq!(at(5, None, 2).await, ("a=a b=b".into(), Some("/x/b".into()), 2));
    assert_eq!(at(5, Some("/x/b"), 2).await, ("c=c d=d".into(), None, 0));
    assert_eq!(at(7, None, 0).await, ("a=new c=c d=d".into(), None, 0));
    assert_eq!(at(6, Some("/x/d"), 0).await, (String::new(), None, 0));
    assert_eq!(at(6, Some("/a"), 1).await, ("a=new".into(), Some("/x/a".into()), 3));
    let future = store.at("/x/", Revision(8), None, 0).await;
    assert!(matches!(future, Err(ReadError::Future { newest: Revision(7), .. })));
}

async fn changes(place: Arc<dyn Place>) {
    let (store, _) = open(&place);
    store.commit(create("/x/a", "1")).await.unwrap();
    store.commit(create("/y/a", "other")).await.unwrap();
    store.commit(update("/x/a", Revision(1), "2")).await.unwrap();
    store.commit(delete("/x/a", Revision(3), "last")).await.unwrap();
    store.commit(create("/x/a", "3")).await.unwrap();
    store.commit(create("/x/b", "4")).await.unwrap();

    let after = async |revision: u64, limit| {
        let changes = store.history("/x/", Revision(revision), limit).await.unwrap();
        let text = |change: &crate::Change| {
            let text = |value: &crate::Value| String::from_utf8_lossy(value).into_owned();
            let before = change.before.as_ref().map(|before| text(before.as_ref().unwrap()));
            let kind = if change.kind == ChangeKind::Put { "put" } else { "delete" };
            let (value, before) = (text(change.value.as_ref().unwrap()), before.unwrap_or("-".into()));
            format!("{} {kind} {value} over {before}@{}", change.revision, change.previous.unwrap_or_default())
        };
        (changes.changes.iter().map(text).collect::<Vec<_>>(), changes.through.0)
    };
    let all =
        ["1 put 1 over -@0", "3 put 2 over 1@1", "4 delete last over 2@3", "5 put 3 over -@0", "6 put 4 over -@0"];
    let expect =
        |range: std::ops::Range<usize>, through| (all[range].iter().map(|text| (*text).to_owned()).collect(), through);
    assert_eq!(after(0, 0).await, expect(0..5, 6));
    assert_eq!(after(2, 0).await, expect(1..5, 6));
    assert_eq!(after(1, 2).await, expect(1..3, 4));
    assert_eq!(after(6, 0).await, (vec![], 6));
    assert!(matches!(store.history("/", Revision(7), 0).await, Err(ReadError::Future { .. })));
}

async fn compaction(place: Arc<dyn Place>) {
    let (store, _) = open(&place);
    store.commit(create("/a", "1")).await.unwrap();
    store.commit(create("/b", "1")).await.unwrap();
    store.commit(update("/a", Revision(1), "2")).await.unwrap();
    store.commit(delete("/b", Revision(2), "1")).await.unwrap();
    store.commit(update("/a", Revision(3), "3")).await.unwrap();
    assert!(matches!(store.compact(Revision(6)).await, Err(ReadError::Future { .. })));
    store.compact(Revision(3)).await.unwrap();

    assert_compacted_at_three(&store).await;
    drop(store);
    let (store, _) = open(&place);
    assert_compacted_at_three(&store).await;
    store.compact(Revision(2)).await.unwrap();
    assert_eq!(store.compacted(), Revision(3));
    store.compact(Revision(5)).await.unwrap();
    assert_eq!(store.at("/", Revision(5), None, 0).await.unwrap().records.len(), 1);
    assert_eq!(store.metrics().snapshot().history, 0);
    drop(store);
    let (store, seen) = open(&place);
    assert_eq!((store.compacted(), store.revision(), seen.keys()), (Revision(5), Revision(5), vec!["/a".to_owned()]));
}

async fn assert_compacted_at_three(store: &Store) {
    assert_eq!(store.compacted(), Revision(3));
    let refused = store.at("/", Revision(2), None, 0).await;
    assert!(matches!(refused, Err(ReadError::Compacted { oldest: Revision(3), .. })));
    let refused = store.history("/", Revision(2), 0).await;
    assert!(matches!(refused, Err(ReadError::Compacted { oldest: Revision(3), .. })));
    let page = store.at("/", Revision(3), None, 0).await.unwrap();
    let values: Vec<_> = page.records.iter().map(|record| (record.revision.0, record.value.to_vec())).collect();
    assert_eq!(values, [(3, b"2".to_vec()), (2, b"1".to_vec())]);
    let changes = store.history("/", Revision(3), 0).await.unwrap().changes;
    let before: Vec<_> = changes.into_iter().map(|change| change.before.unwrap().unwrap().to_vec()).collect();
    assert_eq!(before, [b"1", b"2"]);
}

/// The newest row may be gone: a deletion at the end that was compacted.
async fn no_reuse(place: Arc<dyn Place>) {
    let (store, _) = open(&place);
    store.commit(create("/a", "1")).await.unwrap();
    store.commit(delete("/a", Revision(1), "1")).await.unwrap();
    store.compact(Revision(2)).await.unwrap();
    drop(store);
    let (store, _) = open(&place);
    assert_eq!(store.revision(), Revision(2));
    assert_eq!(store.commit(create("/a", "1")).await.unwrap(), Revision(3));
}

/// Nobody waits for ever, and what was durable is there.
async fn panic(place: Arc<dyn Place>) {
    struct Panics;
    impl Observer for Panics {
        fn load(&self, _: Record) {}
        fn load_failed(&self, _: &Key, _: Revision, _: &RecordError) {}
        fn committed(&self, _: Vec<Committed>) {
            panic!("as the test wants it");
        }
    }
    let store = place.open(Arc::new(Panics));
    for key in ["/a", "/b"] {
        assert!(matches!(store.commit(create(key, "x")).await, Err(CommitError::Closed)));
    }
    assert!(matches!(store.compact(Revision(0)).await, Err(ReadError::Closed)));
    drop(store);
    assert_eq!(open(&place).1.keys(), ["/a"]);
}

async fn sizes(place: Arc<dyn Place>) {
    let (store, seen) = open(&place);
    let sizes = [0, 1, 100, 4_000, 16_000, 16_384, 20_000, 70_000, 3 << 20];
    for (number, size) in sizes.into_iter().enumerate() {
        let mutation = Mutation::Put(vec![number as u8; size].into(), None);
        store.commit(Write { key: format!("/{number}").into(), expect: Expect::Absent, mutation }).await.unwrap();
    }
    let before = seen.state();
    drop(store);
    let (_store, seen) = open(&place);
    assert!(seen.state() == before);
    assert_eq!(before.values().map(|(_, value)| value.len()).collect::<Vec<_>>(), sizes);
}
