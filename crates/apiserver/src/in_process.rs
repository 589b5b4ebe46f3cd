//! The pipeline as a tower service, for controllers of this process: same authorization, same rules, no socket.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use auth::Identity;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::BodyExt;
use tower::Service;

use crate::body::{Body, BoxError};
use crate::pipeline::Pipeline;

/// See the module.
#[derive(Clone)]
pub struct InProcess {
    pipeline: Arc<Pipeline>,
    identity: Arc<Identity>,
}

impl InProcess {
    pub(crate) fn new(pipeline: Arc<Pipeline>, identity: Identity) -> Self {
        Self { pipeline, identity: Arc::new(identity) }
    }
}

impl<B> Service<Request<B>> for InProcess
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let (pipeline, identity) = (Arc::clone(&self.pipeline), Arc::clone(&self.identity));
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            Ok(pipeline.handle(parts, body.map_err(Into::into).boxed_unsync(), Some(identity)).await)
        })
    }
}
