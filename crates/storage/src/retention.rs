//! Which rows of the log no longer show in any state that is kept, and in which order they go.
//!
//! Rows go in cycles: those of one cycle are removed in the order of revisions, which is the order in which they lie in
//! the file, so that a page is changed once however many of its rows go.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::change::{ChangeKind, Key, Revision};
use crate::store::History;

/// The rows that were replaced, and how far back states are kept.
pub(crate) struct Retention {
    history: History,
    /// States before this revision are forgotten.
    pub(crate) compacted: Revision,
    /// In the order in which they were replaced.
    obsolete: VecDeque<Obsolete>,
    /// Those that go now: the next one last.
    cycle: Vec<Obsolete>,
    /// Which revision was the newest when.
    moments: VecDeque<(Instant, Revision)>,
    /// The newest revision.
    latest: Revision,
}

/// A row that states from `from` on do not show.
pub(crate) struct Obsolete {
    pub(crate) from: Revision,
    pub(crate) revision: Revision,
    pub(crate) key: Key,
}

impl Retention {
    /// `obsolete` in the order of `from`. What was there before the start counts as from now.
    pub(crate) fn new(history: History, compacted: Revision, newest: Revision, obsolete: VecDeque<Obsolete>) -> Self {
        let moments = VecDeque::from([(Instant::now(), newest)]);
        Self { history, compacted, obsolete, cycle: Vec::new(), moments, latest: newest }
    }

    /// How many rows are kept as history.
    pub(crate) fn len(&self) -> usize {
        self.obsolete.len() + self.cycle.len()
    }

    /// Notes a write, in the order of revisions.
    pub(crate) fn note(&mut self, key: &Key, revision: Revision, previous: Option<Revision>, kind: ChangeKind) {
        let replaced = previous.map(|replaced| Obsolete { from: revision, revision: replaced, key: Key::clone(key) });
        let deletion =
            (kind == ChangeKind::Delete).then(|| Obsolete { from: revision, revision, key: Key::clone(key) });
        self.obsolete.extend(replaced.into_iter().chain(deletion));
        self.latest = revision;
    }

    /// Forgets the history up to a revision.
    pub(crate) fn forget(&mut self, revision: Revision) {
        self.compacted = self.compacted.max(revision);
    }

    /// Forgets what age and count do not allow, and starts a cycle when the last one is done.
    pub(crate) fn advance(&mut self, now: Instant) {
        if self.unnoted_due().is_some_and(|due| now >= due) {
            self.moments.push_back((now, self.latest));
        }
        while let Some((moment, newest)) = self.moments.front().copied()
            && now.duration_since(moment) >= self.history.age
        {
            self.forget(newest);
            self.moments.pop_front();
        }
        // In steps, so that a cycle has something to do.
        let (kept, count) = (self.obsolete.len() as u64, self.history.count);
        if kept > count.saturating_add(count / u64::from(STEPS))
            && let Some(last) = usize::try_from(kept - count - 1).ok().and_then(|last| self.obsolete.get(last))
        {
            self.forget(last.from);
        }
        if self.cycle.is_empty() {
            let gone = self.obsolete.partition_point(|obsolete| obsolete.from <= self.compacted);
            self.cycle.extend(self.obsolete.drain(..gone));
            self.cycle.sort_unstable_by_key(|obsolete| std::cmp::Reverse(obsolete.revision));
        }
    }

    /// The next rows to remove: more at once the more there are.
    pub(crate) fn batch(&self) -> &[Obsolete] {
        let size = (self.len() / BACKLOG).clamp(FEWEST, MOST).min(self.cycle.len());
        self.cycle.get(self.cycle.len() - size..).unwrap_or_default()
    }

    /// Notes that the last of the cycle are gone.
    pub(crate) fn removed(&mut self, count: usize) {
        self.cycle.truncate(self.cycle.len().saturating_sub(count));
        if self.cycle.is_empty() {
            self.cycle.shrink_to(SPARE);
            self.obsolete.shrink_to(SPARE.max(self.obsolete.len() * 2));
        }
    }

    /// Whether everything that does not show from a revision on is gone.
    pub(crate) fn is_clean(&self, revision: Revision) -> bool {
        self.cycle.is_empty() && self.obsolete.front().is_none_or(|obsolete| obsolete.from > revision)
    }

    /// When there is something to do though nobody writes.
    pub(crate) fn due(&self) -> Option<Instant> {
        let oldest = self.moments.front().map(|(moment, _)| *moment + self.history.age);
        oldest.into_iter().chain(self.unnoted_due()).min()
    }

    /// When the newest revision is to be noted with its time, if it is not.
    fn unnoted_due(&self) -> Option<Instant> {
        match self.moments.back() {
            Some((moment, newest)) => (*newest < self.latest).then(|| *moment + self.history.age / STEPS),
            None => (self.compacted < self.latest).then(Instant::now),
        }
    }
}

/// Into how many steps age and count are divided: by one of them the history may be longer than asked for.
const STEPS: u32 = 16;
/// A batch is this part of what waits.
const BACKLOG: usize = 1000;
const FEWEST: usize = 64;
const MOST: usize = 1024;
/// Rows for which room is kept.
const SPARE: usize = 1024;
/// The longest that the writer thread sleeps.
pub(crate) const IDLE: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests;
