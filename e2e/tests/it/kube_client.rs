//! kube-rs: every verb, and informers of both kinds.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Context as _;
use e2e::Server;
use futures::{StreamExt as _, TryStreamExt as _};
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kube::api::{
    DeleteParams, ListParams, ObjectMeta, Patch, PatchParams, PostParams, Preconditions, WatchEvent, WatchParams,
};
use kube::runtime::{WatchStreamExt as _, reflector, watcher};
use kube::{Api, ResourceExt as _};
use serde_json::json;

const LIMIT: Duration = Duration::from_secs(60);

#[tokio::test]
async fn every_verb() -> anyhow::Result<()> {
    let server = Server::start().await?;
    let secrets: Api<Secret> = Api::namespaced(server.kube().await?, "default");
    let post = PostParams::default();

    let created = secrets.create(&post, &secret("one", "1")).await?;
    assert_eq!(created.type_.as_deref(), Some("Opaque"));
    assert_eq!(secrets.get("one").await?, created);
    assert_eq!(secrets.get_metadata("one").await?.metadata.uid, created.metadata.uid);
    let again = secrets.create(&post, &secret("one", "1")).await;
    assert_eq!(reason(again), "AlreadyExists");
    assert_eq!(reason(secrets.get("none").await), "NotFound");

    let mut changed = created.clone();
    changed.data = data("2");
    let replaced = secrets.replace("one", &post, &changed).await?;
    assert_ne!(replaced.resource_version(), created.resource_version());
    assert_eq!(reason(secrets.replace("one", &post, &changed).await), "Conflict");

    let merge = Patch::Merge(json!({"metadata": {"labels": {"a": "b"}}}));
    let merged = secrets.patch("one", &PatchParams::default(), &merge).await?;
    assert_eq!(merged.labels().get("a").map(String::as_str), Some("b"));
    let strategic = Patch::Strategic(json!({"metadata": {"annotations": {"c": "d"}}}));
    assert_eq!(secrets.patch("one", &PatchParams::default(), &strategic).await?.annotations().len(), 1);
    let applied =
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "one"}, "stringData": {"applied": "x"}});
    let apply = PatchParams::apply("kube-test").force();
    let applied = secrets.patch("one", &apply, &Patch::Apply(applied)).await?;
    assert!(applied.managed_fields().iter().any(|entry| entry.manager.as_deref() == Some("kube-test")));

    let list = secrets.list(&ListParams::default().labels("a=b")).await?;
    assert_eq!(list.items.iter().map(kube::ResourceExt::name_any).collect::<Vec<_>>(), ["one"]);
    let dry = DeleteParams::default().dry_run();
    secrets.delete("one", &dry).await?;
    let wrong = Preconditions { uid: Some("00000000-0000-4000-8000-000000000000".to_owned()), resource_version: None };
    assert_eq!(reason(secrets.delete("one", &DeleteParams::default().preconditions(wrong)).await), "Conflict");
    secrets.delete("one", &DeleteParams::default()).await?;
    assert!(secrets.get_opt("one").await?.is_none());
    Ok(())
}

#[tokio::test]
async fn pages_are_one_snapshot() -> anyhow::Result<()> {
    let server = Server::start().await?;
    let secrets: Api<Secret> = Api::namespaced(server.kube().await?, "default");
    for number in 0..7 {
        secrets.create(&PostParams::default(), &secret(&format!("page-{number}"), "x")).await?;
    }
    let mut names = Vec::new();
    let mut params = ListParams::default().limit(3);
    loop {
        let page = secrets.list(&params).await?;
        names.extend(page.items.iter().map(kube::ResourceExt::name_any));
        let Some(token) = page.metadata.continue_.filter(|token| !token.is_empty()) else { break };
        // What comes later is not part of the list.
        secrets.create(&PostParams::default(), &secret(&format!("page-9{}", names.len()), "x")).await?;
        params = params.continue_token(&token);
    }
    assert_eq!(names, (0..7).map(|number| format!("page-{number}")).collect::<Vec<_>>());
    secrets.delete_collection(&DeleteParams::default(), &ListParams::default()).await?;
    assert!(secrets.list(&ListParams::default()).await?.items.is_empty());
    Ok(())
}

