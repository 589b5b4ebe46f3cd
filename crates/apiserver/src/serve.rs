//! Connections: TLS, who the client's certificate says it is, and hyper.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use auth::Identity;
use auth::x509::{IdentifyError, end, identify};
use http::request::Parts;
use http::{Request, Response};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::{HttpService, service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::body::BoxError;
use crate::pipeline::{self, Pipeline};

mod activity;
mod unstalled;

use activity::{Activity, Tracked};
use unstalled::Unstalled;

/// A pause after the kernel refused a connection (out of descriptors): accepting in a tight loop helps nobody.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// How long a connection may be open without a request (`IdleTimeout` of `server/secure_serving.go`).
const IDLE: Duration = Duration::from_secs(90);

/// Limits of connections.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ConnectionLimits {
    pub(crate) most: usize,
    pub(crate) header_size: usize,
    pub(crate) header_timeout: Duration,
    /// How long a client may take nothing of what is written to it.
    pub(crate) write_stall: Duration,
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
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(ended) = connections.join_next() => {
                tell_panic(ended);
                continue;
            }
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
        let (acceptor, pipeline, ending) = (acceptor.clone(), Arc::clone(&pipeline), ending.clone());
        connections.spawn(async move {
            let _place = place;
            if let Some(stream) = handshake(&acceptor, stream, limits.header_timeout).await {
                connection(pipeline, stream, limits, ending).await;
            }
        });
    }
    drop(listener);
    let drained = async {
        while let Some(ended) = connections.join_next().await {
            tell_panic(ended);
        }
    };
    if tokio::time::timeout(limits.drain, drained).await.is_err() {
        tracing::warn!("some connections did not end in time");
    }
}

fn tell_panic(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended {
        tracing::error!(%error, "a connection ended badly");
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
    ending: watch::Receiver<bool>,
) {
    let credential = credential(&stream);
    let activity = Arc::new(Activity::default());
    let tracker = Arc::clone(&activity);
    let service = service_fn(move |request: Request<Incoming>| {
        let (pipeline, identity) = (Arc::clone(&pipeline), credential.as_ref().and_then(Credential::identity));
        let open = tracker.open();
        async move {
            let (parts, body) = request.into_parts();
            let body = body.map_err(|error| Box::new(error) as BoxError).boxed_unsync();
            let response: Response<_> = if head_size(&parts) > limits.header_size {
                pipeline::head_too_long()
            } else {
                pipeline.handle(parts, body, identity).await
            };
            Ok::<_, std::convert::Infallible>(response.map(|body| Tracked::new(body, open)))
        }
    });
    // The client has chosen in the handshake: waiting for its first bytes to tell would have no time limit.
    let is_http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2".as_slice());
    let io = TokioIo::new(Unstalled::new(stream, limits.write_stall));
    let served = if is_http2 {
        attend(http2(limits).serve_connection(io, service), &activity, limits.header_timeout, ending).await
    } else {
        let connection = http1(limits).serve_connection(io, service).with_upgrades();
        attend(connection, &activity, limits.header_timeout, ending).await
    };
    if let Err(error) = served {
        tracing::debug!(%error, "a connection ended badly");
    }
}

/// About the length of a head as HTTP/1.1 writes it; hyper's own limit is one of its buffer, which may be larger.
fn head_size(parts: &Parts) -> usize {
    let fields = parts.headers.iter().map(|(name, value)| name.as_str().len() + value.len() + ": \r\n".len());
    parts.uri.path().len() + parts.uri.query().map_or(0, str::len) + fields.sum::<usize>()
}

fn http1(limits: ConnectionLimits) -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(limits.header_timeout).max_buf_size(limits.header_size);
    builder
}

fn http2(limits: ConnectionLimits) -> http2::Builder<TokioExecutor> {
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .max_header_list_size(u32::try_from(limits.header_size).unwrap_or(u32::MAX))
        .max_concurrent_streams(250)
        .initial_stream_window_size(1 << 20)
        .initial_connection_window_size(4 << 20)
        .keep_alive_interval(Duration::from_secs(30));
    builder
}

/// A connection that can be asked to end when its requests are answered.
trait Graceful: Future<Output = hyper::Result<()>> {
    fn graceful_shutdown(self: Pin<&mut Self>);
}

type Socket = TokioIo<Unstalled<TlsStream<TcpStream>>>;

impl<S> Graceful for http1::UpgradeableConnection<Socket, S>
where
    S: HttpService<Incoming, ResBody = Tracked> + 'static,
    S::Error: Into<BoxError>,
{
    fn graceful_shutdown(self: Pin<&mut Self>) {
        Self::graceful_shutdown(self);
    }
}

impl<S> Graceful for http2::Connection<Socket, S, TokioExecutor>
where
    S: HttpService<Incoming, ResBody = Tracked> + 'static,
    S::Future: Send + 'static,
    S::Error: Into<BoxError>,
{
    fn graceful_shutdown(self: Pin<&mut Self>) {
        Self::graceful_shutdown(self);
    }
}

/// Goes on until the connection ends, was idle for too long, or the server goes down. The first request must come
/// as fast as a head must, so that connections cannot be held by saying nothing.
async fn attend<C: Graceful>(
    connection: C,
    activity: &Activity,
    first: Duration,
    mut ending: watch::Receiver<bool>,
) -> hyper::Result<()> {
    let mut connection = pin!(connection);
    let (mut look, mut begun, mut closing) = (Instant::now() + first, 0, false);
    loop {
        tokio::select! {
            ended = connection.as_mut() => return ended,
            _ = ending.wait_for(|ending| *ending), if !closing => {
                closing = true;
                connection.as_mut().graceful_shutdown();
            }
            () = tokio::time::sleep_until(look) => {
                if !activity.is_idle_since(begun) {
                    begun = activity.begun();
                    look = Instant::now() + IDLE;
                } else if closing {
                    return Ok(());
                } else {
                    closing = true;
                    connection.as_mut().graceful_shutdown();
                    look = Instant::now() + first;
                }
            }
        }
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
