//! The certificates over the life of a data directory.

use std::fs;
use std::path::Path;

use crate::program::{Server, until};

fn files(data: &Path) -> Vec<String> {
    ["pki/ca.crt", "pki/ca.key", "pki/serving.pem", "admin.kubeconfig"]
        .map(|name| fs::read_to_string(data.join(name)).unwrap())
        .to_vec()
}

/// What of the files is another after a start with these flags.
fn changed(data: &Path, before: &[String], flags: &[&str]) -> Vec<bool> {
    Server::start_on(data, flags).stop();
    files(data).iter().zip(before).map(|(now, before)| now != before).collect()
}

#[test]
fn later_starts_reuse_them_until_names_or_addresses_change() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let server = Server::start_on(&data, &[]);
    let port = server.address().rsplit(':').next().unwrap().to_owned();
    server.stop();
    let port = format!("--secure-port={port}");
    let before = files(&data);
    assert_eq!(changed(&data, &before, &["--certificate-duration=1h", &port]), [false, false, false, false]);
    assert_eq!(changed(&data, &before, &[&port, "--tls-san=secrets.example.com"]), [false, false, true, false]);
    let before = files(&data);
    let flags = [&port, "--tls-san=secrets.example.com", "--advertise-address=127.0.0.2"];
    assert_eq!(changed(&data, &before, &flags), [false, false, true, true]);
}

#[test]
fn a_lost_authority_is_replaced_with_all_that_it_signed() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    Server::start_on(&data, &[]).stop();
    let before = files(&data);
    fs::remove_file(data.join("pki/ca.crt")).unwrap();
    fs::remove_file(data.join("pki/ca.key")).unwrap();
    assert_eq!(changed(&data, &before, &[]), [true, true, true, true]);
}

#[test]
fn they_are_renewed_while_the_server_runs() {
    let server = Server::start(&["--certificate-duration=3s"]);
    let before = files(&server.data);
    until("two renewals", || {
        files(&server.data).iter().zip(&before).filter(|(now, before)| now != before).count() == 2
    });
    let now = files(&server.data);
    assert_eq!((&now[0], &now[1]), (&before[0], &before[1]));
    server.stop();
}
