//! The floor: hyper and rustls answering with ready bytes, one grouped append for writes, one broadcast for watches.
//!
//! It runs as a process of its own, so that its CPU time is measured as that of Kluis is.

use std::convert::Infallible;
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use anyhow::Context as _;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Either, Full};
use hyper::body::{Body, Frame, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use tokio_rustls::TlsAcceptor;

use super::{certificates, objects};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Where certificates are read and writes are appended.
    #[arg(long)]
    dir: PathBuf,
    #[arg(long)]
    port: u16,
    /// How many Secrets a LIST holds.
    #[arg(long)]
    listed: usize,
}

/// What every connection of the floor shares.
struct Floor {
    object: Bytes,
    list: Bytes,
    appends: mpsc::UnboundedSender<Append>,
    watchers: Mutex<Vec<mpsc::UnboundedSender<Bytes>>>,
}

/// A write that waits for its fdatasync.
struct Append {
    bytes: Bytes,
    done: oneshot::Sender<()>,
}

/// The body of a watch: whatever is broadcast.
struct Events(mpsc::UnboundedReceiver<Bytes>);

type Reply = Response<Either<Full<Bytes>, Events>>;

pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(serve(options))
}

async fn serve(options: &Options) -> anyhow::Result<()> {
    let acceptor = TlsAcceptor::from(Arc::new(certificates::server(&options.dir)?));
    let floor = Arc::new(Floor {
        object: Bytes::from(objects::stored(0)),
        list: Bytes::from(objects::list(options.listed)),
        appends: start_writer(&options.dir)?,
        watchers: Mutex::default(),
    });
    let listener = TcpListener::bind(("127.0.0.1", options.port)).await.context("listen")?;
    loop {
        let (stream, _) = listener.accept().await.context("accept")?;
        stream.set_nodelay(true).context("set TCP_NODELAY")?;
        let (acceptor, floor) = (acceptor.clone(), Arc::clone(&floor));
        tokio::spawn(async move {
            let Ok(stream) = acceptor.accept(stream).await else { return };
            let service = service_fn(move |request| {
                let floor = Arc::clone(&floor);
                async move { Ok::<_, Infallible>(floor.answer(request).await) }
            });
            let connection =
                http1::Builder::new().timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), service);
            // A client that goes away is how every measurement ends.
            connection.await.unwrap_or_default();
        });
    }
}

impl Floor {
    async fn answer(&self, request: Request<Incoming>) -> Reply {
        match (request.method(), request.uri().path()) {
            (&Method::POST, "/broadcast") => self.broadcast(request.into_body()).await,
            (&Method::POST, _) => self.append(request.into_body()).await,
            (_, "/watch") => self.watch(),
            (_, "/list") => ready(&self.list),
            _ => ready(&self.object),
        }
    }

    async fn append(&self, body: Incoming) -> Reply {
        let Ok(body) = body.collect().await else { return ready(&Bytes::new()) };
        let (done, durable) = oneshot::channel();
        if self.appends.send(Append { bytes: body.to_bytes(), done }).is_ok() {
            durable.await.unwrap_or_default();
        }
        ready(&self.object)
    }

    async fn broadcast(&self, body: Incoming) -> Reply {
        let Ok(body) = body.collect().await else { return ready(&Bytes::new()) };
        let event = body.to_bytes();
        self.watchers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .retain(|watcher| watcher.send(event.clone()).is_ok());
        ready(&Bytes::new())
    }

    fn watch(&self) -> Reply {
        let (sender, events) = mpsc::unbounded_channel();
        self.watchers.lock().unwrap_or_else(PoisonError::into_inner).push(sender);
        Response::new(Either::Right(Events(events)))
    }
}

fn ready(bytes: &Bytes) -> Reply {
    let mut response = Response::new(Either::Left(Full::new(bytes.clone())));
    response.headers_mut().insert("content-type", http::HeaderValue::from_static("application/json"));
    response
}

impl Body for Events {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.poll_recv(context).map(|event| event.map(|bytes| Ok(Frame::data(bytes))))
    }
}

/// One thread that appends all waiting writes at once and makes them durable with one fdatasync.
fn start_writer(dir: &Path) -> anyhow::Result<mpsc::UnboundedSender<Append>> {
    let file = File::create(dir.join("floor.log")).context("create the floor's log")?;
    let (sender, waiting) = mpsc::unbounded_channel();
    std::thread::spawn(move || append_all(file, waiting));
    Ok(sender)
}

fn append_all(mut file: File, mut waiting: mpsc::UnboundedReceiver<Append>) {
    let mut group = Vec::new();
    let mut bytes = Vec::new();
    while waiting.blocking_recv_many(&mut group, 1024) > 0 {
        bytes.clear();
        group.iter().for_each(|append| bytes.extend_from_slice(&append.bytes));
        if file.write_all(&bytes).and_then(|()| file.sync_data()).is_err() {
            return;
        }
        for append in group.drain(..) {
            // Nobody waits any more when the client has gone.
            append.done.send(()).unwrap_or_default();
        }
    }
}
