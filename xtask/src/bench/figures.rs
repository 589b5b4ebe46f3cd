//! Each figure of the design: what is asked of the floor, what of Kluis, and the bar between them.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::Sizes;
use super::client::Connection;
use super::load::{Requests, Round, Until, drive};
use super::objects::{self, NAMESPACE};
use super::process::Process;
use super::report::{Bar, Row};
use super::watchers::Watchers;

const JSON: &str = "application/json";
const MERGE_PATCH: &str = "application/merge-patch+json";

/// Floor and Kluis side by side, Kluis with its Secrets.
pub(crate) struct Pair {
    floor: Process,
    kluis: Process,
    created: Arc<AtomicUsize>,
}

/// The rounds of both sides of one figure.
#[derive(Default)]
struct Rounds {
    floor: Vec<Round>,
    kluis: Vec<Round>,
}

impl Pair {
    pub(crate) async fn start(program: &Path, dir: &Path, sizes: &Sizes) -> anyhow::Result<Self> {
        let floor = Process::floor(&dir.join("floor"), sizes.listed).await?;
        let kluis = Process::kluis(program, &dir.join("kluis").join("data")).await?;
        make_namespaces(&kluis, &[NAMESPACE, "bench-watch", "bench-create"]).await?;
        fill(&kluis, sizes.listed).await?;
        Ok(Self { floor, kluis, created: Arc::default() })
    }

    pub(crate) async fn get(&self, sizes: &Sizes) -> anyhow::Result<Vec<Row>> {
        let listed = sizes.listed;
        let path = |number| format!("/api/v1/namespaces/{NAMESPACE}/secrets/{}", objects::name("list", number));
        let requests: Vec<_> = (0..listed).map(|number| objects::request("GET", &path(number), "", "")).collect();
        let requests: Requests = Arc::new(move |number, buffer| {
            // A prime stride walks through all of them, away from the order in which they were made.
            let chosen = requests.get(number.wrapping_mul(7919) % listed);
            buffer.clear();
            buffer.extend_from_slice(chosen.map_or(&[], Vec::as_slice));
        });
        let rounds = self.rounds(sizes, 16, &requests, &requests, &Arc::default()).await?;
        Ok(rounds.rows("GET, 16 connections", Bar::AtLeastOfFloor(0.5), Bar::None, Bar::AtMost(25.0)))
    }

    pub(crate) async fn list(&self, sizes: &Sizes) -> anyhow::Result<Vec<Row>> {
        let kluis = fixed(objects::request("GET", &format!("/api/v1/namespaces/{NAMESPACE}/secrets"), "", ""));
        let floor = fixed(objects::request("GET", "/list", "", ""));
        let rounds = self.rounds(sizes, 1, &floor, &kluis, &Arc::default()).await?;
        Ok(rounds.rows(&format!("LIST of {}", sizes.listed), Bar::None, Bar::AtMostOfFloor(1.5), Bar::AtMost(7000.0)))
    }

    pub(crate) async fn create(&self, sizes: &Sizes, connections: usize) -> anyhow::Result<Vec<Row>> {
        let what = format!("CREATE, {connections} connection{}", if connections == 1 { "" } else { "s" });
        let requests = creates("bench-create", "create");
        let rounds = self.rounds(sizes, connections, &requests, &requests, &self.created).await?;
        let cpu = if connections == 1 { Bar::None } else { Bar::AtMost(100.0) };
        Ok(rounds.rows(&what, Bar::AtLeastOfFloor(0.5), Bar::None, cpu))
    }

