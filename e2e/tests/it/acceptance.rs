//! The acceptance script with every kubectl that is installed.

use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;

use anyhow::Context as _;
use e2e::{Server, tools};
use tokio::process::Command;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// How many scripts run at once.
const AT_ONCE: usize = 2;

#[tokio::test]
async fn every_kubectl_passes_the_script_of_secrets() -> anyhow::Result<()> {
    tools::need(&["kubectl", "jq", "openssl", "bash"])?;
    let turns = Arc::new(Semaphore::new(AT_ONCE));
    let mut scripts = JoinSet::new();
    for kubectl in tools::kubectls()? {
        let turns = Arc::clone(&turns);
        scripts.spawn(async move {
            let _turn = turns.acquire().await?;
            // A server of its own: the script has names that two runs cannot both have.
            let server = Server::start().await?;
            run(&kubectl, &server.kubeconfig()).await.with_context(|| kubectl.display().to_string())
        });
    }
    let mut failures = Vec::new();
    while let Some(ended) = scripts.join_next().await {
        if let Err(error) = ended? {
            failures.push(format!("{error:#}"));
        }
    }
    anyhow::ensure!(failures.is_empty(), "{}", failures.join("\n"));
    Ok(())
}

/// Runs the script with this program as `kubectl`, and a home of its own for what kubectl caches.
async fn run(kubectl: &Path, kubeconfig: &Path) -> anyhow::Result<()> {
    let home = tempfile::tempdir()?;
    std::os::unix::fs::symlink(kubectl, home.path().join("kubectl"))?;
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths([home.path().to_path_buf()].into_iter().chain(std::env::split_paths(&path)))?;
    let script = tools::folder().join("shared/acceptance/secrets.sh");
    let output = Command::new("bash")
        .arg(script)
        .env("PATH", path)
        .env("HOME", home.path())
        .env("KUBECONFIG", kubeconfig)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await?;
    let text = String::from_utf8_lossy(&output.stdout);
    let failed: Vec<_> = text.lines().skip_while(|line| !line.starts_with("FAIL")).take(20).collect();
    let last = text.lines().last().unwrap_or_default();
    println!("{}: {last}", kubectl.display());
    let errors = String::from_utf8_lossy(&output.stderr);
    anyhow::ensure!(output.status.success(), "{last}\n{}\n{errors}", failed.join("\n"));
    Ok(())
}
