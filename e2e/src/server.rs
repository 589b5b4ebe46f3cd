//! A running Kluis: started on a free port and an empty folder, gone with its value.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use tempfile::TempDir;
use tokio::process::{Child, Command};

use crate::{Client, Credentials, tools};

const READY_LIMIT: Duration = Duration::from_secs(60);
const STOP_LIMIT: Duration = Duration::from_secs(60);

/// A server and its folder.
pub struct Server {
    child: Child,
    flags: Vec<String>,
    folder: TempDir,
    port: u16,
}

impl Server {
    /// Starts a server and waits until it is ready.
    pub async fn start() -> anyhow::Result<Self> {
        Self::with(&[]).await
    }

    /// Starts a server with these flags and waits until it is ready.
    pub async fn with(flags: &[&str]) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("kluis-").tempdir().context("make a folder")?;
        let port = free_port()?;
        let flags: Vec<_> = flags.iter().map(|&flag| flag.to_owned()).collect();
        let child = spawn(folder.path(), port, &flags)?;
        let mut server = Self { child, flags, folder, port };
        server.wait_until_ready().await?;
        Ok(server)
    }

    /// Kills the process as a power cut would, and starts it again on the same folder.
    pub async fn kill_and_restart(&mut self) -> anyhow::Result<()> {
        self.kill().await?;
        self.restart().await
    }

    /// Kills the process as a power cut would.
    pub async fn kill(&mut self) -> anyhow::Result<()> {
        self.child.kill().await.context("kill the server")
    }

    /// Starts the server again on the same folder.
    pub async fn restart(&mut self) -> anyhow::Result<()> {
        self.child = spawn(self.folder.path(), self.port, &self.flags)?;
        self.wait_until_ready().await
    }

    /// Asks the process to end, and returns the code with which it does.
    pub async fn stop(&mut self) -> anyhow::Result<i32> {
        let pid = self.pid()?.to_string();
        let status = Command::new("kill").args(["-TERM", &pid]).status().await.context("send SIGTERM")?;
        anyhow::ensure!(status.success(), "kill failed");
        let ended = tokio::time::timeout(STOP_LIMIT, self.child.wait()).await.context("the server does not end")?;
        ended?.code().context("the server ended by a signal")
    }

    /// The id of the process.
    pub fn pid(&self) -> anyhow::Result<u32> {
        self.child.id().context("the server has ended")
    }

    /// The port on which it serves, on the loopback address.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The folder that holds the data directory and the log.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The data directory.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// The administrator's kubeconfig.
    pub fn kubeconfig(&self) -> PathBuf {
        self.data().join("admin.kubeconfig")
    }

    /// What the server has printed and logged so far.
    pub fn log(&self) -> anyhow::Result<String> {
        std::fs::read_to_string(self.folder.path().join("log")).context("read the log")
    }

    /// A kubeconfig of system:masters, as `kluis recover` prints it.
    pub async fn recover(&self) -> anyhow::Result<PathBuf> {
        let output = run(&["recover", "--data-dir", &self.data().to_string_lossy()]).await?;
        anyhow::ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let path = self.folder.path().join("recover.kubeconfig");
        std::fs::write(&path, output.stdout).context("write the kubeconfig")?;
        Ok(path)
    }

    /// The administrator's certificate.
    pub fn admin(&self) -> anyhow::Result<Credentials> {
        Credentials::read(&self.kubeconfig())
    }

    /// A client that is the administrator.
    pub fn client(&self) -> anyhow::Result<Client> {
        Ok(Client::new(self.port, self.admin()?))
    }

    /// A kube-rs client that is the administrator.
    pub async fn kube(&self) -> anyhow::Result<kube::Client> {
        let kubeconfig = kube::config::Kubeconfig::read_from(self.kubeconfig())?;
        let config = kube::Config::from_custom_kubeconfig(kubeconfig, &Default::default()).await?;
        Ok(kube::Client::try_from(config)?)
    }

    async fn wait_until_ready(&mut self) -> anyhow::Result<()> {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().context("look at the server")? {
                bail!("the server ended with {status}:\n{}", self.log()?);
            }
            if self.is_ready().await {
                return Ok(());
            }
            if begun.elapsed() > READY_LIMIT {
                bail!("the server is not ready after {READY_LIMIT:?}:\n{}", self.log()?);
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    async fn is_ready(&self) -> bool {
        let Ok(client) = self.client() else { return false };
        client.get("/readyz").await.is_ok_and(|reply| reply.status == 200)
    }
}

/// Runs `kluis` with these arguments to its end.
pub async fn run(arguments: &[&str]) -> anyhow::Result<std::process::Output> {
    let mut command = Command::new(tools::kluis()?);
    let command = command.args(arguments).stdin(Stdio::null()).kill_on_drop(true);
    let ended = tokio::time::timeout(READY_LIMIT, command.output()).await;
    ended.with_context(|| format!("kluis {} does not end", arguments.join(" ")))?.context("start kluis")
}

/// A port that nobody uses at this moment.
pub fn free_port() -> anyhow::Result<u16> {
    Ok(std::net::TcpListener::bind(("127.0.0.1", 0)).context("find a free port")?.local_addr()?.port())
}

fn spawn(folder: &Path, port: u16, flags: &[String]) -> anyhow::Result<Child> {
    let log = std::fs::OpenOptions::new().create(true).append(true).open(folder.join("log")).context("open the log")?;
    let mut command = Command::new(tools::kluis()?);
    command.arg("up").arg("--data-dir").arg(folder.join("data")).args(["--secure-port", &port.to_string()]);
    command.args(flags).stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).kill_on_drop(true);
    command.spawn().context("start kluis")
}
