//! TLS, and who gets in.

use std::fs;
use std::process::Command;
use std::sync::Arc;

use rustls::HandshakeKind;

use crate::client::{Client, administrator, stranger};
use crate::program::{Server, printed, run, until};

#[test]
fn the_administrator_may_everything_and_a_stranger_only_see_that_it_lives() {
    let server = Server::start(&[]);
    let mut admin = Client::new(&server);
    for path in ["/api/v1/namespaces/default/secrets", "/livez", "/metrics"] {
        assert_eq!(admin.get(path).status, 200, "{path}");
    }
    let mut stranger = Client::with(&server, &Arc::new(stranger(&server)));
    for path in ["/livez", "/readyz", "/healthz", "/version"] {
        assert_eq!(stranger.get(path).status, 200, "{path}");
    }
    for path in ["/api/v1/namespaces/default/secrets", "/api", "/apis", "/openapi/v3", "/metrics", "/nowhere"] {
        assert_eq!(stranger.get(path).status, 401, "{path}");
    }
    server.stop();
}

#[test]
fn what_recover_prints_gets_in() {
    let server = Server::start(&[]);
    let kubeconfig = printed(&run(&["recover", "--data-dir", server.data.to_str().unwrap()]));
    let mut client = Client::with(&server, &Arc::new(administrator(&kubeconfig)));
    assert_eq!(client.get("/api/v1/namespaces/kube-system/secrets").status, 200);
    server.stop();
}

#[test]
fn a_certificate_of_another_authority_is_turned_away() {
    let (server, other) = (Server::start(&[]), Server::start(&[]));
    // The authority of one server, the client certificate of the other.
    let ours = fs::read_to_string(server.data.join("admin.kubeconfig")).unwrap();
    let theirs = fs::read_to_string(other.data.join("admin.kubeconfig")).unwrap();
    let line = |text: &str, name: &str| text.lines().find(|line| line.contains(name)).unwrap().to_owned();
    let authority = "certificate-authority-data";
    let mixed = theirs.replace(&line(&theirs, authority), &line(&ours, authority));
    let mut client = Client::with(&server, &Arc::new(administrator(&mixed)));
    let refused = client.send(b"GET /version HTTP/1.1\r\nHost: h\r\n\r\n").and_then(|()| client.answer().map(drop));
    assert!(refused.unwrap_err().to_string().contains("UnknownCA"));
    server.stop();
    other.stop();
}

#[test]
fn a_certificate_that_has_ended_proves_nothing_on_a_connection_that_began_before() {
    let server = Server::start(&["--certificate-duration=3s"]);
    let mut client = Client::new(&server);
    assert_eq!(client.get("/api").status, 200);
    until("the end of the certificate", || client.get("/api").status == 401);
    assert_eq!(Client::new(&server).get("/api").status, 200);
    server.stop();
}

#[test]
fn the_renewed_certificate_is_shown_to_new_connections() {
    let server = Server::start(&["--certificate-duration=3s"]);
    let shown = || {
        let mut client = Client::with(&server, &Arc::new(stranger(&server)));
        assert_eq!(client.get("/version").status, 200);
        client.stream.get_ref().conn.peer_certificates().unwrap().first().unwrap().clone().into_owned()
    };
    let before = shown();
    until("another certificate", || shown() != before);
    server.stop();
}

#[test]
fn sessions_are_resumed() {
    let server = Server::start(&[]);
    let config = Arc::new(stranger(&server));
    for kind in [HandshakeKind::Full, HandshakeKind::Resumed] {
        let mut client = Client::with(&server, &config);
        assert_eq!(client.get("/version").status, 200);
        assert_eq!(client.stream.get_ref().conn.handshake_kind(), Some(kind));
    }
    server.stop();
}

#[test]
fn protocols_are_agreed_on() {
    let server = Server::start(&[]);
    for (offered, wanted) in [(&["h2", "http/1.1"][..], Some("h2")), (&["http/1.1"], Some("http/1.1")), (&[], None)] {
        let mut config = stranger(&server);
        config.alpn_protocols = offered.iter().map(|name| name.as_bytes().to_vec()).collect();
        let mut client = Client::with(&server, &Arc::new(config));
        client.send(b"").unwrap();
        let connection = &mut client.stream.get_mut();
        while connection.conn.is_handshaking() {
            connection.conn.complete_io(&mut connection.sock).unwrap();
        }
        assert_eq!(connection.conn.alpn_protocol(), wanted.map(str::as_bytes));
    }
    server.stop();
}

#[test]
fn old_versions_of_tls_are_refused() {
    let server = Server::start(&[]);
    let connect = |version: &str| {
        let mut command = Command::new("openssl");
        command.args(["s_client", "-connect", &server.address(), version, "-cipher", "ALL:@SECLEVEL=0"]);
        let output = command.stdin(std::process::Stdio::null()).output().unwrap();
        String::from_utf8_lossy(&output.stdout).contains("Cipher is ECDHE")
    };
    assert!(connect("-tls1_2"));
    assert!(!connect("-tls1_1"));
    assert!(!connect("-tls1"));
    server.stop();
}
