//! Whether a connection is in use: how many of its requests are not yet answered to the end.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Frame, SizeHint};

use crate::body::Body;

/// The requests of one connection.
#[derive(Default)]
pub(super) struct Activity {
    begun: AtomicU64,
    ended: AtomicU64,
}

/// A request that is not yet answered to the end.
pub(super) struct Open(Arc<Activity>);

impl Activity {
    /// A request has begun.
    pub(super) fn open(self: &Arc<Self>) -> Open {
        self.begun.fetch_add(1, Ordering::Relaxed);
        Open(Arc::clone(self))
    }

    /// How many requests have begun.
    pub(super) fn begun(&self) -> u64 {
        self.begun.load(Ordering::Relaxed)
    }

    /// Whether nothing is open now, and nothing has begun since there were so many.
    pub(super) fn is_idle_since(&self, begun: u64) -> bool {
        self.begun() == begun && self.ended.load(Ordering::Relaxed) == begun
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.ended.fetch_add(1, Ordering::Relaxed);
    }
}

/// The body of an answer, which keeps its request open.
pub(super) struct Tracked {
    body: Body,
    _open: Open,
}

impl Tracked {
    pub(super) fn new(body: Body, open: Open) -> Self {
        Self { body, _open: open }
    }
}

impl http_body::Body for Tracked {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_is_idle_when_all_its_requests_have_ended() {
        let activity = Arc::new(Activity::default());
        assert!(activity.is_idle_since(0));
        let open = activity.open();
        assert!(!activity.is_idle_since(0));
        let begun = activity.begun();
        assert!(!activity.is_idle_since(begun));
        drop(open);
        assert!(activity.is_idle_since(begun));
    }
}
