//! Starting, stopping, and the one clear line for each reason not to start.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use e2e::Server;
use e2e::server::{free_port, run};
use serde_json::json;

#[tokio::test]
async fn a_restart_keeps_objects_and_identities() -> anyhow::Result<()> {
    let mut server = Server::start().await?;
    let kubeconfig = std::fs::read(server.kubeconfig())?;
    let secret = json!({"metadata": {"name": "kept"}, "stringData": {"a": "b"}});
    assert_eq!(server.client()?.post("/api/v1/namespaces/default/secrets", &secret).await?.status, 201);
    assert_eq!(server.stop().await?, 0);
    server.restart().await?;
    let reply = server.client()?.get("/api/v1/namespaces/default/secrets/kept").await?;
    assert_eq!(reply.json()?["data"]["a"], "Yg==");
    assert_eq!(std::fs::read(server.kubeconfig())?, kubeconfig);
    Ok(())
}

#[tokio::test]
async fn files_are_for_their_owner_alone() -> anyhow::Result<()> {
    let server = Server::start().await?;
    let mode = |path: &Path| std::fs::metadata(path).map(|metadata| metadata.permissions().mode() & 0o777);
    assert_eq!(mode(&server.data())?, 0o700);
    assert_eq!(mode(&server.kubeconfig())?, 0o600);
    assert_eq!(mode(&server.data().join("keys"))?, 0o700);
    for entry in std::fs::read_dir(server.data().join("keys"))? {
        assert_eq!(mode(&entry?.path())?, 0o600);
    }
    Ok(())
}

#[tokio::test]
async fn a_second_start_on_the_same_directory_names_the_first() -> anyhow::Result<()> {
    let server = Server::start().await?;
    let pid = server.pid()?.to_string();
    refused(&server.data(), &[], &[&pid]).await
}

#[tokio::test]
async fn a_port_in_use_is_named() -> anyhow::Result<()> {
    let taken = std::net::TcpListener::bind(("127.0.0.1", 0))?;
    let port = taken.local_addr()?.port().to_string();
    let folder = tempfile::tempdir()?;
    refused(&folder.path().join("data"), &["--secure-port", &port], &[&port, "in use"]).await
}

#[tokio::test]
async fn a_directory_that_cannot_be_made_is_named() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    std::fs::write(folder.path().join("file"), "")?;
    refused(&folder.path().join("file/data"), &[], &["file/data"]).await
}

#[tokio::test]
async fn keys_that_others_can_read_are_refused() -> anyhow::Result<()> {
    let mut server = Server::start().await?;
    server.stop().await?;
    let mut changed = 0;
    for entry in std::fs::read_dir(server.data().join("keys"))? {
        std::fs::set_permissions(entry?.path(), std::fs::Permissions::from_mode(0o644))?;
        changed += 1;
    }
    assert!(changed > 0);
    refused(&server.data(), &[], &["keys"]).await
}

#[tokio::test]
async fn a_damaged_database_is_named() -> anyhow::Result<()> {
    let mut server = Server::start().await?;
    server.stop().await?;
    let database = server.data().join("kluis.db");
    let mut bytes = std::fs::read(&database)?;
    bytes.iter_mut().skip(100).step_by(7).for_each(|byte| *byte ^= 0x55);
    std::fs::write(&database, bytes)?;
    refused(&server.data(), &[], &["kluis.db"]).await
}

#[tokio::test]
async fn a_file_that_is_no_database_is_named() -> anyhow::Result<()> {
    let mut server = Server::start().await?;
    server.stop().await?;
    std::fs::write(server.data().join("kluis.db"), "this is no database".repeat(1000))?;
    refused(&server.data(), &[], &["kluis.db"]).await
}

#[tokio::test]
async fn a_snapshot_taken_while_the_server_runs_can_be_restored() -> anyhow::Result<()> {
    let mut server = Server::start().await?;
    let path = "/api/v1/namespaces/default/secrets";
    let secret = |name: &str| json!({"metadata": {"name": name}, "stringData": {"a": name}});
    assert_eq!(server.client()?.post(path, &secret("before")).await?.status, 201);
    let data = server.data().to_string_lossy().into_owned();
    let copy = server.folder().join("copy").to_string_lossy().into_owned();
    let taken = run(&["store", "snapshot", "--data-dir", &data, &copy]).await?;
    assert!(taken.status.success(), "{}", String::from_utf8_lossy(&taken.stderr));
    assert_eq!(server.client()?.post(path, &secret("after")).await?.status, 201);
    let running = run(&["store", "restore", "--data-dir", &data, &copy]).await?;
    assert!(!running.status.success(), "a restore under a running server");
    server.stop().await?;
    let existing = run(&["store", "restore", "--data-dir", &data, &copy]).await?;
    assert!(String::from_utf8_lossy(&existing.stderr).contains("not overwritten"), "a store in the way");
    std::fs::rename(server.data().join("kluis.db"), server.folder().join("old"))?;
    let restored = run(&["store", "restore", "--data-dir", &data, &copy]).await?;
    assert!(restored.status.success(), "{}", String::from_utf8_lossy(&restored.stderr));
    server.restart().await?;
    assert_eq!(server.client()?.get(&format!("{path}/before")).await?.status, 200);
    assert_eq!(server.client()?.get(&format!("{path}/after")).await?.status, 404);
    Ok(())
}

/// A start that must fail, with one line that holds these words.
async fn refused(data: &Path, flags: &[&str], words: &[&str]) -> anyhow::Result<()> {
    let (data, port) = (data.to_string_lossy(), free_port()?.to_string());
    let mut arguments = vec!["up", "--quiet", "--data-dir", &data, "--secure-port", &port];
    arguments.extend(flags);
    let output = run(&arguments).await?;
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success(), "it started");
    assert_eq!(output.status.code().map(|code| code != 101), Some(true), "it panicked or was killed: {text}");
    assert_eq!(text.trim().lines().count(), 1, "not one line:\n{text}");
    for word in words {
        assert!(text.contains(word), "{word:?} is not in: {text}");
    }
    Ok(())
}
