//! The front door from inside: who gets in, and what the generic verbs keep to.

use api::resources::Resource;
use auth::Identity;

use crate::testing::{Place, admin};

const SECRETS: &str = "/api/v1/namespaces/default/secrets";

/// Every path that a row has.
fn paths(row: &Resource) -> Vec<String> {
    let root = api::discovery::path(row.group, row.version);
    let root = if root.starts_with('/') { root } else { format!("/{root}") };
    let scope = if row.namespaced { "/namespaces/default" } else { "" };
    let collection = format!("{root}{scope}/{}", row.plural);
    let named = format!("{collection}/some");
    let below = row.subresources.iter().map(|sub| format!("{named}/{}", sub.name));
    let mut paths: Vec<String> = below.collect();
    paths.extend([format!("{root}/{}", row.plural), format!("{collection}?watch=1"), collection, named]);
    paths
}

#[tokio::test]
async fn nobody_gets_in_and_no_body_is_read() {
    let place = Place::new().await;
    let nobody = Identity::authenticated("nobody", Vec::new());
    for path in api::resources::all().iter().flat_map(|row| paths(row)) {
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"] {
            assert_eq!(place.code_unread(None, method, &path).await, (401, false), "{method} {path}");
            let answer = place.code_unread(Some(nobody.clone()), method, &path).await;
            assert_eq!(answer, (403, false), "{method} {path}");
        }
    }
    for path in ["/", "/metrics", "/api", "/apis", "/apis/apps", "/openapi/v2", "/openapi/v3/api/v1", "/none"] {
        assert_eq!(place.code_unread(None, "GET", path).await, (401, false), "{path}");
        assert_eq!(place.code_unread(Some(nobody.clone()), "GET", path).await, (403, false), "{path}");
    }
}

#[tokio::test]
async fn nobody_is_taken_for_another() {
    let place = Place::new().await;
    for header in ["Impersonate-User", "Impersonate-Group", "Impersonate-Uid"] {
        let request = http::Request::get(SECRETS).header(header, "jane").body(()).unwrap();
        let nothing = http_body_util::combinators::UnsyncBoxBody::default();
        let identity = Some(std::sync::Arc::new(admin()));
        let response = place.server.pipeline.handle(request.into_parts().0, nothing, identity).await;
        assert_eq!(response.status(), 403, "{header}");
    }
}

