//! The watch cache: every current object as encoded bytes, and the window of changes that watches read.
//!
//! The store calls it after each durable commit and before the commit is acknowledged, so a reader always sees
//! what any client was told. GET and LIST copy bytes from here; a change is encoded once for all its watchers.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::ops::{Bound, Range};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use api::encode::Draft;
use api::resources::{Resource, Summary};
use api::value::Value;
use bytes::Bytes;
use parking_lot::RwLock;
use storage::{ChangeKind, Committed, Key, Observer, Record, RecordError, Revision};
use tokio::sync::watch;

/// How much of the past the window of a collection holds; older changes come from the store's log.
const WINDOW_EVENTS: usize = 8192;
const WINDOW_BYTES: usize = 32 << 20;

/// One object as clients get it.
pub(crate) struct Entry {
    /// Its key in the store, shared with the store's index.
    pub(crate) key: Key,
    /// Where in the key its path begins.
    start: usize,
    /// Its resourceVersion; 0 where it was never stored (dry run).
    pub(crate) revision: u64,
    /// The whole object as JSON, beginning with the row's head.
    pub(crate) json: Bytes,
    /// What selectors and Tables need.
    pub(crate) summary: Arc<Summary>,
    /// When this state was written, in seconds of Unix time; of what lay in the store at the start, other than Events,
    /// when that was.
    pub(crate) written: i64,
    /// Where in `json` the resourceVersion field is.
    version: Range<u32>,
}

/// What a writer knows of an object before the store gives it a revision.
pub(crate) struct Prepared {
    pub(crate) key: Key,
    start: usize,
    /// Compact JSON without the revision.
    pub(crate) bytes: Bytes,
    splice: usize,
    summary: Arc<Summary>,
}

impl Prepared {
    /// Encodes and summarises an object that is ready to be stored.
    pub(crate) fn new(row: &Resource, object: &Value) -> Self {
        let path = path_of(row, object.namespace(), object.name());
        Self::under(row, key(row, &path).into(), object)
    }

    /// As above, under a key that is known.
    pub(crate) fn under(row: &Resource, key: Key, object: &Value) -> Self {
        let Draft { bytes, splice, metadata } = api::encode::stored(object);
        let summary = Arc::new(api::resources::summary(row, object, metadata));
        Self { key, start: path_start(row), bytes: bytes.into(), splice, summary }
    }

    /// The object at its revision.
    pub(crate) fn at(&self, revision: u64) -> Entry {
        let (json, version) = splice(&self.bytes, self.splice..self.splice, revision);
        Entry {
            key: Arc::clone(&self.key),
            start: self.start,
            revision,
            json,
            summary: Arc::clone(&self.summary),
            written: crate::registry::now_seconds(),
            version,
        }
    }
}

/// Replaces `range` of the encoded object by the resourceVersion field; revision 0 leaves it out.
fn splice(bytes: &[u8], range: Range<usize>, revision: u64) -> (Bytes, Range<u32>) {
    let mut digits = itoa::Buffer::new();
    let (head, tail) = (bytes.get(..range.start).unwrap_or_default(), bytes.get(range.end..).unwrap_or_default());
    let mut whole = Vec::with_capacity(bytes.len() + 44);
    whole.extend_from_slice(head);
    if revision > 0 {
        whole.extend_from_slice(b"\"resourceVersion\":\"");
        whole.extend_from_slice(digits.format(revision).as_bytes());
        whole.extend_from_slice(b"\",");
    }
    let end = whole.len();
    whole.extend_from_slice(tail);
    (Bytes::from(whole), position(range.start)..position(end))
}

