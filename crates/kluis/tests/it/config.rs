//! The file of `--config`.

use std::fs;

use crate::program::{Server, refused, run};

fn error(content: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("kluis.yaml");
    fs::write(&file, content).unwrap();
    let output = run(&["up", "--data-dir=/nonexistent/kluis", "--config", file.to_str().unwrap()]);
    refused(&output).replace(file.to_str().unwrap(), "FILE")
}

#[test]
fn the_file_holds_flags_and_the_command_line_wins() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("kluis.yaml");
    let (first, second) = (folder.path().join("first"), folder.path().join("second"));
    let content = "tls-san: [one.example.com, two.example.com]\nsecure-port: 1\nquiet: false\ndata-dir: ";
    fs::write(&file, format!("{content}{}\n", first.display())).unwrap();
    let server = Server::start_on(&second, &["--config", file.to_str().unwrap()]);
    assert!(second.join("admin.kubeconfig").exists() && !first.exists());
    server.stop();
}

#[test]
fn mistakes_in_the_file_are_named() {
    assert_eq!(error("nonsense: 1\n"), "kluis: FILE: there is no flag `nonsense`");
    assert_eq!(error("quiet: 3\n"), "kluis: FILE: the value of `quiet` does not fit: it must be true or false");
    assert!(error("- 1\n").starts_with("kluis: FILE is no YAML of flags: "));
    assert!(error("secure-port: 1\nsecure-port: 2\n").starts_with("kluis: FILE is no YAML of flags: "));
    assert_eq!(
        refused(&run(&["up", "--config=/nonexistent/kluis.yaml"])),
        "kluis: there is no file /nonexistent/kluis.yaml"
    );
}
