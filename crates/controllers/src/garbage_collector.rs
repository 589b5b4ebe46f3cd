//! Garbage collection by owner references: `pkg/controller/garbagecollector`.
//!
//! Unlike Kubernetes' own, the graph holds only objects that have owners or wait for their dependents, so that a
//! store full of objects that own nothing costs nothing here. What that leaves unknown is asked of the server
//! when it matters: every decision is made on live objects.

mod collect;
mod graph;

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::stream::{self, BoxStream};
use futures::{FutureExt, Stream, StreamExt, future};
use kube::discovery::verbs;
use kube::runtime::watcher::Event;
use kube::runtime::{WatchStreamExt, watcher};
use tokio::sync::watch;
use tracing::warn;

use crate::meta::Meta;
use crate::objects::{Kind, Objects};
use crate::work::{self, chain};
use collect::Collector;
use graph::{Graph, Key, Uid, lock};

/// How long to wait before the kinds are asked for again.
const PAUSE: Duration = Duration::from_secs(1);
/// How long changes gather while there are many.
const BETWEEN_BURSTS: Duration = Duration::from_millis(50);

/// Collects until cancelled.
pub(crate) async fn run(objects: Objects, shutdown: watch::Receiver<bool>) {
    let kinds = tokio::select! {
        kinds = discover(&objects) => kinds,
        () = work::ended(shutdown.clone()) => return,
    };
    let kinds: Arc<[Kind]> = kinds.into();
    let graph = Arc::new(Mutex::new(Graph::default()));
    let keys = keys(in_bursts(watch_all(&objects, &kinds)), Arc::clone(&kinds), Arc::clone(&graph));
    let collector = Arc::new(Collector::new(objects, kinds, graph));
    work::run(keys, |key| Arc::clone(&collector).work(key), shutdown).await;
}

/// The kinds whose objects can own and be owned.
async fn discover(objects: &Objects) -> Vec<Kind> {
    loop {
        match objects.kinds().await {
            Ok(mut kinds) => {
                kinds.retain(|kind| kind.has(verbs::WATCH) && !kind.is_event());
                return kinds;
            }
            Err(error) => warn!(error = %chain(&error), "cannot tell what to watch; trying again"),
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Everything that happens to objects of these kinds, with the place of the kind in the list.
fn watch_all(objects: &Objects, kinds: &[Kind]) -> impl Stream<Item = (usize, Event<Meta>)> + use<> {
    let watches = kinds.iter().enumerate().map(|(place, kind)| -> BoxStream<'static, _> {
        let events = watcher(objects.api(kind, None), watcher::Config::default()).default_backoff();
        events.filter_map(move |event| future::ready(event.ok().map(|event| (place, event)))).boxed()
    });
    stream::select_all(watches)
}

/// The stream, read in bursts: what comes close together is taken together, because to wake up for each change of a
/// busy server would cost more than the change itself. While nothing comes, nothing runs.
fn in_bursts<T>(events: impl Stream<Item = T>) -> impl Stream<Item = T> {
    stream::unfold((Box::pin(events), false), |(mut events, in_burst)| async move {
        if in_burst {
            if let Some(event) = events.next().now_or_never() {
                return event.map(|event| (event, (events, true)));
            }
            tokio::time::sleep(BETWEEN_BURSTS).await;
        }
        events.next().await.map(|event| (event, (events, true)))
    })
}

/// What has to be looked at, as objects change.
fn keys(
    events: impl Stream<Item = (usize, Event<Meta>)>,
    kinds: Arc<[Kind]>,
    graph: Arc<Mutex<Graph>>,
) -> impl Stream<Item = Key> {
    // What a new list of each kind has not shown yet, while it comes in.
    let mut unseen = vec![HashSet::new(); kinds.len()];
    events.flat_map(move |(place, event)| {
        let affected = match (kinds.get(place), unseen.get_mut(place)) {
            (Some(kind), Some(unseen)) => observe(&mut lock(&graph), (place, kind), unseen, event),
            _ => Vec::new(),
        };
        stream::iter(affected)
    })
}

fn observe(
    graph: &mut Graph,
    (place, kind): (usize, &Kind),
    unseen: &mut HashSet<Uid>,
    event: Event<Meta>,
) -> Vec<Key> {
    match event {
        Event::Init => {
            *unseen = graph.of_kind(place);
            Vec::new()
        }
        Event::InitApply(object) => {
            if let Some(uid) = &object.metadata.uid {
                unseen.remove(uid);
            }
            graph.apply(place, &object)
        }
        Event::Apply(object) => graph.apply(place, &object),
        Event::Delete(object) => object.metadata.uid.map(|uid| graph.remove(&uid)).unwrap_or_default(),
        // What a whole list did not show is gone. So may be owners that the graph does not hold: their dependents
        // are looked at again.
        Event::InitDone => {
            let mut keys: Vec<_> = unseen.drain().flat_map(|uid| graph.remove(&uid)).collect();
            keys.extend(graph.owned_by(&kind.resource.api_version, &kind.resource.kind));
            keys
        }
    }
}
