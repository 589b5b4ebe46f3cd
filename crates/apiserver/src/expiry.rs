//! Events live for a time (`--event-ttl`): the oldest go, a few at a time, so that writers do not wait for them.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::pipeline::Pipeline;

/// Between two looks.
const INTERVAL: Duration = Duration::from_secs(30);

/// Runs until the shutdown.
pub(crate) async fn run(pipeline: Arc<Pipeline>, ttl: Duration, mut ending: watch::Receiver<bool>) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(INTERVAL) => {}
            _ = ending.wait_for(|ending| *ending) => return,
        }
        let deleted = pipeline.registry.expire_events(ttl).await;
        if deleted > 0 {
            tracing::debug!(deleted, "events expired");
        }
    }
}
