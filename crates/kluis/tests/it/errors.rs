//! The ways in which a start fails: one clear line, and an exit code that is not zero.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::path::Path;
use std::process::Command;

use crate::program::{Server, kluis, refused, run};

/// The line with which a start on this folder is refused.
fn refusal(data: &Path) -> String {
    refused(&run(&["up", "--secure-port=0", "--data-dir", data.to_str().unwrap()]))
        .replace(data.to_str().unwrap(), "DIR")
}

/// The line with which a start is refused after this was done to the folder of a server that ran before.
fn after(change: impl Fn(&Path)) -> String {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    Server::start_on(&data, &[]).stop();
    change(&data);
    refusal(&data)
}

#[test]
fn a_second_start_on_the_same_folder_names_the_first() {
    let server = Server::start(&[]);
    let wanted = format!("kluis: DIR is in use by another kluis (pid {})", server.pid());
    assert_eq!(refusal(&server.data), wanted);
    server.stop();
}

#[test]
fn a_port_in_use() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let port = format!("--secure-port={}", taken.local_addr().unwrap().port());
    let output = run(&["up", &port, "--data-dir", folder.path().to_str().unwrap()]);
    let wanted =
        format!("kluis: cannot listen on {}: Address already in use (os error 98)", taken.local_addr().unwrap());
    assert_eq!(refused(&output), wanted);
}

#[test]
fn a_folder_that_cannot_be_made_or_written() {
    let line = refused(&run(&["up", "--secure-port=0", "--data-dir=/proc/kluis"]));
    assert_eq!(line, "kluis: cannot create /proc/kluis: No such file or directory (os error 2)");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    assert_eq!(refusal(&file), "kluis: cannot create DIR: File exists (os error 17)");
}

#[test]
fn a_folder_that_belongs_to_somebody_else() {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let data = folder.path().join("data");
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--clear-groups", env!("CARGO_BIN_EXE_kluis"), "up", "--secure-port=0"]);
    let Ok(output) = command.arg("--data-dir").arg(&data).output() else { return }; // This machine has no setpriv.
    let text = String::from_utf8_lossy(&output.stderr);
    if text.starts_with("setpriv") {
        return; // Only root can become somebody else.
    }
    let wanted = format!("kluis: cannot create {}: Permission denied (os error 13)", data.display());
    assert_eq!(refused(&output), wanted);
}

#[test]
fn a_full_disk() {
    let folder = tempfile::tempdir().unwrap();
    let script = "mount -t tmpfs -o size=16k none \"$1\" && shift && exec \"$@\"";
    let mut command = Command::new("unshare");
    command.args(["--user", "--map-root-user", "--mount", "sh", "-c", script, "sh"]).arg(folder.path());
    command.arg(env!("CARGO_BIN_EXE_kluis")).args(["up", "--secure-port=0", "--data-dir"]).arg(folder.path());
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    if text.contains("unshare") || text.contains("mount:") {
        return; // This machine lets nobody make a small disk.
    }
    assert!(refused(&output).ends_with("No space left on device (os error 28)"), "{text}");
}

#[test]
fn damaged_files() {
    let damage = |name: &'static str, content: &'static str| {
        after(move |data| {
            let path = data.join(name);
            fs::write(&path, content).unwrap();
        })
    };
    assert!(damage("pki/ca.crt", "x").starts_with("kluis: DIR/pki/ca.crt is damaged: it is no certificate"));
    assert!(damage("pki/ca.key", "x").starts_with("kluis: DIR/pki/ca.key is damaged: it is no private key"));
    assert_eq!(
        damage("pki/serving.pem", "x"),
        "kluis: DIR/pki/serving.pem is damaged: remove DIR/pki/serving.pem to have a new one made: \
         it holds no certificate: no items found"
    );
    assert_eq!(
        damage("admin.kubeconfig", "x"),
        "kluis: DIR/admin.kubeconfig is damaged: remove DIR/admin.kubeconfig to have a new one made"
    );
}

#[test]
fn a_damaged_store() {
    let line = after(|data| fs::write(data.join("kluis.db"), "x".repeat(8192)).unwrap());
    assert_eq!(line, "kluis: cannot open the store: DIR/kluis.db is not a Kluis database");
}

#[test]
fn a_store_of_a_newer_format() {
    let line = after(|data| {
        // Bytes 60 to 63 of an SQLite file hold its user version, which is our format.
        let file = fs::OpenOptions::new().write(true).open(data.join("kluis.db")).unwrap();
        file.write_all_at(&99_u32.to_be_bytes(), 60).unwrap();
    });
    assert!(
        line.starts_with("kluis: cannot open the store: DIR/kluis.db has storage format 99, this version"),
        "{line}"
    );
}

#[test]
fn a_damaged_or_missing_encryption_key() {
    let line = after(|data| fs::write(data.join("keys/local-1.key"), "x").unwrap());
    assert_eq!(
        line,
        "kluis: cannot use the encryption keys: DIR/keys/local-1.key is not a key file: its first line is not `kluis-key 1`"
    );
    let line = after(|data| fs::remove_file(data.join("keys/local-1.key")).unwrap());
    assert_eq!(
        line,
        "kluis: cannot use the encryption keys: no key file local-*.key in DIR/keys: \
         without the key that sealed it the database cannot be read"
    );
}

#[test]
fn encryption_keys_that_others_can_read() {
    let line = after(|data| fs::set_permissions(data.join("keys"), fs::Permissions::from_mode(0o755)).unwrap());
    assert!(line.contains("DIR/keys is open to others (mode 0755): run `chmod 700 DIR/keys`"), "{line}");
}

#[test]
fn a_key_that_others_can_read() {
    let line = after(|data| fs::set_permissions(data.join("pki/ca.key"), fs::Permissions::from_mode(0o644)).unwrap());
    assert_eq!(line, "kluis: DIR/pki/ca.key can be read by others (mode 644): run `chmod 600 DIR/pki/ca.key`");
}

#[test]
fn an_authority_without_its_key() {
    let line = after(|data| fs::remove_file(data.join("pki/ca.key")).unwrap());
    assert_eq!(
        line,
        "kluis: DIR/pki/ca.key is missing: restore it, or remove DIR/pki/ca.crt as well to have a new authority made"
    );
}

#[test]
fn a_key_of_another_authority() {
    let other = Server::start(&[]);
    let key = other.data.join("pki/ca.key");
    let line = after(|data| assert!(fs::copy(&key, data.join("pki/ca.key")).unwrap() > 0));
    assert_eq!(line, "kluis: DIR/pki/ca.key does not belong to DIR/pki/ca.crt: one of them was replaced");
    other.stop();
}

#[test]
fn a_user_without_a_home_must_say_where() {
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--clear-groups", env!("CARGO_BIN_EXE_kluis"), "recover"]);
    let output = command.env_remove("HOME").env_remove("XDG_DATA_HOME").output();
    let Ok(output) = output else { return }; // This machine has no setpriv.
    let text = String::from_utf8_lossy(&output.stderr);
    if text.starts_with("kluis: ") {
        assert_eq!(text, "kluis: there is no HOME to keep data in: give --data-dir\n");
    }
}

#[test]
fn commands_on_a_folder_that_is_not_there() {
    let output = kluis(&["recover", "--data-dir=/nonexistent/kluis"]).output().unwrap();
    let wanted = "kluis: there is no data directory /nonexistent/kluis: give the one of the server with --data-dir";
    assert_eq!(refused(&output), wanted);
}
