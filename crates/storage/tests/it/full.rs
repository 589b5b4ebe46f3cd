//! A full or failing disk: writes are refused and none is half there, reads go on, and when there is room writes do too.

use std::fs;
use std::io::Write as _;
use std::process::Stdio;

use storage::conformance::{create, update};
use storage::{CommitError, Revision};
use tempfile::TempDir;

use crate::place::{Folder, block_on, child, folder_of_child};

#[test]
fn a_full_disk_refuses_writes_until_there_is_room() {
    let mount = TempDir::new().unwrap();
    // A file system of its own: as root by mounting, else in a namespace where we are.
    let script = "mount -t tmpfs -o size=6m none \"$1\" || exit 77; shift; exec \"$@\"";
    let mut command = std::process::Command::new("unshare");
    command.args(["--user", "--map-root-user", "--mount", "sh", "-c", script, "sh"]).arg(mount.path());
    let inner = child("full::on_a_small_disk", mount.path());
    command.arg(inner.get_program()).args(inner.get_args());
    command.envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let output = command.stdin(Stdio::null()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    if output.status.code() == Some(77) || said.contains("unshare failed") {
        println!("skipped: no small file system can be mounted here: {said}");
        return;
    }
    assert!(output.status.success() && said.contains("refused at"), "{said}");
}

/// Not a test of its own: what happens on the small disk.
#[test]
fn on_a_small_disk() {
    let Some(path) = folder_of_child() else { return };
    encryption::LocalKey::create(&path.join("keys")).unwrap();
    let folder = Folder::at(&path);
    let (store, seen) = folder.try_open().unwrap();
    let value = "x".repeat(20_000);
    block_on(async {
        store.commit(create("/first", "1")).await.unwrap();
        fill(&path);
        let mut written = 1;
        let refused = loop {
            match store.commit(create(&format!("/{written}"), &value)).await {
                Ok(_) => written += 1,
                Err(refused) => break refused,
            }
        };
        println!("refused at {written}");
        assert!(matches!(refused, CommitError::Full), "{refused:?}");
        assert!(store.metrics().snapshot().failing);
        for _ in 0..3 {
            assert!(matches!(store.commit(create("/more", &value)).await, Err(CommitError::Full)));
        }
        assert_eq!((store.revision(), seen.state().len() as u64), (Revision(written), written));
        assert_eq!(store.at("/", Revision(written), None, 0).await.unwrap().records.len() as u64, written);

        fs::remove_file(path.join("filler")).unwrap();
        assert_eq!(store.commit(create("/more", &value)).await.unwrap(), Revision(written + 1));
        assert_eq!(store.commit(update("/first", Revision(1), "2")).await.unwrap(), Revision(written + 2));
        assert!(!store.metrics().snapshot().failing);
    });
    let before = (seen.state(), store.revision());
    drop(store);
    let (store, seen) = folder.try_open().unwrap();
    assert!((seen.state(), store.revision()) == before && seen.failed().is_empty());
}

#[test]
fn a_failing_disk_loses_nothing_that_was_acknowledged() {
    let folder = Folder::new();
    // A limit on the size of files, which the write-ahead log reaches: an error that is not "full".
    let inner = child("full::on_a_failing_disk", &folder.path);
    let mut command = std::process::Command::new("sh");
    command.args(["-c", "trap '' XFSZ; ulimit -f 800; exec \"$@\"", "sh"]).arg(inner.get_program());
    command.args(inner.get_args()).envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let written = said.lines().find_map(|line| line.strip_prefix("failed after ")).unwrap().parse::<u64>().unwrap();

    let (store, seen) = folder.try_open().unwrap();
    assert!(seen.failed().is_empty());
    // The write that failed may be there: its outcome was said to be unknown.
    assert!((written..=written + 1).contains(&store.revision().0));
    assert_eq!(seen.state().len() as u64, store.revision().0);
}

/// Not a test of its own: what happens on the failing disk.
#[test]
fn on_a_failing_disk() {
    let Some(path) = folder_of_child() else { return };
    let (store, seen) = Folder::at(&path).try_open().unwrap();
    let write = |number: u64| block_on(store.commit(create(&format!("/{number:05}"), &"x".repeat(5000))));
    let mut written = 0;
    let failed = loop {
        match write(written) {
            Ok(_) => written += 1,
            Err(failed) => break failed,
        }
    };
    println!("\nfailed after {written}");
    assert!(matches!(failed, CommitError::Io(_)), "{failed:?}");
    assert!(store.metrics().snapshot().failing);
    assert!(matches!(write(written), Err(CommitError::Io(_))));
    let page = block_on(store.at("/", store.revision(), None, 0)).unwrap();
    assert_eq!(
        (page.records.len(), seen.state().len(), store.revision()),
        (written as usize, written as usize, Revision(written))
    );
}

/// Leaves room for a few writes.
fn fill(path: &std::path::Path) {
    let mut filler = fs::File::create(path.join("filler")).unwrap();
    while filler.write_all(&[0; 4096]).is_ok() {}
    let size = filler.metadata().unwrap().len();
    filler.set_len(size - 200_000).unwrap();
}
