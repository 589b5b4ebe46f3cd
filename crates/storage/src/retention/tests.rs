//! By count, by age, by wish; in the order of the file.

use super::*;

fn retention(age: u64, count: u64) -> Retention {
    let history = History { age: Duration::from_secs(age), count };
    Retention::new(history, Revision::ZERO, Revision::ZERO, VecDeque::new())
}

/// Writes of one key from `first` on, each replacing the one before.
fn replace(retention: &mut Retention, first: u64, count: u64) {
    for revision in first..first + count {
        let previous = (revision > 1).then(|| Revision(revision - 1));
        retention.note(&"/a".into(), Revision(revision), previous, ChangeKind::Put);
    }
}

fn drain(retention: &mut Retention) -> Vec<u64> {
    let mut gone = Vec::new();
    while !retention.batch().is_empty() {
        let batch: Vec<u64> = retention.batch().iter().rev().map(|obsolete| obsolete.revision.0).collect();
        retention.removed(batch.len());
        gone.extend(batch);
        retention.advance(Instant::now());
    }
    gone
}

#[test]
fn more_than_the_count_goes_in_steps() {
    let mut retention = retention(3600, 160);
    replace(&mut retention, 1, 171);
    retention.advance(Instant::now());
    assert_eq!((retention.len(), retention.batch().len()), (170, 0));
    replace(&mut retention, 172, 1);
    retention.advance(Instant::now());
    assert_eq!(retention.compacted, Revision(12));
    assert_eq!(drain(&mut retention), (1..=11).collect::<Vec<_>>());
    assert_eq!(retention.len(), 160);
}

#[test]
fn what_is_older_than_the_age_goes() {
    let mut retention = retention(16, 1000);
    let start = Instant::now();
    let at = |seconds| start + Duration::from_secs(seconds);
    for second in 1..=10 {
        replace(&mut retention, second * 10 - 9, 10);
        retention.advance(at(second));
    }
    retention.advance(at(15));
    assert_eq!(retention.compacted, Revision(0));
    retention.advance(at(17));
    assert_eq!(retention.compacted, Revision(10));
    retention.advance(at(60));
    assert_eq!((retention.compacted, retention.due()), (Revision(100), None));
}

#[test]
fn the_last_write_ages_though_nobody_writes_after_it() {
    let mut retention = retention(16, 1000);
    let start = Instant::now();
    replace(&mut retention, 1, 3);
    retention.advance(start);
    // Looks when it is due, as the writer thread does.
    let mut looks = 0;
    while let Some(due) = retention.due() {
        retention.advance(due.max(start));
        looks += 1;
    }
    assert_eq!((retention.compacted, drain(&mut retention)), (Revision(3), vec![1, 2]));
    assert!(looks < 5);
}

#[test]
fn deletions_go_with_what_they_deleted() {
    let mut retention = retention(3600, 1000);
    let key = "/a".into();
    retention.note(&key, Revision(1), None, ChangeKind::Put);
    retention.note(&key, Revision(2), Some(Revision(1)), ChangeKind::Delete);
    retention.note(&key, Revision(3), None, ChangeKind::Put);
    retention.forget(Revision(2));
    retention.advance(Instant::now());
    assert!(!retention.is_clean(Revision(2)));
    assert_eq!(drain(&mut retention), [1, 2]);
    assert!(retention.is_clean(Revision(3)));
}

#[test]
fn a_cycle_goes_in_the_order_of_the_file() {
    let mut retention = retention(3600, 1000);
    for (revision, previous) in [(10, 7), (11, 3), (12, 9), (13, 1)] {
        retention.note(&"/a".into(), Revision(revision), Some(Revision(previous)), ChangeKind::Put);
    }
    retention.forget(Revision(12));
    retention.advance(Instant::now());
    assert_eq!(drain(&mut retention), [3, 7, 9]);
}
