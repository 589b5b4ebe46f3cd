//! What a request wants to do: `authorizer.Attributes` of Kubernetes.

use api::field::quote;

/// What a request wants to do. Borrowed from the request, so that making one costs nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Attributes<'a> {
    /// `get`, `list`, ...; for paths that are no resource the HTTP method in small letters.
    pub verb: &'a str,
    /// API group; empty for core.
    pub group: &'a str,
    /// API version.
    pub version: &'a str,
    /// Plural name of the resource; empty where the path is no resource.
    pub resource: &'a str,
    /// Below an object, e.g. `status`; else empty.
    pub subresource: &'a str,
    /// Namespace; empty at the cluster scope.
    pub namespace: &'a str,
    /// Name of the object; empty where the request names none.
    pub name: &'a str,
    /// The path of the request.
    pub path: &'a str,
}

impl Attributes<'_> {
    /// Whether the request is for a resource; else only its path says what it wants.
    pub fn is_resource(&self) -> bool {
        !self.resource.is_empty()
    }

    /// The message of the Status 403 (`ForbiddenStatusError` and `forbiddenMessage` of
    /// `endpoints/handlers/responsewriters`), with the reason of the decision where it gave one.
    pub fn forbidden(&self, user: &str, reason: &str) -> String {
        let mut message = self.subject();
        message.push_str("forbidden: ");
        message.push_str(&self.refusal(user));
        if !reason.is_empty() {
            message.push_str(": ");
            message.push_str(reason);
        }
        message
    }

    /// `secrets "a" is `, or nothing for a path that is no resource.
    fn subject(&self) -> String {
        let dot = if self.group.is_empty() { "" } else { "." };
        match (self.resource, self.name) {
            ("", _) => String::new(),
            (resource, "") => format!("{resource}{dot}{} is ", self.group),
            (resource, name) => format!("{resource}{dot}{} {} is ", self.group, quote(name)),
        }
    }

    fn refusal(&self, user: &str) -> String {
        let (user, verb) = (quote(user), self.verb);
        if !self.is_resource() {
            return format!("User {user} cannot {verb} path {}", quote(self.path));
        }
        let resource = match self.subresource {
            "" => quote(self.resource),
            below => quote(&format!("{}/{below}", self.resource)),
        };
        let place = match self.namespace {
            "" => "at the cluster scope".to_owned(),
            namespace => format!("in the namespace {}", quote(namespace)),
        };
        format!("User {user} cannot {verb} resource {resource} in API group {} {place}", quote(self.group))
    }
}

#[cfg(test)]
mod tests {
    use super::Attributes;

    const SECRET: Attributes<'_> = Attributes {
        verb: "get",
        group: "",
        version: "v1",
        resource: "secrets",
        subresource: "",
        namespace: "n",
        name: "a",
        path: "/api/v1/namespaces/n/secrets/a",
    };

    #[test]
    fn texts_are_those_of_kubernetes() {
        let check = |attributes: Attributes<'_>, reason, text| assert_eq!(attributes.forbidden("jane", reason), text);
        check(
            SECRET,
            "",
            r#"secrets "a" is forbidden: User "jane" cannot get resource "secrets" in API group "" in the namespace "n""#,
        );
        check(
            Attributes { verb: "list", name: "", namespace: "", ..SECRET },
            "",
            r#"secrets is forbidden: User "jane" cannot list resource "secrets" in API group "" at the cluster scope"#,
        );
        check(
            Attributes { group: "apps", resource: "deployments", name: "d", ..SECRET },
            "",
            r#"deployments.apps "d" is forbidden: User "jane" cannot get resource "deployments" in API group "apps" in the namespace "n""#,
        );
        check(
            Attributes { verb: "create", resource: "serviceaccounts", subresource: "token", name: "s", ..SECRET },
            "No Object name found",
            r#"serviceaccounts "s" is forbidden: User "jane" cannot create resource "serviceaccounts/token" in API group "" in the namespace "n": No Object name found"#,
        );
        check(
            Attributes { verb: "get", path: "/metrics", ..Attributes::default() },
            "",
            r#"forbidden: User "jane" cannot get path "/metrics""#,
        );
    }
}
