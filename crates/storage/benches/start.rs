//! How long a start takes, and what it adds to memory beyond the clear bytes themselves.
//!
//! `cargo bench -p storage --bench start [-- [--smoke] [--folder DIR]]`
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a bench: a panic is its answer, its output a table")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use bytes::Bytes;
use encryption::{Keyring, LocalKey};
use storage::{Committed, Config, Expect, Key, Mutation, Observer, Record, RecordError, Revision, Store, Value, Write};
use tempfile::TempDir;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let smoke = arguments.iter().any(|argument| argument == "--smoke" || argument == "--test");
    let folder = arguments.iter().skip_while(|argument| *argument != "--folder").nth(1);
    let folder = folder.map_or(PathBuf::from(env!("CARGO_TARGET_TMPDIR")), PathBuf::from);
    let place = TempDir::new_in(folder).unwrap();
    LocalKey::create(&place.path().join("keys")).unwrap();

    let started = Instant::now();
    drop(open(place.path(), &Arc::default()));
    println!("empty store: {:.1} ms", started.elapsed().as_secs_f64() * 1e3);

    let count = if smoke { 1_000 } else { 100_000 };
    fill(place.path(), count);
    let file = fs::metadata(place.path().join("db")).unwrap().len();
    for _ in 0..3 {
        let (before, kept) = (resident(), Arc::new(Kept::default()));
        let started = Instant::now();
        let store = open(place.path(), &kept);
        let time = started.elapsed();
        let added = resident() - before;
        let clear: usize = kept.0.lock().unwrap().iter().map(|(_, value)| value.len()).sum();
        println!(
            "{count} records, {:.0} MB file: {:.0} ms, {:.0} MB added to memory, {:.0} MB of them clear values",
            file as f64 / 1e6,
            time.as_secs_f64() * 1e3,
            added as f64 / 1e6,
            clear as f64 / 1e6,
        );
        drop(store);
    }
}

fn fill(folder: &Path, count: usize) {
    let store = open(folder, &Arc::default());
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    runtime.block_on(async {
        let writers = (0..64).map(|writer| {
            let store = store.clone();
            tokio::spawn(async move {
                let value = Bytes::from(vec![7; 1800]);
                for number in (writer..count).step_by(64) {
                    let key = format!("/registry/secrets/namespace-{writer}/secret-{number:08}").into();
                    let mutation = Mutation::Put(value.clone(), None);
                    store.commit(Write { key, expect: Expect::Absent, mutation }).await.unwrap();
                }
            })
        });
        for writer in writers.collect::<Vec<_>>() {
            writer.await.unwrap();
        }
    });
}

fn open(folder: &Path, kept: &Arc<Kept>) -> Store {
    let key = LocalKey::load(&folder.join("keys")).unwrap().remove(0);
    let keyring = Arc::new(Keyring::new(Box::new(key), Vec::new()).unwrap());
    Store::open(Config::new(folder.join("db")), keyring, Arc::clone(kept) as Arc<dyn Observer>).unwrap()
}

fn resident() -> i64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<i64>().unwrap() * 1024
}

#[derive(Default)]
struct Kept(Mutex<Vec<(Key, Value)>>);

impl Observer for Kept {
    fn load(&self, record: Record) {
        self.0.lock().unwrap().push((record.key, record.value));
    }
    fn load_failed(&self, key: &Key, _: Revision, error: &RecordError) {
        panic!("{key}: {error}");
    }
    fn committed(&self, _: Vec<Committed>) {}
}
