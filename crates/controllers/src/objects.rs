//! The API as controllers use it: metadata only, so that no value of a Secret passes through them.

use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use http::HeaderValue;
use http::header::ACCEPT;
use kube::api::{
    Api, DeleteParams, ListParams, ObjectList, Patch, PatchParams, Preconditions, WatchEvent, WatchParams,
};
use kube::core::Request;
use kube::discovery::{ApiResource, Discovery, Scope, verbs};
use kube::{Client, ResourceExt};
use serde_json::Value;

use crate::Error;
use crate::meta::Meta;

/// Objects in one page of a list.
const PAGE: u32 = 500;
const ONE: &str = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json";
const MANY: &str = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json";

/// A kind that the server has.
#[derive(Debug, Clone)]
pub(crate) struct Kind {
    pub(crate) resource: ApiResource,
    pub(crate) namespaced: bool,
    verbs: Vec<String>,
}

impl Kind {
    /// Whether the kind has this verb.
    pub(crate) fn has(&self, verb: &str) -> bool {
        self.verbs.iter().any(|one| one == verb)
    }

    /// Events come and go by themselves and own nothing.
    pub(crate) fn is_event(&self) -> bool {
        self.resource.kind == "Event"
    }
}

/// The API with one controller's identity.
#[derive(Clone)]
pub(crate) struct Objects {
    pub(crate) client: Client,
    manager: &'static str,
}

impl Objects {
    pub(crate) fn new(client: Client, manager: &'static str) -> Self {
        Self { client, manager }
    }

    /// The name under which changes are made.
    pub(crate) fn manager(&self) -> &'static str {
        self.manager
    }

    /// Every kind whose objects can be listed and deleted, in one version each.
    pub(crate) async fn kinds(&self) -> Result<Vec<Kind>, Error> {
        let found = Discovery::new(self.client.clone()).run_aggregated().await.map_err(Error::Discover)?;
        let resources = found.groups_alphabetical().into_iter().flat_map(|group| group.recommended_resources());
        let kinds = resources.map(|(resource, capabilities)| Kind {
            resource,
            namespaced: matches!(capabilities.scope, Scope::Namespaced),
            verbs: capabilities.operations,
        });
        Ok(kinds.filter(|kind| kind.has(verbs::LIST) && kind.has(verbs::DELETE)).collect())
    }

    /// The objects of a kind, in one namespace or in all.
    pub(crate) fn api(&self, kind: &Kind, namespace: Option<&str>) -> Api<Meta> {
        match namespace.filter(|_| kind.namespaced) {
            Some(namespace) => Api::namespaced_with(self.client.clone(), namespace, &kind.resource),
            None => Api::all_with(self.client.clone(), &kind.resource),
        }
    }

    /// The object of this name.
    pub(crate) async fn get(&self, kind: &Kind, namespace: Option<&str>, name: &str) -> Result<Option<Meta>, Error> {
        let found = self.api(kind, namespace).get_opt(name).await;
        found.map_err(|error| Error::api(format!("get {} {name}", kind.resource.plural), error))
    }

    /// All objects of a kind, and the revision of the list.
    pub(crate) async fn list(&self, kind: &Kind, namespace: Option<&str>) -> Result<(Vec<Meta>, String), Error> {
        let api = self.api(kind, namespace);
        let mut page = ListParams::default().limit(PAGE);
        let mut objects = Vec::new();
        loop {
            let list =
                api.list(&page).await.map_err(|error| Error::api(format!("list {}", kind.resource.plural), error))?;
            objects.extend(list.items);
            match list.metadata.continue_.filter(|token| !token.is_empty()) {
                Some(token) => page = page.continue_token(&token),
                None => return Ok((objects, list.metadata.resource_version.unwrap_or_default())),
            }
        }
    }

    /// The changes of a kind in a namespace after a revision, until the server ends the watch.
    pub(crate) async fn watch(
        &self,
        kind: &Kind,
        namespace: Option<&str>,
        revision: &str,
    ) -> Result<BoxStream<'static, Result<WatchEvent<Meta>, kube::Error>>, Error> {
        let stream = self.api(kind, namespace).watch(&WatchParams::default(), revision).await;
        stream.map(StreamExt::boxed).map_err(|error| Error::api(format!("watch {}", kind.resource.plural), error))
    }

    /// Deletes an object if it is still the one that was seen; one that is gone is deleted already.
    pub(crate) async fn delete(&self, kind: &Kind, seen: &Meta, mut params: DeleteParams) -> Result<(), Error> {
        params.preconditions = Some(Preconditions {
            uid: seen.metadata.uid.clone(),
            resource_version: seen.metadata.resource_version.clone(),
        });
        let (namespace, name) = (seen.namespace(), seen.name_any());
        let url = self.api(kind, namespace.as_deref()).resource_url().to_owned();
        let doing = || format!("delete {} {name}", kind.resource.plural);
        let request = Request::new(url).delete(&name, &params).map_err(|error| Error::request(doing(), error))?;
        match self.client.request_status::<Meta>(accepting(request, ONE)).await {
            Err(kube::Error::Api(status)) if status.is_not_found() => Ok(()),
            result => result.map(drop).map_err(|error| Error::api(doing(), error)),
        }
    }

    /// Deletes all objects of a kind in a namespace; their dependents follow in the background.
    pub(crate) async fn delete_all(&self, kind: &Kind, namespace: &str) -> Result<(), Error> {
        let url = self.api(kind, Some(namespace)).resource_url().to_owned();
        let doing = || format!("delete all {}", kind.resource.plural);
        let request = Request::new(url).delete_collection(&DeleteParams::background(), &ListParams::default());
        let request = accepting(request.map_err(|error| Error::request(doing(), error))?, MANY);
        let result = self.client.request_status::<ObjectList<Meta>>(request).await;
        result.map(drop).map_err(|error| Error::api(doing(), error))
    }

    /// Changes an object; one that is gone needs no change.
    pub(crate) async fn patch(&self, kind: &Kind, seen: &Meta, patch: Patch<Value>) -> Result<(), Error> {
        let name = seen.name_any();
        let params = PatchParams { field_manager: Some(self.manager.to_owned()), ..PatchParams::default() };
        match self.api(kind, seen.namespace().as_deref()).patch(&name, &params, &patch).await {
            Err(kube::Error::Api(status)) if status.is_not_found() => Ok(()),
            result => {
                result.map(drop).map_err(|error| Error::api(format!("patch {} {name}", kind.resource.plural), error))
            }
        }
    }
}

/// The request, answered with metadata where the server can.
fn accepting(mut request: http::Request<Vec<u8>>, media: &'static str) -> http::Request<Vec<u8>> {
    request.headers_mut().insert(ACCEPT, HeaderValue::from_static(media));
    request
}

/// Waits until an object is gone from one of the watched kinds, or a watch ends.
pub(crate) async fn until_one_is_gone(watches: Vec<BoxStream<'static, Result<WatchEvent<Meta>, kube::Error>>>) {
    let mut events =
        futures::stream::select_all(watches.into_iter().map(|watch| watch.map_ok(Some).chain(ended()).boxed()));
    while let Some(Ok(Some(event))) = events.next().await {
        if matches!(event, WatchEvent::Deleted(_) | WatchEvent::Error(_)) {
            return;
        }
    }
}

/// Marks the end of a watch.
fn ended() -> impl futures::Stream<Item = Result<Option<WatchEvent<Meta>>, kube::Error>> {
    futures::stream::once(std::future::ready(Ok(None)))
}
