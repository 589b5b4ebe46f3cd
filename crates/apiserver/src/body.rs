//! Bodies: what answers are made of, and how the body of a request is taken in.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures::stream::BoxStream;
use futures::{Stream, StreamExt};
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt;

use crate::error::{ApiError, Result};
use crate::list_body::ListBody;

/// Any failure of a transport's own body.
pub(crate) type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The body of a request, from a connection or from inside the process.
pub(crate) type RequestBody = http_body_util::combinators::UnsyncBoxBody<Bytes, BoxError>;

/// The body of an answer.
pub enum Body {
    /// Ready pieces.
    Ready(VecDeque<Bytes>),
    /// Pieces that are made when they are taken: a list.
    Long(Box<ListBody>),
    /// Pieces that come with time: a watch.
    Stream(BoxStream<'static, Bytes>),
}

impl Body {
    /// No bytes.
    pub(crate) fn empty() -> Self {
        Self::Ready(VecDeque::new())
    }

    /// One piece.
    pub(crate) fn full(bytes: impl Into<Bytes>) -> Self {
        Self::Ready(VecDeque::from([bytes.into()]))
    }

    /// A stream of pieces.
    pub(crate) fn stream(pieces: impl Stream<Item = Bytes> + Send + 'static) -> Self {
        Self::Stream(pieces.boxed())
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        match &mut *self {
            Self::Ready(pieces) => Poll::Ready(pieces.pop_front().map(|piece| Ok(Frame::data(piece)))),
            Self::Long(list) => Poll::Ready(list.next().map(|piece| Ok(Frame::data(piece)))),
            Self::Stream(pieces) => pieces.poll_next_unpin(cx).map(|piece| piece.map(|piece| Ok(Frame::data(piece)))),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Ready(pieces) => pieces.is_empty(),
            Self::Long(list) => list.len() == 0,
            Self::Stream(_) => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Ready(pieces) => SizeHint::with_exact(pieces.iter().map(|piece| piece.len() as u64).sum()),
            Self::Long(list) => SizeHint::with_exact(list.len() as u64),
            Self::Stream(_) => SizeHint::default(),
        }
    }
}

/// Limits of a request's body.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BodyLimits {
    /// Bytes.
    pub(crate) size: usize,
    /// The longest time without a byte.
    pub(crate) stall: Duration,
}

/// How much of a body that is refused is still taken in and thrown away: a client that is cut off while it sends never
/// sees the answer.
const DRAINED: usize = 16 << 20;

/// How many times the longest pause a whole body may take: one that comes a byte at a time holds a place in flight.
const PAUSES: u32 = 10;

/// Reads a body whole, or refuses it. Nothing of a body that is too large is kept.
pub(crate) async fn read(body: RequestBody, limits: BodyLimits) -> Result<Bytes> {
    let whole = tokio::time::timeout(limits.stall.saturating_mul(PAUSES), read_pieces(body, limits));
    whole.await.unwrap_or_else(|_| Err(ApiError::body_timeout()))
}

async fn read_pieces(mut body: RequestBody, limits: BodyLimits) -> Result<Bytes> {
    let too_large = || ApiError::too_large(format_args!("limit is {}", limits.size));
    let hint = http_body::Body::size_hint(&body);
    if hint.lower() > limits.size as u64 {
        drain(body, limits.stall).await;
        return Err(too_large());
    }
    let mut first: Option<Bytes> = None;
    let mut rest = BytesMut::new();
    loop {
        let frame = match tokio::time::timeout(limits.stall, body.frame()).await {
            Err(_) => return Err(ApiError::body_timeout()),
            Ok(None) => break,
            Ok(Some(Err(_))) => return Err(ApiError::bad_request("the request body was cut off")),
            Ok(Some(Ok(frame))) => frame,
        };
        let Ok(data) = frame.into_data() else { continue };
        let length = first.as_ref().map_or(0, Bytes::len) + rest.len() + data.len();
        if length > limits.size {
            drain(body, limits.stall).await;
            return Err(too_large());
        }
        match &first {
            None => first = Some(data),
            Some(_) => rest.extend_from_slice(&data),
        }
    }
    let first = first.unwrap_or_default();
    if rest.is_empty() {
        return Ok(first);
    }
    let mut whole = BytesMut::with_capacity(first.len() + rest.len());
    whole.extend_from_slice(&first);
    whole.extend_from_slice(&rest);
    Ok(whole.freeze())
}

/// Throws away what still comes, within bounds.
async fn drain(mut body: RequestBody, stall: Duration) {
    let mut left = DRAINED;
    while let Ok(Some(Ok(frame))) = tokio::time::timeout(stall, body.frame()).await {
        let Ok(data) = frame.into_data() else { continue };
        left = left.saturating_sub(data.len());
        if left == 0 {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::stream;
    use http_body_util::StreamBody;

    use super::*;

    async fn check(pieces: impl Stream<Item = &'static str> + Send + 'static, wanted: Result<usize, u16>) {
        let limits = BodyLimits { size: 100, stall: Duration::from_millis(10) };
        let frames = pieces.map(|piece| Ok(Frame::data(Bytes::from_static(piece.as_bytes()))));
        let read = read(StreamBody::new(frames).boxed_unsync(), limits).await;
        assert_eq!(read.map(|bytes| bytes.len()).map_err(|error| error.code), wanted);
    }

    #[tokio::test]
    async fn a_body_has_a_size_and_comes_to_its_end() {
        check(stream::iter(["x"; 100]), Ok(100)).await;
        check(stream::iter(["x"; 101]), Err(413)).await;
        check(stream::iter(["x"]).chain(stream::pending()), Err(408)).await;
        let nothing = stream::repeat("").then(|piece| async move {
            tokio::task::yield_now().await;
            piece
        });
        check(nothing, Err(408)).await;
    }
}