    pub(crate) async fn watch(&self, sizes: &Sizes) -> anyhow::Result<Vec<Row>> {
        let mut writer = Connection::open(&self.kluis.endpoint).await?;
        let create =
            objects::request("POST", "/api/v1/namespaces/bench-watch/secrets", JSON, &objects::body("watched"));
        let status = writer.exchange(&create).await?.status;
        anyhow::ensure!(status == 201, "the watched Secret was answered with {status}");
        let watch =
            objects::request("GET", "/api/v1/namespaces/bench-watch/secrets?watch=true&resourceVersion=0", "", "");
        let mut kluis = Watchers::open(&self.kluis.endpoint, sizes.watchers, &watch).await?;
        let watch = objects::request("GET", "/watch", "", "");
        let mut floor = Watchers::open(&self.floor.endpoint, sizes.watchers, &watch).await?;
        let change = |marker: &str| {
            let patch = format!(r#"{{"metadata":{{"annotations":{{"round":"{marker}"}}}}}}"#);
            objects::request("PATCH", "/api/v1/namespaces/bench-watch/secrets/watched", MERGE_PATCH, &patch)
        };
        let broadcast = |marker: &str| {
            let event = format!(r#"{{"type":"MODIFIED","object":{},"round":"{marker}"}}"#, objects::stored(0));
            objects::request("POST", "/broadcast", JSON, &event)
        };
        let (mut last_floor, mut last_kluis) = (Vec::new(), Vec::new());
        let (mut cpu_floor, mut cpu_kluis) = (Vec::new(), Vec::new());
        for _ in 0..sizes.rounds {
            let (floor_before, kluis_before) = (self.floor.cpu()?, self.kluis.cpu()?);
            for _ in 0..sizes.changes {
                last_floor.push(milliseconds(floor.change(broadcast).await?));
                last_kluis.push(milliseconds(kluis.change(change).await?));
            }
            let changes = u32::try_from(sizes.changes)?;
            cpu_floor.push(milliseconds((self.floor.cpu()? - floor_before) / changes));
            cpu_kluis.push(milliseconds((self.kluis.cpu()? - kluis_before) / changes));
        }
        let what = format!("one change to {} watchers", sizes.watchers);
        let bar = Bar::AtMostOfFloor(1.3);
        Ok(vec![
            Row::new(format!("{what}, last one"), "ms", Some(median(last_floor)), median(last_kluis), bar),
            Row::new(format!("{what}, CPU"), "ms", Some(median(cpu_floor)), median(cpu_kluis), Bar::None),
        ])
    }

    async fn rounds(
        &self,
        sizes: &Sizes,
        connections: usize,
        floor: &Requests,
        kluis: &Requests,
        counter: &Arc<AtomicUsize>,
    ) -> anyhow::Result<Rounds> {
        let mut rounds = Rounds::default();
        for _ in 0..sizes.rounds {
            let until = Until::Passed(sizes.round);
            rounds.floor.push(drive(&self.floor, connections, until, floor, counter).await?);
            rounds.kluis.push(drive(&self.kluis, connections, until, kluis, counter).await?);
            print!(".");
            std::io::Write::flush(&mut std::io::stdout())?;
        }
        Ok(rounds)
    }
}

impl Rounds {
    fn rows(&self, what: &str, rate: Bar, p50: Bar, cpu: Bar) -> Vec<Row> {
        let row = |name: &str, unit, figure: fn(&Round) -> f64, bar| {
            let side = |rounds: &[Round]| median(rounds.iter().map(figure).collect());
            Row::new(format!("{what}, {name}"), unit, Some(side(&self.floor)), side(&self.kluis), bar)
        };
        vec![
            row("rate", "1/s", |round| round.rate, rate),
            row("p50", "ms", |round| milliseconds(round.p50), p50),
            row("p99", "ms", |round| milliseconds(round.p99), Bar::None),
            row("CPU", "us", |round| microseconds(round.cpu), cpu),
        ]
    }
}

/// Resident memory with many Secrets: after writing them, and after a restart.
pub(crate) async fn memory(program: &Path, dir: &Path, sizes: &Sizes) -> anyhow::Result<Vec<Row>> {
    let dir = dir.join("memory");
    let kluis = Process::kluis(program, &dir.join("data")).await?;
    make_namespaces(&kluis, &[NAMESPACE]).await?;
    fill(&kluis, sizes.stored).await?;
    let written = kluis.resident()?;
    kluis.stop().await?;
    let kluis = Process::kluis(program, &dir.join("data")).await?;
    let what = format!("memory with {} Secrets", sizes.stored);
    let json = megabytes(objects::stored(0).len() as u64 * sizes.stored as u64);
    let bar = Bar::AtMost(330.0);
    Ok(vec![
        Row::new(format!("{what}, after writing (floor: their JSON)"), "MB", Some(json), megabytes(written), bar),
        Row::new(format!("{what}, after a restart"), "MB", Some(json), megabytes(kluis.resident()?), bar),
        Row::new(
            format!("start to ready with {} Secrets", sizes.stored),
            "ms",
            None,
            milliseconds(kluis.started_in),
            Bar::None,
        ),
    ])
}

/// From the start of the process on an empty directory to the first `ok` of `/readyz`.
pub(crate) async fn start(program: &Path, dir: &Path, sizes: &Sizes) -> anyhow::Result<Vec<Row>> {
    let (mut first, mut again) = (Vec::new(), Vec::new());
    for number in 0..sizes.starts {
        let data = dir.join(format!("start-{number}")).join("data");
        for times in [&mut first, &mut again] {
            let kluis = Process::kluis(program, &data).await?;
            times.push(milliseconds(kluis.started_in));
            kluis.stop().await?;
        }
    }
    Ok(vec![
        Row::new("start to ready, empty store", "ms", None, median(first), Bar::AtMost(100.0)),
        Row::new("start to ready, second start", "ms", None, median(again), Bar::AtMost(100.0)),
    ])
}

async fn make_namespaces(kluis: &Process, names: &[&str]) -> anyhow::Result<()> {
    let mut connection = Connection::open(&kluis.endpoint).await?;
    for name in names {
        let body = format!(r#"{{"apiVersion":"v1","kind":"Namespace","metadata":{{"name":"{name}"}}}}"#);
        let answer = connection.exchange(&objects::request("POST", "/api/v1/namespaces", JSON, &body)).await?;
        let (status, body) = (answer.status, String::from_utf8_lossy(answer.body));
        anyhow::ensure!(status == 201, "namespace {name} was answered with {status}: {body}");
    }
    Ok(())
}

/// Creates so many Secrets of the series `list`.
async fn fill(kluis: &Process, count: usize) -> anyhow::Result<()> {
    let counter = Arc::new(AtomicUsize::new(0));
    drive(kluis, 16, Until::Number(count), &creates(NAMESPACE, "list"), &counter).await?;
    anyhow::ensure!(counter.load(Ordering::Relaxed) >= count, "not all Secrets were created");
    Ok(())
}

/// Requests that create one Secret after the other.
fn creates(namespace: &str, series: &str) -> Requests {
    let placeholder = objects::name(series, 0);
    let path = format!("/api/v1/namespaces/{namespace}/secrets");
    let template = objects::request("POST", &path, JSON, &objects::body(&placeholder));
    let at = memchr::memmem::find(&template, placeholder.as_bytes()).unwrap_or(0);
    let series = series.to_owned();
    Arc::new(move |number, buffer| {
        buffer.clear();
        buffer.extend_from_slice(&template);
        let name = objects::name(&series, number);
        if let Some(place) = buffer.get_mut(at..at + name.len()) {
            place.copy_from_slice(name.as_bytes());
        }
    })
}

fn fixed(request: Vec<u8>) -> Requests {
    Arc::new(move |_, buffer| {
        buffer.clear();
        buffer.extend_from_slice(&request);
    })
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

fn microseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e6
}

fn megabytes(bytes: u64) -> f64 {
    // Far below 2^52.
    bytes as f64 / 1e6
}
