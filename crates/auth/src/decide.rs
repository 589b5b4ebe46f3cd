//! May this identity do this.

use std::borrow::Cow;

use crate::rights::controller_may;
use crate::{Attributes, CLUSTER_ADMINS, Identity, MASTERS};

/// The answer, with the reason that the audit log keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// It may.
    Allow(Cow<'static, str>),
    /// It may not; the reason, where there is one, goes into the message of the 403.
    Deny(Cow<'static, str>),
}

/// Decides, and allocates nothing. Until there is RBAC, the two groups of administrators may do everything,
/// the server's own controllers what their table says, and everyone else nothing.
pub fn decide(identity: &Identity, attributes: &Attributes<'_>) -> Decision {
    if identity.is_in(CLUSTER_ADMINS) {
        return Decision::Allow(Cow::Borrowed("group kluis:cluster-admins"));
    }
    if identity.is_in(MASTERS) {
        return Decision::Allow(Cow::Borrowed("group system:masters"));
    }
    if controller_may(&identity.user, attributes) {
        return Decision::Allow(Cow::Borrowed("rights of the controller"));
    }
    Decision::Deny(Cow::Borrowed(""))
}
