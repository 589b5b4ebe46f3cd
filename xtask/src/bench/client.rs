//! A lean HTTP/1.1 client over TLS: the generator shares the machine with what it measures, so it must cost little.

use std::sync::Arc;

use anyhow::{Context as _, bail};
use rustls::pki_types::ServerName;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// Where a server listens, and with which identity it is spoken to.
#[derive(Clone)]
pub(crate) struct Endpoint {
    pub(crate) port: u16,
    pub(crate) tls: Arc<rustls::ClientConfig>,
}

/// One kept-alive connection.
pub(crate) struct Connection {
    stream: TlsStream<TcpStream>,
    received: Vec<u8>,
}

/// An answer; its body stays in the connection's buffer until the next request.
pub(crate) struct Answer<'a> {
    pub(crate) status: u16,
    pub(crate) body: &'a [u8],
}

/// What the head of an answer says.
struct Head {
    status: u16,
    length: usize,
    body: Framing,
}

enum Framing {
    Length(usize),
    Chunked,
}

impl Connection {
    pub(crate) async fn open(endpoint: &Endpoint) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(("127.0.0.1", endpoint.port)).await.context("connect")?;
        stream.set_nodelay(true).context("set TCP_NODELAY")?;
        let name = ServerName::try_from("localhost").context("name the server")?;
        let connector = TlsConnector::from(Arc::clone(&endpoint.tls));
        let stream = connector.connect(name, stream).await.context("TLS handshake")?;
        Ok(Self { stream, received: Vec::with_capacity(64 * 1024) })
    }

    /// Sends one request and reads its whole answer.
    pub(crate) async fn exchange(&mut self, request: &[u8]) -> anyhow::Result<Answer<'_>> {
        self.send(request).await?;
        let head = self.head().await?;
        match head.body {
            Framing::Length(length) => self.fill(head.length + length).await?,
            Framing::Chunked => self.dechunk(head.length).await?,
        }
        let body = self.received.get(head.length..).context("the body of an answer")?;
        Ok(Answer { status: head.status, body })
    }

    /// Sends a request whose answer has no end, and reads its head.
    pub(crate) async fn open_stream(&mut self, request: &[u8]) -> anyhow::Result<()> {
        self.send(request).await?;
        let head = self.head().await?;
        if head.status != 200 {
            bail!("a watch was answered with {}", head.status);
        }
        self.received.drain(..head.length);
        Ok(())
    }

    /// Reads a stream until these bytes have come, then forgets all that came.
    pub(crate) async fn wait_for(&mut self, marker: &[u8]) -> anyhow::Result<()> {
        let mut searched: usize = 0;
        loop {
            let unseen = self.received.get(searched.saturating_sub(marker.len())..).unwrap_or_default();
            if memchr::memmem::find(unseen, marker).is_some() {
                self.received.clear();
                return Ok(());
            }
            searched = self.received.len();
            self.more().await?;
        }
    }

    /// Reads a stream to its end and forgets it.
    pub(crate) async fn drain(&mut self) {
        while self.more().await.is_ok() {
            self.received.clear();
        }
    }

    async fn send(&mut self, request: &[u8]) -> anyhow::Result<()> {
        self.received.clear();
        self.stream.write_all(request).await.context("send a request")?;
        self.stream.flush().await.context("send a request")
    }

    async fn head(&mut self) -> anyhow::Result<Head> {
        loop {
            self.more().await?;
            if let Some(head) = parse_head(&self.received)? {
                return Ok(head);
            }
        }
    }

    /// Reads until the buffer holds this many bytes.
    async fn fill(&mut self, length: usize) -> anyhow::Result<()> {
        self.received.reserve(length.saturating_sub(self.received.len()));
        while self.received.len() < length {
            self.more().await?;
        }
        Ok(())
    }

    /// Reads a chunked body and leaves it in the buffer without its framing.
    async fn dechunk(&mut self, start: usize) -> anyhow::Result<()> {
        let mut at = start;
        loop {
            let line = loop {
                let rest = self.received.get(at..).unwrap_or_default();
                match memchr::memmem::find(rest, b"\r\n") {
                    Some(end) => break rest.get(..end).unwrap_or_default(),
                    None => self.more().await?,
                }
            };
            let size = std::str::from_utf8(line).ok().and_then(|line| usize::from_str_radix(line, 16).ok());
            let size = size.context("the size of a chunk")?;
            let framing = line.len() + 2;
            self.fill(at + framing + size + 2).await?;
            self.received.drain(at..at + framing);
            at += size;
            self.received.drain(at..at + 2);
            if size == 0 {
                return Ok(());
            }
        }
    }

    async fn more(&mut self) -> anyhow::Result<()> {
        self.received.reserve(16 * 1024);
        match self.stream.read_buf(&mut self.received).await.context("read an answer")? {
            0 => bail!("the server closed the connection"),
            _ => Ok(()),
        }
    }
}

/// The head at the start of these bytes, once it is complete.
fn parse_head(bytes: &[u8]) -> anyhow::Result<Option<Head>> {
    let mut headers = [httparse::EMPTY_HEADER; 32];
    let mut response = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(length) = response.parse(bytes).context("the head of an answer")? else {
        return Ok(None);
    };
    let field = |name: &str| response.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name));
    let body = match field("content-length").and_then(|header| std::str::from_utf8(header.value).ok()) {
        Some(text) => Framing::Length(text.parse().context("content-length")?),
        None if field("transfer-encoding").is_some() => Framing::Chunked,
        None => Framing::Length(0),
    };
    Ok(Some(Head { status: response.code.context("status")?, length, body }))
}