fn position(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

impl Entry {
    /// `namespace/name`, or `name` for cluster-scoped kinds.
    pub(crate) fn path(&self) -> &str {
        self.key.get(self.start..).unwrap_or_default()
    }

    /// The namespace; empty for cluster-scoped kinds.
    pub(crate) fn namespace(&self) -> &str {
        self.path().split_once('/').map_or("", |(namespace, _)| namespace)
    }

    /// The name.
    pub(crate) fn name(&self) -> &str {
        self.path().split_once('/').map_or(self.path(), |(_, name)| name)
    }

    /// The encoded `metadata` of the object.
    pub(crate) fn metadata(&self) -> &[u8] {
        let range = &self.summary.metadata;
        let grown = (self.version.end - self.version.start) as usize;
        self.json.get(range.start..range.end + grown).unwrap_or_default()
    }

    /// The bytes before and after the resourceVersion field.
    pub(crate) fn without_version(&self) -> (&[u8], &[u8]) {
        let (start, end) = (self.version.start as usize, self.version.end as usize);
        (self.json.get(..start).unwrap_or_default(), self.json.get(end..).unwrap_or_default())
    }

    /// The same object at another revision: what a DELETED event shows.
    pub(crate) fn at(&self, revision: u64) -> Self {
        let (json, version) = splice(&self.json, self.version.start as usize..self.version.end as usize, revision);
        Self {
            key: Arc::clone(&self.key),
            start: self.start,
            revision,
            json,
            summary: Arc::clone(&self.summary),
            written: crate::registry::now_seconds(),
            version,
        }
    }

    /// The object as an item of a list, which has no kind of its own.
    pub(crate) fn item(&self, row: &Resource) -> &[u8] {
        self.json.get(head_length(row)..).unwrap_or_default()
    }

    /// The object as a tree, to change it.
    pub(crate) fn decode(&self, row: &Resource) -> Result<Value, api::decode::DecodeError> {
        api::decode::stored(row.type_id(), &self.json)
    }
}

/// The length of `"kind":"K","apiVersion":"V",` and the opening brace, with which every object of a row begins.
fn head_length(row: &Resource) -> usize {
    let group = if row.group.is_empty() { 0 } else { row.group.len() + 1 };
    "{\"kind\":\"\",\"apiVersion\":\"\",".len() + row.kind.len() + group + row.version.len()
}

/// A change as watchers see it.
pub(crate) struct Event {
    pub(crate) revision: u64,
    /// The state after the change; for a delete the last state at the revision of the delete.
    pub(crate) entry: Arc<Entry>,
    /// The state before it.
    pub(crate) previous: Option<Arc<Entry>>,
    pub(crate) deleted: bool,
    frames: [OnceLock<Bytes>; 3],
    /// The state before, at the revision of this change: what a watcher gets whose selector lost the object.
    lost: OnceLock<Arc<Entry>>,
}

/// The type of a watch event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EventType {
    Added,
    Modified,
    Deleted,
}

impl EventType {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Added => "ADDED",
            Self::Modified => "MODIFIED",
            Self::Deleted => "DELETED",
        }
    }
}

impl Event {
    pub(crate) fn new(revision: u64, entry: Arc<Entry>, previous: Option<Arc<Entry>>, deleted: bool) -> Self {
        Self { revision, entry, previous, deleted, frames: Default::default(), lost: OnceLock::new() }
    }

    /// The object that an event of this type shows.
    pub(crate) fn shown(&self, kind: EventType) -> Arc<Entry> {
        match (&self.previous, kind) {
            (Some(previous), EventType::Deleted) if !self.deleted => {
                Arc::clone(self.lost.get_or_init(|| Arc::new(previous.at(self.revision))))
            }
            _ => Arc::clone(&self.entry),
        }
    }

    /// The line of the stream; encoded once, shared by all.
    pub(crate) fn frame(&self, kind: EventType) -> Bytes {
        let [added, modified, deleted] = &self.frames;
        let slot = match kind {
            EventType::Added => added,
            EventType::Modified => modified,
            EventType::Deleted => deleted,
        };
        slot.get_or_init(|| frame(kind, &self.shown(kind).json)).clone()
    }
}

/// `{"type":"ADDED","object":...}` and a line feed.
pub(crate) fn frame(kind: EventType, object: &[u8]) -> Bytes {
    let mut line = Vec::with_capacity(object.len() + 40);
    line.extend_from_slice(b"{\"type\":\"");
    line.extend_from_slice(kind.as_str().as_bytes());
    line.extend_from_slice(b"\",\"object\":");
    line.extend_from_slice(object);
    line.extend_from_slice(b"}\n");
    line.into()
}

/// The objects of one storage prefix.
#[derive(Default)]
struct Collection {
    entries: BTreeMap<Key, Arc<Entry>>,
    events: VecDeque<Arc<Event>>,
    bytes: usize,
    /// The newest change that has left the window.
    dropped: u64,
}

