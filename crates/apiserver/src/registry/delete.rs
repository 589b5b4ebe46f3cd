//! DELETE of an object and of a collection (`apiserver/pkg/endpoints/handlers/delete.go`, `store.Delete`,
//! `rest.BeforeDelete`).

use std::sync::Arc;

use api::decode::{DecodeError, Expect, FieldValidation, Media};
use api::field::{FieldError, Path, quote};
use api::resources::{Grace, Resource};
use api::value::Value;
use futures::{StreamExt, stream};
use http_body::Body as _;
use storage::Revision;

use super::read::{Selection, unreadable};
use super::{Answer, Call, CommitFailure, Content, List, Registry, metadata, storing};
use crate::body::RequestBody;
use crate::cache::{Entry, Prepared, key, path_of};
use crate::error::{ApiError, Details, Result};
use crate::negotiate;
use crate::query::{ListOptions, Query, check_dry_run, check_dry_run_values};

const ORPHAN: &str = "orphan";
const FOREGROUND: &str = "foregroundDeletion";
const ATTEMPTS: usize = 100;
/// The option that lets what cannot be read be deleted, and the verb that it needs besides `delete`.
const UNREADABLE: &str = "ignoreStoreReadErrorWithClusterBreakingPotential";
const UNSAFE_DELETE: &str = "unsafe-delete-ignore-read-errors";
/// How many expired Events are deleted at the same time: they share the waits for the disk.
const EXPIRED_AT_ONCE: usize = 64;
/// The last second that can be written as RFC 3339 in any time zone.
const LAST_SECOND: i64 = 253_402_207_200;

/// `metav1.DeleteOptions`
#[derive(Debug, Default, Clone)]
pub(super) struct DeleteOptions {
    grace: Option<i64>,
    uid: Option<String>,
    revision: Option<String>,
    propagation: Option<String>,
    orphan_dependents: Option<bool>,
    dry_run: bool,
    /// `ignoreStoreReadErrorWithClusterBreakingPotential`
    unreadable: bool,
}

/// How far a delete got.
enum Outcome {
    /// The object is gone; this was its last state.
    Deleted(Arc<Entry>),
    /// It waits for finalizers, a grace period or its contents.
    Pending(Arc<Entry>),
    /// It was waiting already.
    AlreadyPending(Arc<Entry>),
}

impl Registry {
    /// DELETE of one object.
    pub(crate) async fn delete(&self, call: &Call<'_>, body: RequestBody) -> Result<Answer> {
        let options = self.delete_options(call, body).await?;
        self.admission.admit_delete(call.who)?;
        let (row, stored) = (call.who.row, storing(call.who.row));
        let path = path_of(row, &call.who.namespace, &call.who.name);
        if options.unreadable {
            return self.delete_unreadable(call, stored, &path).await;
        }
        let outcome = self.delete_at(stored, &path, &call.who.name, &options).await?;
        let accepted = matches!(outcome, Outcome::Pending(_)) && options.orphan_dependents == Some(false);
        let content = match outcome {
            Outcome::Pending(entry) => Content::Object(entry),
            Outcome::Deleted(entry) | Outcome::AlreadyPending(entry) if row.returns_deleted => Content::Object(entry),
            Outcome::Deleted(entry) | Outcome::AlreadyPending(entry) => {
                let uid = entry.decode(stored).map(|object| object.uid().to_owned()).unwrap_or_default();
                Content::Status(success(row, entry.name(), &uid))
            }
        };
        Ok(Answer { code: if accepted { 202 } else { 200 }, content, warnings: Vec::new() })
    }

