//! Every limit is hit once, and answered as its flag says.

use std::time::{Duration, Instant};

use e2e::{Client, Server};
use http_body_util::BodyExt as _;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

const SECRETS: &str = "/api/v1/namespaces/default/secrets";
const JSON: (&str, &str) = ("content-type", "application/json");

#[tokio::test]
async fn a_body_that_is_too_large_gets_413() -> anyhow::Result<()> {
    let server = Server::start().await?;
    let body = json!({"metadata": {"name": "large"}, "stringData": {"a": "x".repeat(3 << 20)}}).to_string();
    let reply = server.client()?.send("POST", SECRETS, &[JSON], &body).await?;
    assert_eq!((reply.status, reply.json()?["reason"].as_str()), (413, Some("RequestEntityTooLarge")));
    Ok(())
}

#[tokio::test]
async fn the_limit_of_bodies_is_a_flag() -> anyhow::Result<()> {
    let server = Server::with(&["--max-body-size", "4KiB"]).await?;
    let body = |size| json!({"metadata": {"name": "large"}, "stringData": {"a": "x".repeat(size)}}).to_string();
    assert_eq!(server.client()?.send("POST", SECRETS, &[JSON], &body(5000)).await?.status, 413);
    assert_eq!(server.client()?.send("POST", SECRETS, &[JSON], &body(2000)).await?.status, 201);
    Ok(())
}

#[tokio::test]
async fn headers_that_are_too_large_get_431() -> anyhow::Result<()> {
    let server = Server::start().await?;
    let long = "x".repeat(70 << 10);
    let reply = server.client()?.send("GET", SECRETS, &[("x-long", &long)], "").await?;
    assert_eq!(reply.status, 431);
    Ok(())
}

#[tokio::test]
async fn reads_in_flight_are_bounded() -> anyhow::Result<()> {
    let server = Server::with(&["--max-requests-inflight", "1"]).await?;
    let client = server.client()?;
    // A read of a revision that is still to come waits for it, and occupies the only place.
    let waiting = client.clone();
    let future = format!("{SECRETS}?resourceVersion=1000000000&resourceVersionMatch=NotOlderThan");
    let waiting = tokio::spawn(async move { waiting.get(&future).await });
    loop {
        let reply = client.get(SECRETS).await?;
        if reply.status == 429 {
            assert_eq!((reply.header("retry-after"), reply.json()?["reason"].as_str()), ("1", Some("TooManyRequests")));
            break;
        }
        assert_eq!(reply.status, 200);
        assert!(!waiting.is_finished(), "no read was refused");
    }
    assert_eq!(waiting.await??.status, 504);
    assert_eq!(client.get(SECRETS).await?.status, 200);
    Ok(())
}

#[tokio::test]
async fn writes_in_flight_are_bounded() -> anyhow::Result<()> {
    let server = Server::with(&["--max-mutating-requests-inflight", "1"]).await?;
    let client = server.client()?;
    // A write whose body does not come occupies the only place.
    let mut slow = client.connect().await?;
    slow.write_all(&head_of_post(100)).await?;
    slow.write_all(b"{").await?;
    slow.flush().await?;
    let reply = until_status(&client, 429).await?;
    assert_eq!(reply.header("retry-after"), "1");
    assert_eq!(reply.json()?["reason"], "TooManyRequests");
    // Reads have their own places, and who comes to mend the server needs none.
    assert_eq!(client.get(SECRETS).await?.status, 200);
    let masters = client.with(e2e::Credentials::read(&server.recover().await?)?);
    assert_eq!(masters.post(SECRETS, &json!({"metadata": {"name": "mended"}})).await?.status, 201);
    drop(slow);
    until_status(&client, 201).await?;
    Ok(())
}

#[tokio::test]
async fn a_body_without_progress_is_given_up() -> anyhow::Result<()> {
    let server = Server::with(&["--body-timeout", "1s"]).await?;
    let mut slow = server.client()?.connect().await?;
    slow.write_all(&head_of_post(100)).await?;
    slow.write_all(b"{\"metadata\"").await?;
    slow.flush().await?;
    let text = read_to_end(&mut slow).await?;
    assert!(text.is_empty() || text.starts_with("HTTP/1.1 408") || text.starts_with("HTTP/1.1 504"), "{text}");
    Ok(())
}

