//! Update: PUT, and what it shares with PATCH (`apiserver/pkg/endpoints/handlers/update.go`, `store.Update`).

use std::sync::Arc;

use api::value::Value;
use storage::{Expect, Revision};

use super::patch::Patch;
use super::{Answer, Call, CommitFailure, Content, Registry, from_stored, metadata, part, storing, to_stored};
use crate::blocking::long;
use crate::body::RequestBody;
use crate::cache::{Entry, Prepared, path_of};
use crate::error::{ApiError, Result};
use crate::query::WriteOptions;

/// How often a change that names no revision is tried against a moving object.
const ATTEMPTS: usize = 100;

/// A change of the current object in place.
pub(super) type Edit = Box<dyn Fn(&mut Value) -> Result<()> + Send + Sync>;

/// Where the new object comes from.
pub(super) enum Source {
    /// The object itself, decoded and defaulted.
    Object(Value),
    /// A patch of the current one.
    Patch(Patch),
    /// A function of the current one: a subresource whose body is no object of the kind.
    Edit(Edit),
}

/// A new object on its way into the store.
struct Change {
    object: Value,
    /// Whether the client named the revision it saw: then a conflict is its own.
    conditional: bool,
}

impl Registry {
    /// PUT on an object or a subresource.
    pub(crate) async fn update(&self, call: &Call<'_>, body: RequestBody) -> Result<Answer> {
        let options = WriteOptions::parse(&call.query, "UpdateOptions", false)?;
        let decoded = self.decode(call, body, options.field_validation).await?;
        let mut object = decoded.value;
        check_name(&object, &call.who.name)?;
        metadata::ensure_namespace(call.who.row, &mut object, &call.who.namespace)?;
        call.who.row.rules.default(&mut object);
        let mut warnings = decoded.warnings;
        let (code, entry) = self.modify(call, &options, &Source::Object(object), &mut warnings).await?;
        Ok(Answer { code, content: Content::Object(entry), warnings })
    }

    /// Changes the named object, or creates it where the kind or the patch allows that.
    pub(super) async fn modify(
        &self,
        call: &Call<'_>,
        options: &WriteOptions,
        source: &Source,
        warnings: &mut Vec<String>,
    ) -> Result<(u16, Arc<Entry>)> {
        let (row, stored) = (call.who.row, storing(call.who.row));
        let path = path_of(row, &call.who.namespace, &call.who.name);
        let _turn = self.locks.lock(stored, &path).await;
        let _allocation = self.allocation(call).await;
        let given = warnings.len();
        for _ in 0..ATTEMPTS {
            let Some(entry) = self.cache.get(stored, &path) else {
                if let Some(error) = self.unreadable_at(stored, row, &path, &call.who.name) {
                    return Err(error);
                }
                return self.create_instead(call, options, source, warnings).await.map(|entry| (201, entry));
            };
            warnings.truncate(given);
            let (old, change) = long(entry.json.len().saturating_add(call.body_size), || {
                let old = from_stored(row, entry.decode(stored).map_err(ApiError::internal)?);
                let change = self.derive(call, options, source, &old, warnings)?;
                Ok::<_, ApiError>((old, change))
            })?;
            match self.replace(call, options, &entry, &old, change.object).await {
                Ok(entry) => return Ok((200, entry)),
                Err(CommitFailure::Failed(error)) => return Err(error),
                Err(CommitFailure::Conflict) if change.conditional => break,
                Err(CommitFailure::Conflict) => {}
            }
        }
        Err(ApiError::stale(row, &call.who.name))
    }

    async fn create_instead(
        &self,
        call: &Call<'_>,
        options: &WriteOptions,
        source: &Source,
        warnings: &mut Vec<String>,
    ) -> Result<Arc<Entry>> {
        let (row, name) = (call.who.row, &call.who.name);
        if call.who.sub.is_some() {
            return Err(ApiError::not_found(row, name));
        }
        match source {
            Source::Object(object) if row.create_on_update => {
                self.create_object(call, options, object.clone(), warnings).await
            }
            Source::Patch(patch) if patch.creates() => {
                let mut object = patch.derive(call, options, None, warnings)?;
                object.remove(&["metadata", "resourceVersion"]);
                self.create_tracked(call, options, object, warnings).await
            }
            _ => Err(ApiError::not_found(row, name)),
        }
    }

