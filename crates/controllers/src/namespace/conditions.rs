//! The conditions of a namespace that is being deleted:
//! `pkg/controller/namespace/deletion/status_condition_utils.go`.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{NamespaceCondition, NamespaceStatus};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::content::Content;

/// A condition's type, and the reason and message it has when all is well.
type Kind = (&'static str, &'static str, &'static str);

const DISCOVERY: Kind =
    ("NamespaceDeletionDiscoveryFailure", "ResourcesDiscovered", "All resources successfully discovered");
const PARSING: Kind =
    ("NamespaceDeletionGroupVersionParsingFailure", "ParsedGroupVersions", "All legacy kube types successfully parsed");
const DELETION: Kind = (
    "NamespaceDeletionContentFailure",
    "ContentDeleted",
    "All content successfully deleted, may be waiting on finalization",
);
const CONTENT: Kind = ("NamespaceContentRemaining", "ContentRemoved", "All content successfully removed");
const FINALIZERS: Kind =
    ("NamespaceFinalizersRemaining", "ContentHasNoFinalizers", "All content-preserving finalizers finished");

/// What is wrong, where something is: reason and message.
type Problem = Option<(&'static str, String)>;

/// Writes into the status how the deletion goes, and says whether that changed it.
pub(super) fn update(status: &mut NamespaceStatus, content: &Content) -> bool {
    let found: [(Kind, Problem); 5] = [
        (DISCOVERY, undiscovered(content)),
        (PARSING, None),
        (DELETION, undeleted(content)),
        (CONTENT, remaining(content)),
        (FINALIZERS, held(content)),
    ];
    let conditions = status.conditions.get_or_insert_default();
    found.into_iter().fold(false, |changed, (kind, problem)| set(conditions, kind, problem) || changed)
}

fn undiscovered(content: &Content) -> Problem {
    let error = content.undiscovered.as_ref()?;
    Some(("DiscoveryFailed", format!("Discovery failed for some groups, 1 failing: {error}")))
}

fn undeleted(content: &Content) -> Problem {
    let count = content.failures.len();
    let message = || format!("Failed to delete all resource types, {count} remaining: {}", content.failures.join(", "));
    (count > 0).then(|| ("ContentDeletionFailed", message()))
}

fn remaining(content: &Content) -> Problem {
    let kinds = content.left.iter().map(|left| (&left.kind.resource, left.count));
    let mut parts: Vec<_> =
        kinds.map(|(kind, count)| format!("{}.{} has {count} resource instances", kind.plural, kind.group)).collect();
    parts.sort();
    let message = || format!("Some resources are remaining: {}", parts.join(", "));
    (!parts.is_empty()).then(|| ("SomeResourcesRemain", message()))
}

fn held(content: &Content) -> Problem {
    let mut counts = BTreeMap::new();
    for (finalizer, count) in content.left.iter().flat_map(|left| &left.finalizers) {
        *counts.entry(finalizer).or_insert(0) += count;
    }
    let parts: Vec<_> =
        counts.iter().map(|(finalizer, count)| format!("{finalizer} in {count} resource instances")).collect();
    let message = || format!("Some content in the namespace has finalizers remaining: {}", parts.join(", "));
    (!parts.is_empty()).then(|| ("SomeFinalizersRemain", message()))
}

/// Sets one condition, and says whether it is another than before.
fn set(conditions: &mut Vec<NamespaceCondition>, kind: Kind, problem: Problem) -> bool {
    let (type_, well, all_is_well) = kind;
    let (status, (reason, message)) = match problem {
        Some(problem) => ("True", problem),
        None => ("False", (well, all_is_well.to_owned())),
    };
    let now = NamespaceCondition {
        type_: type_.to_owned(),
        status: status.to_owned(),
        reason: Some(reason.to_owned()),
        message: Some(message),
        last_transition_time: Some(Time(jiff::Timestamp::now())),
    };
    let Some(before) = conditions.iter_mut().find(|condition| condition.type_ == type_) else {
        conditions.push(now);
        return true;
    };
    let same = (&before.status, &before.reason, &before.message) == (&now.status, &now.reason, &now.message);
    let since = if before.status == now.status { before.last_transition_time.take() } else { None };
    *before = NamespaceCondition { last_transition_time: since.or(now.last_transition_time), ..now };
    !same
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::NamespaceStatus;

    use super::update;
    use crate::namespace::content::Content;

    fn texts(status: &NamespaceStatus) -> Vec<String> {
        let conditions = status.conditions.iter().flatten();
        conditions.map(|one| format!("{} {} {}", one.type_, one.status, one.message.as_deref().unwrap_or(""))).collect()
    }

    #[test]
    fn all_five_are_set_once_and_then_change() {
        let mut status = NamespaceStatus::default();
        assert!(update(&mut status, &Content::default()));
        assert_eq!(
            texts(&status),
            [
                "NamespaceDeletionDiscoveryFailure False All resources successfully discovered",
                "NamespaceDeletionGroupVersionParsingFailure False All legacy kube types successfully parsed",
                "NamespaceDeletionContentFailure False All content successfully deleted, may be waiting on finalization",
                "NamespaceContentRemaining False All content successfully removed",
                "NamespaceFinalizersRemaining False All content-preserving finalizers finished",
            ]
        );
        assert!(!update(&mut status, &Content::default()));
        let content = Content { failures: vec!["one".to_owned(), "two".to_owned()], ..Content::default() };
        assert!(update(&mut status, &content));
        let wanted = "NamespaceDeletionContentFailure True Failed to delete all resource types, 2 remaining: one, two";
        assert_eq!(texts(&status)[2], wanted);
    }
}