async fn secret(place: &Place, name: &str, labels: &str) {
    let body = format!(r#"{{"metadata":{{"name":"{name}","labels":{{{labels}}}}}}}"#);
    assert_eq!(place.ask("POST", SECRETS, &body).await.code, 201);
}

#[tokio::test]
async fn a_watch_begins_with_the_state_however_large() {
    let place = Place::new().await;
    let names: Vec<String> = (0..200).map(|number| format!("s-{number:03}")).collect();
    for name in &names {
        secret(&place, name, "").await;
    }
    let query = "watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=1";
    let events = place.watch(&format!("{SECRETS}?{query}"), 201).await;
    let mut wanted: Vec<String> = names.iter().map(|name| format!("ADDED {name}")).collect();
    wanted.push("BOOKMARK true".to_owned());
    assert_eq!(events, wanted);
}

#[tokio::test]
async fn a_watch_goes_on_from_the_log_and_then_the_window() {
    let place = Place::new().await;
    let from = place.ask("GET", SECRETS, "").await.body.text(&["metadata", "resourceVersion"]).to_owned();
    secret(&place, "a", r#""tier":"x""#).await;
    secret(&place, "b", r#""tier":"y""#).await;
    let moved = r#"{"metadata":{"labels":{"tier":"y"}}}"#;
    let (path, media) = (format!("{SECRETS}/a"), "application/merge-patch+json");
    assert_eq!(place.ask_as(Some(admin()), "PATCH", &path, media, moved).await.code, 200);
    assert_eq!(place.ask("DELETE", &format!("{SECRETS}/b"), "").await.code, 200);
    let place = place.again();
    secret(&place, "c", r#""tier":"x""#).await;
    let all = place.watch(&format!("{SECRETS}?watch=1&resourceVersion={from}"), 5).await;
    assert_eq!(all, ["ADDED a", "ADDED b", "MODIFIED a", "DELETED b", "ADDED c"]);
    let selected = place.watch(&format!("{SECRETS}?watch=1&resourceVersion={from}&labelSelector=tier%3Dx"), 3).await;
    assert_eq!(selected, ["ADDED a", "DELETED a", "ADDED c"]);
}

#[tokio::test]
async fn a_watch_without_initial_events_begins_now() {
    let place = Place::new().await;
    secret(&place, "before", "").await;
    let query = "watch=1&sendInitialEvents=false&resourceVersionMatch=NotOlderThan";
    let path = format!("{SECRETS}?{query}");
    let (events, ()) = tokio::join!(place.watch(&path, 1), secret(&place, "after", ""));
    assert_eq!(events, ["ADDED after"]);
}

#[tokio::test]
async fn a_watch_may_have_any_timeout_and_each_identity_some() {
    let place = Place::new().await;
    secret(&place, "a", "").await;
    let path = format!("{SECRETS}?watch=1&timeoutSeconds=9223372036854775807");
    assert_eq!(place.watch(&path, 1).await, ["ADDED a"]);
    let open = |place: &Place| {
        let (parts, ()) = http::Request::get(&path).body(()).unwrap().into_parts();
        let nothing = http_body_util::BodyExt::boxed_unsync(http_body_util::BodyExt::map_err(
            http_body_util::Empty::new(),
            |never| match never {},
        ));
        let pipeline = std::sync::Arc::clone(&place.server.pipeline);
        async move { pipeline.handle(parts, nothing, Some(std::sync::Arc::new(admin()))).await }
    };
    let held = [open(&place).await, open(&place).await, open(&place).await];
    assert_eq!(open(&place).await.status(), 429);
    drop(held);
    assert_eq!(open(&place).await.status(), 200);
}

#[tokio::test]
async fn an_address_is_given_to_one_service() {
    let place = Place::new().await;
    let create = |name: String, ip: &str| {
        let spec = format!(r#"{{"clusterIP":"{ip}","ports":[{{"port":80}}]}}"#);
        let body = format!(r#"{{"metadata":{{"name":"{name}"}},"spec":{spec}}}"#);
        let place = &place;
        async move { place.ask("POST", "/api/v1/namespaces/default/services", &body).await }
    };
    let same = (0..8).map(|number| create(format!("same-{number}"), "10.96.0.7"));
    let codes: Vec<u16> = futures::future::join_all(same).await.into_iter().map(|said| said.code).collect();
    assert_eq!(codes.iter().filter(|code| **code == 201).count(), 1, "{codes:?}");
    let any = (0..8).map(|number| create(format!("any-{number}"), ""));
    let answers = futures::future::join_all(any).await;
    let given: std::collections::BTreeSet<String> =
        answers.iter().map(|said| said.body.text(&["spec", "clusterIP"]).to_owned()).collect();
    assert_eq!(given.len(), 8, "{given:?}");
}

#[tokio::test]
async fn a_grace_period_may_be_any_number() {
    let place = Place::new().await;
    let accounts = "/api/v1/namespaces/default/serviceaccounts";
    assert_eq!(place.ask("POST", accounts, r#"{"metadata":{"name":"default"}}"#).await.code, 201);
    let pods = "/api/v1/namespaces/default/pods";
    let pod = r#"{"metadata":{"name":"p"},"spec":{"nodeName":"n","containers":[{"name":"c","image":"i"}]}}"#;
    let made = place.ask("POST", pods, pod).await;
    assert_eq!(made.code, 201, "{}", made.text);
    let path = format!("{pods}/p");
    let said = place.ask("DELETE", &path, r#"{"gracePeriodSeconds":9223372036854775807}"#).await;
    assert_eq!((said.code, said.body.text(&["metadata", "deletionTimestamp"])), (200, "9999-12-30T22:00:00Z"));
    let said = place.ask("DELETE", &path, r#"{"gracePeriodSeconds":-9223372036854775808}"#).await;
    assert_eq!(said.code, 200, "{}", said.text);
}

/// Puts bytes under a key behind the server's back.
async fn put(place: &Place, key: &str, bytes: &str) {
    let mutation = storage::Mutation::Put(bytes.to_owned().into(), None);
    let write = storage::Write { key: key.into(), expect: storage::Expect::Absent, mutation };
    place.store.commit(write).await.unwrap();
}

#[tokio::test]
async fn what_cannot_be_read_is_not_taken_for_gone() {
    let place = Place::new().await;
    secret(&place, "good", "").await;
    put(&place, "/registry/secrets/default/bad", "no object").await;
    let bad = format!("{SECRETS}/bad");

    let list = place.ask("GET", SECRETS, "").await;
    assert_eq!((list.code, list.body.list(&["items"]).len()), (200, 1));
    let warning = list.headers.get("warning").unwrap().to_str().unwrap();
    assert!(warning.contains("secrets/default/bad"), "{warning}");
    for path in [&format!("{SECRETS}?resourceVersion=0"), &format!("{SECRETS}?watch=1"), &bad] {
        let said = place.ask("GET", path, "").await;
        assert!(said.code == 500 && said.text.contains("bad"), "{path} {}", said.text);
    }
    let object = r#"{"metadata":{"name":"bad"}}"#;
    assert_eq!(place.ask("POST", SECRETS, object).await.code, 409);
    assert_eq!(place.ask("PUT", &bad, object).await.code, 500);
    assert_eq!(place.ask("DELETE", &bad, "").await.code, 500);
    let all = place.ask("DELETE", SECRETS, "").await;
    assert!(all.code == 500 && all.text.contains("secrets/default/bad"), "{}", all.text);

    let option = "ignoreStoreReadErrorWithClusterBreakingPotential";
    let unsafely = format!(r#"{{"{option}":true}}"#);
    let with_more = format!(r#"{{"{option}":true,"gracePeriodSeconds":0}}"#);
    assert_eq!(place.ask("DELETE", &bad, &with_more).await.code, 422);
    secret(&place, "healthy", "").await;
    assert_eq!(place.ask("DELETE", &format!("{SECRETS}/healthy"), &unsafely).await.code, 422);
    let said = place.ask("DELETE", &bad, &unsafely).await;
    assert_eq!((said.code, said.body.text(&["status"])), (200, "Success"), "{}", said.text);
    assert_eq!(place.ask("GET", &bad, "").await.code, 404);
    assert_eq!(place.ask("GET", SECRETS, "").await.headers.get("warning"), None);
}

#[tokio::test]
async fn events_keep_their_age_across_restarts() {
    let place = Place::new().await;
    let object = |name: &str, created: &str| {
        let metadata = format!(
            r#"{{"name":"{name}","namespace":"default","uid":"00000000-0000-4000-8000-000000000000","creationTimestamp":"{created}"}}"#
        );
        format!(
            r#"{{"kind":"Event","apiVersion":"v1","metadata":{metadata},"involvedObject":{{}},"source":{{}},"lastTimestamp":"2999-01-01T00:00:00Z"}}"#
        )
    };
    put(&place, "/registry/events/default/old", &object("old", "2020-01-01T00:00:00Z")).await;
    let place = place.again();
    put(&place, "/registry/events/default/new", &object("new", "2020-01-01T00:00:00Z")).await;
    let registry = &place.server.pipeline.registry;
    assert_eq!(registry.expire_events(std::time::Duration::from_secs(3600)).await, 1);
    let left = place.ask("GET", "/api/v1/events", "").await;
    let names: Vec<&str> = left.body.list(&["items"]).iter().map(|event| event.text(&["metadata", "name"])).collect();
    assert_eq!(names, ["new"]);
}

#[tokio::test]
async fn openapi_documents_are_kept_by_their_hash() {
    let place = Place::new().await;
    let index = place.ask("GET", "/openapi/v3", "").await;
    let link = index.body.text(&["paths", "api/v1", "serverRelativeURL"]).to_owned();
    let document = place.ask("GET", &link, "").await;
    assert_eq!((document.code, &document.headers["cache-control"]), (200, &"public, immutable".parse().unwrap()));
    let old = place.ask("GET", "/openapi/v3/api/v1?hash=OLD", "").await;
    assert_eq!((old.code, &old.headers["location"]), (301, &link.parse().unwrap()));
}
