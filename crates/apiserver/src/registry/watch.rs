//! Watches: a position in the window of changes, turned into a stream of frames.
//!
//! A watcher has no queue: it reads the window from its position when it is told that there is more. One that falls
//! out of the window is ended and harms nobody; it comes back with its last revision and reads the log.

use std::collections::{HashMap, VecDeque};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use api::resources::Resource;
use api::value::Value;
use bytes::{Bytes, BytesMut};
use futures::stream;
use parking_lot::Mutex;
use storage::{ChangeKind, Revision, Store};
use tokio::sync::watch;
use tokio::time::{Instant, Sleep};

use super::read::unreadable;
use super::{Answer, Call, Content, Registry, face, storing};
use crate::body::Body;
use crate::cache::{Cache, Changes, Entry, Event, EventType, OpenWatch, Scope, frame, restore};
use crate::error::{ApiError, Result};
use crate::negotiate::Form;
use crate::query::{ListOptions, parse_revision};
use crate::render;

/// Between bookmarks on a quiet watch.
const BOOKMARK_INTERVAL: Duration = Duration::from_secs(60);
/// `--min-request-timeout`: watches without a timeout end after it, up to twice as long.
const LEAST_TIMEOUT: Duration = Duration::from_secs(1800);
/// The most changes that are read from the log at a time.
const LOG_PAGE: usize = 500;
/// The most objects or changes that are made ready before the client takes some.
const AT_ONCE: usize = 64;
/// How many bytes of objects are made ready at a time, about.
const ROOM: usize = 256 << 10;

/// How many watches one identity may hold, and the signal that ends all.
pub(crate) struct WatchLimits {
    most: usize,
    open: Arc<Mutex<HashMap<String, usize>>>,
    ending: watch::Receiver<bool>,
}

/// One of the watches of an identity.
struct Slot {
    user: String,
    open: Arc<Mutex<HashMap<String, usize>>>,
}

impl WatchLimits {
    pub(crate) fn new(options: &crate::Options) -> Self {
        Self { most: options.max_watches_per_identity, open: Arc::default(), ending: options.shutdown.clone() }
    }

    fn enter(&self, user: &str) -> Result<Slot> {
        let mut open = self.open.lock();
        let count = open.entry(user.to_owned()).or_default();
        if *count >= self.most {
            let message = format!(
                "{user:?} has {count} watches open, the most that --max-watches-per-identity allows; end some first"
            );
            return Err(ApiError::too_many_requests(message, 1));
        }
        *count += 1;
        Ok(Slot { user: user.to_owned(), open: Arc::clone(&self.open) })
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut open = self.open.lock();
        if let Some(count) = open.get_mut(&self.user) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.user);
            }
        }
    }
}

impl Registry {
    /// GET of a collection with `watch=1`.
    pub(crate) async fn watch(&self, call: &Call<'_>) -> Result<Answer> {
        let row = call.who.row;
        let options = ListOptions::parse(&call.query, row, true, Some(&call.who.name))?;
        let asked = parse_revision(&options.resource_version).map_err(|why| ApiError::new(500, "", why))?;
        let slot = self.watch_limits.enter(&call.who.identity.user)?;
        let initial = options.send_initial_events;
        if initial == Some(true) {
            self.wait_for(asked.unwrap_or(0)).await?;
        }
        let timeout = options.timeout.unwrap_or_else(|| LEAST_TIMEOUT + jitter(LEAST_TIMEOUT));
        let mut watcher = Watcher {
            row,
            cache: Arc::clone(&self.cache),
            namespace: call.who.namespace.clone(),
            form: call.form(),
            cursor: self.cache.revision(),
            stage: Stage::Window,
            pending: VecDeque::new(),
            changed: self.cache.subscribe_to(storing(row)),
            ending: self.watch_limits.ending.clone(),
            until: Instant::now() + timeout,
            bookmark_at: Instant::now() + BOOKMARK_INTERVAL,
            timer: Box::pin(tokio::time::sleep(BOOKMARK_INTERVAL.min(timeout))),
            initial_end: false,
            over: false,
            options,
            _held: (slot, OpenWatch::new(&self.cache)),
        };
        match asked {
            Some(revision) if revision > 0 && initial != Some(true) => {
                watcher.cursor = revision;
                watcher.stage = Stage::Log(self.store.clone());
            }
            _ if initial == Some(false) => {}
            _ => watcher.begin_with_state()?,
        }
        let pieces =
            stream::unfold(watcher, |mut watcher| async move { watcher.next().await.map(|piece| (piece, watcher)) });
        Ok(Answer::ok(Content::Stream(Body::stream(pieces))))
    }
}

