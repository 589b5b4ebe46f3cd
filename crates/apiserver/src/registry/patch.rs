//! PATCH in its four forms (`apiserver/pkg/endpoints/handlers/patch.go`).

use api::apply::ApplyError;
use api::decode::{FieldValidation, Untyped};
use api::field::{FieldError, Path, Verbatim};
use api::patch::{Form, PatchError};
use api::value::Value;
use bytes::Bytes;

use super::update::{Source, check_name};
use super::{Answer, Call, Content, Registry, expect, metadata, part};
use crate::body::RequestBody;
use crate::error::{ApiError, Cause, Details, Result};
use crate::negotiate;
use crate::query::WriteOptions;

/// What stands in an error for the object, which Kubernetes quotes with the values of its Secrets.
const REDACTED: &str = "\"<patched object>\"";

/// A patch as it was sent.
pub(super) enum Patch {
    /// Turns the current object into the new one.
    Tree(Form, Untyped),
    /// Server-side apply: what its manager wants.
    Apply(Bytes),
}

impl Registry {
    /// PATCH on an object or a subresource.
    pub(crate) async fn patch(&self, call: &Call<'_>, body: RequestBody) -> Result<Answer> {
        let form = match negotiate::content_type(call.headers).as_str() {
            "application/json-patch+json" => Some(Form::Json),
            "application/merge-patch+json" => Some(Form::Merge),
            "application/strategic-merge-patch+json" => Some(Form::Strategic),
            "application/apply-patch+yaml" => None,
            _ => return Err(ApiError::unsupported_route()),
        };
        let options = WriteOptions::parse(&call.query, "PatchOptions", form.is_none());
        let bytes = self.read(body).await?;
        let options = options?;
        let patch = match form {
            None => Patch::Apply(bytes),
            Some(form) => Patch::Tree(form, parse(&bytes)?),
        };
        let mut warnings = Vec::new();
        let (code, entry) = self.modify(call, &options, &Source::Patch(patch), &mut warnings).await?;
        Ok(Answer { code, content: Content::Object(entry), warnings })
    }
}

impl Patch {
    /// Whether it creates an object that is missing.
    pub(super) fn creates(&self) -> bool {
        self.is_apply()
    }

    /// Whether it is a server-side apply, which sets managedFields itself.
    pub(super) fn is_apply(&self) -> bool {
        matches!(self, Self::Apply(_))
    }

    /// The new object, decoded and defaulted; `old` is `None` where it creates.
    pub(super) fn derive(
        &self,
        call: &Call<'_>,
        options: &WriteOptions,
        old: Option<&Value>,
        warnings: &mut Vec<String>,
    ) -> Result<Value> {
        let mut new = match (self, old) {
            (Self::Apply(bytes), old) => apply(call, options, bytes, old, warnings)?,
            (Self::Tree(form, patch), Some(old)) => patched(call, options, (*form, patch), old, warnings)?,
            (Self::Tree(..), None) => return Err(ApiError::not_found(call.who.row, &call.who.name)),
        };
        check_name(&new, &call.who.name)?;
        metadata::ensure_namespace(call.who.row, &mut new, &call.who.namespace)?;
        call.who.row.rules.default(&mut new);
        Ok(new)
    }
}

fn patched(
    call: &Call<'_>,
    options: &WriteOptions,
    (form, patch): (Form, &Untyped),
    old: &Value,
    warnings: &mut Vec<String>,
) -> Result<Value> {
    let row = call.who.row;
    let before = api::encode::untyped(old);
    let patched = api::patch::apply(form, row.type_id(), before, patch.value.clone())?;
    let of = if form == Form::Json { "json patch " } else { "" };
    let mut faults: Vec<String> = patch.duplicates.iter().map(|duplicate| format!("{of}{duplicate}")).collect();
    faults.extend(patched.strict);
    // Strict faults of the patch and of what it made are told together.
    let validation = match options.field_validation {
        FieldValidation::Strict => FieldValidation::Warn,
        other => other,
    };
    let decoded = api::decode::tree(&expect(row), patched.value, validation);
    let decoded = decoded.map_err(|error| invalid_patch(&error.cause()))?;
    faults.extend(decoded.warnings);
    match options.field_validation {
        FieldValidation::Strict if !faults.is_empty() => {
            return Err(invalid_patch(&format!("strict decoding error: {}", faults.join(", "))));
        }
        FieldValidation::Warn => warnings.extend(faults),
        _ => {}
    }
    Ok(decoded.value)
}

