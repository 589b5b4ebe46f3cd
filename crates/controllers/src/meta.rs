//! The metadata of an object of any kind.

use std::borrow::Cow;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{OwnerReference, Time};
use kube::Resource;
use kube::api::ObjectMeta;
use kube::core::DynamicResourceScope;
use kube::discovery::ApiResource;
use serde::Deserialize;

/// The metadata of an object, asked of the server as `PartialObjectMetadata`. What no controller reads (labels,
/// annotations, managed fields) is skipped unread: garbage collection sees every change of every object.
#[derive(Debug, Clone, Deserialize)]
#[serde(from = "Answer")]
pub(crate) struct Meta {
    pub(crate) metadata: ObjectMeta,
}

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    metadata: Fields,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Fields {
    name: Option<String>,
    namespace: Option<String>,
    uid: Option<String>,
    resource_version: Option<String>,
    owner_references: Option<Vec<OwnerReference>>,
    finalizers: Option<Vec<String>>,
    deletion_timestamp: Option<Time>,
    deletion_grace_period_seconds: Option<i64>,
}

impl From<Answer> for Meta {
    fn from(answer: Answer) -> Self {
        let found = answer.metadata;
        let metadata = ObjectMeta {
            name: found.name,
            namespace: found.namespace,
            uid: found.uid,
            resource_version: found.resource_version,
            owner_references: found.owner_references,
            finalizers: found.finalizers,
            deletion_timestamp: found.deletion_timestamp,
            deletion_grace_period_seconds: found.deletion_grace_period_seconds,
            ..ObjectMeta::default()
        };
        Self { metadata }
    }
}

impl Resource for Meta {
    type DynamicType = ApiResource;
    type Scope = DynamicResourceScope;

    fn metadata_api() -> bool {
        true
    }

    fn kind(kind: &ApiResource) -> Cow<'_, str> {
        kind.kind.as_str().into()
    }

    fn group(kind: &ApiResource) -> Cow<'_, str> {
        kind.group.as_str().into()
    }

    fn version(kind: &ApiResource) -> Cow<'_, str> {
        kind.version.as_str().into()
    }

    fn plural(kind: &ApiResource) -> Cow<'_, str> {
        kind.plural.as_str().into()
    }

    fn meta(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.metadata
    }
}

#[cfg(test)]
mod tests {
    use kube::ResourceExt;
    use kube::api::WatchEvent;

    use super::Meta;

    #[test]
    fn what_matters_is_read() {
        let event = r#"{"type":"ADDED","object":{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/v1","metadata":{
            "name":"a","namespace":"n","uid":"u","resourceVersion":"7","labels":{"x":"y"},"creationTimestamp":"2026-01-01T00:00:00Z",
            "deletionTimestamp":"2026-01-01T00:00:00Z","deletionGracePeriodSeconds":30,"finalizers":["f"],
            "managedFields":[{"manager":"m","fieldsV1":{"f:data":{}}}],
            "ownerReferences":[{"apiVersion":"v1","kind":"ConfigMap","name":"o","uid":"v","blockOwnerDeletion":true}]}}}"#;
        let Ok(WatchEvent::Added(meta)) = serde_json::from_str::<WatchEvent<Meta>>(event) else { panic!("not read") };
        let place = (meta.name_any(), meta.namespace(), meta.uid(), meta.resource_version());
        assert_eq!(place, ("a".to_owned(), Some("n".to_owned()), Some("u".to_owned()), Some("7".to_owned())));
        assert_eq!((meta.finalizers(), meta.owner_references()[0].uid.as_str()), (&["f".to_owned()][..], "v"));
        assert!(meta.metadata.deletion_timestamp.is_some());
        assert_eq!((meta.metadata.deletion_grace_period_seconds, meta.metadata.labels), (Some(30), None));
    }
}
