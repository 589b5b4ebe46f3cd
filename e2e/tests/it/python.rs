//! The Python client of Kubernetes creates, lists and watches.

use std::path::PathBuf;
use std::process::Stdio;

use anyhow::Context as _;
use e2e::{Server, tools};
use tokio::process::Command;

/// The version that `venv` installs.
const CLIENT: &str = "kubernetes==36.0.3";

#[tokio::test]
async fn the_python_client_creates_lists_and_watches() -> anyhow::Result<()> {
    tools::need(&["python3"])?;
    let python = venv().await?;
    let server = Server::start().await?;
    let mut command = Command::new(python);
    command.arg(tools::folder().join("tests/it/python_client.py")).arg(server.kubeconfig());
    let output = command.stdin(Stdio::null()).kill_on_drop(true).output().await?;
    let text = String::from_utf8_lossy(&output.stdout);
    anyhow::ensure!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(text.trim(), "ok");
    Ok(())
}

/// The Python of an environment with the client, made once beside the test program.
async fn venv() -> anyhow::Result<PathBuf> {
    let test = std::env::current_exe().context("find this program")?;
    let folder = test.parent().context("the folder of this program")?.join(CLIENT.replace("==", "-"));
    let python = folder.join("bin/python");
    let done = folder.join("installed");
    if !done.is_file() {
        run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder))
            .await
            .context("make an environment: apt-get install python3-venv")?;
        run(Command::new(&python).args(["-m", "pip", "install", "--quiet", CLIENT])).await.context("pip")?;
        std::fs::write(&done, CLIENT)?;
    }
    Ok(python)
}

async fn run(command: &mut Command) -> anyhow::Result<()> {
    let output = command.stdin(Stdio::null()).kill_on_drop(true).output().await?;
    anyhow::ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}
