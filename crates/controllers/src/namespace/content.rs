//! What is in a namespace, and its deletion.

use std::collections::BTreeMap;

use kube::api::DeleteParams;
use kube::discovery::verbs;

use crate::Error;
use crate::objects::{Kind, Objects};
use crate::work::chain;

/// What is left in a namespace after its deletion was asked for, and what went wrong.
#[derive(Default)]
pub(super) struct Content {
    /// Kinds of which objects are left.
    pub(super) left: Vec<Left>,
    /// Why the kinds could not be found out.
    pub(super) undiscovered: Option<String>,
    /// What could not be deleted, and why.
    pub(super) failures: Vec<String>,
}

/// Objects of a kind that are left.
pub(super) struct Left {
    pub(super) kind: Kind,
    pub(super) count: usize,
    /// How many of them each finalizer holds.
    pub(super) finalizers: BTreeMap<String, usize>,
    /// The revision at which they were counted.
    pub(super) revision: String,
    /// Whether something says why they are still there.
    explained: bool,
}

impl Content {
    pub(super) fn is_empty(&self) -> bool {
        self.left.is_empty() && self.problem().is_none()
    }

    /// What a repetition may mend.
    pub(super) fn problem(&self) -> Option<String> {
        let problems: Vec<_> = self.undiscovered.iter().chain(&self.failures).map(String::as_str).collect();
        if problems.is_empty() { None } else { Some(problems.join(", ")) }
    }

    pub(super) fn into_left(self) -> Vec<Left> {
        self.left
    }

    fn add(&mut self, namespace: &str, result: Result<Option<Left>, Error>) {
        match result {
            Ok(None) => {}
            Ok(Some(left)) => {
                if !left.explained {
                    let resource = &left.kind.resource;
                    self.failures.push(format!(
                        "unexpected items still remain in namespace: {namespace} for gvr: {}/{}, Resource={}",
                        resource.group, resource.version, resource.plural
                    ));
                }
                self.left.push(left);
            }
            Err(error) => self.failures.push(chain(&error)),
        }
    }
}

/// Asks for the deletion of everything in a namespace: pods first, the rest once they are gone.
pub(super) async fn delete(objects: &Objects, namespace: &str) -> Content {
    let mut content = Content::default();
    let mut kinds = match objects.kinds().await {
        Ok(kinds) => kinds,
        Err(error) => {
            content.undiscovered = Some(chain(&error));
            return content;
        }
    };
    kinds.retain(|kind| kind.namespaced);
    let (pods, others): (Vec<_>, Vec<_>) = kinds.into_iter().partition(is_pod);
    for kinds in [pods, others] {
        for kind in kinds {
            let result = delete_kind(objects, &kind, namespace).await;
            content.add(namespace, result);
        }
        if !content.left.is_empty() || !content.failures.is_empty() {
            break;
        }
    }
    content
}

fn is_pod(kind: &Kind) -> bool {
    kind.resource.group.is_empty() && kind.resource.plural == "pods"
}

/// Deletes the objects of a kind; `None` if none is left.
async fn delete_kind(objects: &Objects, kind: &Kind, namespace: &str) -> Result<Option<Left>, Error> {
    if kind.has(verbs::DELETE_COLLECTION) {
        objects.delete_all(kind, namespace).await?;
    } else {
        for object in objects.list(kind, Some(namespace)).await?.0 {
            objects.delete(kind, &object, DeleteParams::background()).await?;
        }
    }
    let (found, revision) = objects.list(kind, Some(namespace)).await?;
    let mut left =
        Left { kind: kind.clone(), count: found.len(), finalizers: BTreeMap::new(), revision, explained: false };
    for object in found {
        left.explained |= object.metadata.deletion_grace_period_seconds.is_some_and(|seconds| seconds > 0);
        for finalizer in object.metadata.finalizers.into_iter().flatten() {
            left.explained = true;
            *left.finalizers.entry(finalizer).or_default() += 1;
        }
    }
    Ok((left.count > 0).then_some(left))
}
