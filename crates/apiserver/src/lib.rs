//! The front door: TLS, one pipeline for every request, the generic verbs over the table of resources, and watches.

mod admission;
mod blocking;
mod body;
mod cache;
mod documents;
mod error;
mod expiry;
mod in_process;
mod limits;
mod list_body;
mod metrics;
mod negotiate;
mod node_ports;
mod pipeline;
mod query;
mod registry;
mod render;
mod request;
mod serve;
mod start;
#[cfg(test)]
mod testing;
mod websocket;

use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use storage::{Observer, Store};
use tokio::net::TcpListener;
use tokio::sync::watch;

pub use admission::ServiceRange;
pub use body::Body;
pub use documents::KUBERNETES;
pub use in_process::InProcess;
pub use list_body::ListBody;
pub use start::StartError;

use crate::cache::Cache;
use crate::pipeline::Pipeline;

/// How a server behaves.
#[derive(Debug, Clone)]
pub struct Options {
    /// The version of Kluis, for `/version`.
    pub version: String,
    /// Host and port that clients are told in `/api`.
    pub address: String,
    /// `--max-requests-inflight`; 0 is no limit.
    pub max_requests_inflight: usize,
    /// `--max-mutating-requests-inflight`; 0 is no limit.
    pub max_mutating_requests_inflight: usize,
    /// `--max-connections`
    pub max_connections: usize,
    /// `--max-watches-per-identity`
    pub max_watches_per_identity: usize,
    /// The longest head of a request in bytes.
    pub header_size: usize,
    /// How long a head, and a TLS handshake, may take.
    pub header_timeout: Duration,
    /// The longest body of a request in bytes.
    pub body_size: usize,
    /// How long a body, in or out, may make no progress.
    pub body_stall: Duration,
    /// How long Events are kept (`--event-ttl`).
    pub event_ttl: Duration,
    /// `--service-cluster-ip-range`
    pub service_range: ServiceRange,
    /// How long requests that are being answered may go on after the end was asked for.
    pub drain: Duration,
    /// Turns true when the server is to end: it ends watches and drains.
    pub shutdown: watch::Receiver<bool>,
}

/// A server before its store is open: the store shows its records to [`Prepared::observer`].
pub struct Prepared {
    options: Options,
    cache: Arc<Cache>,
}

/// A server that can answer.
#[derive(Clone)]
pub struct Server {
    pipeline: Arc<Pipeline>,
    options: Options,
}

impl Prepared {
    /// A server with these options.
    pub fn new(options: Options) -> Self {
        Self { options, cache: Arc::new(Cache::new()) }
    }

    /// Whom the store tells of every record and write.
    pub fn observer(&self) -> Arc<dyn Observer> {
        Arc::clone(&self.cache) as _
    }

    /// The server on its open store.
    pub fn with_store(self, store: Store) -> Server {
        let Self { options, cache } = self;
        cache.loaded(store.revision());
        let admission = admission::Admission::new(options.service_range);
        let body_limits = body::BodyLimits { size: options.body_size, stall: options.body_stall };
        let pipeline = Pipeline {
            registry: registry::Registry::new(store, cache, admission, body_limits, &options),
            metrics: metrics::Metrics::new(),
            in_flight: limits::InFlight::new(options.max_requests_inflight, options.max_mutating_requests_inflight),
            documents: documents::Documents::new(&options.version, &options.address),
            ending: options.shutdown.clone(),
        };
        Server { pipeline: Arc::new(pipeline), options }
    }
}

impl Server {
    /// Makes what every cluster has from the start: the four namespaces.
    ///
    /// # Errors
    /// When one can neither be found nor made.
    pub async fn bootstrap(&self) -> Result<(), StartError> {
        start::namespaces(self).await
    }

    /// The same pipeline for a client in this process, with its own identity.
    pub fn in_process(&self, identity: auth::Identity) -> InProcess {
        InProcess::new(Arc::clone(&self.pipeline), identity)
    }

    /// Serves connections until the shutdown, then drains them.
    pub async fn serve(&self, listener: TcpListener, tls: Arc<ServerConfig>) {
        let limits = serve::ConnectionLimits {
            most: self.options.max_connections,
            header_size: self.options.header_size,
            header_timeout: self.options.header_timeout,
            write_stall: self.options.body_stall,
            drain: self.options.drain,
        };
        let expiry = tokio::spawn(expiry::run(
            Arc::clone(&self.pipeline),
            self.options.event_ttl,
            self.options.shutdown.clone(),
        ));
        let (pipeline, mut ending) = (Arc::clone(&self.pipeline), self.options.shutdown.clone());
        let waking = tokio::spawn(async move {
            // Were the sender gone, that would be the end as well.
            drop(ending.wait_for(|ending| *ending).await);
            pipeline.registry.cache().wake();
        });
        let pipeline = Arc::clone(&self.pipeline);
        let documents = tokio::spawn(async move {
            pipeline.documents.openapi().await;
        });
        serve::serve(Arc::clone(&self.pipeline), listener, tls, limits, self.options.shutdown.clone()).await;
        for (task, what) in [
            (waking, "the waking of watches"),
            (expiry, "the expiry of events"),
            (documents, "the writing of OpenAPI documents"),
        ] {
            if let Err(error) = task.await {
                tracing::error!(%error, what, "a task ended badly");
            }
        }
    }
}
