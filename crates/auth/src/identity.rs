//! Who makes a request.

use std::collections::BTreeMap;

/// The group of everyone who proved who they are.
pub const AUTHENTICATED: &str = "system:authenticated";
/// The group that may do everything and that no policy can take that from.
pub const MASTERS: &str = "system:masters";
/// The group of the administrator's kubeconfig: may do everything, for as long as it is granted.
pub const CLUSTER_ADMINS: &str = "kluis:cluster-admins";

/// The extra key that names the credential (`user.CredentialIDKey`).
const CREDENTIAL_ID: &str = "authentication.kubernetes.io/credential-id";

/// Who makes a request: `user.Info` of Kubernetes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Identity {
    /// The user name.
    pub user: String,
    /// Tells users of one name apart over time; often empty.
    pub uid: String,
    /// The groups, `system:authenticated` among them.
    pub groups: Vec<String>,
    /// What else the authenticator knows, the credential's id among it.
    pub extra: BTreeMap<String, Vec<String>>,
}

impl Identity {
    /// Someone whose credential was checked; `system:authenticated` is added to the groups.
    pub fn authenticated(user: impl Into<String>, mut groups: Vec<String>) -> Self {
        if !groups.iter().any(|group| group == AUTHENTICATED) {
            groups.push(AUTHENTICATED.to_owned());
        }
        Self { user: user.into(), groups, ..Self::default() }
    }

    /// One of the server's own controllers, by the name of its service account in `kube-system`.
    pub fn controller(name: &str) -> Self {
        let groups = ["system:serviceaccounts", "system:serviceaccounts:kube-system"].map(str::to_owned).to_vec();
        Self::authenticated(format!("{}{name}", crate::rights::CONTROLLER_PREFIX), groups)
    }

    /// Whether this identity is in the group.
    pub fn is_in(&self, group: &str) -> bool {
        self.groups.iter().any(|own| own == group)
    }

    /// Names the credential that proved this identity, e.g. `X509SHA256=...`; empty where there was none.
    pub fn credential_id(&self) -> &str {
        self.extra.get(CREDENTIAL_ID).and_then(|ids| ids.first()).map_or("", String::as_str)
    }

    /// Remembers the credential that proved this identity.
    #[must_use]
    pub fn with_credential_id(mut self, id: String) -> Self {
        self.extra.insert(CREDENTIAL_ID.to_owned(), vec![id]);
        self
    }
}
