//! How much is done at once: requests in flight, told apart by whether they may change something.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::error::{ApiError, Result};

/// The two counters (`MaxRequestsInFlight`, `MaxMutatingRequestsInFlight`).
pub(crate) struct InFlight {
    reading: Counter,
    mutating: Counter,
}

struct Counter {
    now: AtomicUsize,
    most: usize,
}

/// One request in flight.
pub(crate) struct Place<'a>(&'a Counter);

impl InFlight {
    pub(crate) fn new(reading: usize, mutating: usize) -> Self {
        let counter = |most| Counter { now: AtomicUsize::new(0), most };
        Self { reading: counter(reading), mutating: counter(mutating) }
    }

    /// Takes a place, or says when to come back. Watches take none. A limit of 0 is none.
    pub(crate) fn enter(&self, mutating: bool) -> Result<Place<'_>> {
        let counter = if mutating { &self.mutating } else { &self.reading };
        let before = counter.now.fetch_add(1, Ordering::Relaxed);
        let place = Place(counter);
        if counter.most > 0 && before >= counter.most {
            drop(place);
            return Err(ApiError::too_many_requests("too many requests, please try again later", 1));
        }
        Ok(place)
    }

    /// How many are in flight: reading, mutating.
    pub(crate) fn now(&self) -> (usize, usize) {
        (self.reading.now.load(Ordering::Relaxed), self.mutating.now.load(Ordering::Relaxed))
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.now.fetch_sub(1, Ordering::Relaxed);
    }
}