impl Collection {
    fn apply(&mut self, revision: u64, key: &Key, new: Option<Arc<Entry>>) {
        let (entry, previous, deleted) = match new {
            Some(entry) => {
                let previous = self.entries.insert(Arc::clone(key), Arc::clone(&entry));
                (entry, previous, false)
            }
            None => {
                // Nobody has seen what could not be read: who watches begins anew rather than miss that it is gone.
                let Some(previous) = self.entries.remove(key) else { return self.forget(revision) };
                (Arc::new(previous.at(revision)), Some(previous), true)
            }
        };
        self.bytes += entry.json.len();
        self.events.push_back(Arc::new(Event::new(revision, entry, previous, deleted)));
        while self.events.len() > WINDOW_EVENTS || (self.bytes > WINDOW_BYTES && self.events.len() > 1) {
            if let Some(gone) = self.events.pop_front() {
                self.bytes -= gone.entry.json.len();
                self.dropped = gone.revision;
            }
        }
    }
}

impl Collection {
    /// Ends all watches that have not seen this revision.
    fn forget(&mut self, revision: u64) {
        self.events.clear();
        self.bytes = 0;
        self.dropped = revision;
    }
}

struct State {
    collections: HashMap<&'static str, Collection>,
    revision: u64,
}

/// See the module.
pub(crate) struct Cache {
    state: RwLock<State>,
    /// The newest revision that readers can see.
    seen: watch::Sender<u64>,
    /// Told of the changes of one collection each, so that the watchers of the others sleep on.
    changed: HashMap<&'static str, watch::Sender<u64>>,
    /// Objects that the store could not open, by key.
    damaged: RwLock<BTreeMap<Key, u64>>,
    watchers: AtomicU64,
}

/// A moment of a collection.
pub(crate) struct Snapshot {
    pub(crate) entries: Vec<Arc<Entry>>,
    pub(crate) revision: u64,
}

/// What a watch finds when it looks for changes.
pub(crate) enum Changes {
    /// The changes after its position.
    Events(Vec<Arc<Event>>),
    /// They have left the window.
    Gone,
}

impl Cache {
    pub(crate) fn new() -> Self {
        let prefixes = || api::resources::all().iter().filter(|row| is_stored(row)).map(|row| row.storage_prefix);
        let collections = prefixes().map(|prefix| (prefix, Collection::default())).collect();
        Self {
            state: RwLock::new(State { collections, revision: 0 }),
            seen: watch::Sender::new(0),
            changed: prefixes().map(|prefix| (prefix, watch::Sender::new(0))).collect(),
            damaged: RwLock::default(),
            watchers: AtomicU64::new(0),
        }
    }

    /// One object.
    pub(crate) fn get(&self, row: &Resource, path: &str) -> Option<Arc<Entry>> {
        let key = key(row, path);
        self.state.read().collections.get(row.storage_prefix)?.entries.get(key.as_str()).cloned()
    }

    /// The newest revision.
    pub(crate) fn revision(&self) -> u64 {
        *self.seen.borrow()
    }

    /// Told of each new revision.
    pub(crate) fn subscribe(&self) -> watch::Receiver<u64> {
        self.seen.subscribe()
    }

    /// Told of each change of the row's collection.
    pub(crate) fn subscribe_to(&self, row: &Resource) -> watch::Receiver<u64> {
        self.changed.get(row.storage_prefix).unwrap_or(&self.seen).subscribe()
    }

    /// How many objects a collection has.
    pub(crate) fn counts(&self) -> Vec<(&'static str, usize)> {
        let state = self.state.read();
        state.collections.iter().map(|(prefix, collection)| (*prefix, collection.entries.len())).collect()
    }

    /// How many objects the row's collection has.
    pub(crate) fn len(&self, row: &Resource) -> usize {
        let state = self.state.read();
        state.collections.get(row.storage_prefix).map_or(0, |collection| collection.entries.len())
    }

    /// The size of all current objects.
    pub(crate) fn bytes(&self) -> usize {
        let state = self.state.read();
        state
            .collections
            .values()
            .flat_map(|collection| collection.entries.values())
            .map(|entry| entry.json.len())
            .sum()
    }

    /// Open watches, for metrics.
    pub(crate) fn watchers(&self) -> &AtomicU64 {
        &self.watchers
    }

    /// Objects in a namespace (or in all), in the order of their paths, after a path, that `keep` accepts, up to
    /// `limit` (0: all).
    pub(crate) fn list(
        &self,
        row: &Resource,
        scope: &Scope<'_>,
        limit: usize,
        keep: impl Fn(&Entry) -> bool,
    ) -> Snapshot {
        let state = self.state.read();
        let Some(collection) = state.collections.get(row.storage_prefix) else {
            return Snapshot { entries: Vec::new(), revision: state.revision };
        };
        let prefix = scope.prefix(row);
        let start = match scope.after {
            Some(after) => Bound::Excluded(after),
            None => Bound::Included(prefix.as_str()),
        };
        let within = collection
            .entries
            .range::<str, _>((start, Bound::Unbounded))
            .take_while(|(key, _)| key.starts_with(&prefix));
        let kept = within.map(|(_, entry)| entry).filter(|entry| keep(entry)).cloned();
        let entries = if limit == 0 { kept.collect() } else { kept.take(limit).collect() };
        Snapshot { entries, revision: state.revision }
    }

