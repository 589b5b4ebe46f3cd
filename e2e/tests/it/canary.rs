//! A planted value must be nowhere but in the answers to who may read it.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use e2e::Server;
use e2e::server::run;
use serde_json::json;

const SECRETS: &str = "/api/v1/namespaces/default/secrets";
const JSON: (&str, &str) = ("content-type", "application/json");

#[tokio::test]
async fn a_planted_value_is_found_nowhere() -> anyhow::Result<()> {
    let canary = canary();
    let server = Server::with(&["--log-level", "trace"]).await?;
    let client = server.client()?;
    let encoded = STANDARD.encode(&canary);
    let secret = json!({"metadata": {"name": "planted"}, "data": {"a": encoded}, "stringData": {"b": canary}});
    assert_eq!(client.post(SECRETS, &secret).await?.status, 201);
    let patch = json!({"stringData": {"c": canary}}).to_string();
    let path = format!("{SECRETS}/planted");
    let merge = ("content-type", "application/merge-patch+json");
    assert_eq!(client.send("PATCH", &path, &[merge], &patch).await?.status, 200);
    // What holds the value may be read by the administrator: so the search below would find it.
    assert!(holds(client.get(&path).await?.body.as_ref(), &needles(&canary)));

    let mut findings = Vec::new();
    for (name, reply) in wrong_requests(&client, &canary, &encoded).await? {
        if holds(reply.as_bytes(), &needles(&canary)) {
            findings.push(format!("the error to {name}: {reply}"));
        }
    }
    let metrics = client.get("/metrics").await?;
    assert_eq!(metrics.status, 200);
    if holds(&metrics.body, &needles(&canary)) {
        findings.push("/metrics".to_owned());
    }
    let copy = server.folder().join("snapshot").to_string_lossy().into_owned();
    let taken = run(&["store", "snapshot", "--data-dir", &server.data().to_string_lossy(), &copy]).await?;
    assert!(taken.status.success(), "{}", String::from_utf8_lossy(&taken.stderr));
    for file in ["environ", "cmdline"] {
        search(&Path::new("/proc").join(server.pid()?.to_string()).join(file), &canary, &mut findings)?;
    }
    // The database, its WAL, the snapshot, the log at its most talkative: everything the server has written.
    search(server.folder(), &canary, &mut findings)?;
    assert!(findings.is_empty(), "the value was found in:\n{}", findings.join("\n"));
    Ok(())
}

/// Requests that fail in different places, all with the value in them.
async fn wrong_requests(
    client: &e2e::Client,
    canary: &str,
    encoded: &str,
) -> anyhow::Result<Vec<(&'static str, String)>> {
    let long = "x".repeat(1 << 20);
    let object = |name: &str, data: serde_json::Value| json!({"metadata": {"name": name}, "data": data}).to_string();
    let bodies = [
        ("a name that is none", object("No_Name", json!({"a": encoded}))),
        ("a key that is none", object("x", json!({"a/b": encoded}))),
        ("too much data", json!({"metadata": {"name": "x"}, "stringData": {"a": canary, "b": long}}).to_string()),
        ("a value that is no base64", object("x", json!({"a": canary}))),
        ("a value of the wrong type", object("x", json!({"a": {"b": canary}}))),
        ("a type that wants other keys", {
            let data = json!({".dockerconfigjson": encoded});
            json!({"metadata": {"name": "x"}, "type": "kubernetes.io/dockerconfigjson", "data": data}).to_string()
        }),
        ("a body that ends early", format!(r#"{{"metadata":{{"name":"x"}},"data":{{"a":"{encoded}""#)),
        ("a body that is no object", format!(r#""{canary}""#)),
        ("an unknown field", format!(r#"{{"metadata":{{"name":"planted"}},"unknown":"{canary}"}}"#)),
        ("an object that is there", object("planted", json!({"a": encoded}))),
    ];
    let mut replies = Vec::new();
    for (name, body) in &bodies {
        let strict = format!("{SECRETS}?fieldValidation=Strict");
        let reply = client.send("POST", &strict, &[JSON], body).await?;
        anyhow::ensure!(reply.status >= 400, "{name} was accepted");
        replies.push((*name, reply.text()));
    }
    let path = format!("{SECRETS}/planted");
    let patches = [
        ("a JSON patch of a value", "application/json-patch+json", {
            json!([{"op": "test", "path": "/data/a", "value": encoded}, {"op": "remove", "path": "/data/none"}])
        }),
        ("a JSON patch that does not fit", "application/json-patch+json", {
            json!([{"op": "replace", "path": "/data/a", "value": {"b": canary}}])
        }),
        ("a merge patch of the wrong type", "application/merge-patch+json", json!({"data": {"a": {"b": canary}}})),
        ("a strategic patch of the wrong type", "application/strategic-merge-patch+json", json!({"data": [canary]})),
        ("an apply that conflicts", "application/apply-patch+yaml", {
            json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "planted"}, "data": {"a": encoded, "c": "eA=="}})
        }),
    ];
    for (name, media, patch) in &patches {
        let path = format!("{path}?fieldManager=canary");
        let reply = client.send("PATCH", &path, &[("content-type", media)], &patch.to_string()).await?;
        anyhow::ensure!(reply.status >= 400, "{name} was accepted: {}", reply.status);
        replies.push((*name, reply.text()));
    }
    Ok(replies)
}

/// A value that nobody else makes, without a form that anything would shorten or escape.
fn canary() -> String {
    let unique = rcgen::KeyPair::generate().map(|key| key.serialize_der()).unwrap_or_default();
    format!("canary{}", unique.iter().rev().take(24).map(|byte| format!("{byte:02x}")).collect::<String>())
}

/// The value as it is, and in base64 at each of the three places where it may begin in a longer text.
fn needles(canary: &str) -> Vec<Vec<u8>> {
    let mut needles = vec![canary.as_bytes().to_vec(), canary.as_bytes().iter().rev().copied().collect()];
    for engine in [STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD] {
        for before in 0..3 {
            let text = engine.encode([vec![0; before], canary.as_bytes().to_vec()].concat());
            // The first group depends on what stands before, the last on what stands behind.
            needles.push(text.as_bytes()[4..text.len() - 4].to_vec());
        }
    }
    needles
}

fn holds(text: &[u8], needles: &[Vec<u8>]) -> bool {
    needles.iter().any(|needle| text.windows(needle.len()).any(|window| window == needle.as_slice()))
}

fn search(path: &Path, canary: &str, findings: &mut Vec<String>) -> anyhow::Result<()> {
    if path.is_dir() {
        for entry in std::fs::read_dir(path)? {
            search(&entry?.path(), canary, findings)?;
        }
    } else if path.is_file() && holds(&std::fs::read(path)?, &needles(canary)) {
        findings.push(path.display().to_string());
    }
    Ok(())
}
