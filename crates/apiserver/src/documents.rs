//! What is served besides resources: discovery, OpenAPI, health, version, metrics, the list of paths.

use std::fmt::Write as _;

use api::discovery::{Aggregated, Discovery, Document};
use api::openapi::{OpenApi, V2_PROTOBUF_ANSWER};
use api::value::Value;
use bytes::Bytes;
use http::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE, ETAG, EXPIRES, HeaderValue, IF_NONE_MATCH, LOCATION, VARY};
use http::request::Parts;
use http::{Method, Response, StatusCode};
use tokio::sync::OnceCell;

use crate::blocking::long;
use crate::body::Body;
use crate::error::{ApiError, Result};
use crate::negotiate::{self, Offer};
use crate::pipeline::Pipeline;
use crate::query::Query;
use crate::render;

const TEXT: &str = "text/plain; charset=utf-8";
const JSON: &str = "application/json";

const PLATFORM: &str = if cfg!(target_arch = "aarch64") { "linux/arm64" } else { "linux/amd64" };

/// The Kubernetes release whose rules this server keeps.
pub const KUBERNETES: &str = "1.36.2";

/// See the module.
pub(crate) struct Documents {
    version: Bytes,
    address: String,
    openapi: OnceCell<&'static OpenApi>,
}

impl Documents {
    /// `own` is the version of Kluis, `address` what clients are told that the server is.
    pub(crate) fn new(own: &str, address: &str) -> Self {
        Self {
            version: api::encode::json_pretty(&version(own)).into(),
            address: address.to_owned(),
            openapi: OnceCell::new(),
        }
    }

    /// The OpenAPI documents. Writing them takes longer than an async thread may be held; later calls find them ready.
    pub(crate) async fn openapi(&self) -> &'static OpenApi {
        let write = || {
            let documents = OpenApi::served();
            documents.index();
            documents.v2();
            documents
        };
        let written = || async { tokio::task::spawn_blocking(write).await.unwrap_or_else(|_| OpenApi::served()) };
        self.openapi.get_or_init(written).await
    }

    /// The answers that need no credentials.
    pub(crate) fn open(&self, pipeline: &Pipeline, parts: &Parts) -> Option<Response<Body>> {
        let path = parts.uri.path().trim_end_matches('/');
        if path == "/version" && parts.method == Method::GET {
            return Some(ready(JSON, self.version.clone()));
        }
        let (kind, check) = path.strip_prefix('/')?.split_once('/').unwrap_or((path.strip_prefix('/')?, ""));
        matches!(kind, "livez" | "readyz" | "healthz").then(|| health(pipeline, kind, check, parts.uri.query()))
    }

    /// The answers to those who are allowed.
    pub(crate) async fn answer(&self, pipeline: &Pipeline, parts: &Parts) -> Result<Response<Body>> {
        let path = match parts.uri.path().trim_end_matches('/') {
            "" => "/",
            path => path,
        };
        let below_api = path == "/api" || path.starts_with("/api/") || path == "/apis" || path.starts_with("/apis/");
        if parts.method != Method::GET && (below_api || path.starts_with("/openapi")) {
            return Err(if below_api && Discovery::served().at(path).is_none() && path != "/api" {
                ApiError::no_route()
            } else {
                ApiError::method_not_allowed()
            });
        }
        match path {
            "/" => return Ok(ready(JSON, paths())),
            "/metrics" => {
                return Ok(ready(
                    "text/plain; version=0.0.4; charset=utf-8",
                    long(usize::MAX, || pipeline.render_metrics()),
                ));
            }
            _ if path.starts_with("/openapi/") => return Ok(openapi(self.openapi().await, path, parts)),
            _ if !below_api => return Ok(not_found()),
            _ => {}
        }
        if let Some(document) = aggregated(path, parts) {
            return Ok(tagged(document.0, document.1, parts));
        }
        if path.split('/').nth(2).is_some_and(|group| path.starts_with("/apis/") && !is_group(group)) {
            return Ok(not_found());
        }
        self.plain(path, parts)
    }

    fn plain(&self, path: &str, parts: &Parts) -> Result<Response<Body>> {
        let body = match path {
            "/api" => Discovery::served().api(&self.address),
            _ => Discovery::served().at(path).map(<[u8]>::to_vec).ok_or_else(ApiError::no_route)?,
        };
        let query = Query::parse(parts.uri.query());
        let accepted = negotiate::accept(&parts.headers, &query, Offer::Object)?;
        let tree = api::decode::untyped_json(&body).map_err(ApiError::internal)?.value;
        Ok(ready(accepted.media.content_type(), render::value(&tree, accepted)))
    }
}

