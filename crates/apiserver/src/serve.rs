//! Connections: TLS, who the client's certificate says it is, and hyper.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use auth::Identity;
use auth::x509::{IdentifyError, end, identify};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::body::BoxError;
use crate::pipeline::Pipeline;

/// A pause after the kernel refused a connection (out of descriptors): accepting in a tight loop helps nobody.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Limits of connections.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ConnectionLimits {
    pub(crate) most: usize,
    pub(crate) header_size: usize,
    pub(crate) header_timeout: Duration,
    pub(crate) drain: Duration,
}

/// Accepts connections until the end is asked for, then lets what is being answered finish.
pub(crate) async fn serve(
    pipeline: Arc<Pipeline>,
    listener: TcpListener,
    tls: Arc<ServerConfig>,
    limits: ConnectionLimits,
    mut ending: watch::Receiver<bool>,
) {
    let acceptor = TlsAcceptor::from(tls);
    let places = Arc::new(Semaphore::new(limits.most));
    let graceful = GracefulShutdown::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = ending.wait_for(|ending| *ending) => break,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
            tracing::warn!(most = limits.most, "a connection was refused: --max-connections is reached");
            continue;
        };
        let (acceptor, pipeline, watcher) = (acceptor.clone(), Arc::clone(&pipeline), graceful.watcher());
        tokio::spawn(async move {
            let _place = place;
            if let Some(stream) = handshake(&acceptor, stream, limits.header_timeout).await {
                connection(pipeline, stream, limits, watcher).await;
            }
        });
    }
    drop(listener);
    if tokio::time::timeout(limits.drain, graceful.shutdown()).await.is_err() {
        tracing::warn!("some connections did not end in time");
    }
}

async fn handshake(acceptor: &TlsAcceptor, stream: TcpStream, limit: Duration) -> Option<TlsStream<TcpStream>> {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection ended early");
        return None;
    }
    match tokio::time::timeout(limit, acceptor.accept(stream)).await {
        Ok(Ok(stream)) => Some(stream),
        Ok(Err(error)) => {
            tracing::debug!(%error, "TLS handshake failed");
            None
        }
        Err(_) => {
            tracing::debug!("TLS handshake took too long");
            None
        }
    }
}

async fn connection(
    pipeline: Arc<Pipeline>,
    stream: TlsStream<TcpStream>,
    limits: ConnectionLimits,
    watcher: hyper_util::server::graceful::Watcher,
) {
    let credential = credential(&stream);
    let service = service_fn(move |request: http::Request<Incoming>| {
        let (pipeline, identity) = (Arc::clone(&pipeline), credential.as_ref().and_then(Credential::identity));
        async move {
            let (parts, body) = request.into_parts();
            let body = body.map_err(|error| Box::new(error) as BoxError).boxed_unsync();
            Ok::<_, std::convert::Infallible>(pipeline.handle(parts, body, identity).await)
        }
    });
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header_timeout)
        .max_buf_size(limits.header_size)
        .http2()
        .timer(TokioTimer::new())
        .max_header_list_size(u32::try_from(limits.header_size).unwrap_or(u32::MAX))
        .max_concurrent_streams(250)
        .initial_stream_window_size(1 << 20)
        .initial_connection_window_size(4 << 20)
        .keep_alive_interval(Duration::from_secs(30));
    let served = watcher.watch(builder.serve_connection_with_upgrades(TokioIo::new(stream), service).into_owned());
    if let Err(error) = served.await {
        tracing::debug!(error, "a connection ended badly");
    }
}

/// What a client's certificate proves, and until when: a connection can outlive it.
struct Credential {
    identity: Arc<Identity>,
    end: SystemTime,
}

impl Credential {
    fn identity(&self) -> Option<Arc<Identity>> {
        (SystemTime::now() < self.end).then(|| Arc::clone(&self.identity))
    }
}

/// Who the certificate of the client says it is; the handshake has checked it.
fn credential(stream: &TlsStream<TcpStream>) -> Option<Credential> {
    let certificate = stream.get_ref().1.peer_certificates()?.first()?;
    let read = || Ok(Credential { identity: Arc::new(identify(certificate)?), end: end(certificate)? });
    read().inspect_err(|error: &IdentifyError| tracing::warn!(%error, "a client certificate names nobody")).ok()
}
