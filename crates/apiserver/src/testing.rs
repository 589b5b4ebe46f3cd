//! A server on a store in a temporary folder, asked without a socket.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use api::value::Value;
use auth::Identity;
use bytes::Bytes;
use encryption::{Keyring, LocalKey};
use futures::StreamExt;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, Method, Request};
use http_body_util::{BodyExt, Full, StreamBody};
use storage::{Config, Store};
use tempfile::TempDir;
use tokio::sync::watch::Sender;

use crate::body::{Body, RequestBody};
use crate::{Options, Prepared, Server, ServiceRange};

pub(crate) struct Place {
    folder: TempDir,
    pub(crate) store: Store,
    pub(crate) server: Server,
    ending: Sender<bool>,
}

/// An answer, read to its end.
pub(crate) struct Said {
    pub(crate) code: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
    pub(crate) text: String,
}

impl Place {
    /// With the namespaces of every cluster.
    pub(crate) async fn new() -> Self {
        let folder = TempDir::new().unwrap();
        LocalKey::create(&folder.path().join("keys")).unwrap();
        let (store, server, ending) = open(&folder);
        server.bootstrap().await.unwrap();
        Self { folder, store, server, ending }
    }

    /// As after a restart.
    pub(crate) fn again(self) -> Self {
        let Self { folder, store, server, ending } = self;
        drop((store, server, ending));
        let (store, server, ending) = open(&folder);
        Self { folder, store, server, ending }
    }

    /// What an administrator is told; the body of the request is JSON.
    pub(crate) async fn ask(&self, method: &str, path: &str, body: &str) -> Said {
        self.ask_as(Some(admin()), method, path, "application/json", body).await
    }

    pub(crate) async fn ask_as(
        &self,
        identity: Option<Identity>,
        method: &str,
        path: &str,
        media: &str,
        body: &str,
    ) -> Said {
        let body = Full::new(Bytes::from(body.to_owned())).map_err(|never| match never {}).boxed_unsync();
        self.send(identity, method, path, media, body).await
    }

    /// The code for a request whose body must not be touched.
    pub(crate) async fn code_unread(&self, identity: Option<Identity>, method: &str, path: &str) -> (u16, bool) {
        let touched = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&touched);
        let body = StreamBody::new(futures::stream::poll_fn(move |_| {
            flag.store(true, Ordering::Relaxed);
            std::task::Poll::Ready(None)
        }));
        let said = self.send(identity, method, path, "application/json", body.boxed_unsync()).await;
        (said.code, touched.load(Ordering::Relaxed))
    }

    async fn send(&self, identity: Option<Identity>, method: &str, path: &str, media: &str, body: RequestBody) -> Said {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let request = Request::builder().method(method).uri(path).header(CONTENT_TYPE, media).body(()).unwrap();
        let (parts, ()) = request.into_parts();
        let response = self.server.pipeline.handle(parts, body, identity.map(Arc::new)).await;
        let (parts, body) = response.into_parts();
        let Ok(bytes) = body.collect().await;
        let text = String::from_utf8(bytes.to_bytes().to_vec()).unwrap();
        let body = api::decode::untyped_json(text.as_bytes()).map_or_else(|_| Value::object(), |read| read.value);
        Said { code: parts.status.as_u16(), headers: parts.headers, body, text }
    }

    /// The events of a watch, as many as are wanted.
    pub(crate) async fn watch(&self, path: &str, most: usize) -> Vec<String> {
        let (parts, ()) = Request::get(path).body(()).unwrap().into_parts();
        let nothing = http_body_util::Empty::new().map_err(|never| match never {}).boxed_unsync();
        let response = self.server.pipeline.handle(parts, nothing, Some(Arc::new(admin()))).await;
        assert_eq!(response.status(), 200);
        let Body::Stream(mut pieces) = response.into_body() else { panic!("no stream") };
        let mut events = Vec::new();
        while events.len() < most {
            let Some(piece) = pieces.next().await else { break };
            for line in std::str::from_utf8(&piece).unwrap().lines() {
                let event = api::decode::untyped_json(line.as_bytes()).unwrap().value;
                let name = event.text(&["object", "metadata", "name"]);
                let end = event.text(&["object", "metadata", "annotations", "k8s.io/initial-events-end"]);
                let code = event.integer(&["object", "code"]).map(|code| code.to_string()).unwrap_or_default();
                events.push(format!("{} {name}{end}{code}", event.text(&["type"])));
            }
        }
        events
    }
}

pub(crate) fn admin() -> Identity {
    Identity::authenticated("admin", vec![auth::CLUSTER_ADMINS.to_owned()])
}

fn open(folder: &TempDir) -> (Store, Server, Sender<bool>) {
    let key = LocalKey::load(&folder.path().join("keys")).unwrap().remove(0);
    let keyring = Arc::new(Keyring::new(Box::new(key), Vec::new()).unwrap());
    let (ending, shutdown) = tokio::sync::watch::channel(false);
    let options = Options {
        version: "0.0.0".to_owned(),
        address: "127.0.0.1:6443".to_owned(),
        max_requests_inflight: 400,
        max_mutating_requests_inflight: 200,
        max_connections: 10,
        max_watches_per_identity: 3,
        header_size: 64 << 10,
        header_timeout: Duration::from_secs(10),
        body_size: 3 << 20,
        body_stall: Duration::from_secs(60),
        event_ttl: Duration::from_secs(3600),
        service_range: ServiceRange::parse("10.96.0.0/28").unwrap(),
        drain: Duration::from_secs(1),
        shutdown,
    };
    let prepared = Prepared::new(options);
    let config = Config::new(folder.path().join("kluis.db"));
    let store = Store::open(config, keyring, prepared.observer()).unwrap();
    (store.clone(), prepared.with_store(store), ending)
}