    /// DELETE of a collection: every object that the selectors accept, one by one.
    pub(crate) async fn delete_collection(&self, call: &Call<'_>, body: RequestBody) -> Result<Answer> {
        let options = ListOptions::parse(&call.query, call.who.row, false, None)?;
        let delete = self.delete_options(call, body).await?;
        let list = self.collect(call, &options).await?;
        let stored = storing(call.who.row);
        let selection = Selection { labels: &options.labels, fields: &options.fields };
        let mut deleted = Vec::with_capacity(list.entries.len());
        for entry in list.entries {
            let still = self.cache.get(stored, entry.path()).is_some_and(|now| selection.matches(&now));
            if !still {
                continue;
            }
            match self.delete_at(stored, entry.path(), entry.name(), &delete).await {
                Ok(_) => deleted.push(entry),
                Err(error) if error.code == 404 => {}
                Err(error) => return Err(error),
            }
        }
        let damaged = self.cache.damaged(stored, &call.who.namespace);
        if !damaged.is_empty() {
            // Who empties a namespace must not believe that it is empty now.
            return Err(unreadable(&damaged));
        }
        Ok(Answer::ok(Content::List(List { entries: deleted, ..list })))
    }

    /// The delete that an eviction asks for.
    pub(super) async fn delete_pod(&self, call: &Call<'_>, options: &Value, dry_run: bool) -> Result<()> {
        let mut options = DeleteOptions::from_value(options)?;
        options.dry_run |= dry_run;
        let path = path_of(call.who.row, &call.who.namespace, &call.who.name);
        self.delete_at(call.who.row, &path, &call.who.name, &options).await.map(drop)
    }

    /// Deletes the Events that were written longer ago than this; returns how many.
    pub(crate) async fn expire_events(&self, ttl: std::time::Duration) -> usize {
        let Some(events) = api::resources::find("", "v1", "events") else { return 0 };
        let newest = metadata::now_seconds() - i64::try_from(ttl.as_secs()).unwrap_or(i64::MAX);
        let old = self.cache.list(events, &crate::cache::Scope::default(), 0, |entry| entry.written <= newest).entries;
        // A conflict means that it was written again, and lives on.
        let removed = stream::iter(old).map(|entry| async move { usize::from(self.remove(&entry).await.is_ok()) });
        removed.buffer_unordered(EXPIRED_AT_ONCE).fold(0, |sum, one| async move { sum + one }).await
    }

    async fn delete_at(
        &self,
        row: &'static Resource,
        path: &str,
        name: &str,
        options: &DeleteOptions,
    ) -> Result<Outcome> {
        let _turn = self.locks.lock(row, path).await;
        for _ in 0..ATTEMPTS {
            let Some(entry) = self.cache.get(row, path) else {
                return Err(self.missing(row, row, path, name));
            };
            let object = entry.decode(row).map_err(ApiError::internal)?;
            options.check_preconditions(row, &object)?;
            match self.try_delete(row, &entry, object, options).await {
                Ok(outcome) => return Ok(outcome),
                Err(CommitFailure::Failed(error)) => return Err(error),
                Err(CommitFailure::Conflict) => {}
            }
        }
        Err(ApiError::stale(row, name))
    }

    async fn try_delete(
        &self,
        row: &'static Resource,
        entry: &Arc<Entry>,
        mut object: Value,
        options: &DeleteOptions,
    ) -> Result<Outcome, CommitFailure> {
        let graceful = match before_delete(row, &mut object, options) {
            Before::Pending => return Ok(Outcome::AlreadyPending(Arc::clone(entry))),
            Before::Graceful(seconds) => Some(seconds),
            Before::Now => None,
        };
        set_finalizers(&mut object, options);
        let held = !object.list(&["metadata", "finalizers"]).is_empty() || row.rules.is_held(&object);
        if held || graceful.is_some_and(|seconds| seconds > 0) {
            if graceful.is_none() {
                mark_deleting(&mut object);
            }
            row.rules.mark_deleting(&mut object);
            return self.store_marked(entry, row, &object, options).await.map(Outcome::Pending);
        }
        if options.dry_run {
            return Ok(Outcome::Deleted(Arc::clone(entry)));
        }
        let last = match graceful {
            // Kubernetes stores the zero grace period before it deletes; watchers see both.
            Some(_) => self.store_marked(entry, row, &object, options).await?,
            None => Arc::clone(entry),
        };
        let revision = self.remove(&last).await?;
        Ok(Outcome::Deleted(Arc::new(last.at(revision))))
    }

