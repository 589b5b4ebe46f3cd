//! What the store counts: plain numbers, for whoever publishes them.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::index::Index;

/// Running counters of one store.
#[derive(Debug, Default)]
pub struct Metrics {
    pub(crate) commits: AtomicU64,
    pub(crate) writes: AtomicU64,
    pub(crate) conflicts: AtomicU64,
    pub(crate) failures: AtomicU64,
    pub(crate) sealed_bytes: AtomicU64,
    pub(crate) compacted_rows: AtomicU64,
    pub(crate) checkpoints: AtomicU64,
    pub(crate) unreadable: AtomicU64,
    pub(crate) keys: AtomicU64,
    pub(crate) history: AtomicU64,
    pub(crate) failing: AtomicBool,
    pub(crate) group_size: Histogram,
    pub(crate) commit_micros: Histogram,
    pub(crate) observe_micros: Histogram,
}

/// The counters at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetricsSnapshot {
    /// Durable transactions.
    pub commits: u64,
    /// Writes in them.
    pub writes: u64,
    /// Writes refused because the key was at another revision.
    pub conflicts: u64,
    /// Transactions that failed.
    pub failures: u64,
    /// Bytes of sealed values written.
    pub sealed_bytes: u64,
    /// Rows of the history removed.
    pub compacted_rows: u64,
    /// Checkpoints of the write-ahead log.
    pub checkpoints: u64,
    /// Records that could not be read at the start.
    pub unreadable: u64,
    /// Keys with a current record.
    pub keys: u64,
    /// Rows that are kept only as history.
    pub history: u64,
    /// Whether the last transaction failed: the store takes no writes until one succeeds.
    pub failing: bool,
    /// Writes per transaction.
    pub group_size: Distribution,
    /// Microseconds from the first write of a group being taken until it is durable.
    pub commit_micros: Distribution,
    /// Microseconds spent in the observer per transaction.
    pub observe_micros: Distribution,
}

/// A histogram with bounds that double: bucket `n` counts values up to `2^n`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Distribution {
    /// How many values fell in each bucket; the last takes all that are larger.
    pub buckets: [u64; BUCKETS],
    /// The sum of all values.
    pub sum: u64,
}

const BUCKETS: usize = 24;

#[derive(Debug, Default)]
pub(crate) struct Histogram {
    buckets: [AtomicU64; BUCKETS],
    sum: AtomicU64,
}

impl Metrics {
    /// What the start found.
    pub(crate) fn loaded(&self, index: &Index, history: usize, unreadable: u64) {
        self.keys.store(index.live, Ordering::Relaxed);
        self.history.store(history as u64, Ordering::Relaxed);
        self.unreadable.store(unreadable, Ordering::Relaxed);
    }

    /// The numbers now. Each is right by itself; a write may fall between two of them.
    pub fn snapshot(&self) -> MetricsSnapshot {
        MetricsSnapshot {
            commits: load(&self.commits),
            writes: load(&self.writes),
            conflicts: load(&self.conflicts),
            failures: load(&self.failures),
            sealed_bytes: load(&self.sealed_bytes),
            compacted_rows: load(&self.compacted_rows),
            checkpoints: load(&self.checkpoints),
            unreadable: load(&self.unreadable),
            keys: load(&self.keys),
            history: load(&self.history),
            failing: self.failing.load(Ordering::Relaxed),
            group_size: self.group_size.snapshot(),
            commit_micros: self.commit_micros.snapshot(),
            observe_micros: self.observe_micros.snapshot(),
        }
    }
}

impl Distribution {
    /// How many values were counted.
    pub fn count(&self) -> u64 {
        self.buckets.iter().sum()
    }

    /// The upper bound of a bucket; `None` for the last, which has none.
    pub fn bound(bucket: usize) -> Option<u64> {
        (bucket < BUCKETS - 1).then(|| 1 << bucket)
    }
}

impl Histogram {
    pub(crate) fn record(&self, value: u64) {
        let bucket = (u64::BITS - value.saturating_sub(1).leading_zeros()) as usize;
        if let Some(counter) = self.buckets.get(bucket.min(BUCKETS - 1)) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
        self.sum.fetch_add(value, Ordering::Relaxed);
    }

    fn snapshot(&self) -> Distribution {
        Distribution { buckets: std::array::from_fn(|n| self.buckets.get(n).map_or(0, load)), sum: load(&self.sum) }
    }
}

fn load(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_falls_in_the_first_bucket_that_holds_it() {
        let histogram = Histogram::default();
        for value in [0, 1, 2, 3, 4, 5, u64::MAX >> 1] {
            histogram.record(value);
        }
        let seen = histogram.snapshot();
        assert_eq!(seen.buckets[..4], [2, 1, 2, 1]);
        assert_eq!((seen.buckets[BUCKETS - 1], seen.count()), (1, 7));
        assert_eq!((Distribution::bound(3), Distribution::bound(BUCKETS - 1)), (Some(8), None));
    }
}
