//! A process that writes in a storm is killed at any moment: what it was told is durable is there, what it was not told is
//! there whole or not at all, and revisions go on.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write as _};
use std::process::Stdio;
use std::time::{Duration, Instant};

use storage::conformance::{Seen, create, delete, update};
use storage::{ChangeKind, CommitError, Config, Revision, Store};

use crate::place::{Folder, block_on, child, folder_of_child};

/// Rounds on one database, so that each start finds what the kills before it left.
const ROUNDS: u64 = 12;
const WRITERS: usize = 8;
const KEYS: u64 = 5;

#[test]
fn acknowledged_writes_survive_a_kill() {
    let folder = Folder::new();
    let mut expected = Expected::default();
    for round in 0..ROUNDS {
        // From the first write on, between no time and many groups and a checkpoint later.
        let life = Duration::from_millis(round * round * 7 % 400);
        let lines = storm(&folder, life);
        lines.iter().for_each(|line| expected.note(line));
        let (store, seen) = folder.try_open().unwrap();
        assert!(seen.failed().is_empty(), "{:?}", seen.failed());
        expected.check(&seen.state(), store.revision());
        block_on(check_history(&store, &seen));
    }
    assert!(expected.newest > Revision(ROUNDS), "the storm wrote nothing");
}

/// What is kept of the past leads to the present.
async fn check_history(store: &Store, seen: &Seen) {
    let oldest = store.compacted();
    let mut state: BTreeMap<_, _> = store
        .at("/", oldest, None, 0)
        .await
        .unwrap()
        .records
        .into_iter()
        .map(|record| (record.key, (record.revision, record.value.to_vec())))
        .collect();
    for change in store.history("/", oldest, 0).await.unwrap().changes {
        let value = change.value.unwrap().to_vec();
        match change.kind {
            ChangeKind::Put => drop(state.insert(change.key, (change.revision, value))),
            ChangeKind::Delete => drop(state.remove(&change.key)),
        }
    }
    assert!(state == seen.state());
}

/// Not a test of its own: what the child does until it is killed.
#[test]
fn storm_of_writes() {
    if let Some(path) = folder_of_child() {
        run_storm(&Folder::at(&path), u64::MAX);
    }
}

/// Writes until so many writes were made.
pub(crate) fn run_storm(folder: &Folder, writes: u64) {
    // Little history, so that it is also stopped while rows are removed.
    let mut config = Config::new(folder.database());
    config.history.count = 100;
    let (store, _) = folder.open_with(config).unwrap();
    block_on(async {
        let writers: Vec<_> = (0..WRITERS).map(|writer| tokio::spawn(write(store.clone(), writer, writes))).collect();
        for writer in writers {
            writer.await.unwrap();
        }
    });
}

/// Says what it will write, writes, and says what it was told.
async fn write(store: Store, writer: usize, writes: u64) {
    let say = |line: String| std::io::stdout().lock().write_all(format!("{line}\n").as_bytes()).unwrap();
    for number in store.revision().0.. {
        if store.revision().0 >= writes {
            return;
        }
        let key = format!("/registry/secrets/w{writer}/{}", number % KEYS);
        let (value, current) = (format!("{key}#{number}"), store.current(&key));
        let value = value.repeat(1 + number as usize % 90);
        let (plan, request) = match current {
            None => (value.clone(), create(&key, &value)),
            Some(revision) if number % 7 == 0 => ("-".into(), delete(&key, revision, &value)),
            Some(revision) => (value.clone(), update(&key, revision, &value)),
        };
        say(format!("plan {key} {plan}"));
        match store.commit(request).await {
            Ok(revision) => say(format!("done {key} {revision}")),
            Err(CommitError::Closed) => return,
            Err(other) => panic!("{other}"),
        }
    }
}

/// Runs the child and kills it when it has written for a while.
fn storm(folder: &Folder, life: Duration) -> Vec<String> {
    let mut child =
        child("crash::storm_of_writes", &folder.path).stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn().unwrap();
    let (mut lines, mut first) = (Vec::new(), None);
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    while output.read_line(&mut line).unwrap() > 0 {
        // The last line may be cut off.
        if line.ends_with('\n') {
            first = first.or_else(|| line.contains("plan ").then(Instant::now));
            lines.push(line.trim_end().to_owned());
        }
        if first.is_some_and(|first| first.elapsed() >= life) {
            child.kill().unwrap();
            first = None;
        }
        line.clear();
    }
    child.wait().unwrap();
    lines
}

/// What must be found after everything that was said.
#[derive(Default, Clone)]
pub(crate) struct Expected {
    /// The value that each key must have; "-" is none.
    acknowledged: BTreeMap<String, String>,
    /// The write of each key that was under way.
    planned: BTreeMap<String, String>,
    newest: Revision,
}

impl Expected {
    pub(crate) fn note(&mut self, line: &str) {
        // The test harness writes the name of the test in front of the first line.
        let line = line.rsplit_once("... ").map_or(line, |(_, line)| line);
        match line.split(' ').collect::<Vec<_>>()[..] {
            ["plan", key, value] => drop(self.planned.insert(key.into(), value.into())),
            ["done", key, revision] => {
                let revision = Revision(revision.parse().unwrap());
                let plan = self.planned.remove(key).unwrap();
                self.acknowledged.insert(key.into(), plan);
                self.newest = self.newest.max(revision);
            }
            _ => {}
        }
    }

    /// Takes what is there for the truth of the next round, after it was found right.
    pub(crate) fn check(&mut self, state: &BTreeMap<storage::Key, (Revision, Vec<u8>)>, newest: Revision) {
        let found =
            |key: &str| state.get(key).map_or("-".to_owned(), |(_, value)| String::from_utf8(value.clone()).unwrap());
        assert!(newest >= self.newest, "revision {newest} is there, {} was acknowledged", self.newest);
        assert!(newest.0 <= self.newest.0 + WRITERS as u64, "revisions that nobody asked for");
        let keys: Vec<String> = self.acknowledged.keys().chain(self.planned.keys()).cloned().collect();
        for key in keys {
            let found = found(&key);
            let acknowledged = self.acknowledged.get(&key).map_or("-", String::as_str);
            let planned = self.planned.get(&key).map(String::as_str);
            assert!(found == acknowledged || Some(found.as_str()) == planned, "{key}: {found} is neither");
            self.acknowledged.insert(key, found);
        }
        assert!(state.keys().all(|key| self.acknowledged.contains_key(&**key)));
        self.planned.clear();
        self.newest = newest;
    }
}