/// Whether the group is one of Kubernetes, served yet or not: below it an unknown path is answered by a Status,
/// elsewhere by plain text.
pub(crate) fn is_group(group: &str) -> bool {
    let served = api::resources::all().iter().any(|row| row.group == group);
    served || group.ends_with(".k8s.io") || matches!(group, "apps" | "autoscaling" | "batch" | "policy")
}

/// The aggregated form, where it is asked for before any other.
fn aggregated<'a>(path: &str, parts: &'a Parts) -> Option<(&'static Document, &'static str)> {
    if !matches!(path, "/api" | "/apis") {
        return None;
    }
    let header: &'a str = parts.headers.get(ACCEPT)?.to_str().ok()?;
    let parameter = |range: &'a str, name: &str| {
        range
            .split(';')
            .skip(1)
            .filter_map(|pair| pair.split_once('='))
            .find(|(key, _)| key.trim() == name)
            .map(|(_, value)| value.trim())
    };
    let version = header.split(',').find_map(|range| {
        if range.split(';').next()?.trim() != JSON {
            return None;
        }
        match parameter(range, "as") {
            None => Some(None),
            Some("APIGroupDiscoveryList") if parameter(range, "g") == Some("apidiscovery.k8s.io") => {
                Aggregated::parse(parameter(range, "v")?).map(Some)
            }
            Some(_) => None,
        }
    })??;
    let discovery = Discovery::served();
    let document =
        if path == "/api" { discovery.aggregated_core(version) } else { discovery.aggregated_groups(version) };
    Some((document, version.content_type()))
}

fn openapi(documents: &'static OpenApi, path: &str, parts: &Parts) -> Response<Body> {
    let accept = parts.headers.get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    match path {
        "/openapi/v2" if accept.contains("com.github.proto-openapi.spec.v2") && accept.contains("+protobuf") => {
            tagged(documents.v2_protobuf(), V2_PROTOBUF_ANSWER, parts)
        }
        "/openapi/v2" | "/openapi/v3" if !takes_json(accept) => bare(StatusCode::NOT_ACCEPTABLE),
        "/openapi/v2" => tagged(documents.v2(), JSON, parts),
        "/openapi/v3" => tagged(documents.index(), JSON, parts),
        _ => match path.strip_prefix("/openapi/v3/").and_then(|below| documents.group_version(below)) {
            Some(_) if !takes_json(accept) => bare(StatusCode::NOT_ACCEPTABLE),
            Some(document) => hashed(document, path, parts),
            None => not_found(),
        },
    }
}

/// Whether an Accept header, which may be empty, takes JSON; protobuf is not offered for version 3.
fn takes_json(accept: &str) -> bool {
    let mut kinds = accept.split(',').map(|range| range.split(';').next().unwrap_or_default().trim());
    kinds.any(|kind| matches!(kind, "" | JSON | "*/*" | "application/*"))
}

/// A document by its hash, which clients may keep for ever; an old hash leads to the new one (`handler3` of
/// kube-openapi).
fn hashed(document: &'static Document, path: &str, parts: &Parts) -> Response<Body> {
    let query = Query::parse(parts.uri.query());
    let asked = query.text("hash");
    let mut response = tagged(document, JSON, parts);
    if asked.is_empty() {
        return response;
    }
    if asked != document.hash() {
        let mut response = bare(StatusCode::MOVED_PERMANENTLY);
        if let Ok(location) = HeaderValue::from_str(&format!("{path}?hash={}", document.hash())) {
            response.headers_mut().insert(LOCATION, location);
        }
        return response;
    }
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("public, immutable"));
    let expires = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(365 * 24);
    if let Ok(expires) = HeaderValue::from_str(&expires.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()) {
        response.headers_mut().insert(EXPIRES, expires);
    }
    response
}

fn bare(code: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = code;
    response
}

