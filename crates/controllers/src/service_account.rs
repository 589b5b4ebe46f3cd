//! The default service account of each namespace: `pkg/controller/serviceaccount/serviceaccounts_controller.go`.

use std::collections::BTreeSet;

use futures::{Stream, StreamExt, future, stream};
use k8s_openapi::api::core::v1::{Namespace, ServiceAccount};
use kube::api::{Api, ObjectMeta, PartialObjectMeta, PostParams};
use kube::runtime::watcher::Event;
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Client, ResourceExt};
use tokio::sync::watch;
use tracing::debug;

use crate::Error;
use crate::objects::Objects;
use crate::work::{self, Next};

/// The name of the account.
const NAME: &str = "default";

/// Something that was seen.
enum Seen {
    Namespace(Event<PartialObjectMeta<Namespace>>),
    Account(Event<PartialObjectMeta<ServiceAccount>>),
}

/// Makes missing accounts until cancelled.
pub(crate) async fn run(objects: Objects, shutdown: watch::Receiver<bool>) {
    let client = objects.client;
    work::run(namespaces(&client), |namespace| create(client.clone(), namespace), shutdown).await;
}

/// The namespaces that may lack their account.
fn namespaces(client: &Client) -> impl Stream<Item = String> {
    let namespaces = watcher(Api::<PartialObjectMeta<Namespace>>::all(client.clone()), watcher::Config::default());
    let named = watcher::Config::default().fields(&format!("metadata.name={NAME}"));
    let accounts = watcher(Api::<PartialObjectMeta<ServiceAccount>>::all(client.clone()), named);
    let namespaces = namespaces.default_backoff().filter_map(|event| future::ready(event.ok().map(Seen::Namespace)));
    let accounts = accounts.default_backoff().filter_map(|event| future::ready(event.ok().map(Seen::Account)));
    let mut alive = BTreeSet::new();
    stream::select(namespaces.boxed(), accounts.boxed()).flat_map(move |seen| stream::iter(affected(&mut alive, seen)))
}

/// The namespaces to look at after this was seen. `alive` holds those that are not being deleted.
fn affected(alive: &mut BTreeSet<String>, seen: Seen) -> Vec<String> {
    match seen {
        Seen::Namespace(Event::Apply(namespace) | Event::InitApply(namespace)) => {
            let name = namespace.name_any();
            if namespace.metadata.deletion_timestamp.is_some() {
                alive.remove(&name);
                return Vec::new();
            }
            if alive.insert(name.clone()) { vec![name] } else { Vec::new() }
        }
        Seen::Namespace(Event::Delete(namespace)) => {
            alive.remove(&namespace.name_any());
            Vec::new()
        }
        Seen::Account(Event::Delete(account)) => {
            account.namespace().filter(|namespace| alive.contains(namespace)).into_iter().collect()
        }
        // Deletions may have been missed before a list: all accounts are looked for.
        Seen::Account(Event::InitDone) => alive.iter().cloned().collect(),
        Seen::Namespace(Event::Init | Event::InitDone) | Seen::Account(_) => Vec::new(),
    }
}

async fn create(client: Client, namespace: String) -> Result<Next<String>, Error> {
    let api = Api::<ServiceAccount>::namespaced(client, &namespace);
    let metadata = ObjectMeta { name: Some(NAME.to_owned()), ..ObjectMeta::default() };
    let account = ServiceAccount { metadata, ..ServiceAccount::default() };
    match api.create(&PostParams::default(), &account).await {
        Ok(_) => debug!(%namespace, "default service account created"),
        Err(kube::Error::Api(status))
            if status.is_already_exists() || status.is_not_found() || is_terminating(&status) => {}
        Err(error) => return Err(Error::api(format!("create the default service account of {namespace}"), error)),
    }
    Ok(Next::Done)
}

/// Whether the namespace is being deleted (`errors.HasStatusCause(err, v1.NamespaceTerminatingCause)`).
fn is_terminating(status: &kube::core::Status) -> bool {
    let causes = status.details.iter().flat_map(|details| &details.causes);
    causes.into_iter().any(|cause| cause.reason == "NamespaceTerminating")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use kube::api::{ObjectMeta, PartialObjectMetaExt};
    use kube::runtime::watcher::Event;

    use super::{Seen, affected};

    fn meta(name: &str, namespace: Option<&str>) -> ObjectMeta {
        ObjectMeta { name: Some(name.to_owned()), namespace: namespace.map(str::to_owned), ..ObjectMeta::default() }
    }

    #[test]
    fn new_namespaces_and_lost_accounts_are_looked_at() {
        let mut alive = BTreeSet::new();
        let mut check = |seen, wanted: &[&str]| assert_eq!(affected(&mut alive, seen), wanted);
        let namespace = |name| meta(name, None).into_response_partial();
        check(Seen::Namespace(Event::InitApply(namespace("a"))), &["a"]);
        check(Seen::Namespace(Event::Apply(namespace("b"))), &["b"]);
        check(Seen::Namespace(Event::Apply(namespace("b"))), &[]);
        check(Seen::Account(Event::InitDone), &["a", "b"]);
        check(Seen::Namespace(Event::Delete(namespace("b"))), &[]);
        check(Seen::Account(Event::Delete(meta("default", Some("a")).into_response_partial())), &["a"]);
        check(Seen::Account(Event::Delete(meta("default", Some("b")).into_response_partial())), &[]);
    }
}
