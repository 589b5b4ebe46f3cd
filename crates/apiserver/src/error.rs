//! The one place where a failure becomes an HTTP code and a Kubernetes `Status`
//! (`k8s.io/apimachinery/pkg/api/errors/errors.go`).

use std::fmt;

use api::decode::DecodeError;
use api::field::{FieldError, quote};
use api::resources::Resource;
use api::value::{Map, Value};
use storage::{CommitError, ReadError};

/// A `Status` of failure on its way to the client.
#[derive(Debug)]
pub(crate) struct ApiError {
    /// The HTTP code.
    pub(crate) code: u16,
    /// `metav1.StatusReason`; empty where Kubernetes gives none.
    pub(crate) reason: &'static str,
    /// For people.
    pub(crate) message: String,
    /// `None` leaves `details` out; an empty one is written as `{}`.
    pub(crate) details: Option<Box<Details>>,
    /// `metadata.continue` of the Status of an expired list.
    pub(crate) continue_token: String,
}

/// `metav1.StatusDetails`
#[derive(Debug, Default)]
pub(crate) struct Details {
    pub(crate) name: String,
    pub(crate) group: String,
    pub(crate) kind: String,
    pub(crate) uid: String,
    pub(crate) causes: Vec<Cause>,
    pub(crate) retry_after_seconds: i64,
}

/// `metav1.StatusCause`
#[derive(Debug)]
pub(crate) struct Cause {
    pub(crate) reason: String,
    pub(crate) message: String,
    pub(crate) field: String,
}

pub(crate) type Result<T, E = ApiError> = std::result::Result<T, E>;

/// What an error is about: the qualified resource or kind, and a name.
fn about(group: &str, kind: &str, name: &str) -> Option<Box<Details>> {
    Some(Box::new(Details { name: name.into(), group: group.into(), kind: kind.into(), ..Details::default() }))
}

impl ApiError {
    pub(crate) fn new(code: u16, reason: &'static str, message: impl Into<String>) -> Self {
        Self { code, reason, message: message.into(), details: None, continue_token: String::new() }
    }

    fn generic(code: u16, reason: &'static str, message: impl Into<String>) -> Self {
        Self { details: Some(Box::default()), ..Self::new(code, reason, message) }
    }

    fn of(row: &Resource, name: &str, code: u16, reason: &'static str, message: String) -> Self {
        Self { details: about(row.group, row.plural, name), ..Self::new(code, reason, message) }
    }

