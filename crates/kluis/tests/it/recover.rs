//! `kluis recover`.

use std::process::Command;

use crate::program::{Server, printed, run};

#[test]
fn it_works_while_the_server_runs_and_after() {
    let server = Server::start(&[]);
    let data = server.data.to_str().unwrap().to_owned();
    let text = printed(&run(&["recover", "--data-dir", &data]));
    assert!(text.contains(&format!("server: https://{}\n", server.address())), "{text}");
    assert!(text.contains("current-context: kluis-recover@kluis"));
    let text = printed(&run(&["recover", "--data-dir", &data, "--server=https://secrets.example.com:6443"]));
    assert!(text.contains("server: https://secrets.example.com:6443\n"), "{text}");
    server.stop();
}

#[test]
fn its_certificate_is_of_the_masters_and_lives_an_hour() {
    let server = Server::start(&[]);
    let text = printed(&run(&["recover", "--data-dir", server.data.to_str().unwrap()]));
    let encoded = text.lines().find_map(|line| line.trim().strip_prefix("client-certificate-data: ")).unwrap();
    let script = "echo \"$1\" | base64 -d | openssl x509 -noout -subject -dates -checkend 3590";
    let output = Command::new("sh").args(["-c", script, "sh", encoded]).output().unwrap();
    let shown = String::from_utf8(output.stdout).unwrap();
    assert!(shown.contains("system:masters") && shown.contains("will not expire"), "{shown}");
    let script = script.replace("3590", "3610");
    assert!(!Command::new("sh").args(["-c", &script, "sh", encoded]).output().unwrap().status.success());
    server.stop();
}
