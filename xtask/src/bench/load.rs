//! Driving a server from several connections at once, and what that showed.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use tokio::task::JoinSet;

use super::client::Connection;
use super::process::Process;

/// Writes the request of this number into the buffer.
pub(crate) type Requests = Arc<dyn Fn(usize, &mut Vec<u8>) + Send + Sync>;

/// When to stop.
#[derive(Clone, Copy)]
pub(crate) enum Until {
    Passed(Duration),
    /// The running number has reached this.
    Number(usize),
}

/// What one round showed.
pub(crate) struct Round {
    pub(crate) rate: f64,
    pub(crate) p50: Duration,
    pub(crate) p99: Duration,
    /// CPU time of the server for each request.
    pub(crate) cpu: Duration,
}

/// Keeps so many connections busy; `counter` is the running number of requests, over all rounds.
pub(crate) async fn drive(
    process: &Process,
    connections: usize,
    until: Until,
    requests: &Requests,
    counter: &Arc<AtomicUsize>,
) -> anyhow::Result<Round> {
    let mut open = Vec::new();
    for _ in 0..connections {
        open.push(Connection::open(&process.endpoint).await?);
    }
    let cpu = process.cpu()?;
    let begun = Instant::now();
    let mut tasks = JoinSet::new();
    for connection in open {
        tasks.spawn(keep_busy(connection, begun, until, Arc::clone(requests), Arc::clone(counter)));
    }
    let mut latencies = Vec::new();
    while let Some(done) = tasks.join_next().await {
        latencies.extend(done.context("a connection of the load")??);
    }
    let elapsed = begun.elapsed();
    let cpu = process.cpu()?.saturating_sub(cpu);
    latencies.sort_unstable();
    let count = u32::try_from(latencies.len()).context("count requests")?;
    Ok(Round {
        rate: f64::from(count) / elapsed.as_secs_f64(),
        p50: percentile(&latencies, 50),
        p99: percentile(&latencies, 99),
        cpu: cpu / count.max(1),
    })
}

async fn keep_busy(
    mut connection: Connection,
    begun: Instant,
    until: Until,
    requests: Requests,
    counter: Arc<AtomicUsize>,
) -> anyhow::Result<Vec<Duration>> {
    let mut latencies = Vec::with_capacity(1 << 16);
    let mut request = Vec::new();
    let mut now = Instant::now();
    loop {
        let number = counter.fetch_add(1, Ordering::Relaxed);
        let over = match until {
            Until::Passed(limit) => now.duration_since(begun) >= limit,
            Until::Number(limit) => number >= limit,
        };
        if over {
            return Ok(latencies);
        }
        requests(number, &mut request);
        let answer = connection.exchange(&request).await?;
        if !matches!(answer.status, 200 | 201) {
            bail!("request {number} was answered with {}: {}", answer.status, String::from_utf8_lossy(answer.body));
        }
        let done = Instant::now();
        latencies.push(done.duration_since(now));
        now = done;
    }
}

fn percentile(sorted: &[Duration], part: usize) -> Duration {
    let index = (sorted.len() * part / 100).min(sorted.len().saturating_sub(1));
    sorted.get(index).copied().unwrap_or_default()
}
