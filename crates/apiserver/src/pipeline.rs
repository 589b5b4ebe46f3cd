//! The way of a request, in one readable order: identify, limit, authorize, and only then look at the body.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Instant;

use api::resources::{Resource, Subresource};
use auth::{Attributes, Decision, Identity};
use bytes::Bytes;
use futures::FutureExt;
use http::header::{
    AUTHORIZATION, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER, VARY, WARNING,
};
use http::request::Parts;
use http::{HeaderMap, Method, Response, StatusCode};

use crate::blocking::long;
use crate::body::{Body, RequestBody};
use crate::documents;
use crate::error::{ApiError, Result};
use crate::limits::{InFlight, Place};
use crate::metrics::{Metrics, Observed};
use crate::negotiate::{self, Accepted, Offer};
use crate::query::Query;
use crate::registry::{Answer, Call, Content, Registry};
use crate::render;
use crate::request::{ResourcePath, Verb, allows};
use crate::websocket;

const AUDIT_ID: HeaderName = HeaderName::from_static("audit-id");

/// All warnings of an answer, and one of them if those are too many, in characters.
const WARNINGS_LENGTH: usize = 4096;
const CUT_WARNING: usize = 256;
/// More than this many are never written, since each has a character at least.
const MOST_WARNINGS: usize = WARNINGS_LENGTH;

/// Proof that a request on a resource was allowed. Only this module makes it, from an allow decision.
pub(crate) struct Authorized {
    pub(crate) identity: Arc<Identity>,
    pub(crate) row: &'static Resource,
    pub(crate) sub: Option<&'static Subresource>,
    pub(crate) verb: Verb,
    pub(crate) namespace: String,
    pub(crate) name: String,
    api_version: String,
    _made_here: (),
}

impl Authorized {
    /// The apiVersion of the row.
    pub(crate) fn api_version(&self) -> &str {
        &self.api_version
    }

    /// Whether the same identity may also do this to the same object.
    pub(crate) fn may_also(&self, verb: &str) -> bool {
        let attributes = Attributes {
            verb,
            group: self.row.group,
            version: self.row.version,
            resource: self.row.plural,
            subresource: self.sub.map_or("", |sub| sub.name),
            namespace: &self.namespace,
            name: &self.name,
            path: "",
        };
        matches!(auth::decide(&self.identity, &attributes), Decision::Allow(_))
    }

    /// The same permission seen from the object that a subresource changes: who may bind or evict a Pod may have
    /// that Pod changed so, and nothing else.
    pub(crate) fn within(&self, row: &'static Resource, name: &str) -> Self {
        Self {
            identity: Arc::clone(&self.identity),
            row,
            sub: row.subresource("binding").filter(|_| self.sub.is_none()).or(self.sub),
            verb: self.verb,
            namespace: self.namespace.clone(),
            name: name.to_owned(),
            api_version: row.api_version(),
            _made_here: (),
        }
    }
}

/// Everything that serving needs.
pub(crate) struct Pipeline {
    pub(crate) registry: Registry,
    pub(crate) metrics: Metrics,
    pub(crate) in_flight: InFlight,
    pub(crate) documents: documents::Documents,
    pub(crate) ending: tokio::sync::watch::Receiver<bool>,
}

impl Pipeline {
    /// Whether the server is going down.
    pub(crate) fn is_ending(&self) -> bool {
        *self.ending.borrow()
    }

    /// Whether the store takes writes, as far as the last one told.
    pub(crate) fn can_write(&self) -> bool {
        self.registry.can_write()
    }
}

impl Pipeline {
    /// Answers a request. `identity` is who the transport says is there: a checked certificate, or a controller of
    /// this process.
    pub(crate) async fn handle(
        &self,
        mut parts: Parts,
        body: RequestBody,
        identity: Option<Arc<Identity>>,
    ) -> Response<Body> {
        let begun = Instant::now();
        let mut observed = Observed::default();
        let upgrade = websocket::Upgrade::take(&mut parts);
        let answer = AssertUnwindSafe(self.answer(&parts, body, identity, upgrade, &mut observed));
        // A fault of ours costs this request, not the connection; the panic hook has logged it.
        let result = answer.catch_unwind().await.unwrap_or_else(|_| Err(ApiError::panicked()));
        let mut response = result.unwrap_or_else(|error| refusal(&parts, &error));
        let headers = response.headers_mut();
        headers.insert(AUDIT_ID, audit_id());
        headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-cache, private"));
        observed.code = response.status().as_u16();
        let elapsed = begun.elapsed();
        self.metrics.observe(&observed, elapsed);
        tracing::debug!(method = %parts.method, path = parts.uri.path(), code = observed.code, elapsed = ?elapsed, "request");
        response
    }

