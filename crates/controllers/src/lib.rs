//! What happens to objects over time: one file for each loop, each a client of the front door with an identity
//! of its own.

mod error;
mod garbage_collector;
mod meta;
mod namespace;
mod objects;
mod service_account;
mod work;

use tokio::sync::watch;

pub use error::Error;
pub use kube::Client;

use objects::Objects;

/// A loop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Controller {
    /// Empties namespaces that are deleted.
    Namespace,
    /// Deletes what has lost its owners.
    GarbageCollector,
    /// Makes the default service account of each namespace.
    ServiceAccount,
}

impl Controller {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Namespace, Self::GarbageCollector, Self::ServiceAccount];

    /// The name that kube-controller-manager's `--controllers` has for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Namespace => "namespace-controller",
            Self::GarbageCollector => "garbage-collector-controller",
            Self::ServiceAccount => "serviceaccount-controller",
        }
    }

    /// The service account in `kube-system` that it acts as.
    pub fn account(self) -> &'static str {
        match self {
            Self::Namespace => "namespace-controller",
            Self::GarbageCollector => "generic-garbage-collector",
            Self::ServiceAccount => "service-account-controller",
        }
    }

    /// Runs until cancelled, whatever the server answers. The client must act as [`Controller::account`].
    /// Cancelling leaves no change half made: each is one request.
    pub async fn run(self, client: Client, shutdown: watch::Receiver<bool>) {
        let objects = Objects::new(client, self.name());
        match self {
            Self::Namespace => namespace::run(objects, shutdown).await,
            Self::GarbageCollector => garbage_collector::run(objects, shutdown).await,
            Self::ServiceAccount => service_account::run(objects, shutdown).await,
        }
    }
}
