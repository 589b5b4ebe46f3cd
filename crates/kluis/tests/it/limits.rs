//! Every limit of `--help` is hit once.

use std::io::{ErrorKind, Read};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::client::Client;
use crate::program::{Server, until};

const SECRETS: &str = "/api/v1/namespaces/default/secrets";

/// The head of a request to create a Secret, whose body is still to come.
fn create(length: usize) -> Vec<u8> {
    let head = format!("POST {SECRETS} HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n");
    format!("{head}Content-Length: {length}\r\n\r\n").into_bytes()
}

/// Waits until the server has ended the connection, and says how long that took.
fn ended(mut client: Client) -> Duration {
    let start = Instant::now();
    let mut rest = Vec::new();
    match client.stream.read_to_end(&mut rest) {
        Ok(_) => {}
        Err(error) => assert_ne!(error.kind(), ErrorKind::WouldBlock, "the connection stays open"),
    }
    start.elapsed()
}

#[test]
fn writes_in_flight() {
    let server = Server::start(&["--max-mutating-requests-inflight=1", "--controllers=-namespace-controller"]);
    let mut first = Client::new(&server);
    let body = r#"{"metadata":{"name":"a"}}"#;
    first.send(&create(body.len())).unwrap();
    let mut second = Client::new(&server);
    until("the first to be in flight", || second.call("DELETE", &format!("{SECRETS}/none"), "").status == 429);
    let answer = second.call("DELETE", &format!("{SECRETS}/none"), "");
    assert_eq!((answer.status, answer.header("retry-after")), (429, Some("1")));
    assert_eq!(answer.json()["reason"], "TooManyRequests");
    assert_eq!(second.get(SECRETS).status, 200, "reads have a limit of their own");
    first.send(body.as_bytes()).unwrap();
    let answer = first.answer().unwrap();
    assert_eq!(answer.status, 201, "{:?}", answer.json());
    assert_eq!(second.call("DELETE", &format!("{SECRETS}/none"), "").status, 404);
    server.stop();
}

#[test]
fn reads_in_flight() {
    let server = Server::start(&["--max-requests-inflight=1"]);
    let mut client = Client::new(&server);
    for number in 0..300 {
        let secret = format!(r#"{{"metadata":{{"name":"s-{number}"}}}}"#);
        assert_eq!(client.call("POST", SECRETS, &secret).status, 201);
    }
    let request = |_| {
        let mut client = Client::new(&server);
        let mut refused = 0;
        for _ in 0..100 {
            refused += usize::from(client.get(SECRETS).status == 429);
        }
        refused
    };
    let mut refused = 0;
    until("two reads at the same time", || {
        refused += std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|number| scope.spawn(move || request(number))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum::<usize>()
        });
        refused > 0
    });
    server.stop();
}

#[test]
fn headers_that_are_too_long() {
    let server = Server::start(&[]);
    let send = |length: usize| {
        let mut client = Client::new(&server);
        let header = "x".repeat(length);
        client.send(format!("GET /version HTTP/1.1\r\nHost: h\r\nX: {header}\r\n\r\n").as_bytes()).unwrap();
        client.answer().unwrap().status
    };
    assert_eq!(send(60 << 10), 200);
    assert_eq!(send(70 << 10), 431);
    server.stop();
}

#[test]
fn headers_and_handshakes_that_take_too_long() {
    let server = Server::start(&["--header-timeout=1s"]);
    let mut client = Client::new(&server);
    client.send(b"GET /version HTTP/1.1\r\nHost:").unwrap();
    assert!(ended(client) < Duration::from_secs(10));
    assert!(ended(Client::new(&server)) < Duration::from_secs(10), "a client that says nothing after the handshake");
    let mut silent = TcpStream::connect(server.address()).unwrap();
    silent.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    assert_eq!(silent.read(&mut [0]).unwrap(), 0);
    server.stop();
}

#[test]
fn bodies_that_are_too_large() {
    let server = Server::start(&[]);
    let mut client = Client::new(&server);
    let answer = client.call("POST", SECRETS, &" ".repeat((3 << 20) + 1));
    assert_eq!((answer.status, answer.json()["reason"].as_str()), (413, Some("RequestEntityTooLarge")));
    let server_of_less = Server::start(&["--max-body-size=1KiB"]);
    let mut client = Client::new(&server_of_less);
    assert_eq!(client.call("POST", SECRETS, &" ".repeat(1025)).status, 413);
    server_of_less.stop();
    server.stop();
}

#[test]
fn bodies_that_stand_still() {
    let server = Server::start(&["--body-timeout=1s"]);
    let mut client = Client::new(&server);
    client.send(&create(100)).unwrap();
    client.send(b"{").unwrap();
    let answer = client.answer().unwrap();
    assert!([408, 504].contains(&answer.status), "{answer:?}");
    server.stop();
}

#[test]
fn connections() {
    let server = Server::start(&["--max-connections=2"]);
    let mut kept: Vec<_> = (0..2).map(|_| Client::new(&server)).collect();
    for client in &mut kept {
        assert_eq!(client.get("/version").status, 200);
    }
    let mut third = Client::new(&server);
    assert!(third.send(b"GET /version HTTP/1.1\r\nHost: h\r\n\r\n").is_err() || third.answer().is_err());
    kept.pop();
    until("a place", || {
        let mut client = Client::new(&server);
        client.send(b"GET /version HTTP/1.1\r\nHost: h\r\n\r\n").is_ok() && client.answer().is_ok()
    });
    server.stop();
}

#[test]
fn watches_of_one_identity() {
    let server = Server::start(&["--max-watches-per-identity=2"]);
    let path = format!("{SECRETS}?watch=1");
    let watch = || {
        let mut client = Client::new(&server);
        client.send(format!("GET {path} HTTP/1.1\r\nHost: h\r\n\r\n").as_bytes()).unwrap();
        let status = client.head().unwrap().0;
        (status, client)
    };
    let (first, _second) = (watch(), watch());
    assert_eq!(first.0, 200);
    assert_eq!(watch().0, 429);
    drop(first);
    until("a place", || watch().0 == 200);
    server.stop();
}
