//! The end of namespaces: `pkg/controller/namespace/deletion/namespaced_resources_deleter.go`.
//!
//! A namespace that is being deleted is emptied, pods first; then the finalizer `kubernetes` is taken from its
//! spec, and the server lets it go. What holds it up is written into its conditions.

mod conditions;
mod content;

use futures::{FutureExt, Stream, StreamExt, future};
use k8s_openapi::api::core::v1::Namespace;
use kube::ResourceExt;
use kube::api::{Api, PartialObjectMeta, PostParams};
use kube::runtime::watcher::Event;
use kube::runtime::{WatchStreamExt, watcher};
use tokio::sync::watch;
use tracing::info;

use crate::Error;
use crate::objects::{Objects, until_one_is_gone};
use crate::work::{self, Next};
use content::Content;

/// What holds a namespace until it is empty.
const FINALIZER: &str = "kubernetes";

/// Empties namespaces until cancelled.
pub(crate) async fn run(objects: Objects, shutdown: watch::Receiver<bool>) {
    work::run(deleted(&objects), |name| empty(objects.clone(), name), shutdown).await;
}

/// The names of namespaces that are being deleted, at every change.
fn deleted(objects: &Objects) -> impl Stream<Item = String> + use<> {
    let api = Api::<PartialObjectMeta<Namespace>>::all(objects.client.clone());
    watcher(api, watcher::Config::default()).default_backoff().filter_map(|event| {
        future::ready(match event {
            Ok(Event::Apply(namespace) | Event::InitApply(namespace)) => {
                namespace.metadata.deletion_timestamp.is_some().then(|| namespace.name_any())
            }
            _ => None,
        })
    })
}

/// Goes on with the deletion of a namespace as far as that is possible now.
async fn empty(objects: Objects, name: String) -> Result<Next<String>, Error> {
    let api = Api::<Namespace>::all(objects.client.clone());
    let Some(mut namespace) = api.get_opt(&name).await.map_err(|error| failed("get", &name, error))? else {
        return Ok(Next::Done);
    };
    if namespace.metadata.deletion_timestamp.is_none() || !is_held(&namespace) {
        return Ok(Next::Done);
    }
    let content = content::delete(&objects, &name).await;
    if conditions::update(namespace.status.get_or_insert_default(), &content) {
        let params = PostParams { field_manager: Some(objects.manager().to_owned()), ..PostParams::default() };
        let updated = api.replace_status(&name, &params, &namespace).await;
        namespace = updated.map_err(|error| failed("update the status of", &name, error))?;
    }
    if let Some(problem) = content.problem() {
        return Err(Error::Remains(problem));
    }
    if content.is_empty() {
        finalize(&api, namespace).await?;
        info!(namespace = %name, "namespace emptied");
        return Ok(Next::Done);
    }
    wait(&objects, &name, content).await
}

fn is_held(namespace: &Namespace) -> bool {
    let finalizers = namespace.spec.iter().filter_map(|spec| spec.finalizers.as_ref()).flatten();
    finalizers.into_iter().any(|finalizer| finalizer == FINALIZER)
}

/// Comes back when one of the objects that are left is gone.
async fn wait(objects: &Objects, name: &str, content: Content) -> Result<Next<String>, Error> {
    let mut watches = Vec::new();
    for left in content.into_left() {
        watches.push(objects.watch(&left.kind, Some(name), &left.revision).await?);
    }
    Ok(Next::When(until_one_is_gone(watches).boxed()))
}

async fn finalize(api: &Api<Namespace>, mut namespace: Namespace) -> Result<(), Error> {
    let name = namespace.name_any();
    if let Some(finalizers) = namespace.spec.as_mut().and_then(|spec| spec.finalizers.as_mut()) {
        finalizers.retain(|finalizer| finalizer != FINALIZER);
    }
    match api.replace_subresource("finalize", &name, &PostParams::default(), &namespace).await {
        Err(kube::Error::Api(status)) if status.is_not_found() => Ok(()),
        result => result.map(drop).map_err(|error| failed("finalize", &name, error)),
    }
}

fn failed(doing: &str, name: &str, error: kube::Error) -> Error {
    Error::api(format!("{doing} namespace {name}"), error)
}