    async fn answer(
        &self,
        parts: &Parts,
        body: RequestBody,
        identity: Option<Arc<Identity>>,
        upgrade: Option<websocket::Upgrade>,
        observed: &mut Observed,
    ) -> Result<Response<Body>> {
        let path = parts.uri.path();
        if let Some(answer) = self.documents.open(self, parts) {
            return Ok(answer);
        }
        let identity = identify(identity, &parts.headers)?;
        let Some(resource) = ResourcePath::parse(path) else {
            let _place = self.place(&identity, false)?;
            authorize_path(&identity, parts)?;
            return self.documents.answer(self, parts).await;
        };
        let query = Query::parse(parts.uri.query());
        let verb = resource.verb(&parts.method, query.is_watch());
        observed.verb = verb;
        let _place = match verb {
            Some(Verb::Watch) => None,
            _ => self.place(&identity, verb.is_some_and(Verb::is_mutating))?,
        };
        if !documents::is_group(resource.group) {
            authorize_path(&identity, parts)?;
            return Ok(documents::not_found());
        }
        let who = authorize(&identity, &resource, verb, &parts.method, path)?;
        observed.row = Some(who.row);
        let offer = offer(&who);
        let accepted = negotiate::accept(&parts.headers, &query, offer)?;
        let said = http_body::Body::size_hint(&body).upper();
        let body_size = said.and_then(|size| usize::try_from(size).ok()).unwrap_or(usize::MAX);
        let call = Call { who: &who, headers: &parts.headers, query, accepted, body_size };
        let answer = self.registry.dispatch(&call, body).await?;
        respond(&call, answer, upgrade).await
    }

    /// A place among the requests in flight. Who is in `system:masters` gets in without one where all are taken, as in
    /// `maxinflight.go`: it may be who mends the server, and it is the server itself at its start.
    fn place(&self, identity: &Identity, mutating: bool) -> Result<Option<Place<'_>>> {
        match self.in_flight.enter(mutating) {
            Err(_) if identity.is_in(auth::MASTERS) => Ok(None),
            place => place.map(Some),
        }
    }
}

/// Authentication: what the transport proved. A bearer token proves nothing yet, so it is refused.
fn identify(identity: Option<Arc<Identity>>, headers: &HeaderMap) -> Result<Arc<Identity>> {
    match identity {
        Some(identity) => match impersonated(headers) {
            // Until access control is there nobody may: doing it with one's own rights would be worse.
            Some((resource, name)) => {
                let attributes = Attributes { verb: "impersonate", resource, name, ..Attributes::default() };
                let message = attributes.forbidden(&identity.user, "");
                Err(ApiError::forbidden("", resource, name, message))
            }
            None => Ok(identity),
        },
        None if headers.contains_key(AUTHORIZATION) => Err(ApiError::unauthorized()),
        None => Err(ApiError::unauthorized()),
    }
}

/// Whom the request wants to be taken for: a resource and a name.
fn impersonated(headers: &HeaderMap) -> Option<(&'static str, &str)> {
    let wishes = [("impersonate-user", "users"), ("impersonate-group", "groups"), ("impersonate-uid", "uids")];
    let given = wishes.into_iter().find_map(|(header, resource)| Some((resource, headers.get(header)?)))?;
    Some((given.0, given.1.to_str().unwrap_or_default()))
}

fn authorize_path(identity: &Identity, parts: &Parts) -> Result<()> {
    let verb = verb_of_path(&parts.method);
    let attributes = Attributes { verb: &verb, path: parts.uri.path(), ..Attributes::default() };
    match auth::decide(identity, &attributes) {
        Decision::Allow(_) => Ok(()),
        Decision::Deny(reason) => Err(ApiError {
            details: Some(Box::default()),
            ..ApiError::forbidden("", "", "", attributes.forbidden(&identity.user, &reason))
        }),
    }
}

/// What authorization takes a method for where it is no verb of a resource; HEAD asks for what GET does.
fn verb_of_path(method: &Method) -> String {
    if *method == Method::HEAD { "get".to_owned() } else { method.as_str().to_ascii_lowercase() }
}

/// Authorization, and the proof of it. What no route serves is only told to those who may ask.
fn authorize(
    identity: &Arc<Identity>,
    resource: &ResourcePath<'_>,
    verb: Option<Verb>,
    method: &Method,
    path: &str,
) -> Result<Authorized> {
    let method = verb_of_path(method);
    let attributes = Attributes {
        verb: match verb {
            Some(verb) => verb.as_str(),
            None => &method,
        },
        group: resource.group,
        version: resource.version,
        resource: resource.resource,
        subresource: resource.subresource,
        namespace: if resource.resource == "namespaces" { &resource.name } else { &resource.namespace },
        name: &resource.name,
        path,
    };
    if let Decision::Deny(reason) = auth::decide(identity, &attributes) {
        let message = attributes.forbidden(&identity.user, &reason);
        return Err(ApiError::forbidden(resource.group, resource.resource, &resource.name, message));
    }
    let (row, sub) = resource.route().ok_or_else(ApiError::no_route)?;
    let verb = verb.filter(|verb| allows(row, sub, resource, *verb)).ok_or_else(ApiError::method_not_allowed)?;
    Ok(Authorized {
        identity: Arc::clone(identity),
        row,
        sub,
        verb,
        namespace: resource.namespace.clone().into_owned(),
        name: resource.name.clone().into_owned(),
        api_version: row.api_version(),
        _made_here: (),
    })
}

