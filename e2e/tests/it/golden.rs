//! The recorded exchanges of kube-apiserver 1.36, replayed; single cases that are left out stand in `golden-skips.txt`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::Stdio;

use anyhow::Context as _;
use e2e::{Server, tools};
use serde_json::Value;
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

/// Kubernetes lists more kinds than this version has: the ones that are there are described as recorded.
#[tokio::test]
async fn every_discovered_kind_is_described_as_recorded() -> anyhow::Result<()> {
    let server = Server::start().await?;
    let client = server.client()?;
    let aggregated = [("accept", "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList")];
    let plain = [("accept", "application/json")];
    for (case, path, headers) in [
        ("discovery: /api/v1", "/api/v1", plain),
        ("discovery: /apis", "/apis", plain),
        ("discovery: aggregated, as kubectl asks", "/api", aggregated),
        ("discovery: aggregated /apis", "/apis", aggregated),
    ] {
        let recorded = named(&recorded_body("discovery", case)?);
        let reply = client.send("GET", path, &headers, "").await?;
        let served = named(&reply.json()?);
        let mut compared = 0;
        // The recording leaves some out, e.g. `bindings`.
        for (name, recorded) in recorded.iter().filter(|(name, _)| served.contains_key(*name)) {
            let entry = &served[name];
            anyhow::ensure!(contains(entry, recorded), "{case}: {name}: wanted {recorded}, got {entry}");
            compared += 1;
        }
        assert!(compared > 0, "{case}");
        if headers == aggregated {
            let again = [aggregated[0], ("if-none-match", reply.header("etag"))];
            assert_eq!(client.send("GET", path, &again, "").await?.status, 304, "{case}");
        }
    }
    Ok(())
}

/// The answer to the first step of a recorded case.
fn recorded_body(file: &str, case: &str) -> anyhow::Result<Value> {
    let text = std::fs::read(golden().join(format!("{file}.json")))?;
    let cases: Vec<Value> = serde_json::from_slice(&text)?;
    let found = cases.iter().find(|found| found["name"] == case).with_context(|| format!("no case {case}"))?;
    Ok(found["steps"][0]["want"]["body"].clone())
}

/// Resources, and groups by their preferred version, of whatever form of discovery.
fn named(document: &Value) -> BTreeMap<String, Value> {
    let mut found = BTreeMap::new();
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    for entry in [list(&document["resources"]), list(&document["groups"])].concat() {
        found.insert(entry["name"].to_string(), entry);
    }
    for group in list(&document["items"]) {
        for version in list(&group["versions"]) {
            for mut entry in list(&version["resources"]) {
                let key = format!("{} {} {}", group["metadata"]["name"], version["version"], entry["resource"]);
                for below in list(&entry["subresources"].take()) {
                    found.insert(format!("{key} {}", below["subresource"]), below);
                }
                found.insert(key, entry);
            }
        }
    }
    found
}

/// Whether the one holds all that is in the other.
fn contains(whole: &Value, part: &Value) -> bool {
    match (whole, part) {
        (Value::Object(whole), Value::Object(part)) => {
            part.iter().all(|(name, part)| whole.get(name).is_some_and(|whole| contains(whole, part)))
        }
        (Value::Array(whole), Value::Array(part)) => {
            part.iter().all(|part| whole.iter().any(|whole| contains(whole, part)))
        }
        _ => whole == part,
    }
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
    let cases: Vec<Value> = serde_json::from_slice(&text).with_context(|| format!("parse {file}.json"))?;
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