    async fn store_marked(
        &self,
        entry: &Arc<Entry>,
        row: &'static Resource,
        object: &Value,
        options: &DeleteOptions,
    ) -> Result<Arc<Entry>, CommitFailure> {
        let prepared = Prepared::under(row, Arc::clone(&entry.key), object);
        if entry.is_same(&prepared) {
            return Ok(Arc::clone(entry));
        }
        if options.dry_run {
            return Ok(Arc::new(prepared.at(entry.revision)));
        }
        self.commit(prepared, storage::Expect::Revision(Revision(entry.revision))).await
    }

    /// Deletes an object that is there but cannot be read, and nothing else (`corrupt_obj_deleter.go`).
    async fn delete_unreadable(&self, call: &Call<'_>, stored: &'static Resource, path: &str) -> Result<Answer> {
        let (row, name) = (call.who.row, &call.who.name);
        if !call.who.may_also(UNSAFE_DELETE) {
            let why = format!("not permitted to do {}, reason: ", quote(UNSAFE_DELETE));
            return Err(ApiError::refused(row, name, &why));
        }
        let key: storage::Key = key(stored, path).into();
        let Some(revision) = self.cache.damaged_at(&key) else {
            let why = "is exclusively used to delete corrupt object(s), try again by removing this option";
            let error = FieldError::invalid(&Path::new(UNREADABLE), true, why);
            return Err(ApiError::invalid(row.group, row.plural, name, vec![error]));
        };
        let mutation = storage::Mutation::Delete(bytes::Bytes::new(), None);
        let write = storage::Write { key, expect: storage::Expect::Revision(Revision(revision)), mutation };
        match self.write(write).await {
            Ok(_) => Ok(Answer::ok(Content::Status(success(row, name, "")))),
            Err(CommitFailure::Conflict) => Err(ApiError::stale(row, name)),
            Err(CommitFailure::Failed(error)) => Err(error),
        }
    }

    async fn delete_options(&self, call: &Call<'_>, body: RequestBody) -> Result<DeleteOptions> {
        let bytes = if body.is_end_stream() { bytes::Bytes::new() } else { self.read(body).await? };
        let options = if bytes.is_empty() {
            DeleteOptions::from_query(&call.query)?
        } else {
            DeleteOptions::from_value(&decode_options(negotiate::body_media(call.headers)?, &bytes)?)?
        };
        Ok(options)
    }
}

/// Reads the body of a delete. Clients name it by the group version of what they delete, so any is taken.
fn decode_options(media: Media, bytes: &[u8]) -> Result<Value> {
    let schema = api::generated::schema();
    let definition =
        schema.lookup("io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions").ok_or_else(ApiError::no_route)?;
    let expect = Expect { group: "", version: "v1", kind: "DeleteOptions", definition };
    let refuse = |error: DecodeError| ApiError::bad_request(error.cause());
    if media == Media::Protobuf {
        return Ok(api::decode::object(&expect, media, bytes, FieldValidation::Ignore).map_err(refuse)?.value);
    }
    let malformed = |error: &dyn std::fmt::Display| {
        ApiError::bad_request(format!("couldn't get version/kind; json parse error: {error}"))
    };
    let mut tree = match media {
        Media::Yaml => api::decode::untyped_yaml(bytes).map_err(|error| malformed(&error))?.value,
        _ => api::decode::untyped_json(bytes).map_err(|error| malformed(&error))?.value,
    };
    if tree.text(&["kind"]) == "DeleteOptions" {
        tree.set(&["apiVersion"], "v1");
    }
    Ok(api::decode::tree(&expect, tree, FieldValidation::Ignore).map_err(refuse)?.value)
}

impl DeleteOptions {
    fn from_query(query: &Query<'_>) -> Result<Self> {
        let mut errors = Vec::new();
        let dry_run = check_dry_run(query, &mut errors);
        let options = Self {
            grace: query.number("gracePeriodSeconds")?,
            propagation: query.get("propagationPolicy").filter(|text| !text.is_empty()).map(str::to_owned),
            orphan_dependents: query.get("orphanDependents").map(|_| query.flag("orphanDependents")),
            dry_run,
            unreadable: query.flag(UNREADABLE),
            ..Self::default()
        };
        options.checked(errors)
    }