fn offer(who: &Authorized) -> Offer {
    match who.verb {
        Verb::Watch => Offer::Stream,
        Verb::List => Offer::Collection,
        _ => Offer::Object,
    }
}

impl Registry {
    async fn dispatch(&self, call: &Call<'_>, body: RequestBody) -> Result<Answer> {
        match call.who.verb {
            Verb::Get => self.get(call).await,
            Verb::List => self.list(call).await,
            Verb::Watch => self.watch(call).await,
            Verb::Create if call.who.sub.is_some() || call.who.row.storage_prefix.is_empty() => {
                self.create_subresource(call, body).await
            }
            Verb::Create => self.create(call, body).await,
            Verb::Update => self.update(call, body).await,
            Verb::Patch => self.patch(call, body).await,
            Verb::Delete => self.delete(call, body).await,
            Verb::DeleteCollection => self.delete_collection(call, body).await,
        }
    }
}

async fn respond(call: &Call<'_>, answer: Answer, upgrade: Option<websocket::Upgrade>) -> Result<Response<Body>> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::from_u16(answer.code).unwrap_or(StatusCode::OK);
    let warnings = call.who.row.deprecated.into_iter().chain(answer.warnings.iter().map(String::as_str));
    add_warnings(response.headers_mut(), warnings);
    if let Content::Stream(body) = answer.content {
        if let Some(upgrade) = upgrade {
            return Ok(upgrade.accept(body));
        }
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        *response.body_mut() = body;
        return Ok(response);
    }
    let include = call.query.text("includeObject");
    let work = render::work(call.who.row, &answer.content, call.accepted);
    let body = long(work, || render::content(call.who.row, answer.content, call.accepted, include))?;
    let wants_gzip = matches!(call.who.verb, Verb::Get | Verb::List) && negotiate::accepts_gzip(call.headers);
    let (body, compressed) = render::gzip(body, wants_gzip).await?;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(call.accepted.media.content_type()));
    if compressed {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        headers.insert(VARY, HeaderValue::from_static("Accept-Encoding"));
    }
    *response.body_mut() = body;
    Ok(response)
}

/// `299 - "text"`, one header each (`k8s.io/apimachinery/pkg/util/net` NewWarningHeader); all together are bounded, or
/// clients would refuse the head (`apiserver/pkg/endpoints/filters/warning.go`).
fn add_warnings<'a>(headers: &mut HeaderMap, warnings: impl Iterator<Item = &'a str>) {
    let mut given: Vec<&str> = Vec::new();
    for text in warnings {
        if !text.is_empty() && !given.contains(&text) {
            given.push(text);
        }
        if given.len() > MOST_WARNINGS {
            break;
        }
    }
    let whole: usize = given.iter().map(|text| text.chars().count()).sum();
    let longest = if whole > WARNINGS_LENGTH { CUT_WARNING } else { usize::MAX };
    let mut written = 0;
    for text in given {
        if written >= WARNINGS_LENGTH && longest == CUT_WARNING {
            return;
        }
        let cut: String = text.chars().take(longest).collect();
        written += cut.chars().count();
        let clean: String = cut.chars().filter(|character| !character.is_control()).collect();
        let quoted = clean.replace('\\', "\\\\").replace('"', "\\\"");
        if let Ok(value) = HeaderValue::from_bytes(format!("299 - \"{quoted}\"").as_bytes()) {
            headers.append(WARNING, value);
        }
    }
}

/// An error as the client takes it.
pub(crate) fn refusal(parts: &Parts, error: &ApiError) -> Response<Body> {
    let query = Query::parse(parts.uri.query());
    let accepted = negotiate::accept_error(&parts.headers, &query);
    status(error, accepted)
}

/// 431, before anything of the request is looked at.
pub(crate) fn head_too_long() -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
    response
}

/// A Status of failure in a media type.
pub(crate) fn status(error: &ApiError, accepted: Accepted) -> Response<Body> {
    let bytes: Bytes = render::value(&error.status(), accepted).into();
    let mut response = Response::new(Body::full(bytes));
    *response.status_mut() = StatusCode::from_u16(error.code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(accepted.media.content_type()));
    if let Some(seconds) = error.retry_after() {
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

fn audit_id() -> HeaderValue {
    let mut buffer = [0; uuid::fmt::Hyphenated::LENGTH];
    let text = uuid::Uuid::new_v4().hyphenated().encode_lower(&mut buffer);
    HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static(""))
}

#[cfg(test)]
mod tests;