    /// 400
    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(400, "BadRequest", message)
    }

    /// 401
    pub(crate) fn unauthorized() -> Self {
        Self::new(401, "Unauthorized", "Unauthorized")
    }

    /// 403 of the authorizer; `message` is the whole text.
    pub(crate) fn forbidden(group: &str, resource: &str, name: &str, message: String) -> Self {
        Self { details: about(group, resource, name), ..Self::new(403, "Forbidden", message) }
    }

    /// 403 of admission: `secrets "x" is forbidden: why`.
    pub(crate) fn refused(row: &Resource, name: &str, why: &str) -> Self {
        let message = format!("{} {} is forbidden: {why}", row.qualified(), quote(name));
        Self::of(row, name, 403, "Forbidden", message)
    }

    /// 404 of a path that no route serves.
    pub(crate) fn no_route() -> Self {
        Self::generic(404, "NotFound", "the server could not find the requested resource")
    }

    /// 404 of an object.
    pub(crate) fn not_found(row: &Resource, name: &str) -> Self {
        Self::of(row, name, 404, "NotFound", format!("{} {} not found", row.qualified(), quote(name)))
    }

    /// 405
    pub(crate) fn method_not_allowed() -> Self {
        Self::generic(405, "MethodNotAllowed", "the server does not allow this method on the requested resource")
    }

    /// 406 of the router, which looks at the bare media types.
    pub(crate) fn not_acceptable_route(offered: &str) -> Self {
        let message = format!("406: Not Acceptable\n\nAvailable representations: {offered}");
        Self::generic(406, "NotAcceptable", message)
    }

    /// 406 of content negotiation, which looks at the parameters too.
    pub(crate) fn not_acceptable(offered: &str) -> Self {
        Self::new(406, "NotAcceptable", format!("only the following media types are accepted: {offered}"))
    }

    /// 408 of a body that does not come.
    pub(crate) fn body_timeout() -> Self {
        Self::new(408, "Timeout", "the request body made no progress in time; send it again")
    }

    /// 409 of a create.
    pub(crate) fn already_exists(row: &Resource, name: &str, being_deleted: bool) -> Self {
        let prefix = if being_deleted { "object is being deleted: " } else { "" };
        let message = format!("{prefix}{} {} already exists", row.qualified(), quote(name));
        Self::of(row, name, 409, "AlreadyExists", message)
    }

    /// 409: `Operation cannot be fulfilled on secrets "x": why`.
    pub(crate) fn conflict(row: &Resource, name: &str, why: &str) -> Self {
        let message = format!("Operation cannot be fulfilled on {} {}: {why}", row.qualified(), quote(name));
        Self::of(row, name, 409, "Conflict", message)
    }

    /// 409 of an update of an object that has changed meanwhile (`registry.OptimisticLockErrorMsg`).
    pub(crate) fn stale(row: &Resource, name: &str) -> Self {
        let why = "the object has been modified; please apply your changes to the latest version and try again";
        Self::conflict(row, name, why)
    }

    /// 410: the revision is no longer there.
    pub(crate) fn expired(message: impl Into<String>) -> Self {
        Self::new(410, "Expired", message)
    }

    /// 413
    pub(crate) fn too_large(message: impl fmt::Display) -> Self {
        Self::new(413, "RequestEntityTooLarge", format!("Request entity too large: {message}"))
    }

    /// 415
    pub(crate) fn unsupported_media(accepted: &str) -> Self {
        let message =
            format!("the body of the request was in an unknown format - accepted media types include: {accepted}");
        Self::new(415, "UnsupportedMediaType", message)
    }

    /// 415 of the router, which looks at the media type of a patch.
    pub(crate) fn unsupported_route() -> Self {
        Self::generic(415, "UnsupportedMediaType", "415: Unsupported Media Type")
    }

    /// 422 of an object of a kind.
    pub(crate) fn invalid(group: &str, kind: &str, name: &str, errors: Vec<FieldError>) -> Self {
        let qualified = if group.is_empty() { kind.to_owned() } else { format!("{kind}.{group}") };
        let mut texts: Vec<String> = Vec::with_capacity(errors.len());
        for error in &errors {
            let text = error.to_string();
            if !texts.contains(&text) {
                texts.push(text);
            }
        }
        let list = match texts.as_slice() {
            [one] => one.clone(),
            many => format!("[{}]", many.join(", ")),
        };
        let causes = errors
            .into_iter()
            .map(|error| Cause {
                reason: error.fault.reason().into(),
                message: error.body(),
                field: error.field.to_string(),
            })
            .collect();
        let details =
            Details { name: name.into(), group: group.into(), kind: kind.into(), causes, ..Details::default() };
        let message = format!("{qualified} {} is invalid: {list}", quote(name));
        Self { details: Some(Box::new(details)), ..Self::new(422, "Invalid", message) }
    }

    /// 422 of the options of a request, e.g. `ListOptions.meta.k8s.io "" is invalid`.
    pub(crate) fn invalid_options(kind: &str, errors: Vec<FieldError>) -> Self {
        Self::invalid("meta.k8s.io", kind, "", errors)
    }

    /// 422 of a patch that does not apply.
    pub(crate) fn unprocessable(message: impl Into<String>) -> Self {
        Self::generic(422, "Invalid", message)
    }

    /// 429
    pub(crate) fn too_many_requests(message: impl Into<String>, retry_after_seconds: i64) -> Self {
        let details = Details { retry_after_seconds, ..Details::default() };
        Self { details: Some(Box::new(details)), ..Self::new(429, "TooManyRequests", message) }
    }

    /// 500 with a text that may be shown.
    pub(crate) fn internal(message: impl fmt::Display) -> Self {
        let cause = Cause { reason: String::new(), message: message.to_string(), field: String::new() };
        let details = Details { causes: vec![cause], ..Details::default() };
        let message = format!("Internal error occurred: {message}");
        Self { details: Some(Box::new(details)), ..Self::new(500, "InternalError", message) }
    }

    /// 500 of a fault of the server, as `WithPanicRecovery` answers it.
    pub(crate) fn panicked() -> Self {
        Self::internal("this request caused apiserver to panic. Look in the logs for details.")
    }

    /// 503: the server cannot write now.
    pub(crate) fn unavailable(message: impl Into<String>) -> Self {
        Self::new(503, "ServiceUnavailable", message)
    }

    /// 504 of waiting for a revision that has not come (`NewTooLargeResourceVersionError`).
    pub(crate) fn too_large_revision(asked: u64, current: u64) -> Self {
        let cause = Cause {
            reason: "ResourceVersionTooLarge".into(),
            message: "Too large resource version".into(),
            field: String::new(),
        };
        let details = Details { causes: vec![cause], retry_after_seconds: 1, ..Details::default() };
        let message = format!("Too large resource version: {asked}, current: {current}");
        Self { details: Some(Box::new(details)), ..Self::new(504, "Timeout", format!("Timeout: {message}")) }
    }

    /// The seconds for a Retry-After header.
    pub(crate) fn retry_after(&self) -> Option<i64> {
        self.details.as_ref().map(|details| details.retry_after_seconds).filter(|seconds| *seconds > 0)
    }

    /// The `Status` object.
    pub(crate) fn status(&self) -> Value {
        let mut status = Value::object();
        status.set(&["kind"], "Status");
        status.set(&["apiVersion"], "v1");
        status.set(&["metadata"], Value::object());
        if !self.continue_token.is_empty() {
            status.set(&["metadata", "continue"], self.continue_token.as_str());
        }
        status.set(&["status"], "Failure");
        status.set(&["message"], self.message.as_str());
        if !self.reason.is_empty() {
            status.set(&["reason"], self.reason);
        }
        if let Some(details) = &self.details {
            status.set(&["details"], details.to_value());
        }
        status.set(&["code"], i64::from(self.code));
        status
    }
}

