//! Files that are not ours, or too new, or in use.

use std::fs;
use std::path::Path;

use encryption::LocalKey;
use rusqlite::Connection;
use storage::conformance::{create, update};
use storage::{OpenError, Revision};

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
fn a_database_without_its_key_is_refused_with_the_name_of_the_key() {
    let folder = Folder::new();
    let id = LocalKey::load(&folder.path.join("keys")).unwrap()[0].id().to_owned();
    let (store, _) = folder.try_open().unwrap();
    block_on(store.commit(create("/a", "x"))).unwrap();
    drop(store);
    fs::remove_dir_all(folder.path.join("keys")).unwrap();
    LocalKey::create(&folder.path.join("keys")).unwrap();
    let said = folder.try_open().err().unwrap().to_string();
    let path = folder.database().display().to_string();
    assert_eq!(
        said,
        format!("{path} is sealed with key {id} of provider local, which is not at hand: put that key back")
    );
}

#[test]
fn what_is_compacted_is_not_in_the_files() {
    let folder = Folder::new();
    let (store, _) = folder.try_open().unwrap();
    block_on(async {
        let revision = store.commit(create("/a", &"old".repeat(3000))).await.unwrap();
        store.commit(update("/a", revision, "new")).await.unwrap();
    });
    let reader = Connection::open(folder.database()).unwrap();
    let old: Vec<u8> = reader.query_row("SELECT value FROM log WHERE revision = 1", [], |row| row.get(0)).unwrap();
    drop(reader);
    block_on(store.compact(Revision(2))).unwrap();
    drop(store);
    let mut names: Vec<_> = fs::read_dir(&folder.path).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["keys", "kluis.db", "kluis.db.lock"]);
    let is_left = |path: &Path| fs::read(path).unwrap().windows(64).any(|window| window == &old[100..164]);
    for entry in fs::read_dir(&folder.path).unwrap().map(Result::unwrap).filter(|entry| entry.path().is_file()) {
        assert!(!is_left(&entry.path()), "{:?}", entry.path());
    }
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
