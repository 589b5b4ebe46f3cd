//! What a durable write costs, beside the floor: one append and fdatasync, grouped over all that wait.
//!
//! `cargo bench -p storage --bench commit -- [--smoke] [--millis TIME] [--folder DIR]`
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a bench: a panic is its answer, its output a table")]

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, channel, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use encryption::{Keyring, LocalKey};
use storage::{Committed, Config, Expect, Key, Mutation, Observer, Record, RecordError, Revision, Store, Write};
use tempfile::TempDir;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let after = |name: &str| arguments.iter().skip_while(|argument| *argument != name).nth(1).cloned();
    let smoke = arguments.iter().any(|argument| argument == "--smoke" || argument == "--test");
    let folder = PathBuf::from(after("--folder").unwrap_or_else(|| env!("CARGO_TARGET_TMPDIR").to_owned()));
    let time = after("--millis").map_or(if smoke { 100 } else { 3000 }, |millis| millis.parse().unwrap());
    let time = Duration::from_millis(time);

    println!("{VALUE} byte values, {:?} each, in {}", time, folder.display());
    println!("{:28} {:>9} {:>9} {:>9} {:>9} {:>7}", "", "writes/s", "p50 us", "p99 us", "max us", "group");
    for writers in [1, 4, 16, 64] {
        print(&format!("raw append, {writers} writers"), &raw(&folder, writers, time));
        print(&format!("store create, {writers} writers"), &store(&folder, writers, time, Load::Create));
        print(&format!("store update, {writers} writers"), &store(&folder, writers, time, Load::Update));
        print(&format!("... thinned, {writers} writers"), &store(&folder, writers, time, Load::Thinned));
    }
}

struct Outcome {
    elapsed: Duration,
    latencies: Vec<Duration>,
    group: f64,
}

#[derive(Clone, Copy, PartialEq)]
enum Load {
    Create,
    Update,
    /// Updates of which a short history is kept, so that rows go as fast as they come.
    Thinned,
}

fn print(name: &str, outcome: &Outcome) {
    let mut sorted: Vec<u128> = outcome.latencies.iter().map(Duration::as_micros).collect();
    sorted.sort_unstable();
    let rate = sorted.len() as f64 / outcome.elapsed.as_secs_f64();
    let part = |part: f64| sorted.get((sorted.len() as f64 * part) as usize).copied().unwrap_or(0);
    let max = sorted.last().copied().unwrap_or(0);
    println!("{name:28} {rate:9.0} {:9} {:9} {max:9} {:7.1}", part(0.5), part(0.99), outcome.group);
}

/// Writers hand their bytes to one thread, which appends all that wait and syncs once.
fn raw(folder: &Path, writers: usize, time: Duration) -> Outcome {
    let place = TempDir::new_in(folder).unwrap();
    let mut file = File::create(place.path().join("log")).unwrap();
    let end = Instant::now() + time;
    let value = vec![7_u8; VALUE];
    let mut syncs = 0_u64;
    let started = Instant::now();
    let latencies: Vec<Duration> = thread::scope(|scope| {
        let (to_disk, from_writers) = channel::<SyncSender<()>>();
        let writers: Vec<_> = (0..writers)
            .map(|_| {
                let to_disk = to_disk.clone();
                scope.spawn(move || {
                    let mut latencies = Vec::new();
                    let (answer, wait) = sync_channel(1);
                    while Instant::now() < end {
                        let started = Instant::now();
                        to_disk.send(answer.clone()).unwrap();
                        wait.recv().unwrap();
                        latencies.push(started.elapsed());
                    }
                    latencies
                })
            })
            .collect();
        drop(to_disk);
        while let Ok(first) = from_writers.recv() {
            let group: Vec<_> = std::iter::once(first).chain(from_writers.try_iter()).collect();
            file.write_all(&value.repeat(group.len())).unwrap();
            file.sync_data().unwrap();
            syncs += 1;
            group.into_iter().for_each(|answer| answer.send(()).unwrap());
        }
        writers.into_iter().flat_map(|writer| writer.join().unwrap()).collect()
    });
    Outcome { elapsed: started.elapsed(), group: latencies.len() as f64 / syncs.max(1) as f64, latencies }
}

fn store(folder: &Path, writers: usize, time: Duration, load: Load) -> Outcome {
    let place = TempDir::new_in(folder).unwrap();
    let key = LocalKey::create(&place.path().join("keys")).unwrap();
    let keyring = Arc::new(Keyring::new(Box::new(key), Vec::new()).unwrap());
    let mut config = Config::new(place.path().join("db"));
    if load == Load::Thinned {
        config.history.count = 2000;
    }
    let store = Store::open(config, keyring, Arc::new(Nobody)).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    let started = Instant::now();
    let end = started + time;
    let latencies = runtime.block_on(async {
        let writers: Vec<_> =
            (0..writers).map(|writer| tokio::spawn(write(store.clone(), writer, end, load))).collect();
        let mut all = Vec::new();
        for writer in writers {
            all.extend(writer.await.unwrap());
        }
        all
    });
    let elapsed = started.elapsed();
    let metrics = store.metrics().snapshot();
    if std::env::args().any(|argument| argument == "--verbose") {
        println!("{metrics:?}");
    }
    Outcome { elapsed, latencies, group: metrics.writes as f64 / metrics.commits.max(1) as f64 }
}

async fn write(store: Store, writer: usize, end: Instant, load: Load) -> Vec<Duration> {
    let value = Bytes::from(vec![7_u8; VALUE]);
    let mut latencies = Vec::new();
    let mut current: Vec<Option<Revision>> = vec![None; KEYS];
    for number in 0.. {
        let started = Instant::now();
        if started >= end {
            break;
        }
        let slot = number * 37 % KEYS;
        let (name, over) = match load {
            Load::Create => (number, None),
            Load::Update | Load::Thinned => (slot, current.get(slot).copied().flatten()),
        };
        let key = Key::from(format!("/registry/secrets/namespace-{writer}/secret-{name:08}"));
        let expect = over.map_or(Expect::Absent, Expect::Revision);
        let mutation = Mutation::Put(value.clone(), None);
        let revision = store.commit(Write { key, expect, mutation }).await.unwrap();
        latencies.push(started.elapsed());
        if let Some(place) = current.get_mut(slot) {
            *place = Some(revision);
        }
    }
    latencies
}

struct Nobody;

impl Observer for Nobody {
    fn load(&self, _: Record) {}
    fn load_failed(&self, _: &Key, _: Revision, _: &RecordError) {}
    fn committed(&self, _: Vec<Committed>) {}
}

/// A Secret of 1 KiB in JSON.
const VALUE: usize = 1800;
/// Keys of one writer in the load of updates.
const KEYS: usize = 200;