impl Details {
    pub(crate) fn to_value(&self) -> Value {
        let mut fields = Map::new();
        let mut text = |name: &str, value: &str| {
            if !value.is_empty() {
                fields.insert(name.to_owned(), value.into());
            }
        };
        text("name", &self.name);
        text("group", &self.group);
        text("kind", &self.kind);
        text("uid", &self.uid);
        if !self.causes.is_empty() {
            fields.insert("causes".into(), Value::List(self.causes.iter().map(Cause::to_value).collect()));
        }
        if self.retry_after_seconds > 0 {
            fields.insert("retryAfterSeconds".into(), self.retry_after_seconds.into());
        }
        Value::Object(fields)
    }
}

impl Cause {
    fn to_value(&self) -> Value {
        let parts = [("reason", &self.reason), ("message", &self.message), ("field", &self.field)];
        let given = parts.into_iter().filter(|(_, text)| !text.is_empty());
        Value::Object(given.map(|(name, text)| (name.to_owned(), text.as_str().into())).collect())
    }
}

impl From<DecodeError> for ApiError {
    fn from(error: DecodeError) -> Self {
        Self::bad_request(error.to_string())
    }
}

impl From<ReadError> for ApiError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Compacted { .. } => Self::expired("The resourceVersion for the provided list is too old."),
            other => {
                tracing::error!(error = &other as &dyn std::error::Error, "reading the store failed");
                Self::internal("the store could not be read; the server's log says why")
            }
        }
    }
}

impl From<CommitError> for ApiError {
    fn from(error: CommitError) -> Self {
        tracing::error!(error = &error as &dyn std::error::Error, "writing to the store failed");
        match error {
            CommitError::Full => Self::unavailable("the disk of the store is full; nothing was written"),
            _ => Self::unavailable("the store cannot be written now; nothing was acknowledged"),
        }
    }
}
