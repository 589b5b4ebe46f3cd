//! Whoever can write to the file cannot make the store tell a lie: what was moved, swapped, set back or changed is
//! reported by name, and the rest is there.

use rusqlite::Connection;
use storage::conformance::{create, delete, update};
use storage::{OpenError, Revision, Store};

use crate::place::{Folder, block_on};

/// `/a` was written at 1 and 4, `/b` at 2, `/c` at 3 and deleted at 5, `/d` at 6.
fn folder() -> Folder {
    let folder = Folder::new();
    let (store, _) = folder.try_open().unwrap();
    block_on(async {
        store.commit(create("/a", "a, old")).await.unwrap();
        store.commit(create("/b", "b")).await.unwrap();
        store.commit(create("/c", "c")).await.unwrap();
        store.commit(update("/a", Revision(1), "a")).await.unwrap();
        store.commit(delete("/c", Revision(3), "c")).await.unwrap();
        store.commit(create("/d", "d")).await.unwrap();
    });
    drop(store);
    folder
}

/// Changes the database and opens it: the records that are read, and the keys with revisions that are reported.
fn check(change: &str, read: &[&str], reported: &[(&str, u64)]) {
    let folder = folder();
    Connection::open(folder.database()).unwrap().execute_batch(change).unwrap();
    let (store, seen) = folder.try_open().unwrap();
    let values: Vec<_> = seen.state().into_values().map(|(_, value)| String::from_utf8(value).unwrap()).collect();
    let failed: Vec<_> = seen.failed().into_iter().map(|(key, revision, _)| (key.to_string(), revision.0)).collect();
    let reported: Vec<_> = reported.iter().map(|(key, revision)| ((*key).to_owned(), *revision)).collect();
    assert_eq!((values, &failed), (read.iter().map(|value| (*value).to_owned()).collect(), &reported), "{change}");
    assert_eq!(store.metrics().snapshot().unreadable, reported.len() as u64);
}

#[test]
fn untouched() {
    check("", &["a", "b", "d"], &[]);
}

#[test]
fn swapped_values() {
    let swap = "CREATE TEMP TABLE old AS SELECT * FROM log;
        UPDATE log SET value = (SELECT value FROM old WHERE revision = 6) WHERE revision = 2;
        UPDATE log SET value = (SELECT value FROM old WHERE revision = 2) WHERE revision = 6;";
    check(swap, &["a"], &[("/d", 6), ("/b", 2)]);
}

#[test]
fn an_older_value_of_the_same_record() {
    let replay = "UPDATE log SET value = (SELECT value FROM log WHERE revision = 1) WHERE revision = 4";
    check(replay, &["b", "d"], &[("/a", 4)]);
}

#[test]
fn an_older_row_under_a_newer_number() {
    let replay = "DELETE FROM log WHERE revision = 4; UPDATE log SET revision = 7 WHERE revision = 1";
    check(replay, &["b", "d"], &[("/a", 7)]);
}

#[test]
fn a_deletion_made_undone() {
    check("UPDATE log SET kind = 1 WHERE revision = 5", &["a", "b", "d"], &[("/c", 5)]);
}

#[test]
fn a_put_made_a_deletion() {
    check("UPDATE log SET kind = 2 WHERE revision = 6", &["a", "b"], &[("/d", 6)]);
}

#[test]
fn a_kind_that_is_none() {
    check("UPDATE log SET kind = 3 WHERE revision = 6", &["a", "b"], &[("/d", 6)]);
}

#[test]
fn a_changed_name_hides_nothing() {
    check("UPDATE log SET key = '/x' WHERE revision = 4", &["b", "d"], &[("/a", 1), ("/x", 4)]);
}

#[test]
fn a_broken_chain() {
    check("UPDATE log SET previous = 2 WHERE revision = 6", &["a"], &[("/b", 2), ("/d", 6)]);
}

