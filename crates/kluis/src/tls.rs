//! TLS as the server speaks it: 1.2 and 1.3, clients with a certificate of our authority or with none.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use anyhow::{Context, Result};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::CertificateDer;
use rustls::server::{ClientHello, ResolvesServerCert, WebPkiClientVerifier};
use rustls::sign::CertifiedKey;
use rustls::{RootCertStore, ServerConfig};

/// The cryptography of TLS.
pub(crate) fn provider() -> CryptoProvider {
    aws_lc_rs::default_provider()
}

/// The certificate that the server shows; it can be replaced while the server runs.
pub(crate) struct ServingCertificate(RwLock<Arc<CertifiedKey>>);

impl ServingCertificate {
    pub(crate) fn new(key: Arc<CertifiedKey>) -> Self {
        Self(RwLock::new(key))
    }

    /// Shows this certificate from now on, and says whether it is another one than before.
    pub(crate) fn replace(&self, key: Arc<CertifiedKey>) -> bool {
        let mut current = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let differs = current.cert != key.cert;
        *current = key;
        differs
    }
}

impl ResolvesServerCert for ServingCertificate {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

impl fmt::Debug for ServingCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServingCertificate").finish_non_exhaustive()
    }
}

/// The configuration of every connection. A client without a certificate is let in, because some paths are open
/// to everyone and the others answer 401; one with a certificate that is not good is turned away here.
pub(crate) fn config(serving: Arc<ServingCertificate>, authority: &CertificateDer<'static>) -> Result<ServerConfig> {
    let provider = Arc::new(provider());
    let mut roots = RootCertStore::empty();
    roots.add(authority.clone()).context("the certificate of the authority cannot be used")?;
    let clients = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
    let clients = clients.allow_unauthenticated().build().context("cannot set TLS up")?;
    let versions = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = versions.context("cannot set TLS up")?.with_client_cert_verifier(clients);
    let mut config = builder.with_cert_resolver(serving);
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    config.ticketer = aws_lc_rs::Ticketer::new().context("cannot set TLS up")?;
    Ok(config)
}