    fn from_value(value: &Value) -> Result<Self> {
        let mut errors = Vec::new();
        let text = |path: &[&str]| value.at(path).and_then(Value::as_str).map(str::to_owned);
        let given: Vec<&str> = value.list(&["dryRun"]).iter().filter_map(Value::as_str).collect();
        let dry_run = check_dry_run_values(&given, &mut errors);
        let options = Self {
            grace: value.integer(&["gracePeriodSeconds"]),
            uid: text(&["preconditions", "uid"]),
            revision: text(&["preconditions", "resourceVersion"]),
            propagation: text(&["propagationPolicy"]),
            orphan_dependents: value.boolean(&["orphanDependents"]),
            dry_run,
            unreadable: value.boolean(&[UNREADABLE]).unwrap_or_default(),
        };
        options.checked(errors)
    }

    /// `ValidateDeleteOptions`
    fn checked(self, mut errors: Vec<FieldError>) -> Result<Self> {
        let field = Path::new("propagationPolicy");
        if self.orphan_dependents.is_some() && self.propagation.is_some() {
            let why = "orphanDependents and deletionPropagation cannot be both set";
            errors.push(FieldError::invalid(&field, self.propagation.as_deref().unwrap_or_default(), why));
        }
        if let Some(policy) =
            self.propagation.as_deref().filter(|policy| !matches!(*policy, "Foreground" | "Background" | "Orphan"))
        {
            errors.push(FieldError::not_supported(&field, policy, &["Foreground", "Background", "Orphan", "nil"]));
        }
        if self.unreadable {
            self.check_alone(&mut errors);
        }
        if errors.is_empty() { Ok(self) } else { Err(ApiError::invalid_options("DeleteOptions", errors)) }
    }

    /// `validateIgnoreStoreReadErrorWithClusterBreakingPotential`
    fn check_alone(&self, errors: &mut Vec<FieldError>) {
        let others = [
            (self.dry_run, "dryRun"),
            (self.propagation.is_some(), "propagationPolicy"),
            (self.orphan_dependents.is_some(), "orphanDependents"),
            (self.grace.is_some(), "gracePeriodSeconds"),
            (self.uid.is_some() || self.revision.is_some(), "preconditions"),
        ];
        for (_, name) in others.iter().filter(|(given, _)| *given) {
            let why = format!("cannot be set together with .{name}");
            errors.push(FieldError::invalid(&Path::new(UNREADABLE), true, why));
        }
    }

    fn check_preconditions(&self, row: &Resource, object: &Value) -> Result<()> {
        let differs = |what: &str, wanted: &Option<String>, actual: &str, end: &str| {
            let wanted = wanted.as_deref().filter(|wanted| *wanted != actual)?;
            Some(format!(
                "the {what} in the precondition ({wanted}) does not match the {what} in record ({actual}). The object might have been {end}"
            ))
        };
        let uid = differs("UID", &self.uid, object.uid(), "deleted and then recreated");
        let revision = object.text(&["metadata", "resourceVersion"]);
        let Some(why) = uid.or_else(|| differs("ResourceVersion", &self.revision, revision, "modified")) else {
            return Ok(());
        };
        // `rest.BeforeDelete` names the kind where others name the resource.
        let mut error = ApiError::conflict(row, object.name(), &why);
        let qualified = if row.group.is_empty() { row.kind.to_owned() } else { format!("{}.{}", row.kind, row.group) };
        error.message = error.message.replacen(&row.qualified(), &qualified, 1);
        if let Some(details) = &mut error.details {
            row.kind.clone_into(&mut details.kind);
        }
        Err(error)
    }
}

/// What a delete may do to an object now.
enum Before {
    /// Marked with a grace period; 0 goes on to delete it.
    Graceful(i64),
    /// A grace period is running already.
    Pending,
    /// Nothing to wait for but finalizers.
    Now,
}