/// A change from the log as an event.
fn past_event(row: &Resource, change: storage::Change) -> Result<Event> {
    let unreadable =
        |error: &dyn std::fmt::Display| ApiError::internal(format!("a change in the log cannot be read: {error}"));
    let revision = change.revision.0;
    let read = |bytes: Result<storage::Value, storage::RecordError>, at: u64| -> Result<Arc<Entry>> {
        let bytes = bytes.map_err(|error| unreadable(&error))?;
        let prepared = restore(row, Arc::clone(&change.key), &bytes).map_err(|error| unreadable(&error))?;
        Ok(Arc::new(prepared.at(at)))
    };
    let previous = match (change.before, change.previous) {
        (Some(before), Some(at)) => Some(read(before, at.0)?),
        _ => None,
    };
    Ok(Event::new(revision, read(change.value, revision)?, previous, change.kind == ChangeKind::Delete))
}

fn jitter(most: Duration) -> Duration {
    let random = u32::from_le_bytes(uuid::Uuid::new_v4().into_bytes()[..4].try_into().unwrap_or_default());
    most.mul_f64(f64::from(random) / f64::from(u32::MAX))
}

/// How a watch shows objects.
#[derive(Debug, Clone, Copy)]
pub(super) enum WatchForm {
    Object,
    Metadata,
    /// The columns come with the first row only.
    Table(render::Include, bool),
}

/// Where what a watch sends comes from. Each is read a little at a time, as fast as the client takes it, so that a
/// slow one holds little.
enum Stage {
    /// The state at the beginning.
    State(std::vec::IntoIter<Arc<Entry>>),
    /// The log, until it has reached the window.
    Log(Store),
    /// The window of changes.
    Window,
}

struct Watcher {
    row: &'static Resource,
    cache: Arc<Cache>,
    namespace: String,
    options: ListOptions,
    form: WatchForm,
    stage: Stage,
    /// All changes up to here are in the state, in `pending`, or sent.
    cursor: u64,
    pending: VecDeque<Bytes>,
    changed: watch::Receiver<u64>,
    ending: watch::Receiver<bool>,
    until: Instant,
    bookmark_at: Instant,
    /// Runs to the earlier of the two; kept over waits, because starting a timer costs more than a change.
    timer: Pin<Box<Sleep>>,
    /// Whether the bookmark that ends the initial events is still to come.
    initial_end: bool,
    /// Nothing comes after what is pending.
    over: bool,
    _held: (Slot, OpenWatch),
}

impl Watcher {
    /// The state of now as ADDED events, then what changes.
    fn begin_with_state(&mut self) -> Result<()> {
        let row = storing(self.row);
        let damaged = self.cache.damaged(row, &self.namespace);
        if !damaged.is_empty() {
            return Err(unreadable(&damaged));
        }
        let scope = Scope { namespace: &self.namespace, after: None };
        let selected = |entry: &Entry| entry.is_selected(&self.options.labels, &self.options.fields);
        let snapshot = self.cache.list(row, &scope, 0, selected);
        self.cursor = snapshot.revision;
        self.stage = Stage::State(snapshot.entries.into_iter());
        self.initial_end = self.options.send_initial_events == Some(true) && self.options.bookmarks;
        Ok(())
    }