#[test]
fn values_that_are_no_values() {
    for value in
        ["x''", "x'00'", "CAST('k8s:enc:kms:v2:local:' AS BLOB)", "CAST('k8s:enc:identity' AS BLOB)", "randomblob(300)"]
    {
        check(&format!("UPDATE log SET value = {value} WHERE revision = 6"), &["a", "b"], &[("/d", 6)]);
    }
}

#[test]
fn a_check_names_what_is_clear_and_what_does_not_open() {
    let folder = folder();
    let (store, _) = folder.try_open().unwrap();
    let report = Store::check_file(&folder.database(), &folder.keyring()).unwrap();
    assert!(report.is_sound() && report.rows == 6 && report.sealed.len() == 1 && report.sealed[0].2 == 6, "{report:?}");
    drop(store);

    let damage = "UPDATE log SET value = CAST('{}' AS BLOB) WHERE revision = 1;
        UPDATE log SET key = '/x' WHERE revision = 3";
    Connection::open(folder.database()).unwrap().execute_batch(damage).unwrap();
    let report = Store::check_file(&folder.database(), &folder.keyring()).unwrap();
    assert!(!report.is_sound());
    assert_eq!((report.clear, report.sealed[0].2), (vec![("/a".into(), Revision(1))], 5));
    assert_eq!((&*report.unreadable[0].key, report.unreadable[0].revision), ("/x", Revision(3)));
    assert!(matches!(Store::check_file(&folder.path.join("none"), &folder.keyring()), Err(OpenError::Io { .. })));
}

#[test]
fn a_damaged_record_can_be_replaced_and_deleted() {
    let folder = folder();
    let damage = "UPDATE log SET value = x'00' WHERE revision IN (2, 6)";
    Connection::open(folder.database()).unwrap().execute_batch(damage).unwrap();
    let (store, seen) = folder.try_open().unwrap();
    block_on(async {
        let page = store.at("/", Revision(6), None, 0).await.unwrap();
        assert_eq!((page.records.len(), page.unreadable.len()), (1, 2));
        store.commit(update("/b", Revision(2), "new")).await.unwrap();
        store.commit(delete("/d", Revision(6), "")).await.unwrap();
        let changes = store.history("/", Revision(5), 0).await.unwrap().changes;
        assert!(changes[0].value.is_err() && changes[1].before.as_ref().unwrap().is_err() && changes[1].value.is_ok());
    });
    drop((store, seen));
    let (_store, seen) = folder.try_open().unwrap();
    assert!(seen.failed().is_empty());
    assert_eq!(seen.state().keys().map(|key| &**key).collect::<Vec<_>>(), ["/a", "/b"]);
}

/// Any byte of the file may be wrong: the store says which record, or refuses, but never panics and never tells a lie.
#[test]
fn flipped_bits() {
    let folder = folder();
    let whole = std::fs::read(folder.database()).unwrap();
    let truth = folder.try_open().unwrap().1.state();
    let (mut refused, mut reported, mut same) = (0, 0, 0);
    // The pages of the schema, of the log and of the meta table; dense where rows lie, at the end of pages.
    for at in (0..whole.len()).filter(|at| at % 16384 > 14000 || at % 16384 < 130).step_by(7) {
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << (at % 8);
        std::fs::write(folder.database(), bytes).unwrap();
        match folder.try_open() {
            Err(error @ (OpenError::Io { .. } | OpenError::InUse { .. })) => panic!("{at}: {error:?}"),
            Err(_) => refused += 1,
            Ok((_store, seen)) => {
                let (state, failed) = (seen.state(), seen.failed());
                for (key, value) in &state {
                    assert!(truth.get(key) == Some(value), "{at}: {key}");
                }
                let missing = truth.keys().filter(|key| !state.contains_key(*key)).count();
                assert!(missing <= failed.len(), "{at}: {missing} are missing, {failed:?}");
                match seen.failed().len() {
                    0 => same += 1,
                    _ => reported += 1,
                }
            }
        }
    }
    println!("refused {refused}, reported {reported}, same {same}");
    assert!(refused > 20 && reported > 20);
}
