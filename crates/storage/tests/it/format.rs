//! Files that are not ours, or too new, or in use.

use std::fs;

use rusqlite::Connection;
use storage::OpenError;
use storage::conformance::create;

use crate::place::{Folder, block_on};

#[test]
fn a_newer_format_is_refused_in_one_line() {
    let folder = Folder::new();
    drop(folder.try_open().unwrap());
    Connection::open(folder.database()).unwrap().pragma_update(None, "user_version", 2).unwrap();
    let said = folder.try_open().err().unwrap().to_string();
    let path = folder.database().display().to_string();
    assert_eq!(
        said,
        format!("{path} has storage format 2, this version reads up to 1: start the newer version that wrote it")
    );
}

#[test]
fn a_foreign_file_is_refused_and_left_alone() {
    let folder = Folder::new();
    fs::write(folder.database(), "not a database, but a text of some length that is kept as it is".repeat(20)).unwrap();
    let before = fs::read(folder.database()).unwrap();
    assert!(matches!(folder.try_open(), Err(OpenError::Foreign { .. })));
    assert_eq!(fs::read(folder.database()).unwrap(), before);

    fs::remove_file(folder.database()).unwrap();
    Connection::open(folder.database()).unwrap().execute_batch("CREATE TABLE other (x)").unwrap();
    assert!(matches!(folder.try_open(), Err(OpenError::Foreign { .. })));
}

#[test]
fn a_store_in_use_is_refused_with_who_uses_it() {
    let folder = Folder::new();
    let (store, _) = folder.try_open().unwrap();
    match folder.try_open() {
        Err(OpenError::InUse { pid, .. }) => assert_eq!(pid, std::process::id().to_string()),
        other => panic!("{:?}", other.err()),
    }
    drop(store);
    folder.try_open().unwrap();
}

#[test]
fn no_value_lies_in_clear_and_no_file_is_open_to_others() {
    use std::os::unix::fs::PermissionsExt;

    let folder = Folder::new();
    let (store, _) = folder.try_open().unwrap();
    for number in 0..50 {
        block_on(store.commit(create(&format!("/a/{number}"), &"correct horse battery staple".repeat(100)))).unwrap();
    }
    for closed in [false, true] {
        for entry in fs::read_dir(&folder.path).unwrap().map(Result::unwrap).filter(|entry| entry.path().is_file()) {
            let (bytes, mode) = (fs::read(entry.path()).unwrap(), entry.metadata().unwrap().permissions().mode());
            assert!(!bytes.windows(14).any(|window| window == b"battery staple"), "{:?} {closed}", entry.path());
            assert_eq!(mode & 0o777, 0o600, "{:?}", entry.path());
        }
        if !closed {
            block_on(store.compact(store.revision())).unwrap();
        }
    }
}
