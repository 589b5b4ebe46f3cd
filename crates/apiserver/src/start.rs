//! What a cluster has from the start, made through the front door.

use auth::Identity;
use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};
use http::Request;
use http_body_util::{BodyExt, Full};
use thiserror::Error;
use tower::ServiceExt;

use crate::Server;

/// The namespaces of every cluster (`pkg/controlplane/controller/systemnamespaces`, and `default`).
const NAMESPACES: [&str; 4] = ["default", "kube-system", "kube-public", "kube-node-lease"];

/// A cluster could not be set up.
#[derive(Debug, Error)]
#[error("cannot make namespace {name}: {answer}")]
pub struct StartError {
    name: &'static str,
    answer: String,
}

pub(crate) async fn namespaces(server: &Server) -> Result<(), StartError> {
    let row = api::resources::find("", "v1", "namespaces");
    let cache = server.pipeline.registry.cache();
    let missing = NAMESPACES.into_iter().filter(|name| row.is_none_or(|row| cache.get(row, name).is_none()));
    // All at once, so that they wait for the disk once; but no more than may be in flight.
    let at_once = match server.options.max_mutating_requests_inflight {
        0 => NAMESPACES.len(),
        most => most,
    };
    stream::iter(missing).map(|name| make(server, name)).buffered(at_once).try_collect().await
}

async fn make(server: &Server, name: &'static str) -> Result<(), StartError> {
    let failed = |answer: String| StartError { name, answer };
    let body = format!(r#"{{"apiVersion":"v1","kind":"Namespace","metadata":{{"name":"{name}"}}}}"#);
    let request = Request::post("/api/v1/namespaces")
        .header(http::header::CONTENT_TYPE, "application/json")
        .header(http::header::USER_AGENT, "kube-apiserver")
        .body(Full::new(Bytes::from(body)))
        .map_err(|error| failed(error.to_string()))?;
    let identity = Identity::authenticated("system:apiserver", vec![auth::MASTERS.to_owned()]);
    let Ok(response) = server.in_process(identity).oneshot(request).await;
    let code = response.status();
    if code.is_success() || code == http::StatusCode::CONFLICT {
        return Ok(());
    }
    let Ok(answer) = response.into_body().collect().await;
    Err(failed(String::from_utf8_lossy(&answer.to_bytes()).into_owned()))
}
