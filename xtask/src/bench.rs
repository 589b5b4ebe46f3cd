//! The figures of the design, each beside its floor: what the same machine does with hyper, rustls and ready bytes.
//!
//! Floor and Kluis alternate in short rounds and medians are taken, because machines are noisy.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use serde_json::json;

use crate::shell;

mod certificates;
pub(crate) mod client;
mod figures;
mod floor;
mod load;
pub(crate) mod objects;
pub(crate) mod process;
mod report;
mod watchers;

pub(crate) use floor::{Options as FloorOptions, run as run_floor};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Only figures whose name contains one of these: get, create, list, watch, memory, start.
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// Tiny sizes and no judgement: shows that everything still runs.
    #[arg(long)]
    smoke: bool,
    /// Write the figures to this file as JSON.
    #[arg(long)]
    json: Option<PathBuf>,
    /// Where the servers keep their data; on the disk that is to be measured. Default: in the build folder.
    #[arg(long)]
    dir: Option<PathBuf>,
    /// The program to measure. Default: a release build of this workspace (with --smoke, a debug build).
    #[arg(long)]
    program: Option<PathBuf>,
    /// Rounds of each figure.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
}

/// How much of everything.
pub(crate) struct Sizes {
    pub(crate) rounds: usize,
    pub(crate) round: Duration,
    pub(crate) listed: usize,
    pub(crate) watchers: usize,
    pub(crate) changes: usize,
    pub(crate) stored: usize,
    pub(crate) starts: usize,
}

pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    let profile = if options.smoke { "debug" } else { "release" };
    if !options.smoke && cfg!(debug_assertions) {
        return run_release(options);
    }
    let built = process::built(profile)?;
    let program = options.program.clone().unwrap_or_else(|| built.join("kluis"));
    let sizes = if options.smoke { Sizes::smoke() } else { Sizes::full(options.rounds) };
    let parent = options.dir.clone().unwrap_or(built);
    std::fs::create_dir_all(&parent).with_context(|| format!("make {}", parent.display()))?;
    let dir = tempfile::Builder::new().prefix("bench-").tempdir_in(&parent).context("make a folder for the data")?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let rows = runtime.block_on(measure(options, &program, dir.path(), &sizes))?;
    print!("\n{}", report::table(&rows));
    if let Some(path) = &options.json {
        let document = json!({ "machine": machine(), "smoke": options.smoke, "figures": rows });
        std::fs::write(path, serde_json::to_vec_pretty(&document)?)
            .with_context(|| format!("write {}", path.display()))?;
    }
    Ok(())
}

/// Builds Kluis and this program for release, and lets that measure: the floor must be as fast as it can be.
fn run_release(options: &Options) -> anyhow::Result<()> {
    let mut build = shell::command("cargo", &["build", "--release", "--locked", "--package", "xtask"]);
    if options.program.is_none() {
        build.args(["--package", "kluis"]);
    }
    shell::run(&mut build)?;
    let program = process::built("release")?.join("xtask");
    let mut command = std::process::Command::new(program);
    shell::run(command.args(std::env::args_os().skip(1)))
}

async fn measure(options: &Options, program: &Path, dir: &Path, sizes: &Sizes) -> anyhow::Result<Vec<report::Row>> {
    let wanted = |name: &str| options.only.is_empty() || options.only.iter().any(|only| name.contains(only.as_str()));
    let mut rows = Vec::new();
    if ["get", "list", "watch", "create"].iter().any(|name| wanted(name)) {
        let pair = figures::Pair::start(program, dir, sizes).await?;
        if wanted("get") {
            rows.extend(pair.get(sizes).await?);
        }
        if wanted("list") {
            rows.extend(pair.list(sizes).await?);
        }
        if wanted("watch") {
            rows.extend(pair.watch(sizes).await?);
        }
        if wanted("create") {
            rows.extend(pair.create(sizes, 1).await?);
            rows.extend(pair.create(sizes, 16).await?);
        }
    }
    if wanted("memory") {
        rows.extend(figures::memory(program, dir, sizes).await?);
    }
    if wanted("start") {
        rows.extend(figures::start(program, dir, sizes).await?);
    }
    Ok(rows)
}

impl Sizes {
    fn full(rounds: usize) -> Self {
        let round = Duration::from_secs(2);
        Self { rounds, round, listed: 5000, watchers: 1000, changes: 20, stored: 100_000, starts: 9 }
    }

    fn smoke() -> Self {
        let round = Duration::from_millis(200);
        Self { rounds: 1, round, listed: 20, watchers: 10, changes: 2, stored: 200, starts: 1 }
    }
}

/// The machine of a run, for who compares two.
fn machine() -> serde_json::Value {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let cpu = read("/proc/cpuinfo");
    let model = cpu.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or_default();
    json!({
        "cpu": model.trim_start_matches(['\t', ':', ' ']),
        "cores": std::thread::available_parallelism().map_or(0, usize::from),
        "kernel": read("/proc/sys/kernel/osrelease").trim(),
    })
}
