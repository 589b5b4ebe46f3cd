//! The generic verbs over the table of resources: one create, one update, one list for every kind.
//!
//! Each verb takes `&Authorized`, which only the pipeline makes from an allow decision.

mod create;
mod delete;
mod metadata;
mod patch;
mod read;
mod subresource;
mod update;
mod watch;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use api::decode::{Decoded, Expect, FieldValidation};
use api::resources::{Part, Resource};
use api::value::Value;
use bytes::Bytes;
use http::HeaderMap;
use storage::{Mutation, Revision, Store, Write};

use crate::admission::Admission;
use crate::blocking::long;
use crate::body::{Body, BodyLimits, RequestBody};
use crate::cache::{Cache, Entry, Prepared};
use crate::error::{ApiError, Result};
use crate::negotiate::{self, Accepted};
use crate::pipeline::Authorized;
use crate::query::Query;

pub(crate) use metadata::now_seconds;

/// For how many seconds a failed write makes the server unready. Without an end, a server that gets no requests
/// because it is unready would never find out that it can write again.
const FAILURE_COUNTS: i64 = 15;

/// The verbs and what they work on.
pub(crate) struct Registry {
    store: Store,
    cache: Arc<Cache>,
    admission: Admission,
    body_limits: BodyLimits,
    locks: KeyLocks,
    /// Held from the choice of a Service's addresses and ports until they are stored, so that each is given once.
    services: tokio::sync::Mutex<()>,
    watch_limits: watch::WatchLimits,
    /// When the last write failed for a reason of the store's own, in seconds of Unix time; 0 when it did not.
    failed_at: AtomicI64,
}

/// One request as the verbs see it.
pub(crate) struct Call<'a> {
    pub(crate) who: &'a Authorized,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) query: Query<'a>,
    pub(crate) accepted: Accepted,
    /// How large the body of the request says it is; one that does not say counts as large.
    pub(crate) body_size: usize,
}

/// What a verb answers.
pub(crate) enum Content {
    /// One object of a row.
    Object(Arc<Entry>),
    /// A list of objects of a row.
    List(List),
    /// A `Status`.
    Status(Value),
    /// A stream of watch events.
    Stream(Body),
}

/// A page of a list.
pub(crate) struct List {
    pub(crate) entries: Vec<Arc<Entry>>,
    pub(crate) revision: u64,
    pub(crate) continue_token: String,
    pub(crate) remaining: Option<i64>,
    /// Past states that cannot be read.
    pub(crate) left_out: Vec<storage::Key>,
}

/// The answer with its code and warnings.
pub(crate) struct Answer {
    pub(crate) code: u16,
    pub(crate) content: Content,
    pub(crate) warnings: Vec<String>,
}

impl Answer {
    pub(crate) fn ok(content: Content) -> Self {
        Self { code: 200, content, warnings: Vec::new() }
    }
}

impl Registry {
    pub(crate) fn new(
        store: Store,
        cache: Arc<Cache>,
        admission: Admission,
        body_limits: BodyLimits,
        options: &crate::Options,
    ) -> Self {
        let watch_limits = watch::WatchLimits::new(options);
        Self {
            store,
            cache,
            admission,
            body_limits,
            locks: KeyLocks::default(),
            services: tokio::sync::Mutex::default(),
            watch_limits,
            failed_at: AtomicI64::new(0),
        }
    }

