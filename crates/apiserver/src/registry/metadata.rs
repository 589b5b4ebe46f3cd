//! What the server itself writes into ObjectMeta (`apiserver/pkg/registry/rest/{create,meta,update}.go`).

use api::field::{FieldError, Path};
use api::resources::{Part, Resource};
use api::value::Value;
use uuid::Uuid;

use crate::error::{ApiError, Result};

/// Kubernetes' alphabet for generated names: no vowels, no digits that look like letters.
const ALPHABET: &[u8; 27] = b"bcdfghjklmnpqrstvwxz2456789";
const SUFFIX: usize = 5;
const LONGEST_BASE: usize = 63 - SUFFIX;

/// Now, as `metav1.Time` writes it.
pub(super) fn now() -> String {
    api::time::format(now_seconds())
}

/// Seconds of Unix time.
pub(crate) fn now_seconds() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

/// `EnsureObjectNamespaceMatchesRequestNamespace`
pub(super) fn ensure_namespace(row: &Resource, object: &mut Value, namespace: &str) -> Result<()> {
    if !row.namespaced {
        return match object.namespace() {
            "" => Ok(()),
            _ => Err(ApiError::bad_request(
                "the namespace of the provided object does not match the namespace sent on the request",
            )),
        };
    }
    match object.namespace() {
        "" => object.set(&["metadata", "namespace"], namespace),
        same if same == namespace => {}
        _ => {
            return Err(ApiError::bad_request(
                "the namespace of the provided object does not match the namespace sent on the request",
            ));
        }
    }
    Ok(())
}

/// `WipeObjectMetaSystemFields`: what a client cannot give a new object.
pub(super) fn wipe_system_fields(object: &mut Value) {
    for field in ["creationTimestamp", "uid", "deletionTimestamp", "deletionGracePeriodSeconds", "selfLink"] {
        object.remove(&["metadata", field]);
    }
}

/// `dedupOwnerReferencesAndAddWarning`
pub(super) fn dedup_owners(object: &mut Value) -> Option<String> {
    let owners = object.list(&["metadata", "ownerReferences"]);
    if owners.len() < 2 {
        return None;
    }
    let (mut kept, mut repeated): (Vec<Value>, Vec<String>) = (Vec::new(), Vec::new());
    for owner in owners {
        if kept.contains(owner) {
            let uid = owner.text(&["uid"]).to_owned();
            if !repeated.contains(&uid) {
                repeated.push(uid);
            }
        } else {
            kept.push(owner.clone());
        }
    }
    if repeated.is_empty() {
        return None;
    }
    object.set(&["metadata", "ownerReferences"], kept);
    Some(format!(
        ".metadata.ownerReferences contains duplicate entries; API server dedups owner references in 1.20+, and may reject such \
         requests as early as 1.24; please fix your requests; duplicate UID(s) observed: {}",
        repeated.join(", ")
    ))
}

/// What `BeforeCreate` sets on every new object.
pub(super) fn fill_new(object: &mut Value) {
    object.set(&["metadata", "creationTimestamp"], now());
    object.set(&["metadata", "uid"], Uuid::new_v4().to_string());
}

/// `SimpleNameGenerator.GenerateName`
pub(super) fn generate_name(base: &str) -> String {
    let mut end = base.len().min(LONGEST_BASE);
    while !base.is_char_boundary(end) {
        end -= 1;
    }
    let random = Uuid::new_v4();
    let letters = random.as_bytes().iter().take(SUFFIX).map(|byte| ALPHABET.get(usize::from(*byte) % ALPHABET.len()));
    let suffix: String = letters.flatten().map(|letter| char::from(*letter)).collect();
    format!("{}{suffix}", base.get(..end).unwrap_or(base))
}

/// What `BeforeUpdate` takes over from the old object, whatever the client sent.
pub(super) fn keep_system_fields(new: &mut Value, old: &Value) {
    for field in ["creationTimestamp", "deletionTimestamp", "generation", "selfLink"] {
        let path = ["metadata", field];
        match old.at(&path) {
            Some(value) => new.set(&path, value.clone()),
            None => drop(new.remove(&path)),
        }
    }
    for field in ["uid", "deletionGracePeriodSeconds"] {
        let path = ["metadata", field];
        if let Some(value) = old.at(&path) {
            new.set_if_absent(&path, value.clone());
        }
    }
    if old.at(&["metadata", "deletionTimestamp"]).is_none() {
        new.remove(&["metadata", "deletionGracePeriodSeconds"]);
    }
    // A change that names no revision goes on from the one it met; one that does was compared already (`store.Update`).
    if let Some(revision) = old.at(&["metadata", "resourceVersion"]) {
        new.set(&["metadata", "resourceVersion"], revision.clone());
    }
}

/// The errors of a new object: rules of the kind, then the names.
pub(super) fn validate_new(row: &Resource, object: &Value) -> Result<()> {
    let mut errors = api::meta::validate_create(row, object);
    errors.extend(row.rules.validate(object));
    invalid_unless_empty(row, object, errors)
}

/// The errors of an update: metadata, then the rules of the kind.
pub(super) fn validate_update(row: &Resource, part: Part, new: &Value, old: &Value) -> Result<()> {
    let mut errors = api::meta::validate_update(row, part, new, old);
    errors.extend(row.rules.validate_update(part, new, old));
    invalid_unless_empty(row, new, errors)
}

fn invalid_unless_empty(row: &Resource, object: &Value, errors: Vec<FieldError>) -> Result<()> {
    if errors.is_empty() { Ok(()) } else { Err(ApiError::invalid(row.group, row.kind, object.name(), errors)) }
}

/// `metadata.resourceVersion` of an object that is sent to update; 0 where it has none.
pub(super) fn sent_revision(object: &Value) -> Result<u64> {
    let text = object.text(&["metadata", "resourceVersion"]);
    let parsed = crate::query::parse_revision(text);
    // Kubernetes reads this one without naming the field, and as a failure of its own.
    parsed.map(Option::unwrap_or_default).map_err(|message| {
        let why = message.split_once(": strconv").map_or(message.clone(), |(_, rest)| format!("strconv{rest}"));
        ApiError::new(500, "", why)
    })
}

/// The 422 of an update without the resourceVersion that its kind requires.
pub(super) fn revision_required(row: &Resource, name: &str) -> ApiError {
    let field = Path::new("metadata").child("resourceVersion");
    let error = FieldError::invalid(&field, 0, "must be specified for an update");
    let mut status = ApiError::invalid(row.group, row.plural, name, vec![error]);
    if let Some(details) = &mut status.details {
        row.plural.clone_into(&mut details.kind);
    }
    status
}
