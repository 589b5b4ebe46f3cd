//! One change to many watchers: the time from the request that makes it until the last of them has it.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::client::{Connection, Endpoint};

/// Connections that watch, and one that changes.
pub(crate) struct Watchers {
    writer: Connection,
    seen: mpsc::UnboundedReceiver<Instant>,
    watching: JoinSet<anyhow::Result<()>>,
    count: usize,
    round: usize,
}

impl Watchers {
    /// Opens so many watches with this request.
    pub(crate) async fn open(endpoint: &Endpoint, count: usize, request: &[u8]) -> anyhow::Result<Self> {
        let (saw, seen) = mpsc::unbounded_channel();
        let mut watching = JoinSet::new();
        for _ in 0..count {
            let mut connection = Connection::open(endpoint).await?;
            connection.open_stream(request).await?;
            watching.spawn(watch(connection, saw.clone()));
        }
        Ok(Self { writer: Connection::open(endpoint).await?, seen, watching, count, round: 0 })
    }

    /// Makes one change and waits until every watcher has seen it.
    pub(crate) async fn change(&mut self, request: impl Fn(&str) -> Vec<u8>) -> anyhow::Result<Duration> {
        let request = request(&marker(self.round));
        self.round += 1;
        let begun = Instant::now();
        let status = self.writer.exchange(&request).await?.status;
        anyhow::ensure!(status == 200, "the change was answered with {status}");
        let mut last = begun;
        for _ in 0..self.count {
            tokio::select! {
                seen = self.seen.recv() => last = last.max(seen.context("all watchers have ended")?),
                Some(ended) = self.watching.join_next() => ended?.context("a watch ended early")?,
            }
        }
        Ok(last.duration_since(begun))
    }
}

async fn watch(mut connection: Connection, saw: mpsc::UnboundedSender<Instant>) -> anyhow::Result<()> {
    for round in 0.. {
        connection.wait_for(marker(round).as_bytes()).await?;
        if saw.send(Instant::now()).is_err() {
            break;
        }
    }
    Ok(())
}

/// A text that the event of this round holds, and no other.
fn marker(round: usize) -> String {
    format!("round-{round:08}.")
}
