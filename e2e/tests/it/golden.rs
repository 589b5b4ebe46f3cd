//! The recorded exchanges of kube-apiserver 1.36, replayed; single cases that are left out stand in `golden-skips.txt`.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Stdio;

use anyhow::Context as _;
use e2e::{Server, tools};
use tokio::process::Command;

#[tokio::test]
async fn apply() -> anyhow::Result<()> {
    replay("apply").await
}

#[tokio::test]
async fn configmaps() -> anyhow::Result<()> {
    replay("configmaps").await
}

#[tokio::test]
async fn decoding() -> anyhow::Result<()> {
    replay("decoding").await
}

#[tokio::test]
async fn discovery() -> anyhow::Result<()> {
    replay("discovery").await
}

#[tokio::test]
async fn errors() -> anyhow::Result<()> {
    replay("errors").await
}

#[tokio::test]
async fn list_watch() -> anyhow::Result<()> {
    replay("list-watch").await
}

#[tokio::test]
async fn namespaces() -> anyhow::Result<()> {
    replay("namespaces").await
}

#[tokio::test]
async fn patches() -> anyhow::Result<()> {
    replay("patches").await
}

#[tokio::test]
async fn pods() -> anyhow::Result<()> {
    replay("pods").await
}

#[tokio::test]
async fn secrets() -> anyhow::Result<()> {
    replay("secrets").await
}

#[tokio::test]
async fn tables() -> anyhow::Result<()> {
    replay("tables").await
}

#[tokio::test]
async fn validation() -> anyhow::Result<()> {
    replay("validation").await
}

#[test]
fn every_skip_names_a_case_and_says_why() -> anyhow::Result<()> {
    for skip in skips()? {
        anyhow::ensure!(cases(&skip.file)?.contains(&skip.case), "{} has no case {:?}", skip.file, skip.case);
        anyhow::ensure!(skip.reason.len() > 10, "{:?} says no reason", skip.case);
    }
    Ok(())
}

/// A case that is left out.
struct Skip {
    file: String,
    case: String,
    reason: String,
}

/// Replays all cases of a file but those that are left out, against a server of its own.
async fn replay(file: &str) -> anyhow::Result<()> {
    tools::need(&["python3"])?;
    let server = Server::start().await?;
    let kubeconfig = server.recover().await?;
    let left_out: Vec<_> =
        skips()?.into_iter().filter(|skip| skip.file == file).map(|skip| quote(&skip.case)).collect();
    let output = Command::new("python3")
        .arg(golden().join("check.py"))
        .arg("--kubeconfig")
        .arg(kubeconfig)
        .args(["--only", &format!("^(?!(?:{})$)", left_out.join("|"))])
        .arg(golden().join(format!("{file}.json")))
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .context("start check.py")?;
    let text = String::from_utf8_lossy(&output.stdout);
    let failed: Vec<_> = text.lines().filter(|line| !line.starts_with("ok ")).collect();
    println!("{file}: {}, {} left out", text.lines().last().unwrap_or_default(), left_out.len());
    let errors = String::from_utf8_lossy(&output.stderr);
    anyhow::ensure!(output.status.success(), "{file}:\n{}\n{errors}", failed.join("\n"));
    Ok(())
}

fn golden() -> PathBuf {
    tools::folder().join("shared/golden")
}

fn skips() -> anyhow::Result<Vec<Skip>> {
    let text = std::fs::read_to_string(tools::folder().join("golden-skips.txt")).context("read golden-skips.txt")?;
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(parse).collect()
}

fn parse(line: &str) -> anyhow::Result<Skip> {
    let parts: Vec<_> = line.splitn(3, " | ").collect();
    let [file, case, reason] = parts.as_slice() else { anyhow::bail!("not FILE | CASE | REASON: {line}") };
    Ok(Skip { file: (*file).to_owned(), case: (*case).to_owned(), reason: (*reason).to_owned() })
}

fn cases(file: &str) -> anyhow::Result<BTreeSet<String>> {
    let text = std::fs::read(golden().join(format!("{file}.json"))).with_context(|| format!("read {file}.json"))?;
    let cases: Vec<serde_json::Value> = serde_json::from_slice(&text).with_context(|| format!("parse {file}.json"))?;
    Ok(cases.iter().filter_map(|case| case.get("name")?.as_str()).map(str::to_owned).collect())
}

/// A pattern of Python that matches exactly this text.
fn quote(text: &str) -> String {
    text.chars().flat_map(|char| if char.is_ascii_alphanumeric() { vec![char] } else { vec!['\\', char] }).collect()
}

#[test]
fn a_pattern_matches_its_own_text_only() {
    assert_eq!(quote("a.b (c)"), r"a\.b\ \(c\)");
}
