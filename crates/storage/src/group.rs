//! Which of the waiting writes may happen.

use std::collections::HashMap;
use std::sync::atomic::Ordering;

use crate::change::{Expect, Key, Mutation, Revision, Write};
use crate::error::CommitError;
use crate::metrics::Metrics;
use crate::queue::Pending;
use crate::writer::State;

/// Writes that become durable together.
pub(crate) struct Group {
    pub(crate) accepted: Vec<Accepted>,
    /// Refused because of others in this group, with the answer if those happen.
    pub(crate) refused: Vec<(Pending, CommitError)>,
}

/// A write that may happen.
pub(crate) struct Accepted {
    pub(crate) revision: Revision,
    pub(crate) previous: Option<Revision>,
    pub(crate) pending: Pending,
}

impl Group {
    /// Checks the writes in order, each against what those before it leave. Those that the state itself refuses are
    /// answered here.
    pub(crate) fn decide(state: &State, metrics: &Metrics, writes: Vec<Pending>) -> Self {
        let mut group = Self { accepted: Vec::with_capacity(writes.len()), refused: Vec::new() };
        // The index is changed when the group is durable.
        let mut planned: HashMap<Key, Option<Revision>> = HashMap::new();
        let mut newest = state.newest;
        for pending in writes {
            let key = &pending.write.key;
            let plan = planned.get(key).copied();
            let actual = plan.unwrap_or_else(|| state.index.current(key));
            if is_met(&pending.write, actual) {
                newest = newest.next();
                let after = matches!(pending.write.mutation, Mutation::Put(..)).then_some(newest);
                planned.insert(Key::clone(key), after);
                group.accepted.push(Accepted { revision: newest, previous: actual, pending });
            } else if plan.is_some() {
                group.refused.push((pending, CommitError::Conflict { actual }));
            } else {
                metrics.conflicts.fetch_add(1, Ordering::Relaxed);
                pending.answer(Err(CommitError::Conflict { actual }));
            }
        }
        group
    }
}

/// A deletion of what is not there is not met either.
fn is_met(write: &Write, actual: Option<Revision>) -> bool {
    match (write.expect, &write.mutation) {
        (Expect::Absent, Mutation::Put(..)) => actual.is_none(),
        (Expect::Absent, Mutation::Delete(..)) => false,
        (Expect::Revision(expected), _) => actual == Some(expected),
    }
}
