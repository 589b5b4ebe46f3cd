//! What a request asks for, read from its method and path alone (`apiserver/pkg/endpoints/request/requestinfo.go`).

use std::borrow::Cow;

use api::resources::{Resource, Subresource};
use http::Method;
use percent_encoding::percent_decode_str;

/// The verb of authorization and audit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verb {
    Get,
    List,
    Watch,
    Create,
    Update,
    Patch,
    Delete,
    DeleteCollection,
}

impl Verb {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::List => "list",
            Self::Watch => "watch",
            Self::Create => "create",
            Self::Update => "update",
            Self::Patch => "patch",
            Self::Delete => "delete",
            Self::DeleteCollection => "deletecollection",
        }
    }

    /// Whether it may change an object: the two in-flight limits are told apart by this.
    pub(crate) fn is_mutating(self) -> bool {
        !matches!(self, Self::Get | Self::List | Self::Watch)
    }
}

/// A path below `/api/V` or `/apis/G/V`, in pieces. Nothing is said yet about whether it is served.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct ResourcePath<'a> {
    pub(crate) group: &'a str,
    pub(crate) version: &'a str,
    pub(crate) namespace: Cow<'a, str>,
    pub(crate) resource: &'a str,
    pub(crate) name: Cow<'a, str>,
    pub(crate) subresource: &'a str,
    /// More segments than any route has.
    pub(crate) excess: bool,
    /// The deprecated `/watch/` prefix.
    pub(crate) old_watch: bool,
    /// Whether the path named a namespace before the resource.
    pub(crate) in_namespace: bool,
}

impl<'a> ResourcePath<'a> {
    /// The pieces of the path, if it is one below a group version and names a resource.
    pub(crate) fn parse(path: &'a str) -> Option<Self> {
        let mut segments = path.trim_end_matches('/').split('/').skip(1);
        let mut info = match segments.next()? {
            "api" => Self { version: segments.next()?, ..Self::default() },
            "apis" => Self { group: segments.next()?, version: segments.next()?, ..Self::default() },
            _ => return None,
        };
        let mut first = segments.next()?;
        if first == "watch" {
            info.old_watch = true;
            first = segments.next()?;
        }
        info.resource = first;
        if first == "namespaces" {
            let Some(namespace) = segments.next() else { return Some(info) };
            match segments.next() {
                None => info.name = decode(namespace),
                // `/namespaces/x/status` is a subresource of the Namespace, everything else lies in it.
                Some(sub @ ("status" | "finalize")) => {
                    info.name = decode(namespace);
                    info.subresource = sub;
                }
                Some(resource) => {
                    info.in_namespace = true;
                    info.namespace = decode(namespace);
                    info.resource = resource;
                    info.take_name(&mut segments);
                }
            }
        } else {
            info.take_name(&mut segments);
        }
        info.excess = segments.next().is_some();
        Some(info)
    }

    fn take_name(&mut self, segments: &mut impl Iterator<Item = &'a str>) {
        if let Some(name) = segments.next() {
            self.name = decode(name);
        }
        if let Some(subresource) = segments.next() {
            self.subresource = subresource;
        }
    }

    /// The row and subresource that serve the path; `None` where no route does.
    pub(crate) fn route(&self) -> Option<(&'static Resource, Option<&'static Subresource>)> {
        let nowhere = self.in_namespace && (self.namespace.is_empty() || self.namespace.contains('/'));
        if self.excess || self.resource.is_empty() || nowhere {
            return None;
        }
        let row = api::resources::find(self.group, self.version, self.resource)?;
        let named_outside = row.namespaced && !self.in_namespace && !self.name.is_empty();
        let escaped = self.name.contains('/') || self.namespace.contains('/');
        if named_outside || (!row.namespaced && self.in_namespace) || escaped {
            return None;
        }
        if self.subresource.is_empty() {
            return Some((row, None));
        }
        row.subresource(self.subresource).map(|sub| (row, Some(sub)))
    }

    /// The verb of this method on this path; `None` for methods that no route has.
    pub(crate) fn verb(&self, method: &Method, watch: bool) -> Option<Verb> {
        let named = !self.name.is_empty();
        Some(match *method {
            Method::GET if self.old_watch => Verb::Watch,
            _ if self.old_watch => return None,
            Method::GET if named => Verb::Get,
            Method::GET if watch => Verb::Watch,
            Method::GET => Verb::List,
            Method::POST => Verb::Create,
            Method::PUT => Verb::Update,
            Method::PATCH => Verb::Patch,
            Method::DELETE if named => Verb::Delete,
            Method::DELETE => Verb::DeleteCollection,
            _ => return None,
        })
    }
}

/// A path segment without its percent escapes; one that is no UTF-8 stays as it is and matches nothing.
fn decode(segment: &str) -> Cow<'_, str> {
    percent_decode_str(segment).decode_utf8().unwrap_or(Cow::Borrowed(segment))
}

/// Whether a kind's verbs allow this one on this path: what the router of Kubernetes has a route for.
pub(crate) fn allows(row: &Resource, sub: Option<&Subresource>, path: &ResourcePath<'_>, verb: Verb) -> bool {
    let verbs = sub.map_or(row.verbs, |sub| sub.verbs);
    let named = !path.name.is_empty();
    let fits = match verb {
        Verb::List | Verb::DeleteCollection => !named,
        Verb::Create => named == sub.is_some(),
        Verb::Watch => true,
        _ => named,
    };
    // Across namespaces a namespaced kind can only be listed and watched.
    let in_scope = !row.namespaced || path.in_namespace || matches!(verb, Verb::List | Verb::Watch);
    fits && in_scope && verbs.contains(&verb.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(path: &str, wanted: (&str, &str, &str, &str, &str)) {
        let info = ResourcePath::parse(path).expect(path);
        let got = (info.group, &*info.namespace, info.resource, &*info.name, info.subresource);
        assert_eq!(got, wanted, "{path}");
    }

    #[test]
    fn paths_are_taken_apart() {
        check("/api/v1/secrets", ("", "", "secrets", "", ""));
        check("/api/v1/namespaces/a/secrets/", ("", "a", "secrets", "", ""));
        check("/api/v1/namespaces/a/secrets/%61", ("", "a", "secrets", "a", ""));
        check("/api/v1/namespaces/a", ("", "", "namespaces", "a", ""));
        check("/api/v1/namespaces/a/finalize", ("", "", "namespaces", "a", "finalize"));
        check("/api/v1/namespaces/a/pods/b/status", ("", "a", "pods", "b", "status"));
        check("/api/v1/watch/namespaces/a/secrets/b", ("", "a", "secrets", "b", ""));
        check("/apis/apps/v1/deployments", ("apps", "", "deployments", "", ""));
    }

    #[test]
    fn odd_paths_have_no_route() {
        for path in
            ["/api/v1/namespaces//secrets", "/api/v1/namespaces/a%2Fb/secrets", "/api/v1/namespaces/a/secrets/b%2Fc"]
        {
            assert!(ResourcePath::parse(path).expect(path).route().is_none(), "{path}");
        }
        let watched = ResourcePath::parse("/api/v1/watch/namespaces/a/secrets/b").expect("a path");
        assert_eq!(watched.verb(&Method::DELETE, false), None);
    }

    #[test]
    fn other_paths_are_no_resources() {
        for path in ["/", "/api", "/api/v1", "/api/v1/", "/apis/apps/v1", "/healthz", ""] {
            assert_eq!(ResourcePath::parse(path), None, "{path}");
        }
    }
}
