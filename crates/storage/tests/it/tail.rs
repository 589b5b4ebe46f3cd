//! A power cut leaves the end of the write-ahead log in any state: torn, zeroed, old bytes. The group that was under way
//! is there whole or not at all, everything before it is there.

use std::fs;
use std::path::Path;

use storage::conformance::create;

use crate::place::{Folder, block_on};

#[test]
fn a_torn_end_of_the_log_costs_the_last_group_alone() {
    let folder = Folder::new();
    let log = folder.path.join("kluis.db-wal");
    let (store, seen) = folder.try_open().unwrap();
    let write = |number: u64| {
        let value = format!("value {number} ").repeat(700);
        block_on(store.commit(create(&format!("/a/{number}"), &value))).unwrap();
    };
    (1..=20).for_each(write);
    let (before, state_before) = (fs::read(&log).unwrap(), seen.state());
    write(21);
    let (after, state_after) = (fs::read(&log).unwrap(), seen.state());
    assert!(after.starts_with(&before) && after.len() > before.len());
    let database = fs::read(folder.database()).unwrap();

    let copy = Folder::new();
    fs::copy(folder.path.join("keys/local-1.key"), copy.path.join("keys/local-1.key")).unwrap();
    for cut in (before.len()..after.len()).step_by(1999).chain([before.len() + 1, after.len() - 1]) {
        for end in ["gone", "zero", "noise"] {
            let mut torn = after[..cut].to_vec();
            match end {
                "zero" => torn.resize(after.len(), 0),
                "noise" => torn.extend(after[cut..].iter().map(|byte| !byte)),
                _ => {}
            }
            lay(&copy.path, &database, &torn);
            let (store, seen) = copy.try_open().unwrap();
            assert!(seen.state() == state_before, "{cut} {end}");
            let revision = block_on(store.commit(create("/b", "goes on"))).unwrap();
            assert_eq!(revision.0, 21);
        }
    }
    lay(&copy.path, &database, &after);
    assert!(copy.try_open().unwrap().1.state() == state_after);
}

fn lay(folder: &Path, database: &[u8], log: &[u8]) {
    fs::remove_file(folder.join("kluis.db-shm")).unwrap_or_default();
    fs::write(folder.join("kluis.db"), database).unwrap();
    fs::write(folder.join("kluis.db-wal"), log).unwrap();
}