#[tokio::test]
async fn headers_that_do_not_come_are_given_up() -> anyhow::Result<()> {
    let server = Server::with(&["--header-timeout", "1s"]).await?;
    let mut slow = server.client()?.connect().await?;
    slow.write_all(b"GET /version HTTP/1.1\r\nhost: localhost\r\n").await?;
    slow.flush().await?;
    let begun = Instant::now();
    read_to_end(&mut slow).await?;
    assert!(begun.elapsed() < Duration::from_secs(30));
    Ok(())
}

#[tokio::test]
async fn connections_are_bounded() -> anyhow::Result<()> {
    let server = Server::with(&["--max-connections", "3"]).await?;
    let client = server.client()?;
    let mut open = Vec::new();
    // The connection of the readiness probe may still be on its way out.
    while open.len() < 3 {
        if let Ok(Ok(connection)) = tokio::time::timeout(Duration::from_secs(1), client.connect()).await {
            open.push(connection);
        }
    }
    let refused = tokio::time::timeout(Duration::from_secs(1), async {
        client.connect().await?.read_u8().await.map_err(anyhow::Error::from)
    });
    assert!(!matches!(refused.await, Ok(Ok(_))), "a fourth connection was served");
    // The places of connections that have ended are free as soon as the server has seen their end.
    open.clear();
    for _ in 0..200 {
        if client.get("/version").await.is_ok_and(|reply| reply.status == 200) {
            return Ok(());
        }
    }
    anyhow::bail!("the places of connections that have ended are not given back")
}

#[tokio::test]
async fn watches_of_one_identity_are_bounded() -> anyhow::Result<()> {
    let server = Server::with(&["--max-watches-per-identity", "2"]).await?;
    let client = server.client()?;
    let watch = format!("{SECRETS}?watch=true");
    let first = client.open("GET", &watch, &[], "").await?;
    let second = client.open("GET", &watch, &[], "").await?;
    assert_eq!((first.status(), second.status()), (http::StatusCode::OK, http::StatusCode::OK));
    let third = client.get(&watch).await?;
    assert_eq!((third.status, third.json()?["reason"].as_str()), (429, Some("TooManyRequests")));
    assert!(!third.header("retry-after").is_empty());
    // Other requests of the same identity go on, and a place that is given up can be had again.
    assert_eq!(client.get(SECRETS).await?.status, 200);
    drop(first);
    for _ in 0..200 {
        let mut again = client
            .open(
                "GET",
                &format!("{watch}&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"),
                &[],
                "",
            )
            .await?;
        if again.status() == http::StatusCode::OK {
            assert!(again.body_mut().frame().await.is_some());
            return Ok(());
        }
    }
    anyhow::bail!("the place of a watch that ended is not given back")
}

/// Creates Secrets until one is answered with this status.
async fn until_status(client: &Client, status: u16) -> anyhow::Result<e2e::Reply> {
    for _ in 0..200 {
        let secret = json!({"metadata": {"generateName": "limit-"}});
        let reply = client.post(SECRETS, &secret).await?;
        if reply.status == status {
            return Ok(reply);
        }
    }
    anyhow::bail!("no write was answered with {status}")
}

fn head_of_post(length: usize) -> Vec<u8> {
    let head = format!(
        "POST {SECRETS} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n"
    );
    head.into_bytes()
}

/// What comes until the server closes the connection, which it must within a minute.
async fn read_to_end(stream: &mut (impl tokio::io::AsyncRead + Unpin)) -> anyhow::Result<String> {
    let mut bytes = Vec::new();
    // A connection that is reset has ended too.
    let ended = tokio::time::timeout(Duration::from_secs(60), stream.read_to_end(&mut bytes)).await?;
    ended.map(drop).unwrap_or_default();
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