    pub(crate) fn cache(&self) -> &Arc<Cache> {
        &self.cache
    }

    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    /// The turn of a request that may be given what only one object can have.
    async fn allocation(&self, call: &Call<'_>) -> Option<tokio::sync::MutexGuard<'_, ()>> {
        let allocates = call.who.row.group.is_empty() && call.who.row.plural == "services" && call.who.sub.is_none();
        if allocates { Some(self.services.lock().await) } else { None }
    }

    /// Makes a write durable and visible.
    async fn commit(&self, prepared: Prepared, expect: storage::Expect) -> Result<Arc<Entry>, CommitFailure> {
        let prepared = Arc::new(prepared);
        let mutation = Mutation::Put(prepared.bytes.clone(), Some(Arc::clone(&prepared) as _));
        let write = Write { key: Arc::clone(&prepared.key), expect, mutation };
        let revision = self.write(write).await?;
        Ok(Arc::new(prepared.at(revision)))
    }

    /// Removes an object at the revision that was looked at.
    async fn remove(&self, entry: &Entry) -> Result<u64, CommitFailure> {
        let mutation = Mutation::Delete(entry.json.clone(), None);
        let expect = storage::Expect::Revision(Revision(entry.revision));
        let write = Write { key: Arc::clone(&entry.key), expect, mutation };
        self.write(write).await
    }

    async fn write(&self, write: Write) -> Result<u64, CommitFailure> {
        let written = self.store.commit(write).await.map(|revision| revision.0).map_err(CommitFailure::of);
        let failed_at = if matches!(written, Err(CommitFailure::Failed(_))) { now_seconds() } else { 0 };
        self.failed_at.store(failed_at, Ordering::Relaxed);
        written
    }

    /// Whether the store takes writes, as far as the last ones told.
    pub(crate) fn can_write(&self) -> bool {
        now_seconds() - self.failed_at.load(Ordering::Relaxed) > FAILURE_COUNTS
    }

    /// Reads and decodes the body of a create or update in the form the path asks for.
    async fn decode(&self, call: &Call<'_>, body: RequestBody, validation: FieldValidation) -> Result<Decoded> {
        let media = negotiate::body_media(call.headers)?;
        let bytes = self.read(body).await?;
        Ok(long(bytes.len(), || api::decode::object(&expect(call.who.row), media, &bytes, validation))?)
    }

    async fn read(&self, body: RequestBody) -> Result<Bytes> {
        crate::body::read(body, self.body_limits).await
    }
}

/// Why a commit did not happen: someone was faster, or the store refuses.
enum CommitFailure {
    Conflict,
    Failed(ApiError),
}

impl CommitFailure {
    fn of(error: storage::CommitError) -> Self {
        match error {
            storage::CommitError::Conflict { .. } => Self::Conflict,
            other => Self::Failed(other.into()),
        }
    }
}

/// What the decoder must find for a row.
pub(crate) fn expect(row: &Resource) -> Expect<'_> {
    Expect { group: row.group, version: row.version, kind: row.kind, definition: row.type_id() }
}

/// The part of the object that the request's subresource stands for.
fn part(who: &Authorized) -> Part {
    match who.sub.map(|sub| sub.name) {
        None => Part::Whole,
        Some("status") => Part::Status,
        Some(other) => Part::Named(other),
    }
}

/// The object in the form that is stored, if the row is another face of it.
fn to_stored(row: &Resource, object: Value) -> Value {
    match &row.conversion {
        Some(conversion) => (conversion.to_stored)(object),
        None => object,
    }
}

/// The stored object in the form of the row.
fn from_stored(row: &Resource, object: Value) -> Value {
    match &row.conversion {
        Some(conversion) => (conversion.from_stored)(object),
        None => object,
    }
}

/// The row that stores the objects of this row.
pub(crate) fn storing(row: &'static Resource) -> &'static Resource {
    let Some(conversion) = &row.conversion else { return row };
    let (group, plural) = conversion.stored_as;
    let stored = api::resources::all().iter().copied().find(|other| other.group == group && other.plural == plural);
    stored.unwrap_or(row)
}

/// An entry in the form of the row.
pub(crate) fn face(row: &'static Resource, entry: &Arc<Entry>) -> Result<Arc<Entry>> {
    if row.conversion.is_none() {
        return Ok(Arc::clone(entry));
    }
    let object = entry.decode(storing(row)).map_err(ApiError::internal)?;
    let prepared = Prepared::under(row, Arc::clone(&entry.key), &from_stored(row, object));
    Ok(Arc::new(prepared.at(entry.revision)))
}

/// One writer at a time changes an object that exists: waiting here costs less than a conflict after an fsync.
struct KeyLocks(Box<[tokio::sync::Mutex<()>]>);

impl Default for KeyLocks {
    fn default() -> Self {
        Self((0..1024).map(|_| tokio::sync::Mutex::default()).collect())
    }
}

impl KeyLocks {
    async fn lock(&self, row: &Resource, path: &str) -> Option<tokio::sync::MutexGuard<'_, ()>> {
        use std::hash::{DefaultHasher, Hash, Hasher};
        let mut hasher = DefaultHasher::new();
        (row.storage_prefix, path).hash(&mut hasher);
        let at = usize::try_from(hasher.finish() % self.0.len().max(1) as u64).unwrap_or_default();
        match self.0.get(at) {
            Some(lock) => Some(lock.lock().await),
            None => None,
        }
    }
}
