//! SIGTERM and Ctrl-C: the first drains, the second ends at once.

use anyhow::{Context, Result};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

/// Exit code of a process that a second signal ended.
const ENDED_AT_ONCE: i32 = 130;

/// Cancelled by the first signal. Must be called within the runtime; its task lives as long as the process.
pub(crate) fn shutdown() -> Result<CancellationToken> {
    let terminate = signal(SignalKind::terminate()).context("cannot wait for SIGTERM")?;
    let interrupt = signal(SignalKind::interrupt()).context("cannot wait for SIGINT")?;
    let token = CancellationToken::new();
    tokio::spawn(watch(terminate, interrupt, token.clone()));
    Ok(token)
}

async fn watch(mut terminate: Signal, mut interrupt: Signal, token: CancellationToken) {
    either(&mut terminate, &mut interrupt).await;
    info!("shutting down; a second signal ends at once");
    token.cancel();
    either(&mut terminate, &mut interrupt).await;
    // What was acknowledged is on the disk already, so nothing is lost by leaving here.
    warn!("ended by a second signal");
    std::process::exit(ENDED_AT_ONCE);
}

async fn either(terminate: &mut Signal, interrupt: &mut Signal) {
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}