#[tokio::test]
async fn a_watch_tells_of_every_change() -> anyhow::Result<()> {
    let server = Server::start().await?;
    let secrets: Api<Secret> = Api::namespaced(server.kube().await?, "default");
    let version = secrets.list(&ListParams::default()).await?.metadata.resource_version.context("a version")?;
    let mut events = secrets.watch(&WatchParams::default().labels("watched=yes"), &version).await?.boxed();
    let mut labelled = secret("watched", "1");
    labelled.metadata.labels = Some(BTreeMap::from([("watched".to_owned(), "yes".to_owned())]));
    secrets.create(&PostParams::default(), &labelled).await?;
    let label = |value: &str| Patch::Merge(json!({"metadata": {"labels": {"watched": value}}}));
    for value in ["no", "yes"] {
        secrets.patch("watched", &PatchParams::default(), &label(value)).await?;
    }
    secrets.patch("watched", &PatchParams::default(), &Patch::Merge(json!({"stringData": {"a": "2"}}))).await?;
    secrets.delete("watched", &DeleteParams::default()).await?;
    let mut seen = Vec::new();
    while seen.len() < 5 {
        let event = tokio::time::timeout(LIMIT, events.try_next()).await??.context("the watch ended")?;
        match event {
            WatchEvent::Added(_) => seen.push("added"),
            WatchEvent::Modified(_) => seen.push("modified"),
            WatchEvent::Deleted(_) => seen.push("deleted"),
            WatchEvent::Bookmark(_) => {}
            WatchEvent::Error(error) => anyhow::bail!("{error:?}"),
        }
    }
    assert_eq!(seen, ["added", "deleted", "added", "modified", "deleted"]);
    Ok(())
}

#[tokio::test]
async fn an_informer_lists_and_watches() -> anyhow::Result<()> {
    informer(watcher::Config::default()).await
}

#[tokio::test]
async fn an_informer_streams_its_list() -> anyhow::Result<()> {
    informer(watcher::Config::default().streaming_lists()).await
}

/// A reflector holds what was there, what comes and what goes.
async fn informer(config: watcher::Config) -> anyhow::Result<()> {
    let server = Server::start().await?;
    let maps: Api<ConfigMap> = Api::namespaced(server.kube().await?, "default");
    for name in ["a", "b"] {
        maps.create(&PostParams::default(), &map(name, "1")).await?;
    }
    let (store, writer) = reflector::store::<ConfigMap>();
    let events = reflector(writer, watcher(maps.clone(), config)).applied_objects();
    let running = tokio::spawn(events.try_for_each(|_| async { Ok(()) }));
    tokio::time::timeout(LIMIT, store.wait_until_ready()).await??;
    let names = || {
        let mut names: Vec<_> =
            store.state().iter().map(|map| map.name_any()).filter(|name| name != "kube-root-ca.crt").collect();
        names.sort();
        names
    };
    assert_eq!(names(), ["a", "b"]);
    maps.create(&PostParams::default(), &map("c", "1")).await?;
    maps.replace("b", &PostParams::default(), &map("b", "2")).await?;
    maps.delete("a", &DeleteParams::default()).await?;
    let caught_up = || names() == ["b", "c"] && store.state().iter().any(|map| value(map) == Some("2"));
    let waiting = async {
        while !caught_up() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(LIMIT, waiting).await.with_context(|| format!("the store holds {:?}", names()))?;
    running.abort();
    Ok(())
}

fn secret(name: &str, value: &str) -> Secret {
    Secret { metadata: metadata(name), data: data(value), ..Secret::default() }
}

fn data(value: &str) -> Option<BTreeMap<String, ByteString>> {
    Some(BTreeMap::from([("value".to_owned(), ByteString(value.into()))]))
}

fn map(name: &str, value: &str) -> ConfigMap {
    let data = BTreeMap::from([("value".to_owned(), value.to_owned())]);
    ConfigMap { metadata: metadata(name), data: Some(data), ..ConfigMap::default() }
}

fn value(map: &ConfigMap) -> Option<&str> {
    map.data.as_ref()?.get("value").map(String::as_str)
}

fn metadata(name: &str) -> ObjectMeta {
    ObjectMeta { name: Some(name.to_owned()), ..ObjectMeta::default() }
}

/// The reason of the Status with which a request was refused.
fn reason<T>(result: kube::Result<T>) -> String {
    match result {
        Err(kube::Error::Api(status)) => status.reason.clone(),
        Err(error) => format!("another error: {error}"),
        Ok(_) => "it was accepted".to_owned(),
    }
}
