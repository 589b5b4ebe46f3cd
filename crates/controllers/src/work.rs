//! The engine of every loop: keys come in, each is worked on until that succeeds.
//!
//! A key is worked on once at a time; one that comes in meanwhile is worked on again after. Failures are repeated
//! with growing pauses.

use std::collections::{HashMap, VecDeque};
use std::fmt::Debug;
use std::hash::Hash;
use std::time::Duration;

use futures::future::{AbortHandle, BoxFuture, abortable};
use futures::stream::FuturesUnordered;
use futures::{FutureExt, Stream, StreamExt};
use tokio::sync::watch;
use tokio::time::sleep;
use tracing::{debug, warn};

use crate::Error;

/// How many keys are worked on at the same time.
const PARALLEL: usize = 16;
const FIRST_PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// A failure that is repeated this often is worth a warning: it does not mend itself.
const WORTH_A_WARNING: u32 = 6;

/// What is to be done after a key was worked on.
pub(crate) enum Next<K> {
    /// Nothing.
    Done,
    /// These keys as well.
    Also(Vec<K>),
    /// The same key again, when this future is ready.
    When(BoxFuture<'static, ()>),
}

/// Works on every key of the stream until cancelled.
pub(crate) async fn run<K, W>(keys: impl Stream<Item = K>, work: impl Fn(K) -> W, shutdown: watch::Receiver<bool>)
where
    K: Clone + Debug + Eq + Hash + Send + 'static,
    W: Future<Output = Result<Next<K>, Error>>,
{
    let mut ended = std::pin::pin!(ended(shutdown));
    let mut keys = std::pin::pin!(keys.fuse());
    let mut queue: Queue<K> = Queue::default();
    let mut running = FuturesUnordered::new();
    loop {
        while running.len() < PARALLEL
            && let Some(key) = queue.take()
        {
            running.push(work(key.clone()).map(|result| (key, result)));
        }
        tokio::select! {
            () = &mut ended => return,
            Some(key) = keys.next() => queue.push(key),
            Some((key, result)) = running.next() => queue.finish(key, result),
            Some(due) = queue.later.next() => if let Some(key) = due { queue.push(key) },
        }
    }
}

/// Ready when the process is to end.
pub(crate) async fn ended(mut shutdown: watch::Receiver<bool>) {
    // An error says that nobody is left who could end it, which is an end as well.
    drop(shutdown.wait_for(|ending| *ending).await);
}

/// The keys that wait. `None` comes out of `later` where a key was worked on before it was due.
struct Queue<K> {
    ready: VecDeque<K>,
    keys: HashMap<K, State>,
    later: FuturesUnordered<BoxFuture<'static, Option<K>>>,
}

#[derive(Default)]
struct State {
    queued: bool,
    running: bool,
    failures: u32,
    pending: Option<AbortHandle>,
}

impl<K> Default for Queue<K> {
    fn default() -> Self {
        Self { ready: VecDeque::new(), keys: HashMap::new(), later: FuturesUnordered::new() }
    }
}

impl<K: Clone + Debug + Eq + Hash + Send + 'static> Queue<K> {
    fn push(&mut self, key: K) {
        let state = self.keys.entry(key.clone()).or_default();
        if !state.queued {
            state.queued = true;
            if !state.running {
                self.ready.push_back(key);
            }
        }
    }

    /// The next key to work on.
    fn take(&mut self) -> Option<K> {
        let key = self.ready.pop_front()?;
        let state = self.keys.entry(key.clone()).or_default();
        (state.queued, state.running) = (false, true);
        if let Some(pending) = state.pending.take() {
            pending.abort();
        }
        Some(key)
    }

    fn finish(&mut self, key: K, result: Result<Next<K>, Error>) {
        let state = self.keys.entry(key.clone()).or_default();
        state.running = false;
        match result {
            Ok(next) => {
                state.failures = 0;
                self.follow(&key, next);
            }
            Err(error) => self.fail(&key, &error),
        }
        self.settle(key);
    }

    fn follow(&mut self, key: &K, next: Next<K>) {
        match next {
            Next::Done => {}
            Next::Also(keys) => keys.into_iter().for_each(|key| self.push(key)),
            Next::When(due) => self.schedule(key, due),
        }
    }

    fn fail(&mut self, key: &K, error: &Error) {
        let state = self.keys.entry(key.clone()).or_default();
        state.failures += 1;
        let pause = FIRST_PAUSE.saturating_mul(1 << state.failures.min(20)).min(LONGEST_PAUSE);
        if state.failures == WORTH_A_WARNING {
            warn!(?key, failures = state.failures, error = %chain(error), "work fails and is repeated");
        } else {
            debug!(?key, failures = state.failures, error = %chain(error), "work failed and is repeated");
        }
        self.schedule(key, sleep(pause).boxed());
    }

    fn schedule(&mut self, key: &K, due: BoxFuture<'static, ()>) {
        let (due, handle) = abortable(due);
        let returned = key.clone();
        self.later.push(due.map(|result| result.is_ok().then_some(returned)).boxed());
        self.keys.entry(key.clone()).or_default().pending = Some(handle);
    }

    /// Queues a key again that came in while it was worked on, and forgets one that is done with.
    fn settle(&mut self, key: K) {
        let Some(state) = self.keys.get(&key) else { return };
        if state.queued && !self.ready.contains(&key) {
            self.ready.push_back(key);
        } else if !state.queued && state.pending.is_none() {
            self.keys.remove(&key);
        }
    }
}

/// An error with its causes.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use futures::{FutureExt, stream};
    use tokio::sync::watch;

    use super::{Next, run};
    use crate::Error;

    /// Runs until `wanted` calls were made and returns the keys in their order.
    async fn calls(keys: Vec<u8>, wanted: usize, answer: impl Fn(u8, usize) -> Result<Next<u8>, Error>) -> Vec<u8> {
        let made = Mutex::new(Vec::new());
        let (shutdown, ended) = watch::channel(false);
        let work = |key| {
            let mut made = made.lock().unwrap();
            made.push(key);
            if made.len() == wanted {
                shutdown.send_replace(true);
            }
            std::future::ready(answer(key, made.len()))
        };
        run(stream::iter(keys), work, ended).await;
        made.into_inner().unwrap()
    }

    #[tokio::test]
    async fn keys_are_worked_on_once() {
        assert_eq!(calls(vec![1, 2, 3], 3, |_, _| Ok(Next::Done)).await, [1, 2, 3]);
    }

    #[tokio::test]
    async fn failures_are_repeated() {
        let answer = |_, call| if call < 4 { Err(Error::Remains("test".to_owned())) } else { Ok(Next::Done) };
        assert_eq!(calls(vec![7], 4, answer).await, [7, 7, 7, 7]);
    }

    #[tokio::test]
    async fn more_keys_and_later_ones_follow() {
        let answer = |_, call| match call {
            1 => Ok(Next::Also(vec![8, 9])),
            2 => Ok(Next::When(std::future::ready(()).boxed())),
            _ => Ok(Next::Done),
        };
        assert_eq!(calls(vec![7], 4, answer).await, [7, 8, 9, 8]);
    }
}