    /// The next piece of the stream; `None` ends it.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            if let Some(piece) = self.take() {
                return Some(piece);
            }
            let now = Instant::now();
            if self.over || *self.ending.borrow() || now >= self.until {
                return None;
            }
            if let Err(error) = self.fill(now).await {
                self.pending.push_back(error_frame(&error));
                self.over = true;
            }
        }
    }

    /// Queues what comes next, or waits for it.
    async fn fill(&mut self, now: Instant) -> Result<()> {
        match &mut self.stage {
            Stage::State(entries) => {
                let mut room = ROOM;
                let few = std::iter::from_fn(|| {
                    let entry = if room > 0 { entries.next()? } else { return None };
                    room = room.saturating_sub(entry.json.len());
                    Some(entry)
                });
                let next: Vec<_> = few.take(AT_ONCE).collect();
                if next.is_empty() {
                    self.stage = Stage::Window;
                    if self.initial_end {
                        self.bookmark();
                    }
                }
                for entry in next {
                    let shown = face(self.row, &entry)?;
                    let piece = self.show(EventType::Added, &shown);
                    self.pending.push_back(piece);
                }
                Ok(())
            }
            Stage::Log(store) => {
                let store = store.clone();
                self.fill_from_log(&store).await
            }
            Stage::Window if now >= self.bookmark_at => {
                self.bookmark_at = now + BOOKMARK_INTERVAL;
                self.timer.as_mut().reset(self.bookmark_at.min(self.until));
                if self.options.bookmarks {
                    self.bookmark();
                }
                Ok(())
            }
            Stage::Window => self.fill_from_window().await,
        }
    }

    /// Goes on from a revision: from the window if it reaches that far, else from the log.
    async fn fill_from_log(&mut self, store: &Store) -> Result<()> {
        let row = storing(self.row);
        if matches!(self.cache.changes(row, self.cursor, 0), Changes::Events(_)) {
            self.stage = Stage::Window;
            return Ok(());
        }
        let prefix = Scope { namespace: &self.namespace, after: None }.prefix(row);
        let read = match store.history(&prefix, Revision(self.cursor), LOG_PAGE).await {
            Ok(read) => read,
            Err(storage::ReadError::Compacted { asked, oldest }) => {
                return Err(ApiError::expired(format!("too old resource version: {asked} ({oldest})")));
            }
            Err(error) => return Err(error.into()),
        };
        for change in read.changes {
            self.offer(&past_event(row, change)?)?;
        }
        self.cursor = self.cursor.max(read.through.0);
        Ok(())
    }

    async fn fill_from_window(&mut self) -> Result<()> {
        self.changed.borrow_and_update();
        let newest = self.cache.revision();
        let Changes::Events(events) = self.cache.changes(storing(self.row), self.cursor, AT_ONCE) else {
            // Too slow: it comes back with its last revision.
            self.over = true;
            return Ok(());
        };
        for event in &events {
            self.offer(event)?;
            self.cursor = event.revision;
        }
        if events.is_empty() {
            self.cursor = self.cursor.max(newest);
            self.wait().await;
        }
        Ok(())
    }

    /// Waits for a change or a bookmark's time. The end of the server counts as a change ([`Cache::wake`]).
    async fn wait(&mut self) {
        let gone = tokio::select! {
            biased;
            changed = self.changed.changed() => changed.is_err(),
            () = self.timer.as_mut() => false,
        };
        self.over |= gone;
    }

    /// Everything that is ready, in pieces that are not too large.
    fn take(&mut self) -> Option<Bytes> {
        let first = self.pending.pop_front()?;
        let small = |piece: &Bytes| piece.len() < 16 << 10;
        if !small(&first) || self.pending.is_empty() {
            return Some(first);
        }
        let mut joined = BytesMut::with_capacity(64 << 10);
        joined.extend_from_slice(&first);
        while joined.len() < 48 << 10 {
            let Some(piece) = self.pending.pop_front_if(|piece| small(piece)) else { break };
            joined.extend_from_slice(&piece);
        }
        Some(joined.freeze())
    }

    /// Queues what this watcher is to see of a change, if anything.
    fn offer(&mut self, event: &Event) -> Result<()> {
        if !self.namespace.is_empty() && event.entry.namespace() != self.namespace {
            return Ok(());
        }
        let selected = |entry: &Entry| entry.is_selected(&self.options.labels, &self.options.fields);
        let before = event.previous.as_deref().is_some_and(selected);
        let after = !event.deleted && selected(&event.entry);
        let kind = match (before, after) {
            (false, false) => return Ok(()),
            (false, true) => EventType::Added,
            (true, true) => EventType::Modified,
            (true, false) => EventType::Deleted,
        };
        let shared = matches!(self.form, WatchForm::Object) && self.row.conversion.is_none();
        let piece = if shared { event.frame(kind) } else { self.show(kind, &*face(self.row, &event.shown(kind))?) };
        self.pending.push_back(piece);
        Ok(())
    }

    /// One event in the form that was asked for.
    fn show(&mut self, kind: EventType, entry: &Entry) -> Bytes {
        match &mut self.form {
            WatchForm::Object => frame(kind, &entry.json),
            WatchForm::Metadata => frame(kind, &render::partial_metadata(entry)),
            WatchForm::Table(include, columns_sent) => {
                let table = render::table_of_one(self.row, entry, *include, !*columns_sent);
                *columns_sent = true;
                frame(kind, &table)
            }
        }
    }

    /// Queues a BOOKMARK at the cursor; the first of a watch with initial events is annotated as their end.
    fn bookmark(&mut self) {
        let (kind, version) = match self.form {
            WatchForm::Object => (self.row.kind.to_owned(), self.row.api_version()),
            WatchForm::Metadata => ("PartialObjectMetadata".to_owned(), "meta.k8s.io/v1".to_owned()),
            WatchForm::Table(..) => ("Table".to_owned(), "meta.k8s.io/v1".to_owned()),
        };
        let ends = std::mem::take(&mut self.initial_end);
        self.pending.push_back(render::bookmark((&kind, &version), self.cursor, ends));
    }
}

/// The ERROR event that carries a Status.
fn error_frame(error: &ApiError) -> Bytes {
    let mut event = Value::object();
    event.set(&["type"], "ERROR");
    event.set(&["object"], error.status());
    let mut line = api::encode::json(&event);
    line.push(b'\n');
    line.into()
}

impl Call<'_> {
    fn form(&self) -> WatchForm {
        match self.accepted.form {
            Form::Object => WatchForm::Object,
            Form::Metadata | Form::MetadataList => WatchForm::Metadata,
            Form::Table => {
                WatchForm::Table(render::Include::parse(self.query.text("includeObject")).unwrap_or_default(), false)
            }
        }
    }
}
