//! SIGTERM and Ctrl-C: the first drains, the second ends at once.

use anyhow::{Context, Result};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tracing::{info, warn};

/// Exit code of a process that a second signal ended.
const ENDED_AT_ONCE: i32 = 130;

/// Turns true at the first signal. Must be called within the runtime; its task lives as long as the process.
pub(crate) fn shutdown() -> Result<watch::Receiver<bool>> {
    let terminate = signal(SignalKind::terminate()).context("cannot wait for SIGTERM")?;
    let interrupt = signal(SignalKind::interrupt()).context("cannot wait for SIGINT")?;
    let (ending, shutdown) = watch::channel(false);
    tokio::spawn(turn(terminate, interrupt, ending));
    Ok(shutdown)
}

async fn turn(mut terminate: Signal, mut interrupt: Signal, ending: watch::Sender<bool>) {
    either(&mut terminate, &mut interrupt).await;
    info!("shutting down; a second signal ends at once");
    ending.send_replace(true);
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

/// Ready when the shutdown begins.
pub(crate) async fn ended(mut shutdown: watch::Receiver<bool>) {
    // The sender lives in a task that never ends; were it gone, that would be an end as well.
    drop(shutdown.wait_for(|ending| *ending).await);
}
