//! `kluis store snapshot` and `kluis store restore`.

use std::fs;
use std::process::Command;

use crate::program::{Server, printed, refused, run};

#[test]
fn a_snapshot_is_taken_beside_the_running_server_and_restored_elsewhere() {
    let server = Server::start(&[]);
    let folder = tempfile::tempdir().unwrap();
    let (copy, other) = (folder.path().join("copy"), folder.path().join("other"));
    let (copy_text, other_text) = (copy.to_str().unwrap(), other.to_str().unwrap());
    let data = server.data.to_str().unwrap();
    let said = printed(&run(&["store", "snapshot", copy_text, "--data-dir", data]));
    assert!(said.contains("keep a copy of those elsewhere"), "{said}");
    let line = refused(&run(&["store", "snapshot", copy_text, "--data-dir", data]));
    assert_eq!(line, format!("kluis: cannot take a snapshot: {copy_text} exists: it is not overwritten"));
    let line = refused(&run(&["store", "restore", copy_text, "--data-dir", data]));
    assert!(line.contains("is in use by another kluis"), "{line}");

    let said = printed(&run(&["store", "restore", copy_text, "--data-dir", other_text]));
    assert!(said.contains("put the keys there before the next start"), "{said}");
    let line = refused(&run(&["up", "--secure-port=0", "--data-dir", other_text]));
    assert!(line.contains("without the key that sealed it the database cannot be read"), "{line}");
    let copied = Command::new("cp").arg("-a").args([server.data.join("keys"), other.join("keys")]).status().unwrap();
    assert!(copied.success());
    server.stop();
    Server::start_on(&other, &[]).stop();
}

#[test]
fn what_is_no_snapshot_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (file, data) = (folder.path().join("file"), folder.path().join("data"));
    fs::write(&file, "not a database, but long enough to look at its first bytes").unwrap();
    let line = refused(&run(&["store", "restore", file.to_str().unwrap(), "--data-dir", data.to_str().unwrap()]));
    assert!(line.starts_with("kluis: cannot restore the store: "), "{line}");
    assert!(!data.join("kluis.db").exists());
}
