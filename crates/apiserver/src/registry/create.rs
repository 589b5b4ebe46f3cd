//! Create, for every kind (`apiserver/pkg/endpoints/handlers/create.go`, `.../registry/generic/registry/store.go`).

use std::sync::Arc;

use api::apply::Manager;
use api::resources::{Part, Resource};
use api::value::Value;

use super::{Answer, Call, CommitFailure, Content, Registry, metadata};
use crate::blocking::long;
use crate::body::RequestBody;
use crate::cache::{Entry, Prepared, path_of};
use crate::error::{ApiError, Result};
use crate::query::WriteOptions;

/// How often a generated name is tried again (`RetryGenerateName`, stable in 1.32).
const NAME_ATTEMPTS: usize = 8;

impl Registry {
    /// POST on a collection.
    pub(crate) async fn create(&self, call: &Call<'_>, body: RequestBody) -> Result<Answer> {
        let options = WriteOptions::parse(&call.query, "CreateOptions", false)?;
        let decoded = self.decode(call, body, options.field_validation).await?;
        let mut warnings = decoded.warnings;
        let _allocation = self.allocation(call).await;
        let entry = self.create_object(call, &options, decoded.value, &mut warnings).await?;
        Ok(Answer { code: 201, content: Content::Object(entry), warnings })
    }

    /// Creates a decoded object: the way of POST, of PUT to a missing name, and of apply.
    pub(super) async fn create_object(
        &self,
        call: &Call<'_>,
        options: &WriteOptions,
        mut object: Value,
        warnings: &mut Vec<String>,
    ) -> Result<Arc<Entry>> {
        let row = call.who.row;
        metadata::ensure_namespace(row, &mut object, &call.who.namespace)?;
        metadata::wipe_system_fields(&mut object);
        warnings.extend(metadata::dedup_owners(&mut object));
        row.rules.default(&mut object);
        // Nobody owns what a client cannot set (`rest.WipeObjectMetaSystemFields`).
        object.remove(&["metadata", "deletionTimestamp"]);
        object.remove(&["metadata", "deletionGracePeriodSeconds"]);
        let manager = options.manager(call.user_agent());
        let (size, now) = (call.body_size, metadata::now());
        let who = call.manager(&manager, &now, Part::Whole);
        long(size, || api::apply::track_update(row.type_id(), &who, None, &mut object));
        self.create_tracked(call, options, object, warnings).await
    }

    /// The second half of a create, after managedFields are set.
    pub(super) async fn create_tracked(
        &self,
        call: &Call<'_>,
        options: &WriteOptions,
        mut object: Value,
        warnings: &mut Vec<String>,
    ) -> Result<Arc<Entry>> {
        let row = call.who.row;
        let generated = object.name().is_empty() && !object.text(&["metadata", "generateName"]).is_empty();
        self.admission.admit_create(&self.cache, call.who, &mut object)?;
        metadata::fill_new(&mut object);
        if generated {
            name_anew(&mut object);
        }
        long(call.body_size, || prepare(row, &mut object, warnings))?;
        for _ in 0..NAME_ATTEMPTS {
            match self.insert(row, options, &object).await {
                Ok(entry) => return Ok(entry),
                Err(CommitFailure::Failed(error)) => return Err(error),
                Err(CommitFailure::Conflict) if generated => name_anew(&mut object),
                Err(CommitFailure::Conflict) => break,
            }
        }
        Err(self.exists(call, object.name()))
    }

    async fn insert(
        &self,
        row: &'static Resource,
        options: &WriteOptions,
        object: &Value,
    ) -> Result<Arc<Entry>, CommitFailure> {
        let stored = super::storing(row);
        let prepared = match &row.conversion {
            Some(conversion) => Prepared::new(stored, &(conversion.to_stored)(object.clone())),
            None => Prepared::new(stored, object),
        };
        let path = path_of(row, object.namespace(), object.name());
        if self.cache.get(stored, &path).is_some() {
            return Err(CommitFailure::Conflict);
        }
        if options.dry_run {
            return Ok(Arc::new(prepared.at(0)));
        }
        self.commit(prepared, storage::Expect::Absent).await
    }

    fn exists(&self, call: &Call<'_>, name: &str) -> ApiError {
        let row = call.who.row;
        let stored = super::storing(row);
        let entry = self.cache.get(stored, &path_of(row, &call.who.namespace, name));
        let deleting = entry.and_then(|entry| entry.decode(stored).ok()).is_some_and(|object| object.is_deleting());
        ApiError::already_exists(row, name, deleting)
    }
}

fn name_anew(object: &mut Value) {
    let name = metadata::generate_name(object.text(&["metadata", "generateName"]));
    object.set(&["metadata", "name"], name);
}

/// `PrepareForCreate` and validation.
fn prepare(row: &Resource, object: &mut Value, warnings: &mut Vec<String>) -> Result<()> {
    row.rules.prepare_create(object);
    metadata::validate_new(row, object)?;
    if object.at(&["metadata", "resourceVersion"]).is_some() {
        return Err(ApiError::new(500, "", "resourceVersion should not be set on objects to be created"));
    }
    warnings.extend(row.rules.warnings(object, None));
    Ok(())
}

impl Call<'_> {
    /// The User-Agent, by which a manager without a name is known.
    pub(super) fn user_agent(&self) -> &str {
        self.headers.get(http::header::USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// Who is written into managedFields.
    pub(super) fn manager<'m>(&'m self, name: &'m str, now: &'m str, part: Part) -> Manager<'m> {
        let row = self.who.row;
        let subresource = self.who.sub.map_or("", |sub| sub.name);
        Manager { name, api_version: self.who.api_version(), subresource, now, reset: row.rules.reset_fields(part) }
    }
}
