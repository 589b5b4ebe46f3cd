//! The process dies in a storm of writes; what it acknowledged is there, and what it deleted stays deleted.

use std::collections::BTreeMap;

use e2e::{Client, Server};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

const SECRETS: &str = "/api/v1/namespaces/default/secrets";
const WRITERS: usize = 8;
const CRASHES: u64 = 4;

/// The last thing a writer knows of each of its Secrets.
type Ledger = BTreeMap<String, Known>;

#[derive(Debug, Clone)]
enum Known {
    /// Acknowledged: this value, at this resourceVersion.
    Stored { value: String, version: u64 },
    /// Acknowledged: it is gone.
    Deleted,
    /// The server died before it answered; either is right.
    Unknown,
}

#[tokio::test]
async fn acknowledged_writes_survive_a_kill() -> anyhow::Result<()> {
    let mut server = Server::start().await?;
    let mut ledger = Ledger::new();
    for crash in 0..CRASHES {
        let client = server.client()?;
        let mut writers = JoinSet::new();
        let (acknowledged, mut acks) = mpsc::unbounded_channel();
        for writer in 0..WRITERS {
            writers.spawn(storm(client.clone(), format!("crash{crash}-writer{writer}"), acknowledged.clone()));
        }
        for _ in 0..100 + 37 * crash {
            acks.recv().await;
        }
        server.kill().await?;
        while let Some(known) = writers.join_next().await {
            ledger.extend(known?);
        }
        server.restart().await?;
        compare(&ledger, &server.client()?).await?;
    }
    Ok(())
}

/// Creates, updates and deletes until the server is gone; what it answered is the ledger.
async fn storm(client: Client, prefix: String, acknowledged: mpsc::UnboundedSender<()>) -> Ledger {
    let mut ledger = Ledger::new();
    for number in 0.. {
        let name = format!("{prefix}-{number}");
        for step in ["create", "update", "delete"] {
            if step == "delete" && number % 2 == 0 {
                continue;
            }
            // A write that is not answered may have happened or not.
            ledger.insert(name.clone(), Known::Unknown);
            let Some(known) = write(&client, &name, step).await else { return ledger };
            ledger.insert(name.clone(), known);
            // Nobody counts any more once the server is being killed.
            acknowledged.send(()).unwrap_or_default();
        }
    }
    ledger
}

/// One write; nothing if it was not acknowledged.
async fn write(client: &Client, name: &str, step: &str) -> Option<Known> {
    let path = format!("{SECRETS}/{name}");
    let value = format!("{name}-{step}");
    let body = json!({"metadata": {"name": name}, "stringData": {"value": value}});
    let merge = [("content-type", "application/merge-patch+json")];
    let reply = match step {
        "create" => client.post(SECRETS, &body).await,
        "update" => client.send("PATCH", &path, &merge, &body.to_string()).await,
        _ => client.send("DELETE", &path, &[], "").await,
    };
    let reply = reply.ok()?;
    match (step, reply.status) {
        ("delete", 200) => Some(Known::Deleted),
        (_, 200 | 201) => Some(Known::Stored { value, version: version(&reply.json().ok()?)? }),
        _ => None,
    }
}

async fn compare(ledger: &Ledger, client: &Client) -> anyhow::Result<()> {
    let list = client.get(SECRETS).await?.json()?;
    let items: BTreeMap<_, _> = list["items"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|item| Some((item["metadata"]["name"].as_str()?, item)))
        .collect();
    let listed: u64 = list["metadata"]["resourceVersion"].as_str().unwrap_or_default().parse()?;
    for (name, known) in ledger {
        let found = items.get(name.as_str());
        match known {
            Known::Unknown => {}
            Known::Deleted => anyhow::ensure!(found.is_none(), "{name} was deleted, and is back"),
            Known::Stored { value, version: acknowledged } => {
                let found = found.ok_or_else(|| anyhow::anyhow!("{name} was acknowledged, and is lost"))?;
                let stored = client.get(&format!("{SECRETS}/{name}")).await?.json()?;
                anyhow::ensure!(&stored == *found || stored["data"] == found["data"], "{name}: GET and LIST differ");
                let expected = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, value);
                anyhow::ensure!(found["data"]["value"] == expected.as_str(), "{name} has an older value");
                anyhow::ensure!(version(found) == Some(*acknowledged), "{name} has another revision");
                anyhow::ensure!(*acknowledged <= listed, "the list is older than {name}");
            }
        }
    }
    Ok(())
}

fn version(object: &Value) -> Option<u64> {
    object["metadata"]["resourceVersion"].as_str()?.parse().ok()
}
