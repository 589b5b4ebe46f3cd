//! Which rows of the log no longer show in any state that is kept.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::change::{ChangeKind, Key, Revision};
use crate::store::History;

/// The rows that were replaced, in the order in which they were, and how far back states are kept.
pub(crate) struct Retention {
    history: History,
    /// States before this revision are forgotten.
    pub(crate) compacted: Revision,
    obsolete: VecDeque<Obsolete>,
    /// Which revision was the newest when.
    moments: VecDeque<(Instant, Revision)>,
}

/// A row that states from `from` on do not show.
#[derive(Clone)]
pub(crate) struct Obsolete {
    pub(crate) from: Revision,
    pub(crate) revision: Revision,
    pub(crate) key: Key,
}

impl Retention {
    /// `obsolete` in the order of `from`. What was there before the start counts as from now.
    pub(crate) fn new(history: History, compacted: Revision, newest: Revision, obsolete: VecDeque<Obsolete>) -> Self {
        Self { history, compacted, obsolete, moments: VecDeque::from([(Instant::now(), newest)]) }
    }

    /// How many rows are kept as history.
    pub(crate) fn len(&self) -> usize {
        self.obsolete.len()
    }

    /// Notes a write, in the order of revisions.
    pub(crate) fn note(&mut self, key: &Key, revision: Revision, previous: Option<Revision>, kind: ChangeKind) {
        self.obsolete.extend(obsolete_by(key, revision, previous, kind));
    }

    /// Notes that this revision is the newest now.
    pub(crate) fn note_time(&mut self, now: Instant, newest: Revision) {
        let step = self.history.age / MOMENTS;
        if self.moments.back().is_none_or(|(last, _)| now.duration_since(*last) >= step) {
            self.moments.push_back((now, newest));
        }
    }

    /// Moves the boundary to what age and count allow.
    pub(crate) fn advance(&mut self, now: Instant) {
        while let Some((moment, newest)) = self.moments.front().copied()
            && now.duration_since(moment) >= self.history.age
        {
            self.compacted = self.compacted.max(newest);
            self.moments.pop_front();
        }
        let excess = (self.obsolete.len() as u64).saturating_sub(self.history.count);
        let last = usize::try_from(excess).ok().and_then(|excess| excess.checked_sub(1));
        if let Some(obsolete) = last.and_then(|last| self.obsolete.get(last)) {
            self.compacted = self.compacted.max(obsolete.from);
        }
    }

    /// Moves the boundary to a revision.
    pub(crate) fn forget(&mut self, revision: Revision) {
        self.compacted = self.compacted.max(revision);
    }

    /// The next rows to remove, oldest first, at most `limit`.
    pub(crate) fn removable(&self, limit: usize) -> impl Iterator<Item = &Obsolete> {
        self.obsolete.iter().take(limit).take_while(|obsolete| obsolete.from <= self.compacted)
    }

    /// Notes that the first rows are gone.
    pub(crate) fn removed(&mut self, count: usize) {
        self.obsolete.drain(..count.min(self.obsolete.len()));
    }

    /// When to look again.
    pub(crate) fn next_look(&self, now: Instant) -> Instant {
        let due = self.moments.front().map(|(moment, _)| *moment + self.history.age);
        due.unwrap_or(now + IDLE).clamp(now + SHORTEST, now + IDLE)
    }
}

/// The rows that a write makes obsolete: the one it replaced, and a deletion itself.
pub(crate) fn obsolete_by(
    key: &Key,
    revision: Revision,
    previous: Option<Revision>,
    kind: ChangeKind,
) -> impl Iterator<Item = Obsolete> {
    let replaced = previous.map(|replaced| Obsolete { from: revision, revision: replaced, key: Key::clone(key) });
    let deletion = (kind == ChangeKind::Delete).then(|| Obsolete { from: revision, revision, key: Key::clone(key) });
    replaced.into_iter().chain(deletion)
}

/// Into how many steps the age is divided: the history is up to this part longer than asked for.
const MOMENTS: u32 = 64;
const IDLE: Duration = Duration::from_secs(60);
const SHORTEST: Duration = Duration::from_millis(10);
