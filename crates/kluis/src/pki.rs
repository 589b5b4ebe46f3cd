//! The certificates of a server: made at the first start, reused after, renewed before they end.
//!
//! `DIR/pki` holds the authority (`ca.crt`, `ca.key`) and the serving certificate with its key
//! (`serving.pem`: one file, so that no crash can leave the certificate of one key beside another key).
//! The administrator's certificate lives in `DIR/admin.kubeconfig` alone.

mod admin;
mod authority;
mod leaf;
mod names;
mod serving;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use anyhow::Result;
use rustls::pki_types::CertificateDer;
use tokio::sync::watch;
use tracing::{error, info};

use crate::data_dir::DataDir;
use crate::signals;
use crate::tls::ServingCertificate;

pub(crate) use authority::{Authority, Purpose};
use names::Names;
pub(crate) use names::Naming;

/// How long the authority lives.
const AUTHORITY_LIFETIME: Duration = Duration::from_secs(10 * 365 * 24 * 3600);
/// Certificates begin this much before they are made, for clients whose clock is behind.
const CLOCK_SKEW: Duration = Duration::from_secs(5 * 60);
/// How often the certificates are looked at, at least: a machine that slept must not wake to dead ones.
const LONGEST_SLEEP: Duration = Duration::from_secs(3600);
const SHORTEST_SLEEP: Duration = Duration::from_secs(1);

/// The certificates of a running server.
pub(crate) struct Pki {
    authority: Authority,
    serving: Arc<ServingCertificate>,
    data: DataDir,
    naming: Naming,
    url: String,
    lifetime: Duration,
}

impl Pki {
    /// Loads what is there, makes what is missing, ends soon or does not fit the names and the URL any more.
    pub(crate) fn open(data: &DataDir, naming: Naming, url: String, lifetime: Duration) -> Result<Self> {
        let (now, lifetime) = (SystemTime::now(), lifetime.min(AUTHORITY_LIFETIME));
        let authority = Authority::load_or_create(&data.pki(), now)?;
        let (serving, _) = serving::ensure(&data.pki(), &authority, &naming.names(), lifetime, now)?;
        admin::ensure(&data.admin_kubeconfig(), &authority, &url, lifetime, now)?;
        let serving = Arc::new(ServingCertificate::new(serving));
        Ok(Self { authority, serving, data: data.clone(), naming, url, lifetime })
    }

    /// The certificate that the server shows, always the newest.
    pub(crate) fn serving(&self) -> Arc<ServingCertificate> {
        Arc::clone(&self.serving)
    }

    /// The certificate of the authority.
    pub(crate) fn authority(&self) -> &CertificateDer<'static> {
        self.authority.certificate()
    }

    /// Renews the certificates before they end, until the shutdown.
    pub(crate) async fn renew(self, shutdown: watch::Receiver<bool>) {
        let mut ended = std::pin::pin!(signals::ended(shutdown));
        let mut sleep = LONGEST_SLEEP.min(self.lifetime / 6).max(SHORTEST_SLEEP);
        loop {
            tokio::select! {
                () = tokio::time::sleep(sleep) => {}
                () = &mut ended => return,
            }
            sleep = match self.renew_due(SystemTime::now()) {
                Ok(next) => next.clamp(SHORTEST_SLEEP, LONGEST_SLEEP),
                Err(error) => {
                    error!("cannot renew the certificates: {error:#}");
                    LONGEST_SLEEP.min(self.lifetime / 12).max(SHORTEST_SLEEP)
                }
            };
        }
    }

    /// Renews what is due and says when to look again.
    fn renew_due(&self, now: SystemTime) -> Result<Duration> {
        let (serving, serving_due) =
            serving::ensure(&self.data.pki(), &self.authority, &self.naming.names(), self.lifetime, now)?;
        if self.serving.replace(serving) {
            info!("the serving certificate was renewed");
        }
        let path = self.data.admin_kubeconfig();
        let (admin_due, renewed) = admin::ensure(&path, &self.authority, &self.url, self.lifetime, now)?;
        if renewed {
            info!(path = %path.display(), "the administrator's kubeconfig was renewed");
        }
        Ok(serving_due.min(admin_due).duration_since(now).unwrap_or_default())
    }
}
