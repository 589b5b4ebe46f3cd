//! Everything that must hold before a change lands, in the order in which it fails fastest.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

use crate::{shell, tidy};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Only these steps.
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// All but these steps.
    #[arg(long, value_delimiter = ',')]
    skip: Vec<String>,
    /// Seconds that each fuzz target runs.
    #[arg(long, default_value_t = 10)]
    fuzz_seconds: u32,
}

type Step = (&'static str, fn(&Options) -> anyhow::Result<Counts>);

const STEPS: [Step; 8] = [
    ("fmt", |_| cargo(&["fmt", "--all", "--check"])),
    ("tidy", |_| tidy::run().map(|()| Counts::default())),
    ("clippy", |_| cargo(&["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"])),
    ("deny", |_| deny()),
    ("docs", |_| docs()),
    ("tests", |_| tests(&["--workspace", "--exclude", "e2e"])),
    ("e2e", |_| end_to_end()),
    ("fuzz", fuzz),
];

/// How many tests ran, and how they ended.
#[derive(Default, Clone, Copy)]
struct Counts {
    passed: usize,
    failed: usize,
    ignored: usize,
}

pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    let wanted = |name: &str| {
        (options.only.is_empty() || options.only.iter().any(|only| only == name))
            && !options.skip.iter().any(|skip| skip == name)
    };
    let begun = Instant::now();
    let mut report = Vec::new();
    let mut total = Counts::default();
    let mut failed = Vec::new();
    for (name, step) in STEPS.iter().filter(|(name, _)| wanted(name)) {
        println!("== {name}");
        let started = Instant::now();
        let result = step(options);
        report.push(line(name, &result, started.elapsed()));
        match result {
            Ok(counts) => total.add(counts),
            Err(error) => {
                eprintln!("{error:#}");
                failed.push(*name);
            }
        }
    }
    println!("== summary");
    println!("{}", report.join("\n"));
    println!("tests: {} passed, {} failed, {} ignored", total.passed, total.failed, total.ignored);
    println!("ci: {} in {} s", if failed.is_empty() { "passed" } else { "FAILED" }, begun.elapsed().as_secs());
    if !failed.is_empty() {
        bail!("failed: {}", failed.join(", "));
    }
    Ok(())
}

fn line(name: &str, result: &anyhow::Result<Counts>, took: Duration) -> String {
    match result {
        Ok(counts) if counts.passed > 0 => format!("ok     {name:8} {:4} s  {} passed", took.as_secs(), counts.passed),
        Ok(_) => format!("ok     {name:8} {:4} s", took.as_secs()),
        Err(error) => format!("FAILED {name:8} {:4} s  {error}", took.as_secs()),
    }
}

impl Counts {
    fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.ignored += other.ignored;
    }

    /// Reads `test result: ok. 3 passed; 0 failed; 1 ignored; ...`.
    fn parse(line: &str) -> Option<Self> {
        let (_, numbers) = line.strip_prefix("test result: ")?.split_once(". ")?;
        let number = |word: &str| {
            let part = numbers.split("; ").find_map(|part| part.strip_suffix(word));
            part.and_then(|part| part.trim().parse().ok()).unwrap_or(0)
        };
        Some(Self { passed: number("passed"), failed: number("failed"), ignored: number("ignored") })
    }
}

fn cargo(arguments: &[&str]) -> anyhow::Result<Counts> {
    shell::run(&mut shell::command("cargo", arguments))?;
    Ok(Counts::default())
}

/// Licences, duplicates and sources; known vulnerabilities too, wherever their database can be reached.
fn deny() -> anyhow::Result<Counts> {
    cargo(&["deny", "--log-level", "error", "check", "bans", "licenses", "sources"])?;
    let fetched =
        shell::run(shell::command("cargo", &["deny", "--log-level", "off", "fetch", "db"]).stderr(Stdio::null()));
    if fetched.is_err() {
        println!("advisories are not checked: the database of RustSec cannot be fetched from here");
        return Ok(Counts::default());
    }
    cargo(&["deny", "--log-level", "error", "check", "advisories"])
}

fn docs() -> anyhow::Result<Counts> {
    let mut command = shell::command(
        "cargo",
        &["doc", "--workspace", "--no-deps", "--document-private-items", "--locked", "--quiet"],
    );
    shell::run(command.env("RUSTDOCFLAGS", "-D warnings"))?;
    Ok(Counts::default())
}

/// The tests that drive the real program: it is built first.
fn end_to_end() -> anyhow::Result<Counts> {
    cargo(&["build", "--locked", "--package", "kluis"])?;
    tests(&["--package", "e2e"])
}

/// Runs `cargo test`, passes its output on, and counts.
fn tests(arguments: &[&str]) -> anyhow::Result<Counts> {
    let mut command = shell::command("cargo", &["test", "--locked", "--no-fail-fast"]);
    let mut child = command.args(arguments).stdout(Stdio::piped()).spawn().context("start cargo test")?;
    let mut counts = Counts::default();
    let output = child.stdout.take().context("read what cargo test writes")?;
    for line in BufReader::new(output).lines() {
        let line = line.context("read what cargo test writes")?;
        println!("{line}");
        counts.add(Counts::parse(&line).unwrap_or_default());
    }
    let status = child.wait().context("wait for cargo test")?;
    if !status.success() {
        bail!("{} passed, {} failed", counts.passed, counts.failed);
    }
    Ok(counts)
}

/// A short run of each fuzz target. Sanitizers need an unstable flag, which this variable lets the stable compiler take.
fn fuzz(options: &Options) -> anyhow::Result<Counts> {
    let cargo_fuzz = |arguments: &[&str]| {
        let mut command = shell::command("cargo", &["fuzz"]);
        command.args(arguments).env("RUSTC_BOOTSTRAP", "1");
        command
    };
    shell::run(&mut cargo_fuzz(&["build", "--sanitizer", "none"]))?;
    let listed = shell::output(&mut cargo_fuzz(&["list"]))?;
    let seconds = format!("-max_total_time={}", options.fuzz_seconds);
    for target in listed.lines() {
        let limits = [
            "--",
            &seconds,
            "-rss_limit_mb=2048",
            "-max_len=65536",
            "-timeout=10",
            "-verbosity=0",
            "-print_final_stats=1",
        ];
        let (found, seeds) = (format!("fuzz/corpus/{target}"), format!("fuzz/seeds/{target}"));
        let corpus = shell::root().join(&found);
        std::fs::create_dir_all(&corpus).with_context(|| format!("make {}", corpus.display()))?;
        let mut command = cargo_fuzz(&["run", "--sanitizer", "none", target, &found, &seeds]);
        shell::run(command.args(limits)).with_context(|| format!("fuzz target {target}"))?;
    }
    println!("fuzz: {} targets, {} s each", listed.lines().count(), options.fuzz_seconds);
    Ok(Counts::default())
}

#[cfg(test)]
mod tests {
    use super::Counts;

    #[test]
    fn reads_the_closing_line_of_a_test_run() {
        let line = "test result: FAILED. 12 passed; 1 failed; 2 ignored; 0 measured; 3 filtered out; finished in 0.01s";
        let counts = Counts::parse(line).unwrap();
        assert_eq!((counts.passed, counts.failed, counts.ignored), (12, 1, 2));
        assert!(Counts::parse("test api::value ... ok").is_none());
    }
}
