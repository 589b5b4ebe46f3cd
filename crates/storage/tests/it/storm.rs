//! Readers of the past beside writers and compaction: an answer is right or a refusal is.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use storage::conformance::{create, delete, update};
use storage::{
    ChangeKind, CommitError, Committed, Config, Key, Observer, ReadError, Record, RecordError, Revision, Store,
};

use crate::place::{Folder, block_on};

const WRITES: u64 = 900;

#[test]
fn past_states_are_right_while_history_goes() {
    let folder = Folder::new();
    let log = Arc::new(Log::default());
    let mut config = Config::new(folder.database());
    config.history.count = 150;
    let store = Store::open(config, folder.keyring(), Arc::clone(&log) as Arc<dyn Observer>).unwrap();
    let answered = block_on(async {
        let writers: Vec<_> = (0..4).map(|writer| tokio::spawn(write(store.clone(), writer))).collect();
        let readers: Vec<_> =
            (0..3).map(|reader| tokio::spawn(read(store.clone(), Arc::clone(&log), reader))).collect();
        let compacter = tokio::spawn(compact(store.clone()));
        for writer in writers {
            writer.await.unwrap();
        }
        compacter.await.unwrap();
        let mut answered = [0, 0];
        for reader in readers {
            let [right, refused] = reader.await.unwrap();
            answered = [answered[0] + right, answered[1] + refused];
        }
        answered
    });
    println!("{answered:?} right and refused");
    assert!(answered[0] > 50 && answered[1] > 0, "{answered:?}");
    assert!(store.metrics().snapshot().compacted_rows > WRITES / 2);
}

async fn write(store: Store, writer: u64) {
    for number in 0.. {
        if store.revision().0 >= WRITES {
            return;
        }
        let key = format!("/registry/x/{}", (number * 7 + writer) % 23);
        let value = format!("{writer}/{number}");
        let write = match store.current(&key) {
            None => create(&key, &value),
            Some(over) if number % 5 == 0 => delete(&key, over, &value),
            Some(over) => update(&key, over, &value),
        };
        match store.commit(write).await {
            Ok(_) | Err(CommitError::Conflict { .. }) => {}
            Err(other) => panic!("{other}"),
        }
    }
}

async fn compact(store: Store) {
    while store.revision().0 < WRITES {
        store.compact(Revision(store.revision().0.saturating_sub(60))).await.unwrap();
    }
}

async fn read(store: Store, log: Arc<Log>, reader: u64) -> [u64; 2] {
    let mut answered = [0, 0];
    for number in reader.. {
        let newest = store.revision();
        if newest.0 >= WRITES {
            break;
        }
        // Around the boundary, where rows are going.
        let asked = Revision((store.compacted().0 + number % 40).saturating_sub(3).min(newest.0));
        let is_right = if number % 2 == 0 { at(&store, &log, asked).await } else { history(&store, &log, asked).await };
        answered[usize::from(!is_right)] += 1;
    }
    answered
}

/// Whether it was answered; the answer is right, or the refusal is.
async fn at(store: &Store, log: &Log, asked: Revision) -> bool {
    match store.at("/registry/", asked, None, 0).await {
        Ok(page) => {
            assert!(page.unreadable.is_empty(), "{:?}", page.unreadable);
            let found = page.records.into_iter().map(|record| (record.key, (record.revision, record.value.to_vec())));
            let found = found.collect::<State>();
            while log.newest() < asked {
                tokio::task::yield_now().await;
            }
            assert!(found == log.state(asked), "at {asked}");
            true
        }
        Err(ReadError::Compacted { oldest, .. }) => refused(asked, oldest, store),
        Err(other) => panic!("{other}"),
    }
}

async fn history(store: &Store, log: &Log, asked: Revision) -> bool {
    match store.history("/registry/", asked, 0).await {
        Ok(changes) => {
            let mut state = log.state(asked);
            for change in changes.changes {
                let before = change.before.map(|before| before.unwrap().to_vec());
                assert!(
                    state.get(&change.key).map(|(_, value)| value) == before.as_ref(),
                    "before {}",
                    change.revision
                );
                apply(&mut state, change.key, change.revision, change.kind, change.value.unwrap().to_vec());
            }
            // The store knows of a group a moment before the observer does.
            while log.newest() < changes.through {
                tokio::task::yield_now().await;
            }
            assert!(state == log.state(changes.through), "from {asked} to {}", changes.through);
            true
        }
        Err(ReadError::Compacted { oldest, .. }) => refused(asked, oldest, store),
        Err(other) => panic!("{other}"),
    }
}

fn refused(asked: Revision, oldest: Revision, store: &Store) -> bool {
    assert!(asked < oldest && oldest <= store.compacted());
    false
}

type State = BTreeMap<Key, (Revision, Vec<u8>)>;

/// Everything that was committed.
#[derive(Default)]
struct Log(Mutex<Vec<Row>>);

type Row = (Key, Revision, ChangeKind, Vec<u8>);

impl Log {
    fn newest(&self) -> Revision {
        self.0.lock().unwrap().last().map_or(Revision::ZERO, |(_, revision, ..)| *revision)
    }

    fn state(&self, at: Revision) -> State {
        let mut state = State::new();
        for (key, revision, kind, value) in
            self.0.lock().unwrap().iter().take_while(|(_, revision, ..)| *revision <= at)
        {
            apply(&mut state, Key::clone(key), *revision, *kind, value.clone());
        }
        state
    }
}

fn apply(state: &mut State, key: Key, revision: Revision, kind: ChangeKind, value: Vec<u8>) {
    match kind {
        ChangeKind::Put => drop(state.insert(key, (revision, value))),
        ChangeKind::Delete => drop(state.remove(&key)),
    }
}

impl Observer for Log {
    fn load(&self, _: Record) {}

    fn load_failed(&self, key: &Key, _: Revision, error: &RecordError) {
        panic!("{key}: {error}");
    }

    fn committed(&self, batch: Vec<Committed>) {
        let rows =
            batch.into_iter().map(|one| (one.key, one.revision, one.mutation.kind(), one.mutation.bytes().to_vec()));
        self.0.lock().unwrap().extend(rows);
    }
}
