//! The servers that are measured, each a process of its own: starting, CPU time, memory.

use std::fs::{self, File};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

use super::client::{Connection, Endpoint};
use super::{certificates, objects};

/// `USER_HZ`: the unit of CPU time in /proc, the same on every Linux.
const TICKS_PER_SECOND: u64 = 100;
const START_LIMIT: Duration = Duration::from_secs(30);

/// A running server; it ends with this value.
pub(crate) struct Process {
    child: Child,
    pub(crate) endpoint: Endpoint,
    /// From the start of the process to its first answer.
    pub(crate) started_in: Duration,
}

impl Process {
    /// The floor: this very program.
    pub(crate) async fn floor(dir: &Path, listed: usize) -> anyhow::Result<Self> {
        fs::create_dir_all(dir).with_context(|| format!("make {}", dir.display()))?;
        certificates::create(dir)?;
        let port = free_port()?;
        let program = std::env::current_exe().context("find this program")?;
        let mut command = Command::new(program);
        command.arg("floor").arg("--dir").arg(dir).args(["--port", &port.to_string(), "--listed", &listed.to_string()]);
        let tls = certificates::floor_client(dir)?;
        Self::start(command, dir, Endpoint { port, tls: tls.clone() }, || Ok(tls.clone())).await
    }

    /// Kluis as its user starts it, on this data directory.
    pub(crate) async fn kluis(program: &Path, dir: &Path) -> anyhow::Result<Self> {
        let port = free_port()?;
        let mut command = Command::new(program);
        command.arg("up").arg("--data-dir").arg(dir).args(["--secure-port", &port.to_string()]);
        let probe = Endpoint { port, tls: certificates::stranger() };
        let logs = dir.parent().context("a data directory has a parent")?;
        fs::create_dir_all(logs).with_context(|| format!("make {}", logs.display()))?;
        Self::start(command, logs, probe, || certificates::kubeconfig_client(&dir.join("admin.kubeconfig"))).await
    }

    async fn start(
        mut command: Command,
        logs: &Path,
        probe: Endpoint,
        tls: impl Fn() -> anyhow::Result<std::sync::Arc<rustls::ClientConfig>>,
    ) -> anyhow::Result<Self> {
        let log = logs.join("server.log");
        let output = File::create(&log).with_context(|| format!("create {}", log.display()))?;
        command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output);
        let begun = Instant::now();
        let child = command.spawn().with_context(|| format!("start {}", command.get_program().display()))?;
        let mut process = Self { child, endpoint: probe, started_in: Duration::ZERO };
        while !is_ready(&process.endpoint).await {
            if let Some(status) = process.child.try_wait()? {
                bail!("the server ended with {status}: {}", fs::read_to_string(&log)?);
            }
            if begun.elapsed() > START_LIMIT {
                bail!("the server is not ready after {START_LIMIT:?}: {}", fs::read_to_string(&log)?);
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        process.started_in = begun.elapsed();
        process.endpoint.tls = tls()?;
        Ok(process)
    }

    /// The CPU time that the process has used, in user and system mode.
    pub(crate) fn cpu(&self) -> anyhow::Result<Duration> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id())).context("read /proc/PID/stat")?;
        // The name of the program stands in parentheses and may hold blanks; utime and stime are fields 14 and 15.
        let (_, fields) = stat.rsplit_once(')').context("the form of /proc/PID/stat")?;
        let ticks: u64 = fields.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
        Ok(Duration::from_millis(ticks * 1000 / TICKS_PER_SECOND))
    }

    /// The resident memory of the process, in bytes.
    pub(crate) fn resident(&self) -> anyhow::Result<u64> {
        let status =
            fs::read_to_string(format!("/proc/{}/status", self.child.id())).context("read /proc/PID/status")?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("VmRSS")?;
        let kilobytes: u64 = line.trim().trim_end_matches("kB").trim().parse().context("VmRSS")?;
        Ok(kilobytes * 1024)
    }

    /// Ends the process in order and waits for it.
    pub(crate) async fn stop(mut self) -> anyhow::Result<()> {
        let pid = self.child.id().to_string();
        crate::shell::run(&mut crate::shell::command("kill", &["-TERM", &pid]))?;
        let begun = Instant::now();
        while self.child.try_wait()?.is_none() {
            if begun.elapsed() > START_LIMIT {
                bail!("the server does not end on SIGTERM");
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Ok(())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Either fails only where the process has ended already.
        self.child.kill().unwrap_or_default();
        self.child.wait().map(drop).unwrap_or_default();
    }
}

async fn is_ready(endpoint: &Endpoint) -> bool {
    let Ok(mut connection) = Connection::open(endpoint).await else { return false };
    let request = objects::request("GET", "/readyz", "", "");
    connection.exchange(&request).await.is_ok_and(|answer| answer.status == 200)
}

/// A port that nobody uses at this moment.
fn free_port() -> anyhow::Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0)).context("find a free port")?.local_addr()?.port())
}

/// Where `cargo build` puts the program of this profile.
pub(crate) fn built(profile: &str) -> anyhow::Result<PathBuf> {
    let metadata =
        crate::shell::output(&mut crate::shell::command("cargo", &["metadata", "--format-version", "1", "--no-deps"]))?;
    let metadata: serde_json::Value = serde_json::from_str(&metadata)?;
    let target = metadata.get("target_directory").and_then(serde_json::Value::as_str).context("target_directory")?;
    Ok(Path::new(target).join(profile))
}