    /// How many objects of a scope come after its key.
    pub(crate) fn count_after(&self, row: &Resource, scope: &Scope<'_>) -> usize {
        let state = self.state.read();
        let prefix = scope.prefix(row);
        let Some(collection) = state.collections.get(row.storage_prefix) else { return 0 };
        let start = Bound::Excluded(scope.after.unwrap_or(&prefix));
        collection
            .entries
            .range::<str, _>((start, Bound::Unbounded))
            .take_while(|(key, _)| key.starts_with(&prefix))
            .count()
    }

    /// Whether nothing has changed in this collection since a revision.
    pub(crate) fn unchanged_since(&self, row: &Resource, revision: u64) -> bool {
        let state = self.state.read();
        state.collections.get(row.storage_prefix).is_none_or(|collection| {
            collection.events.back().map_or(collection.dropped, |event| event.revision) <= revision
        })
    }

    /// The first changes after a revision, at most `limit`, as far as the window holds them.
    pub(crate) fn changes(&self, row: &Resource, after: u64, limit: usize) -> Changes {
        let state = self.state.read();
        let Some(collection) = state.collections.get(row.storage_prefix) else { return Changes::Events(Vec::new()) };
        if after < collection.dropped {
            return Changes::Gone;
        }
        let from = collection.events.partition_point(|event| event.revision <= after);
        Changes::Events(collection.events.range(from..).take(limit).cloned().collect())
    }

    /// Objects below a prefix that the store holds but could not open.
    pub(crate) fn damaged(&self, row: &Resource, namespace: &str) -> Vec<(Key, u64)> {
        let damaged = self.damaged.read();
        if damaged.is_empty() {
            return Vec::new();
        }
        let prefix = Scope { namespace, after: None }.prefix(row);
        damaged.iter().filter(|(key, _)| key.starts_with(&prefix)).map(|(key, at)| (Arc::clone(key), *at)).collect()
    }

    /// The revision of an object that is there but cannot be read.
    pub(crate) fn damaged_at(&self, key: &str) -> Option<u64> {
        self.damaged.read().get(key).copied()
    }

    /// Makes every watch look again: at the end of the server, which ends them.
    pub(crate) fn wake(&self) {
        for changed in self.changed.values() {
            changed.send_modify(|_| {});
        }
    }

    fn publish(&self, revision: u64) {
        self.seen.send_replace(revision);
    }
}

/// Where in a collection to look.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Scope<'a> {
    /// Empty for all namespaces.
    pub(crate) namespace: &'a str,
    /// Only objects behind this key.
    pub(crate) after: Option<&'a str>,
}

impl Scope<'_> {
    /// What all keys in this scope begin with.
    pub(crate) fn prefix(&self, row: &Resource) -> String {
        let below = if self.namespace.is_empty() { "" } else { "/" };
        format!("/registry/{}/{}{below}", row.storage_prefix, self.namespace)
    }
}

/// `namespace/name` or `name`.
pub(crate) fn path_of(row: &Resource, namespace: &str, name: &str) -> String {
    if row.namespaced { format!("{namespace}/{name}") } else { name.to_owned() }
}

/// The key in the store of this path of a row; an empty path gives the prefix of the collection.
pub(crate) fn key(row: &Resource, path: &str) -> String {
    format!("/registry/{}/{path}", row.storage_prefix)
}

/// Whether the row has objects of its own in the store.
fn is_stored(row: &Resource) -> bool {
    row.conversion.is_none() && !row.storage_prefix.is_empty()
}

/// Where in the keys of a row the path begins.
fn path_start(row: &Resource) -> usize {
    "/registry//".len() + row.storage_prefix.len()
}

/// The row of a key of the store.
fn row_of(key: &str) -> Option<&'static Resource> {
    let rest = key.strip_prefix("/registry/")?;
    let mut rows = api::resources::all().iter().copied().filter(|row| is_stored(row));
    rows.rfind(|row| rest.strip_prefix(row.storage_prefix).is_some_and(|path| path.starts_with('/')))
}