/// A document with its ETag, or 304 for one that the client has.
fn tagged(document: &'static Document, content_type: &'static str, parts: &Parts) -> Response<Body> {
    let seen = parts.headers.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    let unchanged = seen.flat_map(|value| value.split(',')).any(|tag| tag.trim() == document.etag || tag.trim() == "*");
    let mut response = if unchanged {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        response
    } else {
        ready(content_type, Bytes::from_static(&document.body))
    };
    if let Ok(tag) = HeaderValue::from_str(&document.etag) {
        response.headers_mut().insert(ETAG, tag);
    }
    response.headers_mut().insert(VARY, HeaderValue::from_static("Accept"));
    response
}

fn ready(content_type: &'static str, body: impl Into<Bytes>) -> Response<Body> {
    let mut response = Response::new(Body::full(body));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

pub(crate) fn not_found() -> Response<Body> {
    let mut response = ready(TEXT, "404 page not found\n");
    *response.status_mut() = StatusCode::NOT_FOUND;
    response
}

fn version(own: &str) -> Value {
    let mut document = Value::object();
    let texts = [
        ("major", "1"),
        ("minor", "36"),
        ("emulationMajor", "1"),
        ("emulationMinor", "36"),
        ("minCompatibilityMajor", "1"),
        ("minCompatibilityMinor", "35"),
        ("gitCommit", ""),
        ("gitTreeState", "clean"),
        ("buildDate", "1970-01-01T00:00:00Z"),
        ("goVersion", "none"),
        ("compiler", "rustc"),
        ("platform", PLATFORM),
    ];
    for (name, text) in texts {
        document.set(&[name], text);
    }
    document.set(&["gitVersion"], format!("v{KUBERNETES}+kluis.{own}"));
    document
}

/// The list at `/`.
fn paths() -> Vec<u8> {
    let own = ["/healthz", "/livez", "/metrics", "/openapi/v2", "/openapi/v3", "/readyz", "/version"];
    let mut all = Discovery::served().paths();
    all.extend(own);
    all.sort_unstable();
    let mut document = Value::object();
    document.set(&["paths"], all.into_iter().map(Value::from).collect::<Vec<_>>());
    api::encode::json_pretty(&document)
}

/// A named check: whether it passes.
type Check = (&'static str, fn(&Pipeline) -> bool);

/// `/livez` fails when only a restart helps, `/readyz` also when the server is starting or going down.
/// A full disk is no reason to restart.
const CHECKS: [Check; 2] = [("ping", |_| true), ("log", |_| true)];
const READY_CHECKS: [Check; 2] = [("store", Pipeline::can_write), ("shutdown", |pipeline| !pipeline.is_ending())];

fn health(pipeline: &Pipeline, kind: &str, check: &str, query: Option<&str>) -> Response<Body> {
    let ready_only: &[Check] = if kind == "readyz" { &READY_CHECKS } else { &[] };
    let checks = CHECKS.iter().chain(ready_only);
    if !check.is_empty() {
        return match checks.into_iter().find(|(name, _)| *name == check) {
            None => not_found(),
            Some((_, passes)) if passes(pipeline) => ready(TEXT, "ok"),
            Some(_) => failed(format!("internal server error: {check} failed\n")),
        };
    }
    let query = Query::parse(query);
    let mut excluded: Vec<&str> = query.all("exclude").filter(|name| !name.is_empty()).collect();
    let (mut report, mut passed) = (String::new(), true);
    for (name, passes) in checks {
        let line = if excluded.contains(name) {
            excluded.retain(|other| other != name);
            writeln!(report, "[+]{name} excluded: ok")
        } else if passes(pipeline) {
            writeln!(report, "[+]{name} ok")
        } else {
            passed = false;
            writeln!(report, "[-]{name} failed: reason withheld")
        };
        line.unwrap_or_default();
    }
    if !excluded.is_empty() {
        let names: Vec<String> = excluded.iter().map(|name| api::field::quote(name)).collect();
        report.push_str(&format!("warn: some health checks cannot be excluded: no matches for {}\n", names.join(",")));
    }
    if !passed {
        return failed(format!("{report}{kind} check failed\n"));
    }
    if query.get("verbose").is_some() {
        ready(TEXT, format!("{report}{kind} check passed\n"))
    } else {
        ready(TEXT, "ok")
    }
}

fn failed(report: String) -> Response<Body> {
    let mut response = ready(TEXT, report);
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    response
}
