//! A plain HTTP client, for what no Kubernetes client would send.

use std::time::Duration;

use anyhow::Context as _;
use http::{HeaderMap, Request};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use crate::Credentials;

const LIMIT: Duration = Duration::from_secs(60);

/// Who speaks to which server; every request has a connection of its own.
#[derive(Clone)]
pub struct Client {
    port: u16,
    credentials: Credentials,
}

/// A whole answer.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Reply {
    /// The body as JSON.
    pub fn json(&self) -> anyhow::Result<serde_json::Value> {
        serde_json::from_slice(&self.body).with_context(|| format!("no JSON: {}", self.text()))
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// A header, or nothing.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

impl Client {
    pub fn new(port: u16, credentials: Credentials) -> Self {
        Self { port, credentials }
    }

    /// The same server, but these credentials.
    pub fn with(&self, credentials: Credentials) -> Self {
        Self { port: self.port, credentials }
    }

    /// A TLS connection on which nothing was sent yet.
    pub async fn connect(&self) -> anyhow::Result<TlsStream<TcpStream>> {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).await.context("connect")?;
        stream.set_nodelay(true).context("set TCP_NODELAY")?;
        let name = ServerName::try_from("localhost").context("name the server")?;
        self.credentials.connector(&[b"http/1.1"])?.connect(name, stream).await.context("TLS handshake")
    }

    pub async fn get(&self, path: &str) -> anyhow::Result<Reply> {
        self.send("GET", path, &[], "").await
    }

    /// Sends a JSON body.
    pub async fn post(&self, path: &str, body: &serde_json::Value) -> anyhow::Result<Reply> {
        self.send("POST", path, &[("content-type", "application/json")], &body.to_string()).await
    }

    /// Sends a request and reads its whole answer.
    pub async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> anyhow::Result<Reply> {
        let answer = async {
            let (parts, body) = self.open(method, path, headers, body).await?.into_parts();
            let body = body.collect().await.context("read the body")?.to_bytes();
            Ok(Reply { status: parts.status.as_u16(), headers: parts.headers, body })
        };
        tokio::time::timeout(LIMIT, answer).await.with_context(|| format!("{method} {path} is not answered"))?
    }

    /// Sends a request and returns when the head of the answer is there.
    pub async fn open(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> anyhow::Result<http::Response<Incoming>> {
        let stream = self.connect().await?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.context("HTTP handshake")?;
        tokio::spawn(connection);
        let mut request = Request::builder().method(method).uri(path).header("host", "localhost");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(Bytes::from(body.to_owned()))).context("a request")?;
        sender.send_request(request).await.with_context(|| format!("{method} {path}"))
    }
}