fn before_delete(row: &Resource, object: &mut Value, options: &DeleteOptions) -> Before {
    let Grace::Seconds(seconds) = row.rules.grace(object, options.grace) else { return Before::Now };
    if let Some(at) = api::time::seconds(object.text(&["metadata", "deletionTimestamp"])) {
        // A period of 0 is what a delete leaves that was cut off between its two steps; the next one ends it.
        let running = object.integer(&["metadata", "deletionGracePeriodSeconds"]).filter(|running| *running != 0);
        let Some(running) = running else { return Before::Now };
        // Only a shorter period may be asked for.
        return match options.grace {
            Some(asked) if asked < running => {
                object.set(&["metadata", "deletionTimestamp"], moment(at.saturating_sub(running), asked));
                object.set(&["metadata", "deletionGracePeriodSeconds"], asked);
                Before::Graceful(asked)
            }
            _ => Before::Pending,
        };
    }
    object.set(&["metadata", "deletionTimestamp"], moment(metadata::now_seconds(), seconds));
    object.set(&["metadata", "deletionGracePeriodSeconds"], seconds);
    bump_generation(object);
    Before::Graceful(seconds)
}

/// So many seconds after a moment, or the last that can be written.
fn moment(from: i64, seconds: i64) -> String {
    api::time::format(from.saturating_add(seconds).clamp(0, LAST_SECOND))
}

/// `markAsDeleting`
fn mark_deleting(object: &mut Value) {
    if object.at(&["metadata", "deletionGracePeriodSeconds"]).is_none() {
        bump_generation(object);
    }
    let now = metadata::now_seconds();
    let past = api::time::seconds(object.text(&["metadata", "deletionTimestamp"])).is_some_and(|at| at <= now);
    if !past {
        object.set(&["metadata", "deletionTimestamp"], api::time::format(now));
    }
    object.set(&["metadata", "deletionGracePeriodSeconds"], 0);
}

fn bump_generation(object: &mut Value) {
    if let Some(generation) = object.integer(&["metadata", "generation"]).filter(|generation| *generation > 0) {
        object.set(&["metadata", "generation"], generation.saturating_add(1));
    }
}

/// `deletionFinalizersForGarbageCollection`
fn set_finalizers(object: &mut Value, options: &DeleteOptions) {
    let has = |name: &str| object.list(&["metadata", "finalizers"]).iter().any(|one| one.as_str() == Some(name));
    let (had_orphan, had_foreground) = (has(ORPHAN), has(FOREGROUND));
    let (orphan, foreground) = match (options.orphan_dependents, options.propagation.as_deref()) {
        (Some(orphan), _) => (orphan, false),
        (None, Some(policy)) => (policy == "Orphan", policy == "Foreground"),
        (None, None) => (had_orphan, had_foreground && !had_orphan),
    };
    if (orphan, foreground) == (had_orphan, had_foreground) {
        return;
    }
    let others = object
        .list(&["metadata", "finalizers"])
        .iter()
        .filter(|one| !matches!(one.as_str(), Some(ORPHAN | FOREGROUND)));
    let mut finalizers: Vec<Value> = others.cloned().collect();
    if orphan {
        finalizers.push(ORPHAN.into());
    }
    if foreground {
        finalizers.push(FOREGROUND.into());
    }
    if finalizers.is_empty() {
        object.remove(&["metadata", "finalizers"]);
    } else {
        object.set(&["metadata", "finalizers"], finalizers);
    }
}

/// The Status of a delete that is done.
fn success(row: &'static Resource, name: &str, uid: &str) -> Value {
    let details = Details {
        name: name.into(),
        group: row.group.into(),
        kind: row.plural.into(),
        uid: uid.into(),
        ..Details::default()
    };
    let mut status = Value::object();
    status.set(&["kind"], "Status");
    status.set(&["apiVersion"], "v1");
    status.set(&["metadata"], Value::object());
    status.set(&["status"], "Success");
    status.set(&["details"], details.to_value());
    status
}
