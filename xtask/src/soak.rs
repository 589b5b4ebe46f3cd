//! A long run: writers, watchers and kills, compared with a model all the while; memory is watched.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use serde_json::Value;
use tokio::task::JoinSet;

use crate::bench::client::{Connection, Endpoint};
use crate::bench::objects;
use crate::bench::process::{self, Process};

const NAMESPACE: &str = "soak";
const NAMES: u64 = 500;

#[derive(clap::Args)]
pub(crate) struct Options {
    /// How long to run.
    #[arg(long, default_value_t = 30)]
    minutes: u64,
    /// Seconds between kills.
    #[arg(long, default_value_t = 60)]
    kill_every: u64,
    #[arg(long, default_value_t = 4)]
    writers: u64,
    #[arg(long, default_value_t = 50)]
    watchers: u64,
    /// The program to run. Default: a release build that is there already.
    #[arg(long)]
    program: Option<PathBuf>,
}

/// What a writer was told last of each of its names: a value, or that it is gone. A write without an answer is not in it.
type Model = BTreeMap<String, Option<String>>;

pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    let built = process::built("release")?;
    let program = options.program.clone().unwrap_or_else(|| built.join("kluis"));
    let dir = tempfile::Builder::new().prefix("soak-").tempdir_in(&built).context("make a folder for the data")?;
    let data = dir.path().join("server").join("data");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut model = Model::new();
        let begun = Instant::now();
        let mut seed = 1;
        while begun.elapsed() < Duration::from_secs(options.minutes * 60) {
            let server = Process::kluis(&program, &data).await?;
            let acknowledged = model.len();
            compare(&model, &server.endpoint).await?;
            let writes = storm(options, server, &mut model, seed).await?;
            seed += options.writers;
            println!("{:5} s: {writes} writes, {acknowledged} names compared", begun.elapsed().as_secs());
        }
        let server = Process::kluis(&program, &data).await?;
        compare(&model, &server.endpoint).await?;
        println!("everything that was acknowledged is there, and nothing that was deleted");
        server.stop().await
    })
}

/// Writers and watchers until the server is killed; returns how many writes were acknowledged.
async fn storm(options: &Options, server: Process, model: &mut Model, seed: u64) -> anyhow::Result<usize> {
    let endpoint = server.endpoint.clone();
    let mut watchers = JoinSet::new();
    for _ in 0..options.watchers {
        watchers.spawn(watch(endpoint.clone()));
    }
    let mut writers = JoinSet::new();
    for writer in 0..options.writers {
        writers.spawn(write(endpoint.clone(), writer, seed + writer));
    }
    tokio::time::sleep(Duration::from_secs(options.kill_every)).await;
    let memory = server.resident()?;
    drop(server);
    let mut writes = 0;
    while let Some(ended) = writers.join_next().await {
        let (learned, count) = ended?;
        for (name, known) in learned {
            match known {
                Some(known) => drop(model.insert(name, known)),
                // It may have happened or not: the next look says which.
                None => drop(model.remove(&name)),
            }
        }
        writes += count;
    }
    while let Some(ended) = watchers.join_next().await {
        ended?;
    }
    println!("         {} MB resident", memory / 1_000_000);
    Ok(writes)
}

/// Creates, changes and deletes at random until the server is gone; what is unknown at the end has no value.
async fn write(endpoint: Endpoint, writer: u64, seed: u64) -> (BTreeMap<String, Option<Option<String>>>, usize) {
    let mut learned = BTreeMap::new();
    let mut count = 0;
    let mut random = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let Ok(mut connection) = Connection::open(&endpoint).await else { return (learned, count) };
    loop {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let name = format!("writer-{writer}-{}", random % NAMES);
        let value = format!("{random:016x}");
        learned.insert(name.clone(), None);
        let (request, outcome) = if random.is_multiple_of(5) {
            (objects::request("DELETE", &path(&name), "", ""), None)
        } else {
            let manifest = format!(
                r#"{{"apiVersion":"v1","kind":"Secret","metadata":{{"name":"{name}"}},"stringData":{{"value":"{value}"}}}}"#
            );
            let path = format!("{}?fieldManager=soak&force=true", path(&name));
            (objects::request("PATCH", &path, "application/apply-patch+yaml", &manifest), Some(value))
        };
        match connection.exchange(&request).await.map(|answer| answer.status) {
            Ok(200 | 201 | 404) => drop(learned.insert(name, Some(outcome))),
            Ok(_) | Err(_) => return (learned, count),
        }
        count += 1;
    }
}

/// Follows all changes until the server is gone.
async fn watch(endpoint: Endpoint) {
    let Ok(mut connection) = Connection::open(&endpoint).await else { return };
    let path = format!("/api/v1/namespaces/{NAMESPACE}/secrets?watch=true&allowWatchBookmarks=true");
    if connection.open_stream(&objects::request("GET", &path, "", "")).await.is_ok() {
        connection.drain().await;
    }
}

/// Makes the namespace where it is missing, and compares every name.
async fn compare(model: &Model, endpoint: &Endpoint) -> anyhow::Result<()> {
    let mut connection = Connection::open(endpoint).await?;
    let namespace = format!(r#"{{"apiVersion":"v1","kind":"Namespace","metadata":{{"name":"{NAMESPACE}"}}}}"#);
    let make = objects::request("POST", "/api/v1/namespaces", "application/json", &namespace);
    let status = connection.exchange(&make).await?.status;
    ensure!(matches!(status, 201 | 409), "the namespace was answered with {status}");
    for (name, known) in model {
        let answer = connection.exchange(&objects::request("GET", &path(name), "", "")).await?;
        let found: Value = serde_json::from_slice(answer.body)?;
        match (known, answer.status) {
            (None, 404) => {}
            (Some(value), 200) => {
                use base64::Engine as _;
                let wanted = base64::engine::general_purpose::STANDARD.encode(value);
                let stored = found.pointer("/data/value").and_then(Value::as_str);
                ensure!(stored == Some(wanted.as_str()), "{name} has another value than was acknowledged");
            }
            (Some(_), status) => bail!("{name} was acknowledged, and is lost: {status}"),
            (None, status) => bail!("{name} was deleted, and is back: {status}"),
        }
    }
    Ok(())
}

fn path(name: &str) -> String {
    format!("/api/v1/namespaces/{NAMESPACE}/secrets/{name}")
}
