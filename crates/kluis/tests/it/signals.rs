//! How it starts and ends.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::client::Client;
use crate::program::{Server, kluis, until};

#[test]
fn it_prints_where_it_is_and_which_kubeconfig_to_export() {
    let server = Server::start(&[]);
    let text = server.report.join("\n");
    assert!(text.contains(&format!("https://{}", server.address())), "{text}");
    assert!(text.contains(&format!("export KUBECONFIG={}", server.data.join("admin.kubeconfig").display())), "{text}");
    assert!(server.report.len() <= 5, "{text}");
    server.stop();
}

#[test]
fn only_the_owner_can_read_what_it_makes() {
    let server = Server::start(&[]);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&server.data), 0o700);
    for (name, wanted) in [
        ("admin.kubeconfig", 0o600),
        ("lock", 0o600),
        ("keys", 0o700),
        ("keys/local-1.key", 0o600),
        ("kluis.db", 0o600),
        ("pki", 0o700),
        ("pki/ca.crt", 0o644),
        ("pki/ca.key", 0o600),
        ("pki/serving.pem", 0o600),
    ] {
        assert_eq!(mode(&server.data.join(name)), wanted, "{name}");
    }
    server.stop();
}

#[test]
fn either_signal_ends_it_well() {
    for name in ["TERM", "INT"] {
        let server = Server::start(&[]);
        server.signal(name);
        assert!(server.wait().success(), "{name}");
    }
}

fn until_a_write_is_in_flight(server: &Server) {
    let gauge = "apiserver_current_inflight_requests{request_kind=\"mutating\"} 1";
    let mut client = Client::new(server);
    until("a write in flight", || String::from_utf8(client.get("/metrics").body).unwrap().contains(gauge));
}

#[test]
fn the_end_drains_requests_and_ends_watches_cleanly() {
    let server = Server::start(&["--controllers=-namespace-controller"]);
    let (mut watch, mut write) = (Client::new(&server), Client::new(&server));
    watch.send(b"GET /api/v1/secrets?watch=1 HTTP/1.1\r\nHost: h\r\n\r\n").unwrap();
    assert_eq!(watch.head().unwrap().0, 200);
    let body = r#"{"metadata":{"name":"a"}}"#;
    let head = "POST /api/v1/namespaces/default/secrets HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n";
    write.send(format!("{head}Content-Length: {}\r\n\r\n{}", body.len(), &body[..5]).as_bytes()).unwrap();
    until_a_write_is_in_flight(&server);
    server.signal("TERM");
    while watch.chunk().unwrap().is_some() {}
    until("no more connections", || std::net::TcpStream::connect(server.address()).is_err());
    write.send(&body.as_bytes()[5..]).unwrap();
    assert_eq!(write.answer().unwrap().status, 201);
    drop(write);
    assert!(server.wait().success());
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let server = Server::start(&["--controllers=-namespace-controller"]);
    let mut write = Client::new(&server);
    write.send(b"POST /api/v1/namespaces HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\n").unwrap();
    until_a_write_is_in_flight(&server);
    server.signal("TERM");
    until("no more connections", || std::net::TcpStream::connect(server.address()).is_err());
    server.signal("TERM");
    assert_eq!(server.wait().code(), Some(130));
}

#[test]
fn it_cannot_dump_core() {
    let server = Server::start(&[]);
    let limits = fs::read_to_string(format!("/proc/{}/limits", server.pid()));
    if let Ok(limits) = limits {
        let line = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
        assert_eq!(line.split_whitespace().nth(4), Some("0"), "{line}");
    }
    server.stop();
}

#[test]
fn quiet_prints_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let mut command = kluis(&["up", "--quiet", "--secure-port=0", "--data-dir", data.to_str().unwrap()]);
    let (output, log) = (folder.path().join("output"), folder.path().join("log"));
    command.stdout(fs::File::create(&output).unwrap()).stderr(fs::File::create(&log).unwrap());
    let mut child = command.spawn().unwrap();
    // A second line in the lock file says that the server is there.
    until("the server", || fs::read_to_string(data.join("lock")).is_ok_and(|text| text.lines().count() == 2));
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(fs::read_to_string(output).unwrap(), "");
    assert_eq!(fs::read_to_string(log).unwrap(), "");
}