/// Reads a stored value again: at start, and for the past.
pub(crate) fn restore(row: &Resource, key: Key, value: &[u8]) -> Result<Prepared, api::decode::DecodeError> {
    Ok(Prepared::under(row, key, &api::decode::stored(row.type_id(), value)?))
}

/// When the server last wrote an object, as far as it wrote that down. Times that clients give do not count.
fn last_write(object: &Value) -> Option<i64> {
    let managers = object.list(&["metadata", "managedFields"]).iter();
    let managed = managers.filter_map(|entry| api::time::seconds(entry.text(&["time"])));
    managed.chain(api::time::creation(object)).max()
}

impl Observer for Cache {
    fn load(&self, record: Record) {
        let Some(row) = row_of(&record.key) else {
            tracing::warn!(key = &*record.key, "the store holds an object of a kind that this version does not serve");
            return;
        };
        match api::decode::stored(row.type_id(), &record.value) {
            Ok(object) => {
                let mut entry = Prepared::under(row, Arc::clone(&record.key), &object).at(record.revision.0);
                if row.plural == "events" {
                    entry.written = last_write(&object).map_or(entry.written, |at| at.min(entry.written));
                }
                let entry = Arc::new(entry);
                let mut state = self.state.write();
                if let Some(collection) = state.collections.get_mut(row.storage_prefix) {
                    collection.entries.insert(record.key, entry);
                }
            }
            Err(error) => self.set_aside(&record.key, record.revision, &error),
        }
    }

    fn load_failed(&self, key: &Key, revision: Revision, error: &RecordError) {
        self.set_aside(key, revision, error);
    }

    fn committed(&self, batch: Vec<Committed>) {
        let Some(newest) = batch.last().map(|change| change.revision.0) else { return };
        let ready: Vec<_> = batch.into_iter().filter_map(|change| self.ready(change)).collect();
        let mut touched: Vec<&'static str> = ready.iter().map(|(row, ..)| row.storage_prefix).collect();
        touched.sort_unstable();
        touched.dedup();
        let mut state = self.state.write();
        for (row, key, revision, entry) in ready {
            if let Some(collection) = state.collections.get_mut(row.storage_prefix) {
                collection.apply(revision, &key, entry);
            }
        }
        state.revision = newest;
        drop(state);
        self.publish(newest);
        for changed in touched.into_iter().filter_map(|prefix| self.changed.get(prefix)) {
            changed.send_replace(newest);
        }
    }
}

type Ready = (&'static Resource, Key, u64, Option<Arc<Entry>>);

impl Cache {
    /// The store is open and has shown all its records.
    pub(crate) fn loaded(&self, revision: Revision) {
        let mut state = self.state.write();
        state.revision = revision.0;
        for collection in state.collections.values_mut() {
            collection.dropped = revision.0;
        }
        drop(state);
        self.publish(revision.0);
    }

    /// Makes what readers need of a change, before the lock is taken.
    fn ready(&self, change: Committed) -> Option<Ready> {
        let row = row_of(&change.key)?;
        let revision = change.revision.0;
        self.damaged.write().remove(&change.key);
        if change.mutation.kind() == ChangeKind::Delete {
            return Some((row, change.key, revision, None));
        }
        let known = change.mutation.attachment().as_ref().and_then(|known| known.downcast_ref::<Prepared>());
        if let Some(prepared) = known {
            return Some((row, change.key, revision, Some(Arc::new(prepared.at(revision)))));
        }
        match restore(row, Arc::clone(&change.key), change.mutation.bytes()) {
            Ok(prepared) => Some((row, change.key, revision, Some(Arc::new(prepared.at(revision))))),
            Err(error) => {
                self.set_aside(&change.key, change.revision, &error);
                None
            }
        }
    }

    /// Remembers an object that is there but cannot be read.
    fn set_aside(&self, key: &Key, revision: Revision, error: &(dyn std::error::Error + 'static)) {
        tracing::error!(key = &**key, %revision, error, "an object in the store cannot be read; it is left out of lists");
        self.damaged.write().insert(Arc::clone(key), revision.0);
    }
}

/// Counts a watch while it is open.
pub(crate) struct OpenWatch(Arc<Cache>);

impl OpenWatch {
    pub(crate) fn new(cache: &Arc<Cache>) -> Self {
        cache.watchers.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(cache))
    }
}

impl Drop for OpenWatch {
    fn drop(&mut self) {
        self.0.watchers.fetch_sub(1, Ordering::Relaxed);
    }
}