fn apply(
    call: &Call<'_>,
    options: &WriteOptions,
    bytes: &[u8],
    old: Option<&Value>,
    warnings: &mut Vec<String>,
) -> Result<Value> {
    let row = call.who.row;
    let read = api::decode::untyped_yaml(bytes)
        .map_err(|error| ApiError::bad_request(format!("error decoding YAML: {error}")))?;
    match options.field_validation {
        FieldValidation::Strict if !read.duplicates.is_empty() => {
            let lines = read.duplicates.join("\n  ");
            let why = format!(
                "error strict decoding YAML: error converting YAML to JSON: yaml: unmarshal errors:\n  {lines}"
            );
            return Err(ApiError::bad_request(why));
        }
        FieldValidation::Warn => warnings.extend(read.duplicates),
        _ => {}
    }
    let mut config = read.value;
    check_name(&config, &call.who.name)?;
    metadata::ensure_namespace(row, &mut config.clone(), &call.who.namespace)?;
    if old.is_none() && !config.uid().is_empty() {
        let why = format!(
            "uid mismatch: the provided object specified uid {}, and no existing object was found",
            config.uid()
        );
        return Err(ApiError::conflict(row, &call.who.name, &why));
    }
    if config.as_object().is_none() {
        config = Value::object();
    }
    let (now, manager) = (metadata::now(), options.manager(call.user_agent()));
    let who = call.manager(&manager, &now, part(call.who));
    let merged = api::apply::apply(row.type_id(), &who, old, &config, options.force)?;
    let misfit = |why: &str| api::apply::unconvertible(&config, why);
    api::patch::restore::check(api::generated::schema(), row.type_id(), &merged).map_err(|why| misfit(&why))?;
    let decoded = api::decode::tree(&expect(row), merged, FieldValidation::Ignore);
    let decoded = decoded.map_err(|error| misfit(&format!("error decoding from json: {}", error.cause())))?;
    Ok(decoded.value)
}

/// Reads the body of a patch that is applied to a tree.
fn parse(bytes: &[u8]) -> Result<Untyped> {
    api::decode::untyped_json(bytes).map_err(|error| ApiError::bad_request(format!("error decoding patch: {error}")))
}

/// `errors.NewInvalid(schema.GroupKind{}, "", field.Invalid(field.NewPath("patch"), ...))`
fn invalid_patch(why: &str) -> ApiError {
    ApiError::invalid("", "", "", vec![FieldError::invalid(&Path::new("patch"), Verbatim(REDACTED), why)])
}

impl From<PatchError> for ApiError {
    fn from(error: PatchError) -> Self {
        match error {
            PatchError::Malformed(message) => Self::bad_request(message),
            PatchError::TooLarge(message) => Self::too_large(message),
            PatchError::Rejected(_) => {
                Self::unprocessable("the server rejected our request due to an error in our request")
            }
            PatchError::Unfit(why) => invalid_patch(&why),
            PatchError::Failed(message) => Self::new(500, "", message),
        }
    }
}

impl From<ApplyError> for ApiError {
    fn from(error: ApplyError) -> Self {
        let message = error.to_string();
        match error {
            ApplyError::Conflict(conflicts) => {
                let cause =
                    |field: String, message: String| Cause { reason: "FieldManagerConflict".into(), message, field };
                let causes = conflicts.into_iter().map(|conflict| {
                    let message = conflict.message();
                    cause(conflict.field, message)
                });
                let details = Details { causes: causes.collect(), ..Details::default() };
                Self { details: Some(Box::new(details)), ..Self::new(409, "Conflict", message) }
            }
            ApplyError::BadRequest(_) => Self::bad_request(message),
            ApplyError::Failed(_) => Self::new(500, "", message),
        }
    }
}
