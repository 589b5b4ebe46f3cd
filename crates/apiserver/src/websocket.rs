//! Watches over WebSocket: each event is one text message (`apiserver/pkg/endpoints/handlers/watch.go`).

use bytes::Bytes;
use futures::{SinkExt, StreamExt};
use http::header::{CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, UPGRADE};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

use crate::body::Body;

/// What a client may say in one message; nothing that it says is looked at.
const LONGEST: usize = 64 << 10;

/// A client's wish to go on in WebSocket, which only streams grant.
pub(crate) struct Upgrade {
    connection: OnUpgrade,
    accept: String,
}

impl Upgrade {
    /// Takes the wish out of a request that has a well-formed one.
    pub(crate) fn take(parts: &mut Parts) -> Option<Self> {
        let asks = names(&parts.headers, UPGRADE, "websocket") && names(&parts.headers, CONNECTION, "upgrade");
        let key = parts.headers.get(SEC_WEBSOCKET_KEY).filter(|_| asks)?;
        let accept = derive_accept_key(key.as_bytes());
        Some(Self { connection: parts.extensions.remove::<OnUpgrade>()?, accept })
    }

    /// Grants it: 101, then the pieces of the stream as messages.
    pub(crate) fn accept(self, body: Body) -> Response<Body> {
        let Self { connection, accept } = self;
        // The task ends with the stream or the client, whichever comes first; the shutdown ends all streams.
        tokio::spawn(async move {
            if let Ok(upgraded) = connection.await {
                let limits = WebSocketConfig::default().max_message_size(Some(LONGEST)).max_frame_size(Some(LONGEST));
                let socket = WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Server, Some(limits)).await;
                send(socket, body).await;
            }
        });
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        let headers = response.headers_mut();
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
        if let Ok(value) = HeaderValue::from_str(&accept) {
            headers.insert(SEC_WEBSOCKET_ACCEPT, value);
        }
        response
    }
}

fn names(headers: &HeaderMap, header: HeaderName, wanted: &str) -> bool {
    let values = headers.get_all(header).into_iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|value| value.trim().eq_ignore_ascii_case(wanted))
}

async fn send<S>(socket: WebSocketStream<S>, body: Body)
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    let Body::Stream(mut pieces) = body else { return };
    let (mut sink, mut source) = socket.split();
    loop {
        tokio::select! {
            piece = pieces.next() => {
                let Some(piece) = piece else { break };
                if send_lines(&mut sink, &piece).await.is_err() {
                    return;
                }
            }
            // Whatever the client says, only its leaving matters; pings are answered by the library.
            said = source.next() => if !matches!(said, Some(Ok(_))) { return },
        }
    }
    // Nobody is left to tell if the client is gone already.
    drop(sink.close().await);
}

async fn send_lines<S>(sink: &mut S, piece: &Bytes) -> Result<(), S::Error>
where
    S: futures::Sink<Message> + Unpin,
{
    for line in piece.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        sink.feed(Message::text(String::from_utf8_lossy(line).into_owned())).await?;
    }
    sink.flush().await
}
