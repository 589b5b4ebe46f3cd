//! What the server counts, in the names that kube-apiserver has for it where it has one.

use std::fmt::Write as _;
use std::sync::atomic::Ordering;
use std::time::Duration;

use api::resources::Resource;
use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use crate::pipeline::Pipeline;
use crate::request::Verb;

/// What is known of a request when it is answered.
#[derive(Default)]
pub(crate) struct Observed {
    pub(crate) verb: Option<Verb>,
    pub(crate) row: Option<&'static Resource>,
    pub(crate) code: u16,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Labels {
    verb: &'static str,
    group: &'static str,
    version: &'static str,
    resource: &'static str,
    code: u16,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct LatencyLabels {
    verb: &'static str,
    group: &'static str,
    version: &'static str,
    resource: &'static str,
}

/// The counters of requests.
pub(crate) struct Metrics {
    registry: Registry,
    requests: Family<Labels, Counter>,
    latency: Family<LatencyLabels, Histogram>,
}

/// Seconds: from what a cached read takes to what a client gives up after.
const BUCKETS: [f64; 14] =
    [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0];

impl Metrics {
    pub(crate) fn new() -> Self {
        let requests = Family::<Labels, Counter>::default();
        let latency = Family::<LatencyLabels, Histogram>::new_with_constructor(|| Histogram::new(BUCKETS));
        let mut registry = Registry::default();
        registry.register("apiserver_request", "Requests by verb, resource and code", requests.clone());
        registry.register("apiserver_request_duration_seconds", "Time to the head of the answer", latency.clone());
        Self { registry, requests, latency }
    }

    /// Counts a request that was answered.
    pub(crate) fn observe(&self, observed: &Observed, elapsed: Duration) {
        let verb = observed.verb.map_or("other", Verb::as_str);
        let (group, version, resource) = observed.row.map_or(("", "", ""), |row| (row.group, row.version, row.plural));
        self.requests.get_or_create(&Labels { verb, group, version, resource, code: observed.code }).inc();
        if observed.verb != Some(Verb::Watch) {
            self.latency
                .get_or_create(&LatencyLabels { verb, group, version, resource })
                .observe(elapsed.as_secs_f64());
        }
    }
}

impl Pipeline {
    /// The page at `/metrics`.
    pub(crate) fn render_metrics(&self) -> String {
        let mut page = String::new();
        if text::encode(&mut page, &self.metrics.registry).is_err() {
            return page;
        }
        let end = page.trim_end_matches("# EOF\n").len();
        page.truncate(end);
        let written = self.write_gauges(&mut page).and_then(|()| self.write_store(&mut page));
        written.unwrap_or_default();
        page
    }

    fn write_gauges(&self, page: &mut String) -> std::fmt::Result {
        let (reading, mutating) = self.in_flight.now();
        writeln!(page, "# TYPE apiserver_current_inflight_requests gauge")?;
        writeln!(page, "apiserver_current_inflight_requests{{request_kind=\"readOnly\"}} {reading}")?;
        writeln!(page, "apiserver_current_inflight_requests{{request_kind=\"mutating\"}} {mutating}")?;
        let cache = self.registry.cache();
        writeln!(page, "# TYPE apiserver_longrunning_requests gauge")?;
        writeln!(
            page,
            "apiserver_longrunning_requests{{verb=\"WATCH\"}} {}",
            cache.watchers().load(Ordering::Relaxed)
        )?;
        writeln!(page, "# TYPE apiserver_storage_objects gauge")?;
        for (prefix, count) in cache.counts() {
            writeln!(page, "apiserver_storage_objects{{resource=\"{prefix}\"}} {count}")?;
        }
        writeln!(page, "# TYPE kluis_cache_revision gauge\nkluis_cache_revision {}", cache.revision())?;
        writeln!(page, "# TYPE kluis_cache_bytes gauge\nkluis_cache_bytes {}", cache.bytes())
    }

    fn write_store(&self, page: &mut String) -> std::fmt::Result {
        let store = self.registry.store().metrics().snapshot();
        let counters = [
            ("kluis_store_commits_total", store.commits),
            ("kluis_store_writes_total", store.writes),
            ("kluis_store_conflicts_total", store.conflicts),
            ("kluis_store_failures_total", store.failures),
            ("kluis_store_checkpoints_total", store.checkpoints),
            ("kluis_store_compacted_rows_total", store.compacted_rows),
            ("kluis_encryption_sealed_bytes_total", store.sealed_bytes),
        ];
        for (name, value) in counters {
            writeln!(page, "# TYPE {name} counter\n{name} {value}")?;
        }
        let gauges = [
            ("kluis_store_unreadable_records", store.unreadable),
            ("kluis_store_keys", store.keys),
            ("kluis_store_history", store.history),
        ];
        for (name, value) in gauges {
            writeln!(page, "# TYPE {name} gauge\n{name} {value}")?;
        }
        write_distribution(page, "kluis_store_group_size", &store.group_size)?;
        write_distribution(page, "kluis_store_commit_microseconds", &store.commit_micros)
    }
}

fn write_distribution(page: &mut String, name: &str, values: &storage::Distribution) -> std::fmt::Result {
    writeln!(page, "# TYPE {name} histogram")?;
    let mut total = 0;
    for (at, count) in values.buckets.iter().enumerate() {
        total += count;
        match storage::Distribution::bound(at) {
            Some(bound) => writeln!(page, "{name}_bucket{{le=\"{bound}\"}} {total}")?,
            None => writeln!(page, "{name}_bucket{{le=\"+Inf\"}} {total}")?,
        }
    }
    writeln!(page, "{name}_sum {}\n{name}_count {total}", values.sum)
}
