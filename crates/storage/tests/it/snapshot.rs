//! Copies: consistent while writers go on, sealed, and the way back.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use storage::conformance::create;
use storage::{Revision, SnapshotError, Store};

use crate::place::{Folder, block_on};

#[test]
fn a_snapshot_under_writes_is_a_state_that_was() {
    let folder = Folder::new();
    let (store, _) = folder.try_open().unwrap();
    let copy = folder.path.join("copy.db");
    block_on(async {
        for number in 0..500 {
            store.commit(create(&format!("/a/{number:05}"), &"x".repeat(3000))).await.unwrap();
        }
        let writer = tokio::spawn({
            let store = store.clone();
            async move {
                for number in 500..900 {
                    store.commit(create(&format!("/a/{number:05}"), "y")).await.unwrap();
                }
            }
        });
        store.snapshot(&copy).await.unwrap();
        writer.await.unwrap();
        assert!(matches!(store.snapshot(&copy).await, Err(SnapshotError::Exists(path)) if path == copy));
    });
    assert_eq!(fs::metadata(&copy).unwrap().permissions().mode() & 0o7777, 0o600);
    let (store, seen) = folder.open_file(&copy).unwrap();
    let state = seen.state();
    assert!((500..=900).contains(&state.len()) && store.revision().0 == state.len() as u64);
    assert!(state.keys().enumerate().all(|(number, key)| **key == format!("/a/{number:05}")));
    let left = fs::read_dir(&folder.path)
        .unwrap()
        .filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().contains("draft"));
    assert_eq!(left.count(), 0);
}

#[test]
fn a_restore_brings_the_state_back_above_all_revisions_that_were_seen() {
    let folder = Folder::new();
    let (store, _) = folder.try_open().unwrap();
    let (copy, back) = (folder.path.join("copy.db"), folder.path.join("back.db"));
    block_on(async {
        store.commit(create("/a", "1")).await.unwrap();
        store.commit(create("/b", "2")).await.unwrap();
    });
    // As another process does.
    Store::snapshot_file(&folder.database(), &copy).unwrap();
    Store::restore(&copy, &back).unwrap();
    assert_eq!(fs::metadata(&back).unwrap().permissions().mode() & 0o7777, 0o600);
    let (restored, seen) = folder.open_file(&back).unwrap();
    let floor = Revision(1_000_000_002);
    assert_eq!((restored.revision(), restored.compacted()), (floor, floor));
    assert_eq!(
        seen.state().into_values().collect::<Vec<_>>(),
        [(Revision(1), b"1".to_vec()), (Revision(2), b"2".to_vec())]
    );
    assert_eq!(block_on(restored.commit(create("/c", "3"))).unwrap(), floor.next());
    drop(restored);

    assert!(matches!(Store::restore(&copy, &back), Err(SnapshotError::Exists(_))));
    fs::remove_file(&back).unwrap();
    fs::write(folder.path.join("back.db-wal"), "left over").unwrap();
    assert!(matches!(Store::restore(&copy, &back), Err(SnapshotError::Exists(path)) if path.ends_with("back.db-wal")));
}

#[test]
fn what_is_no_snapshot_is_not_restored() {
    let folder = Folder::new();
    let (store, _) = folder.try_open().unwrap();
    for number in 0..300 {
        block_on(store.commit(create(&format!("/a/{number}"), &"x".repeat(2000)))).unwrap();
    }
    drop(store);
    let (copy, back) = (folder.path.join("copy.db"), folder.path.join("back.db"));
    assert!(matches!(Store::restore(&copy, &back), Err(SnapshotError::Io { .. })));

    let whole = fs::read(folder.database()).unwrap();
    let mut damaged = whole.clone();
    damaged[16384 * 4 + 3] ^= 0x55;
    for bytes in [Vec::new(), b"text".to_vec(), whole[..16384 * 5].to_vec(), damaged] {
        fs::write(&copy, bytes).unwrap();
        let refused = Store::restore(&copy, &back).unwrap_err();
        assert!(matches!(refused, SnapshotError::Damaged { .. } | SnapshotError::Open(_)), "{refused:?}");
        assert!(!back.exists());
    }
}