    /// The new object: derived, checked against the old one, validated.
    fn derive(
        &self,
        call: &Call<'_>,
        options: &WriteOptions,
        source: &Source,
        old: &Value,
        warnings: &mut Vec<String>,
    ) -> Result<Change> {
        let (row, part) = (call.who.row, part(call.who));
        let mut new = match source {
            Source::Object(object) => {
                check_uid(call, object, old)?;
                object.clone()
            }
            Source::Patch(patch) => patch.derive(call, options, Some(old), warnings)?,
            Source::Edit(edit) => {
                let mut edited = old.clone();
                edit(&mut edited)?;
                edited.remove(&["metadata", "resourceVersion"]);
                edited
            }
        };
        let conditional = check_revision(call, source, &new, old)?;
        if !matches!(source, Source::Patch(patch) if patch.is_apply()) {
            let manager = options.manager(call.user_agent());
            let now = metadata::now();
            api::apply::track_update(row.type_id(), &call.manager(&manager, &now, part), Some(old), &mut new);
        }
        metadata::keep_system_fields(&mut new, old);
        if let Some(revision) = old.at(&["metadata", "resourceVersion"]) {
            new.set(&["metadata", "resourceVersion"], revision.clone());
        }
        warnings.extend(metadata::dedup_owners(&mut new));
        row.rules.prepare_update(part, &mut new, old);
        self.admission.admit_update(&self.cache, call.who, &mut new, old)?;
        metadata::validate_update(row, part, &new, old)?;
        warnings.extend(row.rules.warnings(&new, Some(old)));
        api::apply::keep_times(&mut new, old);
        Ok(Change { object: new, conditional })
    }

    /// Stores the new object in place of the old one, or deletes it if that was all it waited for.
    async fn replace(
        &self,
        call: &Call<'_>,
        options: &WriteOptions,
        entry: &Arc<Entry>,
        old: &Value,
        new: Value,
    ) -> Result<Arc<Entry>, CommitFailure> {
        let row = call.who.row;
        let finished = is_finished(&new, old);
        let prepared = Prepared::under(storing(row), Arc::clone(&entry.key), &to_stored(row, new));
        if finished {
            let gone = prepared.at(entry.revision);
            if !options.dry_run {
                self.remove(entry).await?;
            }
            return Ok(Arc::new(gone));
        }
        if entry.is_same(&prepared) {
            return Ok(Arc::clone(entry));
        }
        if options.dry_run {
            return Ok(Arc::new(prepared.at(entry.revision)));
        }
        self.commit(prepared, Expect::Revision(Revision(entry.revision))).await
    }
}

/// `deleteWithoutFinalizers`: the object was only waiting for its finalizers, and now has none. A namespace has
/// finalizers in its spec as well (`ShouldDeleteNamespaceDuringUpdate`).
fn is_finished(new: &Value, old: &Value) -> bool {
    let graceful = new.integer(&["metadata", "deletionGracePeriodSeconds"]).unwrap_or(0) > 0;
    let held = ["metadata", "spec"].iter().any(|part| !new.list(&[part, "finalizers"]).is_empty());
    old.is_deleting() && new.is_deleting() && !graceful && !held
}

/// `checkName`
pub(super) fn check_name(object: &Value, name: &str) -> Result<()> {
    match object.name() {
        same if same == name => Ok(()),
        "" => Err(ApiError::bad_request(format!(
            "the name of the object ({name} based on URL) was undeterminable: name must be provided"
        ))),
        other => {
            let message = format!("the name of the object ({other}) does not match the name on the URL ({name})");
            Err(ApiError::bad_request(message))
        }
    }
}

/// The uid that a PUT carries is a precondition.
fn check_uid(call: &Call<'_>, object: &Value, old: &Value) -> Result<()> {
    if object.uid().is_empty() || object.uid() == old.uid() {
        return Ok(());
    }
    let why = format!("Precondition failed: UID in precondition: {}, UID in object meta: {}", object.uid(), old.uid());
    Err(ApiError::conflict(call.who.row, &call.who.name, &why))
}

/// Compares the revision that the client saw; returns whether it named one.
fn check_revision(call: &Call<'_>, source: &Source, new: &Value, old: &Value) -> Result<bool> {
    let (row, name) = (call.who.row, &call.who.name);
    let sent = metadata::sent_revision(new)?;
    if sent == 0 {
        if matches!(source, Source::Object(_)) && !row.unconditional_update {
            return Err(metadata::revision_required(row, name));
        }
        return Ok(false);
    }
    if sent.to_string() != old.text(&["metadata", "resourceVersion"]) {
        return Err(ApiError::stale(row, name));
    }
    // A patch carries the revision of the object it was applied to unless it changed it itself.
    Ok(matches!(source, Source::Object(_)))
}

impl Entry {
    /// Whether the prepared object is what is stored already.
    pub(super) fn is_same(&self, prepared: &Prepared) -> bool {
        let (head, tail) = self.without_version();
        prepared.bytes.strip_prefix(head) == Some(tail)
    }
}
